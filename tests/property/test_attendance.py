"""Attendance reports and call records: what is written comes back, and hostile bytes do no harm."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from connectors import moments
from connectors.attendance.headings import COLUMNS
from connectors.attendance.model import AttendanceReport, Attended, Provider, Visit, presence
from connectors.attendance.reading import read
from connectors.calls import reading as calls
from connectors.calls.headings import HEADINGS
from connectors.calls.model import Switchboard
from connectors.errors import BadFile
from syncd.core.calls import international
from syncd.core.meetings.attendance import held, who_came
from syncd.core.meetings.belonging import Candidate, meeting_of
from syncd.core.meetings.people import Participant
from tests import reports

PARIS = ZoneInfo("Europe/Paris")
ZONES = [PARIS, ZoneInfo("UTC"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")]
BOARD = Switchboard(PARIS, own=frozenset({"0123456700"}), prefix="0")
REAL = [
    *(reports.utf16(*reports.teams(language)) for language in reports.TEAMS),
    reports.ZOOM.encode(),
    reports.ZOOM_FRENCH.encode("cp1252"),
    reports.WEBINAR.encode(),
    reports.utf16(*reports.OLD_LIST),
    reports.utf16(*reports.OLD_LIST_FRENCH),
    reports.utf16(*reports.LIST_OF_2021),
]
CALLS = [reports.MASTER.encode(), reports.FREEPBX.encode(), reports.THREECX.encode()]
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def damaged(draw: st.DrawFn, whole: Sequence[bytes]) -> bytes:
    """A real file that was cut, had octets changed, or a piece of another put into it."""
    content = bytearray(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        match draw(st.sampled_from(["cut", "change", "insert", "double", "drop"])):
            case "cut":
                del content[place:]
            case "change" if content:
                content[place] = draw(st.integers(0, 255))
            case "insert":
                content[place:place] = draw(st.binary(max_size=12))
            case "double":
                content[place:place] = content[place : place + 200]
            case "drop":
                del content[place : place + draw(st.integers(1, 60))]
            case _:
                pass
    return bytes(content)


WORDS = [word.lstrip("*") for words in COLUMNS.values() for word in words]
CELL = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(
        ["Name", "Join Time", "Leave Time", "Duration (Minutes)", "2. Participants", "3. X", "Yes"]
    ),
    st.sampled_from(
        ["03/04/2026 14:00", "4/3/26, 2:00 PM", "2026-10-25 02:30:00Z", "31.12.2199 23:59", "9:00"]
    ),
    st.sampled_from(["1h 2m", "61", "99999999", "01:02:03", "=1+1", "bob@globex.example", "", "--", '"']),
    st.text(max_size=8),
)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """Rows of headings, dates, lengths and anything else, in any order."""
    rows = draw(st.lists(st.lists(CELL, max_size=7), max_size=14))
    separator = draw(st.sampled_from("\t;,"))
    text = "\n".join(separator.join(row) for row in rows)
    return text.encode(draw(st.sampled_from(["utf-8", "utf-16", "utf-16-le"])), "replace")


def check(found: Sequence[AttendanceReport]) -> None:
    """What holds of any report that was read."""
    assert 1 <= len(found) <= 2
    for report in found:
        assert report.people
        times = [report.started, report.ended]
        times += [at for one in report.people for at in (one.first_join, one.last_leave)]
        times += [at for one in report.people for visit in one.visits for at in (visit.join, visit.leave)]
        assert len({at.tzinfo for at in times if at}) <= 1
        for one in report.people:
            assert one.seconds >= 0
            assert one.name.isprintable() or " " in one.name
            assert "\0" not in one.name + one.email
            assert one.email == one.email.lower()
        for zone in ZONES:
            aware = report.in_zone(zone)
            assert not aware.zone_unknown
            talk = held(aware)
            assert talk is None or talk.ended is None or talk.ended > talk.started
            who_came((Participant("1", ("bob@globex.example",), "Bob Martin"),), aware)
    start = datetime(2026, 4, 3, 12, tzinfo=UTC)
    meeting_of(found, PARIS, [Candidate(1, "Name", start, start + timedelta(hours=1), "", ())])


def harmless(content: bytes) -> None:
    try:
        found = read(content, "Point.csv")
    except BadFile as error:
        event("refused: " + str(error).rpartition("line ")[2][:40].lstrip("0123456789: "))
        return
    event("read")
    check(found)


@FEW
@given(st.binary(max_size=600))
def test_no_bytes_do_harm(content: bytes) -> None:
    harmless(content)


@FEW
@given(tables())
def test_no_rows_do_harm(content: bytes) -> None:
    harmless(content)


@settings(FEW, max_examples=400)
@given(damaged(REAL))
def test_no_damaged_report_does_harm(content: bytes) -> None:
    harmless(content)


def calls_harmless(content: bytes) -> None:
    try:
        found = calls.read(content, "calls.csv", BOARD)
    except BadFile as error:
        event("refused: " + str(error).rpartition("line ")[2][:40].lstrip("0123456789: "))
        return
    event("read")
    assert len({record.unique_id for record in found.records}) == len(found.records)
    for record in found.records:
        assert record.number
        assert not BOARD.is_own(record.number)
        assert record.started.tzinfo is UTC
        assert record.seconds >= 0
        assert record.answered or record.seconds == 0


@settings(FEW, max_examples=300)
@given(damaged(CALLS))
def test_no_damaged_call_record_does_harm(content: bytes) -> None:
    calls_harmless(content)


CALL_CELL = st.one_of(CELL, st.sampled_from([word for words in HEADINGS.values() for word in words]),
                      st.sampled_from(["201", "0145678901", "<201>", "inbound", "ANSWERED"]))  # fmt: skip


@FEW
@given(st.lists(st.lists(CALL_CELL, max_size=6), max_size=8), st.binary(max_size=300))
def test_no_rows_of_calls_do_harm(rows: list[list[str]], tail: bytes) -> None:
    text = "\n".join(",".join(row) for row in [["src", "dst", "calldate", "billsec"], *rows])
    calls_harmless(text.encode("utf-8", "replace"))
    calls_harmless(tail)


@FEW
@given(st.text(max_size=60))
def test_no_text_is_a_harmful_date_length_or_number(text: str) -> None:
    moments.moment(text)
    length = moments.seconds(text)
    assert length is None or 0 <= length <= moments.TOO_LONG
    number = international(text, "FR")
    assert number == international(number, "US") or not number


# --- what is written comes back ---------------------------------------------------------------------------

WALL = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)
FORMS: Sequence[tuple[str, Callable[[datetime], str]]] = [
    ("fr", lambda at: f"{at:%d/%m/%Y %H:%M:%S}"),
    ("fr", lambda at: f"{at:%d/%m/%Y à %H:%M:%S}"),
    ("de", lambda at: f"{at:%d.%m.%y, %H:%M:%S}"),
    ("es", lambda at: f"{at.day}/{at.month}/{at:%y, %H:%M:%S}"),
    ("pt", lambda at: f"{at:%d/%m/%Y %H:%M:%S}"),
    ("en", lambda at: f"{at:%Y-%m-%d %H:%M:%S}"),
    ("en", lambda at: f"{at.month}/{at.day}/{at:%y}, {at.hour % 12 or 12}:{at:%M:%S} {at:%p}"),
]


def length(span: timedelta) -> str:
    hours, rest = divmod(int(span.total_seconds()), 3600)
    return f"{hours}h {rest // 60}m {rest % 60}s"


@settings(FEW, max_examples=300)
@given(st.sampled_from(range(len(FORMS))), WALL, st.lists(st.integers(60, 7000), min_size=5, max_size=5))
@example(6, datetime(2026, 3, 4, 14, 0), [60] * 5)  # noqa: DTZ001
def test_what_teams_wrote_comes_back(form: int, start: datetime, gaps: list[int]) -> None:
    language, write = FORMS[form]
    steps = [start]
    for gap in gaps:
        steps.append(steps[-1] + timedelta(seconds=gap))
    bob = steps[1:5]
    lines = reports.teams(
        language,
        start=write(start),
        end=write(steps[5]),
        bob=(write(bob[0]), write(bob[1]), write(bob[2]), write(bob[3])),
        lengths=(
            length(steps[5] - start),
            length(bob[3] - bob[0]),
            length(bob[1] - bob[0]),
            length(bob[3] - bob[2]),
        ),
    )
    found = read(reports.utf16(*lines), "report.csv")
    event(f"{len(found)} readings")
    (report,) = [one for one in found if one.started == start]
    assert report.ended == steps[5]
    claire, guest = report.people
    assert claire.seconds == (steps[5] - start).total_seconds()
    assert guest.visits == tuple(
        Visit(a, b, int((b - a).total_seconds())) for a, b in ((bob[0], bob[1]), (bob[2], bob[3]))
    )
    if len(found) == 2:
        assert start.day <= 12
        assert "M" in write(start)


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), max_size=4)


@settings(FEW, max_examples=300)
@given(st.lists(SPANS, max_size=4))
def test_the_talk_is_from_the_first_to_the_last_minute_that_two_were_there(
    people: list[list[tuple[int, int]]],
) -> None:
    zero = datetime(2026, 11, 22, 14, tzinfo=UTC)
    attended = []
    there = [0] * 60
    for spans in people:
        visits = [
            Visit(zero + timedelta(minutes=a), zero + timedelta(minutes=a + n)) for a, n in spans
        ]  # fmt: skip
        own = {minute for a, n in spans for minute in range(a, a + n)}
        for minute in own:
            there[minute] += 1
        assert (presence(visits) or 0) == 60 * len(own)
        if visits:
            first, last = min(one.join for one in visits), max(one.leave for one in visits if one.leave)
            attended.append(Attended("x", "", first, last, 60 * len(own), visits=tuple(visits)))
    talk = held(AttendanceReport(Provider.TEAMS, "", "", zero, None, tuple(attended)))
    busy = [minute for minute, count in enumerate(there) if count >= 2]
    if not busy:
        assert talk is None
    else:
        assert talk is not None
        assert talk.started == zero + timedelta(minutes=busy[0])
        assert talk.ended == zero + timedelta(minutes=busy[-1] + 1)


def test_each_damage_is_there_both_refused_and_read() -> None:
    assert all(read(content, "x") for content in REAL)
    with pytest.raises(BadFile):
        read(REAL[0][:301], "x")
    assert all(calls.read(content, "x", BOARD).records for content in CALLS)
