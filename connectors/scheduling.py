"""What a server that schedules does with what it is given (RFC 6638 section 3.2): whom it mails.

A guest whom the server took care of once cannot be let go of in silence: removed, or marked as somebody
else's care (SCHEDULE-AGENT), that guest gets a CANCEL (section 3.2.1.2). So a quiet write of such a meeting
is refused rather than made.
"""

from dataclasses import dataclass, replace

from connectors.calendar import Component, Item, Response
from connectors.ical.lines import Line, Node, Unreadable, parameters, parse
from connectors.ical.parts import address_of
from connectors.ical.reading import read

_KINDS = frozenset({"VEVENT", "VTODO"})


@dataclass(frozen=True, slots=True)
class Mailed:
    """A message that a server would send."""

    recipient: str
    method: str  # REQUEST, CANCEL or REPLY (RFC 5546)
    uid: str


@dataclass(frozen=True, slots=True)
class _People:
    """Who takes part in an item, and of whom the server takes care."""

    uid: str
    organizer: str
    organizer_served: bool
    served: frozenset[str]
    answers: frozenset[tuple[str, str]]
    cancelled: bool


_NOBODY = _People("", "", False, frozenset(), frozenset(), False)


def mails(
    before: bytes | None, after: bytes | None, owner: frozenset[str], *, reply: bool = True
) -> list[Mailed]:
    """What a server mails when a resource of `owner` changes; None for none, `reply` False for the header
    Schedule-Reply: F (section 8.1). In order of the recipients.

    What the CRM adds does not count here: it must go wherever somebody from outside takes part, at once. A
    server that mails for every change of the text may tell them of it: `reworded` says whom.
    """
    old, new = _people(before), _people(after)
    if (new.organizer or old.organizer) in owner:
        found = _of_organizer(old, new, changed=_differ(before, after))
    else:
        found = _of_attendee(old, new, owner, reply=reply)
    wanted = {one.recipient: one for one in found if one.recipient not in owner}
    return [wanted[recipient] for recipient in sorted(wanted)]


def reworded(before: bytes | None, after: bytes | None, owner: frozenset[str]) -> list[Mailed]:
    """What a server may mail beyond `mails`, because the text of DESCRIPTION is another one though a person
    reads the same notes in it. Colleagues of the owner get no mail: the server writes their copies."""
    old, new = _people(before), _people(after)
    if before is None or after is None or new.organizer not in owner or _differ(before, after):
        return []
    if _texts(before) == _texts(after):
        return []
    hosts = {one.partition("@")[2] for one in owner}
    told = sorted(one for one in new.served & old.served if one.partition("@")[2] not in hosts)
    return [Mailed(one, "REQUEST", new.uid) for one in told]


def organizer_of(source: bytes) -> frozenset[str]:
    """The organizer's address: who the owner may be, where the server does not tell."""
    organizer = _people(source).organizer
    return frozenset({organizer}) if organizer else frozenset()


def _of_organizer(old: _People, new: _People, *, changed: bool) -> list[Mailed]:
    uid = new.uid or old.uid
    told = new.served if changed else new.served - old.served
    method = "CANCEL" if new.cancelled else "REQUEST"
    found = [Mailed(one, "CANCEL", uid) for one in old.served - new.served]
    found += [Mailed(one, method, uid) for one in told]
    return found


def _of_attendee(old: _People, new: _People, owner: frozenset[str], *, reply: bool) -> list[Mailed]:
    people = new if new.uid else old
    own_before = {one for one in old.answers if one[0] in owner}
    own_after = {one for one in new.answers if one[0] in owner}
    if not people.organizer or not people.organizer_served or not own_before | own_after:
        return []
    if not new.uid:
        told = reply and any(answer != "DECLINED" for _, answer in own_before)
    elif not old.uid:
        told = any(answer != "NEEDS-ACTION" for _, answer in own_after)
    else:
        told = own_before != own_after
    return [Mailed(people.organizer, "REPLY", people.uid)] if told else []


def _people(source: bytes | None) -> _People:
    if source is None:
        return _NOBODY
    try:
        nodes = [node for node in parse(source).root.children if node.name in _KINDS]
    except Unreadable:
        return _NOBODY
    attendees = [line for node in nodes for line in node.lines if line.name == "ATTENDEE"]
    organizer = next((line for node in nodes if (line := node.first("ORGANIZER")) is not None), None)
    return _People(
        uid=_value(nodes, "UID"),
        organizer=address_of(organizer) if organizer else "",
        organizer_served=organizer is not None and _served(organizer),
        served=frozenset(address_of(line) for line in attendees if _served(line)),
        answers=frozenset((address_of(line), _answer(line)) for line in attendees),
        cancelled=_value(nodes, "STATUS").upper() == "CANCELLED",
    )


def _served(line: Line) -> bool:
    return parameters(line.params).get("SCHEDULE-AGENT", "SERVER").upper() == "SERVER"


def _answer(line: Line) -> str:
    return parameters(line.params).get("PARTSTAT", "NEEDS-ACTION").upper()


def _value(nodes: list[Node], name: str) -> str:
    line = nodes[0].first(name) if nodes else None
    return line.value.strip() if line else ""


def _differ(before: bytes | None, after: bytes | None) -> bool:
    """Whether the two say different things to a guest; no mail is sent for a mark."""
    if before is None or after is None:
        return after is not None
    try:
        return _told(read(before)) != _told(read(after))
    except Unreadable:
        return True


def _told(item: Item) -> Item:
    """What a guest is told of an item: not its owner's alerts and categories, nor whether it blocks the
    owner's time, nor what others answered. Servers mail for what is significant only (RFC 6638 section 3.2.1
    leaves it to them)."""
    return replace(item, components=tuple(_bare(one) for one in item.components))


def _bare(component: Component) -> Component:
    people = tuple(replace(one, response=Response.NO_RESPONSE) for one in component.attendees)
    return replace(component, alarms=frozenset(), categories=frozenset(), busy=True, attendees=people)


def _texts(source: bytes) -> list[str]:
    try:
        nodes = [node for node in parse(source).root.children if node.name in _KINDS]
    except Unreadable:
        return []
    return [line.value for node in nodes for line in node.lines if line.name == "DESCRIPTION"]
