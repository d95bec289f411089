"""Who is meant by a person: every record, address, name and number that the CRM knows somebody by.

One person may have several contacts: duplicates that were merged, and contacts with the same address and the
same name. An address, name or number that somebody else has too says nothing of one person.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.accounts import Account
from store.calendar import EventParticipant
from store.contacts import Contact
from store.errors import NotFound
from store.ledger import chunked
from store.mail import EmailMatch, MatchRule
from store.merging import ContactMerge
from store.traces import plain
from store.users import User


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as far as the CRM knows who it is."""

    contacts: tuple[int, ...]  # deleted ones and merged ones too; none for an address only
    addresses: frozenset[str]  # lower-cased, nobody else's
    names: frozenset[str]  # first and last name, nobody else's
    numbers: frozenset[str]  # as written and as +33…, nobody else's
    shared: tuple[str, ...] = ()  # what somebody else has too, and why; for people
    clashes: tuple[str, ...] = ()  # addresses that are somebody else's now: it is not clear who is meant


def resolve(session: Session, text: str) -> Person:
    """The person of that contact id or e-mail address. Raises NotFound."""
    address = text.strip().lower()
    named = {address} if "@" in address else set()
    if named:
        ids = {one.id for one in _having(session, named)}
    else:
        ids = {int(address)} if address.isdecimal() and len(address) < 10 else set()  # noqa: PLR2004
        ids = set(session.scalars(select(Contact.id).where(Contact.id.in_(ids))))
        if not ids:
            raise NotFound(f"there is no contact {text.strip()[:40]}: name its id, or an e-mail address")
    contacts = _alike(session, ids)
    own = named | {one for contact in contacts.values() for one in contact.addresses()}
    former = _former(session, contacts) - own
    clashes = tuple(_holders(session, own, contacts))
    taken = {address for address, _ in _holders_of(session, former, contacts)}
    addresses = (own | former) - taken
    names, same_name = _names(session, contacts, addresses)
    numbers, same_number = _numbers(session, contacts)
    return Person(
        contacts=tuple(sorted(contacts)),
        addresses=frozenset(addresses),
        names=frozenset(names),
        numbers=frozenset(numbers),
        shared=(*same_name, *same_number),
        clashes=clashes,
    )


def full_name(contact: Contact | User) -> str:
    """First and last name, as people write them."""
    return " ".join(f"{contact.first_name} {contact.last_name}".split())


def _having(session: Session, addresses: Collection[str]) -> list[Contact]:
    """The contacts that have one of these addresses, deleted or not."""
    found: dict[int, Contact] = {}
    for part in chunked(addresses):
        either = Contact.email.in_(part) | Contact.email2.in_(part) | Contact.email3.in_(part)
        found.update((one.id, one) for one in session.scalars(select(Contact).where(either)))
    return list(found.values())


def _alike(session: Session, ids: Collection[int]) -> dict[int, Contact]:
    """These contacts, what was merged with them, and those of the same address and name; deleted ones of the
    same address whatever they are called."""
    found: dict[int, Contact] = {}
    ahead = set(ids)
    while ahead:
        fresh = [one for part in chunked(sorted(ahead))
                 for one in session.scalars(select(Contact).where(Contact.id.in_(part)))]  # fmt: skip
        found.update((one.id, one) for one in fresh)
        ahead = set()
        for part in chunked(one.id for one in fresh):
            m = ContactMerge
            pairs = select(m.keep_id, m.other_id).where(
                m.undone_at.is_(None), m.keep_id.in_(part) | m.other_id.in_(part)
            )
            ahead.update(id_ for pair in session.execute(pairs) for id_ in pair)
        names = {full_name(one).casefold() for one in found.values()}
        same = _having(session, {address for one in fresh for address in one.addresses()})
        ahead.update(
            one.id for one in same if one.deleted_at is not None or full_name(one).casefold() in names
        )
        ahead -= found.keys()
    return found


def _former(session: Session, contacts: Collection[int]) -> set[str]:
    """Addresses that mail and events know these contacts by."""
    found: set[str] = set()
    for part in chunked(contacts):
        matched = select(EmailMatch.address).where(
            EmailMatch.contact_id.in_(part), EmailMatch.rule == MatchRule.CONTACT
        )
        invited = select(EventParticipant.email).where(EventParticipant.contact_id.in_(part))
        found.update(session.scalars(matched.distinct()), session.scalars(invited.distinct()))
    return found - {""}


def _holders(session: Session, addresses: Collection[str], besides: Collection[int]) -> Iterable[str]:
    for address, who in sorted(_holders_of(session, addresses, besides)):
        yield f"{address} is also an address of {who}"


def _holders_of(
    session: Session, addresses: Collection[str], besides: Collection[int]
) -> list[tuple[str, str]]:
    """Who else has one of these addresses now: (address, who)."""
    found = [
        (address, f"contact {one.id}")
        for one in _having(session, addresses)
        if one.id not in besides and one.deleted_at is None
        for address in one.addresses()
        if address in addresses
    ]
    for part in chunked(addresses):
        query = select(Account.email, Account.id).where(Account.email.in_(part), Account.deleted_at.is_(None))
        found += [(address, f"account {id_}") for address, id_ in session.execute(query) if address]
    for login, email, aliases in session.execute(select(User.login, User.email, User.aliases)):
        found += [(one, f"user {login}") for one in {email, *aliases} if one in addresses]
    return found


def _names(
    session: Session, contacts: dict[int, Contact], addresses: Collection[str]
) -> tuple[set[str], list[str]]:
    """Names of two words at least, and why some are left out. What calendars call an address may be anybody's
    or anything's: also the name of an account, or of another address, is none of the person's."""
    own = {full_name(one) for one in contacts.values() if one.first_name and one.last_name}
    called: set[str] = set()
    for part in chunked(addresses):
        shown = select(EventParticipant.display_name).where(EventParticipant.email.in_(part)).distinct()
        called.update(" ".join(one.split()) for one in session.scalars(shown))
    names = {one for one in own | called if len(one.replace(",", " ").split()) > 1 and "@" not in one}
    if not names:
        return set(), []
    mine = {form for one in own for form in _orders(one)}
    wanted = {form for one in names for form in _orders(one)}
    taken: dict[str, str] = {}
    rows = select(Contact.id, Contact.first_name, Contact.last_name).where(Contact.deleted_at.is_(None))
    for id_, first, surname in session.execute(rows):  # in any case and order, which no index knows
        name = _form(f"{first} {surname}")
        if name in wanted and id_ not in contacts:
            taken[name] = f"contact {id_}"
    for user in session.scalars(select(User)):
        if (name := _form(full_name(user))) in wanted:
            taken[name] = f"user {user.login}"
    for id_, known in session.execute(select(Account.id, Account.name).where(Account.deleted_at.is_(None))):
        if (name := _form(known)) in wanted - mine:
            taken[name] = f"account {id_}"
    p = EventParticipant
    for some in chunked(one for one in names if _form(one) not in mine):
        for other, email in session.execute(
            select(p.display_name, p.email).where(p.display_name.in_(some)).distinct()
        ):
            if email not in addresses:
                taken.setdefault(_form(other), "another address in events")
    why = [f"{who} has the same name: texts are not searched for it" for who in sorted(set(taken.values()))]
    return {one for one in names if _orders(one).isdisjoint(taken)}, why


def _orders(name: str) -> set[str]:
    """The name as texts may have it: the last word last, or first."""
    form = _form(name)
    words = form.replace(",", " ").split()
    return {form, " ".join(words), " ".join((words[-1], *words[:-1]))}


def _form(name: str) -> str:
    """The same for all spellings of a name that are taken for one: any case, with accents or without."""
    return " ".join(plain(name).split()).casefold()


def _numbers(session: Session, contacts: dict[int, Contact]) -> tuple[set[str], list[str]]:
    mine: dict[str, set[str]] = {}  # international form, or what was written -> all spellings
    for one in contacts.values():
        for typed, form in (
            (one.phone_landline, one.phone_landline_e164), (one.phone_mobile, one.phone_mobile_e164)
        ):  # fmt: skip
            if typed:
                mine.setdefault(form or typed, set()).update({typed, form or typed})
    found, why = set(), []
    for form, spellings in mine.items():
        c = Contact
        either = c.phone_landline_e164.in_(spellings) | c.phone_mobile_e164.in_(spellings)
        either |= c.phone_landline.in_(spellings) | c.phone_mobile.in_(spellings)
        query = select(c.id).where(either, c.id.not_in(list(contacts)), c.deleted_at.is_(None))
        other = session.scalar(query.limit(1))
        office = session.scalar(
            select(Account.id)
            .where(Account.phone.in_(spellings) | Account.phone2.in_(spellings) | Account.fax.in_(spellings))
            .limit(1)
        )
        if other is None and office is None:
            found |= spellings
        else:
            who = f"account {office}" if other is None else f"contact {other}"
            why.append(f"{who} has the same number …{form[-2:]}: it is left where it stands")
    return found, why
