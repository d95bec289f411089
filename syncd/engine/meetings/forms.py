"""The post-meeting form: a task in the list of the one who reports, answered by finishing it (R113, R114).

What the form says stands in the CRM's block of the task, so the notes are the user's answer and nothing else.
No task of this kind has participants: nothing of it reaches anybody but its owner (§4.2.3).
"""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.calendar import Component, Item, Kind, Status, Timing, When, zone_info
from connectors.ical.canonical import canonical
from store import (
    calendar_rows,
    outbox,
    reconciling,
    report_forms,
    report_mail,
    reporters,
    reports,
    scheduling,
)
from store.bindings import BoundEntity
from store.calendar import Origin, Task, TaskPurpose, TaskState
from store.calendar_rows import TaskRecord
from store.database import Transaction
from store.meetings import ReportState
from store.report_forms import Form
from store.reporters import UserFacts
from syncd.core.meetings.ended import minutes
from syncd.engine.calendar.items import Setting, item_of_task, settled_task, task_values
from syncd.engine.calendar.occasion import Occasion
from syncd.engine.calendar.people import People
from syncd.engine.meetings import texts
from syncd.engine.meetings.recording import Offer

MORNING = time(9)  # when somebody is reminded, by that person's clock


@dataclass(frozen=True, slots=True)
class FormRules:
    """The `[video]` section, as far as forms need it."""

    offered: bool
    due: timedelta  # whole days after the meeting
    remind: bool  # once, the day after
    language: str
    floating: ZoneInfo
    instance: str  # tells this installation's UIDs from those of others
    by_mail: bool = False  # a message beside the task


@dataclass(frozen=True, slots=True)
class _Names:
    """What records are called, by their ids."""

    accounts: Mapping[int, str]
    opportunities: Mapping[int, str]
    contacts: Mapping[int, str]


class Forms:
    """Makes forms, and takes them back."""

    def __init__(self, rules: FormRules, people: People) -> None:
        self._rules = rules
        self._people = people

    def offer(self, session: Transaction, offers: Sequence[Offer], now: datetime) -> int:
        """A task for each; returns how many."""
        if not self._rules.offered:
            return 0
        users = reporters.users_of(session, {one.user_id for one in offers if one.user_id is not None})
        near = reporters.reachable(session, users)
        asked = [(one, users[one.user_id]) for one in offers if one.user_id in near]
        names = _names(session, [one for one, _ in asked])
        values, rows = [], []
        for one, user in asked:
            due_on = self._due_on(one, user, now)
            values.append(self._task(one, user, due_on, names, now))
            rows.append(
                {"activity_id": one.activity_id, "user_id": user.id, "offered_at": now, "due_on": due_on,
                 "remind_at": self._remind_at(due_on, self._zone(user))}
            )  # fmt: skip
        ids = calendar_rows.insert_tasks(session, values, now, by=None)
        report_forms.offer(session, [{**row, "task_id": id_} for row, id_ in zip(rows, ids, strict=True)])
        outbox.announce(session, BoundEntity.TASK, ids, now, by_person=False)
        if self._rules.by_mail:
            report_mail.want(session, [one.activity_id for one, _ in asked])
        return len(ids)

    def renew(self, session: Transaction, followed: Sequence[tuple[str, Offer]], now: datetime) -> int:
        """Gives the open forms of meetings that changed their facts, and their subjects, where those are
        still what the form was called; `followed` has what the meetings were called before. Returns how
        many are other ones now."""
        forms = report_forms.waiting(session, activities={one.activity_id for _, one in followed})
        of_activity = {form.activity_id: form for form in forms}
        tasks = calendar_rows.tasks(session, [form.task_id for form in forms if form.task_id is not None])
        users = reporters.users_of(session, {form.user_id for form in forms})
        names = _names(session, [one for _, one in followed])
        told = []
        for former, one in followed:
            form = of_activity.get(one.activity_id)
            record = None if form is None else tasks.get(form.task_id or 0)
            if form is None or record is None or form.gone or form.done:
                continue
            user, before = users[form.user_id], item_of_task(record)
            language, facts = user.language or self._rules.language, _facts(one, names)
            main = before.main
            if main.subject == texts.subject_of(former, language):
                main = replace(main, subject=texts.subject_of(facts.subject, language))
            after = replace(before, components=(main, *before.components[1:]))
            values = task_values(settled_task(canonical(after)), self._setting(user.id), record) | {
                "block": texts.block_of(facts, self._zone(user), language),
                "account_id": one.account_id,
                "opportunity_id": one.opportunity_id,
            }
            if calendar_rows.replace_task(session, record, values, now, by=None):
                told.append(record.id)
        outbox.announce(session, BoundEntity.TASK, told, now, by_person=False)
        return len(told)

    def withdraw(
        self,
        session: Transaction,
        activities: Iterable[int],
        now: datetime,
        state: ReportState,
        concealed: Collection[int] = (),
    ) -> int:
        """Takes the open forms of these activities back; returns how many. Of those `concealed` nothing that
        they said of the meeting is kept."""
        forms = report_forms.waiting(session, activities=activities)
        report_forms.close(session, [one.id for one in forms], state)
        cancel(session, [one for one in forms if one.activity_id not in concealed], now)
        cancel(session, [one for one in forms if one.activity_id in concealed], now, blank=True)
        return len(forms)

    def remind(self, session: Transaction, now: datetime) -> int:
        """Each user once, of each form: the task is due today, with an alert."""
        forms = report_forms.waiting(session, remind_before=now)
        users = reporters.users_of(session, {one.user_id for one in forms})
        tasks = calendar_rows.tasks(session, [one.task_id for one in forms if one.task_id is not None])
        told, count = [], 0
        for form in forms:
            zone = self._zone(users[form.user_id])
            today = now.astimezone(zone).date()
            record = tasks.get(form.task_id or 0)
            put_off = None if record is None else _put_off(record, form, today)
            if put_off is not None:  # by its user: it is due later now
                report_forms.remind_later(session, form.id, put_off, self._remind_at(put_off, zone))
                continue
            count += 1
            report_forms.reminded(session, form.id, today)
            if record is None:
                continue
            after = _with_alert(item_of_task(record), today, now)
            _rewrite(session, record, after, self._setting(form.user_id), now)
            told.append(record.id)
        outbox.announce(session, BoundEntity.TASK, told, now, by_person=False)
        return count

    # --- parts ------------------------------------------------------------------------------------

    def _task(
        self,
        one: Offer,
        user: UserFacts,
        due_on: date,
        names: "_Names",
        now: datetime,
    ) -> dict[str, object]:
        language = user.language or self._rules.language
        facts = _facts(one, names)
        main = Component(
            Timing(end=When(due_on)),
            subject=texts.subject_of(facts.subject, language, call=bool(facts.number)),
            status=Status.OPEN,
            busy=False,
        )
        # A clock that was put back comes to the same second again: by itself it makes no UID.
        stamp = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        uid = f"report-{one.activity_id}-{stamp}@{self._rules.instance}.syncd"
        item = settled_task(canonical(Item(uid, Kind.TASK, (main,))))
        return task_values(item, self._setting(user.id), None) | {
            "origin": Origin.CRM,
            "purpose": TaskPurpose.CALL_FORM if one.number else TaskPurpose.REPORT_FORM,
            "account_id": one.account_id,
            "opportunity_id": one.opportunity_id,
            "event_id": one.event_id,
            "block": texts.block_of(facts, self._zone(user), language),
        }

    def _setting(self, user_id: int) -> Setting:
        return Setting(user_id, self._people, self._rules.floating)

    def _zone(self, user: UserFacts) -> ZoneInfo:
        return (zone_info(user.timezone) if user.timezone else None) or self._rules.floating

    def _due_on(self, one: Offer, user: UserFacts, now: datetime) -> date:
        """Counted from the day when the form is there, where that is later than the meeting."""
        return max(one.end, now).astimezone(self._zone(user)).date() + self._rules.due

    def _remind_at(self, due_on: date, zone: ZoneInfo) -> datetime | None:
        if not self._rules.remind:
            return None
        return datetime.combine(due_on + timedelta(days=1), MORNING, tzinfo=zone)


def _names(session: Transaction, offers: Sequence[Offer]) -> _Names:
    return _Names(
        reports.account_names(session, {one.account_id for one in offers if one.account_id}),
        reports.opportunity_names(session, {one.opportunity_id for one in offers if one.opportunity_id}),
        reporters.contact_names(session, {id_ for one in offers for id_ in one.contacts}),
    )


def _facts(one: Offer, names: _Names) -> texts.Facts:
    return texts.Facts(
        subject=one.subject,
        start=one.start,
        end=one.end,
        minutes=minutes(one.start, one.end),
        account=names.accounts.get(one.account_id or 0, ""),
        opportunity=names.opportunities.get(one.opportunity_id or 0, ""),
        people=_people(one, names.contacts),
        number=one.number,
    )


def _people(offer: Offer, contacts: Mapping[int, str]) -> list[str]:
    """Who takes part, beside the organizer's own line."""
    if offer.number:
        return [contacts[id_] for id_ in sorted(offer.contacts) if id_ in contacts]
    return [
        contacts.get(one.contact_id or 0) or one.display_name or one.email
        for one in offer.participants
        if not one.is_organizer
    ]


def _put_off(record: TaskRecord, form: Form, today: date) -> date | None:
    """The day to come on which the task is due, where its user chose another one."""
    due: date | None = record.values["due_date"]
    return due if due is not None and due != form.due_on and due >= today else None


def _with_alert(before: Item, today: date, now: datetime) -> Item:
    """The task due today, with an alert beside those there. What its user says of times stays."""
    main, timing = before.main, before.main.timing
    plain = timing.start is None and timing.end is not None and timing.end.is_date and not timing.recurs
    alarm = f"{now + timedelta(minutes=1):%Y%m%dT%H%M00Z}"
    main = replace(
        main,
        timing=replace(timing, end=When(today)) if plain else timing,
        alarms=main.alarms | {alarm},
    )
    return replace(before, components=(main, *before.components[1:]))


def cancel(session: Transaction, forms: Sequence[Form], now: datetime, *, blank: bool = False) -> None:
    """Takes the tasks of these forms out of all lists. `blank`: what the meeting was is private now."""
    tasks = calendar_rows.tasks(session, [one.task_id for one in forms if one.task_id is not None])
    if blank:
        reconciling.forget_texts(session, BoundEntity.TASK, list(tasks))
    for record in tasks.values():
        if blank:
            scheduling.set_columns(session, Task, record.id, {"subject": "", "block": "", "account_id": None,
                                                              "opportunity_id": None})  # fmt: skip
        if not record.values["hidden"]:
            calendar_rows.hide(session, record, now, by=None)
    outbox.announce(session, BoundEntity.TASK, list(tasks), now, by_person=False)


def finish(session: Transaction, form: Form, occasion: Occasion) -> None:
    """The form was answered in another way: its task is done."""
    record = calendar_rows.tasks(session, [form.task_id or 0]).get(form.task_id or 0)
    if record is None or record.values["hidden"] or record.values["state"] is not TaskState.OPEN:
        return
    before = item_of_task(record)
    main = replace(before.main, status=Status.DONE, completed=occasion.now.replace(microsecond=0))
    after = replace(before, components=(main, *before.components[1:]))
    by = occasion.actor.user_id
    _rewrite(session, record, after, occasion.setting(form.user_id), occasion.now, by=by)
    outbox.announce(session, BoundEntity.TASK, [record.id], occasion.now, by_person=False)


def _rewrite(
    session: Transaction,
    record: TaskRecord,
    after: Item,
    setting: Setting,
    now: datetime,
    *,
    by: int | None = None,
) -> None:
    values = task_values(settled_task(canonical(after)), setting, record)
    calendar_rows.replace_task(session, record, values, now, by=by)
