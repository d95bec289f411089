"""Erasing a person everywhere (GDPR, article 17): one transaction, and the files that go with it.

Nothing is written to any mailbox or calendar, and nobody is mailed. A dry run does the same and takes it
back.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from store import (
    attendance_rows,
    call_rows,
    directory,
    erased,
    erasing,
    erasing_events,
    kept_contents,
    meeting_rows,
    report_forms,
    traces,
)
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.bindings import BoundEntity
from store.blobs import BlobStore
from store.database import Database, Transaction
from store.errors import Busy, Invalid, NotFound
from store.leases import Leases
from store.persons import Person, resolve
from store.tables import METADATA
from store.traces import Traces
from syncd.core.identity import KeyedHash
from syncd.engine.forget_calls import blank_copies
from syncd.engine.forget_calls import erase as erase_calls
from syncd.engine.phones import settle, settle_all

TRIES = 5
PATIENCE = timedelta(minutes=2)  # for a cycle that is at work on the same calendar
PAUSE = 0.2  # seconds between two looks whether it is over


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done. Tells nobody who it was, and proves it to whoever has the address and `hash.key`."""

    id: str
    at: datetime  # UTC
    by: str
    counts: Mapping[str, int]  # rows that went, or lost what referred to the person, by table
    cleaned: Mapping[str, int]  # rows of others whose texts named the person, by table
    files: int  # contents of attachments; those that other mail has too stay
    copies: int  # of events and tasks in calendars, which are left as they are
    notes: tuple[str, ...]
    proofs: tuple[str, ...]  # keyed hashes of the addresses and of the ids of the contacts
    again: bool = False  # done before: this is that receipt

    @property
    def something(self) -> bool:
        """Whether anything was stored."""
        return bool(self.counts or self.cleaned)


@dataclass(slots=True)
class _Work:
    """What one transaction has to do with."""

    person: Person
    traces: Traces
    mails: list[int]
    contents: set[str]
    events: set[int]
    tasks: set[int]
    mailboxes: set[str]
    counts: dict[str, int] = field(default_factory=dict)
    cleaned: dict[str, int] = field(default_factory=dict)
    copies: int = 0

    def count(self, done: Mapping[str, int]) -> None:
        """Adds up."""
        for name, number in done.items():
            self.counts[name] = self.counts.get(name, 0) + number


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who is to be erased, and by whom."""

    text: str
    id: str
    actor: Actor
    now: datetime
    before: Receipt | None  # it was done already


class Erasing:
    """Erases, for one installation."""

    def __init__(
        self, database: Database, blobs: BlobStore, hashed: KeyedHash, leases: Leases, country: str
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._hashed = hashed
        self._leases = leases
        self._country = country  # of telephone numbers that name none

    def preview(self, text: str, actor: Actor, now: datetime) -> Receipt:
        """What would go, by contact id or address. Raises NotFound, Invalid, Forbidden."""
        actor.require_admin("erase a person")
        with self._database.write() as session:
            self._lock(session)
            settle(session, self._country)
            receipt = self._do(session, self._look(session, text), "", actor, now)
            session.rollback()
        self._require(receipt, text)
        return receipt

    def carry_out(self, text: str, actor: Actor, now: datetime, *, id_: str) -> Receipt:
        """Erases the person. A kill at any point leaves everything or nothing, and doing it again ends the
        same. `id_` becomes the receipt's. Raises NotFound, Invalid, Busy, Forbidden."""
        actor.require_admin("erase a person")
        self._blobs.recover(self._referenced)
        before = self._before(text)
        settle_all(self._database, self._country)
        asked = _Asked(text, id_, actor, now, before)
        for _ in range(TRIES):
            with self._database.read() as session:
                try:
                    seen = self._look(session, text)
                except NotFound:
                    if before is None:
                        raise
                    erasing.empty_log(self._database)
                    return before
            done: list[Receipt] = []
            with self._held(seen.mailboxes):

                def commit(seen: _Work = seen, done: list[Receipt] = done) -> set[str]:
                    return self._commit(seen, asked, done)

                self._blobs.discard(seen.contents, commit)
            if done:
                erasing.empty_log(self._database)
                return done[0]
        raise Invalid("mail kept coming in: try again")

    def _commit(self, seen: _Work, asked: _Asked, done: list[Receipt]) -> set[str]:
        """The transaction; which of the contents are still needed. Nothing is `done` where more came in."""
        with self._database.write() as session:
            self._lock(session)
            work = self._look(session, asked.text)
            if not (work.contents <= seen.contents and work.mailboxes <= seen.mailboxes):
                return seen.contents
            receipt = self._do(session, work, asked.id, asked.actor, asked.now)
            if asked.before is not None and not receipt.something:
                done.append(asked.before)
                return kept_contents.referenced(session, seen.contents)
            self._require(receipt, asked.text)
            erasing.put_receipt(session, _row(receipt))
            done.append(receipt)
            return kept_contents.referenced(session, seen.contents)

    # --- looking --------------------------------------------------------------------------------

    def _lock(self, session: Transaction) -> None:
        erasing.overwrite(session)
        meeting_rows.alone(session)  # before any other lock
        directory.state(session, lock=True)  # no mail is logged meanwhile

    def _look(self, session: Transaction, text: str) -> _Work:
        person = resolve(session, text)
        if person.clashes:
            told = "; ".join(person.clashes)
            raise Invalid(
                f"it is not clear who is meant: {told}. Take it away there first, then do this again"
            )
        found = Traces(person.addresses, person.names, person.numbers)
        mails = erasing.mails_of(session, person)
        events = erasing_events.events_of(session, person) | erasing_events.whole(
            session, _named(session, "event", found)
        )
        tasks = erasing_events.tasks_of(session, person) | _named(session, "task", found)
        erasing_events.check_writes(session, events, tasks, found)
        boxes = erasing_events.mailboxes(session, events, tasks)
        return _Work(person, found, mails, kept_contents.contents(session, mails), events, tasks, boxes)

    def _require(self, receipt: Receipt, text: str) -> None:
        if not receipt.something:
            raise NotFound(f"nothing is stored of {text.strip()[:320]}")

    # --- doing ----------------------------------------------------------------------------------

    def _do(self, session: Transaction, work: _Work, id_: str, actor: Actor, now: datetime) -> Receipt:
        person = work.person
        self._mail(session, work)
        self._activities(session, work, now)
        work.count(erasing_events.leave(session, person))
        for contact in (*person.contacts, None):
            names = person.names if contact is None else ()
            number = attendance_rows.erase(session, person.addresses, contact, names)
            work.count({"meeting_evidence": number})
        work.count({"contact_draft": erasing.drop_drafts(session, person, work.traces)})
        work.count(erasing.drop_contacts(session, person))
        swept = traces.sweep(session, work.traces, METADATA.sorted_tables)
        work.cleaned = {name: len(keys) for name, keys in sorted(swept.items())}
        work.copies += erasing_events.detach(session, BoundEntity.EVENT, work.events, now)
        work.copies += erasing_events.detach(session, BoundEntity.TASK, work.tasks, now)
        directory.bump(session)
        proofs = [f"contact:{one}" for one in person.contacts] + sorted(person.addresses)
        return Receipt(
            id=id_,
            at=now,
            by=actor.login,
            counts={name: number for name, number in sorted(work.counts.items()) if number},
            cleaned=work.cleaned,
            files=len(work.contents - kept_contents.referenced(session, work.contents)),
            copies=work.copies,
            notes=person.shared,
            proofs=tuple(self._proof(id_, one) for one in proofs),
        )

    def _mail(self, session: Transaction, work: _Work) -> None:
        person = work.person
        erased.put_mails(session, map(self._hashed.erased, erasing.fingerprints(session, work.mails)))
        keys = [self._hashed.address(one) for one in person.addresses]
        found = erasing.places(session, work.mails, keys)
        known = [
            self._hashed.target(address, account, contact)
            for contact, account in erasing.accounts_of(session, person)
            for address in person.addresses
        ]
        work.count(erasing.close_ledger(session, found, known))
        work.count(erasing.drop_mails(session, work.mails))

    def _activities(self, session: Transaction, work: _Work, now: datetime) -> None:
        person = work.person
        calls = {id_ for one in person.contacts for id_ in call_rows.of_contact(session, one)}
        calls.update(call_rows.with_numbers(session, person.numbers))
        gone, facts = erasing.activities_of(session, person)
        gone = sorted({*gone, *calls})
        # Forms are the service's own: they go from every list, as they do when a call is deleted.
        forms = {one.task_id for one in report_forms.ever(session, gone) if one.task_id}
        work.tasks -= forms
        erase_calls(session, gone, now)
        blank_copies(session, forms)
        blanked, tasks = erasing.blank_reports(session, facts)
        work.tasks.update(tasks)
        work.count({"activity": len(gone), "meeting_report": blanked})
        work.count({"activity_contact": erasing.unlink_activities(session, person)})

    # --- around it ------------------------------------------------------------------------------

    def _proof(self, id_: str, what: str) -> str:
        return self._hashed.text(f"erased:{id_}:{what}")

    def _before(self, text: str) -> Receipt | None:
        """The receipt of an erasure of that contact or address, if there was one."""
        asked = text.strip().lower()
        name = asked if "@" in asked else f"contact:{asked}"
        with self._database.read() as session:
            for kept in erasing.receipts(session):
                if self._proof(kept["receipt"], name) in kept["proofs"]:
                    return _read(kept)
        return None

    def _referenced(self, hashes: Iterable[str]) -> set[str]:
        with self._database.read() as session:
            return kept_contents.referenced(session, hashes)

    @contextmanager
    def _held(self, names: set[str]) -> Iterator[None]:
        """No cycle works on these mailboxes meanwhile. Raises Busy if one does not end."""
        end = time.monotonic() + PATIENCE.total_seconds()
        with ExitStack() as stack:
            for name in sorted(names):
                while True:
                    try:
                        stack.enter_context(self._leases.lease(name))
                        break
                    except Busy:
                        if time.monotonic() > end:
                            raise
                        time.sleep(PAUSE)
            yield


def _named(session: Transaction, table: str, found: Traces) -> set[int]:
    """The events or tasks whose texts name the person."""
    here = METADATA.tables[table]
    rows = (row for page in traces.found(session, here, found) for row in page)
    return {int(row["id"]) for row in rows if traces.cleaned(here, row, found)}


def _row(receipt: Receipt) -> AuditLog:
    kept = {"receipt": receipt.id, "counts": dict(receipt.counts),
            "cleaned": dict(receipt.cleaned), "files": receipt.files,
            "copies": receipt.copies, "notes": list(receipt.notes), "proofs": list(receipt.proofs),
            "at": receipt.at.isoformat(), "by": receipt.by}  # fmt: skip
    return AuditLog(
        at=receipt.at, actor=receipt.by, entity="person", entity_id=None, change=kept, channel=Channel.CLI
    )


def _read(kept: Mapping[str, Any]) -> Receipt:
    return Receipt(
        id=kept["receipt"],
        at=datetime.fromisoformat(kept["at"]),
        by=kept["by"],
        counts=kept["counts"],
        cleaned=kept["cleaned"],
        files=kept["files"],
        copies=kept["copies"],
        notes=tuple(kept["notes"]),
        proofs=tuple(kept["proofs"]),
        again=True,
    )
