"""Events and tasks made of a few words on the command line (R092, table T9)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.servers.console import Outcome, console
from tests.servers.office import Office

SUNDAY = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)  # noon in Paris


@pytest.fixture(autouse=True)
def language_of_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is understood is told in French here, unless a test says otherwise."""
    monkeypatch.delenv("SYNCD_LANGUAGE")


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Users and a CRM, once on SQLite and once on PostgreSQL."""
    return Office(tmp_path / "syncd", database_url)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Office:
    """The same on SQLite only."""
    return Office(tmp_path / "syncd", sqlite_url)


def run(office: Office, text: str, *options: str, at: datetime = SUNDAY) -> Outcome:
    return console(office.write_config(), "quick-add", "--as", "claire", *options, "--", text, at=at)


def made(office: Office, text: str, *options: str, at: datetime = SUNDAY) -> dict[str, Any]:
    """What a program is told of it."""
    outcome = run(office, text, "--json", *options, at=at)
    assert outcome.code == 0, outcome.err
    answer: dict[str, Any] = outcome.json
    return answer


def refused(office: Office, text: str, *options: str, at: datetime = SUNDAY) -> str:
    outcome = run(office, text, *options, at=at)
    assert outcome.code == 2, outcome.out + outcome.err
    assert "Traceback" not in outcome.err
    assert "defect" not in outcome.err
    assert office.one("SELECT count(*) FROM event") == office.one("SELECT count(*) FROM task") == 0
    return outcome.err


def contact(office: Office, account: str, first: str, last: str) -> int:
    """A contact of that account."""
    email = f"{first}.{last}@far.example".lower()
    office.done(
        "contact", "add", "--account", account, "--first-name", first, "--last-name", last, "--email", email
    )
    return int(str(office.one("SELECT id FROM contact WHERE email = :email", email=email)))


def test_an_event_is_made_and_told_in_plain_words(office: Office) -> None:
    account = office.add_account("Dupont SA")
    contact(office, "Dupont SA", "Anne", "Dupont")
    outcome = run(office, "rdv DUPONT demain 14h @Namur !30")
    assert outcome.out == (
        "événement 1 : rendez-vous « DUPONT », lundi 23 novembre 2026 de 14:00 à 15:00, lieu : Namur, "
        "alerte 30 min avant, contact Anne Dupont\n"
    )
    event = office.done("show", "event", "1", "--json").json
    event = event.get("event", event)
    assert (event["subject"], event["start"], event["end"]) == (
        "DUPONT", "2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z",
    )  # fmt: skip
    assert (event["type"], event["owner"], event["location"], event["alarm_minutes"]) == (
        "meeting", "claire", "Namur", 30,
    )  # fmt: skip
    assert event["account_id"] == account
    assert office.rows("SELECT actor, entity, channel FROM audit_log WHERE entity = 'event'") == [
        ("claire", "event", "CLI")
    ]


def test_a_task_is_made(office: Office) -> None:
    account = office.add_account("Garage Müller")
    answer = made(office, "penser à relancer garage muller dans 2 semaines à 9h")
    task = answer["task"]
    assert (task["subject"], task["due_date"], task["assignee"]) == (
        "relancer garage muller (09:00)", "2026-12-06", "claire",
    )  # fmt: skip
    assert (task["account_id"], answer["understood"]["links"]) == (
        account, [{"words": "garage muller", "kind": "account", "id": account, "name": "Garage Müller"}],
    )  # fmt: skip


def test_whole_days_a_call_and_a_video_call(office: Office) -> None:
    fair = made(office, "Salon du 3 au 5 décembre")["event"]
    assert (fair["all_day"], fair["local_start"], fair["local_end"]) == (True, "2026-12-03", "2026-12-06")
    assert made(office, "appeler Paul mardi 9h30 15min")["event"]["type"] == "call"
    video = made(office, "visio Paul mardi 14h")["event"]
    assert (video["type"], video["video_provider"]) == ("video_call", "other")
    link = "https://meet.google.com/abc-defg-hij"
    video = made(office, f"visio Paul mardi 15h {link}")["event"]
    assert (video["video_url"], video["video_provider"], video["subject"]) == (link, "meet", "Paul")


def test_a_name_of_several_records_is_not_linked(office: Office) -> None:
    office.add_account("Garage")
    anne = contact(office, "Garage", "Anne", "Dupont")
    contact(office, "Garage", "Paul", "Dupont")
    outcome = run(office, "RDV Dupont demain 14h")
    assert "« Dupont » : 2 fiches portent ce nom, aucune n'est liée" in outcome.out
    assert office.one("SELECT account_id FROM event") is None
    link = {"words": "anne dupont", "kind": "contact", "id": anne, "name": "Anne Dupont"}
    assert made(office, "RDV anne dupont demain 16h")["understood"]["links"] == [link]
    assert made(office, "RDV Dupont Anne demain 17h")["understood"]["links"][0]["id"] == anne


def test_the_account_of_that_very_name_comes_before_others(lite: Office) -> None:
    account = lite.add_account("Dupont")
    lite.add_account("Garage")
    contact(lite, "Garage", "Anne", "Dupont")
    assert made(lite, "RDV Dupont demain 14h")["event"]["account_id"] == account
    (unlinked,) = made(lite, "RDV dupont demain 16h")["understood"]["unlinked"]
    assert [one["kind"] for one in unlinked["matches"]] == ["contact", "account"]


def test_who_is_named_is_invited_only_where_that_is_said(lite: Office) -> None:
    lite.add_account("Garage")
    contact(lite, "Garage", "Anne", "Dupont")
    assert made(lite, "RDV Dupont demain 14h")["event"]["participants"] == []
    invited = made(lite, "RDV Dupont demain 16h", "--invite")["event"]["participants"]
    assert "anne.dupont@far.example" in {one["email"] for one in invited}


def test_an_opportunity_is_named_whatever_its_case(office: Office) -> None:
    garage, mill = office.add_account("Garage"), office.add_account("Moulin")
    opportunity = office.add_opportunity(garage, "OPP-12")
    event = made(office, "RDV demain 14h #opp-12")["event"]
    assert (event["opportunity_id"], event["account_id"]) == (opportunity, garage)
    # Named on purpose, the opportunity weighs more than a word that is also an account's name.
    event = made(office, "RDV Moulin demain 16h #OPP-12")["event"]
    assert (event["opportunity_id"], event["account_id"]) == (opportunity, garage)
    assert mill != garage


def test_a_dry_run_writes_nothing(office: Office) -> None:
    outcome = run(office, "RDV Dupont demain 14h", "--dry-run")
    assert outcome.code == 0
    assert outcome.out == (
        "rendez-vous « Dupont », lundi 23 novembre 2026 de 14:00 à 15:00\n(--dry-run : rien n'est créé)\n"
    )
    understood = made(office, "RDV Dupont demain 14h", "--dry-run")["understood"]
    assert (understood["start"], understood["end"]) == ("2026-11-23T14:00", "2026-11-23T15:00")
    assert office.one("SELECT count(*) FROM event") == 0
    assert office.one("SELECT count(*) FROM audit_log") == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "le sujet manque"),
        ("RDV Dupont", "le jour manque"),
        ("RDV Dupont 31 avril", "« 31 avril » : ce jour n'existe pas"),
        ("RDV Dupont demain 25h", "« 25h » n'est pas une heure"),
        ("RDV Dupont 20/11/2026", "« 20/11/2026 » est déjà passé"),
        ("RDV Dupont demain 14h #R9", "opportunité : l'opportunité « R9 » n'existe pas"),
        ("RDV Dupont\x1b[2J demain", "subject : contient des caractères de contrôle"),
        ("RDV demain " + "x" * 300, "subject : 300 caractères, le maximum est de 255"),
        ("x" * 3000, "2000 au plus"),
        ("RDV Dupont\udce9 demain", "illisibles"),
        ("RDV Dupont demain @a\x1bb", "location : contient des caractères de contrôle"),
        ("RDV Dupont demain @" + "x" * 1500, "location : 1500 caractères, le maximum est de 1000"),
        ("RDV Dupont demain #" + "9" * 30, "opportunité : l'opportunité"),
        ("RDV Dupont demain #²", "opportunité : l'opportunité"),
        ("RDV Dupont demain #\udce9", "illisibles"),
        # The clocks go forward at two o'clock on that day.
        ("RDV Dupont 28 mars 2h30", "c'est le passage à l'heure d'été"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(lite: Office, text: str, problem: str) -> None:
    assert problem in refused(lite, text)


def test_the_messages_follow_the_language_of_the_workspace(lite: Office) -> None:
    lite.write_config()
    text = lite.config.read_text().replace('name = "Acme"\n', 'name = "Acme"\nlanguage = "en"\n')
    lite.config.write_text(text)
    arguments = ("quick-add", "--as", "claire")
    outcome = console(lite.config, *arguments, "RDV Dupont 20/11/2026", at=SUNDAY)
    assert (outcome.code, outcome.err) == (2, "syncd: « 20/11/2026 » is past already (20/11/2026)\n")
    outcome = console(lite.config, *arguments, "RDV Dupont mardi 22h-1h", at=SUNDAY)
    assert outcome.out == (
        "event 1: meeting « Dupont », Tuesday 24 November 2026 from 22:00 to 01:00 "
        "(Wednesday 25 November 2026)\n"
    )


def test_a_user_is_named(lite: Office) -> None:
    config = lite.write_config()
    outcome = console(config, "quick-add", "RDV Dupont demain", at=SUNDAY)
    assert (outcome.code, "--as LOGIN" in outcome.err) == (2, True)
    outcome = console(config, "quick-add", "--as", "nobody", "RDV Dupont demain", at=SUNDAY)
    assert (outcome.code, "l'utilisateur nobody n'existe pas" in outcome.err) == (1, True)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        # 28 March 2027: 02:00 becomes 03:00. A duration is elapsed time, an end is what the clock shows.
        ("RDV Dupont 28 mars 1h30", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"),
        ("RDV Dupont 28 mars 1h pendant 2h", "2027-03-28T00:00:00Z", "2027-03-28T02:00:00Z"),
        ("RDV Dupont 28 mars de 1h à 4h", "2027-03-28T00:00:00Z", "2027-03-28T02:00:00Z"),
        # 31 October 2027: 03:00 becomes 02:00.
        ("RDV Dupont 31/10/2027 1h pendant 3h", "2027-10-30T23:00:00Z", "2027-10-31T02:00:00Z"),
        ("RDV Dupont 31/10/2027 de 1h à 4h", "2027-10-30T23:00:00Z", "2027-10-31T03:00:00Z"),
    ],
)
def test_a_duration_is_elapsed_time_where_the_clocks_change(
    lite: Office, text: str, start: str, end: str
) -> None:
    event = made(lite, text)["event"]
    assert (event["start"], event["end"]) == (start, end)


def test_today_is_the_users_day(lite: Office) -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # half past midnight in Paris, on the next day
    assert made(lite, "Salon demain", at=late)["event"]["local_start"] == "2026-11-24"
