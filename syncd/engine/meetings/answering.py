"""What a user wrote into a form becomes comments, an outcome and a next step that is made (R113)."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from store import report_forms, scheduling, value_lists
from store.actors import Actor
from store.database import Transaction
from store.errors import StoreError
from store.report_forms import Reportable, Submission
from syncd.core.meetings.answers import Answer, read_answer
from syncd.core.quick_add.result import Kind, Lookup, Match, QuickAdd
from syncd.engine.calendar import quick
from syncd.engine.calendar.editing import add_event
from syncd.engine.calendar.occasion import Occasion
from syncd.engine.calendar.task_editing import add_task

LONGEST_OUTCOME = 120


def taken(session: Transaction, text: str, about: Reportable, occasion: Occasion) -> Submission:
    """The answer in this text, with its next step made for who acts, unless an earlier answer had one.
    Nothing of the text is lost: what is not understood, or cannot be made, stays in the comments, and is
    told."""
    text = text.encode("utf-8", "replace").decode()
    zone, user = occasion.floating, occasion.actor.user_id
    if user is not None:
        zone = ZoneInfo(occasion.zone_of(scheduling.user_of(session, user)))
    today = occasion.now.astimezone(zone).replace(tzinfo=None)
    answer = read_answer(text, today, _Names(session, text, occasion.actor))
    problems = tuple(one.told(occasion.language) for one in answer.problems)
    item = value_lists.outcome(session, answer.outcome)
    said = Submission(answer.comments, answer.outcome, item, problems)
    if said.outcome is not None and len(said.outcome) > LONGEST_OUTCOME:  # a text rather than a word
        said = replace(
            said, comments=f"{said.outcome}\n{said.comments}".strip(), outcome=None, outcome_id=None
        )
    if answer.next_step is None:
        return said
    if user is None:
        told = f"{answer.step_line}: name whose step it is (--as)"
        return replace(
            said,
            comments=f"{said.comments}\n{answer.step_line}".strip(),
            problems=(*said.problems, told),
        )
    made = report_forms.next_step(session, about.id)
    if made:
        told = f"{answer.step_line}: {made} was made by an earlier report, and stays as it is"
        return replace(said, problems=(*said.problems, told))
    return _with_step(session, said, answer, (about, zone), occasion)


class _Names:
    """Looks names up once somebody asks for one: that reads all contacts and accounts."""

    def __init__(self, session: Transaction, text: str, reader: Actor) -> None:
        self._session, self._text, self._reader = session, text, reader
        self._lookup: Lookup | None = None

    def __call__(self, asked: Sequence[str], /) -> Sequence[Match]:
        if self._lookup is None:
            self._lookup = quick.lookup_of(self._session, self._text, self._reader)
        return self._lookup(asked)


def _with_step(
    session: Transaction,
    said: Submission,
    answer: Answer,
    place: tuple[Reportable, ZoneInfo],
    occasion: Occasion,
) -> Submission:
    step, (about, zone) = answer.next_step, place
    if step is None:
        return said
    try:
        with session.begin_nested():
            id_ = _made(session, step, about, zone, occasion)
    except StoreError as error:
        line = answer.step_line
        return replace(
            said,
            comments=f"{said.comments}\n{line}".strip(),
            problems=(*said.problems, f"{line}: {error}"),
        )
    if step.kind is Kind.TASK:
        return replace(said, next_task_id=id_)
    return replace(said, next_event_id=id_)


def _made(session: Transaction, step: QuickAdd, about: Reportable, zone: ZoneInfo, occasion: Occasion) -> int:
    """The next step concerns what the meeting did, unless it says otherwise."""
    account = None if about.account_id is None else str(about.account_id)
    if step.kind is Kind.TASK:
        task = quick.task_fields(step)
        if task.account is None and task.opportunity is None:
            task = replace(task, account=account)
        return add_task(session, task, occasion).id
    event = quick.event_fields(step, zone)
    if event.account is None and event.opportunity is None:
        event = replace(event, account=account)
    return add_event(session, event, occasion).id
