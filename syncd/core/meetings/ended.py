"""Which ended meetings are recorded (table T8), and which record belongs to which occurrence. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

FAR = timedelta(days=7)  # further apart, an occurrence is none that was recorded before its series was moved
NEAR = timedelta(days=1)  # the same of one that is still to come: it may be the next one


@dataclass(frozen=True, slots=True)
class Rules:
    """The `[video]` section, as far as it decides."""

    grace: timedelta = timedelta(minutes=5)
    lookback: timedelta = timedelta(hours=72)  # older ones get a record, and no form
    record_unlinked: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """One occurrence of a video meeting, as the calendar says it. Moments are aware."""

    key: str  # its place in the series; empty for an event that happens once
    start: datetime
    end: datetime
    all_day: bool = False
    cancelled: bool = False
    declined: bool = False  # by everybody who uses the CRM
    linked: bool = True  # to an account, a contact or an opportunity
    video: bool = True  # False: held otherwise; it may have been one before
    private: bool = False


class Verdict(Enum):
    """What is to be done."""

    NOTHING = "nothing"
    RECORD = "record"  # with its form
    RECORD_ONLY = "record only"


@dataclass(frozen=True, slots=True)
class Known:
    """A record that was made before."""

    key: str
    start: datetime
    end: datetime


def is_over(end: datetime, now: datetime, rules: Rules) -> bool:
    """Whether a meeting counts as ended."""
    return end + rules.grace <= now


def verdict(one: Held, now: datetime, rules: Rules) -> Verdict:
    """What becomes of an occurrence that has no record yet."""
    if not is_over(one.end, now, rules) or one.all_day or one.cancelled or one.declined:
        return Verdict.NOTHING
    if one.private or not one.video:
        return Verdict.NOTHING
    if not one.linked and not rules.record_unlinked:
        return Verdict.NOTHING
    return Verdict.RECORD_ONLY if one.end < now - rules.lookback else Verdict.RECORD


def is_withdrawn(one: Held, known: Known, now: datetime, rules: Rules) -> bool:
    """Whether a record that nobody has validated is taken back: the meeting turns out not to have taken place
    (it was moved to a time to come, cancelled or declined), or to be private. A clock that was put back moves
    no meeting."""
    moved = (one.start, one.end) != (known.start, known.end)
    return one.private or one.cancelled or one.declined or (moved and not is_over(one.end, now, rules))


def paired(
    occurrences: Iterable[Held], known: Iterable[Known], first_key: str, now: datetime, rules: Rules
) -> Mapping[str, str]:
    """Which known record (by key) each occurrence (by key) has, where their keys differ.

    An event that begins to recur gets keys for its occurrences, `first_key` for the one that it was; one
    that recurs no more loses them. A series that is moved as a whole has new keys everywhere: then each
    record goes with the occurrence that is nearest to it in time, each at most once.
    """
    free = {one.key: one for one in occurrences}
    lost = {one.key: one for one in known}
    for key in free.keys() & lost.keys():
        del free[key], lost[key]
    found: dict[str, str] = {}
    for mine, theirs in (("", first_key), (first_key, "")):
        if mine in free and theirs in lost:
            found[mine] = theirs
            del free[mine], lost[theirs]
    apart = sorted(
        (distance, one.key, two.key)
        for one in free.values()
        for two in lost.values()
        if (distance := abs(one.start - two.start)) < (FAR if is_over(one.end, now, rules) else NEAR)
    )
    for _, mine, theirs in apart:
        if mine in free and theirs in lost:
            found[mine] = theirs
            del free[mine], lost[theirs]
    return found


def minutes(start: datetime, end: datetime) -> int:
    """The duration in whole minutes, by the clocks of nobody: a change to or from summer time is no hour."""
    return max(0, round((end - start).total_seconds() / 60))
