"""Who came, and from when to when the meeting really lasted, by its attendance report. Pure.

The length that a company wants to see is that of the talk: it starts when the second person joins and ends
when the last but one leaves for good. Who waits alone, before or after, is in no meeting, nor who waits
with a program that takes notes; a break in which all but one leave counts, as the meeting goes on after it.
docs/decisions/021 has the reasons.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from connectors.attendance.model import AttendanceReport, Attended, Visit
from syncd.core.meetings.people import Participant, is_robot, names_of

TWO = 2  # people make a meeting


class Evidence(Enum):
    """By what a person of the report was recognised."""

    ADDRESS = "address"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Present:
    """A participant who came."""

    key: str
    seconds: int  # of presence, over all their joinings
    first_join: datetime | None
    last_leave: datetime | None
    by: Evidence


@dataclass(frozen=True, slots=True)
class Unplanned:
    """Somebody who came and was not among the participants. With an address, worth a contact draft."""

    name: str
    email: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Attendance:
    """Who came of those who were expected, and who else."""

    present: tuple[Present, ...]
    absent: tuple[str, ...]  # keys of the participants who did not come
    unplanned: tuple[Unplanned, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """From when to when a meeting took place. `ended` is None where the report was written before."""

    started: datetime
    ended: datetime | None

    @property
    def seconds(self) -> int | None:
        """The length to record; None where the end is not known."""
        return None if self.ended is None else int((self.ended - self.started).total_seconds())


def who_came(expected: Sequence[Participant], report: AttendanceReport) -> Attendance:
    """The people of the report against those who were expected.

    An address decides; of those left, a name does, if one participant only has it and all who were shown by
    it can be one person. Whoever is no participant is unplanned.
    """
    found: dict[str, list[tuple[Attended, Evidence]]] = {}
    by_address = {email: one.key for one in reversed(expected) for email in one.emails}
    rest: list[Attended] = []
    for person in report.people:
        key = by_address.get(person.email) if person.email else None
        if key is None:
            rest.append(person)
        else:
            found.setdefault(key, []).append((person, Evidence.ADDRESS))
    names = _unique_names(one for one in expected if one.key not in found)
    rest = [one for one in rest if not is_robot(one.name)]
    strangers: list[Attended] = []
    claims: dict[str, list[Attended]] = {}
    for person in rest:
        keys = {names[name] for name in names_of(person.name) if name in names}
        if len(keys) == 1:
            claims.setdefault(keys.pop(), []).append(person)
        else:
            strangers.append(person)
    for key, people in claims.items():
        if len({one.email for one in people if one.email}) > 1:  # two addresses: two people of one name
            strangers += people
        else:
            found[key] = [(one, Evidence.NAME) for one in people]
    return Attendance(
        present=tuple(_present(one.key, found[one.key]) for one in expected if one.key in found),
        absent=tuple(one.key for one in expected if one.key not in found),
        unplanned=tuple(Unplanned(one.name, one.email, one.seconds) for one in strangers),
    )


def _unique_names(people: Iterable[Participant]) -> dict[frozenset[str], str]:
    names: dict[frozenset[str], str] = {}
    twice: set[frozenset[str]] = set()
    for one in people:
        for name in names_of(one.name):
            if names.setdefault(name, one.key) != one.key:
                twice.add(name)
    return {name: key for name, key in names.items() if name not in twice}


def _present(key: str, entries: Sequence[tuple[Attended, Evidence]]) -> Present:
    visits = [visit for person, _ in entries for visit in spans(person)]
    whole = [visit for visit in visits if visit.leave is not None]
    open_ = len(whole) < len(visits)
    if len(entries) == 1 or open_ or not whole:
        seconds = max(person.seconds for person, _ in entries)
    else:  # on two devices, or under two names: time counts once
        seconds = _union(whole)
    return Present(
        key=key,
        seconds=seconds,
        first_join=min((visit.join for visit in visits), default=None),
        last_leave=None if open_ else max((one.leave for one in whole if one.leave), default=None),
        by=min((how for _, how in entries), key=lambda how: how is Evidence.NAME),
    )


def spans(person: Attended) -> tuple[Visit, ...]:
    """When somebody was there: each joining, or the first join to the last leave where no more is known."""
    if person.visits or person.first_join is None:
        return person.visits
    return (Visit(person.first_join, person.last_leave, person.seconds),)


def _union(visits: Iterable[Visit]) -> int:
    total = 0.0
    until: datetime | None = None
    for join, leave in sorted((one.join, one.leave) for one in visits if one.leave is not None):
        start = join if until is None else max(join, until)
        if leave > start:
            total += (leave - start).total_seconds()
            until = leave
    return int(total)


def held(report: AttendanceReport) -> Held | None:
    """From when to when the meeting took place; None where two people were never there at once.

    The report's times must be aware (`in_zone`).
    """
    steps: list[tuple[datetime, int]] = []
    for person in report.people:
        if is_robot(person.name):
            continue
        for start, end in _apart(spans(person)):
            steps.append((start, 1))
            if end is not None:
                steps.append((end, -1))
    steps.sort(key=lambda step: (step[0], step[1]))  # at one moment, leaving comes first
    there = 0
    started: datetime | None = None
    ended: datetime | None = None
    for at, change in steps:
        there += change
        if change > 0 and there == TWO:
            started, ended = started or at, None
        elif change < 0 and there == 1:
            ended = at
    if started is None:
        return None
    return Held(started, ended)


def _apart(visits: Sequence[Visit]) -> list[tuple[datetime, datetime | None]]:
    """One person's visits without those on a second device: nobody is two people."""
    merged: list[tuple[datetime, datetime | None]] = []
    for visit in sorted(visits, key=lambda one: one.join):
        if merged and ((end := merged[-1][1]) is None or visit.join <= end):
            start, end = merged[-1]
            merged[-1] = (start, None if end is None or visit.leave is None else max(end, visit.leave))
        else:
            merged.append((visit.join, visit.leave))
    return merged
