"""What an edit writes anew in the resources of common clients, and what it leaves alone."""

import difflib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connectors.calendar import (
    Attendee,
    Component,
    Dress,
    Item,
    Kind,
    Privacy,
    Response,
    Status,
    Timing,
    When,
)
from connectors.ical.canonical import canonical
from connectors.ical.editing import edit
from connectors.ical.reading import read
from connectors.ical.writing import new

CORPUS = Path(__file__).parent / "ical_corpus"
STAMP = datetime(2026, 11, 22, 8, tzinfo=UTC)
STAMPED = ["DTSTAMP:20261122T080000Z", "LAST-MODIFIED:20261122T080000Z"]
PARIS = "Europe/Paris"


def source(name: str) -> bytes:
    return (CORPUS / f"{name}.ics").read_bytes()


def unfolded(data: bytes) -> list[str]:
    return data.decode().replace("\r\n", "\n").replace("\n ", "").splitlines()


def changed(before: bytes, after: bytes) -> tuple[list[str], list[str]]:
    """The lines that went and those that came, without the stamps."""
    found = list(difflib.ndiff(unfolded(before), unfolded(after)))
    gone = [line[2:] for line in found if line.startswith("- ")]
    came = [line[2:] for line in found if line.startswith("+ ")]
    stamps = ("DTSTAMP", "LAST-MODIFIED")
    return [x for x in gone if not x.startswith(stamps)], [x for x in came if x not in STAMPED]


def edited(
    name: str, dress: Dress | None = None, *, quiet: bool = False, **units: object
) -> tuple[list[str], list[str]]:
    """What an edit of the first component changes; the result must say what it was told."""
    data = source(name)
    item = read(data)
    target = replace(item, components=(replace(item.main, **units), *item.components[1:]))  # type: ignore[arg-type]
    result = edit(data, target, dress or Dress(), stamp=STAMP, quiet=quiet)
    assert read(result) == target
    return changed(data, result)


def wall(month: int, day: int, hour: int, minute: int = 0, zone: str = PARIS) -> When:
    return When(datetime(2026, month, day, hour, minute), zone)  # noqa: DTZ001 - a wall clock


@pytest.mark.parametrize("name", ["outlook", "google", "apple", "thunderbird", "exchange", "radicale"])
def test_a_resource_that_says_the_same_is_returned_as_it_is(name: str) -> None:
    assert edit(source(name), read(source(name)), Dress(), stamp=STAMP, quiet=True) == source(name)


def test_a_new_subject_is_one_line_in_the_language_it_had() -> None:
    assert edited("outlook", subject="Visite, bilan") == (
        ["SUMMARY;LANGUAGE=fr:Visite annuelle"],
        ["SUMMARY;LANGUAGE=fr:Visite\\, bilan"],
    )


def test_new_notes_take_away_the_html_that_says_something_else() -> None:
    gone, came = edited("outlook", notes="Annulé ?")
    assert came == ["DESCRIPTION:Annulé ?"]
    assert [line.partition(":")[0] for line in gone] == ["DESCRIPTION", "X-ALT-DESC;FMTTYPE=text/html"]


def test_an_answer_changes_nothing_but_partstat() -> None:
    answer = (Attendee("jean.dupont@client.example", Response.ACCEPTED),)
    gone, came = edited("outlook", attendees=answer)
    assert came == [gone[0].replace("NEEDS-ACTION", "ACCEPTED")]
    assert len(gone) == 1


def test_somebody_who_comes_is_one_line_more_and_who_goes_one_less() -> None:
    paul, anna = Attendee("paul@acme.example"), Attendee("anna@client.example", name="Roy, Anna")
    gone, came = edited("google", attendees=(anna, paul))
    assert len(gone) == 2  # Claire's line and Paul's, whose answer is taken back
    assert came[-1].startswith(
        'ATTENDEE;CN="Roy, Anna";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:'
    )
    assert came[-1].endswith(":mailto:anna@client.example")


def test_a_moved_event_keeps_outlooks_name_of_its_zone_and_counts_its_sequence() -> None:
    gone, came = edited("outlook", timing=Timing(wall(12, 2, 9, 30), wall(12, 2, 11)))
    assert gone == [
        'DTEND;TZID="Romance Standard Time":20261201T110000',
        'DTSTART;TZID="Romance Standard Time":20261201T093000',
        "SEQUENCE:0",
    ]
    assert came == [
        'DTEND;TZID="Romance Standard Time":20261202T110000',
        'DTSTART;TZID="Romance Standard Time":20261202T093000',
        "SEQUENCE:1",
    ]


def test_a_moved_event_with_a_duration_keeps_it() -> None:
    later = Timing(wall(11, 23, 8, zone="UTC"), wall(11, 23, 8, 45, zone="UTC"))
    assert edited("radicale", timing=later) == (
        ["DTSTART:20261122T080000Z"],
        ["DTSTART:20261123T080000Z", "SEQUENCE:1"],
    )


def test_a_zone_that_the_resource_lacks_is_defined_in_it() -> None:
    there = Timing(wall(11, 23, 8, zone="America/New_York"), wall(11, 23, 9, zone="America/New_York"))
    gone, came = edited("radicale", timing=there)
    assert gone == ["DTSTART:20261122T080000Z", "DURATION:PT45M"]
    assert "TZID:America/New_York" in came
    assert "DTSTART;TZID=America/New_York:20261123T080000" in came


def test_an_event_that_becomes_a_whole_day_says_so() -> None:
    whole = Timing(When(date(2026, 11, 23)), When(date(2026, 11, 25)))
    _, came = edited("radicale", timing=whole)
    assert came == ["DTSTART;VALUE=DATE:20261123", "DTEND;VALUE=DATE:20261125", "SEQUENCE:1"]


def test_an_occurrence_taken_out_is_a_date_more_in_exdate() -> None:
    timing = read(source("google")).main.timing
    gone, came = edited("google", timing=replace(timing, exdates=(*timing.exdates, wall(10, 15, 9))))
    assert gone == ["SEQUENCE:2"]
    assert came == ["SEQUENCE:3", "EXDATE;TZID=Europe/Paris:20261015T090000"]


def test_an_occurrence_put_back_leaves_no_exdate() -> None:
    timing = read(source("google")).main.timing
    gone, _ = edited("google", timing=replace(timing, exdates=()))
    assert gone == ["EXDATE;TZID=Europe/Paris:20261012T090000", "SEQUENCE:2"]


def test_a_changed_occurrence_is_a_copy_of_its_series_with_its_own_time() -> None:
    data = source("google")
    item = read(data)
    extra = replace(
        item.main,
        timing=Timing(wall(11, 2, 10), wall(11, 2, 10, 30)),
        recurrence_id=wall(11, 2, 9),
        subject="Point équipe (10 h)",
    )
    target = replace(item, components=(*item.components, extra))
    result = edit(data, target, Dress(), stamp=STAMP, quiet=False)
    assert read(result) == target
    gone, came = changed(data, result)
    assert gone == []
    assert "RECURRENCE-ID;TZID=Europe/Paris:20261102T090000" in came
    assert "X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij" in came
    assert not [line for line in came if line.startswith(("RRULE", "EXDATE"))]


def test_an_occurrence_that_is_no_longer_changed_leaves_nothing_behind() -> None:
    data = source("google")
    item = read(data)
    result = edit(data, replace(item, components=item.components[:1]), Dress(), stamp=STAMP, quiet=False)
    assert unfolded(result).count("BEGIN:VEVENT") == 1
    assert read(result).components == item.components[:1]


def test_an_alarm_more_leaves_the_others_as_they_are() -> None:
    gone, came = edited("apple", alarms=frozenset({"-PT15H", "-PT30M"}))
    assert gone == []
    assert came == [
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT30M",
        "DESCRIPTION:Réveillon 🎄",
        "END:VALARM",
    ]


def test_an_alarm_less_takes_its_own_lines_only() -> None:
    gone, came = edited("apple", alarms=frozenset())
    assert came == []
    assert gone.count("BEGIN:VALARM") == gone.count("END:VALARM") == 1
    assert "X-WR-ALARMUID:0B7E7D4C-1111-4D58-8A0F-1234567890AB" in gone
    assert "ACTION:NONE" not in gone


def test_a_category_more_and_one_less() -> None:
    gone, came = edited("outlook", categories=frozenset({"Visite", "a,b"}))
    assert gone == ["CATEGORIES:Client,Visite"]
    assert came == ["CATEGORIES:Visite", "CATEGORIES:a\\,b"]


def test_a_done_task_says_so_in_all_three_ways() -> None:
    gone, came = edited("thunderbird", status=Status.DONE, completed=datetime(2026, 11, 22, 9, tzinfo=UTC))
    assert gone == ["STATUS:IN-PROCESS", "PERCENT-COMPLETE:30"]
    assert came == ["STATUS:COMPLETED", "PERCENT-COMPLETE:100", "COMPLETED:20261122T090000Z", "SEQUENCE:1"]


def test_a_cancelled_event_counts_its_sequence_and_a_private_one_does_not() -> None:
    assert edited("outlook", status=Status.CANCELLED)[1] == ["SEQUENCE:1", "STATUS:CANCELLED"]
    assert edited("outlook", privacy=Privacy.PRIVATE) == (["CLASS:PUBLIC"], ["CLASS:PRIVATE"])
    assert edited("outlook", busy=False) == (["TRANSP:OPAQUE"], ["TRANSP:TRANSPARENT"])


def test_a_video_link_is_changed_where_it_was() -> None:
    _, came = edited("google", video_url="https://acme.zoom.us/j/1")
    assert came == ["X-GOOGLE-CONFERENCE:https://acme.zoom.us/j/1"]
    assert edited("outlook", video_url="https://acme.zoom.us/j/1")[1] == [
        "X-MICROSOFT-SKYPETEAMSMEETINGURL:https://acme.zoom.us/j/1"
    ]
    assert edited("google", video_url="")[1] == []


# --- what the CRM adds


def test_the_dress_is_put_on_once_and_taken_off_again() -> None:
    data, item = source("radicale"), read(source("radicale"))
    dress = Dress("7", "Acme", "Offre, 3", "conseil\nfaits")
    on = edit(data, item, dress, stamp=STAMP, quiet=False)
    assert changed(data, on)[1] == [
        "DESCRIPTION:--- CRM ---\\nconseil\\nfaits\\n--- fin CRM ---",
        "X-CRM-ACCOUNT:Acme",
        "X-CRM-OPPORTUNITY:Offre\\, 3",
        "X-CRM-ID:7",
    ]
    assert read(on) == item
    assert edit(on, item, dress, stamp=STAMP + timedelta(days=1), quiet=False) == on
    off = edit(on, item, Dress("7"), stamp=STAMP, quiet=False)
    assert changed(data, off)[1] == ["X-CRM-ID:7"]


def test_nothing_internal_stays_in_any_occurrence_when_the_dress_is_taken_off() -> None:
    data, item = source("google"), read(source("google"))
    extra = replace(item.main, timing=Timing(wall(11, 2, 10), wall(11, 2, 11)), recurrence_id=wall(11, 2, 9))
    item = replace(item, components=(*item.components, extra))
    on = edit(data, item, Dress("7", "Acme", "Offre", "conseil"), stamp=STAMP, quiet=False)
    assert on.count(b"conseil") == on.count(b"X-CRM-ACCOUNT") == 2
    off = edit(on, item, Dress("7"), stamp=STAMP, quiet=False)
    assert b"conseil" not in off
    assert b"Acme" not in off
    assert b"Offre" not in off
    assert read(off) == item


def test_a_companion_is_marked_and_unmarked() -> None:
    data, item = source("radicale"), read(source("radicale"))
    marked = edit(data, replace(item, companion=True), Dress(), stamp=STAMP, quiet=True)
    assert read(marked).companion
    assert not read(edit(marked, item, Dress(), stamp=STAMP, quiet=True)).companion


def test_a_quiet_write_asks_the_server_not_to_mail_who_is_new_and_the_next_loud_one_asks_it_no_more() -> None:
    data, item = source("google"), read(source("google"))
    new = Attendee("new@guest.example")
    people = tuple(sorted((*item.main.attendees, new), key=lambda one: one.email))
    target = replace(item, components=(replace(item.main, attendees=people), *item.components[1:]))
    hushed = edit(data, target, Dress(), stamp=STAMP, quiet=True)
    before = [line for line in unfolded(data) if line.startswith("ATTENDEE")]
    (added,) = [x for x in unfolded(hushed) if x.startswith("ATTENDEE") and x not in before]
    assert added.endswith(";SCHEDULE-AGENT=NONE;X-CRM-QUIET=T:mailto:new@guest.example")
    loud = edit(hushed, item, Dress(), stamp=STAMP, quiet=False)
    assert [x for x in unfolded(loud) if x.startswith("ATTENDEE")] == before


def test_a_schedule_agent_that_a_client_set_is_left_alone() -> None:
    data = source("google").replace(
        b"ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED", b"SCHEDULE-AGENT=CLIENT;PARTSTAT=ACCEPTED"
    )
    item = read(data)
    target = replace(item, components=(replace(item.main, location="Salle 3"), *item.components[1:]))
    for quiet in (True, False):
        result = unfolded(edit(data, target, Dress(), stamp=STAMP, quiet=quiet))
        assert (
            next(x for x in result if "claire" in x and x.startswith("ATTENDEE")).count(
                "SCHEDULE-AGENT=CLIENT"
            )
            == 1
        )
        assert not any("CLIENT" in x and "X-CRM-QUIET" in x for x in result)


def test_another_item_is_never_written_over_the_one_that_is_there() -> None:
    with pytest.raises(ValueError, match="another item"):
        edit(source("google"), read(source("outlook")), Dress(), stamp=STAMP, quiet=True)


def test_an_event_without_a_start_or_a_uid_is_not_written() -> None:
    start = Timing(wall(11, 2, 9))
    for item in (Item(" ", Kind.EVENT, (Component(start),)), Item("1", Kind.EVENT, (Component(Timing()),))):
        with pytest.raises(ValueError, match="without a"):
            new(item, Dress(), stamp=STAMP, quiet=True)


def test_a_custom_zone_is_defined_where_it_is_copied_to() -> None:
    text = source("thunderbird").replace(b"/mozilla.org/20050126_1/Europe/Paris", b"Usine")
    item = read(text)
    assert item.main.timing.end == wall(11, 24, 18, zone="Usine")
    assert [tzid for tzid, _ in item.zones] == ["Usine"]
    copy = new(item, Dress(), stamp=STAMP, quiet=True)
    assert read(copy) == item
    assert b"BEGIN:VTIMEZONE\r\nTZID:Usine\r\n" in copy


# --- where the link to join is written


def written(name: str, *lines: str, **units: object) -> tuple[list[str], list[str]]:
    """What an edit changes in a resource to which these lines are added first."""
    data = source(name).replace(
        b"END:VEVENT", "".join(f"{one}\r\n" for one in lines).encode() + b"END:VEVENT", 1
    )
    item = read(data)
    target = canonical(replace(item, components=(replace(item.main, **units), *item.components[1:])))  # type: ignore[arg-type]
    result = edit(data, target, Dress(), stamp=STAMP, quiet=True)
    assert read(result) == target
    return changed(data, result)


ZOOM, JITSI = "https://acme.zoom.us/j/1", "https://v.example/x"
NEW = "CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:"


@pytest.mark.parametrize(
    ("lines", "units", "gone", "came"),
    [
        ((), {"video_url": JITSI}, [], [f"{NEW}{JITSI}", f"URL:{JITSI}", f"LOCATION:{JITSI}"]),
        (("LOCATION:Lyon",), {"video_url": JITSI}, [], [f"{NEW}{JITSI}", f"URL:{JITSI}"]),
        (("URL:https://acme.example/",), {"video_url": JITSI}, [], [f"{NEW}{JITSI}", f"LOCATION:{JITSI}"]),
        ((f"URL:{ZOOM}",), {"video_url": JITSI}, [f"URL:{ZOOM}"], [f"URL:{JITSI}", f"{NEW}{JITSI}"]),
        (
            (f"CONFERENCE;X-A=1:{ZOOM}", f"LOCATION:{ZOOM}", f"URL:{ZOOM}"), {"video_url": JITSI},
            [f"CONFERENCE;X-A=1:{ZOOM}", f"LOCATION:{ZOOM}", f"URL:{ZOOM}"],
            [f"CONFERENCE;X-A=1:{JITSI}", f"LOCATION:{JITSI}", f"URL:{JITSI}"],
        ),
        (
            (f"CONFERENCE:{ZOOM}", f"LOCATION:{ZOOM}"), {"video_url": ""},
            [f"CONFERENCE:{ZOOM}", f"LOCATION:{ZOOM}"], [],
        ),
        (
            (f"CONFERENCE:{ZOOM}", f"LOCATION:{ZOOM}"), {"location": "Lyon"},
            [f"LOCATION:{ZOOM}"], ["LOCATION:Lyon"],
        ),
        (
            (f"CONFERENCE:{ZOOM}", f"LOCATION:A; {ZOOM}".replace(";", "\\;")), {"location": "B"},
            [f"LOCATION:A\\; {ZOOM}"], [f"LOCATION:B\\; {ZOOM}"],
        ),
        ((f"CONFERENCE:{ZOOM}", "LOCATION:Lyon"), {"location": ""}, ["LOCATION:Lyon"], []),
        (
            ("CONFERENCE;FEATURE=AUDIO:https://audio.example/1", f"CONFERENCE;FEATURE=VIDEO:{ZOOM}"),
            {"video_url": JITSI},
            [f"CONFERENCE;FEATURE=VIDEO:{ZOOM}"], [f"CONFERENCE;FEATURE=VIDEO:{JITSI}"],
        ),
        (("CONFERENCE;FEATURE=CHAT:https://c.test/1",), {"subject": "X"}, ["SUMMARY:Appel"], ["SUMMARY:X"]),
        ((f"LOCATION:{ZOOM}", f"DESCRIPTION:{ZOOM}"), {"busy": False}, [], ["TRANSP:TRANSPARENT"]),
    ],
)  # fmt: skip
def test_a_link_to_join_stands_where_clients_show_a_button_and_nowhere_else(
    lines: tuple[str, ...], units: dict[str, object], gone: list[str], came: list[str]
) -> None:
    went, arrived = written("radicale", *lines, **units)
    assert (sorted(went), sorted(arrived)) == (sorted(gone), sorted(came))
