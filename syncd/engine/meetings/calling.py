"""Call records become activities of type CALL, each once, and the user who talked is asked for a report
(R046, R047).

A call is known by its unique id. Who it was with is told by the number alone: one that several people have
names their account if they share one, and nobody otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

import structlog

from connectors.calls.model import CallRecord, Switchboard
from connectors.calls.reading import read
from connectors.errors import BadFile
from store import call_rows, meeting_rows
from store.activities import ActivityState, CallDirection, DurationSource
from store.call_rows import CallDraft, Numbers
from store.database import Database, Transaction
from store.ledger import chunked
from syncd.core.calls import PhoneBook, international, phone_book
from syncd.engine.calendar.people import People
from syncd.engine.meetings import texts
from syncd.engine.meetings.dropping import Enough, Unfinished
from syncd.engine.meetings.forms import FormRules, Forms
from syncd.engine.meetings.recording import Offer
from syncd.engine.meetings.telling import SKEW

log: structlog.stdlib.BoundLogger = structlog.get_logger()

CHUNK = 500  # calls of one transaction: nobody else writes to SQLite meanwhile
LONGEST_ID = 100  # characters of a call's id that are kept as they are
LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class CallRules:
    """The `[calls]` section, as the engine wants it."""

    switchboard: Switchboard
    lines: Mapping[str, str]  # logins by number
    country: str  # of numbers that name none
    record_unlinked: bool
    lookback: timedelta  # who talked longer ago is not asked
    language: str


@dataclass(slots=True)
class Calls:
    """What became of a file."""

    made: int = 0
    known: int = 0  # recorded before
    unlinked: int = 0  # with numbers of nobody: left out
    offered: int = 0  # forms
    without_number: tuple[int, ...] = ()  # lines of the file


@dataclass(frozen=True, slots=True)
class _Book:
    """Whose numbers they are."""

    book: PhoneBook
    entries: Sequence[Numbers]
    users: Mapping[str, int]  # by login


class Calling:
    """Takes call records in."""

    kind = "calls"

    def __init__(
        self, database: Database, people: Callable[[], People], rules: CallRules, forms: FormRules
    ) -> None:
        self._database = database
        self._people = people
        self._rules = rules
        self._forms = forms
        self._lines = {international(line, rules.country): login for line, login in rules.lines.items()}

    def take(self, content: bytes, file: str, now: datetime, enough: Enough) -> str:
        """Records the calls of a file. Raises BadFile, StoreError, Unfinished."""
        done = self.record(content, file, now, enough=enough)
        log.info("calls recorded", action=self.kind, made=done.made, known=done.known, offered=done.offered,
                 unlinked=done.unlinked)  # fmt: skip
        return ""

    def record(
        self,
        content: bytes,
        file: str,
        now: datetime,
        *,
        dry_run: bool = False,
        enough: Enough = lambda _: False,
    ) -> Calls:
        """The same, and what became of them; `dry_run` writes nothing."""
        found = read(content, file, self._rules.switchboard)
        for one in found.records:
            if one.started > now + SKEW:
                at = one.started.astimezone(self._rules.switchboard.zone)
                raise BadFile(
                    f"has a call that is still to come, at {at:%Y-%m-%d %H:%M}: set timezone or dates in"
                    " [calls] of the config, and drop the file again",
                    locator=file,
                )
        done = Calls(without_number=found.without_number)
        if not found.records:
            return done
        with self._database.read() as session:
            entries = call_rows.numbers(session)
            users = call_rows.active_users(session)
        by_number = phone_book(((n, one.numbers) for n, one in enumerate(entries)), self._rules.country)
        book, forms = _Book(by_number, entries, users), Forms(self._forms, self._people())
        for number, part in enumerate(chunked(found.records, CHUNK)):
            if number and enough(done.made > 0):  # those that are recorded are known the next time
                raise Unfinished
            with self._database.write() as session:
                meeting_rows.alone(session)
                self._record(session, part, (book, forms), now, done)
                if dry_run:
                    session.rollback()
        return done

    def _record(
        self,
        session: Transaction,
        records: Sequence[CallRecord],
        means: tuple[_Book, Forms],
        now: datetime,
        done: Calls,
    ) -> None:
        book, forms = means
        ids = [_ext_id(one) for one in records]
        before = call_rows.known(session, ids)
        fresh: list[tuple[CallRecord, CallDraft]] = []
        for id_, one in zip(ids, records, strict=True):
            if id_ in before:
                done.known += 1
                continue
            draft = self._draft(id_, one, book)
            if draft is None:
                done.unlinked += 1
            else:
                fresh.append((one, draft))
        made = call_rows.insert(session, [draft for _, draft in fresh], now)
        done.made += len(made)
        offers = [
            _offer(activity, one, draft)
            for activity, (one, draft) in zip(made, fresh, strict=True)
            if draft.state is ActivityState.PENDING_REPORT
            and draft.values["account_id"] is not None
            and _end(one) >= now - self._rules.lookback
        ]
        done.offered += forms.offer(session, offers, now)

    def _draft(self, ext_id: str, one: CallRecord, book: _Book) -> CallDraft | None:
        """What a call is recorded as; None where it is with nobody the CRM knows."""
        account, contact, name = _whose(book, one.number)
        if account is None and not self._rules.record_unlinked:
            return None
        number = international(one.number, self._rules.country) or one.number
        direction = CallDirection[one.direction.name]
        subject = texts.call_of(name or number, direction, self._rules.language, answered=one.answered)
        return CallDraft(
            ext_id=ext_id,
            contact_id=contact,
            # Of a call that nobody answered there is nothing to report.
            state=ActivityState.PENDING_REPORT if one.answered else ActivityState.VALIDATED,
            values={
                "account_id": account,
                "user_id": self._user(one.extension, book.users),
                "occurred_at": one.started,
                "subject": subject[:LONGEST_SUBJECT],
                "duration_min": max(1, round(one.seconds / 60)) if one.answered else 0,
                "duration_source": DurationSource.ACTUAL,
                "call_direction": direction,
                "call_number": number,
            },
        )

    def _user(self, extension: str, users: Mapping[str, int]) -> int | None:
        """Whose telephone it was."""
        login = self._rules.lines.get(extension)
        if login is None and (number := international(extension, self._rules.country)):
            login = self._lines.get(number)
        return None if login is None else users.get(login)


def _whose(book: _Book, number: str) -> tuple[int | None, int | None, str]:
    """The account, the contact and a name. A contact goes before the account of the same number."""
    found = [book.entries[n] for n in book.book.whose(number)]
    if len({one.account_id for one in found}) != 1:
        return None, None, ""
    contacts = [one for one in found if one.contact_id is not None]
    own = [one for one in found if one.contact_id is None]
    best = contacts[0] if len(contacts) == 1 else own[0] if own else None
    if best is None:  # several people of one account share it
        return found[0].account_id, None, ", ".join(one.name for one in contacts)
    return best.account_id, best.contact_id, best.name


def _offer(activity_id: int, one: CallRecord, draft: CallDraft) -> Offer:
    values = draft.values
    return Offer(
        activity_id=activity_id,
        user_id=values["user_id"],
        account_id=values["account_id"],
        opportunity_id=None,
        subject=values["subject"],
        start=one.started,
        end=_end(one),
        contacts=frozenset() if draft.contact_id is None else frozenset({draft.contact_id}),
        number=values["call_number"],
    )


def _end(one: CallRecord) -> datetime:
    return one.started + timedelta(seconds=one.seconds)


def _ext_id(one: CallRecord) -> str:
    """The same whenever the call is read again, in the room that the column has."""
    unique = one.unique_id
    if len(unique) > LONGEST_ID:
        unique = "h:" + blake2b(unique.encode("utf-8", "replace"), digest_size=20).hexdigest()
    return f"call:{unique}"
