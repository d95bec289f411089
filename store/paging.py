"""What every list of records does: look for a text, take one page, count the rest."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import Session

from store.report_rows import Query

Columns = TypeVarTuple("Columns")

MOST = 1000  # rows of one page


def like(query: Query, *columns: Any) -> ColumnElement[bool]:
    """Whether one of the columns holds the text, case ignored; true where no text is asked for."""
    if not query.text:
        return ~false()
    escaped = query.text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return or_(*(func.lower(column).like(f"%{escaped}%", escape="\\") for column in columns))


def page(rows: Select[*Columns], query: Query, *order: Any) -> Select[*Columns]:
    """The rows of one page, in that order."""
    return rows.order_by(*order).limit(min(query.limit, MOST)).offset(query.offset)


def total(session: Session, rows: Select[*Columns]) -> int:
    """How many rows there are on all pages."""
    return session.scalar(select(func.count()).select_from(rows.order_by(None).subquery())) or 0


def pairs(rows: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    """Rows of two columns, for a dict."""
    return ((key, value) for key, value in rows)


def grouped(rows: Iterable[Sequence[Any]]) -> dict[Any, tuple[Any, ...]]:
    """Rows of two columns: the second ones by the first."""
    found: dict[Any, list[Any]] = {}
    for key, value in rows:
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}
