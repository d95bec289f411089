"""Check-ins that are corrected or taken away, and positions that are not kept (R096, table T7), on both
databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from store.database import Database
from syncd.daemon.wiring import Installation
from syncd.engine.positions import Positions
from tests.integration.test_checkins import HERE, LAT, LON, NOON, check_in, done, garage, meeting, north, run
from tests.servers.office import Office

TEAM = '[[users]]\nlogin = "paul"\nname = "Paul"\nemail = "paul@acme.example"\nmanager = "vera"\n'


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Users and a CRM, once on SQLite and once on PostgreSQL."""
    return Office(tmp_path / "syncd", database_url)


def edit(office: Office, *words: str, login: str = "claire", at: datetime = NOON) -> dict[str, object]:
    found = done(office, "checkin", "edit", "1", "--as", login, *words, at=at)
    assert isinstance(found, dict)
    return found


def refused(office: Office, *words: str, verb: str = "edit", login: str = "claire") -> str:
    """What is told of a change that leaves everything as it is."""
    tables = ("check_in", "activity", "activity_contact", "audit_log", "account")
    before = [office.rows(f"SELECT * FROM {one}") for one in tables]
    outcome = run(office, "checkin", verb, "1", "--as", login, *words)
    assert (outcome.code, "defect" in outcome.err) == (1, False), outcome.out + outcome.err
    assert [office.rows(f"SELECT * FROM {one}") for one in tables] == before
    return outcome.err


def test_another_position_is_judged_as_a_new_one_is(office: Office) -> None:
    garage(office)
    event = meeting(office)
    check_in(office, north(120), "--event", event)
    made = edit(office, "--position", north(400), "--accuracy", "20")
    assert (made["distance_m"], made["flag"], made["changed"]) == (400, "far", True)
    assert office.rows("SELECT accuracy_m, distance_m, flag, version FROM check_in") == [(20, 400, "FAR", 2)]
    assert "501 m from Garage Dupont" in refused(office, "--position", north(501), "--accuracy", "20")
    assert "a position comes with its accuracy" in refused(office, "--position", HERE)
    assert "none is given" in refused(office, "--accuracy", "20")
    made = edit(office, "--position", HERE, "--accuracy", "300")
    assert (made["distance_m"], made["flag"]) == (0, "low_accuracy")
    assert "nothing to change" in run(office, "checkin", "edit", "1", "--as", "claire").out
    change = office.rows("SELECT actor, change FROM audit_log WHERE entity = 'check_in' ORDER BY id")
    assert [row[0] for row in change] == ["claire"] * 3
    assert "45.7" not in str(change), "no position reaches the audit log"


def test_the_other_address_of_the_meeting_stays_what_counts(office: Office) -> None:
    garage(office)
    event = meeting(office, "--location", "Chantier", "--alt-position", north(5000))
    check_in(office, north(5000), "--event", event)
    assert edit(office, "--position", north(5100), "--accuracy", "5")["distance_m"] == 100
    assert "4,9 km from" in refused(office, "--position", north(100), "--accuracy", "5")


def test_a_check_in_stays_on_the_day_of_its_meeting_and_never_lies_ahead(office: Office) -> None:
    garage(office)
    event = meeting(office, "--rrule", "FREQ=DAILY;COUNT=5", start="2026-11-21 14:30")
    check_in(office, HERE, "--event", event)
    edit(office, "--at", "2026-11-23 09:15")
    moments = [str(office.one(f"SELECT {one}")) for one in ("at FROM check_in", "occurred_at FROM activity")]
    assert [one[:16] for one in moments] == ["2026-11-23 08:15"] * 2
    assert f"another day of event {event}" in refused(office, "--at", "2026-11-22 09:15")
    assert "is not on 2026-11-20" in refused(office, "--at", "2026-11-20 09:15")
    assert "in the future" in refused(office, "--at", "2026-11-23 12:01")
    assert "those who take part" in refused(office, "--contact", "1")


def test_the_check_in_that_located_an_account_locates_it_anew_unless_somebody_did(office: Office) -> None:
    garage(office, located=False)
    check_in(office, HERE, "--account", "Garage Dupont", accuracy="50")
    made = edit(office, "--position", north(3000), "--accuracy", "30")
    assert (made["distance_m"], made["flag"]) == (None, "first_location")
    shown = office.done("show", "account", "1", "--json").json["account"]
    assert (shown["latitude"], shown["geocode_accuracy_m"], shown["version"]) == ("45.776980", 30, 3)
    assert "too imprecise to tell" in refused(office, "--position", HERE, "--accuracy", "201")
    office.done("account", "edit", "1", "--latitude", LAT, "--longitude", LON)
    assert "km from Garage Dupont" in refused(office, "--position", north(3000), "--accuracy", "30")
    assert edit(office, "--position", north(10), "--accuracy", "30")["flag"] == "none"
    assert office.done("show", "account", "1", "--json").json["account"]["latitude"] == LAT


def test_who_was_met_is_corrected_where_no_event_tells(office: Office) -> None:
    account = garage(office)
    people = [office.add_contact(account, f"{name}@far.example") for name in ("a", "b", "c")]
    check_in(office, HERE, "--account", "Garage Dupont", "--contact", str(people[0]))
    edit(office, "--contact", str(people[1]), "--contact", str(people[2]))
    assert office.rows("SELECT contact_id FROM activity_contact ORDER BY contact_id") == [
        (people[1],), (people[2],),
    ]  # fmt: skip
    assert office.one("SELECT version FROM activity") == 2
    stale = run(
        office, "checkin", "edit", "1", "--as", "claire", "--if-version", "1", "--at", "2026-11-23 09:00"
    )
    assert (stale.code, "it is at version 2, not 1" in stale.err) == (1, True)


def test_a_check_in_is_deleted_with_its_position_and_may_be_made_again(office: Office) -> None:
    garage(office)
    event = meeting(office)
    check_in(office, north(120), "--event", event)
    done(office, "checkin", "delete", "1", "--as", "claire")
    assert office.one("SELECT count(*) FROM check_in") == 0
    assert office.rows("SELECT deleted_at IS NOT NULL, checkin_id FROM activity") in (
        [(1, None)], [(True, None)],
    )  # fmt: skip
    changes = office.rows(
        "SELECT entity, actor FROM audit_log WHERE actor = 'claire' ORDER BY id DESC LIMIT 2"
    )
    assert sorted(changes) == [("activity", "claire"), ("check_in", "claire")]
    assert run(office, "show", "checkin", "1").code == 1
    assert check_in(office, HERE, "--event", event)["distance_m"] == 0


def test_an_account_that_a_deleted_check_in_located_stays_there_and_that_is_told(office: Office) -> None:
    garage(office, located=False)
    check_in(office, HERE, "--account", "Garage Dupont")
    told = run(office, "checkin", "delete", "1", "--as", "claire").out
    assert "Garage Dupont stays where it was located" in told
    assert office.done("show", "account", "1", "--json").json["account"]["latitude"] == LAT


def test_a_visit_that_was_deleted_stays_deleted(office: Office) -> None:
    garage(office)
    check_in(office, HERE, "--account", "Garage Dupont")
    database = office.database()
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE activity SET deleted_at = updated_at")
    database.close()
    assert edit(office, "--at", "2026-11-23 09:15")["activity_id"] is None
    assert done(office, "checkin", "delete", "1", "--as", "claire")["activity_id"] is None


def test_who_may_not_change_a_check_in_leaves_it_as_it_is(office: Office) -> None:
    office.more = TEAM + '[[users]]\nlogin = "vera"\nname = "Vera"\nemail = "vera@acme.example"\n'
    garage(office)
    check_in_as = ("--account", "Garage Dupont", "--position", HERE, "--accuracy", "1")
    done(office, "checkin", "add", "--as", "paul", *check_in_as)
    for verb in ("edit", "delete"):
        for login in ("marc", "anne"):
            assert "there is no checkin 1" in refused(office, verb=verb, login=login)
        assert "may not change check-in 1: it is another user's" in refused(office, verb=verb, login="vera")
    office.more = office.more.replace('"vera@acme.example"', '"vera@acme.example"\nrole = "advanced"')
    edit(office, "--at", "2026-11-23 09:15", login="vera")
    edit(office, "--at", "2026-11-23 09:20", login="odile")
    assert office.rows("SELECT DISTINCT user_id FROM check_in") == office.rows(
        "SELECT id FROM \"user\" WHERE login = 'paul'"
    )
    done(office, "checkin", "delete", "1")
    assert office.one("SELECT count(*) FROM check_in") == 0


# --- positions that are not kept ------------------------------------------------------------------


def test_old_positions_are_erased_at_night_and_the_check_ins_stay(office: Office) -> None:
    garage(office)
    for days in (0, 20, 40):
        check_in(office, north(100), "--account", "Garage Dupont", at=NOON + timedelta(days=days))
    database = Database(office.database_url)
    zone = ZoneInfo("Europe/Paris")
    try:
        assert Positions(database, None, zone).run(NOON + timedelta(days=4000)) is None
        positions = Positions(database, timedelta(days=30), zone)
        assert positions.run(NOON + timedelta(days=40)) == 1
        assert positions.run(NOON + timedelta(days=40, hours=2)) is None
        assert positions.run(NOON + timedelta(days=55)) == 1
    finally:
        database.close()
    rows = office.rows("SELECT lat IS NULL, lon IS NULL, distance_m, flag FROM check_in ORDER BY id")
    assert [tuple(map(bool, row[:2])) + row[2:] for row in rows] == [
        (True, True, 100, "NONE"), (True, True, 100, "NONE"), (False, False, 100, "NONE"),
    ]  # fmt: skip
    shown = office.done("show", "checkin", "1", "--json").json["checkin"]
    assert (shown["lat"], shown["distance_m"], shown["activity_id"]) == (None, 100, 1)
    assert [row["id"] for row in done(office, "list", "checkins")["rows"]] == [3, 2, 1]
    assert office.one("SELECT count(*) FROM audit_log WHERE actor = 'retention' AND entity = 'check_in'") == 2
    assert office.one("SELECT count(*) FROM activity") == 3


def test_the_service_erases_them_as_the_config_says(office: Office) -> None:
    office.more = '[checkin]\nretention = "23h"\n'
    assert "must be a day at least" in office.run("check").err
    office.more = '[checkin]\nretention = "30d"\n'
    garage(office)
    check_in(office, HERE, "--account", "Garage Dupont")
    installation = Installation.open(office.write_config())
    try:
        assert installation.positions.run(datetime(2027, 2, 1, tzinfo=UTC)) == 1
    finally:
        installation.close()
    assert office.one("SELECT lat FROM check_in") is None
