"""What an item id addresses: an item, or one occurrence of a recurring master."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from xml.etree.ElementTree import Element

from tests.servers.ews.fields import Kind
from tests.servers.ews.model import Change, ExtendedPath, Item
from tests.servers.ews.xmlwork import read_moment
from tests.servers.ews.zones import UTC_ZONE, zone_of


@dataclass(frozen=True, slots=True)
class Target:
    """`original` is the occurrence's start by the master's pattern (UTC), None for the item itself."""

    item: Item
    original: datetime | None = None

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self.item.kind

    @property
    def change(self) -> Change | None:
        """The exception's own data, where the occurrence is one."""
        if self.original is None or self.item.series is None:
            return None
        return self.item.series.changed.get(self.original)

    @property
    def mime(self) -> bytes | None:
        """The message's bytes."""
        return self.item.mime

    def field(self, name: str) -> Element | None:
        """A stored field: an exception's own before its master's."""
        change = self.change
        if change is not None:
            if name in change.fields:
                return change.fields[name]
            if name in change.deleted_fields:
                return None
        if self.original is not None and name == "Recurrence":
            return None
        return self.item.fields.get(name)

    def text(self, name: str, default: str = "") -> str:
        """The text of a stored field."""
        found = self.field(name)
        return default if found is None else (found.text or "")

    def extended(self) -> dict[ExtendedPath, Element]:
        """Its extended properties."""
        change = self.change
        return self.item.extended if change is None else {**self.item.extended, **change.extended}

    @property
    def start(self) -> datetime:
        """When it starts, UTC."""
        change = self.change
        if change is not None and "Start" in change.fields:
            return read_moment(change.fields["Start"].text or "", UTC_ZONE)
        if self.original is not None:
            return self.original
        return read_moment(self.item.text("Start"), UTC_ZONE)

    @property
    def end(self) -> datetime:
        """When it ends, UTC."""
        change = self.change
        if change is not None and "End" in change.fields:
            return read_moment(change.fields["End"].text or "", UTC_ZONE)
        master_end = read_moment(self.item.text("End"), UTC_ZONE)
        if self.original is None:
            return master_end
        # By the clock of the series' zone, so that a night over a change of the clocks keeps its end.
        zone = zone_of(self.item.text("StartTimeZoneId"))
        length = _wall(master_end, zone) - _wall(read_moment(self.item.text("Start"), UTC_ZONE), zone)
        wall = self.original.astimezone(zone).replace(tzinfo=None) + length
        return wall.replace(tzinfo=zone).astimezone(UTC_ZONE)


def _wall(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
