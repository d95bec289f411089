"""Another calendar client, as plain as can be: what the tests look with from behind, and make edits with."""

import http.client
import re
import secrets
from base64 import b64encode
from dataclasses import dataclass

from tests.servers.dovecot import Account


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


class PlainDav:
    """Talks to a server on this machine, in clear text."""

    def __init__(self, port: int, account: Account | None = None) -> None:
        self.port = port
        self.account = account

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """One request on a connection of its own; header names with _ for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.account is not None:
            pair = f"{self.account.username}:{self.account.password}".encode()
            sent["Authorization"] = f"Basic {b64encode(pair).decode()}"
        try:
            connection.request(method, path, body or None, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        finally:
            connection.close()

    def make_calendar(self, home: str, name: str = "", kinds: tuple[str, ...] = ("VEVENT", "VTODO")) -> str:
        """A new, empty calendar below `home`; returns its path."""
        path = f"{home}cal-{secrets.token_hex(4)}/"
        names = "".join(f'<C:comp name="{kind}"/>' for kind in kinds)
        body = (
            '<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
            f"<D:set><D:prop><D:displayname>{name}</D:displayname><C:supported-calendar-component-set>{names}"
            "</C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>"
        )
        reply = self.request("MKCALENDAR", path, body.encode(), Content_Type="text/xml")
        assert reply.status == 201, reply
        return path

    def put(self, path: str, ics: bytes) -> None:
        """Writes a resource, whatever was there."""
        reply = self.request("PUT", path, ics, Content_Type="text/calendar; charset=utf-8")
        assert reply.status in {200, 201, 204}, reply

    def get(self, path: str) -> bytes | None:
        """The content of a resource; None where there is none."""
        reply = self.request("GET", path)
        assert reply.status in {200, 404}, reply
        return reply.body if reply.status == 200 else None

    def delete(self, path: str) -> None:
        """Deletes a resource or a whole calendar."""
        reply = self.request("DELETE", path)
        assert reply.status in {200, 204}, reply

    def members(self, calendar: str) -> set[str]:
        """The paths of everything in the calendar."""
        body = b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        reply = self.request("PROPFIND", calendar, body, Depth="1", Content_Type="text/xml")
        assert reply.status == 207, reply
        hrefs = re.findall(r"<(?:\w+:)?href>([^<]+)</", reply.body.decode())
        return {href for href in hrefs if href.rstrip("/") != calendar.rstrip("/")}
