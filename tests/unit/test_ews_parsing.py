"""XML of Exchange to an item: what is read, and what is refused with its reason and never guessed."""

from datetime import date, datetime
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from connectors.calendar import Attendee, Item, Privacy, Response, Status, Timing, When
from connectors.ews.calendar.native import Unreadable
from connectors.ews.calendar.parsing import native_of
from connectors.ews.calendar.reading import Owner, item_of
from connectors.ews.calendar.xml import TYPES
from syncd.engine.calendar.items import moment

OWNER = Owner(frozenset({"claire@acme.example"}), "Europe/Paris")
ZONE = '<StartTimeZone Id="Romance Standard Time"/>'
TIMES = "<Start>2026-12-01T09:00:00Z</Start><End>2026-12-01T10:00:00Z</End>"
CUSTOM = """
<StartTimeZone Id="Customized Time Zone" Name="Own"><Periods>
<Period Bias="-PT1H" Name="Standard" Id="std"/><Period Bias="-PT2H" Name="Daylight" Id="dst"/></Periods>
<TransitionsGroups><TransitionsGroup Id="0">
<RecurringDayTransition><To Kind="Period">dst</To><TimeOffset>PT2H</TimeOffset><Month>4</Month>
<DayOfWeek>Sunday</DayOfWeek><Occurrence>1</Occurrence></RecurringDayTransition>
<RecurringDayTransition><To Kind="Period">std</To><TimeOffset>PT3H</TimeOffset><Month>10</Month>
<DayOfWeek>Sunday</DayOfWeek><Occurrence>-1</Occurrence></RecurringDayTransition>
</TransitionsGroup></TransitionsGroups>
<Transitions><Transition><To Kind="Group">0</To></Transition></Transitions></StartTimeZone>"""


def read(body: str, kind: str = "CalendarItem") -> Item:
    source = f'<{kind} xmlns="{TYPES}"><ItemId Id="i" ChangeKey="k"/>{body}</{kind}>'
    return item_of([native_of(ET.fromstring(source))], OWNER)


def event(body: str = "", times: str = TIMES, zone: str = ZONE) -> Item:
    return read(f"<UID>u</UID>{times}{body}{zone}")


def test_an_event_is_read() -> None:
    item = event("<Subject>Visite</Subject><Sensitivity>Personal</Sensitivity><Location>Lyon</Location>")
    start = When(datetime(2026, 12, 1, 10), "Europe/Paris")  # noqa: DTZ001 - wall-clock time
    assert item.main.timing.start == start
    assert (item.uid, item.main.subject, item.main.location) == ("u", "Visite", "Lyon")
    assert item.main.privacy is Privacy.PRIVATE
    assert item.main.organizer == ""


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ("<Start>2026-12-01T09:00:00.5Z</Start><End>2026-12-01T10:00:00Z</End>", "fraction of a second"),
        ("<Start>2026-12-01T09:00:00</Start><End>2026-12-01T10:00:00Z</End>", "in which zone"),
        ("<Start>2026-12-01</Start><End>2026-12-01T10:00:00Z</End>", "no time"),
        ("<Start>2026-13-01T09:00:00Z</Start><End>2026-12-01T10:00:00Z</End>", "no time"),
        ("<Start>0001-01-01T00:00:00Z</Start><End>2026-12-01T10:00:00Z</End>", "year"),
        ("<End>2026-12-01T10:00:00Z</End>", "Start is missing"),
        (TIMES + "<IsAllDayEvent>true</IsAllDayEvent>", "midnight"),
        (TIMES + "<AppointmentSequenceNumber>many</AppointmentSequenceNumber>", "no number"),
    ],
)
def test_a_time_that_cannot_be_held_is_refused_and_never_none(times: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        event(times=times)


def test_a_fraction_that_is_nought_is_none() -> None:
    item = event(times=TIMES.replace("00:00Z", "00:00.0000000Z"))
    assert item.main.timing == event().main.timing


def test_a_task_whose_day_has_a_time_is_refused() -> None:
    assert read("<DueDate>2026-12-04T00:00:00Z</DueDate>", "Task").main.timing == Timing(
        end=When(date(2026, 12, 4))
    )
    with pytest.raises(Unreadable, match="DueDate has a time of day"):
        read("<DueDate>2026-12-04T09:30:00Z</DueDate>", "Task")


def test_a_task_that_comes_again_after_it_was_done_is_refused() -> None:
    again = (
        "<Recurrence><DailyRegeneration><Interval>3</Interval></DailyRegeneration>"
        "<NoEndRecurrence><StartDate>2026-12-01</StartDate></NoEndRecurrence></Recurrence>"
    )
    with pytest.raises(Unreadable, match="after it was done"):
        read(f"<DueDate>2026-12-01T00:00:00Z</DueDate>{again}", "Task")


def test_something_else_among_the_events_is_refused() -> None:
    with pytest.raises(Unreadable, match="MeetingRequest"):
        read("", "MeetingRequest")


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Romance Standard Time", "Europe/Paris"),
        ("Europe/Brussels", "Europe/Brussels"),
        ("UTC", "UTC"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("Eastern Standard Time", "America/New_York"),
    ],
)
def test_a_zone_is_read_by_its_windows_or_iana_name(zone: str, name: str) -> None:
    start = event(zone=f'<StartTimeZone Id="{zone}"/>').main.timing.start
    assert start is not None
    assert start.zone == name


def test_a_zone_that_is_in_no_table_keeps_its_name_and_its_clocks() -> None:
    item = event(zone=CUSTOM)
    start = item.main.timing.start
    assert start == When(datetime(2026, 12, 1, 10), "Customized Time Zone")  # noqa: DTZ001
    assert dict(item.zones).keys() == {"Customized Time Zone"}
    summer = event(zone=CUSTOM, times=TIMES.replace("2026-12-01", "2026-07-01"))
    begins = summer.main.timing.start
    assert begins == When(datetime(2026, 7, 1, 11), "Customized Time Zone")  # noqa: DTZ001
    assert moment(begins, ZoneInfo("UTC"), summer.zones).isoformat() == "2026-07-01T09:00:00+00:00"


def test_a_zone_that_nobody_describes_is_refused() -> None:
    with pytest.raises(Unreadable, match="Planet"):
        event(zone='<StartTimeZone Id="Planet Standard Time"/>')


def test_a_meeting_has_people_with_answers_and_its_owners_own() -> None:
    item = event(
        "<IsMeeting>true</IsMeeting><MyResponseType>Tentative</MyResponseType>"
        "<Organizer><Mailbox><EmailAddress>Boss@Client.example</EmailAddress></Mailbox></Organizer>"
        "<RequiredAttendees><Attendee><Mailbox><Name>C</Name><EmailAddress>Claire@acme.example</EmailAddress>"
        "</Mailbox><ResponseType>Unknown</ResponseType></Attendee></RequiredAttendees>"
        "<OptionalAttendees><Attendee><Mailbox><EmailAddress>a@b.example</EmailAddress></Mailbox>"
        "<ResponseType>Decline</ResponseType></Attendee></OptionalAttendees>"
    )
    assert item.main.organizer == "boss@client.example"
    assert item.main.attendees == (
        Attendee("a@b.example", Response.DECLINED),
        Attendee("claire@acme.example", Response.TENTATIVE),
    )


def test_a_cancelled_meeting_and_its_link_are_read() -> None:
    item = event(
        "<IsCancelled>true</IsCancelled><JoinOnlineMeetingUrl>https://teams.example/j</JoinOnlineMeetingUrl>"
    )
    assert item.main.status is Status.CANCELLED
    assert item.main.video_url == "https://teams.example/j"


def test_what_we_kept_and_nobody_can_read_is_no_harm() -> None:
    own = (
        '<ExtendedProperty><ExtendedFieldURI PropertySetId="5d7b2f0e-3c61-4f6a-9d1e-8a52c6e0b7f4"'
        ' PropertyName="state" PropertyType="String"/><Value>{}</Value></ExtendedProperty>'
    )
    for text in (
        "",
        "garbage",
        "[]",
        '{"zones":3}',
        '{"alarms":[1]}',
        '{"status":"odd"}',
        '{"exdates":[["x",""]]}',
    ):
        found = event(own.format(text)).main
        assert found.timing == event().main.timing
