"""Video meetings on a CalDAV server: what the CRM makes of their links, and where the CRM's own links are written.

What is looked at is the rows of the CRM and the resources on the server.
"""

# ruff: noqa: E501 - links are as long as they are

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.meetings import table
from syncd.engine.calendar.items import Setting
from syncd.engine.calendar.looking_again import look_again
from syncd.engine.calendar.people import People
from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.radicale import RadicaleServer
from tests.unit.meeting_texts import MEET, TEAMS, TEXTS, WEBEX, ZOOM

ROW = "SELECT type, video_provider, video_url FROM event WHERE uid = :uid AND recurrence_key = ''"
MEETING, JITSI = ("MEETING", None, ""), "https://meet.acme.example/Comité"
SAFE = "https://eur03.safelinks.protection.outlook.com/?url=https%3A%2F%2Fzoom.us%2Fj%2F1&data=05"


@pytest.fixture
def company(radicale: RadicaleServer, database_url: str, tmp_path: Path) -> Iterator[CalendarWorld]:
    """Claire, whose company has a meeting server of its own, on both databases."""
    world = CalendarWorld(radicale, tmp_path / "syncd", database_url)
    world.calendar_section = '[video]\nhosts = ["meet.acme.example"]\n'
    world.add_user("claire")
    yield world
    world.close()


def at_rest(world: CalendarWorld) -> None:
    """One cycle hears of the last one's own writes and changes nothing; the next one writes nothing."""
    for report in world.sync().values():
        assert (report.error, report.folder_errors) == (None, {})
        assert (report.calendar.pulled, report.calendar.pushed) == (0, 0)
    for report in world.sync().values():
        assert (report.error, report.folder_errors, report.wrote) == (None, {}, False)
    assert world.rows("SELECT id FROM conflict") == []


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def put(world: CalendarWorld, uid: str, *lines: str) -> str:
    return world.put("claire", uid, event(uid, more=lines))


def conferences(text: str) -> list[tuple[set[str], str]]:
    """The parameters and the link of each CONFERENCE; the server writes parameters in an order of its own."""
    found = [line.partition(":") for line in text.splitlines() if line.startswith("CONFERENCE")]
    return [(set(head.split(";")[1:]), link) for head, _, link in found]


def row(world: CalendarWorld, uid: str) -> tuple[object, ...]:
    (found,) = world.rows(ROW, uid=uid)
    return found


# --- from the calendar into the CRM


def test_every_place_where_a_client_says_or_writes_a_link_is_looked_at(company: CalendarWorld) -> None:
    wanted = {
        "conference": ((f"CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:{JITSI}",), "OTHER", JITSI),
        "several": (
            ("CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+33187400000", "CONFERENCE;FEATURE=CHAT:https://chat.example/1",
             "CONFERENCE;VALUE=URI;FEATURE=AUDIO:https://audio.example/1", f"CONFERENCE;VALUE=URI;FEATURE=VIDEO:{WEBEX}"),
            "WEBEX", WEBEX,
        ),
        "teams": ((f"X-MICROSOFT-SKYPETEAMSMEETINGURL:{TEAMS}",), "TEAMS", TEAMS),
        "skype": (("X-MICROSOFT-ONLINEMEETINGCONFLINK:conf:sip:claire@acme.example;gruu",
                   "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK:https://meet.lync.com/acme/claire/AB12"), "OTHER",
                  "https://meet.lync.com/acme/claire/AB12"),
        "google": ((f"X-GOOGLE-CONFERENCE:{MEET}",), "MEET", MEET),
        "url": ((f"URL:{ZOOM}",), "ZOOM", ZOOM),
        "own-url": ((f"URL;VALUE=URI:{JITSI}",), "OTHER", JITSI),
        "place": ((f"LOCATION:{escaped(ZOOM)}",), "ZOOM", ZOOM),
        "safe": ((f"DESCRIPTION:{escaped(f'Ici : <{SAFE}>')}",), "ZOOM", "https://zoom.us/j/1"),
        "html": (("DESCRIPTION:Rejoindre la réunion",
                  f"X-ALT-DESC;FMTTYPE=text/html:{escaped(f'<p><a href=&quot;x&quot; href={MEET}>ici</a></p>')}"),
                 "MEET", MEET),
        "styled": ((f"STYLED-DESCRIPTION;FMTTYPE=text/html:{escaped(f'<a href=&apos;{MEET}&apos;></a> {TEAMS}')}",),
                   "TEAMS", TEAMS),
    }  # fmt: skip
    for uid, (lines, _, _) in wanted.items():
        put(company, uid, *lines)
    company.sync()
    assert {uid: row(company, uid) for uid in wanted} == {
        uid: ("VIDEO_CALL", provider, url) for uid, (_, provider, url) in wanted.items()
    }
    at_rest(company)


def test_the_invitations_of_all_providers_are_video_calls_and_nothing_is_written_back(
    company: CalendarWorld,
) -> None:
    for number, (_, text, _, _) in enumerate(TEXTS):
        put(company, f"u{number}", f"DESCRIPTION:{escaped(text)}", "X-OTHER:kept")
    company.sync()
    before = company.items("claire")
    for number, (name, _, provider, link) in enumerate(TEXTS):
        assert row(company, f"u{number}") == ("VIDEO_CALL", provider.name, link), name
    at_rest(company)
    assert company.items("claire") == before


def test_a_link_that_was_found_is_never_written_into_another_property(company: CalendarWorld) -> None:
    path = put(
        company, "1", f"DESCRIPTION:Voir {ZOOM}", f"X-ALT-DESC;FMTTYPE=text/html:<a href='{TEAMS}'>x</a>"
    )
    company.sync()
    company.desk("claire").edit(company.id_of("1"), subject="Autre objet", alarm=30)
    company.sync()
    text = company.get(path)
    assert "SUMMARY:Autre objet" in text
    assert f"DESCRIPTION:Voir {ZOOM}" in text
    assert not {"CONFERENCE", "URL", "LOCATION", "CATEGORIES"} & {
        line.partition(":")[0].partition(";")[0] for line in text.splitlines()
    }
    assert row(company, "1") == ("VIDEO_CALL", "ZOOM", ZOOM)
    at_rest(company)


def test_a_link_in_html_alone_stays_known_while_the_crm_changes_something_else(
    company: CalendarWorld,
) -> None:
    put(company, "1", f"X-ALT-DESC;FMTTYPE=text/html:<a href='{TEAMS}'>x</a>")
    company.sync()
    company.desk("claire").edit(company.id_of("1"), subject="Autre objet")
    company.sync()
    assert row(company, "1") == ("VIDEO_CALL", "TEAMS", TEAMS)
    at_rest(company)
    put(company, "1", "LOCATION:Sans lien")
    company.sync()
    assert row(company, "1") == MEETING


def test_a_link_that_changes_where_nothing_else_is_read_is_news_all_the_same(company: CalendarWorld) -> None:
    put(company, "1", "URL:https://acme.example/billet")
    company.sync()
    assert row(company, "1") == MEETING
    put(company, "1", f"URL:{JITSI}")
    company.sync()
    assert row(company, "1") == ("VIDEO_CALL", "OTHER", JITSI)
    put(company, "1", "URL:https://acme.example/billet")
    company.sync()
    assert row(company, "1") == MEETING
    at_rest(company)


def test_a_link_changed_and_removed_by_a_client_is_followed(company: CalendarWorld) -> None:
    put(company, "1", f"CONFERENCE;VALUE=URI:{ZOOM}", "LOCATION:Salle 3")
    company.sync()
    put(company, "1", f"CONFERENCE;VALUE=URI:{WEBEX}", "LOCATION:Salle 3")
    company.sync()
    assert row(company, "1") == ("VIDEO_CALL", "WEBEX", WEBEX)
    put(company, "1", "LOCATION:Salle 3", f"DESCRIPTION:{MEET}")
    company.sync()
    assert row(company, "1") == ("VIDEO_CALL", "MEET", MEET)
    put(company, "1", "LOCATION:Salle 3")
    company.sync()
    assert row(company, "1") == MEETING
    at_rest(company)


def test_a_type_that_a_person_chose_stays_whatever_link_there_is(company: CalendarWorld) -> None:
    put(company, "visit", "CATEGORIES:Visite", f"DESCRIPTION:{ZOOM}")
    put(company, "call", "CATEGORIES:visioconference,Client")
    company.sync()
    assert row(company, "visit") == ("VISIT", "ZOOM", ZOOM)
    assert row(company, "call") == ("VIDEO_CALL", None, "")
    put(company, "visit", "CATEGORIES:Visite")
    company.sync()
    assert row(company, "visit") == ("VISIT", None, "")
    at_rest(company)


@pytest.mark.parametrize("word", ["PRIVATE", "CONFIDENTIAL"])
def test_of_a_private_event_no_link_is_kept(company: CalendarWorld, word: str) -> None:
    lines = (
        f"CONFERENCE:{ZOOM}",
        f"URL:{JITSI}",
        f"DESCRIPTION:{TEAMS}",
        f"X-ALT-DESC:<a href='{MEET}'>x</a>",
    )
    put(company, "1", f"CLASS:{word}", *lines)
    put(company, "2", *lines)
    company.sync()
    assert row(company, "1") == MEETING
    assert row(company, "2")[2] == ZOOM
    put(company, "2", f"CLASS:{word}", *lines)
    company.sync()
    assert row(company, "2") == MEETING
    at_rest(company)


def test_one_occurrence_may_have_a_link_of_its_own(company: CalendarWorld) -> None:
    text = event("s", more=("RRULE:FREQ=WEEKLY;COUNT=3", f"CONFERENCE;VALUE=URI:{ZOOM}")).decode()
    override = (
        "BEGIN:VEVENT\r\nUID:s\r\nDTSTAMP:20261101T080000Z\r\nRECURRENCE-ID;TZID=Europe/Paris:20261201T090000\r\n"
        "DTSTART;TZID=Europe/Paris:20261201T090000\r\nDTEND;TZID=Europe/Paris:20261201T100000\r\n"
        "SUMMARY:Sur place\r\n{more}END:VEVENT\r\nEND:VCALENDAR"
    )
    for more in (f"DESCRIPTION:{TEAMS}\r\n", ""):
        company.put("claire", "s", text.replace("END:VCALENDAR", override.replace("{more}", more)).encode())
        company.sync()
        found = company.rows("SELECT video_url FROM event WHERE uid = 's' ORDER BY recurrence_key")
        assert found == [(ZOOM,), (TEAMS if more else "",)]
        assert row(company, "s") == ("VIDEO_CALL", "ZOOM", ZOOM)
    at_rest(company)


# --- from the CRM into the calendar


def test_a_link_given_in_the_crm_stands_where_each_client_shows_its_button(company: CalendarWorld) -> None:
    company.sync()
    id_ = company.desk("claire").add("Visio", video_url=ZOOM)
    company.sync()
    ((path, text),) = company.items("claire").items()
    lines = text.splitlines()
    assert conferences(text) == [({"VALUE=URI", "FEATURE=AUDIO,VIDEO"}, ZOOM)]
    assert f"URL:{ZOOM}" in lines
    assert f"LOCATION:{ZOOM}" in lines
    query = "SELECT type, video_provider, video_url, location, notes FROM event"
    assert company.rows(query) == [("VIDEO_CALL", "ZOOM", ZOOM, "", "")]
    at_rest(company)
    company.desk("claire").edit(id_, video_url=WEBEX)
    company.sync()
    assert ZOOM not in company.get(path)
    assert company.get(path).count(WEBEX) == 3
    at_rest(company)
    company.desk("claire").edit(id_, location="Salle 3")
    company.sync()
    assert "LOCATION:Salle 3\n" in company.get(path)
    assert company.get(path).count(WEBEX) == 2
    company.desk("claire").edit(id_, type="visit")
    company.sync()
    assert WEBEX not in company.get(path)
    assert "LOCATION:Salle 3\n" in company.get(path)
    assert company.rows(query) == [("VISIT", None, "", "Salle 3", "")]
    at_rest(company)


def test_a_place_given_in_the_crm_is_not_taken_by_the_link(company: CalendarWorld) -> None:
    company.sync()
    company.desk("claire").add("Visio", video_url=JITSI, location="Salle 3")
    company.sync()
    (text,) = company.items("claire").values()
    assert "LOCATION:Salle 3\n" in text
    assert conferences(text) == [({"VALUE=URI", "FEATURE=AUDIO,VIDEO"}, JITSI)]
    assert f"URL:{JITSI}\n" in text
    at_rest(company)


def test_a_video_call_without_a_link_takes_place_in_its_owners_room(company: CalendarWorld) -> None:
    company.calendar_section += 'link = "https://meet.acme.example/{login}"\n'
    company.sync()
    desk = company.desk("claire")
    desk.add("Visio", type="visioconférence")
    desk.add("Autre", type="video_call", video_provider="teams")
    desk.add("Réunion", notes=f"Lien : {MEET}")
    company.sync()
    query = "SELECT subject, type, video_provider, video_url FROM event ORDER BY subject"
    assert company.rows(query) == [
        ("Autre", "VIDEO_CALL", "TEAMS", ""),
        ("Réunion", "VIDEO_CALL", "MEET", MEET),
        ("Visio", "VIDEO_CALL", "OTHER", "https://meet.acme.example/claire"),
    ]
    at_rest(company)


def test_both_sides_changing_the_link_is_one_conflict_of_the_link_alone(company: CalendarWorld) -> None:
    path = put(company, "1", f"CONFERENCE;VALUE=URI:{ZOOM}", f"DESCRIPTION:{MEET}")
    company.sync()
    company.desk("claire").edit(company.id_of("1"), video_url=TEAMS)
    put(company, "1", f"CONFERENCE;VALUE=URI:{WEBEX}", f"DESCRIPTION:{MEET}")
    company.sync()
    assert company.rows("SELECT unit FROM conflict") == [("video",)]
    assert row(company, "1") == ("VIDEO_CALL", "WEBEX", WEBEX)
    assert f"CONFERENCE;VALUE=URI:{WEBEX}" in company.get(path)


def test_events_from_before_a_host_was_known_are_looked_at_again(company: CalendarWorld) -> None:
    put(company, "1", f"DESCRIPTION:{escaped('Ici https://later.example/salle')}")
    put(company, "2", f"DESCRIPTION:{ZOOM}", "CATEGORIES:Visite")
    put(company, "3", "DESCRIPTION:Sans lien")
    put(company, "4", "CONFERENCE:https://later.example/salle")
    company.sync()
    assert row(company, "4") == ("VIDEO_CALL", "OTHER", "https://later.example/salle")
    before = company.rows("SELECT uid, version FROM event ORDER BY uid")
    company.calendar_section = company.calendar_section.replace(
        "[video]", "[video.providers]\nwebex = ['later.example']\n[video]"
    )
    installation = company.open()
    with installation.database.write() as session:
        people, zone = People(installation.mail.known.directory()), installation.settings.workspace.timezone
        setting = Setting(1, people, zone, table(installation.settings.video.places()))
        assert look_again(session, setting, company.now, since=company.now) == (2, None)
        assert look_again(session, setting, company.now, since=company.now) == (0, None)
    installation.close()
    for uid in ("1", "4"):
        assert row(company, uid) == ("VIDEO_CALL", "WEBEX", "https://later.example/salle")
    after = company.rows("SELECT uid, version FROM event ORDER BY uid")
    assert [uid for (uid, one), (_, two) in zip(before, after, strict=True) if one != two] == ["1", "4"]
    at_rest(company)


def test_one_occurrence_is_given_a_link_of_its_own_in_the_crm(company: CalendarWorld) -> None:
    company.sync()
    desk = company.desk("claire")
    id_ = desk.add("Série", "2026-11-24T09:00", rrule="FREQ=WEEKLY;COUNT=3", video_url=ZOOM)
    company.sync()
    desk.edit(id_, occurrence="2026-12-01", video_url=JITSI)
    company.sync()
    (text,) = company.items("claire").values()
    series, override = text.split("BEGIN:VEVENT")[1:]
    if "RECURRENCE-ID" in series:
        series, override = override, series
    assert (series.count(ZOOM), series.count(JITSI)) == (3, 0)
    assert (override.count(ZOOM), override.count(JITSI)) == (0, 3)
    links = "SELECT video_url, video_provider FROM event ORDER BY recurrence_key"
    assert company.rows(links) == [(ZOOM, "ZOOM"), (JITSI, "OTHER")]
    at_rest(company)
    desk.edit(id_, video_url=WEBEX)
    company.sync()
    assert company.rows(links) == [(WEBEX, "WEBEX"), (JITSI, "OTHER")]
    at_rest(company)
