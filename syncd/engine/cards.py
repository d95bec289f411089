"""From what a card tells of a person to a contact of the CRM, or to a draft that somebody completes (R038).

A card becomes a contact where its account and its last name are known. Where that account has a contact with
the same e-mail address already (or, for a card without any, the same name), an update of that one is offered.
All functions run in the caller's transaction.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from config.language import Phrase
from store import drafts, fields, photos, references, value_lists
from store.actors import Actor
from store.contacts import Contact
from store.csvfile import Line
from store.database import Transaction
from store.drafts import ContactDraft, DraftSource, DraftState
from store.errors import Invalid
from store.fields import CONTACTS, Field, Kind
from store.importing import Occasion, Saved
from store.photos import Drawn
from store.readers import Value
from syncd.core.names import normalised
from syncd.engine import phones, records
from syncd.engine.records import Follows

ADDRESSES = ("email", "email2", "email3")
REACH = "email or phone"
ORGANISATION = "organisation"  # beside the fields: what the card calls the account


class Outcome(Enum):
    """What became of a card."""

    ADDED = "added"
    DRAFT = "draft"
    UPDATE_OFFERED = "update offered"
    KNOWN = "known"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a card tells. `values` has the CRM's field names; nothing of it need be right."""

    number: int  # of the card in its file
    source: DraftSource
    raw: bytes
    values: Mapping[str, str]
    organisation: str = ""
    confidence: Mapping[str, float] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    problem: str = ""  # not empty: it cannot be read
    candidates: tuple[str, ...] = ()  # what may be the account's name too
    roles: tuple[str, ...] = ()  # what may be the code or a label of a role
    photo: Drawn | None = None
    reachable: bool = False  # a contact needs an e-mail address or a telephone number (R040)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one card, and why."""

    number: int
    name: str
    outcome: Outcome
    contact_id: int | None = None
    draft_id: int | None = None
    missing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    problem: str = ""


@dataclass(slots=True)
class _Card:
    """A proposal on its way."""

    kind: Kind
    proposal: Proposal
    cells: dict[str, str]
    left_out: list[str]
    account: int | None
    missing: list[str]

    @property
    def key(self) -> frozenset[tuple[int | None, str]]:
        """By what it is the same person at the same account."""
        emails = [self.cells[one] for one in ADDRESSES if one in self.cells]
        name = normalised(self.cells.get("first_name", ""), self.cells.get("last_name", ""))
        return frozenset((self.account, one) for one in emails or [name])


def take(
    session: Transaction,
    proposals: Sequence[Proposal],
    occasion: Occasion,
    follows: Follows,
    *,
    account: int | None = None,
) -> tuple[list[Taken], Saved]:
    """Makes contacts and drafts; one answer a card, in their order. `account` is for cards that name none."""
    kind = value_lists.bind(session, CONTACTS, occasion.actor.user_id)
    cards = _checked(session, kind, proposals, account)
    waiting = drafts.known(session, (_digest(one) for one in proposals), occasion.actor.user_id)
    there = _people(session, cards)
    new: dict[int, _Card] = {}
    for position, card in enumerate(cards):
        if card.missing or card.proposal.problem or there.find(card) is not None:
            continue
        if not there.coming & card.key:
            there.coming |= card.key
            new[position] = card
    saved = Saved()
    if new:
        lines = _lines(list(new.values()), occasion.actor)
        saved = records.save(session, CONTACTS, lines, occasion, follows=follows)
        there = _people(session, cards)
    made = dict(zip(new, saved.created, strict=True))
    for position, contact_id in made.items():
        if (photo := cards[position].proposal.photo) is not None:
            photos.add(session, contact_id, photo, occasion.now)
    return [
        _added(card, made[position]) if position in made else _kept(session, card, there, waiting, occasion)
        for position, card in enumerate(cards)
    ], saved


def complete(
    session: Transaction,
    draft: ContactDraft,
    given: Mapping[str, str],
    occasion: Occasion,
    follows: Follows,
) -> tuple[Outcome, int | None, Saved]:
    """Makes a contact of a draft with what a person adds to it, or updates the one that it is offered for.

    Where the account turns out to have a contact with that address, nothing is written but the offer of an
    update. Raises Invalid, Refused, Forbidden.
    """
    organisation = str(draft.parsed.get(ORGANISATION, ""))
    cells = {name: str(value) for name, value in draft.parsed.items() if name != ORGANISATION} | dict(given)
    if draft.contact_id is not None:
        contact = session.get(Contact, draft.contact_id)
        if contact is None or contact.deleted_at is not None:
            raise Invalid(
                Phrase(
                    "contact {contact_id}, which draft {id} was to update, is deleted",
                    contact_id=draft.contact_id,
                    id=draft.id,
                )
            )
        kind = value_lists.bind(session, CONTACTS, occasion.actor.user_id)
        changed = changes(kind, contact, {k: v for k, v in cells.items() if k in CONTACTS.by_header})
        line = Line(1, {"id": str(contact.id)} | changed)
        saved = records.save(session, CONTACTS, [line], occasion, follows=follows)
        drafts.end(session, draft, DraftState.COMPLETED, actor=occasion.actor, now=occasion.now)
        return Outcome.ADDED, contact.id, saved
    account = _account(session, draft, cells, organisation)
    if not cells.get("last_name"):
        raise Invalid(Phrase("draft {id} has no last name: give it with --last-name", id=draft.id))
    addresses = {cells[one].strip().lower() for one in ADDRESSES if cells.get(one)}
    for one in drafts.contacts_of(session, [account]):
        if addresses & set(one.addresses()):
            draft.contact_id, draft.missing, draft.parsed = one.id, [], {**draft.parsed, **given}
            session.flush()
            return Outcome.UPDATE_OFFERED, one.id, Saved()
    cells = {k: v for k, v in cells.items() if k != "account"} | {"account_id": str(account)}
    line = Line(1, cells | _owner(occasion.actor))
    saved = records.save(session, CONTACTS, [line], occasion, follows=follows)
    (draft.contact_id,) = saved.created
    drafts.end(session, draft, DraftState.COMPLETED, actor=occasion.actor, now=occasion.now)
    return Outcome.ADDED, draft.contact_id, saved


def _account(session: Transaction, draft: ContactDraft, cells: Mapping[str, str], organisation: str) -> int:
    if cells.get("account"):
        return references.account(session, cells["account"])
    if cells.get("account_id"):
        return int(cells["account_id"])
    named = drafts.accounts_named(session, [organisation]).get(organisation, [])
    if len(named) != 1:
        raise Invalid(Phrase("draft {id} has no account: name it with --account", id=draft.id))
    return named[0]


def changes(kind: Kind, contact: Contact, cells: Mapping[str, str]) -> dict[str, str]:
    """What an update writes: the card's values that are others. Its addresses only go where room is."""
    changed = {}
    for header, text in cells.items():
        one = kind.by_header[header]
        if header not in ADDRESSES and text and _reads(one, text) != getattr(contact, one.column or header):
            changed[header] = text
    room = [name for name in ADDRESSES if getattr(contact, name) is None]
    for address in (cells[name] for name in ADDRESSES if cells.get(name)):
        if address not in contact.addresses() and room:
            changed[room.pop(0)] = address
    return changed


def _reads(one: Field, text: str) -> Value:
    """What the text stands for; itself where it is not readable, which is told when it is written."""
    try:
        return one.read(text)
    except ValueError:
        return text


# --- inside ------------------------------------------------------------------------------------------


class _People:
    """The contacts of the accounts that the cards name."""

    def __init__(self, contacts: Iterable[Contact]) -> None:
        self.coming: set[tuple[int | None, str]] = set()
        self._by_key: dict[tuple[int | None, str], Contact] = {}
        for one in contacts:
            for key in (*one.addresses(), normalised(one.first_name, one.last_name)):
                self._by_key.setdefault((one.account_id, key), one)

    def find(self, card: _Card) -> Contact | None:
        """The contact that the card is about, by address; by name for a card without any."""
        found = [self._by_key[key] for key in sorted(card.key, key=str) if key in self._by_key]
        return min(found, key=lambda one: one.id) if found and card.account is not None else None


def _checked(
    session: Transaction, kind: Kind, proposals: Sequence[Proposal], account: int | None
) -> list[_Card]:
    names = {name for one in proposals for name in (one.organisation, *one.candidates) if name}
    named = drafts.accounts_named(session, names)
    cards = []
    for one in proposals:
        cells, left_out = _readable(kind, one.values)
        cells |= _role(kind, one.roles)
        ids = {id_ for name in (one.organisation, *one.candidates) for id_ in named.get(name, ())}
        where = min(ids) if len(ids) == 1 else account
        missing = (["account"] if where is None else []) + ([] if cells.get("last_name") else ["last_name"])
        if one.reachable and not any(cells.get(name) for name in (*ADDRESSES, *phones.NUMBERS)):
            missing.append(REACH)
        cards.append(_Card(kind, one, cells, [*one.left_out, *left_out], where, missing))
    return cards


def _role(kind: Kind, texts: Iterable[str]) -> dict[str, str]:
    """The first of the texts that names a role that can be chosen; nothing where none does."""
    known = kind.by_header["role"].accepted
    for text in texts:
        wanted = text.casefold()
        for code, label in known:
            if wanted in {code.casefold(), *(one.casefold() for one in label.values())}:
                return {"role": code}
    return {}


def _readable(kind: Kind, values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The values that the CRM can hold, and what is wrong with the others."""
    cells, wrong = {}, []
    for header, text in values.items():
        if not text:
            continue
        try:
            kind.by_header[header].read(text)
        except ValueError:
            wrong.append(f"{header}: not readable")
            continue
        limit = fields.length_of(CONTACTS, header)
        if limit is not None and len(text) > limit:
            wrong.append(f"{header}: longer than {limit} characters")
        else:
            cells[header] = text
    return cells, wrong


def _people(session: Transaction, cards: Iterable[_Card]) -> _People:
    return _People(drafts.contacts_of(session, [one.account for one in cards if one.account is not None]))


def _lines(cards: Sequence[_Card], actor: Actor) -> list[Line]:
    """The rows of new contacts, all with the same columns."""
    headers = sorted({header for card in cards for header in card.cells})
    return [
        Line(
            card.proposal.number,
            {one: card.cells.get(one, "") for one in headers}
            | {"account_id": str(card.account)}
            | _owner(actor),
        )
        for card in cards
    ]


def _owner(actor: Actor) -> dict[str, str]:
    """Who brings a contact owns it; an admin at the machine is nobody of the CRM."""
    return {} if actor.user_id is None else {"owner_id": str(actor.user_id)}


def _digest(proposal: Proposal) -> str:
    return hashlib.sha256(proposal.raw).hexdigest()


def _name(card: _Card) -> str:
    return f"{card.cells.get('first_name', '')} {card.cells.get('last_name', '')}".strip()


def _added(card: _Card, contact_id: int) -> Taken:
    one = card.proposal
    return Taken(one.number, _name(card), Outcome.ADDED, contact_id, left_out=tuple(card.left_out))


def _kept(
    session: Transaction, card: _Card, there: _People, waiting: Mapping[str, int], occasion: Occasion
) -> Taken:
    """A draft, unless one waits already or the contact has all of it."""
    one, name, missing = card.proposal, _name(card), tuple(card.missing)
    contact = None if card.missing or one.problem else there.find(card)
    if one.photo is not None and (contact is None or photos.row(session, contact.id) is None):
        card.left_out.append(f"photo: `syncd contact photo {contact.id if contact else 'ID'} FILE` gives one")
    left_out = tuple(card.left_out)
    if contact is not None and not changes(card.kind, contact, card.cells):
        return Taken(one.number, name, Outcome.KNOWN, contact.id, left_out=left_out)
    outcome = Outcome.UPDATE_OFFERED if contact else Outcome.UNREADABLE if one.problem else Outcome.DRAFT
    contact_id = None if contact is None else contact.id
    digest = _digest(one)
    if digest in waiting:
        return Taken(
            one.number, name, Outcome.KNOWN, contact_id, waiting[digest], missing, left_out, one.problem
        )
    parsed: dict[str, str] = dict(card.cells)
    if one.organisation:
        parsed[ORGANISATION] = one.organisation[:255]
    if card.account is not None and contact is None:
        parsed["account_id"] = str(card.account)
    draft = ContactDraft(
        source=one.source, state=DraftState.NEW, raw=one.raw, digest=digest, parsed=parsed,
        confidence=dict(one.confidence), missing=card.missing, problem=one.problem,
        user_id=occasion.actor.user_id, contact_id=contact_id, created_at=occasion.now,
        updated_at=occasion.now, version=1,
    )  # fmt: skip
    session.add(draft)
    session.flush()
    return Taken(one.number, name, outcome, contact_id, draft.id, missing, left_out, one.problem)
