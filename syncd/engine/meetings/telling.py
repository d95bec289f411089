"""What a person tells of a meeting: when it really was, what came of it, that there is nothing to tell."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from config.language import Phrase
from connectors.calendar import Item
from store import calendar_rows, meeting_rows, report_forms, scheduling
from store.activities import ActivityState, DurationSource
from store.database import Transaction
from store.entries import is_video
from store.errors import Forbidden, Invalid, NotFound
from store.meeting_rows import Said
from store.meetings import Grade, ReportChannel, ReportState
from store.report_forms import Reportable, Submission
from syncd.core.meetings.ended import TOLD, Held, fitting, minutes
from syncd.core.meetings.replies import answered
from syncd.engine.calendar import places
from syncd.engine.calendar.items import item_of, moment
from syncd.engine.calendar.occasion import Occasion
from syncd.engine.meetings import answering, texts
from syncd.engine.meetings.forms import cancel, finish
from syncd.engine.occurring import occurrences

LONGEST = timedelta(hours=24)
LONGEST_TEXT = 100_000  # characters of a report on the command line
SKEW = timedelta(minutes=5)  # between the clocks of who reports and of this machine
EDGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """What became of what was told."""

    activity_id: int | None  # None: the activity is not made yet
    minutes: int | None
    changed: bool


def times(
    session: Transaction,
    event_id: int,
    occurrence: str | None,
    actual: tuple[datetime, datetime],
    occasion: Occasion,
) -> Told:
    """When a meeting really began and ended (aware moments). Raises NotFound, Forbidden, Invalid."""
    record = calendar_rows.events(session, [event_id]).get(event_id)
    if record is None or record.main.values["series_id"] or record.main.values["deleted_at"] is not None:
        raise NotFound(Phrase("there is no event {event_id}", event_id=event_id))
    involved = {one.user_id for row in record.rows for one in row.participants}
    if not occasion.actor.may_edit(record.main.values["owner_id"]) and occasion.actor.user_id not in involved:
        raise Forbidden(
            Phrase("{login} takes no part in event {event_id}", login=occasion.actor.login, event_id=event_id)
        )
    if not any(is_video(row.values) for row in record.rows):
        raise Invalid(
            Phrase(
                "event {event_id} is no video meeting: only those become activities by themselves",
                event_id=event_id,
            )
        )
    item = item_of(record)
    key, scheduled = _occurrence(item, occurrence, occasion)
    start, end = actual
    _plausible(start, end, scheduled, occasion.now)
    said = Said(Grade.REPORTED, occasion.actor.login, start, end)
    meeting_rows.alone(session)
    meeting_rows.add_evidence(session, (item.uid, key), said, occasion.now)
    return apply(session, (item.uid, key), occasion.now)


def apply(session: Transaction, place: tuple[str, str], now: datetime) -> Told:
    """Gives the activity of an occurrence (UID, key), if there is one, the best duration that is known."""
    uid, key = place
    found = next((one for one in meeting_rows.recorded(session, [uid]).get(uid, ()) if one.key == key), None)
    if found is None or found.withdrawn or found.deleted:
        return Told(None, None, changed=False)
    held = Held(key, found.start, found.end)
    told = meeting_rows.evidence(session, [uid]).get(place, ())
    best = meeting_rows.best(told, partial(fitting, held))
    if best is None:
        return Told(None, None, changed=False)
    lasted = minutes(best.start, best.end)
    values = {
        "occurred_at": best.start,
        "duration_min": lasted,
        "duration_source": DurationSource.ACTUAL,
    }
    changed = any(found.values[name] != value for name, value in values.items())
    if changed:
        meeting_rows.set_duration(session, found.activity_id, values, now)
    return Told(found.activity_id, lasted, changed=changed)


def _occurrence(item: Item, text: str | None, occasion: Occasion) -> tuple[str, tuple[datetime, datetime]]:
    """The place in the series, and when the calendar says that it is."""
    key = ""
    if text is not None:
        key = places.place_of(item, text, occasion.floating).key()
    elif item.main.timing.recurs:
        raise Invalid(Phrase("occurrence: the event recurs: name the day of the one that is meant"))
    begin = item.by_key.get(key, item.main).timing.start
    around = occasion.now if begin is None else moment(begin, occasion.floating, item.zones)
    if key and key not in item.by_key:
        around = moment(places.place_of_key(item, key), occasion.floating, item.zones)
    floating = occasion.floating
    found = occurrences(item, around - EDGE, around + EDGE, floating=floating).found
    for one in found:
        if one.key == key or (not key and not item.main.timing.recurs):
            return one.key, (one.start, one.end)
    raise Invalid(Phrase("occurrence: the event has none on {text}", text=text))


def _plausible(start: datetime, end: datetime, scheduled: tuple[datetime, datetime], now: datetime) -> None:
    if end <= start:
        raise Invalid(Phrase("end: must be after the start"))
    if end - start > LONGEST:
        raise Invalid(Phrase("end: a meeting lasts 24 hours at most"))
    if end > now + SKEW:
        raise Invalid(Phrase("end: is still to come"))
    if start > scheduled[1] + TOLD or end < scheduled[0] - TOLD:
        raise Invalid(
            Phrase("start: more than a day from when the calendar says that it was: is it another meeting?")
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a report."""

    first: bool
    said: Submission


# --- the form -------------------------------------------------------------------------------------


def answer(
    session: Transaction, activity_id: int, text: str, occasion: Occasion, channel: ReportChannel
) -> Answered:
    """The report on an activity; a later one changes it. Raises NotFound, Immutable, Forbidden."""
    if len(text) > LONGEST_TEXT:
        raise Invalid(
            Phrase("text: a report has {longest_text} characters at most", longest_text=LONGEST_TEXT)
        )
    meeting_rows.alone(session)
    known = report_forms.reportable(session, activity_id)
    _may(known, occasion)
    return _answered(session, known, answering.taken(session, text, known, occasion), occasion, channel)


def answer_by_mail(
    session: Transaction, activity_id: int, text: str, about: tuple[str, str], occasion: Occasion
) -> bool:
    """The report in a reply to the message of a form, `about` whose block (and in which language) it is;
    quotes and signature are cut off. False where nothing is left.

    The caller is `alone`, and knows that the form is the actor's. Raises NotFound, Immutable.
    """
    block, language = about
    letter = texts.letter_of(block, language)
    own = answered(text, letter, partial(texts.fact_of, language=language))
    if not own:
        return False
    known = report_forms.reportable(session, activity_id)
    said = answering.taken(session, own, known, occasion)
    _answered(session, known, said, occasion, ReportChannel.EMAIL)
    return True


def _answered(
    session: Transaction, known: Reportable, said: Submission, occasion: Occasion, channel: ReportChannel
) -> Answered:
    by, activity_id = occasion.actor.user_id, known.id
    forms = report_forms.waiting(session, activities=[activity_id])
    first = known.state is ActivityState.PENDING_REPORT
    if forms:
        report_forms.submit(session, forms[0], said, by=by, channel=channel, now=occasion.now)
        finish(session, forms[0], occasion)
    elif not report_forms.amend(session, activity_id, said, by=by, channel=channel, now=occasion.now):
        report_forms.submit_unasked(session, known, said, by=by, channel=channel, now=occasion.now)
    scheduling.log(session, (occasion.actor, occasion.channel), ("activity", activity_id),
                   {"reported": True}, occasion.now)  # fmt: skip
    return Answered(first, said)


def waive(session: Transaction, activity_id: int, occasion: Occasion) -> bool:
    """Nobody is asked for a report any more; the activity stays in the list of those without one. Whether
    somebody was asked until now."""
    meeting_rows.alone(session)
    _may(report_forms.reportable(session, activity_id), occasion)
    forms = report_forms.waiting(session, activities=[activity_id])
    report_forms.close(session, [one.id for one in forms], ReportState.WAIVED)
    cancel(session, forms, occasion.now)
    if forms:
        scheduling.log(session, (occasion.actor, occasion.channel), ("activity", activity_id),
                       {"waived": True}, occasion.now)  # fmt: skip
    return bool(forms)


def _may(known: Reportable, occasion: Occasion) -> None:
    if not occasion.actor.may_edit(known.user_id):
        raise Forbidden(
            Phrase(
                "{login} may not report on activity {id}: only its user and users with the role "
                "advanced or admin may",
                login=occasion.actor.login,
                id=known.id,
            )
        )
