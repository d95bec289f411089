"""An attendance report is put to its meeting, and kept as evidence of who came and for how long (R112).

Which meeting it is, and what it proves, is `syncd.core.meetings` (docs/decisions/021). Here it is done once:
a report is known by the hash of its bytes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from connectors.attendance.model import AttendanceReport
from connectors.attendance.reading import read
from store import attendance_rows, calendar_rows, meeting_rows
from store.calendar_rows import EventRecord
from store.database import Database, Transaction
from store.ledger import chunked
from store.meeting_rows import Said
from store.meetings import Grade
from syncd.core.meetings.attendance import Attendance, held, spans, who_came
from syncd.core.meetings.belonging import TOLERANCE, Candidate, Unclear, meeting_of
from syncd.core.meetings.people import Participant, plain_name
from syncd.engine.calendar.people import People
from syncd.engine.meetings.dropping import Enough
from syncd.engine.meetings.look import Meeting, around
from syncd.engine.meetings.telling import SKEW, apply

log: structlog.stdlib.BoundLogger = structlog.get_logger()

MOST_UNPLANNED = 500  # people who are kept of one report
LONGEST_ADDRESS = 320  # characters
MOST_NAMED = 5  # meetings that a reason names
UNTIMED = timedelta(days=7)  # how far back the meeting of a report without any time may be

FUTURE = (
    "its times are still to come: is the clock or the time zone of whoever downloaded it another one than the"
    " workspace's ([workspace] timezone)?"
)
UNLINKED = (
    "the meeting concerns no account, contact or opportunity, so nothing is kept of it: link event {} and"
    " drop the report again, or set record_unlinked in [video]"
)


@dataclass(frozen=True, slots=True)
class _Known:
    """A meeting of the CRM that a report may be about."""

    record: EventRecord
    meeting: Meeting
    expected: tuple[Participant, ...]

    @property
    def place(self) -> tuple[str, str]:
        return self.record.main.values["uid"], self.meeting.held.key


class Attending:
    """Takes attendance reports in."""

    kind = "attendance"

    def __init__(
        self, database: Database, people: Callable[[], People], zone: ZoneInfo, *, record_unlinked: bool
    ) -> None:
        self._database = database
        self._people = people
        self._zone = zone
        self._record_unlinked = record_unlinked

    def take(self, content: bytes, file: str, now: datetime, _enough: Enough) -> str:
        """Keeps what the report says; answers why not, where it does not. Raises BadFile, StoreError."""
        source = "sha:" + blake2b(content, digest_size=20).hexdigest()
        return self.keep(read(content, file), source, now)

    def keep(self, reports: Sequence[AttendanceReport], source: str, now: datetime) -> str:
        """The same of a report in all its readings, whoever gives it: files, or a provider's own interface
        that is asked. `source` is what the report is known by. Raises StoreError."""
        readings = [one.in_zone(self._zone) for one in reports]
        past = [one for one in readings if not _is_to_come(one, now)]
        if not past:
            return FUTURE
        people = self._people()
        with self._database.write() as session:
            meeting_rows.alone(session)
            if attendance_rows.knows(session, source):
                return ""
            return self._put(session, past, source, people, now)

    def _put(
        self,
        session: Transaction,
        readings: Sequence[AttendanceReport],
        source: str,
        people: People,
        now: datetime,
    ) -> str:
        known = list(self._near(session, readings, now))
        found = meeting_of(readings, self._zone, [_candidate(id_, one) for id_, one in enumerate(known)])
        if isinstance(found, Unclear):
            return _told(found, known, self._zone)
        one = known[found.id]
        if not one.meeting.held.linked and not self._record_unlinked:
            return UNLINKED.format(one.record.id)
        report = found.report
        really = held(report)
        started, ended = (None, None) if really is None else (really.started, really.ended)
        detail = _detail(report, who_came(one.expected, report), people, held_=really is not None)
        said = Said(Grade.ATTENDANCE, source, started, ended, detail)
        meeting_rows.add_evidence(session, one.place, said, now)
        told = apply(session, one.place, now)
        log.info("attendance report kept", action="attendance", event_id=one.record.id,
                 activity_id=told.activity_id, minutes=told.minutes)  # fmt: skip
        return ""

    def _near(
        self, session: Transaction, readings: Sequence[AttendanceReport], now: datetime
    ) -> Iterator[_Known]:
        """Every video meeting around the times of the report that is not private, cancelled or all day; a
        deleted one where it was recorded before."""
        seen: set[tuple[str, str]] = set()
        for reading in readings:
            start, end = _window(reading, now)
            for part in chunked(attendance_rows.video_events_between(session, start, end)):
                records = calendar_rows.events(session, part)
                uids = [one.main.values["uid"] for one in records.values()]
                recorded = {
                    (one.uid, one.key)
                    for several in meeting_rows.recorded(session, uids).values()
                    for one in several
                    if not (one.withdrawn or one.deleted)
                }
                known = [
                    (record, meeting)
                    for record in records.values()
                    for meeting in around(record, start, end, self._zone)
                    if _takes_place(record, meeting, recorded)
                ]
                for record, meeting, expected in _with_people(session, known):
                    one = _Known(record, meeting, expected)
                    if one.place not in seen:
                        seen.add(one.place)
                        yield one


def _is_to_come(report: AttendanceReport, now: datetime) -> bool:
    return report.started is not None and (report.ended or report.started) > now + SKEW


def _window(report: AttendanceReport, now: datetime) -> tuple[datetime, datetime]:
    if report.started is None:
        return now - UNTIMED, now
    return report.started - TOLERANCE, (report.ended or report.started) + TOLERANCE


def _takes_place(record: EventRecord, meeting: Meeting, recorded: set[tuple[str, str]]) -> bool:
    if meeting.held.all_day:
        return False
    if (record.main.values["uid"], meeting.held.key) in recorded:
        return True
    gone = record.main.values["hidden"] or record.main.values["deleted_at"] is not None
    return not (gone or meeting.held.cancelled)


def _with_people(
    session: Transaction, known: Sequence[tuple[EventRecord, Meeting]]
) -> Iterator[tuple[EventRecord, Meeting, tuple[Participant, ...]]]:
    """Each meeting with who was expected in it."""
    rows = [meeting.row for _, meeting in known]
    contacts, users = attendance_rows.people(
        session,
        {one.contact_id for row in rows for one in row.participants if one.contact_id is not None},
        {one.user_id for row in rows for one in row.participants if one.user_id is not None}
        | {row.values["owner_id"] for row in rows},
    )
    for record, meeting in known:
        row = meeting.row
        found: dict[str, Participant] = {}
        for one in row.participants:
            person = users.get(one.user_id or 0) or contacts.get(one.contact_id or 0)
            key = _key(one.user_id, one.contact_id, one.email)
            emails = (one.email, *(person.emails if person else ()))
            name = _names(person.name if person else "", one.display_name)
            found[key] = Participant(key, emails, name, organizer=one.is_organizer)
        owner = users.get(row.values["owner_id"])
        if owner is not None:  # takes part, though events of the CRM do not list the owner
            key = f"user:{row.values['owner_id']}"
            found.setdefault(key, Participant(key, owner.emails, owner.name))
        yield record, meeting, tuple(found.values())


def _names(ours: str, theirs: str) -> str:
    """The name in the CRM and that of the invitation, as `names_of` reads two."""
    if not ours or not theirs or ours == theirs or {*"()[]"} & {*ours, *theirs}:
        return ours or theirs
    return f"{ours} ({theirs})"


def _key(user_id: int | None, contact_id: int | None, email: str) -> str:
    if user_id is not None:
        return f"user:{user_id}"
    return f"contact:{contact_id}" if contact_id is not None else f"email:{email}"


def _candidate(id_: int, known: _Known) -> Candidate:
    one, row = known.meeting.held, known.meeting.row
    return Candidate(id_, row.values["subject"], one.start, one.end, row.values["video_url"], known.expected)


def _detail(report: AttendanceReport, came: Attendance, people: People, *, held_: bool) -> Mapping[str, Any]:
    """What is kept. Nothing of a stranger but the name, the address and how long."""
    timed = any(spans(person) for person in report.people)
    kept = came.unplanned[:MOST_UNPLANNED]
    return {
        "held": held_ if timed else None,
        "present": [
            {
                "who": one.key,
                "seconds": one.seconds,
                "first": _iso(one.first_join),
                "last": _iso(one.last_leave),
            }
            for one in came.present
        ],
        "absent": list(came.absent),
        "unplanned": [
            _unplanned(plain_name(one.name), one.email[:LONGEST_ADDRESS], people) | {"seconds": one.seconds}
            for one in kept
        ],
        "more": len(came.unplanned) - len(kept),
    }


def _unplanned(name: str, email: str, people: People) -> dict[str, Any]:
    user, contact = people.user(email), people.contact(email)
    if email and (user is not None or contact is not None):
        return {"who": _key(user, contact, email)}
    return {"name": name, "email": email}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _told(found: Unclear, known: Sequence[_Known], zone: ZoneInfo) -> str:
    """The reason, with the meetings that it may be and what to do."""
    several = [
        f"event {known[id_].record.id} on {known[id_].meeting.held.start.astimezone(zone):%Y-%m-%d %H:%M}"
        for id_ in found.ids[:MOST_NAMED]
    ]
    which = f": {', '.join(several)}" if several else ""
    return (
        f"{found.reason.value}{which}. `syncd meeting report EVENT --start TIME --end TIME` tells how long it"
        " was; or correct the meeting in the calendar, and drop the report again after the next cycle"
    )
