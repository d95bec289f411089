"""What a cycle of calendars did, or would do."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from syncd.core.plan import Action


@dataclass(frozen=True, slots=True)
class Planned:
    """One line of a dry run, and of the list that waits for a release."""

    action: Action
    side: str  # where something is written: crm, remote, both, none
    calendar: str
    uid: str
    subject: str
    reason: str
    mailed: tuple[str, ...]

    def plain(self) -> Mapping[str, object]:
        """For JSON."""
        return {
            "action": self.action.value,
            "side": self.side,
            "calendar": self.calendar,
            "uid": self.uid,
            "subject": self.subject,
            "reason": self.reason,
            "mailed": list(self.mailed),
        }


@dataclass(slots=True)
class CalendarReport:
    """The outcome of one cycle of one mailbox's calendars."""

    actions: Counter[Action] = field(default_factory=Counter)
    pulled: int = 0  # records of the CRM that were made or changed
    pushed: int = 0  # items at the server that were made, changed or deleted
    conflicts: int = 0
    quarantined: int = 0
    planned: list[Planned] = field(default_factory=list)  # dry run and brake only
    braked: str | None = None  # why nothing was done
