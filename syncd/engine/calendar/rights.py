"""Who may change which event, and whose it is (R081, R082; table T4, row 14)."""

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
            raise Invalid(f"{field}: an admin at the machine is no user of the CRM: name whose it is to be")
        return scheduling.user_of(session, actor.user_id)
    try:
        found = scheduling.user(session, login)
    except NotFound as error:
        raise Invalid(f"{field}: {error}") from None
    if not actor.may_edit(found.id):
        raise Forbidden(f"{actor.login} may not give it to {login}: that needs the role advanced or admin")
    return found


def record_of(session: Transaction, id_: int, occasion: Occasion, expected: int | None) -> EventRecord:
    """The event, if whoever acts may change it."""
    record = calendar_rows.events(session, [id_]).get(id_)
    if record is None or record.main.values["series_id"] or record.main.values["deleted_at"] is not None:
        raise NotFound(f"there is no event {id_}")
    if not occasion.actor.may_edit(record.main.values["owner_id"]):
        raise Forbidden(
            f"{occasion.actor.login} may not change event {id_}: "
            "only its owner and users with the role advanced or admin may"
        )
    if expected is not None and expected != record.version:
        raise Stale(f"event {id_} was changed meanwhile: it is at version {record.version}, not {expected}")
    return record


def editable(session: Transaction, id_: int, occasion: Occasion, expected: int | None) -> EventRecord:
    """The event, if it takes place and may be changed from here."""
    record = record_of(session, id_, occasion, expected)
    if record.main.values["hidden"]:
        raise Immutable(f"event {id_} is cancelled: `syncd event restore {id_}` brings it back")
    if any(row.values["privacy"].name != Privacy.PUBLIC.name for row in record.rows):
        raise Immutable(f"event {id_} is private: it is changed in its owner's calendar client only")
    return record


def ours(record: EventRecord) -> None:
    """Raises Immutable where somebody else organises it."""
    if not record.main.values["editable"]:
        who = record.main.values["organizer"] or "somebody else"
        raise Immutable(f"event {record.id} is organised by {who}, who alone changes when it takes place")


def new_owner(session: Transaction, record: EventRecord, login: str | None, occasion: Occasion) -> Person:
    """Whose event it is from now on (R082): it moves to that user's calendar."""
    if login is None:
        return scheduling.user_of(session, record.main.values["owner_id"])
    return owner_of(session, login, occasion)
