"""Every table, for those who need them all: migrations and tests."""

from store import (
    accounts,
    activities,
    audit_log,
    bindings,
    calendar,
    contacts,
    deals,
    import_runs,
    mail,
    meetings,
    numbering,
    pipeline,
    selling,
    statuses,
    sync_state,
    users,
)
from store.base import Base

MODULES = (
    accounts, activities, audit_log, bindings, calendar, contacts, deals, import_runs,
    mail, meetings, numbering,
    pipeline, selling, statuses, sync_state, users,
)  # fmt: skip
METADATA = Base.metadata
