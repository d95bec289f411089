"""Where an event takes place, in the properties of several vendors: another LOCATION leaves no stale map."""

from dataclasses import replace
from datetime import UTC, datetime

from connectors.calendar import Dress, Item
from connectors.ical.editing import edit
from connectors.ical.reading import read

STAMP = datetime(2026, 11, 22, 8, tzinfo=UTC)
GEOGRAPHY = (
    'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS=1 rue de la Paix;X-TITLE="Bureau, Paris":geo:48.8,2.3',
    "GEO:48.869;2.331",
    'X-MICROSOFT-LOCATIONS:[{"DisplayName":"Bureau\\, Paris"}]',
)
KEPT = ("X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT45M", "X-VENDOR-THING:kept")


def source(*more: str, place: str = "LOCATION:Bureau\\, Paris") -> bytes:
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Other//EN", "BEGIN:VEVENT", "UID:u"),
        *("DTSTAMP:20261101T080000Z", "DTSTART:20261124T090000Z", "DTEND:20261124T100000Z", "SUMMARY:Point"),
        *((place,) if place else ()),
        *GEOGRAPHY,
        *KEPT,
        *more,
        *("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:x", "X-APPLE-PROXIMITY:ARRIVE"),
        *("X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=Maison:geo:45.1,5.7", "END:VALARM"),
        *("END:VEVENT", "END:VCALENDAR", ""),
    ]
    return "\r\n".join(lines).encode()


def at(item: Item, location: str, **more: object) -> Item:
    main = replace(item.main, location=location, **more)  # type: ignore[arg-type]
    return replace(item, components=(main, *item.components[1:]))


def written(before: bytes, item: Item) -> list[str]:
    return edit(before, item, Dress(), stamp=STAMP, quiet=False).decode().replace("\r\n ", "").split("\r\n")


def test_another_place_takes_the_map_of_the_former_one_along() -> None:
    before = source()
    lines = written(before, at(read(before), "Salle 9, Lyon"))
    assert "LOCATION:Salle 9\\, Lyon" in lines
    assert not [one for one in lines if one in GEOGRAPHY]
    assert set(KEPT) <= set(lines)
    assert "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=Maison:geo:45.1,5.7" in lines  # the alarm's own


def test_a_place_that_is_taken_away_takes_its_map_along() -> None:
    before = source()
    lines = written(before, at(read(before), ""))
    assert not [one for one in lines if one.startswith("LOCATION") or one in GEOGRAPHY]


def test_the_map_stays_where_anything_else_changes() -> None:
    before = source()
    lines = written(before, at(read(before), "Bureau, Paris", subject="Autre"))
    assert set(GEOGRAPHY) <= set(lines)


def test_an_occurrence_at_another_place_has_no_map_and_its_series_keeps_it() -> None:
    before = source("RRULE:FREQ=DAILY;COUNT=3")
    item = read(before)
    start, end = item.main.timing.start, item.main.timing.end
    assert start is not None
    assert end is not None
    timing = replace(item.main.timing, rrule="")
    override = replace(item.main, timing=timing, recurrence_id=start, location="Lyon")
    lines = written(before, replace(item, components=(item.main, override)))
    assert [lines.count(one) for one in GEOGRAPHY] == [1, 1, 1]
    assert lines.index("LOCATION:Lyon") > lines.index(GEOGRAPHY[0])


def test_a_description_of_the_former_place_elsewhere_is_no_description_of_the_new_one() -> None:
    before = source(place='LOCATION;LANGUAGE=fr;ALTREP="https://rooms.example/9":Bureau')
    assert "LOCATION;LANGUAGE=fr:Lyon" in written(before, at(read(before), "Lyon"))
