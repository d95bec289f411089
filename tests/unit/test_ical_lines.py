"""A time zone is read in one piece: what that must not change."""

import pytest

from connectors.ical.lines import Node, Unreadable, parse

ZONE = (
    b"BEGIN:VTIMEZONE\r\nTZID:Acme\r\nBEGIN:STANDARD\r\nDTSTART:20000101T000000\r\nTZOFFSETFROM:+0100\r\n"
    b"TZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
EVENT = b"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Acme:20260101T090000\r\nEND:VEVENT\r\n"


def calendar(*parts: bytes) -> bytes:
    return b"".join([b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", *parts, b"END:VCALENDAR\r\n"])


def names(node: Node) -> list[str]:
    return [child.name for child in node.children]


@pytest.mark.parametrize(
    "parts",
    [
        (ZONE, EVENT),
        (EVENT, ZONE),
        (ZONE, ZONE, EVENT),
        (ZONE.replace(b"\r\n", b"\n"), EVENT),
        (ZONE, b"X-NOTE:between\r\n", EVENT),
        (ZONE.replace(b"TZID:Acme", b"X-LONG:" + b"x" * 20_000 + b"\r\nTZID:Acme"), EVENT),
    ],
)
def test_every_octet_stays_and_the_components_stand_in_their_order(parts: tuple[bytes, ...]) -> None:
    data = calendar(*parts)
    document = parse(data)
    assert document.write() == data
    wanted = [part.split(b":", 1)[1].split()[0].decode() for part in parts if part.startswith(b"BEGIN")]
    assert names(document.root) == wanted


def test_the_lines_after_a_time_zone_keep_their_numbers() -> None:
    zone, event = parse(calendar(ZONE, EVENT)).root.children
    assert event.begin.number == 3 + ZONE.count(b"\n")
    uid = event.first("UID")
    assert uid is not None
    assert uid.number == event.begin.number + 1
    assert names(zone) == ["STANDARD"]


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n" + ZONE + calendar(EVENT),
        calendar(ZONE.replace(b"END:STANDARD\r\n", b""), EVENT),
        calendar(ZONE.replace(b"END:STANDARD", b"END:DAYLIGHT"), EVENT),
        calendar(ZONE, b"BEGIN:VTIMEZONE\r\n" * 200_000),
    ],
)
def test_a_broken_one_is_refused_as_any_component(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"line [0-9]+"):
        parse(data)
