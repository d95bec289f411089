"""Who takes part: users, contacts, and the account and opportunity that follow from them (R085 to R087)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from store.calendar_rows import ParticipantRow
from syncd.core.directory import Directory

REFERENCE = re.compile(r"[\w./-]+")


@dataclass(frozen=True, slots=True)
class Link:
    """What an event concerns."""

    account_id: int | None = None
    opportunity_id: int | None = None


@dataclass(frozen=True, slots=True)
class People:
    """One state of the CRM's addresses, asked by address."""

    directory: Directory

    def user(self, email: str) -> int | None:
        """The user who has this address."""
        return self.directory.own.get(email)

    def contact(self, email: str) -> int | None:
        """The contact who has this address; the first one where several do."""
        targets = self.directory.contacts.get(email, ())
        return next((one.contact_id for one in targets if one.contact_id is not None), None)

    def own_addresses(self, user_id: int) -> frozenset[str]:
        """Every address of a user."""
        return frozenset(email for email, user in self.directory.own.items() if user == user_id)

    def link(self, participants: Sequence[ParticipantRow], subject: str) -> Link:
        """The one account that all contacts among the participants belong to, and its opportunity: the one
        whose reference is in the subject, else the only open one."""
        accounts: set[int] = set()
        for one in participants:
            if one.contact_id is None:
                continue
            accounts |= {target.account_id for target in self.directory.contacts.get(one.email, ())}
        if len(accounts) != 1:
            return Link()
        (account,) = accounts
        offered = self.directory.opportunities.get(account, ())
        words = {word.casefold() for word in REFERENCE.findall(subject)}
        named = [one for one in offered if one.reference and one.reference.casefold() in words]
        chosen = named or list(offered)
        return Link(account, chosen[0].id if len(chosen) == 1 else None)
