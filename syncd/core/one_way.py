"""What the sides become where only one of them counts: a calendar of one direction, or one that somebody else
organizes. Whatever is overruled is told as a conflict. Pure."""

from dataclasses import replace

from connectors.calendar import Component, Item, Privacy, Response
from syncd.core.canonical import (
    Json,
    Unit,
    component_json,
    redacted,
    unanswered,
    unsaid,
    value_json,
    value_of,
)
from syncd.core.conflicts import Rules, UnitConflict, Winner
from syncd.core.decision import Pair
from syncd.core.merge import Merged, merge

ALL_REMOTE = Rules(Winner.REMOTE)
ALL_CRM = Rules(Winner.CRM)


def only_answers(before: Item, after: Item) -> bool:
    """Whether nothing but participants' answers differs."""
    return before != after and _silent(before) == _silent(after)


def _silent(item: Item) -> Item:
    return replace(item, components=tuple(unanswered(one) for one in item.components))


def unless(now: Item, wanted: Item) -> Item | None:
    return None if now == wanted else wanted


def merged(pair: Pair, crm: Item, remote: Item, rules: Rules) -> Merged:
    """The merge of both. Where one side has no base, the other one's says what that side last knew."""
    return merge(
        base_crm=pair.base_crm or pair.base_remote,
        base_remote=pair.base_remote or pair.base_crm,
        crm=crm,
        remote=remote,
        rules=rules,
        crm_changed_at=pair.crm_changed_at,
        remote_changed_at=pair.remote_changed_at,
    )


def pulled(pair: Pair, remote: Item) -> Item:
    """What the CRM would hold if nobody had changed anything there."""
    if pair.base_crm is None:
        return redacted(remote)
    return merged(pair, pair.base_crm, remote, ALL_REMOTE).crm


def heard(target: Item, crm: Item) -> Item:
    """The target with the answers that the CRM has from other copies. An attendee's copy tells what its owner
    answered; servers need not tell it what the others did (Exchange never does)."""
    known = crm.by_key
    components = tuple(
        one if (other := known.get(one.key)) is None else _completed(one, other) for one in target.components
    )
    same = all(new is old for new, old in zip(components, target.components, strict=True))
    return target if same else replace(target, components=components)


def _completed(component: Component, known: Component) -> Component:
    answers = {one.email: one.response for one in known.attendees}
    attendees = tuple(
        replace(one, response=answers.get(one.email, one.response))
        if one.response is Response.NO_RESPONSE
        else one
        for one in component.attendees
    )
    return component if attendees == component.attendees else replace(component, attendees=attendees)


def restored(pair: Pair, crm: Item, remote: Item) -> Merged:
    """TO_REMOTE: what the server changed is put back, but for answers: those are the provider's alone."""
    before, now = pair.base_remote or remote, remote.by_key
    answered = replace(
        before,
        components=tuple(_answered(one, now.get(one.key)) for one in before.components),
        sequence=remote.sequence,
        crm_id=remote.crm_id,
        zones=remote.zones,
    )
    found = merged(pair, crm, answered, ALL_CRM)
    lost = overruled(Winner.CRM, pair.base_remote, crm, remote, found.remote)
    return replace(found, conflicts=found.conflicts + lost)


def concealed(pair: Pair, crm: Item, remote: Item) -> Merged:
    """TO_REMOTE: what the CRM holds as busy time, and a client made public, is made private again. Nothing
    else is put back: the text is at the server alone."""
    known, main = crm.by_key, crm.main.privacy
    strict = main if main is not Privacy.PUBLIC else Privacy.PRIVATE
    wanted = {one.key: known[one.key].privacy if one.key in known else main for one in remote.components}
    if all(one is Privacy.PUBLIC for one in wanted.values()):  # the one that was private is gone
        wanted = dict.fromkeys(wanted, strict)
    target = replace(
        remote, components=tuple(replace(one, privacy=wanted[one.key]) for one in remote.components)
    )
    return Merged(crm, target, overruled(Winner.CRM, pair.base_remote, crm, remote, target))


def _answered(before: Component, now: Component | None) -> Component:
    answers = {one.email: one.response for one in now.attendees} if now is not None else {}
    attendees = tuple(replace(one, response=answers.get(one.email, one.response)) for one in before.attendees)
    return replace(before, attendees=attendees)


def overruled(
    winner: Winner, base: Item | None, crm: Item, remote: Item | None, kept: Item
) -> tuple[UnitConflict, ...]:
    """A conflict for each change of the losing side that is not in what is kept."""
    before = base.by_key if base is not None else {}
    ours, theirs = crm.by_key, remote.by_key if remote is not None else {}
    loser, left = ours if winner is Winner.REMOTE else theirs, kept.by_key
    found: list[UnitConflict] = []
    for key in sorted({*loser, *before}):
        was, wanted, stays = before.get(key), loser.get(key), left.get(key)
        if wanted in (was, stays):
            continue
        one, other = ours.get(key), theirs.get(key)
        if wanted is None or stays is None:
            found.append(UnitConflict(key, None, _whole(was), _whole(one), _whole(other), winner))
            continue
        for unit in Unit:
            old = unsaid(unit, crm.kind) if was is None else value_of(was, unit)
            if value_of(wanted, unit) not in (old, value_of(stays, unit)):
                told = (_part(was, unit), _part(one, unit), _part(other, unit))
                found.append(UnitConflict(key, unit, *told, winner))
    return tuple(found)


def _whole(component: Component | None) -> Json:
    return None if component is None else component_json(component)


def _part(component: Component | None, unit: Unit) -> Json:
    return None if component is None else value_json(value_of(component, unit))
