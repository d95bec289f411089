"""Check-ins on site from the command line (R096, table T7), on both databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers.console import Outcome, console
from tests.servers.office import Office

# Noon in Paris. One degree to the north is 111,195 m.
NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
TODAY = "2026-11-23 14:30"
LAT, LON = "45.750000", "4.850000"
HERE = f"{LAT},{LON}"


def north(metres: float) -> str:
    """A place so far to the north of HERE."""
    return f"{45.75 + metres / 111_195.08:.6f},{LON}"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Users and a CRM, once on SQLite and once on PostgreSQL."""
    return Office(tmp_path / "syncd", database_url)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Office:
    """The same on SQLite only."""
    return Office(tmp_path / "syncd", sqlite_url)


def run(office: Office, *words: str, at: datetime = NOON) -> Outcome:
    return console(office.write_config(), *words, at=at)


def done(office: Office, *words: str, at: datetime = NOON) -> Any:
    outcome = run(office, *words, "--json", at=at)
    assert outcome.code == 0, outcome.err
    return outcome.json


def check_in(office: Office, position: str, *words: str, accuracy: str = "10", at: datetime = NOON) -> Any:
    more = ("--position", position, "--accuracy", accuracy)
    return done(office, "checkin", "add", "--as", "claire", *more, *words, at=at)


def refused(office: Office, *words: str, login: str = "claire", at: datetime = NOON) -> str:
    """What is told of a check-in that leaves nothing behind."""
    before = counts(office)
    outcome = run(office, "checkin", "add", "--as", login, *words, at=at)
    assert (outcome.code, "defect" in outcome.err) == (1, False), outcome.out + outcome.err
    assert counts(office) == before
    return outcome.err


def counts(office: Office) -> list[object]:
    return [office.one(f"SELECT count(*) FROM {table}") for table in ("check_in", "activity", "audit_log")]


def garage(office: Office, *, located: bool = True) -> int:
    """An account at HERE, or nobody knows where."""
    place = ("--latitude", LAT, "--longitude", LON) if located else ()
    office.done("account", "add", "--name", "Garage Dupont", "--type", "customer", *place)
    return int(str(office.one("SELECT id FROM account")))


def meeting(office: Office, *more: str, start: str = TODAY) -> str:
    words = ("--as", "claire", "--account", "Garage Dupont", "--subject", "Point chantier")
    return str(done(office, "event", "add", *words, "--start", start, *more)["event"]["id"])


# --- what is stored -------------------------------------------------------------------------------


def test_a_check_in_at_a_meeting_becomes_a_visit_of_its_account_and_contacts(office: Office) -> None:
    account = garage(office)
    anne = office.add_contact(account, "anne@far.example")
    opportunity = office.add_opportunity(account, "EXT")
    event = meeting(office, "--participant", f"contact:{anne}", "--opportunity", "EXT")
    made = check_in(office, north(120), "--event", event)
    assert made == {
        "activity_id": 1, "account_id": account, "account": "Garage Dupont", "checkin_id": 1,
        "distance_m": 120, "flag": "none", "changed": True,
    }  # fmt: skip
    assert office.rows(
        "SELECT type, account_id, opportunity_id, event_id, checkin_id, state, subject FROM activity"
    ) == [("VISIT", account, opportunity, int(event), 1, "VALIDATED", "Point chantier")]
    timeline = office.done("contact", "timeline", str(anne), "--json").json
    assert [(row["type"], row["subject"]) for row in timeline["rows"]] == [("visit", "Point chantier")]
    assert office.rows("SELECT actor, entity, channel FROM audit_log WHERE entity = 'check_in'") == [
        ("claire", "check_in", "CLI")
    ]
    shown = office.done("show", "checkin", "1", "--json").json["checkin"]
    assert (shown["user"], shown["account"], shown["event"], shown["accuracy_m"], shown["activity_id"]) == (
        "claire", "Garage Dupont", "Point chantier", 10, 1,
    )  # fmt: skip
    assert (shown["lat"], shown["lon"], shown["at"]) == ("45.751079", LON, "2026-11-23T11:00:00Z")


@pytest.mark.parametrize(
    ("metres", "accuracy", "flag"),
    [(350, "200", "none"), (351, "200", "far"), (500, "200", "far"), (500, "200.5", "low_accuracy")],
)
def test_what_is_odd_about_a_check_in_is_marked(lite: Office, metres: int, accuracy: str, flag: str) -> None:
    garage(lite)
    made = check_in(lite, north(metres), "--account", "Garage Dupont", accuracy=accuracy)
    assert (made["distance_m"], made["flag"]) == (metres, flag)
    assert lite.one("SELECT flag FROM check_in") == flag.upper()


def test_too_far_is_refused_with_the_distance_and_a_visit_is_offered(office: Office) -> None:
    garage(office)
    event = meeting(office)
    told = refused(office, "--event", event, "--position", north(501), "--accuracy", "10")
    assert "501 m from Garage Dupont, at most 500 m are accepted" in told
    assert "syncd checkin visit" in told
    far = refused(office, "--event", event, "--position", north(12_340), "--accuracy", "10")
    assert "12,3 km" in far
    made = done(office, "checkin", "visit", "--as", "claire", "--event", event)
    assert (made["checkin_id"], made["flag"]) == (None, "none")
    assert office.rows("SELECT type, event_id, checkin_id FROM activity") == [("VISIT", int(event), None)]
    assert office.one("SELECT count(*) FROM check_in") == 0
    again = run(office, "checkin", "visit", "--as", "claire", "--event", event)
    assert (again.code, "is there already: activity 1" in again.err) == (1, True)


def test_the_first_check_in_tells_where_an_account_is(office: Office) -> None:
    account = garage(office, located=False)
    told = refused(office, "--account", "Garage Dupont", "--position", HERE, "--accuracy", "201")
    assert "too imprecise to tell" in told
    made = check_in(office, HERE, "--account", "Garage Dupont", accuracy="200")
    assert (made["distance_m"], made["flag"]) == (None, "first_location")
    shown = office.done("show", "account", str(account), "--json").json["account"]
    assert (shown["latitude"], shown["longitude"], shown["geocode_accuracy_m"]) == (LAT, LON, 200)
    assert shown["version"] == 2
    by_claire = "SELECT entity_id FROM audit_log WHERE actor = 'claire' AND entity = 'account'"
    assert office.rows(by_claire) == [(account,)]
    second = check_in(office, north(100), "--account", "Garage Dupont")
    assert (second["distance_m"], second["flag"]) == (100, "none")


def test_one_checks_in_at_the_other_address_where_it_is_known(office: Office) -> None:
    garage(office)
    event = meeting(office, "--location", "Salle B", "--alt-position", north(9000))
    assert "9,0 km" in refused(office, "--event", event, "--position", HERE, "--accuracy", "10")
    assert check_in(office, north(9010), "--event", event)["distance_m"] == 10
    assert office.rows("SELECT distance_m FROM check_in") == [(10,)]


def test_another_location_forgets_where_the_former_one_was(office: Office) -> None:
    garage(office)
    event = meeting(office, "--location", "Salle B", "--alt-position", north(9000))
    office.done("event", "edit", event, "--location", "Salle C")
    assert office.rows("SELECT alt_lat, alt_lon FROM event") == [(None, None)]
    office.done("event", "edit", event, "--alt-position", "45.1,4.2", "--location", "Salle D")
    assert done(office, "show", "event", event)["event"]["alt_lat"] == "45.100000"
    office.done("event", "edit", event, "--alt-position", "")
    assert office.rows("SELECT alt_address, alt_lat FROM event") == [("Salle D", None)]


# --- once, and on its day -------------------------------------------------------------------------


def test_a_user_checks_in_once_at_a_meeting(office: Office) -> None:
    garage(office)
    event = meeting(office, "--participant", "marc")
    check_in(office, HERE, "--event", event)
    told = refused(office, "--event", event, "--position", HERE, "--accuracy", "10")
    assert "claire has checked in at this meeting: check-in 1" in told
    visit = run(office, "checkin", "visit", "--as", "claire", "--event", event)
    assert (visit.code, "is there already" in visit.err) == (1, True)
    other = ("checkin", "add", "--as", "marc", "--event", event, "--position", HERE, "--accuracy", "9")
    assert done(office, *other)["checkin_id"] == 2


def test_each_occurrence_of_a_series_is_a_meeting_of_its_own(office: Office) -> None:
    garage(office)
    event = meeting(office, "--rrule", "FREQ=WEEKLY;COUNT=4")
    office.done("event", "edit", event, "--occurrence", "2026-12-07", "--start", "2026-12-08 09:00")
    office.done("event", "cancel", event, "--occurrence", "2026-12-14")
    check_in(office, HERE, "--event", event)
    refused(office, "--event", event, "--position", HERE, "--accuracy", "10")
    check_in(office, HERE, "--event", event, at=NOON + timedelta(days=7))
    moved = refused(office, "--event", event, "--position", HERE, "--accuracy", "1",
                    at=NOON + timedelta(days=14))  # fmt: skip
    assert "is not on 2026-12-07" in moved
    check_in(office, HERE, "--event", event, at=NOON + timedelta(days=15))
    gone = refused(office, "--event", event, "--position", HERE, "--accuracy", "1",
                   at=NOON + timedelta(days=21))  # fmt: skip
    assert "on 2026-12-14" in gone
    keys = office.rows("SELECT occurrence_key FROM check_in ORDER BY id")
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("start", "more", "moment", "accepted"),
    [
        (TODAY, (), "2026-11-22T23:00:00+00:00", True),  # midnight in Paris
        (TODAY, (), "2026-11-22T22:59:00+00:00", False),
        (TODAY, (), "2026-11-23T22:59:00+00:00", True),
        (TODAY, (), "2026-11-23T23:00:00+00:00", False),
        # Its own zone decides, not that of who travels there.
        (TODAY, ("--tz", "America/New_York"), "2026-11-23T04:59:00+00:00", False),
        (TODAY, ("--tz", "America/New_York"), "2026-11-23T05:00:00+00:00", True),
        (TODAY, ("--tz", "America/New_York"), "2026-11-24T04:59:00+00:00", True),
        ("2026-11-23", (), "2026-11-22T23:00:00+00:00", True),
        ("2026-11-23", (), "2026-11-23T23:00:00+00:00", False),
        ("2026-11-21", ("--end", "2026-11-24"), "2026-11-23T22:59:00+00:00", True),
        ("2026-11-23 22:00", ("--end", "2026-11-24 00:00"), "2026-11-23T23:30:00+00:00", False),
        ("2026-11-23 22:00", ("--end", "2026-11-24 02:00"), "2026-11-23T23:30:00+00:00", True),
    ],
)
def test_one_checks_in_on_the_day_of_the_meeting_only(
    lite: Office, start: str, more: tuple[str, ...], moment: str, accepted: bool
) -> None:
    garage(lite)
    event = meeting(lite, *more, start=start)
    outcome = run(
        lite, "checkin", "add", "--as", "claire", "--event", event, "--position", HERE, "--accuracy", "10",
        at=datetime.fromisoformat(moment),
    )  # fmt: skip
    assert (outcome.code == 0) == accepted, outcome.err
    assert accepted or "one checks in on its day only" in outcome.err


def test_the_moment_may_be_told_afterwards_and_never_before(lite: Office) -> None:
    garage(lite)
    event = meeting(lite)
    late = refused(lite, "--event", event, "--position", HERE, "--accuracy", "1", "--at", "2026-11-23 12:01")
    assert "is in the future" in late
    for wrong in ("2026-11-23", "soon", "2026-13-01 10:00", "0001-01-01T00:00:00+14:00"):
        told = refused(lite, "--event", event, "--position", HERE, "--accuracy", "1", "--at", wrong)
        assert "at: " in told
    check_in(lite, HERE, "--event", event, "--at", "2026-11-23 09:15", at=NOON + timedelta(days=3))
    assert lite.one("SELECT at FROM check_in") == lite.one("SELECT occurred_at FROM activity")
    assert done(lite, "show", "checkin", "1")["checkin"]["at"] == "2026-11-23T08:15:00Z"


# --- what cannot be meant -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "position: none is given"),
        (("--position", HERE), "accuracy: a position comes with its accuracy"),
        (("--position", HERE, "--accuracy", "-1"), "accuracy: a number of metres"),
        (("--position", HERE, "--accuracy", "nan"), "accuracy: a number of metres"),
        (("--position", "91,4", "--accuracy", "1"), "is no latitude"),
        (("--position", "45,181", "--accuracy", "1"), "is no longitude"),
        (("--position", "nan,inf", "--accuracy", "1"), "is no latitude"),
        (("--position", "45.7", "--accuracy", "1"), "is no position"),
        (("--position", "", "--accuracy", "1"), "position: none is given"),
    ],
)
def test_a_position_that_is_none_is_refused(lite: Office, words: tuple[str, ...], told: str) -> None:
    garage(lite)
    assert told in refused(lite, "--event", meeting(lite), *words)


def test_events_that_are_no_meeting_on_site_are_refused(lite: Office) -> None:
    garage(lite)
    position = ("--position", HERE, "--accuracy", "1")
    private = meeting(lite, "--privacy", "private")
    assert "is private" in refused(lite, "--event", private, *position)
    cancelled = meeting(lite)
    lite.done("event", "cancel", cancelled)
    assert "is cancelled" in refused(lite, "--event", cancelled, *position)
    words = ("event", "add", "--as", "claire", "--subject", "Seule", "--start", TODAY)
    alone = str(done(lite, *words)["event"]["id"])
    assert "concerns no account" in refused(lite, "--event", alone, *position)
    assert "there is no event 99" in refused(lite, "--event", "99", *position)
    assert "there is no account" in refused(lite, "--account", "Nobody", *position)
    assert run(lite, "checkin", "add", "--as", "claire", *position).code == 2
    assert run(lite, "checkin", "add", "--event", alone, *position).code == 2, "nobody is on site"


# --- whose, and by whom -------------------------------------------------------------------------------


TEAM = """
[rights.standard.account]
read = "own"
[[users]]
login = "mia"
name = "Mia"
email = "mia@acme.example"
[[users]]
login = "paul"
name = "Paul"
email = "paul@acme.example"
manager = "mia"
[[users]]
login = "max"
name = "Max"
email = "max@acme.example"
"""


def test_who_may_not_see_the_place_or_the_meeting_does_not_check_in(office: Office) -> None:
    office.more, office.users = TEAM, {"odile": "admin"}
    more = ("--latitude", LAT, "--longitude", LON)
    office.done("account", "add", "--name", "Garage", "--type", "customer", "--owner", "paul", *more)
    words = ("event", "add", "--as", "paul", "--account", "Garage", "--subject", "Point", "--start", TODAY)
    event = str(done(office, *words)["event"]["id"])
    where = ("--position", HERE, "--accuracy", "1")
    assert "there is no account 1" in refused(office, "--account", "Garage", *where, login="max")
    assert "there is no event 1" in refused(office, "--event", event, *where, login="max")
    for verb in ("add", "visit"):
        position = where if verb == "add" else ()
        outcome = run(office, "checkin", verb, "--as", "odile", "--event", event, *position)
        assert (outcome.code, "does not take part in event 1" in outcome.err) == (1, True)
        outcome = run(office, "checkin", verb, "--as", "max", "--account", "Garage", *position)
        assert (outcome.code, "there is no account 1" in outcome.err) == (1, True)
    assert counts(office)[:2] == [0, 0]
    assert done(office, "checkin", "add", "--as", "paul", "--event", event, *where)["checkin_id"] == 1


def test_where_somebody_was_is_read_by_that_person_who_leads_and_admins(office: Office) -> None:
    office.more, office.users = TEAM.replace('"own"', '"all"'), {"odile": "admin", "vera": "advanced"}
    garage(office)
    words = ("--account", "Garage Dupont", "--position", HERE, "--accuracy", "1")
    for login in ("paul", "max"):
        done(office, "checkin", "add", "--as", login, *words)
    for login, seen in (
        ("paul", {"paul"}), ("mia", {"paul"}), ("max", {"max"}), ("vera", set()), ("odile", {"paul", "max"}),
    ):  # fmt: skip
        rows = done(office, "list", "checkins", "--as", login)["rows"]
        assert {row["user"] for row in rows} == seen, login
        assert (run(office, "show", "checkin", "1", "--as", login).code == 0) == ("paul" in seen), login
    assert "there is no checkin 1" in run(office, "show", "checkin", "1", "--as", "vera").err
    visits = done(office, "list", "activities", "--as", "vera")["rows"]
    assert [row["type"] for row in visits] == ["visit", "visit"], "the visits are the account's"
    assert all("lat" not in row for row in visits)


def test_check_ins_are_listed_the_newest_first_and_narrowed(lite: Office) -> None:
    garage(lite)
    lite.done("account", "add", "--name", "Banque", "--type", "partner")
    check_in(lite, HERE, "--account", "Garage Dupont")
    check_in(lite, HERE, "--account", "Banque", at=NOON + timedelta(days=40))
    rows = done(lite, "list", "checkins")["rows"]
    assert [(row["id"], row["account"], row["flag"]) for row in rows] == [
        (2, "Banque", "first_location"), (1, "Garage Dupont", "none"),
    ]  # fmt: skip
    for words, ids in (
        (("--account", "Banque"), [2]),
        (("--user", "marc"), []),
        (("--user", "claire", "--limit", "1", "--offset", "1"), [1]),
        (("--since", "2026-12-01"), [2]),
    ):
        found = done(lite, "list", "checkins", *words, at=NOON + timedelta(days=41))
        assert [row["id"] for row in found["rows"]] == ids, words
    assert "2026-11-23 12:00" in run(lite, "list", "checkins").out
    assert "distance: 0 m" in run(lite, "show", "checkin", "1").out


def test_who_was_met_at_an_account_is_on_the_visit(office: Office) -> None:
    account = garage(office)
    anne = office.add_contact(account, "anne@far.example")
    stranger = office.add_contact(office.add_account("Banque"), "bob@far.example")
    check_in(office, HERE, "--account", "Garage Dupont", "--contact", str(anne))
    assert office.rows("SELECT activity_id, contact_id FROM activity_contact") == [(1, anne)]
    assert office.one("SELECT subject FROM activity") == "Visite : Garage Dupont"
    where = ("--account", "Garage Dupont", "--position", HERE, "--accuracy", "1")
    assert "is another account's" in refused(office, *where, "--contact", str(stranger))
    assert "there is no contact 99" in refused(office, *where, "--contact", "99")
    event = meeting(office)
    assert "those who take part" in refused(office, "--event", event, *where[2:], "--contact", str(anne))


# --- config ---------------------------------------------------------------------------------------


def test_the_limits_are_those_of_the_config(lite: Office) -> None:
    lite.more = "[checkin]\nradius_m = 100\nalert_m = 50\naccuracy_m = 20\n"
    garage(lite)
    words = ("--account", "Garage Dupont")
    assert "at most 100 m" in refused(lite, *words, "--position", north(101), "--accuracy", "1")
    assert check_in(lite, north(51), *words)["flag"] == "far"
    assert check_in(lite, north(50), *words, accuracy="21")["flag"] == "low_accuracy"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("radius_m = 300", "checkin.alert_m: must be at most radius_m, which is 300"),
        ("radius_m = 0", "checkin.radius_m"),
        ("accuracy_m = -1", "checkin.accuracy_m"),
        ("radius_m = 1.5", "checkin.radius_m"),
        ("radius = 1", "radius"),
    ],
)
def test_limits_that_cannot_be_meant_are_refused(lite: Office, lines: str, told: str) -> None:
    lite.more = f"[checkin]\n{lines}\n"
    outcome = lite.run("check")
    assert (outcome.code, told in outcome.err) == (2, True), outcome.err
