"""Fields of the company's own (R055), value lists (R054) and settings of the other fields (R053): what is
stored of them, and what values they take.

The tables say what was applied (`store.field_config`), whatever the config file says by now. A value is kept
in the column of its type, so that it can be indexed and compared on either database.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Dialect,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    delete,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from config.language import Phrase
from store.base import Base, EnumText
from store.database import bulk
from store.ledger import chunked
from store.readers import Value, day, text, yes_or_no

PREFIX = "Z_"
LONGEST_TEXT = 500  # characters
DECIMALS = 4
SCALE = Decimal(10) ** DECIMALS
LARGEST = Decimal(10) ** 14
HUNDRED = Decimal(100)
BETWEEN = "|"  # the codes of a multi_list, in files and where values are compared


class FieldType(Enum):
    """What a field holds."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    PERCENTAGE = "percentage"
    DATE = "date"
    CHECKBOX = "checkbox"
    VALUE_LIST = "value_list"
    MULTI_LIST = "multi_list"


LISTS = frozenset({FieldType.VALUE_LIST, FieldType.MULTI_LIST})
NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.PERCENTAGE})


class Exact(TypeDecorator[Decimal]):
    """A number of four decimals, kept as an integer: SQLite knows no decimals, and both compare integers."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value * SCALE)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / SCALE


class ValueListItem(Base):
    """One value of a list. What records use is never deleted."""

    __tablename__ = "value_list_item"
    __table_args__ = (UniqueConstraint("list_code", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_code: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(40))
    label: Mapped[dict[str, str]] = mapped_column(JSON)
    order_: Mapped[int] = mapped_column("order")
    active: Mapped[bool] = mapped_column(Boolean)
    is_default: Mapped[bool] = mapped_column(Boolean)
    flag: Mapped[str | None] = mapped_column(String(24))  # open, won, lost: of statuses of opportunities
    branch_ids: Mapped[list[int]] = mapped_column(JSON, server_default="[]")  # who chooses it; none: all


class CustomFieldDef(Base):
    """A field of the company's own. One with values is never deleted."""

    __tablename__ = "custom_field_def"
    __table_args__ = (UniqueConstraint("entity", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entity: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(40))
    type: Mapped[FieldType] = mapped_column(EnumText(FieldType))
    label: Mapped[dict[str, str]] = mapped_column(JSON)
    list_code: Mapped[str | None] = mapped_column(String(40))
    required: Mapped[bool] = mapped_column(Boolean)
    order_: Mapped[int] = mapped_column("order")
    tab: Mapped[str | None] = mapped_column(String(80))
    active: Mapped[bool] = mapped_column(Boolean)


class CustomFieldValue(Base):
    """One value, in the column of its type; a multi_list has a row for each code."""

    __tablename__ = "custom_field_value"
    __table_args__ = (
        Index("ix_custom_field_value_record", "record_id", "def_id"),
        *(
            Index(f"ix_custom_field_value_{one}", "def_id", one, "record_id")
            for one in ("text", "number", "day", "flag")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    def_id: Mapped[int] = mapped_column(ForeignKey("custom_field_def.id"))
    record_id: Mapped[int]  # of the entity's table
    text: Mapped[str | None] = mapped_column(String(LONGEST_TEXT))
    number: Mapped[Decimal | None] = mapped_column(Exact())
    day: Mapped[date | None]
    flag: Mapped[bool | None] = mapped_column(Boolean)


class FieldSetting(Base):
    """What is different about a field that there is anyway."""

    __tablename__ = "field_setting"

    entity: Mapped[str] = mapped_column(String(40), primary_key=True)
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[dict[str, str]] = mapped_column(JSON)
    hidden: Mapped[bool] = mapped_column(Boolean)
    required: Mapped[bool] = mapped_column(Boolean)


@dataclass(frozen=True, slots=True)
class Item:
    """A value of a list."""

    code: str
    label: Mapping[str, str]
    active: bool


@dataclass(frozen=True)
class OwnField:
    """A field of the company's own, with the values that it takes."""

    id: int
    key: str
    type: FieldType
    label: Mapping[str, str]
    required: bool
    items: tuple[Item, ...]  # of a list, in their order

    def read(self, written: str) -> Value:
        """What the text of a cell stands for; codes of a multi_list are one text. Raises ValueError."""
        return READERS[self.type](self, written)

    def inactive(self, value: Value) -> list[str]:
        """The codes in it that can be chosen no more."""
        if self.type not in LISTS or not isinstance(value, str):
            return []
        gone = {one.code for one in self.items if not one.active}
        return [code for code in value.split(BETWEEN) if code in gone]

    @property
    def column(self) -> str:
        """The column of its values."""
        if self.type in NUMBERS:
            return "number"
        return {FieldType.DATE: "day", FieldType.CHECKBOX: "flag"}.get(self.type, "text")


def of_entity(session: Session, entity: str) -> list[OwnField]:
    """The fields of an entity that are in use, in their order."""
    d, i = CustomFieldDef, ValueListItem
    rows = session.scalars(select(d).where(d.entity == entity, d.active).order_by(d.order_, d.id)).all()
    codes = {one.list_code for one in rows if one.list_code is not None}
    items: dict[str, list[Item]] = {}
    if codes:
        for one in session.scalars(select(i).where(i.list_code.in_(codes)).order_by(i.order_, i.id)):
            items.setdefault(one.list_code, []).append(Item(one.code, one.label, one.active))
    return [
        OwnField(
            one.id, one.key, one.type, one.label, one.required, tuple(items.get(one.list_code or "", ()))
        )
        for one in rows
    ]


def values(session: Session, fields: Sequence[OwnField], ids: Iterable[int]) -> dict[int, dict[str, Value]]:
    """The values of some records, by id and key; those without one are left out."""
    by_id = {one.id: one for one in fields}
    found: dict[int, dict[str, Value]] = {}
    if not fields:
        return found
    v = CustomFieldValue
    for part in chunked(ids):
        rows = select(v.record_id, v.def_id, v.text, v.number, v.day, v.flag)
        wanted = rows.where(v.record_id.in_(part), v.def_id.in_(by_id)).order_by(v.id)
        for record_id, def_id, *columns in session.execute(wanted):
            field, mine = by_id[def_id], found.setdefault(record_id, {})
            value: Value = next((one for one in columns if one is not None), None)
            if field.type is FieldType.INTEGER and isinstance(value, Decimal):
                value = int(value)
            before = mine.get(field.key)
            mine[field.key] = f"{before}{BETWEEN}{value}" if before is not None else value
    return found


def put(session: Session, fields: Sequence[OwnField], rows: Mapping[int, Mapping[str, Value]]) -> None:
    """Writes values of records, by id and key; None takes one away. Others stay."""
    by_key = {one.key: one for one in fields}
    gone: dict[int, list[int]] = {}
    fresh: list[dict[str, object]] = []
    for record_id, given in rows.items():
        for key, value in given.items():
            field = by_key[key]
            gone.setdefault(field.id, []).append(record_id)
            fresh += [_row(field, record_id, one) for one in _single(field, value)]
    v = CustomFieldValue
    for def_id, ids in gone.items():
        for part in chunked(ids):
            session.execute(delete(v).where(v.def_id == def_id, v.record_id.in_(part)))
    for several in chunked(fresh, 2000):
        bulk(session, CustomFieldValue, several)


def _single(field: OwnField, value: Value) -> Sequence[Value]:
    if value is None:
        return ()
    if field.type is FieldType.MULTI_LIST and isinstance(value, str):
        return value.split(BETWEEN)
    return (Decimal(value),) if field.type is FieldType.INTEGER and isinstance(value, int) else (value,)


def _row(field: OwnField, record_id: int, value: Value) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(("text", "number", "day", "flag"))
    return row | {"def_id": field.id, "record_id": record_id, field.column: value}


def remove(session: Session, entity: str, ids: Sequence[int]) -> None:
    """Takes every value of some records away, those of fields out of use too."""
    defs = select(CustomFieldDef.id).where(CustomFieldDef.entity == entity)
    for part in chunked(ids):
        v = CustomFieldValue
        session.execute(delete(v).where(v.def_id.in_(defs), v.record_id.in_(part)))


# --- what a cell stands for ---------------------------------------------------------------------


def _text(_: OwnField, written: str) -> str:
    found = text(written)
    if len(found) > LONGEST_TEXT:
        raise ValueError(
            Phrase(
                "has {count} characters, at most {longest} are kept", count=len(found), longest=LONGEST_TEXT
            )
        )
    return found


def _number(written: str, places: int) -> Decimal:
    plain = "".join(one for one in written if not one.isspace()).replace(",", ".")
    try:
        number = Decimal(plain) if plain.isascii() and len(plain) <= 40 else None  # noqa: PLR2004
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or not -LARGEST < number < LARGEST:
        raise ValueError(Phrase('"{value}" is no number: write 1234.56 or 1 234,56', value=written[:20]))
    if number != round(number, places):
        what = (
            Phrase("a whole number is expected")
            if places == 0
            else Phrase("at most {most} decimals are kept", most=places)
        )
        raise ValueError(Phrase('"{value}": {what}', value=written[:20], what=what))
    return round(number, DECIMALS)


def _integer(_: OwnField, written: str) -> int:
    return int(_number(written, 0))


def _decimal(_: OwnField, written: str) -> Decimal:
    return _number(written, DECIMALS)


def _percentage(_: OwnField, written: str) -> Decimal:
    number = _number(written.removesuffix("%"), DECIMALS)
    if not 0 <= number <= HUNDRED:
        raise ValueError(Phrase("must be a number from 0 to 100"))
    return number


def _code(field: OwnField, written: str) -> str:
    """By its code, or by its label in any language, case ignored."""
    wanted = written.strip().casefold()
    for item in field.items:
        if wanted in {item.code.casefold(), *(one.casefold() for one in item.label.values())}:
            return item.code
    known = ", ".join(one.code for one in field.items if one.active)
    raise ValueError(
        Phrase('"{value}" is not in the list; accepted: {accepted}', value=written[:40], accepted=known)
    )


def _codes(field: OwnField, written: str) -> str | None:
    parts = written.replace(",", BETWEEN).replace(";", BETWEEN).split(BETWEEN)
    chosen = {_code(field, one) for one in parts if one.strip()}
    return BETWEEN.join(item.code for item in field.items if item.code in chosen) or None


READERS: Mapping[FieldType, Callable[[OwnField, str], Value]] = {
    FieldType.TEXT: _text,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
    FieldType.PERCENTAGE: _percentage,
    FieldType.DATE: lambda _, written: day(written),
    FieldType.CHECKBOX: lambda _, written: yes_or_no(written),
    FieldType.VALUE_LIST: _code,
    FieldType.MULTI_LIST: _codes,
}
