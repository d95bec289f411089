"""Finding the account, the project or the user that a person names."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.language import Phrase, said
from config.words import noun_word
from store.accounts import Account
from store.base import Entity
from store.deals import Deal, Project
from store.errors import NotFound
from store.pipeline import Opportunity
from store.readers import number_of_record
from store.selling import Product, SalesOrder
from store.users import User

SUGGESTIONS = 5  # looking for the nearest of many names takes time: only for the first mistakes


class Book:
    """The records of one kind that are not deleted, by name and by external id."""

    def __init__(self, noun: str, rows: Iterable[tuple[int, str | None, str | None]]) -> None:
        self._noun = noun
        self._by_name: dict[str, list[int]] = {}
        self._by_ext: dict[str, int] = {}
        self._ids: set[int] = set()
        self._suggestions = SUGGESTIONS
        for id_, name, ext_id in rows:
            self.add(id_, name or "", ext_id)

    def add(self, id_: int, name: str, ext_id: str | None) -> None:
        """One more: those of the file that is being read can be named too."""
        self._ids.add(id_)
        if name and id_ not in self._by_name.setdefault(name, []):
            self._by_name[name].append(id_)
        if ext_id:
            self._by_ext[ext_id] = id_

    def named(self, name: str) -> list[int]:
        """Those that have exactly this name."""
        return self._by_name.get(name, [])

    def is_called(self, id_: int, text: str) -> bool:
        """Whether this is the name or the external id of that one."""
        return id_ in self._by_name.get(text, ()) or self._by_ext.get(text) == id_

    def resolve(self, text: str) -> int:
        """The one with this name or external id; ValueError unless it is exactly one."""
        found = set(self._by_name.get(text, ()))
        if text in self._by_ext:
            found.add(self._by_ext[text])
        if len(found) == 1:
            return found.pop()
        if found:
            ids = ", ".join(map(str, sorted(found)))
            column = f"{self._noun.replace(' ', '_')}_id"
            raise ValueError(
                Phrase(
                    '"{text}" names {count} {noun} (ids {ids}): use {column} or an ext_id',
                    text=text,
                    count=len(found),
                    noun=noun_word(f"{self._noun}s"),
                    ids=ids,
                    column=column,
                )
            )
        raise ValueError(
            Phrase(
                'there is no {noun} "{text}"{nearest}',
                noun=noun_word(self._noun),
                text=text,
                nearest=self._nearest(text),
            )
        )

    def resolve_id(self, text: str) -> int:
        """The one with this id; ValueError if there is none."""
        id_ = number_of_record(text)
        if id_ not in self._ids:
            raise ValueError(Phrase("there is no {noun} {id}", noun=noun_word(self._noun), id=id_))
        return id_

    def _nearest(self, text: str) -> str:
        if self._suggestions <= 0:
            return ""
        self._suggestions -= 1
        same = [name for name in self._by_name if name.casefold() == text.casefold()]
        near = same or difflib.get_close_matches(text, self._by_name, n=1)
        return Phrase('; did you mean "{near}"?', near=near[0]) if near else ""


class Accounts(Book):
    """The accounts."""

    def __init__(self, session: Session) -> None:
        super().__init__("account", _rows(session, Account, Account.name))


Called = Iterator[tuple[int, str | None, str | None]]


def _rows(session: Session, model: type[Entity], *names: Any) -> Called:
    """The records that are not deleted: id, name and external id, once for each of their names."""
    for name in names:
        query = select(model.id, name, model.ext_id).where(model.deleted_at.is_(None))
        for row in session.execute(query):
            yield row[0], row[1], row[2]


def _projects(session: Session) -> Called:
    return _rows(session, Project, Project.name)


def _deals(session: Session) -> Called:
    return _rows(session, Deal, Deal.reference, Deal.title)


def _opportunities(session: Session) -> Called:
    return _rows(session, Opportunity, Opportunity.reference, Opportunity.title)


def _contacts(session: Session) -> Called:
    from store.contacts import Contact

    return _rows(session, Contact, Contact.email)


def _products(session: Session) -> Called:
    return _rows(session, Product, Product.code)


def _orders(session: Session) -> Called:
    order = SalesOrder
    query = select(order.id, order.year, order.number, order.ext_id).where(order.deleted_at.is_(None))
    for id_, year, number, ext_id in session.execute(query):
        yield id_, f"{year}-{number}", ext_id


# Beside accounts and users, what a record may refer to.
BOOKS: dict[str, Callable[[Session], Called]] = {
    "project": _projects,
    "converted_deal": _deals,
    "opportunity": _opportunities,
    "contact": _contacts,
    "product": _products,
    "order": _orders,
}


class Users:
    """The CRM's users, by login, and whose addresses are whose."""

    def __init__(self, session: Session) -> None:
        self._ids: dict[str, int] = {}
        self.own: dict[str, str] = {}  # address -> login
        query = select(User.id, User.login, User.email, User.aliases).where(User.active)
        for id_, login, email, aliases in session.execute(query):
            self._ids[login] = id_
            self.own.update(dict.fromkeys([email, *aliases], login))

    def is_called(self, id_: int, text: str) -> bool:
        """Whether this is the login of that user."""
        return self._ids.get(text) == id_

    def resolve(self, text: str) -> int:
        """The user with this login; ValueError if there is none."""
        if text in self._ids:
            return self._ids[text]
        near = difflib.get_close_matches(text, self._ids, n=1)
        if near:
            raise ValueError(
                Phrase('there is no user "{text}"; did you mean "{near}"?', text=text, near=near[0])
            )
        raise ValueError(Phrase('there is no user "{text}"', text=text))

    def resolve_id(self, text: str) -> int:
        """The user with this id; ValueError if there is none."""
        id_ = number_of_record(text)
        if id_ not in self._ids.values():
            raise ValueError(Phrase("there is no user {id}", id=id_))
        return id_


def account(session: Session, text: str) -> int:
    """The id of the account that a person names by id, external id or exact name. Raises NotFound."""
    if text.isascii() and text.isdecimal() and len(text) < 10:  # noqa: PLR2004 - 32 bits
        there = select(Account.id).where(Account.id == int(text), Account.deleted_at.is_(None))
        if (found := session.scalar(there)) is not None:
            return found
    accounts = Accounts(session)
    readers = (accounts.resolve_id, accounts.resolve) if text.isdecimal() else (accounts.resolve,)
    message = ""
    for read in readers:
        try:
            return read(text)
        except ValueError as error:
            message = message or said(error)
    raise NotFound(message)


def addresses_in_use(session: Session, addresses: Iterable[str]) -> set[str]:
    """Which of some addresses belong to a contact or an account that is not deleted."""
    from store.contacts import Contact
    from store.ledger import chunked

    found: set[str] = set()
    for part in chunked(addresses):
        for column, model in (
            (Contact.email, Contact),
            (Contact.email2, Contact),
            (Contact.email3, Contact),
            (Account.email, Account),
        ):
            query = select(column).where(column.in_(part), model.deleted_at.is_(None)).distinct()
            found.update(one for one in session.scalars(query) if one is not None)
    return found
