"""Conditions on the company's own fields, as people write them behind --where: `Z_x>=5`, `Z_x!=retail`."""

import operator
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.language import Phrase
from config.words import noun_word
from store import custom_fields
from store.custom_fields import CustomFieldValue, FieldType, OwnField
from store.errors import Invalid

_FORM = re.compile(r"(Z_[a-z0-9_]+)\s*(!=|>=|<=|=|>|<)\s*(.*)", re.DOTALL | re.IGNORECASE)
_ORDERED: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
UNORDERED = frozenset({FieldType.CHECKBOX, FieldType.VALUE_LIST, FieldType.MULTI_LIST})


def conditions(
    session: Session, entity: str, id_: InstrumentedAttribute[int], written: Sequence[str]
) -> list[ColumnElement[bool]]:
    """What the rows must fulfil. `Z_x=` asks for records without a value. Raises Invalid."""
    if not written:
        return []
    own = {one.key.lower(): one for one in custom_fields.of_entity(session, entity)}
    return [_condition(entity, own, id_, one) for one in written]


def _condition(
    entity: str, own: dict[str, OwnField], id_: InstrumentedAttribute[int], written: str
) -> ColumnElement[bool]:
    form = _FORM.fullmatch(written.strip())
    if form is None:
        raise Invalid(
            Phrase(
                '--where: "{written}" is no condition: write Z_field=value, also !=, <, <=, >, >=',
                written=written[:60],
            )
        )
    field = own.get(form[1].lower())
    if field is None:
        known = ", ".join(one.key for one in own.values()) or "none (`syncd fields apply`)"
        raise Invalid(
            Phrase(
                "--where: {form} is no field of {entity}; known: {known}",
                form=form[1],
                entity=noun_word(entity),
                known=known,
            )
        )
    v = CustomFieldValue
    mine = select(v.record_id).where(v.def_id == field.id)
    if not form[3]:
        if form[2] not in ("=", "!="):
            raise Invalid(Phrase("--where: {key}{form}: a value is expected", key=field.key, form=form[2]))
        return id_.in_(mine) if form[2] == "!=" else id_.not_in(mine)
    try:
        value = field.read(form[3])
    except ValueError as error:
        raise Invalid(Phrase("--where: {key}: {error}", key=field.key, error=error)) from None
    column = getattr(v, field.column)
    wanted = Decimal(value) if field.type is FieldType.INTEGER and isinstance(value, int) else value
    if form[2] in _ORDERED:
        if field.type in UNORDERED:
            raise Invalid(Phrase("--where: {key} can be compared with = and != only", key=field.key))
        return id_.in_(mine.where(_ORDERED[form[2]](column, wanted)))
    equal = id_.in_(mine.where(column == wanted))
    if field.type is FieldType.MULTI_LIST and isinstance(wanted, str):
        codes = wanted.split(custom_fields.BETWEEN)
        if len(codes) > 1:
            raise Invalid(
                Phrase("--where: {key}: one value at a time; give --where several times", key=field.key)
            )
    return equal if form[2] == "=" else ~equal
