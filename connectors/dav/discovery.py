"""Finding the calendars of a mailbox, whatever its URL points at (RFC 6764, RFC 4791 section 6.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from connectors.calendar import CalendarInfo, Kind
from connectors.dav import failures, paths, xml
from connectors.dav.session import Answer, DavSession
from connectors.dav.xml import CS, C, D, Response
from connectors.errors import AuthFailed, ProtocolViolation

WELL_KNOWN = "/.well-known/caldav"
MULTISTATUS = 207

CALENDAR = f"{C}calendar"
NO_CALENDAR = frozenset(
    {
        f"{C}schedule-inbox",
        f"{C}schedule-outbox",
        f"{CS}subscribed",
        f"{CS}notification",
        f"{CS}deleted-calendar",
    }
)
WRITE = frozenset({f"{D}write", f"{D}write-content", f"{D}bind", f"{D}all"})
SYNC = f"{D}sync-collection"

_HOME = (f"{D}current-user-principal", f"{D}resourcetype", f"{C}calendar-home-set")
_CALENDAR = (
    f"{D}resourcetype",
    f"{D}displayname",
    f"{C}supported-calendar-component-set",
    f"{D}current-user-privilege-set",
    f"{D}supported-report-set",
)
_CTAG = f"{CS}getctag"  # some servers read the whole calendar to tell it: asked for where it is needed only


@dataclass(frozen=True, slots=True)
class Found:
    """A calendar and what its server can do for it."""

    info: CalendarInfo
    syncs: bool  # RFC 6578
    ctag: str  # empty where there is none, or it was not asked for


def log_in(session: DavSession) -> Response | None:
    """Asks for what the URL points at, which makes the server ask who we are; None where that is nothing.

    Raises AuthFailed and the other errors of the mailbox.
    """
    start = urlsplit(session.access.url).path or "/"
    found = _ask(session, start)
    if found is not None and f"{D}unauthenticated" not in _children(found, f"{D}current-user-principal"):
        return found
    # It answers everybody (or nobody) there, so it never asked for the password.
    if session.log_in_unasked():
        found = _ask(session, start) or _ask(session, WELL_KNOWN)
    elif found is None:
        found = _ask(session, WELL_KNOWN)
    if found is not None and f"{D}unauthenticated" in _children(found, f"{D}current-user-principal"):
        raise AuthFailed(f"The server does not take the login of {session.access.who}. Check its user name.")
    return found


def calendars(session: DavSession, start: Response | None) -> Sequence[Found]:
    """Every calendar and task list, in the server's order. `start` is what `log_in` found.

    Raises ProtocolViolation where there is no CalDAV at that address.
    """
    if start is None:
        raise _nothing(session)
    if start.has(f"{D}resourcetype", CALENDAR):
        return _below(session, start.ref, depth="0")
    homes = _hrefs(start, f"{C}calendar-home-set")
    principals = _hrefs(start, f"{D}current-user-principal")
    if not homes and start.ref.strip("/"):
        # The home of somebody whose calendars are shared with us is none of our principal's.
        here = _below(session, start.ref, depth="1", may_fail=bool(principals))
        if here or not principals:
            return here
    for principal in [] if homes else principals:
        owner = _ask(session, principal)
        homes += _hrefs(owner, f"{C}calendar-home-set") if owner is not None else []
    if not homes:
        raise _nothing(session)
    found = {one.info.ref: one for home in homes for one in _below(session, home, depth="1")}
    return list(found.values())


def addresses(session: DavSession, start: Response | None) -> frozenset[str]:
    """The owner's mail addresses (RFC 6638 section 2.4.1); none where the server tells none."""
    asked = xml.propfind([f"{C}calendar-user-address-set"])
    found: set[str] = set()
    for principal in _hrefs(start, f"{D}current-user-principal") if start else []:
        answer = session.request("PROPFIND", principal, body=asked, headers={"Depth": "0"})
        try:
            responses = xml.multistatus(answer.body).responses if answer.status == MULTISTATUS else ()
        except xml.Garbled:
            continue
        for one in responses:
            told = one.properties.get(f"{C}calendar-user-address-set")
            for href in told.hrefs if told else ():
                scheme, _, address = href.partition(":")
                if scheme.casefold() == "mailto" and address:
                    found.add(unquote(address).casefold())
    return frozenset(found)


def describe(session: DavSession, ref: str, *, ctag: bool = False) -> Found | None:
    """One calendar as it is now, with its CTag if that is wanted; None where it is no calendar.

    Raises CollectionGone, CollectionRefused, CollectionError.
    """
    return next(iter(_below(session, ref, depth="0", ctag=ctag)), None)


def auto_schedules(answer: Answer) -> bool:
    """Whether the server mails invitations itself (RFC 6638 section 2)."""
    return "calendar-auto-schedule" in {
        word.strip().casefold() for word in answer.headers.get("dav", "").split(",")
    }


def _ask(session: DavSession, path: str) -> Response | None:
    """What the server says of that resource; None where it says nothing that is WebDAV."""
    answer = session.request("PROPFIND", path, body=xml.propfind(_HOME), headers={"Depth": "0"})
    if answer.status != MULTISTATUS:
        return None
    try:
        responses = xml.multistatus(answer.body).responses
    except xml.Garbled:
        return None
    return responses[0] if responses else None


def _below(
    session: DavSession, path: str, *, depth: str, may_fail: bool = False, ctag: bool = False
) -> list[Found]:
    asked = (*_CALENDAR, _CTAG) if ctag else _CALENDAR
    answer = session.request("PROPFIND", path, body=xml.propfind(asked), headers={"Depth": depth})
    if answer.status != MULTISTATUS:
        if may_fail:
            return []
        raise failures.for_collection(answer.status, answer.body, session.access.who, path)
    try:
        responses = xml.multistatus(answer.body).responses
    except xml.Garbled as error:
        raise failures.garbled(error, session.access.who, path) from None
    mails = auto_schedules(answer) or auto_schedules(session.request("OPTIONS", path))
    found = []
    for one in responses:
        if one.ref.rstrip("/") == path.rstrip("/") and one.status not in {xml.UNSAID, xml.OK}:
            raise failures.for_collection(one.status, b"", session.access.who, path)
        types = set(_children(one, f"{D}resourcetype"))
        if CALENDAR in types and not types & NO_CALENDAR:
            calendar = _calendar(one, mails=mails)
            if calendar.info.kinds:  # a collection of nothing but journals is none of ours
                found.append(calendar)
    return found


def _calendar(one: Response, *, mails: bool) -> Found:
    ref = one.ref if one.ref.endswith("/") else one.ref + "/"
    kinds = one.properties.get(f"{C}supported-calendar-component-set")
    names = {name.upper() for name in kinds.names} if kinds else set()
    # A server that says nothing takes everything (RFC 4791 section 5.2.3), and so about privileges.
    told = frozenset(kind for kind in Kind if kind.value in names) if names else frozenset(Kind)
    privileges = one.properties.get(f"{D}current-user-privilege-set")
    info = CalendarInfo(
        ref=ref,
        name=one.text(f"{D}displayname") or ref.rstrip("/").rsplit("/", 1)[-1],
        kinds=told,
        writable=privileges is None or bool(WRITE & set(privileges.children)),
        auto_schedule=mails,
    )
    return Found(info, one.has(f"{D}supported-report-set", SYNC), one.text(_CTAG))


def _children(one: Response, name: str) -> tuple[str, ...]:
    found = one.properties.get(name)
    return found.children if found else ()


def _hrefs(one: Response, name: str) -> list[str]:
    found = one.properties.get(name)
    hrefs = []
    for href in found.hrefs if found else ():
        try:
            hrefs.append(paths.collection(href))
        except ValueError:
            continue
    return hrefs


def _nothing(session: DavSession) -> ProtocolViolation:
    return ProtocolViolation(
        f"There are no calendars at the address of {session.access.who}: it does not answer as CalDAV does."
        " Check `url`; providers name it in their help."
    )
