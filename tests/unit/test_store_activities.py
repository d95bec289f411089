"""Activities: people change theirs, and nobody those that were logged by themselves (R099)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from store import contact_list, directory, reports
from store.accounts import Account, AccountType
from store.activities import Activity, ActivityState, ActivityType, delete_activity, update_activity
from store.actors import Actor, admin_at_machine
from store.audit_log import AuditLog, Channel
from store.database import Database
from store.errors import Forbidden, Immutable, NotFound
from store.report_rows import Query
from store.users import UserRole

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ADMIN = admin_at_machine("root")


@pytest.fixture
def two(database: Database) -> Database:
    """Activity 1 is an e-mail that was logged by itself, activity 2 a call somebody wrote down."""
    with database.write() as session:
        directory.state(session)
        account = Account(
            name="A", type=AccountType.CUSTOMER, created_on=NOW.date(), created_at=NOW, updated_at=NOW
        )
        session.add(account)
        session.flush()
        for automatic, type_ in ((True, ActivityType.EMAIL), (False, ActivityType.CALL)):
            session.add(
                Activity(
                    type=type_,
                    account_id=account.id,
                    occurred_at=NOW,
                    subject="Sujet",
                    automatic=automatic,
                    state=ActivityState.VALIDATED,
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
            session.flush()
    return database


def test_an_automatic_e_mail_activity_is_never_changed_or_deleted(two: Database) -> None:
    with two.write() as session:
        with pytest.raises(Immutable, match="logged by itself"):
            update_activity(session, 1, actor=ADMIN, now=NOW, channel=Channel.API, subject="Autre")
        with pytest.raises(Immutable):
            delete_activity(session, 1, actor=ADMIN, now=NOW, channel=Channel.API)

    with two.read() as session:
        found = session.get(Activity, 1)
    assert found is not None
    assert (found.subject, found.deleted_at, found.version) == ("Sujet", None, 1)


def test_another_activity_is_changed_and_deleted_and_audited(two: Database) -> None:
    with two.write() as session:
        update_activity(session, 2, actor=ADMIN, now=NOW, channel=Channel.API, comments="Rappeler")
    with two.write() as session:
        delete_activity(session, 2, actor=ADMIN, now=NOW, channel=Channel.API)
    with pytest.raises(NotFound), two.write() as session:
        delete_activity(session, 2, actor=ADMIN, now=NOW, channel=Channel.API)

    with two.read() as session:
        changes = [one.change for one in session.scalars(select(AuditLog).order_by(AuditLog.id))]
        assert reports.activities(session, Query()).total == 1
    assert changes == [{"changed": ["comments"]}, {"deleted": True}]


def test_a_standard_user_changes_only_her_own(two: Database) -> None:
    with pytest.raises(Forbidden), two.write() as session:
        delete_activity(session, 2, actor=Actor("x", 7, UserRole.STANDARD), now=NOW, channel=Channel.API)


def test_a_list_takes_as_many_queries_for_many_rows_as_for_one(two: Database) -> None:
    def queries(query: Query) -> int:
        seen: list[str] = []

        def note(*arguments: object) -> None:
            seen.append(str(arguments[2]))

        event.listen(two.engine, "before_cursor_execute", note)
        with two.read() as session:
            for read in (
                reports.accounts,
                contact_list.contacts,
                reports.activities,
                reports.emails,
                reports.opportunities,
            ):
                read(session, query)
        event.remove(two.engine, "before_cursor_execute", note)
        return len(seen)

    few = queries(Query(limit=1))
    with two.write() as session:
        for number in range(60):
            session.add(
                Account(
                    name=f"N{number}",
                    type=AccountType.CUSTOMER,
                    created_on=NOW.date(),
                    created_at=NOW,
                    updated_at=NOW + timedelta(seconds=number),
                )
            )

    assert queries(replace(Query(), limit=50)) == few
