"""Types of activities, outcomes of reports, types and statuses of dossiers as value lists (R054, R083, R113),
on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.test_cli_value_lists import in_french
from tests.servers.console import console
from tests.servers.meeting_world import MeetingWorld, video
from tests.servers.memory_world import MemoryWorld
from tests.servers.office import Office

TYPES = """
[[value_lists]]
code = "activity_type"
items = [
    { code = "demo", label = { fr = "Démo", en = "Demo" }, flag = "visit" },
    { code = "meeting", label = { fr = "Rendez-vous", en = "Appointment" } },
    { code = "lunch", label = { fr = "Déjeuner" } },
    { code = "call", label = { fr = "Appel" }, active = false },
    { code = "webinar", label = { fr = "Webinaire" }, flag = "video_call" },
]
"""
NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """A company with types of its own, and an account that is located."""
    made = Office(tmp_path / "syncd", database_url, more=TYPES)
    made.done("fields", "apply")
    made.done(
        "account",
        "add",
        "--name",
        "Garage",
        "--type",
        "customer",
        "--latitude",
        "45.75",
        "--longitude",
        "4.85",
    )
    return made


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire, with a calendar."""
    made = MemoryWorld(tmp_path / "syncd", database_url, more=TYPES)
    made.add_user("claire")
    made.settle()
    console(made.write_config(), "fields", "apply")
    yield made
    made.close()


def add(office: Office, *words: str) -> str:
    given = ("--as", "claire", "--account", "Garage", "--subject", "Point", "--start", "2026-11-23 14:30")
    made = console(office.write_config(), "event", "add", *given, *words, "--json", at=NOON)
    assert made.code == 0, made.err
    return str(made.json["event"]["id"])


# --- types of activities --------------------------------------------------------------------------


def test_an_event_takes_a_type_of_the_companys_own_and_its_visit_has_it_too(office: Office) -> None:
    event = add(office, "--type", "démo")
    assert office.done("show", "event", event, "--json").json["event"]["type"] == "demo"
    assert office.rows("SELECT type FROM event") == [("VISIT",)]
    assert office.done("show", "event", event, "--json").json["event"]["categories"] == ["Démo"]
    position = ("--position", "45.75,4.85", "--accuracy", "10")
    made = console(
        office.write_config(), "checkin", "add", "--as", "claire", "--event", event, *position, at=NOON
    )
    assert made.code == 0, made.err
    assert office.rows(
        "SELECT a.type, i.code FROM activity a JOIN value_list_item i ON i.id = a.type_id"
    ) == [("VISIT", "demo")]
    rows = office.done("list", "activities", "--json").json["rows"]
    assert [one["type"] for one in rows] == ["demo"]
    assert "Démo" in in_french(office.done, "list", "activities")
    assert "type : Démo" in in_french(office.done, "show", "activity", "1")
    assert "type : Démo" in in_french(office.done, "show", "event", event)
    assert "Démo" in in_french(office.done, "show", "account", "1")
    assert "type: Demo" in office.done("show", "activity", "1").out


def test_what_cannot_be_chosen_is_refused_with_what_can(office: Office) -> None:
    for word in ("call", "visit", "Visite"):
        refused = office.run(
            "event", "add", "--as", "claire", "--subject", "P", "--start", "2026-11-25", "--type", word
        )
        assert (refused.code, "accepted: demo, meeting, lunch, webinar" in refused.err) == (1, True), (
            refused.err
        )
    assert office.one("SELECT count(*) FROM event") == 0


def test_an_item_without_a_flag_is_a_meeting_and_a_video_call_needs_its_link(office: Office) -> None:
    add(office, "--type", "lunch")
    assert office.rows("SELECT type FROM event") == [("MEETING",)]
    words = (
        "event",
        "add",
        "--as",
        "claire",
        "--subject",
        "P",
        "--start",
        "2026-11-25 10:00",
        "--type",
        "webinar",
    )
    assert "needs a video_url or a video_provider" in office.run(*words).err
    made = office.done(*words, "--video-url", "https://zoom.us/j/123456789", "--json").json["event"]
    assert (made["type"], made["is_video"]) == ("webinar", True)


def test_a_type_that_is_used_is_put_out_of_use_and_stays_readable(office: Office) -> None:
    event = add(office, "--type", "demo")
    office.more = ""
    said = office.done("fields", "diff").out
    lines = [line.split(maxsplit=3) for line in said.splitlines()]
    assert ["list", "activity_type:", "demo", "put out of use: records have it"] in lines
    assert ["list", "activity_type:", "lunch", "deleted"] in lines
    assert "mis hors d'usage : des fiches ont cette valeur" in in_french(office.done, "fields", "diff")
    office.done("fields", "apply")
    assert office.done("show", "event", event, "--json").json["event"]["type"] == "demo"
    office.done("event", "edit", event, "--as", "claire", "--subject", "Autre")
    assert office.done("show", "event", event, "--json").json["event"]["type"] == "demo"
    office.done("event", "edit", event, "--as", "claire", "--type", "visite")
    assert office.done("show", "event", event, "--json").json["event"]["type"] == "visit"
    diff = office.done("fields", "diff").out
    assert [line.split()[-1] for line in diff.splitlines() if " demo " in line] == ["deleted"]


def test_what_an_item_means_stays_while_records_have_it(office: Office) -> None:
    add(office, "--type", "demo")
    office.more = TYPES.replace('flag = "visit"', 'flag = "meeting"')
    refused = office.run("fields", "apply")
    assert (refused.code, "its flag is visit and cannot change: records have it" in refused.err) == (1, True)


def test_the_default_is_what_a_new_event_is(office: Office) -> None:
    office.more = TYPES.replace('code = "lunch"', 'code = "lunch", default = true')
    office.done("fields", "apply")
    event = add(office)
    assert office.done("show", "event", event, "--json").json["event"]["type"] == "lunch"
    other = add(office, "--video-url", "https://zoom.us/j/123456789")
    assert office.done("show", "event", other, "--json").json["event"]["type"] == "video_call"


def test_a_category_of_a_client_names_a_type_and_goes_out_as_its_label(world: MemoryWorld) -> None:
    world.put("claire", "a", source("a", "CATEGORIES:DEMO\n"))
    world.put("claire", "b", source("b", "CATEGORIES:Visite\n"))
    id_ = world.desk("claire").add("Repas", type="lunch")
    world.settle()
    kinds = world.rows(
        "SELECT e.subject, e.type, i.code FROM event e LEFT JOIN value_list_item i ON i.id = e.type_id "
        "ORDER BY e.subject"
    )
    assert kinds == [("Repas", "MEETING", "lunch"), ("a", "VISIT", "demo"), ("b", "VISIT", None)]
    assert "CATEGORIES:Déjeuner\n" in world.text("claire")
    world.desk("claire").edit(id_, type="meeting")
    world.settle()
    assert "CATEGORIES:Rendez-vous\n" in world.text("claire")
    assert world.rows("SELECT type_id FROM event WHERE id = :i", i=id_) == [(None,)]


def test_another_label_changes_no_event_and_writes_nothing(world: MemoryWorld) -> None:
    id_ = world.desk("claire").add("Repas", type="lunch")
    world.settle()
    world.more = TYPES.replace("Déjeuner", "Table")
    console(world.write_config(), "fields", "apply")
    assert not any(one.wrote for one in world.sync().values())
    world.desk("claire").edit(id_, subject="Repas 2")
    world.settle()
    assert world.rows("SELECT type, type_id IS NOT NULL FROM event") in (
        [("MEETING", 1)], [("MEETING", True)],
    )  # fmt: skip
    assert "CATEGORIES:Déjeuner\n" in world.text("claire")


def source(uid: str, more: str) -> bytes:
    text = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//client//EN\nBEGIN:VEVENT\n"
        f"UID:{uid}@client.example\nDTSTAMP:20261101T000000Z\nDTSTART:20261125T100000Z\n"
        f"DTEND:20261125T110000Z\nSUMMARY:{uid}\n{more}END:VEVENT\nEND:VCALENDAR\n"
    )
    return text.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (
            '{ code = "a", flag = "won" }',
            "is one of visit, call, email, comment, video_call, meeting in this list",
        ),
        ('{ code = "visit", flag = "meeting" }', '"visit" means what it says'),
        ('{ code = "note", flag = "comment", default = true }', "a new event is no comment unless"),
        ('{ code = "video_call", default = true }', "a new event is no video_call unless"),
    ],
)
def test_a_list_of_types_that_cannot_be_is_refused(tmp_path: Path, items: str, message: str) -> None:
    office = Office(tmp_path / "syncd", f"sqlite:///{tmp_path / 'crm.db'}")
    office.more = f'[[value_lists]]\ncode = "activity_type"\nitems = [{items}]\n'
    refused = office.run("check")
    assert (refused.code, message in refused.err) == (2, True), refused.err


# --- outcomes of reports --------------------------------------------------------------------------


@pytest.fixture
def meetings(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    made = MeetingWorld(tmp_path / "syncd", database_url)
    made.begin()
    yield made
    made.close()


def test_an_outcome_of_the_list_is_known_and_any_other_stays_as_it_is_written(meetings: MeetingWorld) -> None:
    meetings.held(video("m"))
    meetings.settle()
    meetings.answer("D'accord.\nRésultat : a relancer\n")
    meetings.settle()
    assert meetings.later(minutes=1).answered == 1
    listed = "(SELECT code FROM value_list_item i WHERE i.id = outcome_id)"
    assert meetings.forms(f"outcome, {listed}") == [("a relancer", None)]  # no accent: no label of the list

    def answer(text: str) -> None:
        words = ("meeting", "answer", "1", "--as", "claire", "--text", text)
        assert console(meetings.write_config(), *words).code == 0

    answer("Résultat : À RELANCER")
    assert meetings.forms(f"outcome, {listed}") == [("À RELANCER", "follow_up")]
    config = meetings.write_config()
    assert console(config, "show", "activity", "1", "--json").json["activity"]["outcome"] == "follow_up"
    assert "outcome: To follow up" in console(config, "show", "activity", "1").out
    answer("Résultat : on verra")
    assert meetings.forms(f"outcome, {listed}") == [("on verra", None)]
    assert "outcome: on verra" in console(config, "show", "activity", "1").out


# --- dossiers -------------------------------------------------------------------------------------


def test_a_dossier_has_a_type_and_a_status_of_its_lists(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "d.csv"
    file.write_text("code,title,scope,type,status\nD1,Un,general,Litige,\nD2,Deux,general,,on hold\n")
    office.done("import", "case_files", str(file))
    office.done("export", "case_files", str(tmp_path / "out.csv"))
    head, *rows = [line.split(",") for line in (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()]
    found = [(row[head.index("code")], row[head.index("type")], row[head.index("status")]) for row in rows]
    assert found == [("D1", "dispute", "open"), ("D2", "", "on_hold")]
    file.write_text("code,title,scope,type\nD3,Trois,general,autre chose\n")
    refused = office.run("import", "case_files", str(file))
    assert (refused.code, '"autre chose" is not in the list; accepted: sale' in refused.err) == (1, True)
