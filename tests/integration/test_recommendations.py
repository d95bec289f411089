"""Recommendations in the store: one that stands, the others as history; who may write them."""

import re
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import text

from store import details, recommendations
from store.actors import Actor, admin_at_machine, user
from store.audit_log import Channel
from store.database import Database
from store.errors import Forbidden, Invalid, NotFound, Stale
from store.mailboxes import apply_config
from store.recommendations import Advice, By, Category, Severity, Source
from store.user_rows import UserRow
from store.users import UserRole
from tests.integration.test_statuses import ACCOUNTS, load
from tests.servers.prepared import Prepared

NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
ADMIN = admin_at_machine("root")


def by(actor: Actor = ADMIN, at: datetime = NOON) -> By:
    return By(actor, Channel.CLI, at)


@pytest.fixture
def company(prepared: Prepared) -> Database:
    return prepared.database(fill)


def fill(database: Database) -> None:
    load(database, "accounts", ACCOUNTS)


def put(database: Database, message: str, who: By | None = None, account: int = 1) -> bool:
    with database.write() as session:
        return recommendations.put(session, account, Advice(message), who or by())


def test_the_one_that_stands_is_shown_with_author_and_moment(company: Database) -> None:
    with company.write() as session:
        wanted = Advice("Livrer le matin\r\navant 9 h", Category.ACCOUNT_INFO, Severity.INFO)
        assert recommendations.put(session, 1, wanted, by())
    with company.read() as session:
        found = details.account(session, 1).recommendation
        assert details.account(session, 2).recommendation is None
    assert found is not None
    assert (found.message, found.author, found.at) == ("Livrer le matin\navant 9 h", "root", NOON)
    assert (found.category, found.severity, found.source) == (
        Category.ACCOUNT_INFO,
        Severity.INFO,
        Source.MANUAL,
    )


def test_whoever_orders_for_the_account_is_warned_before_anything_is_saved(company: Database) -> None:
    put(company, "Acompte exigé")
    with company.read() as session:
        (warning,) = recommendations.order_warnings(session, 1)
        assert recommendations.order_warnings(session, 2) == ()
    assert (warning.type, warning.recommendation.message) == ("recommendation", "Acompte exigé")


def test_what_is_replaced_or_cleared_stays_as_history(company: Database) -> None:
    assert put(company, "first")
    assert put(company, "second", by(at=NOON + timedelta(hours=1)))
    with company.write() as session:
        assert recommendations.clear(session, 1, by(at=NOON + timedelta(hours=2)))
        assert not recommendations.clear(session, 1, by(at=NOON + timedelta(hours=3)))
    with company.read() as session:
        assert recommendations.of_account(session, 1) is None
        told = [(one.message, one.until, one.cleared) for one in recommendations.history(session, 1)]
        audit = session.scalars(text("SELECT change FROM audit_log WHERE entity_id = 1 ORDER BY id")).all()
    assert told == [
        ("second", NOON + timedelta(hours=2), True),
        ("first", NOON + timedelta(hours=1), False),
    ]
    assert re.findall("set|replaced|cleared", str(audit)) == ["set", "replaced", "cleared"]
    assert "first" not in str(audit)


def test_the_same_text_again_writes_nothing(company: Database) -> None:
    assert put(company, "text")
    assert not put(company, " text\n", by(at=NOON + timedelta(hours=1)))
    with company.read() as session:
        assert session.scalar(text("SELECT count(*) FROM account_recommendation")) == 1
        assert session.scalar(text("SELECT count(*) FROM audit_log WHERE entity_id = 1")) == 1


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("", "the message is empty"),
        (" \n\t", "the message is empty"),
        ("x" * 2001, "has 2001 characters, at most 2000"),
        ("a\x07b", "control characters"),
    ],
)
def test_a_message_that_is_none_is_refused(company: Database, message: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        put(company, message)


def test_a_message_may_have_2000_characters(company: Database) -> None:
    assert put(company, "é" * 2000)


def test_the_database_itself_keeps_a_second_one_from_standing(company: Database) -> None:
    put(company, "first")
    put(company, "second")
    with pytest.raises(Stale), company.write() as session:
        session.execute(text("UPDATE account_recommendation SET active = true"))


def test_an_account_that_is_not_there_or_deleted_has_none(company: Database) -> None:
    put(company, "text")
    with company.write() as session:
        session.execute(text("UPDATE account SET deleted_at = updated_at WHERE id = 1"))
    with company.read() as session:
        assert recommendations.listed(session, 10, 0) == ((), 0)
    for account in (1, 99):
        with pytest.raises(NotFound, match=f"there is no account {account}"):
            put(company, "other", account=account)


@pytest.mark.parametrize("role", UserRole)
def test_only_who_may_change_the_account_writes_its_recommendation(company: Database, role: UserRole) -> None:
    with company.write() as session:
        apply_config(session, [UserRow("u", "U", "u@acme.example", (), role, None, None)], [], NOON)
        who = user(session, "u")
        session.execute(text("UPDATE account SET owner_id = :u WHERE id = 2"), {"u": who.user_id})
    put(company, "text")
    assert put(company, "mine", by(who), account=2)
    with company.write() as session:
        assert recommendations.clear(session, 2, by(who))
    if role is UserRole.STANDARD:
        with pytest.raises(Forbidden, match="u may not change account 1"):
            put(company, "other", by(who))
        with pytest.raises(Forbidden), company.write() as session:
            recommendations.clear(session, 1, by(who))
    else:
        assert put(company, "other", by(who))


def test_a_text_that_a_person_deletes_is_remembered_until_there_is_another(company: Database) -> None:
    def declined() -> list[object]:
        with company.read() as session:
            return list(session.scalars(text("SELECT message FROM recommendation_declined ORDER BY id")))

    put(company, "text")
    with company.write() as session:
        recommendations.clear(session, 1, by(), ready=("rule's", "text"))
    assert declined() == ["text", "rule's"]
    put(company, "other")
    assert declined() == []


def test_two_people_who_write_at_once_leave_one_text_and_one_in_the_history(company: Database) -> None:
    start, faults = Barrier(4), list[str]()

    def write(text_: str) -> None:
        start.wait(30)
        try:
            put(company, text_)
        except Exception as error:  # noqa: BLE001 - told by the test
            faults.append(repr(error))

    threads = [Thread(target=write, args=[f"text {number}"]) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert faults == []
    with company.read() as session:
        assert recommendations.of_account(session, 1) is not None
        assert len(recommendations.history(session, 1)) == 3
