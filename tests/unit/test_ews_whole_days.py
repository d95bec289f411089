"""Whole days that programs write over EWS without a time zone: they begin at the owner's midnight."""

from dataclasses import replace
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from connectors.calendar import When
from connectors.ews.calendar.applying import applied
from connectors.ews.calendar.composing import changes
from connectors.ews.calendar.native import Native, Unreadable
from connectors.ews.calendar.parsing import native_of
from connectors.ews.calendar.reading import Owner, component_of
from connectors.ews.calendar.xml import TYPES

OWNER = Owner(frozenset({"claire@acme.example"}), "Europe/Paris")


def whole_day(start: str, end: str, zone: str) -> Native:
    zones = f'<StartTimeZone Id="{zone}"/><EndTimeZone Id="{zone}"/>' if zone else ""
    source = (
        f'<CalendarItem xmlns="{TYPES}"><ItemId Id="i" ChangeKey="k"/><UID>u</UID><Start>{start}</Start>'
        f"<End>{end}</End><IsAllDayEvent>true</IsAllDayEvent>{zones}</CalendarItem>"
    )
    return native_of(ET.fromstring(source))


@pytest.mark.parametrize("zone", ["", "UTC", "tzone://Microsoft/Utc"])
def test_a_whole_day_without_a_zone_is_that_of_its_owner(zone: str) -> None:
    native = whole_day("2026-11-30T23:00:00Z", "2026-12-01T23:00:00Z", zone)
    found = component_of(native, OWNER)
    assert (found.timing.start, found.timing.end) == (When(date(2026, 12, 1)), When(date(2026, 12, 2)))
    made = applied(native, replace(found, location="Lyon"), OWNER)
    assert [one[0].get("FieldURI") for one in changes(native, made)] == ["calendar:Location"]


def test_one_that_begins_at_midnight_in_utc_stays_on_that_day() -> None:
    native = whole_day("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z", "UTC")
    assert component_of(native, OWNER).timing.start == When(date(2026, 12, 1))


@pytest.mark.parametrize(
    ("start", "zone"),
    [("2026-11-30T22:00:00Z", "UTC"), ("2026-11-30T23:00:00Z", "Eastern Standard Time")],
)
def test_one_that_begins_at_nobodys_midnight_is_refused(start: str, zone: str) -> None:
    with pytest.raises(Unreadable, match="midnight"):
        component_of(whole_day(start, "2026-12-02T00:00:00Z", zone), OWNER)
