"""What is said of a check-in, read: where and when it was, at which account or meeting, with whom (R096)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from config import places
from config.language import Phrase
from connectors.calendar import Status, zone_info
from store import checkin_rows, entries, references, scheduling, visible
from store.accounts import Account
from store.activities import ActivityType
from store.calendar import ParticipantKind, Privacy, ResponseKind
from store.calendar_rows import EventRecord, EventRow
from store.checkin_rows import Visit
from store.database import Transaction
from store.errors import Forbidden, Invalid, NotFound
from syncd.core.checkins import MOST_ACCURACY_M, Limits, Result, Span, day_in, judge, nearest, whole_metres
from syncd.core.distance import told
from syncd.core.recurrence import Occurrence
from syncd.engine.calendar.items import item_of
from syncd.engine.calendar.occasion import Occasion
from syncd.engine.occurring import occurrences

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FEW = 50  # occurrences of one day that are looked at
LONGEST_SUBJECT = 255
PLAIN = Phrase("`syncd checkin visit` records the visit without a position")


class TooFar(Invalid):
    """Refused by table T7: too far from where one should be. A visit without a position is possible."""

    def __init__(self, message: str, distance_m: int) -> None:
        super().__init__(message)
        self.distance_m = distance_m


class TooImprecise(Invalid):
    """Refused by table T7: the position is too imprecise to tell where the account is."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The user who is on site."""

    user_id: int
    login: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a check-in or a visit is about."""

    visit: Visit
    account: Account
    row: EventRow | None  # of an event: the occurrence's
    day: Span


def judged(
    distance_m: int | None, accuracy_m: int, limits: Limits, account: Account, language: str
) -> Result:
    """What table T7 says of a check-in. Raises TooFar, TooImprecise."""
    result = judge(distance_m, accuracy_m, limits)
    if result is Result.TOO_FAR and distance_m is not None:
        here, most = told(distance_m, language), told(limits.radius_m, language)
        raise TooFar(
            Phrase(
                "position: {here} from {account}, at most {most} are accepted; {plain}",
                here=here,
                account=account.name,
                most=most,
                plain=PLAIN,
            ),
            distance_m,
        )
    if not result.stored:
        raise TooImprecise(
            Phrase(
                "position: nobody knows yet where {account} is, and a position that is accurate to "
                "{accuracy} m is too imprecise to tell: at most {most} m; {plain}",
                account=account.name,
                accuracy=accuracy_m,
                most=limits.accuracy_m,
                plain=PLAIN,
            )
        )
    return result


def visitor(session: Transaction, user_id: int, occasion: Occasion) -> Visitor:
    """That user. Raises NotFound."""
    person = scheduling.user_of(session, user_id)
    actor = occasion.actor
    login = actor.login if actor.user_id == user_id else person.name
    return Visitor(user_id, login, ZoneInfo(occasion.zone_of(person)))


def position(written: str | None, accuracy: float | None) -> tuple[Decimal, Decimal, int]:
    """Latitude, longitude and metres. Raises Invalid."""
    if written is None or not written.strip():
        raise Invalid(Phrase("position: none is given, and a check-in needs one; {plain}", plain=PLAIN))
    try:
        north, east = places.position(written.strip())
    except ValueError as error:
        raise Invalid(Phrase("position: {error}", error=error)) from None
    if accuracy is None:
        raise Invalid(
            Phrase("accuracy: a position comes with its accuracy in metres, which tells what it is worth")
        )
    try:
        return north, east, whole_metres(accuracy)
    except ValueError:
        raise Invalid(
            Phrase("accuracy: a number of metres from 0 to {most} is expected", most=MOST_ACCURACY_M)
        ) from None


def moment(text: str | None, zone: ZoneInfo, now: datetime) -> datetime:
    """When it was, on the clock of that zone; by default now, never later. Raises Invalid."""
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


def account_of(session: Transaction, text: str, occasion: Occasion) -> Account:
    """The account that is named, for this transaction alone. Raises NotFound."""
    found = references.account(session, text)
    visible.require(session, occasion.actor, "account", found)
    return checkin_rows.locked(session, found)


def contact_of(session: Transaction, id_: int, account: Account, occasion: Occasion) -> int:
    """A contact of the account. Raises NotFound, Invalid."""
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


def at_event(session: Transaction, id_: int, at: datetime, who: Visitor, occasion: Occasion) -> Meeting:
    """The meeting of an event that takes place that day, if that visitor takes part in it. Raises NotFound,
    Invalid, Forbidden."""
    zone = who.zone
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
    user = who.user_id
    people = {one.user_id for one in row.participants if one.kind is ParticipantKind.USER}
    if user != row.values["owner_id"] and user not in people:
        raise Forbidden(
            Phrase(
                "{login} does not take part in event {id}: name the account instead",
                login=who.login,
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
        type_id=row.values["type_id"] if row.values["type"] is ActivityType.VISIT else None,
        contacts=frozenset(
            one.contact_id
            for one in row.participants
            if one.contact_id is not None and one.response is not ResponseKind.DECLINED
        ),
    )
    return Meeting(made, checkin_rows.locked(session, account), row, day)


def _occurrence(
    record: EventRecord, at: datetime, day: Span, zone: ZoneInfo, floating: ZoneInfo
) -> Occurrence:
    """The one that takes place that day, the nearest of several. Raises Invalid."""
    item = item_of(record)
    that_day = occurrences(item, day.start, day.end, floating=floating, cap=FEW).found
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
