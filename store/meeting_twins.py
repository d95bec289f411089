"""Records of meetings that differ in nothing but their UID, and how one becomes that of another event."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.activities import Activity, ActivityState
from store.calendar import Event
from store.ledger import chunked
from store.meeting_rows import move_evidence
from store.meetings import MeetingRecord


@dataclass(frozen=True, slots=True)
class HeldAt:
    """A meeting that is recorded, as far as another one may be the same."""

    activity_id: int
    uid: str
    start: datetime
    end: datetime
    user_id: int | None
    account_id: int | None
    opportunity_id: int | None
    subject: str
    video_url: str
    pending: bool  # nobody has reported on it
    deleted: bool  # by a person


def held_at(session: Session, starts: Iterable[datetime]) -> list[HeldAt]:
    """What is recorded and begins at one of these moments."""
    found = []
    for part in chunked(starts):
        rows = session.execute(
            select(MeetingRecord, Activity, Event.video_url)
            .join(Activity, Activity.id == MeetingRecord.activity_id)
            .outerjoin(Event, Event.id == Activity.event_id)
            .where(MeetingRecord.scheduled_start.in_(part), MeetingRecord.withdrawn.is_(False))
            .order_by(MeetingRecord.activity_id)
        )
        found += [
            HeldAt(
                done.id, one.uid, one.scheduled_start, one.scheduled_end, done.user_id, done.account_id,
                done.opportunity_id, done.subject, url or "", done.state is ActivityState.PENDING_REPORT,
                done.deleted_at is not None,
            )
            for one, done, url in rows
        ]  # fmt: skip
    return found


def adopt(session: Session, activity_id: int, uid: str, key: str) -> None:
    """The record, and what is known of it, is of another event's occurrence (UID, key), which has none."""
    mine = MeetingRecord.activity_id == activity_id
    place = select(MeetingRecord.uid, MeetingRecord.recurrence_key).where(mine)
    former, former_key = session.execute(place).one()
    move_evidence(session, (former, former_key), (uid, key))
    session.execute(update(MeetingRecord).where(mine).values(uid=uid, recurrence_key=key))
