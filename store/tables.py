"""Every table, for those who need them all: migrations and tests."""

from store import (
    accounts,
    activities,
    advice_rows,
    audit_log,
    bindings,
    calendar,
    contacts,
    custom_fields,
    deals,
    mail,
    meetings,
    numbering,
    pipeline,
    recommendations,
    statuses,
    sync_state,
    users,
)
from store.base import Base

MODULES = (
    accounts, activities, advice_rows, audit_log, bindings, calendar, contacts, custom_fields, deals, mail,
    meetings, numbering, pipeline, recommendations, statuses, sync_state, users,
)  # fmt: skip
METADATA = Base.metadata
