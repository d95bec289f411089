# ruff: noqa: E501 - links are as long as they are
"""Video meetings on an Exchange server: what the CRM makes of them, and where its own links are written."""

from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from connectors.ews.calendar.parsing import SKYPE_OR_TEAMS
from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import t, typed
from tests.servers.exchange_office import Office, paris
from tests.unit.meeting_texts import MEET, TEAMS, WEBEX, ZOOM

ROW = "SELECT type, video_provider, video_url, location FROM event WHERE subject = :subject"
LINK = Element(  # where Skype for Business and Teams leave their link
    t("ExtendedFieldURI"),
    {"DistinguishedPropertySetId": "PublicStrings", "PropertyName": SKYPE_OR_TEAMS, "PropertyType": "String"},
)
ZONE = "Romance Standard Time"
MEETING = ("MEETING", None, "", "")


@pytest.fixture
def office(ews: EwsServer, tmp_path: Path, database_url: str) -> Office:
    """Claire on Exchange, on both databases."""
    made = Office(ews, tmp_path / "syncd", database_url)
    made.add_user("claire")
    return made


def row(office: Office, subject: str) -> tuple[object, ...]:
    (found,) = office.rows(ROW, subject=subject)
    return found


def add(office: Office, subject: str, **fields: object) -> str:
    return office.client("claire").add_event(subject, paris(24, 9), paris(24, 10), zone=ZONE, **fields)  # type: ignore[arg-type]


def at_rest(office: Office) -> None:
    """Nothing is left to do, and a look more changes nothing at the server."""
    office.settle()
    before = dict(office.ews.counts.operations)
    office.sync()
    done = {name for name, count in office.ews.counts.operations.items() if count != before.get(name, 0)}
    assert not done & {"CreateItem", "UpdateItem", "DeleteItem"}
    assert office.rows("SELECT id FROM conflict") == []


def test_what_exchange_says_and_what_stands_in_place_and_body_is_found(office: Office) -> None:
    client = office.client("claire")
    client.edit(add(office, "bouton"), JoinOnlineMeetingUrl=TEAMS, IsOnlineMeeting="true")
    client.set_extended(add(office, "propriété"), LINK, TEAMS)
    client.edit(add(office, "en ligne"), IsOnlineMeeting="true")
    add(office, "lieu", Location=f"Salle 3; {ZOOM}")
    html = '<html><body><p>Bonjour</p><a href="https://nam01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fzoom.us%2Fj%2F1&amp;data=05">Rejoindre</a> <a href="https://zoom.us/download">App</a></body></html>'
    add(office, "corps", Body=typed("Body", html, BodyType="HTML"))
    add(office, "texte", Body=typed("Body", f"Rejoindre : {MEET}.", BodyType="Text"))
    add(office, "sans", Body=typed("Body", "https://zoom.us/download", BodyType="Text"))
    office.settle()
    assert row(office, "bouton") == ("VIDEO_CALL", "TEAMS", TEAMS, "")
    assert row(office, "propriété") == ("VIDEO_CALL", "TEAMS", TEAMS, "")
    assert row(office, "en ligne") == ("VIDEO_CALL", None, "", "")
    assert row(office, "lieu") == ("VIDEO_CALL", "ZOOM", ZOOM, f"Salle 3; {ZOOM}")
    assert row(office, "corps") == ("VIDEO_CALL", "ZOOM", "https://zoom.us/j/1", "")
    assert row(office, "texte") == ("VIDEO_CALL", "MEET", MEET, "")
    assert row(office, "sans") == MEETING
    assert office.ews.counts.operations.get("UpdateItem", 0) == 0
    at_rest(office)


def test_what_exchange_calls_online_stays_it_while_the_crm_changes_something_else(office: Office) -> None:
    client = office.client("claire")
    ref = add(office, "en ligne")
    client.edit(ref, IsOnlineMeeting="true")
    office.settle()
    office.desk("claire").edit(int(str(office.one("SELECT id FROM event"))), location="Salle 3")
    office.settle()
    assert row(office, "en ligne") == ("VIDEO_CALL", None, "", "Salle 3")
    client.edit(ref, IsOnlineMeeting="false")
    office.settle()
    assert row(office, "en ligne") == ("MEETING", None, "", "Salle 3")
    at_rest(office)


def test_a_link_changed_and_removed_in_outlook_is_followed(office: Office) -> None:
    client = office.client("claire")
    ref = add(office, "a", Body=typed("Body", f"Ici : {ZOOM}", BodyType="Text"))
    office.settle()
    client.edit(ref, Body=typed("Body", f"Ici : {WEBEX}", BodyType="Text"))
    office.settle()
    assert row(office, "a") == ("VIDEO_CALL", "WEBEX", WEBEX, "")
    client.edit(ref, Body=typed("Body", "Ici", BodyType="Text"))
    office.settle()
    assert row(office, "a") == MEETING
    at_rest(office)


def test_of_a_private_event_no_link_is_kept(office: Office) -> None:
    ref = add(office, "a", Sensitivity="Private", Location=ZOOM, Body=typed("Body", TEAMS, BodyType="Text"))
    office.client("claire").edit(ref, IsOnlineMeeting="true", JoinOnlineMeetingUrl=TEAMS)
    office.settle()
    query = "SELECT type, video_provider, video_url, location FROM event"
    assert office.rows(query) == [MEETING]
    at_rest(office)


def test_a_link_given_in_the_crm_stands_in_the_place_and_comes_back_as_none(office: Office) -> None:
    office.sync()
    id_ = office.desk("claire").add("Visio", video_url=ZOOM)
    office.settle()
    (target,) = office.events("claire")
    assert (target.text("Location"), target.text("Subject")) == (ZOOM, "Visio")
    assert row(office, "Visio") == ("VIDEO_CALL", "ZOOM", ZOOM, "")
    at_rest(office)
    office.desk("claire").edit(id_, location="Salle 3")
    office.settle()
    (target,) = office.events("claire")
    assert target.text("Location") == f"Salle 3; {ZOOM}"
    assert row(office, "Visio") == ("VIDEO_CALL", "ZOOM", ZOOM, "Salle 3")
    at_rest(office)
    office.desk("claire").edit(id_, video_url=WEBEX)
    office.settle()
    (target,) = office.events("claire")
    assert target.text("Location") == f"Salle 3; {WEBEX}"
    at_rest(office)
    ref = office.client("claire").id_of(target.item)
    office.client("claire").edit(ref, Location="Salle 4")  # a person takes the link out of the place
    office.settle()
    assert row(office, "Visio") == ("MEETING", None, "", "Salle 4")
    at_rest(office)
    office.client("claire").edit(ref, Location=f"Salle 4; {MEET}")
    office.settle()
    assert row(office, "Visio") == ("VIDEO_CALL", "MEET", MEET, f"Salle 4; {MEET}")
    at_rest(office)


def test_a_link_for_which_the_place_has_no_room_is_kept_all_the_same(office: Office) -> None:
    office.sync()
    office.desk("claire").add("Visio", video_url=TEAMS, location="12 rue Haute, " + "x" * 100)
    office.settle()
    (target,) = office.events("claire")
    assert "teams" not in (target.text("Location") or "")
    assert row(office, "Visio")[:3] == ("VIDEO_CALL", "TEAMS", TEAMS)
    at_rest(office)


def test_an_occurrence_changed_in_outlook_may_have_a_link_of_its_own(office: Office) -> None:
    office.sync()
    id_ = office.desk("claire").add("Série", "2026-11-24T09:00", rrule="FREQ=WEEKLY;COUNT=3", video_url=ZOOM)
    office.settle()
    office.desk("claire").edit(id_, occurrence="2026-12-01", video_url=WEBEX)
    office.settle()
    links = "SELECT video_url FROM event WHERE subject = 'Série' ORDER BY recurrence_key"
    assert office.rows(links) == [(ZOOM,), (WEBEX,)]
    at_rest(office)
