"""Checking in on site (R096): table T7 applied to a user, a place and a moment.

A check-in of an event is possible on its day only: the day that the clocks show then in the event's time zone
(it is on site that one checks in); where it has none, as a whole day has not, in the user's own. Each
occurrence of a series is a meeting of its own.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from config import places
from config.language import Phrase
from connectors.calendar import Status, zone_info
from connectors.ical.zones import offsets
from store import checkin_rows, entries, references, scheduling, visible
from store.accounts import Account
from store.calendar import ParticipantKind, Privacy, ResponseKind
from store.calendar_rows import EventRecord, EventRow
from store.checkin_rows import Found, Visit
from store.checkins import CheckInFlag
from store.database import Transaction
from store.errors import Forbidden, Invalid, NotFound, Twice
from syncd.core.checkins import MOST_ACCURACY_M, Limits, Result, Span, day_in, judge, nearest, whole_metres
from syncd.core.distance import metres, told
from syncd.core.recurrence import Occurrence, occurrences
from syncd.engine import distances
from syncd.engine.calendar.items import item_of
from syncd.engine.calendar.occasion import Occasion

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FEW = 50  # occurrences of one day that are looked at
LONGEST_SUBJECT = 255
FLAGS = {
    Result.STORED: CheckInFlag.NONE,
    Result.FAR: CheckInFlag.FAR,
    Result.LOW_ACCURACY: CheckInFlag.LOW_ACCURACY,
    Result.FIRST_LOCATION: CheckInFlag.FIRST_LOCATION,
}
VISITS = {"fr": "Visite : {name}", "en": "Visit: {name}"}
PLAIN = Phrase("`syncd checkin visit` records the visit without a position")


class TooFar(Invalid):
    """Refused by table T7: too far from where one should be. A visit without a position is possible."""

    def __init__(self, message: str, distance_m: int) -> None:
        super().__init__(message)
        self.distance_m = distance_m


class TooImprecise(Invalid):
    """Refused by table T7: the position is too imprecise to tell where the account is."""


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
class Done:
    """What came of it."""

    activity_id: int
    account_id: int
    account: str
    checkin_id: int | None = None  # None: a visit without a position
    distance_m: int | None = None  # None: nobody knew where the account is
    flag: CheckInFlag = CheckInFlag.NONE


@dataclass(frozen=True, slots=True)
class _Meeting:
    """What a check-in or a visit is about."""

    visit: Visit
    account: Account
    row: EventRow | None  # of an event: the occurrence's
    day: Span


def check_in(session: Transaction, asked: Asked, limits: Limits, occasion: Occasion) -> Done:
    """Stores a check-in and the visit that it is. Raises Invalid (TooFar, TooImprecise: table T7), Twice,
    NotFound, Forbidden."""
    north, east, accuracy = _position(asked)
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
    result = judge(distance, accuracy, limits)
    if result is Result.TOO_FAR and distance is not None:
        here, most = told(distance, occasion.language), told(limits.radius_m, occasion.language)
        raise TooFar(
            Phrase(
                "position: {here} from {account}, at most {most} are accepted; {plain}",
                here=here,
                account=account.name,
                most=most,
                plain=PLAIN,
            ),
            distance,
        )
    if not result.stored:
        raise TooImprecise(
            Phrase(
                "position: nobody knows yet where {account} is, and a position that is accurate to "
                "{accuracy} m is too imprecise to tell: at most {most} m; {plain}",
                account=account.name,
                accuracy=accuracy,
                most=limits.accuracy_m,
                plain=PLAIN,
            )
        )
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


def _not_visited(session: Transaction, meeting: _Meeting, occasion: Occasion) -> None:
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


# --- what was said --------------------------------------------------------------------------------


def _position(asked: Asked) -> tuple[Decimal, Decimal, int]:
    if asked.position is None or not asked.position.strip():
        raise Invalid(Phrase("position: none is given, and a check-in needs one; {plain}", plain=PLAIN))
    try:
        north, east = places.position(asked.position.strip())
    except ValueError as error:
        raise Invalid(Phrase("position: {error}", error=error)) from None
    if asked.accuracy is None:
        raise Invalid(
            Phrase("accuracy: a position comes with its accuracy in metres, which tells what it is worth")
        )
    try:
        return north, east, whole_metres(asked.accuracy)
    except ValueError:
        raise Invalid(
            Phrase("accuracy: a number of metres from 0 to {most} is expected", most=MOST_ACCURACY_M)
        ) from None


def _moment(text: str | None, zone: ZoneInfo, now: datetime) -> datetime:
    if text is None:
        return now
    wanted = Phrase('a day and a time such as "2026-12-01 14:30" is expected')
    try:
        found = datetime.fromisoformat(text.strip())
        found = (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(Phrase('at: "{text}" is no moment; {wanted}', text=text[:40], wanted=wanted)) from None
    if ":" not in text or found < EARLIEST:
        raise Invalid(Phrase("at: {wanted}", wanted=wanted))
    if found > now:
        raise Invalid(
            Phrase('at: "{text}" is in the future: one checks in when one is there', text=text[:40])
        )
    return found


def _meeting(session: Transaction, asked: Asked, occasion: Occasion) -> _Meeting:
    actor = occasion.actor
    if actor.user_id is None:
        raise Invalid(Phrase("as: an admin at the machine is no user of the CRM: name who is on site"))
    if (asked.event is None) == (asked.account is None):
        raise Invalid(Phrase("event: name the event or the account, and only one of them"))
    person = scheduling.user_of(session, actor.user_id)
    zone = ZoneInfo(occasion.zone_of(person))
    at = _moment(asked.at, zone, occasion.now)
    if asked.event is not None:
        if asked.contacts:
            raise Invalid(Phrase("contact: those who take part in the event are the visit's"))
        return _at_event(session, asked.event, at, zone, occasion)
    account = _account(session, asked.account or "", occasion)
    contacts = frozenset(_contact(session, one, account, occasion) for one in asked.contacts)
    subject = VISITS[occasion.language].format(name=account.name)[:LONGEST_SUBJECT]
    made = Visit(actor.user_id, account.id, at, subject, contacts=contacts)
    return _Meeting(made, account, None, day_in(at, zone))


def _account(session: Transaction, text: str, occasion: Occasion) -> Account:
    found = references.account(session, text)
    visible.require(session, occasion.actor, "account", found)
    return checkin_rows.locked(session, found)


def _contact(session: Transaction, id_: int, account: Account, occasion: Occasion) -> int:
    visible.require(session, occasion.actor, "contact", id_)
    person = scheduling.contact(session, id_)
    if person.account_id != account.id:
        raise Invalid(
            Phrase(
                "contact: {person} is another account's than {account}",
                person=person.name,
                account=account.name,
            )
        )
    return id_


# --- meetings -------------------------------------------------------------------------------------


def _at_event(session: Transaction, id_: int, at: datetime, zone: ZoneInfo, occasion: Occasion) -> _Meeting:
    record = entries.event(session, id_, occasion.actor)
    values = record.main.values
    if values["deleted_at"] is not None:
        raise NotFound(Phrase("there is no event {id}", id=id_))
    if values["hidden"]:
        raise Invalid(Phrase("event: event {id} is cancelled", id=id_))
    if any(row.values["privacy"] is not Privacy.PUBLIC for row in record.rows):
        raise Invalid(Phrase("event: event {id} is private: nothing is recorded of it", id=id_))
    own = None if values["all_day"] or not values["tz"] else zone_info(values["tz"])
    day = day_in(at, own or zone)
    found = _occurrence(record, at, day, own or zone, zone)
    row = next((one for one in record.rows if one.key == found.key), record.main)
    user = occasion.actor.user_id or 0
    people = {one.user_id for one in row.participants if one.kind is ParticipantKind.USER}
    if user != row.values["owner_id"] and user not in people:
        raise Forbidden(
            Phrase(
                "{login} does not take part in event {id}: name the account instead",
                login=occasion.actor.login,
                id=id_,
            )
        )
    account = row.values["account_id"]
    if account is None:
        raise Invalid(
            Phrase(
                "event: event {id} concerns no account: `syncd event edit {id} --account NAME` tells which",
                id=id_,
            )
        )
    made = Visit(
        user_id=user,
        account_id=account,
        at=at,
        subject=row.values["subject"][:LONGEST_SUBJECT],
        event_id=id_,
        occurrence_key=found.key,
        opportunity_id=row.values["opportunity_id"],
        case_file_id=row.values["case_file_id"],
        contacts=frozenset(
            one.contact_id
            for one in row.participants
            if one.contact_id is not None and one.response is not ResponseKind.DECLINED
        ),
    )
    return _Meeting(made, checkin_rows.locked(session, account), row, day)


def _occurrence(
    record: EventRecord, at: datetime, day: Span, zone: ZoneInfo, floating: ZoneInfo
) -> Occurrence:
    """The one that takes place that day, the nearest of several. Raises Invalid."""
    item = item_of(record)
    offset = offsets(item.zones)
    that_day = occurrences(item, day.start, day.end, floating=floating, cap=FEW, offset_of=offset).found
    held = [one for one in that_day if one.component.status is not Status.CANCELLED]
    which = nearest(at, [Span(one.start, one.end) for one in held])
    if which is not None:
        return held[which]
    said = f"{day.start.date()} ({zone.key})"
    if that_day:
        raise Invalid(Phrase("event: event {id} is cancelled on {day}", id=record.id, day=said))
    raise Invalid(
        Phrase(
            "event: event {id} is not on {day}, and one checks in on its day only: name the account instead",
            id=record.id,
            day=said,
        )
    )
