"""Copies of one meeting in the calendars of several users: the answer is each one's own, the rest is the
organizer's (T6; requirements R082, R087). Pure."""

from dataclasses import replace

from connectors.calendar import Attendee, Component, Item, Response
from syncd.core.merge import Rules, Winner, merge

ORGANIZERS = Rules(Winner.CRM)


def answered(crm: Item, copy: Item, own: frozenset[str]) -> Item:
    """The CRM's event with what the owner of a copy answered there."""
    said = {component.key: component.attendee(own) for component in copy.components}
    components = []
    for component in crm.components:
        answer = said.get(component.key)
        components.append(component if answer is None else _with(component, answer))
    return replace(crm, components=tuple(components))


def _with(component: Component, answer: Attendee) -> Component:
    return replace(
        component,
        attendees=tuple(
            replace(one, response=answer.response) if one.email == answer.email else one
            for one in component.attendees
        ),
    )


def declined(crm: Item, own: frozenset[str]) -> Item:
    """The CRM's event after the owner of a copy took it out of the own calendar: that declines, as it does on
    a server that schedules (RFC 6638 section 3.2.2.4)."""
    components = []
    for component in crm.components:
        invited = component.attendee(own)
        said = None if invited is None else replace(invited, response=Response.DECLINED)
        components.append(component if said is None else _with(component, said))
    return replace(crm, components=tuple(components))


def stays_away(crm: Item, own: frozenset[str]) -> bool:
    """Whether a participant declined it as a whole: then nobody delivers it to that calendar, until the
    organizer asks again, which sets the answer back."""
    answers = [one.response for component in crm.components if (one := component.attendee(own)) is not None]
    return bool(answers) and all(one is Response.DECLINED for one in answers)


def copied(base: Item | None, crm: Item, copy: Item, own: frozenset[str]) -> Item:
    """What a copy must become: what changed in the event since `base` is brought in, what its owner keeps
    there of the own (alerts, categories) stays."""
    if base is None:
        return copy
    merged = merge(base_crm=base, base_remote=copy, crm=crm, remote=copy, rules=ORGANIZERS)
    return answered(merged.remote, copy, own)
