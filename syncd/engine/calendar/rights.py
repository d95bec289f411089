"""Who may change which event, and whose it is (R081, R082; table T4, row 14)."""

from config.language import Phrase
from config.words import changed_meanwhile
from connectors.calendar import Privacy
from store import calendar_rows, scheduling
from store.calendar_rows import EventRecord
from store.database import Transaction
from store.errors import Forbidden, Immutable, Invalid, NotFound, Stale
from store.scheduling import Person
from syncd.engine.calendar.occasion import Occasion


def owner_of(session: Transaction, login: str | None, occasion: Occasion, *, field: str = "owner") -> Person:
    """The user that was named, else the one who acts (R081, R082)."""
    actor = occasion.actor
    if login is None:
        if actor.user_id is None:
            raise Invalid(
                Phrase(
                    "{field}: an admin at the machine is no user of the CRM: name whose it is to be",
                    field=field,
                )
            )
        return scheduling.user_of(session, actor.user_id)
    try:
        found = scheduling.user(session, login)
    except NotFound as error:
        raise Invalid(Phrase("{field}: {error}", field=field, error=error)) from None
    if not actor.may_edit(found.id):
        raise Forbidden(
            Phrase(
                "{login} may not give it to {login2}: that needs the role advanced or admin",
                login=actor.login,
                login2=login,
            )
        )
    return found


def record_of(session: Transaction, id_: int, occasion: Occasion, expected: int | None) -> EventRecord:
    """The event, if whoever acts may change it."""
    record = calendar_rows.events(session, [id_]).get(id_)
    if record is None or record.main.values["series_id"] or record.main.values["deleted_at"] is not None:
        raise NotFound(Phrase("there is no event {id}", id=id_))
    if not occasion.actor.may_edit(record.main.values["owner_id"]):
        raise Forbidden(
            Phrase(
                "{login} may not change event {id}: only its owner and users with the role advanced or "
                "admin may",
                login=occasion.actor.login,
                id=id_,
            )
        )
    if expected is not None and expected != record.version:
        raise Stale(changed_meanwhile("event", id_, record.version, expected))
    return record


def editable(session: Transaction, id_: int, occasion: Occasion, expected: int | None) -> EventRecord:
    """The event, if it takes place and may be changed from here."""
    record = record_of(session, id_, occasion, expected)
    if record.main.values["hidden"]:
        raise Immutable(Phrase("event {id} is cancelled: `syncd event restore {id}` brings it back", id=id_))
    if any(row.values["privacy"].name != Privacy.PUBLIC.name for row in record.rows):
        raise Immutable(
            Phrase("event {id} is private: it is changed in its owner's calendar client only", id=id_)
        )
    return record


def ours(record: EventRecord) -> None:
    """Raises Immutable where somebody else organises it."""
    if not record.main.values["editable"]:
        who = record.main.values["organizer"] or Phrase("somebody else")
        raise Immutable(
            Phrase(
                "event {id} is organised by {who}, who alone changes when it takes place",
                id=record.id,
                who=who,
            )
        )


def new_owner(session: Transaction, record: EventRecord, login: str | None, occasion: Occasion) -> Person:
    """Whose event it is from now on (R082): it moves to that user's calendar."""
    if login is None:
        return scheduling.user_of(session, record.main.values["owner_id"])
    return owner_of(session, login, occasion)
