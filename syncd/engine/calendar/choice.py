"""Which calendars of a mailbox are meant, and how one is remembered."""

from connectors.calendar import CalendarInfo, Kind
from store.sync_state import CollectionKind
from syncd.core.plan import Direction


def named(info: CalendarInfo, text: str) -> bool:
    """Whether the config means this calendar: by its name, its path, or its whole URL."""
    path = text.split("://", 1)[-1].partition("/")[2] if "://" in text else text
    return info.name == text or info.ref.strip("/") == path.strip("/")


def row_of(info: CalendarInfo, direction: Direction | None) -> tuple[str, str, CollectionKind, str]:
    """Ref, name, kind and direction, as `store.reconciling.select_calendars` takes them."""
    kind = CollectionKind.CALENDAR if Kind.EVENT in info.kinds else CollectionKind.TASKS
    return info.ref, info.name, kind, direction.value if direction else ""
