"""Exchange's patterns and RRULE: both ways without loss, checked against an independent expansion."""

import itertools
from datetime import date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, event, example, given
from hypothesis import strategies as st

from connectors.calendar import When
from connectors.ews.calendar.composing import recurrence
from connectors.ews.calendar.parsing import _series
from connectors.ews.calendar.recurrence import (
    DAYS,
    LAST,
    WEEKEND,
    WORKDAYS,
    Inexpressible,
    Pattern,
    Series,
    Shape,
    index_of,
    place,
    rule_of,
    series_of,
    settled,
)
from connectors.ews.calendar.xml import t
from connectors.ical.values import read_rule

ZONES = ["Europe/Paris", "America/New_York", "Asia/Kolkata", "UTC"]
STARTS = st.dates(date(2001, 1, 1), date(2036, 12, 31))


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """Any pattern that Exchange has."""
    shape = draw(st.sampled_from(Shape))
    month = draw(st.integers(1, 12)) if shape in {Shape.YEARLY, Shape.YEARLY_BY_DAY} else 0
    if shape is Shape.DAILY:
        return Pattern(shape, draw(st.integers(1, 999)))
    if shape is Shape.WEEKLY:
        days = draw(st.sets(st.sampled_from(DAYS), min_size=1))
        first = draw(st.sampled_from(DAYS))
        return Pattern(shape, draw(st.integers(1, 99)), tuple(day for day in DAYS if day in days), first)
    interval = 1 if month else draw(st.integers(1, 99))
    if shape in {Shape.MONTHLY, Shape.YEARLY}:
        longest = 29 if month == 2 else 30 if month in {4, 6, 9, 11} else 31
        return Pattern(shape, interval, day=draw(st.integers(1, longest)), month=month)
    group = draw(st.sampled_from([DAYS, WORKDAYS, WEEKEND, *((day,) for day in DAYS)]))
    return Pattern(shape, interval, group, index=draw(st.sampled_from([1, 2, 3, 4, LAST])), month=month)


@st.composite
def series(draw: st.DrawFn) -> tuple[Series, When]:
    """A series that begins with an occurrence, and its start."""
    pattern, day = draw(patterns()), draw(STARTS)
    origin = day
    if pattern.month:
        day = day.replace(month=pattern.month, day=1)
    for _ in range(800):
        if place(pattern, day, day):
            break
        day += timedelta(days=1)
    assume(place(pattern, day, day) and abs((day - origin).days) < 800)
    end, count = None, None
    match draw(st.integers(0, 2)):
        case 1:
            count = draw(st.integers(1, 999))
        case 2:
            end = day + timedelta(days=draw(st.integers(0, 4000)))
    if draw(st.booleans()):
        start = When(day)
    else:
        clock = draw(st.times()).replace(microsecond=0, fold=0)
        start = When(datetime.combine(day, clock), draw(st.sampled_from(ZONES)))
    return settled(Series(pattern, day, end, count)), start


@given(series())
def test_a_series_of_exchange_survives_the_way_through_a_rule(found: tuple[Series, When]) -> None:
    made, start = found
    rule = rule_of(made, start)
    assert read_rule(rule, start) == rule, "the rule is in its one form"
    event(made.pattern.shape.value)
    back = series_of(rule, start)
    if made.pattern.shape is Shape.YEARLY and made.pattern.month == 2 and made.pattern.day == 29:
        assert back.pattern.day == 29
    assert back == made


@given(series())
@example(
    (
        Series(Pattern(Shape.MONTHLY_BY_DAY, 2, DAYS, index=1), date(2001, 1, 1), None, None),
        When(date(2001, 1, 1)),
    )
)
def test_a_series_of_exchange_survives_the_way_through_xml(found: tuple[Series, When]) -> None:
    made, _ = found
    assert _series(t("CalendarItem", None, recurrence(made))) == made


@given(series())
def test_a_rule_gives_the_days_that_the_pattern_says(found: tuple[Series, When]) -> None:
    made, start = found
    days = itertools.islice(_days(made), 40)
    rule = rule_of(made, start)
    local = (
        start.local
        if isinstance(start.local, datetime)
        else datetime.combine(start.local, datetime.min.time())
    )
    parts = [part for part in rule.split(";") if not part.startswith("UNTIL=")]
    expanded = iter(rrulestr(";".join(parts), dtstart=local))
    for number, day in enumerate(days, 1):
        assert next(expanded).date() == day
        assert number > 12 or index_of(made, day) == number


def _days(made: Series) -> itertools.chain[date]:
    def walk() -> itertools.chain[date]:
        found: list[date] = []
        day = made.start
        while len(found) < 40 and day < made.start + timedelta(days=365 * 12) and day.year < 2060:
            if made.end is not None and day > made.end:
                break
            if place(made.pattern, made.start, day):
                found.append(day)
                if made.count is not None and len(found) == made.count:
                    break
            day += timedelta(days=1)
        return itertools.chain(found)

    return walk()


RULES = [
    ("FREQ=WEEKLY", date(2026, 12, 1)),
    ("FREQ=MONTHLY", date(2026, 12, 1)),
    ("FREQ=YEARLY", date(2026, 12, 1)),
    ("FREQ=YEARLY;INTERVAL=2", date(2026, 12, 1)),
    ("FREQ=YEARLY;INTERVAL=8", date(2026, 12, 1)),
    ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", date(2026, 12, 1)),
    ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=1", date(2026, 12, 1)),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", date(2026, 12, 31)),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", date(2027, 2, 28)),
    ("FREQ=DAILY;UNTIL=99991231T235959Z", date(2026, 12, 1)),
    ("FREQ=WEEKLY;BYDAY=MO,TU,WE;INTERVAL=3;WKST=SU", date(2026, 12, 1)),
]


@pytest.mark.parametrize(("rule", "day"), RULES)
def test_a_rule_in_other_words_gives_the_same_days(rule: str, day: date) -> None:
    start = When(datetime.combine(day, datetime.min.time()), "Europe/Paris")
    made = series_of(read_rule(rule, start), start)
    assert isinstance(start.local, datetime)
    expanded = rrulestr(rule.partition(";UNTIL")[0], dtstart=start.local)
    assert [one.date() for one in itertools.islice(expanded, 20)][: len(list(_days(made))[:20])] == list(
        _days(made)
    )[:20]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYDAY=5TU",
        "FREQ=MONTHLY;BYDAY=TU",
        "FREQ=MONTHLY;BYDAY=1TU,3TU",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1",
        "FREQ=YEARLY;BYMONTH=1,12",
        "FREQ=YEARLY;INTERVAL=9",
        "FREQ=YEARLY;BYWEEKNO=49",
        "FREQ=YEARLY;BYYEARDAY=335",
        "FREQ=DAILY;INTERVAL=1000",
        "FREQ=DAILY;COUNT=1000",
        "FREQ=DAILY;BYMONTH=12",
        "FREQ=DAILY;BYDAY=MO,TU;INTERVAL=2",
        "FREQ=WEEKLY;BYDAY=WE",
        "FREQ=WEEKLY;BYMONTH=12",
        "FREQ=DAILY;UNTIL=20261101T000000Z",
        "FREQ=DAILY\nFREQ=WEEKLY",
    ],
)
def test_what_exchange_has_no_pattern_for_is_refused_with_the_reason(rule: str) -> None:
    start = When(datetime(2026, 12, 1, 10), "Europe/Paris")  # noqa: DTZ001 - a Tuesday
    with pytest.raises(Inexpressible, match=r"[a-z]{3}"):
        series_of("\n".join(read_rule(one, start) for one in rule.split("\n")), start)


@given(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), st.data())
def test_any_rule_is_said_with_the_same_days_or_refused(freq: str, data: st.DataObject) -> None:
    day = data.draw(st.dates(date(2020, 1, 1), date(2030, 12, 31)))
    by = {
        "INTERVAL": st.integers(1, 14).map(str),
        "BYDAY": st.lists(
            st.sampled_from([*DAYS, "1MO", "2TU", "-1FR", "5SU"]), min_size=1, max_size=7, unique=True
        ).map(",".join),
        "BYMONTHDAY": st.lists(
            st.sampled_from([1, 15, 28, 29, 30, 31, -1]), min_size=1, max_size=4, unique=True
        ).map(lambda v: ",".join(map(str, v))),
        "BYMONTH": st.integers(1, 12).map(str),
        "BYSETPOS": st.sampled_from(["1", "2", "-1", "5"]),
        "WKST": st.sampled_from(DAYS),
        "COUNT": st.integers(1, 30).map(str),
    }
    chosen = data.draw(st.sets(st.sampled_from(sorted(by)), max_size=3))
    parts = [f"FREQ={freq}", *(f"{name}={data.draw(by[name])}" for name in sorted(chosen))]
    start = When(datetime.combine(day, datetime.min.time()), "Europe/Paris")
    rule = read_rule(";".join(parts), start)
    try:
        made = series_of(rule, start)
    except Inexpressible:
        event("refused")
        return
    event("said")
    assert isinstance(start.local, datetime)
    last = min(made.start.year + 6, 2036)
    wanted: list[date] = []
    for one in rrulestr(rule, dtstart=start.local):
        if len(wanted) == 30 or one.year > last:
            break
        wanted.append(one.date())
    found = [one for one in itertools.islice(_days(made), 30) if one.year <= last]
    assert found == wanted[: len(found)]
    assert len(found) == len(wanted)
