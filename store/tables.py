"""Every table, for those who need them all: migrations and tests."""

from store import (
    account_drafts,
    accounts,
    activities,
    audit_log,
    bindings,
    calendar,
    contacts,
    deals,
    drafts,
    mail,
    meetings,
    merging,
    numbering,
    phones,
    pipeline,
    statuses,
    sync_state,
    tags,
    users,
)
from store.base import Base

MODULES = (
    account_drafts, accounts, activities, audit_log, bindings, calendar, contacts, deals, drafts, mail,
    meetings, merging, numbering, phones, pipeline, statuses, sync_state, tags, users,
)  # fmt: skip
METADATA = Base.metadata
