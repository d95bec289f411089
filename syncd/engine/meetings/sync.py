"""Once a minute: what is over is recorded, forms are made, answered, and their users reminded.

Nothing is decided outside the transaction that writes it, and one process at a time is in such a transaction:
the same meeting is recorded once, and its form made once, by however many processes and however they die.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from store import actors, meeting_rows, report_forms
from store.audit_log import Channel
from store.database import Database, Transaction
from store.errors import Stale, StoreError
from store.meetings import ReportChannel, ReportState
from store.report_forms import Form
from syncd.core.meetings.ended import Rules
from syncd.engine.calendar import looking_again
from syncd.engine.calendar.items import Setting
from syncd.engine.calendar.occasion import Occasion, Workplace
from syncd.engine.calendar.people import People
from syncd.engine.meetings import answering
from syncd.engine.meetings.forms import FormRules, Forms, cancel
from syncd.engine.meetings.recording import Recorder

log: structlog.stdlib.BoundLogger = structlog.get_logger()

STILL_WRITTEN = timedelta(days=30)  # so long a report may be changed in its task
CHUNK = 500  # events of one transaction: nobody else writes to SQLite meanwhile


@dataclass(frozen=True, slots=True)
class MeetingRules:
    """Everything that the config says of meetings."""

    ended: Rules
    past: timedelta  # `calendar.window.past`: older occurrences of a series are left alone
    forms: FormRules
    auto_validate: timedelta | None
    workplace: Workplace  # where next steps are made


@dataclass(slots=True)
class MeetingsReport:
    """What was done."""

    recorded: int = 0
    changed: int = 0
    withdrawn: int = 0
    offered: int = 0
    answered: int = 0
    waived: int = 0
    reminded: int = 0
    validated: int = 0  # without a report
    failed: int = 0  # events that could not be looked at

    @property
    def wrote(self) -> bool:
        """Whether anything came of it."""
        return any((self.recorded, self.changed, self.withdrawn, self.offered, self.answered, self.waived,
                    self.reminded, self.validated))  # fmt: skip


Work = Callable[[Transaction, Form, datetime, MeetingsReport], None]


class MeetingSync:
    """The follow-up of video meetings, for the whole CRM."""

    def __init__(self, database: Database, people: Callable[[], People], rules: MeetingRules) -> None:
        self._database = database
        self._people = people
        self._rules = rules
        self._recorder = Recorder(rules.ended, rules.past, rules.forms.floating)
        self._failing: set[tuple[int, int | None]] = set()  # forms, with the version of their task
        self.halted: Callable[[], bool] = lambda: False

    def run(self, now: datetime) -> MeetingsReport:
        """Everything that is due at that aware moment. Raises StoreError."""
        report = MeetingsReport()
        with self._database.read() as session:
            ids = meeting_rows.to_look_at(session, now, CHUNK)
            closed = report_forms.waiting(session, moved=True)
            late = bool(report_forms.waiting(session, remind_before=now))
            stale = self._stale(session, now)
            rewritten = report_forms.rewritten(session, now - STILL_WRITTEN)
        if not (ids or closed or late or stale or rewritten):
            return report
        forms = Forms(self._rules.forms, self._people())
        for form in closed:  # before anything is withdrawn: what somebody has written is an answer
            self._one_by_one(form, now, report, self._answer)
        for form in rewritten:  # some finish the task first, and write their report then
            self._one_by_one(form, now, report, self._amend)
        while ids and not self.halted():
            self._record(ids, forms, now, report)
            with self._database.read() as session:
                ids = meeting_rows.to_look_at(session, now, CHUNK)
        if late:
            with self._database.write() as session:
                meeting_rows.alone(session)
                report.reminded += forms.remind(session, now)
        if stale:
            self._validate(forms, now, report)
        if report.wrote:
            log.info("meetings followed up", action="meetings", recorded=report.recorded,
                     offered=report.offered, withdrawn=report.withdrawn, answered=report.answered,
                     reminded=report.reminded)  # fmt: skip
        return report

    def look_again(self, now: datetime) -> int:
        """Tells which of the events that are stored already are video meetings, by the hosts that the config
        names now; returns how many of them changed. Once is enough as long as the config stays."""
        changed, after = 0, 0
        setting = Setting(0, self._people(), self._rules.forms.floating, self._rules.workplace.providers)
        while not self.halted():
            with self._database.write() as session:
                some, last = looking_again.look_again(
                    session, setting, now, since=now - self._rules.past, after=after
                )
            changed += some
            if last is None:
                break
            after = last
        if changed:
            log.info("video meetings found in what is stored", action="meetings", events=changed)
        return changed

    def _record(self, ids: Sequence[int], forms: Forms, now: datetime, report: MeetingsReport) -> None:
        try:
            self._together(ids, forms, now, report)
        except StoreError:
            raise
        except Exception:  # the one place that isolates an event
            if len(ids) > 1:
                for id_ in ids:
                    self._record([id_], forms, now, report)
                return
            log.exception("a defect of syncd: this event's meetings are not recorded", action="meetings",
                          event_id=ids[0])  # fmt: skip
            report.failed += 1
            with self._database.write() as session:
                meeting_rows.set_aside(session, ids[0], now)

    def _together(self, ids: Sequence[int], forms: Forms, now: datetime, report: MeetingsReport) -> None:
        with self._database.write() as session:
            meeting_rows.alone(session)
            done = self._recorder.record(session, ids, now)
            taken_back = forms.withdraw(session, done.withdrawn, now, ReportState.WITHDRAWN, done.concealed)
            forms.withdraw(session, done.handed_over, now, ReportState.WITHDRAWN)
            forms.renew(session, done.followed, now)
            offered = forms.offer(session, done.offers, now)
        report.recorded += done.made
        report.changed += done.changed
        report.withdrawn += max(len(done.withdrawn), taken_back)
        report.offered += offered

    def _answer(self, session: Transaction, form: Form, now: datetime, report: MeetingsReport) -> None:
        """What its user has written into a task that is finished, or what the end of the task says else."""
        if form.deleted:
            report_forms.close(session, [form.id], ReportState.WITHDRAWN)
            cancel(session, [form], now)
            report.withdrawn += 1
        elif form.done and not form.private:
            about = report_forms.reportable(session, form.activity_id)
            said = answering.taken(session, form.notes, about, self._occasion(session, form, now))
            report_forms.submit(session, form, said, by=form.user_id, channel=ReportChannel.TASK, now=now)
            report.answered += 1
        elif form.done or form.gone:
            report_forms.close(session, [form.id], ReportState.WAIVED)
            report.waived += 1

    def _amend(self, session: Transaction, form: Form, now: datetime, report: MeetingsReport) -> None:
        """What its user has written into the task since it was answered."""
        report_forms.read_again(session, form)
        if form.private or form.gone:
            return
        about = report_forms.reportable(session, form.activity_id)
        said = answering.taken(session, form.notes, about, self._occasion(session, form, now))
        if said.comments and said.comments != form.comments:
            report_forms.amend(
                session, form.activity_id, said, by=form.user_id, channel=ReportChannel.TASK, now=now
            )
            report.answered += 1

    def _one_by_one(self, seen: Form, now: datetime, report: MeetingsReport, work: Work) -> None:
        """One form, as it is when the transaction has it; what fails of it stops no other."""
        if (seen.id, seen.task_version) in self._failing:
            return
        try:
            with self._database.write() as session:
                meeting_rows.alone(session)
                form = report_forms.again(session, seen)
                if form is not None:
                    work(session, form, now, report)
        except Stale:
            return  # somebody changes the task at this moment: in a minute
        except Exception:  # as with an event
            self._failing.add((seen.id, seen.task_version))
            log.exception("a form cannot be followed up", action="meetings", form_id=seen.id)
            report.failed += 1

    def _occasion(self, session: Transaction, form: Form, now: datetime) -> Occasion:
        """The user who answered, acting through the task."""
        actor = actors.of_id(session, form.user_id)
        return self._rules.workplace.occasion(actor, Channel.SYNC, now, self._people())

    def _stale(self, session: Transaction, now: datetime) -> list[int]:
        if self._rules.auto_validate is None:
            return []
        return report_forms.unanswered_since(session, now - self._rules.auto_validate)

    def _validate(self, forms: Forms, now: datetime, report: MeetingsReport) -> None:
        with self._database.write() as session:
            meeting_rows.alone(session)
            activities = self._stale(session, now)
            forms.withdraw(session, activities, now, ReportState.EXPIRED)
            report_forms.validate(session, activities, now, by=None)
            report.validated += len(activities)
