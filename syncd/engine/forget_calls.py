"""Taking calls out of the CRM again: those with a person who was deleted, or with a number that nobody has.

A call's activity names the person and the number, its form's task too: both go, with what was reported on it.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from store import call_rows, reconciling, report_forms, scheduling
from store.bindings import BoundEntity
from store.calendar import Task
from store.database import Transaction
from syncd.core.canonical import dump, load
from syncd.engine.meetings.forms import cancel


def calls_of(
    session: Transaction, contact_id: int | None, numbers: Collection[str], country: str
) -> tuple[int, ...]:
    """The activities of calls with the contact, which is deleted, or with one of these numbers or the
    contact's, as far as nobody has them now. `country` is that of numbers that name none."""
    asked = {*numbers, *(call_rows.numbers_of(session, contact_id) if contact_id is not None else ())}
    found = set(call_rows.of_contact(session, contact_id)) if contact_id is not None else set()
    if asked:
        found.update(call_rows.with_numbers(session, _free(session, asked, country)))
    return tuple(sorted(found))


def holder_of(session: Transaction, number: str, country: str) -> call_rows.Numbers | None:
    """Who has the number now; contacts before accounts."""
    from syncd.core.calls import phone_book  # brings every country's numbers with it

    entries = call_rows.numbers(session)
    book = phone_book(((n, one.numbers) for n, one in enumerate(entries)), country)
    return next((entries[n] for n in book.whose(number)), None)


def _free(session: Transaction, asked: Iterable[str], country: str) -> set[str]:
    """Those that nobody has, in the forms in which calls may have them."""
    from syncd.core.calls import international, phone_book  # as above

    entries = call_rows.numbers(session)
    book = phone_book(((n, one.numbers) for n, one in enumerate(entries)), country)
    free = [one for one in asked if not book.whose(one)]
    return {form for one in free for form in (one.strip(), international(one, country)) if form}


def blank_copies(session: Transaction, tasks: Collection[int]) -> None:
    """What was noted of these forms' tasks when they were put into a list says nothing any more: they wait to
    be taken out of it."""
    for one in reconciling.of_records(session, BoundEntity.TASK, tasks):
        if not one.base_remote:
            continue
        item = load(one.base_remote)
        parts = tuple(replace(part, subject="", notes="") for part in item.components)
        blank = {"base_remote": dump(replace(item, components=parts)), "base_crm": None, "last_block": ""}
        reconciling.update_binding(session, one.id, blank)


def erase(session: Transaction, calls: Collection[int], now: datetime) -> None:
    """Removes these activities, their reports, and the tasks of their forms from every list. The caller is
    `alone`."""
    forms = report_forms.ever(session, calls)
    cancel(session, forms, now, blank=True)
    for form in forms:
        if form.task_id is not None:  # what its user wrote into it is the report
            scheduling.set_columns(session, Task, form.task_id, {"notes": ""})
    call_rows.drop(session, calls)
