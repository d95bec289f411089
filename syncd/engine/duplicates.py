"""Contacts that may be the same person: by name at one account, by e-mail address, by telephone number."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from store.contact_rows import ContactKeys
from syncd.core.names import normalised

SWITCHBOARD = 4  # as many contacts with one landline share it: it is the company's


class Why(Enum):
    """What contacts have in common."""

    EMAIL = "email"
    NAME = "name"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Group:
    """Contacts that have something in common, the oldest first."""

    why: Why
    value: str  # the address, the number; for people
    contacts: tuple[int, ...]


def groups(contacts: Iterable[ContactKeys]) -> list[Group]:
    """Every group of two and more, those by e-mail address first; each by its oldest contact.

    A landline that four contacts have is a company's own, and tells nothing.
    """
    found: dict[tuple[Why, object], list[int]] = {}
    landlines: set[str] = set()
    for one in contacts:
        keys: list[tuple[Why, object]] = [(Why.EMAIL, address) for address in dict.fromkeys(one.emails)]
        if name := normalised(one.first_name, one.last_name):
            keys.append((Why.NAME, (one.account_id, name)))
        keys += [(Why.PHONE, number) for number in dict.fromkeys(one.numbers)]
        landlines.update(one.numbers[: 1 if one.landline else 0])
        for key in keys:
            found.setdefault(key, []).append(one.id)
    made = [
        Group(why, value if isinstance(value, str) else _name(value), tuple(ids))
        for (why, value), ids in found.items()
        if len(ids) > 1 and not (why is Why.PHONE and value in landlines and len(ids) >= SWITCHBOARD)
    ]
    order = list(Why)
    return sorted(made, key=lambda group: (order.index(group.why), group.contacts))


def _name(key: object) -> str:
    return str(key[1]) if isinstance(key, tuple) else ""
