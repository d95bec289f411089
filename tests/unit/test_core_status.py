"""Table T1: the vectors, the grid, and the conflicts of its text counted by brute force."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import combinations, product

import pytest

from syncd.core.status import Age, Band, Status, deal_end, limits, months_before, ruling

A, P, D, I = Status  # noqa: E741 - Actif, Prospect, Délaissé, Inactif, as the table has them

VECTORS = """
V01 2026-11-22 2026-11-01 open                 -          A
V02 2026-11-22 2024-01-01 2026-11-22           -          A
V03 2026-11-22 2024-01-01 2026-08-22           -          A
V04 2026-11-22 2024-01-01 2026-08-21           -          D
V05 2026-11-22 2024-01-01 2026-05-22           -          D
V06 2026-11-22 2024-01-01 2026-05-21           -          I
V07 2026-11-22 2024-01-01 open,2026-07-22      -          A
V08 2026-11-22 2024-01-01 2026-07-22           open       P
V09 2026-11-22 2024-01-01 2026-07-22           2026-10-22 P
V10 2026-11-22 2026-10-22 2026-07-22           -          P
V11 2026-11-22 2026-10-22 2024-11-22           -          P
V12 2026-11-22 2020-01-01 -                    open       P
V13 2026-11-22 2020-01-01 -                    2026-08-22 P
V14 2026-11-22 2020-01-01 -                    2026-06-22 D
V15 2026-11-22 2020-01-01 -                    2026-04-22 I
V16 2026-11-22 2026-11-22 -                    -          P
V17 2026-11-22 2026-08-23 -                    -          P
V18 2026-11-22 2026-08-22 -                    -          D
V19 2026-11-22 2026-05-22 -                    -          D
V20 2026-11-22 2026-05-21 -                    -          I
V21 2026-11-22 2026-07-22 2025-11-22           -          I
V22 2026-11-22 2020-01-01 2027-06-30           -          A
V23 2026-05-31 2020-01-01 2026-02-28           -          A
V24 2026-05-31 2020-01-01 2026-02-27           -          D
V25 2026-05-31 2025-11-30 -                    -          D
V26 2026-05-31 2025-11-29 -                    -          I
"""
GRID = """
AAA AAA AAA AAA AAA
AAA AAA AAA AAA AAA
PPP PPP PDD PDD PDD
PPP PPP PDD PII PII
PPP PPP PDD PII PDI
"""
LETTERS = {"A": A, "P": P, "D": D, "I": I}
BEST_FIRST = sorted(Band, reverse=True)


def ends(text: str) -> list[date | None]:
    if text == "-":
        return []
    return [None if one == "open" else date.fromisoformat(one) for one in text.split(",")]


def test_there_are_26_vectors() -> None:
    assert len(VECTORS.strip().splitlines()) == 26


@pytest.mark.parametrize("line", VECTORS.strip().splitlines(), ids=lambda line: line[:3])
def test_the_vectors_of_the_table(line: str) -> None:
    _, day, created, deals, opportunities, status = line.split()
    found = limits(date.fromisoformat(day)).judge(
        date.fromisoformat(created), ends(deals), ends(opportunities)
    )
    assert found.status is LETTERS[status]


def test_the_whole_grid() -> None:
    wanted = [row.split() for row in GRID.strip().splitlines()]
    found = [
        ["".join(ruling(deal, opp, age).status.name[0] for age in Age) for opp in BEST_FIRST]
        for deal in BEST_FIRST
    ]
    assert found == [[cell.translate(str.maketrans("D", "N")) for cell in row] for row in wanted]


def test_each_row_of_the_table_decides_as_many_of_the_75_as_it_says() -> None:
    rows = Counter(ruling(*case).row for case in product(Band, Band, Age))
    assert rows == {1: 30, 2: 18, 3: 9, 4: 10, 5: 1, 6: 3, 7: 4}
    statuses = {ruling(*case).row: ruling(*case).status for case in product(Band, Band, Age)}
    assert statuses == {1: A, 2: P, 3: P, 4: D, 5: D, 6: I, 7: I}


# The text itself, clause by clause, without the order that the table brings into it.

Bands = frozenset[Band]


def clauses(deals: Bands, opportunities: Bands, age: Age) -> set[Status]:
    """Every status that the words of S4:13 to 16 give, an open item counting as present."""
    alive, both = {Band.OPEN, Band.RECENT}, deals | opportunities
    said = set()
    if deals & alive:
        said.add(A)
    if (not deals & alive and opportunities & alive) or age is Age.NEW:
        said.add(P)
    if Band.MIDDLE in both or (not both and age is Age.MIDDLE):
        said.add(D)
    if not both & {Band.OPEN, Band.RECENT, Band.MIDDLE} or (not both and age is Age.OLD):
        said.add(I)
    return said


def cases() -> Iterator[tuple[Bands, Bands, Age]]:
    bands = [band for band in Band if band is not Band.NONE]
    sets = [frozenset(some) for size in range(5) for some in combinations(bands, size)]
    yield from product(sets, sets, Age)


def decided(deals: Bands, opportunities: Bands, age: Age) -> Status:
    return ruling(max(deals, default=Band.NONE), max(opportunities, default=Band.NONE), age).status


def test_the_text_covers_all_768_cases_and_contradicts_itself_in_as_many_as_are_told() -> None:
    every = list(cases())
    assert len(every) == 768
    assert all(clauses(*case) for case in every)
    conflicts = Counter(
        pair for case in every for pair in combinations(Status, 2) if {*pair} <= clauses(*case)
    )
    assert conflicts == {(A, P): 192, (A, D): 432, (P, D): 264, (P, I): 4, (D, I): 1}


def test_the_table_says_what_the_text_says_the_liveliest_of_what_it_says() -> None:
    order = list(Status)
    for case in cases():
        assert decided(*case) is min(clauses(*case), key=order.index), case


def test_three_cases_are_inactive_though_created_less_than_six_months_ago() -> None:
    inactive = [case for case in cases() if row_of(case) == 6]
    assert len(inactive) == 3
    assert {age for _, _, age in inactive} == {Age.MIDDLE}


def row_of(case: tuple[Bands, Bands, Age]) -> int:
    deals, opportunities, age = case
    return ruling(max(deals, default=Band.NONE), max(opportunities, default=Band.NONE), age).row


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        ("2026-05-31", 3, "2026-02-28"),
        ("2024-05-31", 3, "2024-02-29"),
        ("2024-05-29", 3, "2024-02-29"),
        ("2026-05-29", 3, "2026-02-28"),
        ("2026-05-31", 6, "2025-11-30"),
        ("2024-08-31", 6, "2024-02-29"),
        ("2026-03-31", 3, "2025-12-31"),
        ("2024-02-29", 6, "2023-08-29"),
        ("2026-01-15", 6, "2025-07-15"),
        ("0001-03-15", 3, "0001-01-01"),
        ("9999-12-31", 6, "9999-06-30"),
    ],
)
def test_months_end_with_their_last_day(day: str, months: int, before: str) -> None:
    assert months_before(date.fromisoformat(day), months) == date.fromisoformat(before)


def test_a_deal_ends_when_it_is_closed_unless_it_ended_before() -> None:
    early, late = date(2026, 1, 1), date(2026, 6, 1)
    assert deal_end(late, early) == deal_end(early, late) == deal_end(early, None) == early
    assert deal_end(None, early) == early
    assert deal_end(None, None) is None
