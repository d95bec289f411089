"""Checking in on site (R096): table T7 applied to a user, a place and a moment.

A check-in of an event is possible on its day only: the day that the clocks show then in the event's time zone
(it is on site that one checks in); where it has none, as a whole day has not, in the user's own. Each
occurrence of a series is a meeting of its own.
"""

from dataclasses import dataclass
from datetime import datetime

from config.language import Phrase
from config.words import changed_meanwhile
from store import checkin_rows, scheduling, visible
from store.accounts import Account
from store.activities import delete_activity
from store.checkin_rows import Found, Visit
from store.checkins import CheckIn, CheckInFlag
from store.database import Transaction
from store.errors import Forbidden, Invalid, Stale, Twice
from syncd.core.checkins import Limits, Result, day_in
from syncd.core.distance import metres
from syncd.engine import distances
from syncd.engine.calendar.occasion import Occasion
from syncd.engine.checkin_said import (
    LONGEST_SUBJECT,
    Meeting,
    Visitor,
    account_of,
    at_event,
    contact_of,
    judged,
    moment,
    position,
    visitor,
)

FLAGS = {
    Result.STORED: CheckInFlag.NONE,
    Result.FAR: CheckInFlag.FAR,
    Result.LOW_ACCURACY: CheckInFlag.LOW_ACCURACY,
    Result.FIRST_LOCATION: CheckInFlag.FIRST_LOCATION,
}
WITH_EVENT = Phrase("contact: those who take part in the event are the visit's")
VISITS = {"fr": "Visite : {name}", "en": "Visit: {name}"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user says; texts are as a person or a device writes them."""

    event: int | None = None  # this, or account
    account: str | None = None  # id, ext_id or exact name
    position: str | None = None  # "45.764043,4.835659"
    accuracy: float | None = None  # metres
    at: str | None = None  # "2026-12-01 14:30" on the user's clock, or with an offset; by default now
    contacts: tuple[int, ...] = ()  # who was met, of an account without an event


@dataclass(frozen=True, slots=True)
class Correction:
    """What of a check-in was something else; None: as it is. A position comes with its accuracy."""

    position: str | None = None
    accuracy: float | None = None  # metres
    at: str | None = None
    contacts: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it."""

    activity_id: int | None  # None: a person has deleted the visit
    account_id: int
    account: str
    checkin_id: int | None = None  # None: a visit without a position
    distance_m: int | None = None  # None: nobody knew where the account is
    flag: CheckInFlag = CheckInFlag.NONE
    changed: bool = True


def check_in(session: Transaction, asked: Asked, limits: Limits, occasion: Occasion) -> Done:
    """Stores a check-in and the visit that it is. Raises Invalid (TooFar, TooImprecise: table T7), Twice,
    NotFound, Forbidden."""
    north, east, accuracy = position(asked.position, asked.accuracy)
    meeting = _meeting(session, asked, occasion)
    visit, account = meeting.visit, meeting.account
    if visit.event_id is not None:
        before = checkin_rows.of_meeting(session, visit.event_id, visit.occurrence_key, visit.user_id)
        if before is not None:
            raise Twice(
                Phrase(
                    "{login} has checked in at this meeting: check-in {id}",
                    login=occasion.actor.login,
                    id=before.id,
                )
            )
        _not_visited(session, meeting, occasion)
    there = None if meeting.row is None else distances.alternate(meeting.row.values)
    there = there or distances.position((account.latitude, account.longitude))
    distance = metres(distances.position((north, east)), there)
    result = judged(distance, accuracy, limits, account, occasion.language)
    flag = FLAGS[result]
    found = Found(north, east, accuracy, distance, flag)
    checkin, activity = checkin_rows.write(session, visit, found, occasion.now)
    who = (occasion.actor, occasion.channel)
    if checkin is not None:
        change = {"created": True, "account": account.id, "event": visit.event_id, "flag": flag.value}
        scheduling.log(session, who, ("check_in", checkin), change, occasion.now)
    if result is Result.FIRST_LOCATION:
        checkin_rows.locate(session, account, (north, east, accuracy), occasion.now, visit.user_id)
        located = {"changed": ["geocode_accuracy_m", "latitude", "longitude"], "check_in": checkin}
        scheduling.log(session, who, ("account", account.id), located, occasion.now)
    return Done(activity, account.id, account.name, checkin, distance, flag)


def visit(session: Transaction, asked: Asked, occasion: Occasion) -> Done:
    """Stores a visit without a position: what is offered to whom table T7 refuses. Raises Invalid, Twice,
    NotFound, Forbidden."""
    meeting = _meeting(session, asked, occasion)
    if meeting.visit.event_id is not None:
        _not_visited(session, meeting, occasion)
    _, activity = checkin_rows.write(session, meeting.visit, None, occasion.now)
    who = (occasion.actor, occasion.channel)
    scheduling.log(session, who, ("activity", activity), {"created": True}, occasion.now)
    return Done(activity, meeting.account.id, meeting.account.name)


def _not_visited(session: Transaction, meeting: Meeting, occasion: Occasion) -> None:
    made = meeting.visit
    if made.event_id is None:
        return
    day = meeting.day
    before = checkin_rows.visited(session, made.event_id, made.user_id, day.start, day.end)
    if before is not None:
        raise Twice(
            Phrase(
                "{login}'s visit of that day is there already: activity {id}",
                login=occasion.actor.login,
                id=before,
            )
        )


def _meeting(session: Transaction, asked: Asked, occasion: Occasion) -> Meeting:
    actor = occasion.actor
    if actor.user_id is None:
        raise Invalid(Phrase("as: an admin at the machine is no user of the CRM: name who is on site"))
    if (asked.event is None) == (asked.account is None):
        raise Invalid(Phrase("event: name the event or the account, and only one of them"))
    who = visitor(session, actor.user_id, occasion)
    at = moment(asked.at, who.zone, occasion.now)
    if asked.event is not None:
        if asked.contacts:
            raise Invalid(WITH_EVENT)
        return at_event(session, asked.event, at, who, occasion)
    account = account_of(session, asked.account or "", occasion)
    contacts = frozenset(contact_of(session, one, account, occasion) for one in asked.contacts)
    subject = VISITS[occasion.language].format(name=account.name)[:LONGEST_SUBJECT]
    made = Visit(who.user_id, account.id, at, subject, contacts=contacts)
    return Meeting(made, account, None, day_in(at, who.zone))


# --- what was said wrongly ------------------------------------------------------------------------


def edit(
    session: Transaction,
    id_: int,
    said: Correction,
    limits: Limits,
    occasion: Occasion,
    *,
    expected: int | None = None,
) -> Done:
    """Corrects a check-in and its visit; another position is judged by table T7 as a new one is. Raises
    Invalid (TooFar, TooImprecise), Stale, NotFound, Forbidden."""
    record = _own(session, id_, occasion, expected)
    account = checkin_rows.locked(session, record.account_id)
    who = visitor(session, record.user_id, occasion)
    values: dict[str, object] = {}
    if said.at is not None:
        values["at"] = at = moment(said.at, who.zone, occasion.now)
        if record.event_id is not None:
            _same_meeting(session, record, at, who, occasion)
    first = False
    if said.position is not None or said.accuracy is not None:
        found, first = _found(session, record, account, (said, limits), occasion)
        values |= {"lat": found.lat, "lon": found.lon, "accuracy_m": found.accuracy_m,
                   "distance_m": found.distance_m, "flag": found.flag}  # fmt: skip
    contacts = None
    if said.contacts is not None:
        if record.event_id is not None:
            raise Invalid(WITH_EVENT)
        contacts = frozenset(contact_of(session, one, account, occasion) for one in said.contacts)
    by = occasion.actor.user_id
    changed, activity = checkin_rows.correct(session, record, values, contacts, (occasion.now, by))
    who_did = (occasion.actor, occasion.channel)
    if changed:
        scheduling.log(session, who_did, ("check_in", id_), {"changed": changed}, occasion.now)
    if first and record.lat is not None and record.lon is not None:
        place = (record.lat, record.lon, record.accuracy_m)
        if place[:2] != (account.latitude, account.longitude):
            checkin_rows.locate(session, account, place, occasion.now, by)
            located = {"changed": ["geocode_accuracy_m", "latitude", "longitude"], "check_in": id_}
            scheduling.log(session, who_did, ("account", account.id), located, occasion.now)
    return Done(activity, account.id, account.name, id_, record.distance_m, record.flag, bool(changed))


def delete(session: Transaction, id_: int, occasion: Occasion, *, expected: int | None = None) -> Done:
    """Takes a check-in away, with its position, and its visit out of the history: its user may check in there
    again. An account that it located stays where it is. Raises Stale, NotFound, Forbidden."""
    record = _own(session, id_, occasion, expected)
    name = checkin_rows.account_name(session, record.account_id)
    activity = checkin_rows.visit_of(session, id_)
    if activity is not None:
        delete_activity(session, activity, actor=occasion.actor, now=occasion.now, channel=occasion.channel)
    done = Done(activity, record.account_id, name, id_, record.distance_m, record.flag)
    change = {"deleted": True, "account": record.account_id, "event": record.event_id}
    scheduling.log(session, (occasion.actor, occasion.channel), ("check_in", id_), change, occasion.now)
    checkin_rows.drop(session, record)
    return done


def _own(session: Transaction, id_: int, occasion: Occasion, expected: int | None) -> CheckIn:
    actor = occasion.actor
    visible.require(session, actor, "checkin", id_)
    record = checkin_rows.held(session, id_)
    if not actor.may_edit(record.user_id):
        raise Forbidden(
            Phrase("{login} may not change check-in {id}: it is another user's", login=actor.login, id=id_)
        )
    if expected is not None and record.version != expected:
        raise Stale(changed_meanwhile("checkin", id_, record.version, expected))
    return record


def _same_meeting(
    session: Transaction, record: CheckIn, at: datetime, who: Visitor, occasion: Occasion
) -> None:
    """A check-in of a meeting stays one of that day."""
    event = record.event_id or 0
    visit = at_event(session, event, at, who, occasion).visit
    if visit.occurrence_key != record.occurrence_key:
        raise Invalid(Phrase("at: that is another day of event {id}: check in at that one", id=event))


def _found(
    session: Transaction,
    record: CheckIn,
    account: Account,
    asked: tuple[Correction, Limits],
    occasion: Occasion,
) -> tuple[Found, bool]:
    """Where the user was, and whether that tells where the account is: it does for the check-in that located
    the account, as long as nobody has located it anew."""
    said, limits = asked
    north, east, accuracy = position(said.position, said.accuracy)
    there = None
    if record.event_id is not None:
        there = distances.alternate(checkin_rows.place_of_event(session, record))
    here = (account.latitude, account.longitude)
    located = record.flag is CheckInFlag.FIRST_LOCATION and here == (record.lat, record.lon)
    there = there or (None if located else distances.position(here))
    distance = metres(distances.position((north, east)), there)
    result = judged(distance, accuracy, limits, account, occasion.language)
    return Found(north, east, accuracy, distance, FLAGS[result]), result is Result.FIRST_LOCATION
