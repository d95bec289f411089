"""Contacts with everything that can refer to them, written straight into the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from store.accounts import Account, AccountType
from store.activities import Activity, ActivityContact, ActivityState, ActivityType
from store.calendar import (
    Event,
    EventParticipant,
    EventStatus,
    Origin,
    ParticipantKind,
    Privacy,
    ResponseKind,
    Task,
    TaskPurpose,
    TaskState,
)  # fmt: skip
from store.contacts import Contact, CreatedVia, Gender
from store.database import reserve_ids
from store.drafts import ContactDraft, DraftSource, DraftState
from store.mail import EmailDirection, EmailMatch, EmailMessage, MatchRule
from store.meetings import Grade, MeetingEvidence
from store.tables import METADATA
from store.users import User, UserRole

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STAMP = {"created_at": NOW, "updated_at": NOW, "version": 1}
# What a merge and its undo may change for good.
PASSING = frozenset({"version", "updated_at", "updated_by", "phone_landline_e164", "phone_mobile_e164"})
JOURNALS = frozenset({"audit_log", "contact_merge", "directory_state", "phone_form"})

State = dict[str, list[tuple[object, ...]]]


@dataclass
class People:
    """Writes rows; each method returns the id of what it made."""

    session: Session

    def _add(self, model: type, **values: object) -> int:
        (id_,) = reserve_ids(self.session, model, 1)
        self.session.execute(insert(model), [{"id": id_, **values}])
        return int(id_)

    def user(self, login: str) -> int:
        return self._add(User, login=login, last_name=login, first_name="", email=f"{login}@acme.example",
                         aliases=[], role=UserRole.STANDARD, active=True, **STAMP)  # fmt: skip

    def account(self, name: str) -> int:
        return self._add(Account, name=name, type=AccountType.CUSTOMER, created_on=NOW.date(), **STAMP)

    def contact(self, account: int, last_name: str = "Martin", **values: object) -> int:
        fresh = {"first_name": "", "gender": Gender.UNSPECIFIED, "created_via": CreatedVia.MANUAL, **STAMP}
        return self._add(Contact, account_id=account, last_name=last_name, **{**fresh, **values})

    def activity(
        self,
        contacts: Sequence[int],
        at: datetime = NOW,
        type_: ActivityType = ActivityType.CALL,
        state: ActivityState = ActivityState.VALIDATED,
        **values: object,
    ) -> int:
        text = {"subject": f"{type_.value} {at:%H:%M:%S}", "comments": ""}
        row = {"type": type_, "occurred_at": at, "automatic": True, "state": state, **text, **STAMP}
        id_ = self._add(Activity, **{**row, **values})
        links = [{"activity_id": id_, "contact_id": one} for one in contacts]
        if links:
            self.session.execute(insert(ActivityContact), links)
        return id_

    def mail(self, account: int, contacts: Sequence[int]) -> int:
        number = len(self.session.execute(select(EmailMessage.id)).all())
        nobody: list[str] = []
        id_ = self._add(
            EmailMessage, message_id=None, fingerprint=f"{number}", thread_key="t", date=NOW, subject="S",
            direction=EmailDirection.SENT, from_=nobody, to=nobody, cc=nobody, bcc=nobody, reply_to=nobody,
            in_reply_to=nobody, references=nobody, body_text="", body_html="", size=1, defects=nobody,
            **STAMP,
        )  # fmt: skip
        for one in contacts:
            self._add(EmailMatch, email_id=id_, account_id=account, contact_id=one, rule=MatchRule.CONTACT,
                      address=f"{one}@x.example")  # fmt: skip
        return id_

    def event(self, owner: int, contacts: Sequence[int], start: datetime = NOW, **values: object) -> int:
        number = len(self.session.execute(select(Event.id)).all())
        fresh: dict[str, object] = {
            "uid": f"e{number}", "subject": f"event {number}", "tz": "Europe/Paris", "all_day": False,
            "timing": {}, "type": ActivityType.MEETING, "privacy": Privacy.PUBLIC, "busy": True,
            "status": EventStatus.CONFIRMED, "origin": Origin.CRM, "editable": True, "recurrence_key": "",
            "zones": [], "alarms": [], "categories": [], "video_url": "", "notes": "", "internal_notes": "",
            "location": "", "organizer": "", "sequence": 0, "hidden": False,
        }  # fmt: skip
        times = {"start": start, "end": start + timedelta(hours=1)}
        id_ = self._add(Event, owner_id=owner, **{**fresh, **times, **STAMP, **values})
        for one in contacts:
            self._add(EventParticipant, event_id=id_, kind=ParticipantKind.CONTACT, contact_id=one,
                      email=f"{one}@x.example", response=ResponseKind.ACCEPTED, is_organizer=False,
                      attending=True, display_name="")  # fmt: skip
        return id_

    def task(self, owner: int, contact: int, due: date | None = None, **values: object) -> int:
        number = len(self.session.execute(select(Task.id)).all())
        fresh: dict[str, object] = {
            "uid": f"t{number}", "subject": f"task {number}", "timing": {}, "zones": [], "overrides": [],
            "notes": "", "block": "", "location": "", "alarms": [], "categories": [], "organizer": "",
            "privacy": Privacy.PUBLIC, "state": TaskState.OPEN, "purpose": TaskPurpose.USER,
            "origin": Origin.CRM, "hidden": False,
        }  # fmt: skip
        return self._add(
            Task, assignee_id=owner, contact_id=contact, due_date=due, **{**fresh, **STAMP, **values}
        )

    def draft(self, contact: int) -> int:
        nothing: dict[str, object] = {}
        row = {"source": DraftSource.PHONEBOOK, "state": DraftState.NEW, "raw": b"", "digest": "d",
               "parsed": nothing, "confidence": nothing, "missing": [], "problem": ""}  # fmt: skip
        return self._add(ContactDraft, contact_id=contact, **row, **STAMP)

    def report(self, present: Sequence[int], absent: Sequence[int], unplanned: Sequence[int]) -> int:
        number = len(self.session.execute(select(MeetingEvidence.id)).all())
        detail = {
            "present": [{"who": f"contact:{one}", "seconds": 60} for one in present],
            "absent": [f"contact:{one}" for one in absent],
            "unplanned": [
                {"name": "Z", "email": "", "seconds": 1},
                *({"who": f"contact:{one}", "seconds": 5} for one in unplanned),
            ],
        }
        return self._add(MeetingEvidence, uid=f"u{number}", recurrence_key="", grade=Grade.ATTENDANCE,
                         source="f", detail=detail, at=NOW)  # fmt: skip


def state(session: Session) -> State:
    """Every row of the CRM, but for journals and what only tells when it was written."""
    session.flush()
    found: State = {}
    for table in METADATA.sorted_tables:
        if table.name not in JOURNALS:
            columns = [one for one in table.columns if table.name != "contact" or one.name not in PASSING]
            rows = session.execute(select(*columns)).all()
            found[table.name] = sorted(tuple(map(repr, row)) for row in rows)
    return found
