"""The fields of products, orders and their lines that people may write."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from config.language import Phrase
from store.fields import Field, Kind
from store.readers import amount as money
from store.readers import choice, currency, day, lines, of_list, text, yes_or_no
from store.selling import DISCOUNTS, OrderState, Product, SalesOrder, SalesOrderLine

MOST_DECIMALS = 4
_LARGEST = Decimal("9999999999.9999")
_LARGEST_NUMBER = 10**9


def _exact(largest: Decimal, smallest: Decimal, what: str) -> Callable[[str], Decimal]:
    """A reader of decimals with up to four decimals."""

    def read(value: str) -> Decimal:
        plain = re.sub(r"[\s\u00a0\u202f]", "", value.removesuffix("%"))
        try:
            number = Decimal(plain.replace(",", ".")) if plain.count(",") <= 1 else None
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or not smallest <= number <= largest:
            raise ValueError(Phrase('"{value}" is no {what}', value=value[:20], what=what))
        if number != round(number, MOST_DECIMALS):
            raise ValueError(Phrase("has more than four decimals"))
        return round(number, MOST_DECIMALS)

    return read


price = _exact(_LARGEST, -_LARGEST, Phrase("price: write 1234.5678 or 1 234,5678"))
quantity = _exact(_LARGEST, -_LARGEST, Phrase("quantity: write 12 or 0.25"))
discount = _exact(Decimal(100), Decimal(0), Phrase("discount: a number from 0 to 100, in per cent"))


def whole(value: str) -> int:
    """A positive whole number."""
    if not value.isascii() or not value.isdecimal() or not 0 < int(value[:12]) < _LARGEST_NUMBER:
        raise ValueError(Phrase('"{value}" is no whole number above 0', value=value[:20]))
    return int(value)


_DISCOUNTS = tuple(Field(one, discount, one) for one in DISCOUNTS)

PRODUCTS = Kind(
    "products",
    "product",
    Product,
    (
        Field("code", text, "code", required=True),
        Field("name", text, "name", required=True),
        Field("price", price, "price"),
        Field("unit", text, "unit"),
        Field("active", yes_or_no, "active", empty=True),
    ),
    (),
)
ORDERS = Kind(
    "orders",
    "sales_order",
    SalesOrder,
    (
        Field("number", whole, "number"),
        Field("year", whole, "year"),
        Field("reference", text, "reference"),
        Field("date", day, "date"),
        Field("expected_date", day, "expected_date"),
        Field(
            "state",
            choice(
                OrderState,
                {
                    "brouillon": OrderState.DRAFT,
                    "confirmée": OrderState.CONFIRMED,
                    "annulée": OrderState.CANCELLED,
                },
            ),
            "state",
            empty=OrderState.DRAFT,
        ),
        Field("status", of_list, "status_id", listed=True),
        Field("total", money, "total"),
        *_DISCOUNTS,
        Field("currency", currency, "currency"),
        Field("comment", lines, "comment"),
        Field("internal_comment", lines, "internal_comment"),
    ),
    ("account", "account_id", "contact", "contact_id", "opportunity", "opportunity_id", "owner", "owner_id"),
    frozenset({"rate_id"}),
)
ORDER_LINES = Kind(
    "order_lines",
    "sales_order_line",
    SalesOrderLine,
    (
        Field("position", whole, "position"),
        Field("description", text, "description"),
        Field("quantity", quantity, "quantity", required=True),
        Field("price", price, "price"),
        *_DISCOUNTS,
        Field("total", money, "total"),
    ),
    ("order", "order_id", "product", "product_id"),
)
