"""Who takes part in an event, as a person names them: users, contacts and plain addresses (R087)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from config.language import Phrase
from config.rules import mail_address
from connectors.calendar import Attendee, Component
from store import scheduling, visible
from store.actors import Actor
from store.database import Transaction
from store.errors import Invalid, NotFound
from store.scheduling import Person

CONTACT = "contact:"
ACCEPTED = Phrase("write a user's login, an e-mail address, or contact:ID")


def guests(session: Transaction, texts: Iterable[str], owner: Person, reader: Actor) -> list[Attendee]:
    """The people named, each once, without the owner, who invites. Raises Invalid."""
    found: dict[str, Attendee] = {}
    for text in texts:
        guest = _guest(session, text.strip(), reader)
        if guest.email != owner.email:
            found.setdefault(guest.email, guest)
    return list(found.values())


def _guest(session: Transaction, text: str, reader: Actor) -> Attendee:
    if not text:
        raise Invalid(Phrase("participants: nobody is named: {accepted}", accepted=ACCEPTED))
    number = text.removeprefix(CONTACT)
    if text.startswith(CONTACT) or text.isdecimal():
        return _contact(session, text, number, reader)
    if "@" in text:
        return _address(session, text)
    try:
        user = scheduling.user(session, text)
    except NotFound as error:
        raise Invalid(
            Phrase("participants: {error}; or {accepted}", error=error, accepted=ACCEPTED)
        ) from None
    return Attendee(user.email, name=user.name)


def _contact(session: Transaction, text: str, number: str, reader: Actor) -> Attendee:
    if not (number.isascii() and number.isdecimal() and len(number) < 10):  # noqa: PLR2004 - 32 bits
        raise Invalid(
            Phrase('participants: "{text}" names no contact: {accepted}', text=text[:40], accepted=ACCEPTED)
        )
    try:
        visible.require(session, reader, "contact", int(number))
        contact = scheduling.contact(session, int(number))
    except NotFound as error:
        raise Invalid(Phrase("participants: {error}", error=error)) from None
    if not contact.email:
        raise Invalid(
            Phrase(
                "participants: contact {id} ({contact}) has no e-mail address to invite",
                id=contact.id,
                contact=contact.name,
            )
        )
    return Attendee(contact.email, name=contact.name)


def _address(session: Transaction, text: str) -> Attendee:
    try:
        email = mail_address(text.lower())
    except ValueError as error:
        raise Invalid(Phrase('participants: "{text}" {error}', text=text[:60], error=error)) from None
    contact = scheduling.contact_by_address(session, email)
    return Attendee(email, name=contact.name if contact else "")


def attending(
    component: Component, added: Sequence[Attendee], removed: Sequence[Attendee], owner: Person
) -> Component:
    """The component with others taking part. Who is asked already keeps the answer given.

    The owner invites as long as anybody takes part, and nobody does otherwise.
    """
    gone = {one.email for one in removed}
    kept = {one.email: one for one in component.attendees if one.email not in gone}
    for one in added:
        kept.setdefault(one.email, one)
    people = tuple(kept[email] for email in sorted(kept))
    invited = bool(kept.keys() - {component.organizer})
    if not invited:
        return replace(component, attendees=(), organizer="")
    return replace(component, attendees=people, organizer=component.organizer or owner.email)


def missing(removed: Sequence[Attendee], components: Sequence[Component]) -> None:
    """Raises Invalid where somebody is to leave who takes part in none of them."""
    there = {one.email for component in components for one in component.attendees}
    for one in removed:
        if one.email not in there:
            raise Invalid(Phrase("remove_participants: {email} does not take part", email=one.email))
