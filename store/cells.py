"""How a value of the CRM stands in a cell of text, so that `store.readers` reads the same value again."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from store.readers import Value


def as_text(value: Value) -> str:
    """The text of a value; empty for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return str(value).replace("\0", "")


def stands_for(written: str, value: Value) -> bool:
    """Whether a stripped cell says what a value is already: then nothing of it is to be read or checked."""
    return written == as_text(value).strip()
