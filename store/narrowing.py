"""What narrows and sorts the lists of records that have an owner, a status and a day of change."""

from collections.abc import Sequence
from typing import Any, TypeVarTuple

from sqlalchemy import Select

from config.language import Phrase
from config.words import noun_word
from store.base import Base
from store.errors import Invalid
from store.report_rows import Query

Columns = TypeVarTuple("Columns")

# By what each kind can be sorted, beside the order that its list has by itself.
SORTED: dict[str, Sequence[str]] = {
    "account": ("name", "city", "created_on", "status_since", "updated_at"),
    "contact": ("last_name", "updated_at"),
    "project": ("name", "start_date", "end_date", "updated_at"),
    "deal": ("title", "amount", "start_date", "end_date", "closed_on", "updated_at"),
    "opportunity": ("title", "total", "probability", "expected_close", "closed_on", "updated_at"),
    "product": ("code", "name", "price", "updated_at"),
    "sales_order": ("date", "total", "expected_date", "number", "updated_at"),
}


def narrowed(rows: Select[*Columns], model: type[Base], query: Query) -> Select[*Columns]:
    """Only the rows of that owner, in that status, changed since then. Raises Invalid."""
    return rows.where(*conditions(model, query))


def conditions(model: type[Base], query: Query) -> list[Any]:
    """The same as conditions."""
    table, name, found = model.__table__, model.__tablename__, []
    if query.owner is not None:
        if "owner_id" not in table.c:
            raise Invalid(Phrase("--owner: a {name} has none", name=noun_word(name)))
        found.append(table.c.owner_id == query.owner)
    for column, values in query.items:
        if column not in table.c:
            field = column.removesuffix("_id")
            raise Invalid(Phrase("a {name} has no {field}", name=noun_word(name), field=field))
        found.append(table.c[column].in_(values))
    if query.changed_since is not None:
        found.append(table.c.updated_at >= query.changed_since)
    return found


def order(model: type[Base], query: Query, *usual: Any) -> tuple[Any, ...]:
    """How the rows are sorted: as asked for, else as usual. Raises Invalid."""
    if query.sort is None:
        return usual
    table = model.__table__
    known = SORTED.get(model.__tablename__, ())
    if query.sort.column not in known:
        raise Invalid(
            Phrase("--sort: by {known}; with - before it the other way round", known=", ".join(known))
        )
    column = table.c[query.sort.column]
    turned = column.desc() if query.sort.descending else column.asc()
    # Only where something can be empty: an index has no such order on SQLite.
    last = table.c.id.desc() if query.sort.descending else table.c.id.asc()
    return (turned.nulls_last() if column.nullable else turned, last)
