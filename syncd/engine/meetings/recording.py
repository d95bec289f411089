"""Ended meetings become activities, exactly one an occurrence (R112, table T8).

All of it happens in the caller's transaction: what is known of an event and what becomes of it are one state
of the database, so that a record is made once, whoever else records, and however often.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from store import calendar_rows, meeting_rows, reporters
from store.activities import ActivityState, ActivityType, DurationSource
from store.calendar import ResponseKind
from store.calendar_rows import EventRecord, ParticipantRow
from store.database import Transaction
from store.meeting_rows import FOLLOWING, Actual, Draft, Recorded, Watched
from syncd.core.meetings.ended import Known, Rules, Verdict, fitting, is_withdrawn, minutes, paired, verdict
from syncd.engine.calendar.items import LONGEST_SUBJECT, item_of
from syncd.engine.meetings.look import Looked, Looking, Meeting, look, lost
from syncd.engine.meetings.twins import Fresh, Twins, unplaced, withdraw

Place = tuple[str, str]  # UID and place in the series


@dataclass(frozen=True, slots=True)
class Offer:
    """A form that is to be made: of a meeting, or of a call."""

    activity_id: int
    user_id: int | None  # whom it is for
    account_id: int | None
    opportunity_id: int | None
    subject: str
    start: datetime  # aware, as `end`
    end: datetime
    contacts: frozenset[int]
    participants: Sequence[ParticipantRow] = ()
    event_id: int | None = None
    number: str = ""  # of a call: the other side's


def _offer(activity_id: int, event_id: int, meeting: Meeting, draft: Draft) -> Offer:
    values = draft.values
    return Offer(activity_id, values["user_id"], values["account_id"], values["opportunity_id"],
                 values["subject"], draft.start, draft.end, draft.contacts, meeting.row.participants,
                 event_id)  # fmt: skip


@dataclass(slots=True)
class Recording:
    """What became of some events."""

    made: int = 0
    changed: int = 0
    offers: list[Offer] = field(default_factory=list)
    withdrawn: list[int] = field(default_factory=list)  # activities
    concealed: list[int] = field(default_factory=list)  # of these, those of what is private now
    handed_over: list[int] = field(default_factory=list)  # activities that somebody else reports on now
    followed: list[tuple[str, Offer]] = field(default_factory=list)  # with what the meeting was called before


class Recorder:
    """Records what is over."""

    def __init__(self, rules: Rules, past: timedelta, floating: ZoneInfo) -> None:
        self._rules = rules
        self._past = past
        self._floating = floating

    def record(self, session: Transaction, ids: Iterable[int], now: datetime) -> Recording:
        """Looks at these events, as they are at this moment of the transaction."""
        records = calendar_rows.events(session, ids)
        uids = [one.main.values["uid"] for one in records.values()]
        known = meeting_rows.recorded(session, uids)
        evidence = meeting_rows.evidence(session, uids)
        watched = meeting_rows.watched(session, records)
        how = Looking(self._past, self._rules, self._floating, reporters.active_users(session))
        done, seen = Recording(), []
        drafts: list[Fresh] = []
        strays: list[Recorded] = []  # which may be of meetings that their events have no more
        for id_, record in records.items():
            before = known.get(record.main.values["uid"], [])
            looked = look(record, now, how, known=bool(before))
            seen.append((id_, record.version, looked.due))
            seen_before = watched.get(id_)
            same = seen_before is not None and seen_before.version == record.version
            places = self._known(record, looked, before, seen_before)
            task = _Event(session, record, places, evidence, done, changed=not same)
            drafts += task.settle(looked, now, self._rules)
            if not same:
                strays += unplaced(looked, before)
            if seen_before is not None and seen_before.cancelled and record.main.values["hidden"]:
                task.cancel(before, now)
        starts = {draft.start for _, _, draft, _ in drafts} | {one.start for one in strays}
        twins = Twins(session, starts, self._floating)
        drafts, adopting = twins.adopted(drafts)
        for uid in sorted({one.uid for one in strays}):
            done.withdrawn += withdraw(session, twins.superfluous(uid), now)
        made = meeting_rows.insert(session, [draft for _, _, draft, _ in drafts], now)
        done.made += len(made)
        for activity, (event, meeting, draft, with_form) in zip(made, drafts, strict=True):
            if with_form:
                done.offers.append(_offer(activity, event, meeting, draft))
        # Who goes on with another's record is looked at again, as any event that has one.
        meeting_rows.watch(session, [one for one in seen if one[0] not in adopting], now)
        return done

    def _known(
        self, record: EventRecord, looked: Looked, before: Sequence[Recorded], seen: Watched | None
    ) -> Mapping[str, Recorded]:
        """The records by the keys of the occurrences that they belong to now."""
        by_key = {one.key: one for one in before}
        if seen is None or seen.version == record.version:
            return by_key
        held = [one.held for one in (*looked.ended, *looked.coming)]
        strange = frozenset(by_key) - {one.key for one in held}
        if not strange:
            return by_key
        item = item_of(record)
        first = item.main.timing.start
        first_key = "" if first is None or item.main.key else first.key()
        gone = lost(item, strange, self._floating)
        gone |= strange & {"" if item.main.timing.recurs else first_key}
        known = [_known(one) for key, one in by_key.items() if key not in strange - gone]
        pairs = paired(held, known, first_key, seen.looked_at)
        return {**by_key, **{mine: by_key[theirs] for mine, theirs in pairs.items()}}


@dataclass(frozen=True, slots=True)
class _Event:
    """One event, and what is known of it."""

    session: Transaction
    record: EventRecord
    known: Mapping[str, Recorded]
    evidence: Mapping[Place, Sequence[Actual]]
    done: Recording
    changed: bool  # since it was looked at last

    def settle(self, looked: Looked, now: datetime, rules: Rules) -> list[Fresh]:
        """Changes what was recorded before; returns what is to be recorded anew, and whether with a form."""
        fresh: list[Fresh] = []
        for meeting in (*looked.ended, *looked.coming):
            before = self.known.get(meeting.held.key)
            if before is None:
                decided = verdict(meeting.held, now, rules)
                if decided is not Verdict.NOTHING:
                    draft = self._draft(meeting, meeting.held.key)
                    fresh.append((self.record.id, meeting, draft, decided is Verdict.RECORD))
            elif not before.deleted:
                self._again(meeting, before, now, rules)
        return fresh

    def cancel(self, before: Sequence[Recorded], now: datetime) -> None:
        """A person cancelled the event in the CRM."""
        for one in before:
            if one.state is ActivityState.PENDING_REPORT and not one.withdrawn and not one.deleted:
                meeting_rows.withdraw(self.session, one.activity_id, now)
                self.done.withdrawn.append(one.activity_id)

    def _again(self, meeting: Meeting, before: Recorded, now: datetime, rules: Rules) -> None:
        held = meeting.held
        if before.withdrawn:
            decided = verdict(held, now, rules)
            if decided is not Verdict.NOTHING:
                draft = self._draft(meeting, before.key)
                meeting_rows.follow(self.session, before.activity_id, draft, now)
                self.done.made += 1
                if decided is Verdict.RECORD:
                    self.done.offers.append(_offer(before.activity_id, self.record.id, meeting, draft))
        elif before.state is ActivityState.VALIDATED:
            if before.key != held.key:
                meeting_rows.rekey(self.session, before.activity_id, held.key, held.start, held.end)
        elif is_withdrawn(held, _known(before), now, rules):
            meeting_rows.withdraw(self.session, before.activity_id, now, blank=held.private)
            self.done.withdrawn.append(before.activity_id)
            if held.private:
                self.done.concealed.append(before.activity_id)
        else:
            self._follow(meeting, before, now)

    def _follow(self, meeting: Meeting, before: Recorded, now: datetime) -> None:
        """What the event says now, as long as nobody has validated the record."""
        draft = self._draft(meeting, before.key)
        mine = {name: draft.values[name] for name in FOLLOWING}
        same = mine == before.values and (draft.contacts, draft.users) == (before.contacts, before.users)
        if not same:
            meeting_rows.follow(self.session, before.activity_id, draft, now)
            self.done.changed += 1
            if draft.values["user_id"] != before.values["user_id"]:
                self.done.handed_over.append(before.activity_id)
                self.done.offers.append(_offer(before.activity_id, self.record.id, meeting, draft))
                return
        elif (before.key, before.start, before.end) != (draft.key, draft.start, draft.end):
            meeting_rows.rekey(self.session, before.activity_id, draft.key, draft.start, draft.end)
        if self.changed:
            offer = _offer(before.activity_id, self.record.id, meeting, draft)
            self.done.followed.append((str(before.values["subject"]), offer))

    def _draft(self, meeting: Meeting, former_key: str) -> Draft:
        held, values = meeting.held, meeting.row.values
        uid = values["uid"]
        told = self.evidence.get((uid, held.key)) or self.evidence.get((uid, former_key)) or ()
        actual = meeting_rows.best(told, partial(fitting, held))
        start, end = (actual.start, actual.end) if actual else (held.start, held.end)
        people = meeting.row.participants
        users = {
            one.user_id
            for one in people
            if one.user_id is not None and one.response is not ResponseKind.DECLINED
        }
        return Draft(
            uid=uid,
            key=held.key,
            start=held.start,
            end=held.end,
            contacts=frozenset(one.contact_id for one in people if one.contact_id is not None),
            users=frozenset(users - {meeting.reporter}),
            values={
                "type": ActivityType.VIDEO_CALL,
                "type_id": values["type_id"] if values["type"] is ActivityType.VIDEO_CALL else None,
                "account_id": values["account_id"],
                "opportunity_id": values["opportunity_id"],
                "case_file_id": values["case_file_id"],
                "user_id": meeting.reporter,
                "occurred_at": start,
                "subject": values["subject"][:LONGEST_SUBJECT],
                "event_id": self.record.id,
                "duration_min": minutes(start, end),
                "duration_source": DurationSource.ACTUAL if actual else DurationSource.SCHEDULED,
            },
        )


def _known(one: Recorded) -> Known:
    return Known(one.key, one.start, one.end, pending=one.state is ActivityState.PENDING_REPORT)
