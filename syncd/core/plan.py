"""Table T4: what becomes of one event or task, on both sides. Pure; a decision is never carried out here.

`decide` looks at one pair and at nothing else, so the cost of a plan is the number of pairs that changed.
"""

from dataclasses import replace

from connectors.calendar import Item, Status
from syncd.core.canonical import component_json, is_private, redacted
from syncd.core.conflicts import Rules, UnitConflict, Winner
from syncd.core.decision import Action, Decision, Direction, Pair, Role
from syncd.core.merge import Merged, with_old
from syncd.core.one_way import (
    ALL_CRM,
    ALL_REMOTE,
    concealed,
    heard,
    merged,
    only_answers,
    overruled,
    pulled,
    restored,
    unless,
)

__all__ = ["Action", "Decision", "Direction", "Pair", "Role", "bases", "cancelled", "decide"]


def decide(pair: Pair, rules: Rules) -> Decision:
    """The row of T4 that fits the pair, and what follows from it.

    Never hands out anything for the server where the CRM may not write it: to a calendar that is read only
    (TO_CRM), to a copy that somebody else organizes, over the text of a private item.
    """
    crm, remote = pair.crm, pair.remote
    if not pair.linked:
        return _first_seen(pair, rules)
    if crm is not None and remote is not None:
        private = is_private(remote) or is_private(pair.base_remote)
        return _private(pair, crm, remote) if private else _both_there(pair, crm, remote, rules)
    if remote is not None:
        return _gone_in_crm(pair, remote)
    if crm is not None:
        return _gone_at_server(pair, crm)
    return Decision(Action.DROP, 11, "It is gone on both sides.")


def bases(
    pair: Pair, decision: Decision, *, crm: Item | None, remote: Item | None
) -> tuple[Item | None, Item | None]:
    """The bases to store once the decision has been carried out: of the CRM, of the server.

    `crm` and `remote` are what each side holds then, the latter as the server made it. Text of a private
    item is in neither.
    """
    if remote is not None and is_private(remote):
        remote, crm = redacted(remote), None if crm is None else redacted(crm)
    elif crm is not None and remote is not None and _met(pair) and pair.direction is Direction.TO_CRM:
        crm = pulled(pair, remote)  # what was changed in the CRM alone stays a change
    return (
        None if crm is None else with_old(crm, pair.base_crm, decision.held),
        None if remote is None else with_old(remote, pair.base_remote, decision.held),
    )


def _met(pair: Pair) -> bool:
    """Whether the decision was about two sides that both had it, and the CRM had before."""
    return pair.base_crm is not None and pair.crm is not None and pair.remote is not None


# --- rows 12, 13, 14: never linked ----------------------------------------------------------------


def _first_seen(pair: Pair, rules: Rules) -> Decision:
    crm, remote = pair.crm, pair.remote
    if remote is None:
        return (
            Decision(Action.NOTHING, 1, "There is nothing on either side.")
            if crm is None
            else _new_in_crm(pair, crm)
        )
    if remote.companion:
        return Decision(Action.NOTHING, 13, "The CRM wrote it for its owner: it is no event of its own.")
    if crm is not None:
        return _relink(pair, crm, remote, rules)
    if pair.direction is Direction.TO_REMOTE:
        return Decision(
            Action.NOTHING, 13, "It is new at the server, which this calendar takes nothing from."
        )
    if pair.role is Role.ATTENDEE:
        return Decision(
            Action.CREATE_CRM, 14, "It is new: somebody else invites to it.", crm=redacted(remote)
        )
    return Decision(Action.CREATE_CRM, 13, "It is new at the server.", crm=redacted(remote))


def _new_in_crm(pair: Pair, crm: Item) -> Decision:
    if pair.direction is Direction.TO_CRM:
        return Decision(Action.NOTHING, 12, "It is new in the CRM, which this calendar takes nothing from.")
    if pair.role is Role.ATTENDEE:
        return Decision(Action.NOTHING, 14, "Somebody else organizes it: their server delivers it.")
    if _over(crm):
        return Decision(Action.NOTHING, 12, "It was cancelled before the server ever had it.")
    kept = redacted(crm)
    return Decision(
        Action.CREATE_REMOTE, 12, "It is new in the CRM.", crm=None if kept == crm else kept, remote=crm
    )


def _relink(pair: Pair, crm: Item, remote: Item, rules: Rules) -> Decision:
    reason = "Both sides have it already: they are linked, not doubled."
    if is_private(remote) or pair.role is Role.ATTENDEE:
        target = heard(redacted(remote), crm)
        lost = overruled(Winner.REMOTE, None, crm, target, target)
        return Decision(Action.RELINK, 13, reason, crm=unless(crm, target), conflicts=lost)
    if pair.direction is not Direction.BOTH:
        rules = ALL_REMOTE if pair.direction is Direction.TO_CRM else ALL_CRM
    found = merged(pair, crm, remote, rules)
    to_crm = unless(crm, redacted(found.crm))
    to_remote = found.remote if pair.dress_changed else unless(remote, found.remote)
    return Decision(
        Action.RELINK,
        13,
        reason,
        crm=None if pair.direction is Direction.TO_REMOTE else to_crm,
        remote=None if pair.direction is Direction.TO_CRM else to_remote,
        conflicts=found.conflicts,
        held=found.held,
    )


# --- rows 7 to 10: gone on one side ---------------------------------------------------------------


def _gone_in_crm(pair: Pair, remote: Item) -> Decision:
    """Rows 7 and 9. An answer alone does not bring back what was deleted."""
    before, view = pair.base_remote, redacted(remote)
    changed = before is None or (view != before and not only_answers(before, view))
    if pair.base_crm is None and (not changed or pair.direction is Direction.TO_REMOTE):
        return Decision(Action.NOTHING, 7, "It is hidden in the CRM, and nothing happened since.")
    told = component_json(view.main)
    base = None if before is None else component_json(before.main)
    if changed and pair.direction is not Direction.TO_REMOTE:
        restored = UnitConflict("", None, base, None, told, Winner.REMOTE)
        reason = "It was deleted in the CRM and changed at the server: the change wins."
        return Decision(Action.RESTORE_CRM, 9, reason, crm=view, conflicts=(restored,))
    if pair.role is Role.ATTENDEE:
        return Decision(Action.HIDE, 7, "It was deleted in the CRM; somebody else organizes it.")
    if pair.direction is Direction.TO_CRM:
        return Decision(Action.HIDE, 7, "It was deleted in the CRM, which this calendar takes nothing from.")
    if changed and is_private(remote):
        reason = "It was deleted in the CRM, and is private at the server by now: it is left alone there."
        return Decision(Action.HIDE, 7, reason)
    lost = _deleted_with_changes(before, view) if changed else ()
    return Decision(Action.DELETE_REMOTE, 7, "It was deleted in the CRM.", conflicts=lost)


def _deleted_with_changes(before: Item | None, view: Item) -> tuple[UnitConflict, ...]:
    """What is lost of an item that changed at the server and is deleted there all the same: the item, and
    each occurrence that was changed."""
    known = before.by_key if before is not None else {}
    base = None if before is None else component_json(before.main)
    lost = [UnitConflict("", None, base, None, component_json(view.main), Winner.CRM)]
    for one in view.components:
        was = known.get(one.key)
        if one.key != view.main.key and one != was:
            old = None if was is None else component_json(was)
            lost.append(UnitConflict(one.key, None, old, None, component_json(one), Winner.CRM))
    return tuple(lost)


def _gone_at_server(pair: Pair, crm: Item) -> Decision:
    """Rows 8 and 10. An answer alone does not bring back what was deleted."""
    before = pair.base_crm or pair.base_remote
    changed = before is None or (crm != before and not only_answers(before, crm))
    told = pair.base_remote is None
    writable = (
        pair.direction is not Direction.TO_CRM and pair.role is Role.ORGANIZER and not is_private(before)
    )
    if _over(crm) or (told and not (changed and writable)):
        action = Action.NOTHING if told else Action.CANCEL_CRM
        return Decision(action, 8, "It is gone at the server, and over in the CRM.")
    if writable and (changed or pair.direction is Direction.TO_REMOTE):
        base = None if before is None else component_json(before.main)
        if changed:
            won = UnitConflict("", None, base, component_json(crm.main), None, Winner.CRM)
            reason = "It was deleted at the server and changed in the CRM: the change wins."
            kept = unless(crm, redacted(crm))
            return Decision(Action.RECREATE_REMOTE, 10, reason, crm=kept, remote=crm, conflicts=(won,))
        reason = "It was deleted at the server, which this calendar takes nothing from."
        return Decision(Action.RECREATE_REMOTE, 8, reason, remote=crm)
    if pair.direction is Direction.TO_REMOTE:
        # The CRM goes on having it. Nothing is left to be kept in step, nor to be asked for in each cycle.
        return Decision(Action.DROP, 8, "It is gone at the server, and not the CRM's to put back.")
    kept = cancelled(crm)
    lost: tuple[UnitConflict, ...] = ()
    if changed and before is not None and not is_private(before) and not is_private(crm):
        # What is hidden still says so, but only until the server has the item again and says all of it anew.
        lost = overruled(Winner.REMOTE, before, crm, None, before)
    reason = "It was deleted at the server."
    return Decision(Action.CANCEL_CRM, 8, reason, crm=unless(crm, kept), conflicts=lost)


def cancelled(item: Item) -> Item:
    """The item called off, occurrence by occurrence. A reminder that is done stays done."""
    return replace(
        item,
        components=tuple(
            one if one.status is Status.DONE else replace(one, status=Status.CANCELLED)
            for one in item.components
        ),
    )


def _over(item: Item) -> bool:
    """Whether all of it was called off. A reminder that is done is none the less there."""
    return all(one.status is Status.CANCELLED for one in item.components)


# --- rows 1 to 6, 14, 16, 19: on both sides -------------------------------------------------------


def _private(pair: Pair, crm: Item, remote: Item) -> Decision:
    """A private item is the server's alone: the CRM shows that the time is taken, and writes nothing."""
    view = redacted(remote)
    if pair.direction is Direction.TO_REMOTE:
        if is_private(remote):
            return Decision(Action.NOTHING, 1, "It is private at the server, so the CRM leaves it alone.")
        return _public_again(pair, crm, remote)
    target = view if is_private(remote) else pulled(pair, remote)
    base = None if is_private(remote) else pair.base_crm
    lost = overruled(Winner.REMOTE, pair.base_crm, crm, view, target)
    if base is None:
        lost = tuple(replace(one, base=None) for one in lost)
    return _outcome(pair, crm, view, Merged(target, view, lost))


def _public_again(pair: Pair, crm: Item, remote: Item) -> Decision:
    """TO_REMOTE: a client made public what was private. Both bases are busy time only, so what it changed
    meanwhile is told against what the CRM holds."""
    if pair.role is Role.ATTENDEE:
        return Decision(
            Action.NOTHING, 14, "Somebody else organizes it, and nothing is taken from the server."
        )
    if is_private(crm):
        return _outcome(pair, crm, remote, concealed(pair, crm, remote))
    pair = replace(pair, base_crm=crm, base_remote=crm)
    return _outcome(pair, crm, remote, restored(pair, crm, remote))


def _both_there(pair: Pair, crm: Item, remote: Item, rules: Rules) -> Decision:
    if pair.role is Role.ATTENDEE:
        if pair.direction is Direction.TO_REMOTE:
            return Decision(
                Action.NOTHING, 14, "Somebody else organizes it, and nothing is taken from the server."
            )
        target = heard(pulled(pair, remote), crm)
        lost = overruled(Winner.REMOTE, pair.base_crm, crm, remote, target)
        return _outcome(pair, crm, remote, Merged(target, remote, lost))
    if pair.direction is Direction.TO_CRM:
        found = replace(merged(pair, crm, remote, ALL_REMOTE), remote=remote)
    elif pair.direction is Direction.TO_REMOTE:
        found = restored(pair, crm, remote)
    else:
        found = merged(pair, crm, remote, rules)
    return _outcome(pair, crm, remote, replace(found, crm=redacted(found.crm)))


def _outcome(pair: Pair, crm: Item, remote: Item, found: Merged) -> Decision:
    """Names the row, once it is known what each side must become. `remote` is as the CRM may see it."""
    to_crm, to_remote = unless(crm, found.crm), unless(remote, found.remote)
    crm_changed, remote_changed = crm != pair.base_crm, remote != pair.base_remote
    writable = pair.role is Role.ORGANIZER and pair.direction is not Direction.TO_CRM
    dressing = pair.dress_changed and writable and not is_private(remote)
    if dressing:
        to_remote = found.remote
    if crm_changed and remote_changed:
        action, row, reason = _both_changed(pair, found, to_crm, to_remote)
    elif crm_changed:
        action, row, reason = _crm_changed(pair, to_crm, to_remote)
    elif remote_changed:
        action, row, reason = _remote_changed(pair, remote, to_crm, to_remote)
    elif dressing:
        action, row, reason = Action.PUSH, 2, "What the CRM adds to it has changed."
    elif pair.version_changed:
        action, row, reason = Action.ECHO, 19, "Our own write came back."
    else:
        action, row, reason = Action.NOTHING, 1, "Nothing changed."
    return Decision(action, row, reason, to_crm, to_remote, found.conflicts, found.held)


def _both_changed(
    pair: Pair, found: Merged, to_crm: Item | None, to_remote: Item | None
) -> tuple[Action, int, str]:
    if pair.role is Role.ATTENDEE and to_crm is not None:
        return Action.PULL, 14, "Both sides changed it, and somebody else organizes it: the server's counts."
    if found.held and to_crm is None and to_remote is None:
        return Action.ADOPT, 6, "Both sides changed the same: a person must decide."
    if found.conflicts:
        return Action.MERGE, 6, "Both sides changed the same: the rule decided."
    if to_crm is None and to_remote is None:
        return Action.ADOPT, 5, "Both sides made the same change."
    return Action.MERGE, 4, "Both sides changed it, in different places."


def _crm_changed(pair: Pair, to_crm: Item | None, to_remote: Item | None) -> tuple[Action, int, str]:
    if to_remote is not None:
        return Action.PUSH, 2, "It changed in the CRM."
    if to_crm is not None:
        return Action.PULL, 14, "The CRM may not change it: what was changed there is put back."
    if pair.direction is Direction.TO_CRM:
        return Action.NOTHING, 2, "It changed in the CRM, which this calendar takes nothing from."
    return Action.ADOPT, 5, "The server holds already what the CRM says."


def _remote_changed(
    pair: Pair, remote: Item, to_crm: Item | None, to_remote: Item | None
) -> tuple[Action, int, str]:
    if to_crm is None and to_remote is None:
        return Action.ADOPT, 5, "The CRM holds already what the server says."
    if pair.base_remote is not None and only_answers(pair.base_remote, remote):
        return Action.PULL, 16, "A participant answered."
    if pair.direction is Direction.TO_REMOTE:
        return Action.PUSH, 3, "It changed at the server, which this calendar takes nothing from: restored."
    if pair.role is Role.ATTENDEE:
        return Action.PULL, 14, "It changed at the server, where somebody else organizes it."
    return Action.PULL, 3, "It changed at the server."
