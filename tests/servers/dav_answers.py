"""Answers of a CalDAV server, written by hand, for `tests.servers.scripted_dav`."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

from tests.servers.scripted_dav import Reply

CAL = "/cal/"
NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"'
HOME = "PROPFIND /cal/ 0"


def xml(inner: str, root: str = "D:multistatus") -> bytes:
    """A document."""
    return f'<?xml version="1.0" encoding="utf-8"?><{root} {NAMESPACES}>{inner}</{root}>'.encode()


def multistatus(*responses: str, token: str = "") -> Reply:
    """A 207 answer."""
    end = f"<D:sync-token>{token}</D:sync-token>" if token else ""
    return Reply(207, xml("".join(responses) + end))


def props(href: str, inner: str, status: str = "200 OK") -> str:
    """A resource with properties."""
    return (
        f"<D:response><D:href>{href}</D:href><D:propstat><D:prop>{inner}</D:prop>"
        f"<D:status>HTTP/1.1 {status}</D:status></D:propstat></D:response>"
    )


def etag(href: str, version: str = '"1"') -> str:
    """A resource that is there."""
    return props(href, f"<D:getetag>{escape(version)}</D:getetag>")


def item(href: str, source: bytes, version: str = '"1"') -> str:
    """A resource with its content."""
    data = escape(source.decode())
    return props(href, f"<D:getetag>{escape(version)}</D:getetag><C:calendar-data>{data}</C:calendar-data>")


def status(href: str, code: int) -> str:
    """A resource of which there is only a status."""
    return f"<D:response><D:href>{href}</D:href><D:status>HTTP/1.1 {code} X</D:status></D:response>"


def error(code: int, *conditions: str) -> Reply:
    """A refusal that names conditions, such as "D:valid-sync-token"."""
    return Reply(code, xml("".join(f"<{name}/>" for name in conditions), "D:error"))


def calendar(
    href: str = CAL, *, syncs: bool = True, ctag: str = "", kinds: Iterable[str] = ("VEVENT",)
) -> Reply:
    """What discovery finds at a calendar."""
    report = "<D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report>"
    reports = report if syncs else ""
    names = "".join(f'<C:comp name="{kind}"/>' for kind in kinds)
    return multistatus(
        props(
            href,
            "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
            f"<C:supported-calendar-component-set>{names}</C:supported-calendar-component-set>"
            f"<D:supported-report-set>{reports}</D:supported-report-set>"
            + (f"<CS:getctag>{ctag}</CS:getctag>" if ctag else ""),
        )
    )
