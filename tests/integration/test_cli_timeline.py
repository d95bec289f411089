"""What happened with a contact, and what is planned (R050, R051), on both databases."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from store import timeline
from store.activities import ActivityState, ActivityType
from store.calendar import TaskState
from store.database import Database
from store.users import User
from tests.people import NOW, People
from tests.servers.office import Office

ANNE = "anne@garage.example"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Two contacts without anything."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    made.done("status")
    account = made.add_account("Garage")
    made.add_contact(account, "anne@garage.example")
    made.add_contact(account, "zoe@garage.example")
    return made


@pytest.fixture
def crm(office: Office) -> Iterator[Database]:
    database = office.database()
    yield database
    database.close()


def paged(office: Office, limit: int, *more: str) -> list[list[int]]:
    """The ids of every page."""
    pages = []
    cursor: list[str] = []
    while True:
        page = office.done("contact", "timeline", "1", "--limit", str(limit), "--json", *cursor, *more).json
        pages.append([row["id"] for row in page["rows"]])
        if page["next"] is None:
            return pages
        cursor = ["--after", page["next"]]


def test_all_kinds_are_told_the_newest_first(office: Office, crm: Database) -> None:
    with crm.write() as session:
        people = People(session)
        mail = people.mail(1, [1])
        people.activity([1, 2], NOW - timedelta(hours=3), ActivityType.EMAIL, email_id=mail, account_id=1)
        people.activity([1], NOW - timedelta(hours=1), ActivityType.CALL, ActivityState.PENDING_REPORT)
        people.activity([1], NOW - timedelta(hours=2), ActivityType.VIDEO_CALL, ActivityState.PENDING_REPORT)
        people.activity([1], NOW - timedelta(hours=4), ActivityType.COMMENT)
        people.activity([2], NOW)
        people.activity([1], NOW, deleted_at=NOW)

    rows = office.done("contact", "timeline", "1", "--json").json["rows"]

    assert [(row["type"], row["email_id"], row["account"]) for row in rows] == [
        ("call", None, None), ("email", mail, "Garage"), ("comment", None, None),
    ]  # fmt: skip
    assert paged(office, 50, "--pending") == [[2, 3, 1, 4]]
    assert "email" in office.done("contact", "timeline", "1").out


def test_pages_hold_every_row_once_though_many_have_one_time(office: Office, crm: Database) -> None:
    with crm.write() as session:
        for number in range(23):
            People(session).activity([1], NOW - timedelta(minutes=number // 5))

    pages = paged(office, 4)

    assert [len(one) for one in pages] == [4, 4, 4, 4, 4, 3]
    with crm.read() as session:
        order = "SELECT id FROM activity ORDER BY occurred_at DESC, id DESC"
        assert [id_ for one in pages for id_ in one] == [row[0] for row in session.execute(text(order))]
    told = office.done("contact", "timeline", "1", "--limit", "4")
    assert "there is more: --after '2026-11-22T12:00:00+00:00~2'" in told.err


def test_what_is_written_meanwhile_repeats_and_hides_no_row(office: Office, crm: Database) -> None:
    with crm.write() as session:
        old = [People(session).activity([1], NOW - timedelta(minutes=number)) for number in range(6)]
    first = office.done("contact", "timeline", "1", "--limit", "3", "--json").json
    with crm.write() as session:
        People(session).activity([1], NOW)
        session.execute(text("DELETE FROM activity WHERE id = 3"))
    rest = office.done("contact", "timeline", "1", "--after", first["next"], "--json").json["rows"]
    assert [row["id"] for row in first["rows"]] + [row["id"] for row in rest] == old


def event(
    office: Office, subject: str, start: timedelta, who: str = "anne@garage.example", *more: str
) -> None:
    begins = datetime.now(ZoneInfo("Europe/Paris")) + start
    times = ("--start", f"{begins:%Y-%m-%d %H:%M}", "--end", f"{begins + timedelta(hours=1):%Y-%m-%d %H:%M}")
    office.done("event", "add", "--as", "claire", "--subject", subject, "--participant", who, *times, *more)


def test_what_is_planned_comes_in_its_order(office: Office, crm: Database) -> None:
    today = datetime.now(ZoneInfo("Europe/Paris")).date()
    event(office, "third", timedelta(days=3))
    event(office, "goes on", timedelta(minutes=-10))
    event(office, "another's", timedelta(days=4), "zoe@garage.example")
    event(office, "first", timedelta(hours=1))
    event(office, "off", timedelta(days=1))
    office.done("event", "cancel", "5", "--as", "claire")
    with crm.write() as session:
        people = People(session)
        user = session.scalars(select(User.id)).first()
        assert user is not None
        people.task(user, 1, today + timedelta(days=2), subject="second")
        people.task(user, 1, today - timedelta(days=2), subject="late")
        people.task(user, 1, None, subject="some day")
        people.task(user, 1, today + timedelta(days=2), subject="done", state=TaskState.DONE)

    found = office.done("contact", "timeline", "1", "--planned", "--json").json

    assert [(row["kind"], row["subject"]) for row in found["rows"]] == [
        ("event", "first"), ("task", "second"), ("event", "third"),
    ]  # fmt: skip
    assert "second" in office.done("contact", "timeline", "1", "--planned").out
    assert "1 of 3" in office.done("contact", "timeline", "1", "--planned", "--limit", "1").err
    assert office.done("contact", "timeline", "2", "--planned", "--limit", "9").out.count("another's") == 1


def test_a_series_is_told_by_its_occurrences(office: Office) -> None:
    event(office, "Point", timedelta(days=1), "anne@garage.example", "--rrule", "FREQ=WEEKLY;COUNT=3")
    found = office.done("contact", "timeline", "1", "--planned", "--json").json["rows"]
    assert [row["subject"] for row in found] == ["Point"] * 3
    assert len({row["occurrence"] for row in found}) == 3


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "2026-11-22~1", "2026-11-22T12:00:00+00:00", "2026-11-22T12:00:00+00:00~x",
     "2026-11-22T12:00:00+00:00~99999999999999"],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="no place in a timeline"):
        timeline.place(cursor)


def test_a_cursor_is_read_as_it_was_written() -> None:
    place = timeline.Place(NOW + timedelta(microseconds=1), 7)
    assert timeline.place(str(place)) == place
