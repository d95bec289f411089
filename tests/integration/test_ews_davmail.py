"""DavMail in front of the EWS server: an ordinary mail client lists, reads, marks, files and deletes."""

import imaplib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import pytest
import requests

from tests.servers.ews.davmail import DavMail
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.fixtures import missing

ADDRESS = "claire@acme.example"


def mail(number: int) -> bytes:
    lines = [
        "From: zoe@else.example",
        f"To: {ADDRESS}",
        f"Subject: n {number}",
        f"Message-ID: <{number}@else.example>",
        "Date: Mon, 5 Oct 2026 10:00:00 +0000",
        "",
        f"body {number}",
        "",
    ]
    return "\r\n".join(lines).encode()


@pytest.fixture
def plain() -> Iterator[EwsServer]:
    """An EWS server without TLS, which DavMail's keystore would have to know."""
    if not DavMail.available():
        missing("DavMail", "apt-get install davmail-server")
    with EwsServer() as server:
        server.check.older_clients = True  # it speaks as a client of Exchange 2013
        yield server


@pytest.fixture
def client(plain: EwsServer) -> Iterator[imaplib.IMAP4]:
    """A mail client of three messages."""
    password = plain.add_mailbox(ADDRESS, "Claire Dupont")
    OtherClient(plain, ADDRESS).add_mails([mail(number) for number in range(3)])
    with DavMail(plain) as davmail:
        connection = davmail.login(ADDRESS, password)
        yield connection
        connection.logout()


def test_a_mail_client_reads_marks_files_and_deletes_through_davmail(
    plain: EwsServer, client: imaplib.IMAP4
) -> None:
    other = OtherClient(plain, ADDRESS)
    assert client.select("INBOX") == ("OK", [b"3"])
    _, found = client.uid("SEARCH", "ALL")
    first, second, third = found[0].split()
    _, parts = client.uid("FETCH", "1:*", "(UID BODY.PEEK[])")
    assert [part[1] for part in parts if isinstance(part, tuple)] == [mail(number) for number in range(3)]

    client.uid("STORE", first, "+FLAGS", "(\\Seen)")
    client.create("Clients")
    client.uid("COPY", first, "Junk")
    client.uid("MOVE", third, "Clients")
    client.append("Sent", "", "", mail(7))
    client.uid("STORE", second, "+FLAGS", "(\\Deleted)")
    client.expunge()

    inbox = other.items("inbox")
    assert [(target.mime, target.item.is_read) for target in inbox] == [(mail(0), True)]
    places = {
        name: [target.mime for target in other.items(name)] for name in ("junkemail", "sentitems", "Clients")
    }
    assert places == {"junkemail": [mail(0)], "sentitems": [mail(7)], "Clients": [mail(2)]}


ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:u1@else.example
DTSTAMP:20261001T000000Z
DTSTART;TZID=Europe/Paris:20261012T090000
DTEND;TZID=Europe/Paris:20261012T100000
SUMMARY:{summary}
LOCATION:Room 1
DESCRIPTION:notes
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def test_a_calendar_client_reads_writes_and_deletes_through_davmail(plain: EwsServer) -> None:
    password = plain.add_mailbox(ADDRESS, "Claire Dupont")
    plain.mailbox(ADDRESS).time_zone = "Romance Standard Time"
    other = OtherClient(plain, ADDRESS)
    start = datetime(2026, 10, 13, 7, tzinfo=UTC)
    other.add_event("From Exchange", start, start + timedelta(hours=1), zone="Romance Standard Time")
    with DavMail(plain) as davmail, requests.Session() as session:
        session.auth = (ADDRESS, password)
        calendar = davmail.calendar(ADDRESS)
        asked = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        listed = session.request("PROPFIND", calendar, data=asked, headers={"Depth": "1"}, timeout=60)
        [path] = re.findall(r"href>([^<]*\.EML)<", listed.text)
        read = session.get(urljoin(calendar, path), timeout=60)
        assert "SUMMARY:From Exchange" in read.text
        assert ":20261013T090000" in read.text

        one = f"{calendar}u1.ics"
        made = session.put(one, data=ICS.format(summary="From a CalDAV client"), timeout=60)
        assert made.status_code == 201
        targets = {target.text("Subject"): target for target in other.events()}
        target = targets["From a CalDAV client"]
        assert (target.text("Location"), target.text("UID")) == ("Room 1", "u1@else.example")
        assert (target.start, target.end) == (start - timedelta(days=1), start - timedelta(hours=23))

        changed = session.put(one, data=ICS.format(summary="Changed"), timeout=60)
        assert changed.status_code == 200
        assert {target.text("Subject") for target in other.events()} == {"From Exchange", "Changed"}

        assert session.delete(one, timeout=60).status_code == 200
        assert [target.text("Subject") for target in other.events()] == ["From Exchange"]
    assert plain.counts.sent == []
