"""Corners of the merge that edits at random seldom reach."""

from dataclasses import replace
from datetime import datetime

from connectors.calendar import Attendee, Component, Item, Kind, Privacy, Response, Status, Timing, When
from syncd.core.canonical import Unit
from syncd.core.merge import Merged, Rules, Winner, bases_after, merge
from syncd.core.plan import Action, Pair, decide

ANNA = "anna@client.example"


def at(day: int) -> When:
    return When(datetime(2026, 11, day, 10), "Europe/Paris")  # noqa: DTZ001 - the zone stands beside it


def item(**values: object) -> Item:
    main = replace(Component(Timing(at(24), at(25))), **values)  # type: ignore[arg-type]
    return Item("u", Kind.EVENT, (main,))


def merged(base_crm: Item, base_remote: Item, crm: Item, remote: Item) -> Merged:
    return merge(base_crm=base_crm, base_remote=base_remote, crm=crm, remote=remote, rules=Rules())


def outcome(found: Merged) -> list[tuple[Unit | None, Winner]]:
    return [(one.unit, one.winner) for one in found.conflicts]


def test_sides_that_each_removed_what_the_other_kept_are_never_left_empty() -> None:
    one, other = (replace(item().main, recurrence_id=at(day)) for day in (24, 25))
    base = replace(item(), components=(one, other))
    crm, remote = replace(base, components=(one,)), replace(base, components=(other,))
    found = merged(base, base, crm, remote)
    assert (found.crm, found.remote) == (remote, remote)
    assert outcome(found) == [(None, Winner.REMOTE)]


def test_a_category_that_one_side_adds_stays_though_the_other_one_takes_it_off() -> None:
    with_it, without = item(categories=frozenset({"a"})), item()
    found = merged(with_it, without, without, with_it)
    assert (found.crm, found.remote) == (with_it, with_it)
    assert outcome(found) == [(Unit.CATEGORIES, Winner.REMOTE)]
    found = merged(without, with_it, with_it, without)
    assert (found.crm, found.remote) == (with_it, with_it)
    assert outcome(found) == [(Unit.CATEGORIES, Winner.CRM)]


def test_a_guest_taken_off_in_the_crm_stays_off_though_they_answered_meanwhile() -> None:
    base, answered = item(attendees=(Attendee(ANNA),)), item(attendees=(Attendee(ANNA, Response.ACCEPTED),))
    found = merged(base, base, item(), answered)
    assert (found.crm, found.remote) == (item(), item())
    assert outcome(found) == [(Unit.ATTENDEES, Winner.CRM)]


def test_of_two_answers_the_server_s_counts_and_the_other_one_is_told() -> None:
    base = item(attendees=(Attendee(ANNA),))
    crm, remote = (item(attendees=(Attendee(ANNA, one),)) for one in (Response.DECLINED, Response.ACCEPTED))
    found = merged(base, base, crm, remote)
    assert (found.crm, found.remote) == (remote, remote)
    assert outcome(found) == [(Unit.ATTENDEES, Winner.REMOTE)]


def test_a_private_item_that_is_gone_is_never_made_anew_without_its_text() -> None:
    busy = item(privacy=Privacy.PRIVATE)
    found = decide(Pair(busy, busy, item(privacy=Privacy.PRIVATE, subject="Audit"), None), Rules())
    assert (found.action, found.remote) == (Action.CANCEL_CRM, None)


def test_what_the_crm_did_to_busy_time_is_not_written_over_text_that_is_public_now() -> None:
    busy, public = item(privacy=Privacy.PRIVATE), item(subject="Visite")
    found = decide(Pair(busy, busy, item(privacy=Privacy.PRIVATE, subject="x"), public), Rules(Winner.CRM))
    assert (found.crm, found.remote) == (public, None)


def test_what_comes_back_to_the_server_is_alive_again_in_the_crm() -> None:
    cancelled = item(status=Status.CANCELLED, notes="x")
    found = decide(Pair(cancelled, None, cancelled, item()), Rules())
    assert (found.crm, found.remote) == (item(), None)


def test_notes_that_wait_for_a_person_since_the_first_link_are_not_merged_around_an_empty_line() -> None:
    crm, remote = item(notes="Le plan\n"), item(notes="\nLe devis")
    rules = Rules(Winner.MANUAL)
    first = merge(base_crm=None, base_remote=None, crm=crm, remote=remote, rules=rules)
    base_crm, base_remote = bases_after(first, None, None)
    again = merge(base_crm=base_crm, base_remote=base_remote, crm=crm, remote=remote, rules=rules)
    assert outcome(first) == outcome(again) == [(Unit.NOTES, Winner.MANUAL)]
    assert (again.crm, again.remote, again.held) == (crm, remote, first.held)
