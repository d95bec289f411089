"""Who wins where both sides changed the same unit, and the record of what was decided. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from syncd.core.canonical import Json, Unit


class Winner(StrEnum):
    """Whose value counts where both sides changed the same unit in different ways."""

    REMOTE = "remote"  # what the user sees in their own client
    CRM = "crm"
    NEWEST = "newest"  # in a rule only: a conflict names the side
    MANUAL = "manual"  # nobody's yet: both sides keep theirs until a person decides


@dataclass(frozen=True, slots=True)
class Rules:
    """`calendar.conflict` of the config."""

    default: Winner = Winner.REMOTE
    by_unit: Mapping[Unit, Winner] = field(default_factory=dict)

    def of(self, unit: Unit) -> Winner:
        """The rule of that unit."""
        return self.by_unit.get(unit, self.default)


@dataclass(frozen=True, slots=True)
class UnitConflict:
    """Both sides changed the same thing.

    Values are of `value_json`, or of `component_json` where `unit` is None; None is what is not there.
    """

    key: str  # of the component; empty for the series or single event
    unit: Unit | None  # None: the whole component; with an empty key, the item
    base: Json
    crm: Json
    remote: Json
    winner: Winner  # REMOTE, CRM, or MANUAL while it is open
