"""Prices, discounts and what remains of them: exact decimals, rounded once at the end of each line.

A discount is in per cent of what the former ones leave: 10 and 10 leave 81. Halves are rounded away from
zero, as on invoices. Pure.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal

CENT = Decimal("0.01")
MOST = Decimal("999999999999.99")
# Enough for 14 digits times 14 times four factors of seven: nothing is rounded on the way.
_EXACT = Context(prec=80, rounding=ROUND_HALF_UP)


def cents(value: Decimal) -> Decimal:
    """Rounded to two decimals, halves away from zero."""
    return value.quantize(CENT, context=_EXACT)


def after(amount: Decimal, discounts: Iterable[Decimal | None]) -> Decimal:
    """What the discounts leave of an amount, not rounded."""
    for one in discounts:
        if one is not None:
            amount = _EXACT.multiply(amount, _EXACT.divide(_EXACT.subtract(Decimal(100), one), Decimal(100)))
    return amount


def line_total(quantity: Decimal, price: Decimal, discounts: Iterable[Decimal | None]) -> Decimal:
    """The total of a line of an order."""
    return cents(after(_EXACT.multiply(quantity, price), discounts))


def order_total(lines: Iterable[Decimal], discounts: Iterable[Decimal | None]) -> Decimal:
    """The total of an order: that of its lines as they are rounded, less its own discounts."""
    return cents(after(sum(lines, Decimal(0)), discounts))


def weighted(total: Decimal | None, probability: int | None) -> Decimal | None:
    """The total times its chance in per cent; None where either is not known."""
    if total is None or probability is None:
        return None
    return cents(_EXACT.divide(_EXACT.multiply(total, Decimal(probability)), Decimal(100)))
