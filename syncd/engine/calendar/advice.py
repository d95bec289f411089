"""An account's recommendation, where its events stand in calendars (R005, §4.2): what is shown, and to whom.

Nobody reads it in a calendar who may not read the account in the CRM: not the mailbox's user, and not a
colleague who takes part, into whose calendar the server may copy what the event says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.calendar import Item
from store import advice_shown
from store.calendar_rows import EventRecord
from store.database import Transaction
from syncd.core.recommending import label
from syncd.engine.calendar.context import Context
from syncd.engine.calendar.items import item_of
from syncd.engine.calendar.people import People
from syncd.engine.occurring import last_end


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands at an account, and who of those concerned may read it."""

    text: str
    readers: frozenset[int]


Advice = Mapping[int, Shown]  # by account


def gather(
    session: Transaction, context: Context, records: Iterable[EventRecord], found: Iterable[Item]
) -> dict[int, Shown]:
    """What stands at the accounts of these records. `found` are the items that were read of the server."""
    ours = [one for one in records if one.main.values["account_id"]]
    standing = advice_shown.standing(session, {one.main.values["account_id"] for one in ours})
    if not standing:
        return {}
    people = context.setting.people
    users = {context.setting.owner_id}
    for one in ours:
        if one.main.values["account_id"] in standing:
            users |= users_of(people, item_of(one))
    users |= users_of(people, *found)
    may = advice_shown.readers(session, standing, users)
    language = context.rules.language
    return {
        id_: Shown(_worded(one.message, label(one.category.name, language)), may[id_])
        for id_, one in standing.items()
    }


def _worded(message: str, category: str) -> str:
    return f"{category} : {message}" if category else message


def users_of(people: People, *items: Item | None) -> set[int]:
    """The users who take part, in any occurrence."""
    emails = {
        email
        for item in items
        if item is not None
        for component in item.components
        for email in (*(one.email for one in component.attendees), component.organizer)
        if email
    }
    return {user for email in emails if (user := people.user(email)) is not None}


def read_by_owner(record: EventRecord, advice: Advice, context: Context, *items: Item | None) -> str:
    """What the mailbox's user reads of the record's account; empty where nothing stands, where the account is
    not for that user, and where the meeting is over."""
    shown = advice.get(record.main.values["account_id"] or 0)
    if shown is None or context.setting.owner_id not in shown.readers:
        return ""
    ends = [last_end(one, floating=context.rules.floating) for one in items if one is not None]
    over = bool(ends) and all(end is not None and end <= context.now for end in ends)
    return "" if over else shown.text


def read_by_all(record: EventRecord, advice: Advice, context: Context, *items: Item | None) -> str:
    """The same, where every colleague who takes part may read it too."""
    shown = advice.get(record.main.values["account_id"] or 0)
    if shown is None or not users_of(context.setting.people, *items) <= shown.readers:
        return ""
    return read_by_owner(record, advice, context, *items)
