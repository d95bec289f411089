"""Every table, for those who need them all: migrations and tests."""

from store import (
    account_drafts,
    accounts,
    activities,
    advice_rows,
    audit_log,
    bindings,
    calendar,
    checkins,
    contacts,
    custom_fields,
    deals,
    drafts,
    erased,
    import_runs,
    logos,
    mail,
    meetings,
    merging,
    numbering,
    phones,
    photos,
    pipeline,
    recommendations,
    selling,
    statuses,
    sync_state,
    tags,
    users,
)
from store.base import Base

MODULES = (
    account_drafts, accounts, activities, advice_rows, audit_log, bindings, calendar, checkins, contacts,
    custom_fields, deals, drafts, erased, import_runs, logos, mail, meetings, merging, numbering, phones,
    photos, pipeline, recommendations, selling, statuses, sync_state, tags, users,
)  # fmt: skip
METADATA = Base.metadata
