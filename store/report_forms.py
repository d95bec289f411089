"""The forms of meetings and calls: who is asked, what was answered (R113, R114, R047)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from config.language import Phrase
from store.activities import Activity, ActivityState, ActivityType
from store.calendar import Privacy, Task, TaskState
from store.custom_fields import ValueListItem
from store.database import bulk
from store.errors import Immutable, NotFound
from store.ledger import chunked
from store.meetings import OPEN_REPORTS, MeetingReport, ReportChannel, ReportState
from store.users import User

REPORTED = frozenset({ActivityType.VIDEO_CALL, ActivityType.CALL, ActivityType.MEETING, ActivityType.VISIT})


@dataclass(frozen=True, slots=True)
class Form:
    """A form that waits, with the task by which it can be answered."""

    id: int
    activity_id: int
    user_id: int
    login: str
    task_id: int | None
    state: ReportState
    due_on: date
    subject: str
    occurred_at: datetime
    done: bool  # its task is finished
    gone: bool  # its task was cancelled or deleted
    deleted: bool  # its activity, by a person
    private: bool  # its task, by its user: the notes are not kept
    notes: str  # of its task
    task_version: int | None
    comments: str  # of the answer, if there is one


@dataclass(frozen=True, slots=True)
class Submission:
    """An answer."""

    comments: str
    outcome: str | None = None
    outcome_id: int | None = None  # the item of report_outcome that it names
    problems: tuple[str, ...] = ()
    next_task_id: int | None = None
    next_event_id: int | None = None


@dataclass(frozen=True, slots=True)
class Reportable:
    """An activity that can have a report."""

    id: int
    user_id: int | None  # who reports on it
    account_id: int | None
    occurred_at: datetime
    state: ActivityState


def reportable(session: Session, activity_id: int) -> Reportable:
    """The activity of that id, if it is a meeting or a call. Raises NotFound, Immutable."""
    found = session.get(Activity, activity_id)
    if found is None or found.deleted_at is not None:
        raise NotFound(Phrase("there is no activity {activity_id}", activity_id=activity_id))
    if found.type not in REPORTED:
        raise Immutable(
            Phrase(
                "activity {activity_id} is of type {type}: there is no report on it",
                activity_id=activity_id,
                type=found.type.value,
            )
        )
    return Reportable(found.id, found.user_id, found.account_id, found.occurred_at, found.state)


def offer(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """New forms, by column name."""
    fresh = {"comments": "", "problems": [], "state": ReportState.OFFERED}
    bulk(session, MeetingReport, [{**fresh, **row} for row in rows])


def waiting(
    session: Session,
    *,
    activities: Iterable[int] | None = None,
    moved: bool = False,
    remind_before: datetime | None = None,
) -> list[Form]:
    """The open forms, the oldest first; of some activities, or only those whose task is no longer open or
    whose activity was deleted, or those of which somebody is to be reminded."""
    conditions: list[Any] = [MeetingReport.state.in_(OPEN_REPORTS)]
    if moved:
        over = or_(Task.id.is_(None), Task.state != TaskState.OPEN, Task.hidden)
        conditions.append(or_(over, Activity.deleted_at.is_not(None)))
    if remind_before is not None:
        conditions += [MeetingReport.state == ReportState.OFFERED, MeetingReport.remind_at <= remind_before]
    found = []
    for part in [None] if activities is None else chunked(activities):
        some = [] if part is None else [MeetingReport.activity_id.in_(part)]
        found += _forms(session, [*conditions, *some])
    return found


def ever(session: Session, activities: Iterable[int]) -> list[Form]:
    """Every form of these activities, whatever became of it."""
    return [
        one for part in chunked(activities) for one in _forms(session, [MeetingReport.activity_id.in_(part)])
    ]


def again(session: Session, seen: Form) -> Form | None:
    """The form as it is now; None where it is in another state by now."""
    found = _forms(session, [MeetingReport.id == seen.id, MeetingReport.state == seen.state])
    return found[0] if found else None


def rewritten(session: Session, since: datetime) -> list[Form]:
    """The forms answered by their task, since then, whose task has changed after that: some write their
    report once the task is done."""
    return _forms(
        session,
        [
            MeetingReport.state == ReportState.ANSWERED,
            MeetingReport.channel == ReportChannel.TASK,
            MeetingReport.submitted_at > since,
            Task.version != MeetingReport.task_version,
            Activity.deleted_at.is_(None),
        ],
    )


def _forms(session: Session, conditions: Sequence[Any]) -> list[Form]:
    query = (
        select(MeetingReport, Activity, User.login, Task)
        .join(Activity, Activity.id == MeetingReport.activity_id)
        .join(User, User.id == MeetingReport.user_id)
        .outerjoin(Task, Task.id == MeetingReport.task_id)
        .where(*conditions)
        .order_by(Activity.occurred_at, MeetingReport.id)
    )
    found = []
    for report, activity, login, joined in session.execute(query):
        task: Task | None = joined
        hidden = task is None or task.hidden or task.deleted_at is not None
        found.append(
            Form(
                report.id,
                activity.id,
                report.user_id,
                login,
                None if task is None else task.id,
                report.state,
                report.due_on,
                activity.subject,
                activity.occurred_at,
                done=task is not None and not hidden and task.state is TaskState.DONE,
                gone=task is None or hidden or task.state is TaskState.CANCELLED,
                deleted=activity.deleted_at is not None,
                private=task is not None and task.privacy is not Privacy.PUBLIC,
                notes="" if task is None else task.notes,
                task_version=None if task is None else task.version,
                comments=report.comments,
            )
        )
    return found


def close(session: Session, ids: Iterable[int], state: ReportState) -> None:
    """These forms wait no longer."""
    for part in chunked(ids):
        session.execute(update(MeetingReport).where(MeetingReport.id.in_(part)).values(state=state))


def reminded(session: Session, id_: int, due_on: date) -> None:
    """Its user was reminded, once."""
    session.execute(
        update(MeetingReport)
        .where(MeetingReport.id == id_)
        .values(state=ReportState.REMINDED, due_on=due_on, remind_at=None)
    )


def remind_later(session: Session, id_: int, due_on: date, remind_at: datetime | None) -> None:
    """Its user has put it off."""
    session.execute(
        update(MeetingReport).where(MeetingReport.id == id_).values(due_on=due_on, remind_at=remind_at)
    )


def submit(
    session: Session, form: Form, said: Submission, *, by: int | None, channel: ReportChannel, now: datetime
) -> None:
    """The answer, and with it the activity enters the history."""
    session.execute(
        update(MeetingReport)
        .where(MeetingReport.id == form.id)
        .values(
            state=ReportState.ANSWERED,
            comments=said.comments,
            outcome=said.outcome,
            outcome_id=said.outcome_id,
            problems=list(said.problems),
            next_task_id=said.next_task_id,
            next_event_id=said.next_event_id,
            submitted_at=now,
            submitted_by=by,
            channel=channel,
            task_version=form.task_version,
        )
    )
    validate(session, [form.activity_id], now, by=by, comments=said.comments)


def submit_unasked(
    session: Session,
    known: Reportable,
    said: Submission,
    *,
    by: int | None,
    channel: ReportChannel,
    now: datetime,
) -> None:
    """A report on what nobody was asked about."""
    who = known.user_id if known.user_id is not None else by
    if who is not None:
        row = {"activity_id": known.id, "user_id": who, "offered_at": now, "due_on": now.date(),
               "state": ReportState.ANSWERED, "comments": said.comments, "outcome": said.outcome,
               "outcome_id": said.outcome_id, "problems": list(said.problems),
               "next_task_id": said.next_task_id, "next_event_id": said.next_event_id,
               "submitted_at": now, "submitted_by": by, "channel": channel}  # fmt: skip
        bulk(session, MeetingReport, [row])
    validate(session, [known.id], now, by=by, comments=said.comments)


def read_again(session: Session, form: Form) -> None:
    """The answer in its task is known as it is now."""
    session.execute(
        update(MeetingReport).where(MeetingReport.id == form.id).values(task_version=form.task_version)
    )


def next_step(session: Session, activity_id: int) -> str:
    """What was made as the next step of a report, as "task 5" or "event 7"; empty where nothing was."""
    query = select(MeetingReport.next_task_id, MeetingReport.next_event_id).where(
        MeetingReport.activity_id == activity_id, MeetingReport.state == ReportState.ANSWERED
    )
    task, event = session.execute(query).one_or_none() or (None, None)
    return f"task {task}" if task is not None else f"event {event}" if event is not None else ""


def outcome(session: Session, activity_id: int) -> str | None:
    """What came of it, as its report says: the code of an item of report_outcome, else the text that was
    written."""
    r, i = MeetingReport, ValueListItem
    query = select(func.coalesce(i.code, r.outcome)).select_from(r).outerjoin(i, i.id == r.outcome_id)
    given = query.where(r.activity_id == activity_id, r.state == ReportState.ANSWERED)
    return session.scalar(given.order_by(r.id.desc()).limit(1))


def amend(
    session: Session,
    activity_id: int,
    said: Submission,
    *,
    by: int | None,
    channel: ReportChannel,
    now: datetime,
) -> bool:
    """Changes the report that was given; whether there is one. The door it was changed through last is the
    one that counts: what stands in a task is not read again once somebody corrected it elsewhere."""
    given = select(MeetingReport.id).where(
        MeetingReport.activity_id == activity_id, MeetingReport.state == ReportState.ANSWERED
    )
    id_ = session.scalar(given)
    if id_ is None:
        return False
    values: dict[str, Any] = {
        "comments": said.comments,
        "problems": list(said.problems),
        "channel": channel,
    }
    for name in ("outcome", "next_task_id", "next_event_id"):
        if getattr(said, name) is not None:
            values[name] = getattr(said, name)
    if said.outcome is not None:
        values["outcome_id"] = said.outcome_id
    session.execute(update(MeetingReport).where(MeetingReport.id == id_).values(**values))
    validate(session, [activity_id], now, by=by, comments=said.comments)
    return True


def validate(
    session: Session, activities: Iterable[int], now: datetime, *, by: int | None, comments: str | None = None
) -> None:
    """These activities enter the history."""
    values: dict[str, Any] = {
        "state": ActivityState.VALIDATED,
        "updated_at": now,
        "updated_by": by,
        "version": Activity.version + 1,
    }
    if comments is not None:
        values["comments"] = comments
    for part in chunked(activities):
        session.execute(update(Activity).where(Activity.id.in_(part)).values(**values))


def unanswered_since(session: Session, before: datetime) -> list[int]:
    """The activities that wait for a report and took place before that moment."""
    query = select(Activity.id).where(
        Activity.state == ActivityState.PENDING_REPORT,
        Activity.deleted_at.is_(None),
        Activity.occurred_at < before,
    )
    return list(session.scalars(query.order_by(Activity.id)))
