"""The guards between a plan and its first write: the brake, the invitation firewall, the freeze of an item
that goes to and fro (design.md section 4.7, 4.8; table T4 row 18). Pure.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from connectors.calendar import Component, Item, Status
from syncd.core.canonical import Unit, changed_units, unanswered
from syncd.core.recurrence import Clock, Offset, last_end

GUESTS_CARE = frozenset(
    {Unit.TIMING, Unit.LOCATION, Unit.SUBJECT, Unit.NOTES, Unit.STATUS, Unit.ATTENDEES, Unit.VIDEO}
)
WHOLE_CALENDAR = 2  # items: that many gone at once, and none left, is never a person's doing


# --- the brake ------------------------------------------------------------------------------------


class Kind(StrEnum):
    """What a brake counts in one cycle of one mailbox."""

    DELETIONS = "deletions"  # at the server, or by the server: cancelled in the CRM
    CREATIONS = "creations"  # at the server
    CREATIONS_CRM = "creations_crm"  # in the CRM
    UPDATES = "updates"
    INVITATIONS = "invitations"  # people who would be mailed


@dataclass(frozen=True, slots=True)
class Limits:
    """`calendar.brake`: stop at `count` and above `percent` of what is mapped, both together."""

    count: int = 10
    percent: float = 30
    by_kind: Mapping[Kind, "Limits"] = field(default_factory=dict)  # kinds with limits of their own

    def of(self, kind: Kind) -> "Limits":
        """The limits of that kind."""
        return self.by_kind.get(kind, self)


@dataclass(frozen=True, slots=True)
class Stopped:
    """One reason not to write anything until a person releases the mailbox."""

    kind: Kind
    planned: int
    mapped: int
    reason: str  # one plain sentence


def brake(
    planned: Mapping[Kind, int], mapped: int, limits: Limits, *, first_sync: bool = False
) -> tuple[Stopped, ...]:
    """Why this plan must wait (T4 row 18); empty: it may go on. `mapped` is the number of linked items.

    A first sync may fill the CRM; it may not fill a calendar, nor mail people, unasked.
    """
    found = []
    for kind in Kind:
        count, own = planned.get(kind, 0), limits.of(kind)
        if kind is Kind.CREATIONS_CRM and (first_sync or not mapped):
            continue
        if count and count >= own.count and count * 100 > own.percent * mapped:
            reason = f"{count} {kind.value.replace('_crm', ' in the CRM')} planned, {mapped} items linked."
            found.append(Stopped(kind, count, mapped, reason))
    return tuple(found)


def enough(planned: Mapping[Kind, int], limits: Limits) -> int | None:
    """So many mapped items that `brake` stops none of this, and need not be told how many more there are;
    None where no number is enough."""
    most = 1
    for kind in Kind:
        count, own = planned.get(kind, 0), limits.of(kind)
        if count and count >= own.count:
            if own.percent <= 0:
                return None
            most = max(most, math.ceil(count * 100 / own.percent))
    return most


def everything_gone(gone: int, mapped: int) -> Stopped | None:
    """A calendar that was not empty and is now, all at once, stops the mailbox however few its items were.

    `gone` counts what is missing of the calendar's `mapped` items in this cycle.
    """
    if mapped < WHOLE_CALENDAR or gone < mapped:
        return None
    return Stopped(Kind.DELETIONS, gone, mapped, f"All {mapped} items of the calendar are gone at once.")


# --- the invitation firewall ----------------------------------------------------------------------


class Cause(StrEnum):
    """Why something is written to a server."""

    PERSON_EDIT = "person_edit"  # a person changed it in the CRM
    MERGE = "merge"  # a person changed it in the CRM, and the server's changes were merged in
    FIRST_SYNC = "first_sync"
    BACKFILL = "backfill"
    RETRY = "retry"
    UNDO = "undo"
    RECOVERY = "recovery"


class Policy(StrEnum):
    """`calendar.invitations` of a mailbox."""

    SEND = "send"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Mailing:
    """Whether the server may mail people about a write, and whom it would mail."""

    recipients: tuple[str, ...]  # who may be mailed: addresses, sorted
    reason: str  # one plain sentence
    notify: bool


@dataclass(frozen=True, slots=True)
class _Time:
    now: datetime
    floating: ZoneInfo
    offset_of: Offset | None

    def is_over(self, item: Item) -> bool:
        """Whether the last of it has ended."""
        end = last_end(item, floating=self.floating, offset_of=self.offset_of)
        return end is not None and end <= self.now

    def is_past(self, component: Component) -> bool:
        """Whether this one has ended."""
        end = component.timing.end or component.timing.start
        return end is not None and Clock(self.floating, self.offset_of).instant(end) <= self.now


def firewall(
    *,
    cause: Cause,
    policy: Policy,
    auto_schedule: bool,
    before: Item | None,
    after: Item | None,
    own: frozenset[str],
    now: datetime,
    floating: ZoneInfo,
    offset_of: Offset | None = None,
) -> Mailing:
    """Who may be mailed about a write that turns `before` (what the server holds; None: nothing) into `after`
    (None: it is deleted). `own` are the addresses of the mailbox, `floating` the zone of dates, `offset_of`
    the zones that only the item defines.

    A guest is mailed only for what a person changed in the CRM, that concerns guests, that is not over.
    """
    quiet = _why_nobody_may(cause, policy, auto_schedule)
    if quiet is None:
        quiet = _why_nobody_cares(before, after, own, _Time(now, floating, offset_of))
    if quiet is not None:
        return Mailing((), quiet, notify=False)
    recipients = tuple(sorted(_guests(before, own) | _guests(after, own)))
    if not recipients:
        return Mailing((), "Nobody else takes part.", notify=False)
    return Mailing(recipients, "A person changed in the CRM what concerns the guests.", notify=True)


def _why_nobody_may(cause: Cause, policy: Policy, auto_schedule: bool) -> str | None:
    if policy is Policy.NEVER:
        return "The mailbox never sends invitations."
    if cause not in {Cause.PERSON_EDIT, Cause.MERGE}:
        return "No person changed it in the CRM just now."
    return None if auto_schedule else "This server mails nobody by itself."


def _why_nobody_cares(
    before: Item | None, after: Item | None, own: frozenset[str], time: _Time
) -> str | None:
    main = after or before
    if main is None:
        return "Nothing is written."
    if not any(one.organizer in own for one in main.components):
        return "Somebody else organizes it, or nobody."
    if time.is_over(main):
        return "It is over."
    if before is None and all(one.status is Status.CANCELLED for one in main.components):
        return "It was cancelled before anybody was invited."
    old, new = _by_key(before), _by_key(after)
    if not any(_matters(key, old.get(key), new.get(key), time) for key in {*old, *new}):
        return "Nothing changed that concerns the guests."
    return None


def _matters(key: str, old: Component | None, new: Component | None, time: _Time) -> bool:
    """Whether what changed in one component concerns guests, and is not over."""
    told = new or old
    if told is None or (key and time.is_past(told)):
        return False
    if old is None or new is None:
        return True
    return bool(changed_units(unanswered(old), unanswered(new)) & GUESTS_CARE)


def _by_key(item: Item | None) -> Mapping[str, Component]:
    return {} if item is None else item.by_key


def _guests(item: Item | None, own: frozenset[str]) -> set[str]:
    if item is None:
        return set()
    hosts = own | {one.organizer for one in item.components}
    return {guest.email for one in item.components for guest in one.attendees} - hosts


# --- to and fro -----------------------------------------------------------------------------------


def oscillates(history: Sequence[str], *, times: int = 3) -> bool:
    """Whether an item goes to and fro between two states: then it is frozen until a person looks.

    `history` are the digests of the item at the server within the window, oldest first: what we wrote, what
    was there when we looked again, what we wrote then. The last `times` rounds must be the same two.
    """
    tail = history[-2 * times :]
    if len(tail) < 2 * times or tail[0] == tail[1]:
        return False
    return all(one == tail[at % 2] for at, one in enumerate(tail))
