"""Discounts in exact decimals."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.discounts import line_total, order_total, weighted

PER_CENT = st.none() | st.decimals(0, 100, places=4)
LARGEST = Decimal("9999999999.9999")


@given(
    quantity=st.decimals(-LARGEST, LARGEST, places=4),
    price=st.decimals(-LARGEST, LARGEST, places=4),
    discounts=st.lists(PER_CENT, max_size=4),
)
def test_a_line_is_rounded_once_and_to_the_nearest_cent(
    quantity: Decimal, price: Decimal, discounts: list[Decimal | None]
) -> None:
    exact = Fraction(quantity) * Fraction(price)
    for one in discounts:
        exact *= 1 - Fraction(one or 0) / 100
    found = line_total(quantity, price, discounts)
    distance = abs(Fraction(found) - exact)
    assert distance <= Fraction(1, 200)
    if distance == Fraction(1, 200):
        assert abs(Fraction(found)) > abs(exact), "halves go away from zero"


@pytest.mark.parametrize(
    ("quantity", "price", "discounts", "total"),
    [
        ("3", "1.25", ["10"], "3.38"),  # 3.375
        ("-3", "1.25", ["10"], "-3.38"),
        ("1", "100", ["10", "10", None, "50"], "40.50"),
        ("1", "0.005", [], "0.01"),
        ("0.3333", "3", ["33.3333"], "0.67"),
        ("5", "20", ["100"], "0.00"),
    ],
)
def test_each_discount_is_of_what_the_former_ones_leave(
    quantity: str, price: str, discounts: list[str | None], total: str
) -> None:
    found = [None if one is None else Decimal(one) for one in discounts]
    assert str(line_total(Decimal(quantity), Decimal(price), found)) == total


def test_an_order_is_the_sum_of_its_rounded_lines_less_its_own_discounts() -> None:
    assert order_total([Decimal("3.38"), Decimal("10.00")], [Decimal(5)]) == Decimal("12.71")
    assert order_total([], [Decimal(5)]) == Decimal(0)


@given(st.decimals(-(10**12), 10**12, places=2), st.integers(0, 100))
def test_a_total_is_weighted_to_the_nearest_cent(total: Decimal, chance: int) -> None:
    exact = Fraction(total) * chance / 100
    expected = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(
        Decimal("0.01"), ROUND_HALF_UP
    )
    assert weighted(total, chance) == expected
    assert weighted(None, chance) is weighted(total, None) is None
