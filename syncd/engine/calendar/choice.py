"""Which calendars of a mailbox are meant, and how one is remembered."""

from collections.abc import Sequence

from connectors.calendar import CalendarInfo, Kind
from store.reconciling import CalendarRow
from store.sync_state import CollectionKind
from syncd.core.plan import Direction


def named(info: CalendarInfo, text: str) -> bool:
    """Whether the config means this calendar: by its name, its path, or its whole URL."""
    return _is_meant(info.name, info.ref, text)


def kept(row: CalendarRow, chosen: Sequence[tuple[str, Direction | None]] | None) -> bool:
    """Whether a calendar that the server does not list is still meant by the config, in which all are where
    `chosen` is None."""
    return chosen is None or any(_is_meant(row.name, row.ref, text) for text, _ in chosen)


def _is_meant(name: str, ref: str, text: str) -> bool:
    path = text.split("://", 1)[-1].partition("/")[2] if "://" in text else text
    return name == text or ref.strip("/") == path.strip("/")


def row_of(info: CalendarInfo, direction: Direction | None) -> tuple[str, str, CollectionKind, str]:
    """Ref, name, kind and direction, as `store.reconciling.select_calendars` takes them."""
    kind = CollectionKind.CALENDAR if Kind.EVENT in info.kinds else CollectionKind.TASKS
    return info.ref, info.name, kind, direction.value if direction else ""
