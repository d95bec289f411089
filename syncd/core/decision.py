"""The words of a plan: one pair of an event or task on both sides, and what is decided about it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from connectors.calendar import Item
from syncd.core.canonical import Unit
from syncd.core.conflicts import UnitConflict


class Action(StrEnum):
    """What is to be done, one a row of T4."""

    NOTHING = "nothing"
    PUSH = "push"  # row 2
    PULL = "pull"  # rows 3, 14, 16
    MERGE = "merge"  # rows 4, 6
    ADOPT = "adopt"  # row 5: both sides hold what they must; only the bases move
    DELETE_REMOTE = "delete_remote"  # row 7
    HIDE = "hide"  # row 7: gone in the CRM, left alone at the server
    CANCEL_CRM = "cancel_crm"  # row 8
    RESTORE_CRM = "restore_crm"  # row 9
    RECREATE_REMOTE = "recreate_remote"  # row 10
    DROP = "drop"  # row 11: forget the binding
    CREATE_REMOTE = "create_remote"  # row 12
    CREATE_CRM = "create_crm"  # rows 13, 14
    RELINK = "relink"  # row 13: known already, by its UID or the CRM's id
    ECHO = "echo"  # row 19


class Role(StrEnum):
    """Whose content this copy holds."""

    ORGANIZER = "organizer"  # this mailbox's owner: the organizer, or the owner of what is nobody's meeting
    ATTENDEE = "attendee"  # somebody whose calendar the CRM does not write


class Direction(StrEnum):
    """Which side's changes count (R105); the values are those of the config."""

    BOTH = "both"
    TO_CRM = "to-crm"
    TO_REMOTE = "to-remote"


@dataclass(frozen=True, slots=True)
class Pair:
    """One item on both sides, and what each side was when they were last in step.

    `crm` or `remote` None: deleted, or never there. Both bases None: never linked. `base_remote` None beside
    a `base_crm`: the CRM knows that it was deleted there. `base_crm` None beside a `base_remote`: it is
    hidden in the CRM.
    """

    base_crm: Item | None
    base_remote: Item | None
    crm: Item | None
    remote: Item | None
    role: Role = Role.ORGANIZER
    direction: Direction = Direction.BOTH
    dress_changed: bool = False  # what the CRM adds to an item on its way out (`Dress`) is another one now
    crm_changed_at: datetime | None = None
    remote_changed_at: datetime | None = None
    version_changed: bool = False  # the server calls it another version than the one last seen

    @property
    def linked(self) -> bool:
        """Whether they were ever in step."""
        return self.base_crm is not None or self.base_remote is not None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one pair."""

    action: Action
    row: int  # of T4
    reason: str  # one plain sentence
    crm: Item | None = None  # what the CRM must hold; None: leave it
    remote: Item | None = None  # what the server must hold; None: leave it, or delete it (DELETE_REMOTE)
    conflicts: tuple[
        UnitConflict, ...
    ] = ()  # an open one (MANUAL) is told again in every cycle: store it once
    held: frozenset[tuple[str, Unit]] = frozenset()  # of the open ones
