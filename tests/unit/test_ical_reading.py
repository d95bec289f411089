"""What common clients write, and what no client should, as the CRM reads it."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.calendar import Attendee, Component, Item, Kind, Privacy, Response, Status, When
from connectors.ical.reading import Unreadable, read

CORPUS = Path(__file__).parent / "ical_corpus"
PARIS = "Europe/Paris"


def sample(name: str) -> Item:
    return read((CORPUS / f"{name}.ics").read_bytes())


def paris(month: int, day: int, hour: int, minute: int = 0) -> When:
    return When(datetime(2026, month, day, hour, minute), PARIS)  # noqa: DTZ001 - a wall clock


def resource(*lines: str, kind: str = "VEVENT", head: str = "") -> bytes:
    body = "\n".join(["UID:1@acme.example", "DTSTAMP:20260101T000000Z", *lines])
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}BEGIN:{kind}\n{body}\nEND:{kind}\nEND:VCALENDAR\n".encode()


def event(*lines: str, start: str = "DTSTART:20260301T090000Z") -> Component:
    return read(resource(start, *lines)).main


def task(*lines: str) -> Component:
    return read(resource(*lines, kind="VTODO")).main


# --- what common clients write


def test_outlook_writes_windows_zones_quoted_names_and_a_teams_link() -> None:
    item = sample("outlook")
    main = item.main
    assert (main.timing.start, main.timing.end) == (paris(12, 1, 9, 30), paris(12, 1, 11))
    assert main.subject == "Visite annuelle"
    assert main.notes == "Bonjour,\n\nOrdre du jour :\n- bilan\n- offre\n"
    assert main.location == "12 rue Haute, Bruxelles"
    assert main.attendees == (Attendee("jean.dupont@client.example"),)
    assert main.attendees[0].name == "Dupont, Jean"
    assert main.organizer == "claire@acme.example"
    assert main.categories == {"Client", "Visite"}
    assert main.alarms == {"-PT15M"}
    assert main.video_url == "https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc"
    assert item.zones == ()


def test_google_writes_a_series_whose_override_tells_its_occurrence_in_utc() -> None:
    item = sample("google")
    series, moved = item.components
    assert series.timing.rrule == "FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20261231T225959Z"
    assert series.timing.exdates == (paris(10, 12, 9),)
    assert moved.recurrence_id == paris(10, 26, 9)
    assert moved.timing.start == paris(10, 27, 14)
    assert [(each.email, each.response) for each in series.attendees] == [
        ("claire@acme.example", Response.ACCEPTED),
        ("paul@acme.example", Response.TENTATIVE),
    ]
    assert series.video_url == "https://meet.google.com/abc-defg-hij"
    assert item.sequence == 2


def test_apple_writes_whole_days_and_an_alarm_that_never_rings() -> None:
    main = sample("apple").main
    assert main.timing.all_day
    assert (main.timing.start, main.timing.end) == (When(date(2026, 12, 24)), When(date(2026, 12, 25)))
    assert main.subject == "Réveillon 🎄"
    assert main.location == "Place Vieille 3\n1000 Bruxelles\nBelgique"
    assert main.alarms == {"-PT15H"}
    assert not main.busy
    assert main.video_url == ""


def test_thunderbird_writes_a_task_in_a_zone_of_its_own_name() -> None:
    item = sample("thunderbird")
    assert item.kind is Kind.TASK
    assert item.main.timing.end == paris(11, 24, 18)
    assert item.main.status is Status.OPEN
    assert item.main.notes == "Numéro : 01; poste 3"
    assert item.main.alarms == {"-P1D;END"}
    assert not item.main.busy


def test_exchange_writes_zones_as_windows_shows_them() -> None:
    main = sample("exchange").main
    start = main.timing.start
    assert start is not None
    assert start.instant(floating=_floating()) == datetime(2026, 12, 1, 13, tzinfo=UTC)
    assert main.privacy is Privacy.CONFIDENTIAL
    assert main.status is Status.TENTATIVE


def test_radicale_holds_events_with_a_duration_and_bare_line_feeds() -> None:
    timing = sample("radicale").main.timing
    assert timing.end == When(datetime(2026, 11, 22, 8, 45), "UTC")  # noqa: DTZ001


def _floating() -> ZoneInfo:

    return ZoneInfo("Asia/Tokyo")


# --- single rules


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        ([], When(datetime(2026, 3, 28, 12), PARIS)),  # noqa: DTZ001
        (["DURATION:P1D"], When(datetime(2026, 3, 29, 12), PARIS)),  # noqa: DTZ001
        (["DURATION:PT24H"], When(datetime(2026, 3, 29, 13), PARIS)),  # noqa: DTZ001 - a night of 23 hours
        (["DURATION:P1W"], When(datetime(2026, 4, 4, 12), PARIS)),  # noqa: DTZ001
        (["DTEND:20260328T120000Z"], When(datetime(2026, 3, 28, 12), "UTC")),  # noqa: DTZ001
        (["DTEND:20260328T100000Z"], When(datetime(2026, 3, 28, 12), PARIS)),  # noqa: DTZ001 - before it began
        (["DURATION:-PT1H"], When(datetime(2026, 3, 28, 12), PARIS)),  # noqa: DTZ001
    ],
)
def test_the_end_is_always_worked_out(lines: list[str], end: When) -> None:
    assert event(*lines, start=f"DTSTART;TZID={PARIS}:20260328T120000").timing.end == end


@pytest.mark.parametrize(
    "line", ["", "DTEND;VALUE=DATE:20260301", "DURATION:P1D", "DTEND;VALUE=DATE:20260302"]
)
def test_a_whole_day_ends_the_next_morning(line: str) -> None:
    assert event(line, start="DTSTART;VALUE=DATE:20260301").timing.end == When(date(2026, 3, 2))


def test_an_end_in_the_hour_that_comes_twice_is_told_in_utc() -> None:
    timing = event("DURATION:PT1H", start=f"DTSTART;TZID={PARIS}:20261025T023000").timing
    assert timing.end == When(datetime(2026, 10, 25, 1, 30), "UTC")  # noqa: DTZ001


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([], Status.OPEN),
        (["STATUS:NEEDS-ACTION"], Status.OPEN),
        (["STATUS:IN-PROCESS", "PERCENT-COMPLETE:99"], Status.OPEN),
        (["STATUS:COMPLETED"], Status.DONE),
        (["PERCENT-COMPLETE:100"], Status.DONE),
        (["STATUS:NEEDS-ACTION", "COMPLETED:20260101T000000Z"], Status.DONE),
        (["STATUS:CANCELLED", "PERCENT-COMPLETE:100"], Status.CANCELLED),
    ],
)
def test_a_task_is_done_however_its_client_says_so(lines: list[str], status: Status) -> None:
    assert task(*lines).status is status


@pytest.mark.parametrize(
    ("line", "privacy"),
    [
        ("", Privacy.PUBLIC),
        ("CLASS:public", Privacy.PUBLIC),
        ("CLASS:PRIVATE", Privacy.PRIVATE),
        ("CLASS:CONFIDENTIAL", Privacy.CONFIDENTIAL),
        ("CLASS:X-COMPANY", Privacy.PRIVATE),
    ],
)
def test_a_class_that_nobody_knows_is_private(line: str, privacy: Privacy) -> None:
    assert event(line).privacy is privacy


@pytest.mark.parametrize(
    ("trigger", "alarm"),
    [
        ("TRIGGER:-PT15M", "-PT15M"),
        ("TRIGGER:-P0DT0H15M0S", "-PT15M"),
        ("TRIGGER:-PT1440M", "-P1D"),
        ("TRIGGER:-PT0S", "PT0S"),
        ("TRIGGER;RELATED=END:PT5M", "PT5M;END"),
        ("TRIGGER;VALUE=DATE-TIME:20260101T080000Z", "20260101T080000Z"),
        (f"TRIGGER;VALUE=DATE-TIME;TZID={PARIS}:20260101T080000", "20260101T070000Z"),
        ("TRIGGER:-PT15M\nACTION:EMAIL", "EMAIL:-PT15M"),
        ("TRIGGER:-PT15M\nACTION:audio\nX-MOZ-LASTACK:20260101T000000Z", "-PT15M"),
    ],
)
def test_an_alarm_is_known_by_when_it_rings(trigger: str, alarm: str) -> None:
    assert event(f"BEGIN:VALARM\n{trigger}\nEND:VALARM").alarms == {alarm}


@pytest.mark.parametrize(
    "inside", ["ACTION:DISPLAY", "TRIGGER:soon", "TRIGGER:-PT5M\nRELATED-TO;RELTYPE=SNOOZE:1"]
)
def test_what_rings_by_no_wish_of_a_person_is_no_alarm(inside: str) -> None:
    assert event(f"BEGIN:VALARM\n{inside}\nEND:VALARM").alarms == frozenset()


@pytest.mark.parametrize(
    ("line", "attendee"),
    [
        ("ATTENDEE:MAILTO:A@X.test", Attendee("a@x.test")),
        ("ATTENDEE;PARTSTAT=declined:mailto:a@x.test", Attendee("a@x.test", Response.DECLINED)),
        ("ATTENDEE;PARTSTAT=DELEGATED:mailto:a@x.test", Attendee("a@x.test")),
        ("ATTENDEE;EMAIL=a@x.test;PARTSTAT=ACCEPTED:/principal/12/", Attendee("a@x.test", Response.ACCEPTED)),
        ("ATTENDEE:urn:uuid:12", Attendee("urn:uuid:12")),
        ("ATTENDEE:invalid:nomail", Attendee("invalid:nomail")),
        ("ATTENDEE:https://dav.x.test/Principals/Paul/", Attendee("https://dav.x.test/principals/paul/")),
        ("ATTENDEE:", None),
        ("ATTENDEE:mailto:a%2Bb@x.test", Attendee("a+b@x.test")),
        (
            "ATTENDEE:mailto:a@x.test\nATTENDEE;PARTSTAT=TENTATIVE:mailto:A@x.test",
            Attendee("a@x.test", Response.TENTATIVE),
        ),
    ],
)
def test_an_attendee_is_an_address_and_an_answer(line: str, attendee: Attendee | None) -> None:
    assert event(line).attendees == ((attendee,) if attendee else ())


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('ATTENDEE;CN="Martin, C: chef; x":mailto:a@x.test', "Martin, C: chef; x"),
        ("ATTENDEE;CN=O^'Neil ^^ ^n:mailto:a@x.test", 'O"Neil ^'),
        ("ATTENDEE;CN=;X-A=:mailto:a@x.test", ""),
    ],
)
def test_a_name_may_hold_any_sign(line: str, name: str) -> None:
    assert event(line).attendees[0].name == name


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("freq=weekly;byday=TU,MO,TU", "FREQ=WEEKLY;BYDAY=MO,TU"),
        ("INTERVAL=1;FREQ=DAILY;WKST=MO;COUNT=05", "FREQ=DAILY;COUNT=5"),
        ("FREQ=MONTHLY;BYDAY=+1MO,-1FR", "FREQ=MONTHLY;BYDAY=1MO,-1FR"),
        ("FREQ=DAILY;UNTIL=20261231", "FREQ=DAILY;UNTIL=20261231T225959Z"),
        ("FREQ=DAILY;UNTIL=20261231T120000", "FREQ=DAILY;UNTIL=20261231T110000Z"),
        ("FREQ=DAILY;UNTIL=99991231T000000Z", "FREQ=DAILY;UNTIL=99991231T000000Z"),
        ("FREQ=YEARLY;RSCALE=GREGORIAN;BYMONTH=12,2;", "FREQ=YEARLY;BYMONTH=2,12"),
    ],
)
def test_a_rule_has_one_form(value: str, rule: str) -> None:
    assert event(f"RRULE:{value}", start=f"DTSTART;TZID={PARIS}:20260301T090000").timing.rrule == rule


def test_a_series_of_whole_days_ends_on_a_day() -> None:
    timing = event("RRULE:FREQ=DAILY;UNTIL=20260309T230000Z", start="DTSTART;VALUE=DATE:20260301").timing
    assert timing.rrule == "FREQ=DAILY;UNTIL=20260309"


BROKEN_RULES = """
DAILY
COUNT=1
FREQ=OFTEN
FREQ=DAILY;INTERVAL=0
FREQ=DAILY;COUNT=0
FREQ=DAILY;COUNT=99999999999999999999
FREQ=DAILY;BYMONTH=13
FREQ=DAILY;BYDAY=XX
FREQ=DAILY;UNTIL=soon
FREQ=DAILY;UNTIL=20260230
FREQ=DAILY;COUNT=1;UNTIL=20260101
FREQ=DAILY;X-A=1
FREQ=DAILY;FREQ=DAILY
FREQ=YEARLY;RSCALE=CHINESE
"""


@pytest.mark.parametrize("value", BROKEN_RULES.split("\n")[:-1])
def test_a_broken_rule_is_no_event_without_a_rule(value: str) -> None:
    with pytest.raises(Unreadable, match="line 7: RRULE"):
        event(f"RRULE:{value}")


def test_dates_of_recurrence_take_the_form_of_their_series() -> None:
    timing = event(
        "RDATE;VALUE=PERIOD:20260401T070000Z/PT1H,20260402T070000Z/20260402T080000Z",
        "EXDATE:20260302T080000Z",
        "EXDATE;VALUE=DATE:20260303",
        f"EXDATE;TZID={PARIS}:20260302T090000",
        start=f"DTSTART;TZID={PARIS}:20260301T090000",
    ).timing
    assert timing.rdates == (paris(4, 1, 9), paris(4, 2, 9))
    assert timing.exdates == (paris(3, 2, 9), When(date(2026, 3, 3)))


def test_the_second_of_two_equal_hours_stays_told_in_utc() -> None:
    dates = "EXDATE:20261025T003000Z,20261025T013000Z"
    timing = event(dates, start=f"DTSTART;TZID={PARIS}:20261001T023000").timing
    assert timing.exdates == (paris(10, 25, 2, 30), When(datetime(2026, 10, 25, 1, 30), "UTC"))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("lines", "url"),
    [
        (["URL:https://acme.zoom.us/j/1"], "https://acme.zoom.us/j/1"),
        (["URL:https://acme.example/agenda"], ""),
        (["URL:https://evil.example/zoom.us"], ""),
        (["URL:https://notzoom.us/j/1"], ""),
        (["URL:https://meet.google.com/a", "CONFERENCE;VALUE=URI:https://v.test/1"], "https://v.test/1"),
        (
            ["CONFERENCE;VALUE=URI:tel:+32", "URL:https://acme.webex.com/meet/a"],
            "https://acme.webex.com/meet/a",
        ),
        (["URL:http://[broken"], ""),
    ],
)
def test_a_link_is_a_video_meeting_only_where_it_is_said_or_known(lines: list[str], url: str) -> None:
    assert event(*lines).video_url == url


def test_text_that_a_client_broke_without_folding_it_is_still_notes() -> None:
    assert event("DESCRIPTION:one", "", "two lines", "X-A:1").notes == "one\n\ntwo lines"


def test_text_has_no_control_characters_and_one_kind_of_line_end() -> None:
    assert event("SUMMARY:a\x00b\x07\\Nc\rd\\\\n").subject == "ab\nc\nd\\n"


def test_latin_1_bytes_are_read_as_what_they_most_likely_were() -> None:
    assert (
        read(
            resource("DTSTART:20260101", "SUMMARY:x").replace(b"SUMMARY:x", b"SUMMARY:\xe9t\xe9")
        ).main.subject
        == "été"
    )


def test_a_character_cut_in_two_by_folding_is_whole_again() -> None:
    raw = resource("DTSTART:20260101", "SUMMARY:x").replace(b"SUMMARY:x", b"SUMMARY:\xc3\r\n \xa9")
    assert read(raw).main.subject == "é"


def test_the_block_of_the_crm_is_no_part_of_the_notes() -> None:
    text = "DESCRIPTION:Mes notes\\n\\n--- CRM ---\\nconseil\\n--- fin CRM ---"
    assert event(text).notes == "Mes notes"
    cut = text.replace("\\n--- fin CRM ---", "")
    assert event(cut).notes == "Mes notes\n\n--- CRM ---\nconseil"
    assert read(resource("DTSTART:20260101", cut), last_block="conseil").main.notes == "Mes notes"


# --- what is refused

DAY = "DTSTART:20260101"
END, AGAIN = "END:VEVENT", "BEGIN:VEVENT\nUID:1@acme.example"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no VCALENDAR"),
        (b"<html>", "line 1: not a content line"),
        (b"BEGIN:VEVENT\nEND:VEVENT\n", "line 1: begins something other"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR\n", "no event and no task"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "begins in line 2 has no end"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "line 3: ends another"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:A\n" * 20, "line 9: components nested"),
        (resource("SUMMARY:secret"), "line 3: an event without DTSTART"),
        (resource("DTSTART:secret"), "line 6: DTSTART: not a date or a time"),
        (resource("DTSTART:20260230"), "line 6: DTSTART: day is out of range"),
        (resource("DTSTART:00010101"), "line 6: DTSTART: a year outside"),
        (resource(DAY, "DURATION:secret"), "line 7: DURATION: not a duration"),
        (resource(DAY, "EXDATE:20260101,secret"), "line 7: EXDATE: not a date"),
        (resource(DAY).replace(b"UID:1@acme.example", b"UID:"), "line 3: no UID"),
        (resource(DAY, END, "BEGIN:VEVENT", "UID:2", DAY), "UIDs that differ"),
        (resource(DAY, END, "BEGIN:VTODO", "UID:1", "END:VTODO", AGAIN), "events and tasks"),
        (resource(DAY, END, "BEGIN:VJOURNAL", "END:VJOURNAL", AGAIN, DAY), "holds a VJOURNAL"),
        (resource(DAY, END, AGAIN, DAY), "occurrence twice"),
        (resource(kind="VFREEBUSY"), "no event and no task"),
        (b"x" * 5_000_001, "larger than"),
        (b"\n" * 1_000_001, "more than"),
        (resource("DTSTART;TZID=" + "x" * 300 + ":20260101T000000"), "a TZID beyond"),
    ],
)
def test_what_is_not_one_item_is_refused_with_its_line_and_nothing_it_holds(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason) as caught:
        read(data)
    assert "secret" not in str(caught.value)
