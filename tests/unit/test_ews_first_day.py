"""Weekly series of Exchange without a first day of the week: it is Sunday there, where that matters."""

from xml.etree import ElementTree as ET

import pytest

from connectors.ews.calendar.parsing import native_of
from connectors.ews.calendar.reading import Owner, item_of
from connectors.ews.calendar.xml import TYPES


@pytest.mark.parametrize(
    ("interval", "days", "first", "rule"),
    [
        ("2", "Saturday Sunday", "", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU;WKST=SU"),
        ("2", "Saturday Sunday", "Monday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU"),
        ("1", "Saturday Sunday", "", "FREQ=WEEKLY;BYDAY=SA,SU"),
        ("2", "Friday Saturday", "", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SA"),
    ],
)
def test_an_absent_first_day_is_sunday_where_it_matters(
    interval: str, days: str, first: str, rule: str
) -> None:
    told = f"<FirstDayOfWeek>{first}</FirstDayOfWeek>" if first else ""
    source = (
        f'<CalendarItem xmlns="{TYPES}"><ItemId Id="i" ChangeKey="k"/><UID>u</UID>'
        "<Start>2026-12-05T09:00:00Z</Start><End>2026-12-05T10:00:00Z</End><Recurrence><WeeklyRecurrence>"
        f"<Interval>{interval}</Interval><DaysOfWeek>{days}</DaysOfWeek>{told}</WeeklyRecurrence>"
        "<NoEndRecurrence><StartDate>2026-12-05</StartDate></NoEndRecurrence></Recurrence>"
        '<StartTimeZone Id="Romance Standard Time"/></CalendarItem>'
    )
    native = native_of(ET.fromstring(source))
    found = item_of([native], Owner(frozenset({"claire@acme.example"}), "Europe/Paris"))
    assert set(found.main.timing.rrule.split(";")) == set(rule.split(";"))
    assert native.series is not None
    assert native.series.pattern.first == ("SU" if "WKST=SU" in rule else "MO")
