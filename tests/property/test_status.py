"""Laws of the account status: one for every account and day, only going down while nothing is written."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.status import Age, Band, Ruling, Status, limits, months_before, ruling

DAYS = st.one_of(
    st.dates(date(2019, 1, 1), date(2030, 12, 31)),
    # Ends of months and the days beside them, February of leap years among them.
    st.builds(
        lambda year, month, step: date(year, month, 1) + timedelta(days=step),
        st.integers(2019, 2030),
        st.integers(1, 12),
        st.integers(-3, 1),
    ),
)
ENDS = st.lists(st.one_of(st.none(), DAYS), max_size=4)
ORDER = list(Status)


def rank(found: Ruling) -> int:
    return ORDER.index(found.status)


@given(DAYS, DAYS, ENDS, ENDS)
def test_while_nothing_is_written_a_status_only_goes_down(
    first: date, created: date, deals: list[date | None], opportunities: list[date | None]
) -> None:
    # Every step of the next year and a half: no item gets younger, and no band is livelier for it.
    found = [
        rank(limits(first + timedelta(days=days)).judge(created, deals, opportunities)) for days in range(550)
    ]
    assert found == sorted(found)


@given(DAYS, ENDS, ENDS, DAYS)
def test_what_has_ended_is_inactive_after_six_months_and_what_is_open_never(
    created: date, deals: list[date | None], opportunities: list[date | None], day: date
) -> None:
    known = limits(day)
    found = known.judge(created, deals, opportunities).status
    last = [one for one in (*deals, *opportunities, created) if one is not None]
    if None in deals:
        assert found is Status.ACTIVE
    elif None in opportunities:
        assert found in (Status.ACTIVE, Status.PROSPECT)
    else:
        assert (max(last) < known.middle) <= (found is Status.INACTIVE)


@given(DAYS, DAYS, ENDS, ENDS)
def test_only_the_item_that_ended_last_of_each_kind_counts(
    day: date, created: date, deals: list[date | None], opportunities: list[date | None]
) -> None:
    """So one row an account is enough to read."""

    def last(ends: list[date | None]) -> list[date | None]:
        known = [one for one in ends if one is not None]
        return [None] if None in ends else [max(known)] if known else []

    known = limits(day)
    assert known.judge(created, deals, opportunities) == known.judge(
        created, last(deals), last(opportunities)
    )


@given(DAYS, DAYS)
def test_every_day_is_in_exactly_one_band(day: date, other: date) -> None:
    known = limits(day)
    tests = {
        Band.OPEN: other > day,
        Band.RECENT: known.recent <= other <= day,
        Band.MIDDLE: known.middle <= other < known.recent,
        Band.OLD: other < known.middle,
    }
    assert [band for band, holds in tests.items() if holds] == [known.band([other])]
    ages = {
        Age.NEW: other > known.recent,
        Age.MIDDLE: known.middle <= other <= known.recent,
        Age.OLD: other < known.middle,
    }
    assert [age for age, holds in ages.items() if holds] == [known.age(other)]


@given(DAYS, st.integers(0, 240))
def test_months_earlier_is_the_same_day_of_the_month_or_its_last_one(day: date, months: int) -> None:
    before = months_before(day, months)
    assert (day.year - before.year) * 12 + day.month - before.month == months
    assert before.day == day.day or (before + timedelta(days=1)).day == 1
    assert months_before(day + timedelta(days=1), months) >= before


@given(st.sampled_from(Band), st.sampled_from(Band), st.sampled_from(Age))
def test_a_livelier_item_never_makes_a_duller_account_unless_it_is_the_first_and_old(
    deals: Band, opportunities: Band, age: Age
) -> None:
    found = rank(ruling(deals, opportunities, age))
    for better in Band:
        if better > deals:
            now = rank(ruling(better, opportunities, age))
            old_and_first = (deals, opportunities, better) == (Band.NONE, Band.NONE, Band.OLD)
            assert now <= found or (
                old_and_first and age is Age.MIDDLE
            )  # V21: not « sans affaires » any more
