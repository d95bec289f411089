"""The three-way merge of one unit of one component, with a base for each side. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from connectors.calendar import Attendee, Response, Timing, When
from syncd.core.canonical import People, Unit, Value
from syncd.core.conflicts import Winner
from syncd.core.notes import merge_text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Both(Generic[T]):
    """The same thing on both sides."""

    crm: T
    remote: T


@dataclass(frozen=True, slots=True)
class UnitMerge:
    """What each side must become. `winner` is None where nothing was lost."""

    crm: Value
    remote: Value
    winner: Winner | None = None


def merge_unit(
    unit: Unit, was: Both[Value | None], now: Both[Value], unsaid: Value, rule: Winner
) -> UnitMerge:
    """Merges one unit. A base of None is one that never was: a value of `unsaid` says nothing then.

    `rule` says who wins a clash: REMOTE, CRM or MANUAL. Sets and participants merge one by one without it.
    """
    crm, remote = now.crm, now.remote
    if isinstance(crm, frozenset) and isinstance(remote, frozenset):
        return _sets(was, Both(crm, remote))
    if isinstance(crm, People) and isinstance(remote, People):
        return _people(was, Both(crm, remote))
    return _whole(unit, was, now, unsaid, rule)


def _whole(unit: Unit, was: Both[Value | None], now: Both[Value], unsaid: Value, rule: Winner) -> UnitMerge:
    crm, remote = now.crm, now.remote
    crm_silent = crm == (unsaid if was.crm is None else was.crm)
    remote_silent = remote == (unsaid if was.remote is None else was.remote)
    if crm == remote or (crm_silent and remote_silent):
        return UnitMerge(crm, remote)  # where they differ, the server writes it in its own way
    if crm_silent or remote_silent:
        value = remote if crm_silent else crm
        return UnitMerge(value, value)
    together = _together(unit, was, now)
    if together is not None:
        return together
    if rule is Winner.MANUAL:
        return UnitMerge(crm, remote, Winner.MANUAL)
    value = crm if rule is Winner.CRM else remote
    return UnitMerge(value, value, rule)


def _together(unit: Unit, was: Both[Value | None], now: Both[Value]) -> UnitMerge | None:
    """What holds both changes, where there is such a thing."""
    base, crm, remote = was.crm, now.crm, now.remote
    if unit is Unit.NOTES and isinstance(base, str) and isinstance(crm, str) and isinstance(remote, str):
        # Of nothing there are no lines that both sides left as they were: an empty one is no place to meet.
        text = merge_text(base, crm, remote) if base else None
        return None if text is None else UnitMerge(text, text)
    if isinstance(crm, Timing) and isinstance(remote, Timing):
        if not isinstance(was.crm, Timing) or not isinstance(was.remote, Timing):
            return None
        return _dates(Both(was.crm, was.remote), Both(crm, remote))
    return None


# --- one by one -----------------------------------------------------------------------------------


def _one_by_one(
    was: Both[Mapping[str, T]],
    now: Both[Mapping[str, T]],
    clash: Callable[[Both[T | None], Both[T | None]], tuple[Winner, bool]],
) -> tuple[dict[str, T], dict[str, T], set[Winner]]:
    """Merges two collections by the names of their members.

    `clash` says who wins one that both changed, and whether anything is lost by it.
    """
    crm: dict[str, T] = {}
    remote: dict[str, T] = {}
    winners: set[Winner] = set()
    for name in sorted({*now.crm, *now.remote}):
        before = Both(was.crm.get(name), was.remote.get(name))
        after = Both(now.crm.get(name), now.remote.get(name))
        to = after
        if after.crm != after.remote:
            if before.crm == after.crm and before.remote != after.remote:
                to = Both(after.remote, after.remote)
            elif before.remote == after.remote and before.crm != after.crm:
                to = Both(after.crm, after.crm)
            elif before.crm != after.crm:
                winner, lost = clash(before, after)
                value = after.crm if winner is Winner.CRM else after.remote
                to = Both(value, value)
                winners |= {winner} if lost else set()
        if to.crm is not None:
            crm[name] = to.crm
        if to.remote is not None:
            remote[name] = to.remote
    return crm, remote, winners


def _loudest(winners: set[Winner]) -> Winner | None:
    return None if not winners else Winner.REMOTE if Winner.REMOTE in winners else Winner.CRM


def _present(_: Both[T | None], after: Both[T | None]) -> tuple[Winner, bool]:
    """One side added what the other one removed: it stays."""
    return (Winner.CRM if after.remote is None else Winner.REMOTE), True


def _sets(was: Both[Value | None], now: Both[frozenset[str]]) -> UnitMerge:
    crm, remote, winners = _one_by_one(
        Both(_members(was.crm), _members(was.remote)), Both(_members(now.crm), _members(now.remote)), _present
    )
    return UnitMerge(frozenset(crm), frozenset(remote), _loudest(winners))


def _members(value: Value | None) -> Mapping[str, str]:
    return {one: one for one in value} if isinstance(value, frozenset) else {}


def _dates(was: Both[Timing], now: Both[Timing]) -> UnitMerge | None:
    """Occurrences added or cancelled on both sides of a series that is otherwise as it was."""
    for before, after in ((was.crm, now.crm), (was.remote, now.remote)):
        if replace(after, rdates=before.rdates, exdates=before.exdates) != before:
            return None
    to: Both[Timing] = now
    crm, remote, _ = _one_by_one(
        Both(_whens(was.crm.rdates), _whens(was.remote.rdates)),
        Both(_whens(now.crm.rdates), _whens(now.remote.rdates)),
        _present,
    )
    to = Both(replace(to.crm, rdates=_sorted(crm)), replace(to.remote, rdates=_sorted(remote)))
    crm, remote, _ = _one_by_one(
        Both(_whens(was.crm.exdates), _whens(was.remote.exdates)),
        Both(_whens(now.crm.exdates), _whens(now.remote.exdates)),
        _present,
    )
    to = Both(replace(to.crm, exdates=_sorted(crm)), replace(to.remote, exdates=_sorted(remote)))
    return UnitMerge(to.crm, to.remote)


def _whens(dates: tuple[When, ...]) -> Mapping[str, When]:
    return {one.key(): one for one in dates}


def _sorted(dates: Mapping[str, When]) -> tuple[When, ...]:
    return tuple(dates[key] for key in sorted(dates))


# --- participants ---------------------------------------------------------------------------------


def _people(was: Both[Value | None], now: Both[People]) -> UnitMerge:
    before = Both(
        was.crm if isinstance(was.crm, People) else People(),
        was.remote if isinstance(was.remote, People) else People(),
    )
    crm, remote, winners = _one_by_one(
        Both(_answers(before.crm), _answers(before.remote)),
        Both(_answers(now.crm), _answers(now.remote)),
        _answer_clash,
    )
    organizer = Both(now.crm.organizer, now.remote.organizer)
    if now.crm.organizer != now.remote.organizer:
        crm_changed = now.crm.organizer != before.crm.organizer
        if now.remote.organizer != before.remote.organizer:
            organizer = Both(now.remote.organizer, now.remote.organizer)
            if crm_changed:
                winners.add(Winner.REMOTE)
        elif crm_changed:
            organizer = Both(now.crm.organizer, now.crm.organizer)
    names = {one.email: one.name for side in (now.crm, now.remote) for one in side.attendees if one.name}
    return UnitMerge(
        People(organizer.crm, _attendees(crm, names)),
        People(organizer.remote, _attendees(remote, names)),
        _loudest(winners),
    )


def _answers(people: People) -> Mapping[str, Response]:
    return {one.email: one.response for one in people.attendees}


def _attendees(answers: Mapping[str, Response], names: Mapping[str, str]) -> tuple[Attendee, ...]:
    return tuple(Attendee(email, answer, names.get(email, "")) for email, answer in sorted(answers.items()))


def _answer_clash(before: Both[Response | None], after: Both[Response | None]) -> tuple[Winner, bool]:
    """The provider is the authority on answers (T4 row 16). A guest taken off stays off, whatever they
    answered meanwhile; one whom the other side has just added stays."""
    if after.crm is None:
        return (Winner.REMOTE if before.remote is None else Winner.CRM), True
    if after.remote is None:
        return (Winner.CRM if before.crm is None else Winner.REMOTE), True
    if before.crm is None and before.remote is None and after.remote is Response.NO_RESPONSE:
        return Winner.CRM, False  # nothing was agreed on before, and who has not answered says nothing
    return Winner.REMOTE, before.crm is not None or after.crm is not Response.NO_RESPONSE
