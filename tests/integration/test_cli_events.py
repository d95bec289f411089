"""Events made and changed on the command line, by their rules (R077 to R091)."""

from pathlib import Path

import pytest

from tests.servers.bookings import add, edit, refused
from tests.servers.office import Office

ADD = ("event", "add", "--as", "claire", "--json")
TUESDAY = "2026-12-01 14:30"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Users and a CRM, once on SQLite and once on PostgreSQL."""
    return Office(tmp_path / "syncd", database_url)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Office:
    """The same on SQLite only."""
    return Office(tmp_path / "syncd", sqlite_url)


# --- defaults -------------------------------------------------------------------------------------


def test_subject_and_start_are_enough(office: Office) -> None:
    event = add(office, "--start", TUESDAY)
    assert (event["start"], event["end"]) == ("2026-12-01T13:30:00Z", "2026-12-01T14:30:00Z")
    assert (event["tz"], event["owner"], event["type"]) == ("Europe/Paris", "claire", "meeting")
    assert (event["alarm_minutes"], event["alarms"]) == (15, ["-PT15M"])
    assert (event["origin"], event["editable"], event["version"]) == ("crm", True, 1)
    assert event["uid"].startswith(f"{event['id']}-")
    assert event["uid"].endswith(".syncd")
    assert office.rows("SELECT actor, entity, channel FROM audit_log") == [("claire", "event", "CLI")]


def test_a_day_without_a_time_is_the_whole_day(lite: Office) -> None:
    event = add(lite, "--start", "2026-12-01")
    assert (event["all_day"], event["local_start"], event["local_end"]) == (True, "2026-12-01", "2026-12-02")
    assert lite.done("show", "event", str(event["id"])).out.startswith("when: 2026-12-01\n")


def test_the_uids_of_two_installations_differ(lite: Office, tmp_path: Path) -> None:
    first = add(lite, "--start", TUESDAY)["uid"]
    (lite.folder / "hash.key").unlink()
    assert add(lite, "--start", TUESDAY)["uid"].partition("@")[2] != first.partition("@")[2]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--start", "demain"), 'start: "demain" is no day and no time'),
        (("--start", "2026-02-30"), "start:"),
        (("--start", "0001-01-01"), "the year must be between"),
        (("--start", "2026-03-29 02:30"), "the clocks go forward"),
        (("--start", TUESDAY, "--end", "2026-12-01 14:00"), "end: must be after start"),
        (("--start", "2026-12-01", "--end", "2026-12-01"), "the day after the last one"),
        (("--start", TUESDAY, "--end", "2026-12-02"), "end: start and end are both days"),
        (("--start", TUESDAY, "--tz", "Mars/Olympus"), 'tz: "Mars/Olympus" is no time zone'),
        (("--start", "2026-12-01", "--tz", "Europe/Paris"), "tz: whole days have no time zone"),
        (("--start", "2026-12-01", "--timed"), "needs a time"),
        (("--start", TUESDAY, "--rrule", "FREQ=SOMETIMES"), "rrule:"),
        (("--start", TUESDAY, "--alarm", "50000"), "alarm: a number of minutes from 0 to 40320"),
        (("--start", TUESDAY, "--alarm", "5", "--no-alarm"), "only one of them"),
        (("--start", TUESDAY, "--type", "party"), "accepted: visit, meeting, call, video_call"),
        (("--start", TUESDAY, "--type", "video_call"), "needs a video_url or a video_provider"),
        (
            ("--start", TUESDAY, "--type", "visit", "--video-provider", "zoom"),
            "only an event of type VIDEO_CALL",
        ),
        (
            ("--start", TUESDAY, "--video-url", "javascript:alert(1)"),
            "video_url: a link that begins with https",
        ),
        (("--start", TUESDAY, "--privacy", "secret"), "accepted: public, private, confidential"),
        (("--start", TUESDAY, "--account", "Nobody"), 'account: there is no account "Nobody"'),
        (("--start", TUESDAY, "--opportunity", "R9"), 'opportunity: there is no opportunity "R9"'),
        (("--start", TUESDAY, "--case-file", "D9"), 'case_file: there is no dossier "D9"'),
        (("--start", TUESDAY, "--participant", "nobody"), 'participants: there is no user "nobody"'),
        (("--start", TUESDAY, "--participant", "a@b@c"), "bare e-mail address"),
        (("--start", TUESDAY, "--participant", "contact:99"), "participants: there is no contact 99"),
        (("--start", TUESDAY, "--owner", "nobody"), 'owner: there is no user "nobody"'),
        (("--start", TUESDAY, "--subject", ""), "subject"),
        (("--start", TUESDAY, "--subject", "x" * 256), "subject: 256 characters; at most 255"),
        (("--start", TUESDAY, "--notes", "a\x1b[2J"), "notes: holds control characters"),
    ],
)
def test_what_cannot_be_is_refused_by_name(lite: Office, options: tuple[str, ...], problem: str) -> None:
    assert problem in refused(lite, *ADD, "--subject", "Point", *options)
    assert lite.one("SELECT count(*) FROM event") == 0
    assert lite.one("SELECT count(*) FROM audit_log") == 0


def test_an_offset_is_put_on_the_clocks_of_the_zone(lite: Office) -> None:
    event = add(lite, "--start", "2026-12-01T13:30Z", "--tz", "America/New_York")
    assert (event["local_start"], event["tz"]) == ("2026-12-01T08:30:00", "America/New_York")


def test_an_alert_of_zero_minutes_is_one(lite: Office) -> None:
    event = add(lite, "--start", TUESDAY, "--alarm", "0")
    assert event["alarm_minutes"] == 0
    assert edit(lite, event, "--no-alarm")["alarms"] == []


# --- rights ---------------------------------------------------------------------------------------


def test_an_admin_at_the_machine_names_an_owner(lite: Office) -> None:
    start = ("--subject", "Point", "--start", TUESDAY)
    assert "name whose it is to be" in refused(lite, "event", "add", *start)
    assert lite.done("event", "add", *start, "--owner", "marc", "--json").json["event"]["owner"] == "marc"


def test_others_events_take_more_than_a_standard_user(lite: Office) -> None:
    event = add(lite, "--start", TUESDAY)
    id_ = str(event["id"])
    assert "marc may not change event" in refused(lite, "event", "edit", id_, "--as", "marc", "--notes", "x")
    assert "marc may not change event" in refused(lite, "event", "cancel", id_, "--as", "marc")
    give = (*ADD, "--subject", "Point", "--start", TUESDAY, "--owner", "marc")
    assert "claire may not give it to marc" in refused(lite, *give)
    assert edit(lite, event, "--as", "anne", "--notes", "x")["notes"] == "x"
    assert edit(lite, event, "--as", "anne", "--owner", "marc")["owner"] == "marc"
    assert "there is no user paul" in refused(lite, "event", "edit", id_, "--as", "paul", "--notes", "x")


# --- accounts, opportunities, people --------------------------------------------------------------


def test_the_address_of_the_account_is_the_place_unless_another_is_given(lite: Office) -> None:
    lite.write_config()
    lite.add_account("Garage", address1="1 rue Haute", postcode="1000", city="Bruxelles")
    lite.add_account("Banque", address1="2 place Basse", city="Namur")
    event = add(lite, "--start", TUESDAY, "--account", "Garage")
    assert (event["location"], event["alt_address"]) == ("1 rue Haute, 1000 Bruxelles", None)
    event = edit(lite, event, "--account", "Banque")
    assert event["location"] == "2 place Basse, Namur"
    event = edit(lite, event, "--location", "Salle B")
    assert (event["location"], event["alt_address"]) == ("Salle B", "Salle B")
    event = edit(lite, event, "--account", "Garage")
    assert (event["account"], event["location"]) == ("Garage", "Salle B")
    event = edit(lite, event, "--location", "")
    assert (event["location"], event["alt_address"]) == ("1 rue Haute, 1000 Bruxelles", None)


def test_an_opportunity_is_one_of_the_account_and_sets_it(lite: Office) -> None:
    lite.write_config()
    garage, banque = lite.add_account("Garage"), lite.add_account("Banque")
    lite.add_opportunity(garage, "R1")
    event = add(lite, "--start", TUESDAY, "--opportunity", "R1")
    assert (event["account_id"], event["opportunity"]) == (garage, "R1 Une affaire")
    other = (*ADD, "--subject", "Point", "--start", TUESDAY, "--account", "Banque", "--opportunity", "R1")
    assert "opportunity: opportunity R1 is not one of account Banque" in refused(lite, *other)
    moved = ("event", "edit", str(event["id"]), "--account", str(banque))
    assert "account: opportunity R1 is not one of account Banque" in refused(lite, *moved)
    assert edit(lite, event, "--account", "")["opportunity_id"] is None


def test_only_some_kinds_of_accounts_have_events(lite: Office) -> None:
    from store.accounts import AccountType

    lite.write_config()
    id_ = lite.add_account("Rival")
    database = lite.database()
    with database.write() as session:
        from store import scheduling
        from store.accounts import Account

        scheduling.set_columns(session, Account, id_, {"type": AccountType.COMPETITOR})  # type: ignore[arg-type]
    database.close()
    problem = refused(lite, *ADD, "--subject", "Point", "--start", TUESDAY, "--account", "Rival")
    assert "account: Rival is of type competitor" in problem


def test_a_dossier_of_another_account_is_refused(lite: Office) -> None:
    lite.write_config()
    garage = lite.add_account("Garage")
    lite.add_account("Banque")
    lite.add_case("D1", garage)
    assert add(lite, "--start", TUESDAY, "--account", "Garage", "--case-file", "D1")["case_file_id"] == 1
    other = (*ADD, "--subject", "Point", "--start", TUESDAY, "--account", "Banque", "--case-file", "D1")
    assert "case_file: dossier D1 is another account's" in refused(lite, *other)


def test_participants_are_users_contacts_or_addresses_each_once(office: Office) -> None:
    office.write_config()
    garage = office.add_account("Garage")
    contact = office.add_contact(garage, "anna@garage.example")
    event = add(
        office, "--start", TUESDAY, "--participant", "marc", "--participant", f"contact:{contact}",
        "--participant", "Anna@Garage.example", "--participant", "marc@acme.example,zoe@far.example",
        "--participant", "claire",
    )  # fmt: skip
    people = [(one["email"], one["kind"], one["answer"], one["organizer"]) for one in event["participants"]]
    assert people == [
        ("claire@acme.example", "user", "Accepté", True),
        ("anna@garage.example", "contact", "Sans réponse", False),
        ("marc@acme.example", "user", "Sans réponse", False),
        ("zoe@far.example", "email", "Sans réponse", False),
    ]
    assert (event["organizer"], event["account_id"]) == ("claire@acme.example", garage)
    shown = office.done("show", "event", str(event["id"])).out
    assert "no_response" in shown
    assert "organizer" in shown

    alone = edit(
        office, event, "--remove-participant", "marc", "--remove-participant", "zoe@far.example",
        "--remove-participant", f"contact:{contact}",
    )  # fmt: skip
    assert (alone["participants"], alone["organizer"]) == ([], "")
    gone = ("event", "edit", str(event["id"]), "--remove-participant", "marc")
    assert "marc@acme.example does not take part" in refused(office, *gone)


def test_a_contact_without_an_address_cannot_be_invited(lite: Office) -> None:
    lite.write_config()
    contact = lite.add_contact(lite.add_account("Garage"), "")
    problem = refused(
        lite, *ADD, "--subject", "Point", "--start", TUESDAY, "--participant", f"contact:{contact}"
    )
    assert "has no e-mail address to invite" in problem


def test_a_video_call_has_a_provider_told_or_found(lite: Office) -> None:
    chosen = add(lite, "--start", TUESDAY, "--type", "video_call", "--video-provider", "teams")
    assert (chosen["type"], chosen["video_provider"], chosen["categories"]) == (
        "video_call", "teams", ["Visioconférence"],
    )  # fmt: skip
    assert edit(lite, chosen, "--notes", "x")["video_provider"] == "teams"
    found = add(lite, "--start", TUESDAY, "--video-url", "https://acme.zoom.us/j/1")
    assert (found["type"], found["video_provider"]) == ("video_call", "zoom")
    other = ("event", "edit", str(found["id"]), "--video-provider", "teams")
    assert "video_provider: the link is another provider's" in refused(lite, *other)
    visit = edit(lite, found, "--type", "visite")
    assert (visit["type"], visit["video_provider"], visit["video_url"]) == ("visit", None, "")


# --- changes --------------------------------------------------------------------------------------


def test_another_start_moves_the_end_along(lite: Office) -> None:
    event = add(lite, "--start", TUESDAY, "--end", "2026-12-01 16:00")
    moved = edit(lite, event, "--start", "2026-12-02 09:00")
    assert (moved["local_start"], moved["local_end"]) == ("2026-12-02T09:00:00", "2026-12-02T10:30:00")
    assert edit(lite, moved, "--tz", "Europe/London")["start"] == "2026-12-02T09:00:00Z"
    day = edit(lite, moved, "--all-day")
    assert (day["all_day"], day["local_start"], day["local_end"]) == (True, "2026-12-02", "2026-12-03")
    timed = edit(lite, day, "--start", TUESDAY)
    assert (timed["all_day"], timed["local_end"]) == (False, "2026-12-01T15:30:00")


def test_what_is_equal_already_changes_nothing(lite: Office) -> None:
    event = add(lite, "--start", TUESDAY, "--participant", "marc")
    again = lite.done(
        "event", "edit", str(event["id"]), "--subject", "Point", "--participant", "marc", "--json"
    )
    assert (again.json["changed"], again.json["event"]["version"]) == (False, 1)
    assert "nothing to change" in lite.done("event", "edit", str(event["id"]), "--subject", "Point").out
    assert lite.one("SELECT count(*) FROM audit_log") == 1
    assert lite.run("event", "edit", str(event["id"])).code == 2


def test_a_change_of_another_version_is_refused(office: Office) -> None:
    event = add(office, "--start", TUESDAY)
    assert edit(office, event, "--notes", "a", "--if-version", "1")["version"] == 2
    late = refused(office, "event", "edit", str(event["id"]), "--notes", "b", "--if-version", "1")
    assert "is at version 2, not 1" in late


def test_a_cancelled_event_can_be_brought_back(office: Office) -> None:
    event = add(office, "--start", TUESDAY)
    id_ = str(event["id"])
    gone = office.done("event", "cancel", id_, "--json").json["event"]
    assert (gone["hidden"], gone["status"]) == (True, "cancelled")
    assert office.done("list", "events", "--from", "2026-12-01").out == "None.\n"
    assert "is cancelled" in refused(office, "event", "edit", id_, "--notes", "x")
    back = office.done("event", "restore", id_, "--json").json["event"]
    assert (back["hidden"], back["status"]) == (False, "confirmed")
    assert "is not cancelled" in refused(office, "event", "restore", id_)


def test_unknown_events_are_named(lite: Office) -> None:
    lite.write_config()
    for verb in ("edit", "cancel", "restore"):
        more = ("--notes", "x") if verb == "edit" else ()
        assert "there is no event 7" in refused(lite, "event", verb, "7", *more)
    assert "there is no event 7" in refused(lite, "show", "event", "7")
    assert "there is no task 7" in refused(lite, "show", "task", "7")
    assert lite.run("event", "edit", "x", "--notes", "y").code == 2


def test_events_held_by_video_are_listed_and_shown_with_their_link(office: Office) -> None:
    zoom, meet = "https://acme.zoom.us/j/1", "https://meet.google.com/abc-defg-hij"
    add(office, "--start", TUESDAY, "--subject", "Sur place")
    found = add(office, "--start", TUESDAY, "--subject", "Trouvée", "--notes", f"Lien : {meet}")
    said = add(office, "--start", TUESDAY, "--subject", "Dite", "--video-url", zoom)
    assert (found["type"], found["video_provider"], found["video_url"], found["is_video"]) == (
        "video_call", "meet", meet, True,
    )  # fmt: skip
    series = add(office, "--start", TUESDAY, "--subject", "Série", "--rrule", "FREQ=WEEKLY;COUNT=3")
    edit(office, series, "--occurrence", "2026-12-08", "--video-url", zoom)
    listed = office.done("list", "events", "--video", "--from", "2026-12-01", "--json").json["rows"]
    names = ("subject", "video_provider", "video_url")
    assert [(one["start"][:10], *(one[name] for name in names)) for one in listed] == [
        ("2026-12-01", "Trouvée", "meet", meet),
        ("2026-12-01", "Dite", "zoom", zoom),
        ("2026-12-08", "Série", "zoom", zoom),
    ]  # fmt: skip
    shown = office.done("show", "event", str(said["id"])).out
    assert "video_provider: zoom" in shown
    assert f"video_url: {zoom}" in shown
    assert zoom in office.done("show", "event", str(series["id"])).out
    every = office.done("list", "events", "--from", "2026-12-01", "--json").json
    assert every["total"] == 6


def test_a_link_in_the_notes_answers_for_a_provider(lite: Office) -> None:
    notes = ("--notes", "https://acme.webex.com/meet/claire")
    chosen = add(lite, "--start", TUESDAY, "--type", "video_call", *notes)
    assert (chosen["video_provider"], chosen["video_url"]) == ("webex", notes[1])
    visit = edit(lite, chosen, "--type", "visit")
    assert (visit["type"], visit["video_url"]) == ("visit", notes[1])
    assert edit(lite, visit, "--notes", "")["video_url"] == ""
    other = ("event", "edit", str(chosen["id"]), "--type", "video_call", *notes, "--video-provider", "zoom")
    assert "video_provider: the link is another provider's" in refused(lite, *other)


def test_a_video_call_takes_place_in_its_owners_room(lite: Office) -> None:
    lite.more = '[video]\nlink = "https://visio.acme.example/{login}"\n'
    made = add(lite, "--start", TUESDAY, "--type", "video_call")
    assert (made["video_provider"], made["video_url"]) == ("other", "https://visio.acme.example/claire")
    assert (
        add(lite, "--start", TUESDAY, "--type", "video_call", "--video-provider", "zoom")["video_url"] == ""
    )
    assert add(lite, "--start", TUESDAY)["video_url"] == ""
