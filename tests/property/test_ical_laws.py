"""What is written and read again is the same, whatever it is; what is edited keeps all else to the byte."""

import re
import warnings
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import icalendar
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from connectors.calendar import Dress, Item
from connectors.ical.canonical import canonical
from connectors.ical.editing import edit
from connectors.ical.reading import read
from connectors.ical.writing import new
from tests.property.calendar_items import items
from tests.property.calendar_sources import sources

STAMP = datetime(2026, 11, 22, 8, tzinfo=UTC)
UNKNOWN = re.compile(rb"X-[A-Z]+-LEFT-ALONE")
QUIET = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=200)


def logical(data: bytes) -> list[bytes]:
    """The lines with their folds and ends."""
    return re.split(rb"(?<=\n)(?![ \t])", data)


def other_reader(data: bytes) -> icalendar.Component:
    """What icalendar makes of it; it warns of names of zones that it has to guess."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return icalendar.Calendar.from_ical(data)


def wall(component: icalendar.Component, name: str) -> date:
    """A date or wall-clock time as icalendar reads it."""
    found = component.decoded(name)
    assert isinstance(found, date)
    return found.replace(tzinfo=None) if isinstance(found, datetime) else found


def addresses(component: icalendar.Component) -> set[str]:
    """The addresses of the attendees as icalendar reads them."""
    lines = component.get("ATTENDEE", [])
    found = lines if isinstance(lines, list) else [lines]
    return {str(line.params.get("EMAIL") or line.removeprefix("mailto:")).lower() for line in found}


def kept_lines(data: bytes) -> Counter[bytes]:
    """The lines of properties that nobody here knows."""
    return Counter(line for line in logical(data) if UNKNOWN.match(re.sub(rb"\r?\n[ \t]", b"", line)))


@QUIET
@given(items())
def test_an_item_is_the_same_after_it_was_put_in_its_one_form(item: Item) -> None:
    assert canonical(item) == item


@QUIET
@given(items(), st.booleans())
def test_a_new_item_is_read_as_it_was_written(item: Item, quiet: bool) -> None:
    data = new(item, Dress("7", "Acme", "Offre 3", "ligne 1\n\nligne 2"), stamp=STAMP, quiet=quiet)
    found = read(data)
    assert found == item
    assert found.crm_id == "7"
    assert found.sequence == item.sequence
    other_reader(data)
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))


@QUIET
@given(sources(), st.booleans())
def test_a_resource_that_says_the_same_already_stays_as_it_is(source: bytes, quiet: bool) -> None:
    assert edit(source, read(source), Dress(), stamp=STAMP, quiet=quiet) == source


@QUIET
@given(st.data(), st.booleans())
def test_an_edited_resource_says_what_it_was_told_and_keeps_what_is_unknown(
    data: st.DataObject, quiet: bool
) -> None:
    source = data.draw(sources(dressed=True))
    before = read(source)
    target = data.draw(items(uid=before.uid, kind=before.kind))
    edited = edit(source, target, Dress("8", block="interne"), stamp=STAMP, quiet=quiet)
    assert read(edited) == target
    other_reader(edited)
    again = edit(edited, target, Dress("8", block="interne"), stamp=STAMP, quiet=quiet)
    assert again == edited
    if before.by_key.keys() <= target.by_key.keys():
        event("all components stay")
        assert not kept_lines(source) - kept_lines(edited)


@QUIET
@given(st.data())
def test_one_changed_unit_changes_only_its_own_lines(data: st.DataObject) -> None:
    source = data.draw(sources())
    before = read(source)
    target = replace(
        before, components=(replace(before.main, subject=before.main.subject + "!"), *before.components[1:])
    )
    edited = edit(source, target, Dress(), stamp=STAMP, quiet=False)
    assert read(edited) == target
    gone = Counter(logical(source)) - Counter(logical(edited))
    names = {re.split(rb"[:;]", re.sub(rb"\r?\n[ \t]", b"", line))[0] for line in gone}
    assert names <= {b"SUMMARY", b"DTSTAMP", b"LAST-MODIFIED"}


@QUIET
@given(sources())
def test_what_is_read_is_what_another_reader_finds(source: bytes) -> None:
    item = read(source)
    theirs = other_reader(source).walk(item.kind.value)
    assert len(theirs) == len(item.components)
    for one in theirs:
        ours = next(
            each for each in item.components if (each.recurrence_id is None) == ("RECURRENCE-ID" not in one)
        )
        assert ours.subject == str(one.get("SUMMARY", ""))
        assert ours.location == str(one.get("LOCATION", ""))
        assert ours.timing.start is not None
        assert ours.timing.start.local == wall(one, "DTSTART")
        if "DTEND" in one:
            assert ours.timing.end is not None
            assert ours.timing.end.local == wall(one, "DTEND")
        assert [each.email for each in ours.attendees] == sorted(addresses(one))
