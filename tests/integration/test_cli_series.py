"""Series and single occurrences on the command line, and how events are listed."""

from pathlib import Path

import pytest

from tests.servers.bookings import add, edit, refused, weekly
from tests.servers.office import Office

TUESDAY = "2026-12-01 14:30"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Users and a CRM, once on SQLite and once on PostgreSQL."""
    return Office(tmp_path / "syncd", database_url)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Office:
    """The same on SQLite only."""
    return Office(tmp_path / "syncd", sqlite_url)


# --- series ---------------------------------------------------------------------------------------


def starts(office: Office, *options: str) -> list[tuple[str, str]]:
    listed = office.done("list", "events", "--from", "2026-12-01", "--to", "2027-01-31", "--json", *options)
    return [(row["local_start"], row["subject"]) for row in listed.json["rows"]]


def test_one_occurrence_is_changed_moved_cancelled_and_restored(office: Office) -> None:
    event = weekly(office)
    id_ = str(event["id"])
    changed = edit(office, event, "--occurrence", "2026-12-08", "--subject", "Autre")
    assert [(one["recurrence_key"], one["subject"]) for one in changed["occurrences"]] == [
        ("20261208T133000Z", "Autre")
    ]
    edit(office, event, "--occurrence", "2026-12-15", "--start", "2026-12-16 09:00")
    office.done("event", "cancel", id_, "--occurrence", "2026-12-22")
    assert starts(office) == [
        ("2026-12-01T14:30:00", "Point"),
        ("2026-12-08T14:30:00", "Autre"),
        ("2026-12-16T09:00:00", "Point"),
        ("2026-12-29T14:30:00", "Point"),
    ]
    assert "the series has none on 2026-12-22" in refused(
        office, "event", "cancel", id_, "--occurrence", "2026-12-22"
    )
    for day in ("2026-12-08", "2026-12-16", "2026-12-22"):
        office.done("event", "restore", id_, "--occurrence", day)
    assert [start[:10] for start, _ in starts(office)] == [
        "2026-12-01", "2026-12-08", "2026-12-15", "2026-12-22", "2026-12-29",
    ]  # fmt: skip
    assert "nothing to restore" in refused(office, "event", "restore", id_, "--occurrence", "2026-12-08")
    assert office.one("SELECT count(*) FROM event") == 1


def test_a_change_of_the_series_reaches_what_changed_occurrences_share_with_it(lite: Office) -> None:
    event = weekly(lite)
    edit(lite, event, "--occurrence", "2026-12-08", "--subject", "Autre")
    lite.done("event", "cancel", str(event["id"]), "--occurrence", "2026-12-15")
    edit(lite, event, "--start", "2026-12-01 10:00", "--location", "Salle B", "--participant", "marc")
    assert starts(lite) == [
        ("2026-12-01T10:00:00", "Point"),
        ("2026-12-08T10:00:00", "Autre"),
        ("2026-12-22T10:00:00", "Point"),
        ("2026-12-29T10:00:00", "Point"),
    ]
    (other,) = lite.done("show", "event", str(event["id"]), "--json").json["event"]["occurrences"]
    assert other["location"] == "Salle B"
    assert [one["email"] for one in other["participants"]] == ["claire@acme.example", "marc@acme.example"]


def test_a_series_that_would_lose_changed_occurrences_is_refused(lite: Office) -> None:
    event = weekly(lite)
    id_ = str(event["id"])
    edit(lite, event, "--occurrence", "2026-12-29", "--subject", "Dernier")
    short = refused(lite, "event", "edit", id_, "--rrule", "FREQ=WEEKLY;COUNT=2")
    assert "the changed occurrence of 2026-12-29 would have no place" in short
    assert "restore them first" in refused(lite, "event", "edit", id_, "--start", "2026-12-01")
    assert "restore them before" in refused(lite, "event", "edit", id_, "--rrule", "")
    assert "is the whole series'" in refused(
        lite, "event", "edit", id_, "--occurrence", "2026-12-08", "--rrule", "FREQ=DAILY"
    )


def test_a_single_event_has_no_occurrences(lite: Office) -> None:
    id_ = str(add(lite, "--start", TUESDAY)["id"])
    assert "happens once" in refused(lite, "event", "cancel", id_, "--occurrence", "2026-12-01")
    assert "happens once" in refused(lite, "event", "edit", id_, "--occurrence", "2026-12-01", "--notes", "x")


def test_of_several_on_one_day_the_time_must_be_named(lite: Office) -> None:
    event = add(lite, "--start", "2026-12-01 08:00", "--rrule", "FREQ=HOURLY;COUNT=4")
    id_ = str(event["id"])
    problem = refused(lite, "event", "cancel", id_, "--occurrence", "2026-12-01")
    assert "there are several on 2026-12-01" in problem
    lite.done("event", "cancel", id_, "--occurrence", "2026-12-01 09:00")
    assert [start[11:16] for start, _ in starts(lite)] == ["08:00", "10:00", "11:00"]


def test_an_endless_rule_is_listed_with_a_cap(lite: Office) -> None:
    add(lite, "--start", TUESDAY, "--rrule", "FREQ=SECONDLY")
    listed = lite.done("list", "events", "--json", "--limit", "3").json
    assert len(listed["rows"]) == 3
    assert listed["truncated"] is True


# --- lists ----------------------------------------------------------------------------------------


def test_events_are_listed_by_user_account_and_time(office: Office) -> None:
    office.write_config()
    office.add_account("Garage")
    add(office, "--start", TUESDAY, "--account", "Garage")
    office.done("event", "add", "--as", "marc", "--subject", "Sien", "--start", "2026-12-02")
    add(office, "--start", "2026-12-03", "--participant", "marc")
    assert len(starts(office)) == 3
    assert [start for start, _ in starts(office, "--user", "marc")] == ["2026-12-02", "2026-12-03"]
    assert [start for start, _ in starts(office, "--account", "Garage")] == ["2026-12-01T14:30:00"]
    assert starts(office, "--text", "sien") == [("2026-12-02", "Sien")]
    assert "--to" in refused(office, "list", "events", "--from", "2026-12-02", "--to", "2026-12-01")
    assert "--from" in refused(office, "list", "events", "--from", "hier")


def test_an_event_in_another_zone_is_shown_in_ones_own(lite: Office) -> None:
    event = add(lite, "--start", "2026-12-01 09:00", "--tz", "America/New_York")
    shown = lite.done("show", "event", str(event["id"])).out
    assert shown.startswith("when: 2026-12-01 15:00 to 2026-12-01 16:00 (America/New_York)\n")
