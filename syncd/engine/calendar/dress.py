"""What the CRM adds to an event in its owner's calendar, and to whom it must never show (§4.2).

Nothing is added where anybody from outside takes part: what stands in an event is mailed to its guests.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.calendar import Dress, Item
from store.calendar_rows import EventRecord
from syncd.engine.calendar.people import People

if TYPE_CHECKING:
    from syncd.engine.calendar.context import Plan


@dataclass(frozen=True, slots=True)
class Names:
    """What accounts and opportunities are called."""

    accounts: Mapping[int, str]
    opportunities: Mapping[int, str]


def dress_of(plan: "Plan", names: Names, people: People) -> Dress:
    """What goes with the item on its way out."""
    record = plan.record
    if record is None:
        return Dress()
    plain = Dress(crm_id=str(record.id))
    if not isinstance(record, EventRecord) or has_guests(people, plan.crm, plan.seen):
        return plain
    values = record.main.values
    account = names.accounts.get(values["account_id"], "") if values["account_id"] else ""
    opportunity = names.opportunities.get(values["opportunity_id"], "") if values["opportunity_id"] else ""
    lines = [f"Compte : {account}"] if account else []
    lines += [f"Opportunité : {opportunity}"] if opportunity else []
    return Dress(plain.crm_id, account, opportunity, "\n".join(lines))


def has_guests(people: People, *items: Item | None) -> bool:
    """Whether anybody takes part, in any occurrence and on either side, who is not a user of the CRM."""
    return any(
        people.user(email) is None
        for item in items
        if item is not None
        for component in item.components
        for email in (*(one.email for one in component.attendees), component.organizer)
        if email
    )


def mark_of(dress: Dress) -> str:
    """Tells whether what the CRM adds is another one now; empty where it adds nothing."""
    added = (dress.account, dress.opportunity, dress.block)
    return hashlib.sha256("\0".join(added).encode()).hexdigest()[:16] if any(added) else ""
