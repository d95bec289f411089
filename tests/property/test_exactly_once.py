"""Whatever happens to two mailboxes: once it is quiet, every message is accounted for and logged once.

Hypothesis delivers copies, moves and deletes them, numbers folders anew, adds and removes contacts, lets
any call fail and lets one mailbox's cycle run in the middle of another's. Then the faults end, and what is
there must be what a fresh installation makes of the same mailboxes.
"""

import logging
import os
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, event, text

from connectors.errors import CollectionError, CollectionRefused, RateLimited, SyncdError, Unreachable
from connectors.protocol import MailConnector
from connectors.testing import MemoryMailbox, MemoryMailConnector
from store import directory
from store.accounts import Account, AccountType
from store.blobs import BlobStore
from store.contacts import Contact, CreatedVia, Gender
from store.database import Database
from store.leases import Leases
from store.mailboxes import MailboxRow, UserRow, apply_config
from store.users import UserRole
from syncd.core.identity import KeyedHash
from syncd.core.matching import Policy, Verdict
from syncd.engine import mail as engine_mail
from syncd.engine.content import Limits
from syncd.engine.mail import MailRules, MailSync
from syncd.engine.report import CycleReport
from syncd.engine.supervise import Heartbeat, Supervisor
from tests.servers.world import NOW, PDF, mail

LOGINS = ("claire", "denis")
FOLDERS = ("INBOX", "Sent")
SECRET = b"the secret of a test installation"
CLAIRE, DENIS = (f"{login}@acme.example" for login in LOGINS)
CONTACTS = ("paul@client.example", "paula@client.example", "martha@other.example")
PAUL, PAULA, MARTHA = CONTACTS

# What goes round: contacts' mail and strangers', to one user and to both, with and without a Message-ID.
MESSAGES = (
    mail(1, PAUL, [CLAIRE, DENIS], "À vous deux", attachments={"devis.pdf": PDF}),
    mail(2, CLAIRE, [PAUL, MARTHA], "Réponse", reply_to=["1"], attachments={"devis.pdf": PDF}),
    mail(3, MARTHA, DENIS, "Re: Réponse", reply_to=["1", "2"], attachments={"b.pdf": PDF + b"3"}),
    mail(4, PAULA, CLAIRE, "Sans identifiant", message_id="", attachments={"c.pdf": PDF + b"4"}),
    mail(5, "someone@stranger.example", CLAIRE, "Inconnu", attachments={"d.pdf": PDF + b"5"}),
    mail(6, CLAIRE, DENIS, "Entre nous"),
    mail(7, PAULA, DENIS, "Vieux", at=NOW - timedelta(days=4000)),
    # The same Message-ID, date, sender and subject with another attachment: a list took one out.
    mail(8, MARTHA, CLAIRE, "Pièces", attachments={"e.pdf": PDF + b"6", "f.pdf": PDF + b"7"}),
    mail(8, MARTHA, CLAIRE, "Pièces", attachments={"e.pdf": PDF + b"8"}),
    # The same Message-ID with another subject is another message.
    mail(1, PAUL, CLAIRE, "Un autre", attachments={"g.pdf": PDF + b"9"}),
    b"\r\n",
)
# By table T5: the contacts whose mail it is, by their number above; else the verdict.
WHOSE = {0: {PAUL}, 1: {PAUL, MARTHA}, 2: {MARTHA}, 3: {PAULA}, 7: {MARTHA}, 8: {MARTHA}, 9: {PAUL}}
OTHERWISE = {4: 2, 5: 3, 6: 6, 10: 2}
EXAMPLES, ROUNDS = 15, 30  # two rounds at least, and until everything has happened
ARRIVING = st.lists(
    st.tuples(st.sampled_from(FOLDERS), st.integers(0, len(MESSAGES) - 1)), min_size=1, max_size=6
)

Rows = list[tuple[object, ...]]

TABLES = {
    "email": 'SELECT fingerprint, message_id, direction, "from", "to", cc, subject, body_text, date '
    "FROM email_message",
    "attachment": "SELECT e.fingerprint, a.position, a.name, a.size, a.sha256, a.path "
    "FROM email_attachment a JOIN email_message e ON e.id = a.email_id",
    "holder": 'SELECT e.fingerprint, u.login FROM email_user x JOIN "user" u ON u.id = x.user_id '
    "JOIN email_message e ON e.id = x.email_id",
    "match": "SELECT e.fingerprint, a.name, c.email, m.rule, m.address FROM email_match m "
    "JOIN email_message e ON e.id = m.email_id JOIN account a ON a.id = m.account_id "
    "LEFT JOIN contact c ON c.id = m.contact_id",
    "activity": "SELECT e.fingerprint, a.name, t.occurred_at, t.subject, t.automatic FROM activity t "
    "JOIN email_message e ON e.id = t.email_id JOIN account a ON a.id = t.account_id",
    "person": "SELECT e.fingerprint, a.name, c.email FROM activity_contact x JOIN activity t "
    "ON t.id = x.activity_id JOIN email_message e ON e.id = t.email_id "
    "JOIN account a ON a.id = t.account_id JOIN contact c ON c.id = x.contact_id",
}
VERDICTS = (
    "SELECT m.name, c.remote_ref, v.uid, v.verdict, v.reason, e.fingerprint FROM verdict v "
    "JOIN collection c ON c.id = v.collection_id JOIN mailbox m ON m.id = c.mailbox_id "
    "LEFT JOIN email_message e ON e.id = v.email_id"
)
EVERYTHING = (
    "email_message", "email_attachment", "email_user", "email_match", "activity", "activity_contact",
    "verdict", "verdict_key", "rematch", "quarantine", "collection", "mailbox", "known_key",
    "directory_state", "run",
)  # fmt: skip


class Office:
    """One installation, with its own database and files, on mailboxes in memory."""

    def __init__(
        self,
        folder: Path,
        template: Path,
        mailboxes: dict[str, MemoryMailbox],
        *,
        follow_threads: bool = False,
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.mailboxes = mailboxes
        shutil.copyfile(template, folder / "crm.db")
        self.database = Database(f"sqlite:///{folder / 'crm.db'}")
        (folder / "seen").mkdir()
        self.blobs = BlobStore(folder / "attachments")
        policy = Policy(since=datetime(2026, 1, 1, tzinfo=UTC), follow_threads=follow_threads)
        rules = MailRules(lambda _now: policy, "policy", Limits(10**6, 10))
        self.supervisor = Supervisor(
            database=self.database,
            leases=Leases(self.database, folder / "locks"),
            mail=MailSync(self.database, self.blobs, KeyedHash(SECRET), rules),
            connections=self,
            heartbeat=Heartbeat(folder / "seen"),
            credentials=lambda _name: "",
            folders=lambda _name: None,
            wants_mail=lambda _name: True,
            on_stop=lambda _name: None,
        )
        users = [
            UserRow(n, n.title(), f"{n}@acme.example", (), UserRole.STANDARD, None, None) for n in LOGINS
        ]
        boxes = [
            MailboxRow(n, n, n, "corp", sync_mail=True, sync_calendar=False, direction="BOTH") for n in LOGINS
        ]
        with self.database.write() as session:
            apply_config(session, users, boxes, NOW)
            for name in ("client", "other"):
                row = Account(name=name, type=AccountType.CUSTOMER, created_on=NOW.date(), created_at=NOW)
                row.updated_at = NOW
                session.add(row)
            directory.bump(session)

    # Connections, for the supervisor: a new one for each cycle.

    @contextmanager
    def use(self, mailbox: str, *, fresh: bool = False) -> Iterator[MailConnector]:
        with MemoryMailConnector(self.mailboxes[mailbox]) as connector:
            yield connector

    def is_kept(self, mailbox: str) -> bool:
        return False

    def forget(self, mailbox: str) -> None:
        """Nothing is kept."""

    def cycle(self, login: str, *, quarantined: bool = False) -> CycleReport:
        return self.supervisor.run(login, lambda: NOW, quarantined=quarantined)

    def add_contact(self, email: str) -> None:
        """The contact is there (again)."""
        with self.database.write() as session:
            known = session.query(Contact).filter(Contact.email == email).one_or_none()
            if known is None:
                owner = session.query(Account).filter(Account.name == _account(email)).one()
                known = Contact(
                    account_id=owner.id,
                    last_name=email,
                    first_name="",
                    email=email,
                    gender=Gender.UNSPECIFIED,
                    created_via=CreatedVia.MANUAL,
                    created_at=NOW,
                    updated_at=NOW,
                )
                session.add(known)
            known.deleted_at = None
            directory.bump(session)

    def remove_contact(self, email: str) -> None:
        with self.database.write() as session:
            session.query(Contact).filter(Contact.email == email).one().deleted_at = NOW
            directory.bump(session)

    def rows(self, sql: str) -> Rows:
        with self.database.read() as session:
            return sorted((tuple(row) for row in session.execute(text(sql))), key=repr)

    def everything(self) -> dict[str, Rows]:
        return {name: self.rows(f'SELECT * FROM "{name}"') for name in EVERYTHING}

    def files(self) -> set[str]:
        return {path.name for path in (self.folder / "attachments").rglob("*") if path.is_file()}

    def threads(self) -> set[frozenset[object]]:
        """The e-mails of each thread."""
        found: dict[object, set[object]] = defaultdict(set)
        for key, fingerprint in self.rows("SELECT thread_key, fingerprint FROM email_message"):
            found[key].add(fingerprint)
        return {frozenset(one) for one in found.values()}

    def close(self) -> None:
        self.database.close()


def _account(email: str) -> str:
    """The name of the account that the contact belongs to."""
    return email.partition("@")[2].removesuffix(".example")


def make_error(kind: str) -> SyncdError:
    if kind == "folder":
        return CollectionError("the folder cannot be read just now", collection="")
    if kind == "refused":
        return CollectionRefused("the folder is refused just now", collection="")
    if kind == "limited":
        return RateLimited("wait", retry_after=timedelta(seconds=1))
    return Unreachable("the connection broke")


def number_anew(mailbox: MemoryMailbox, ref: str) -> None:
    """A new epoch, in which the UIDs are the same and each means another message."""
    mailbox.change_epoch(ref, shift=0)
    folder = mailbox._folders[ref]
    uids = sorted(folder.messages)
    folder.messages = dict(zip(uids, [folder.messages[uid] for uid in reversed(uids)], strict=True))


class Machine(RuleBasedStateMachine):
    """Two users with two folders each."""

    template: Path
    top: Path
    done: Counter[str]  # over all examples: what really occurred
    numbers = count()

    def __init__(self) -> None:
        super().__init__()
        self.mailboxes = {login: MemoryMailbox(login) for login in LOGINS}
        self.place = self.top / str(next(self.numbers))
        self.office = Office(self.place / "lived", self.template, self.mailboxes)
        self.contacts: set[str] = set()
        self.lost = False  # whether anything was deleted: then the CRM may know more than the mailboxes
        self.depth = 0

    def teardown(self) -> None:
        try:
            self.quiet()
        finally:
            self.office.close()
            shutil.rmtree(self.place)

    # --- what people and servers do -------------------------------------------------------------

    def deliver(self, login: str, ref: str, number: int) -> None:
        hop = f"Received: from relay{number % 3}.example\r\n".encode() if MESSAGES[number].strip() else b""
        self.mailboxes[login].deliver(ref, hop + MESSAGES[number], received_at=NOW)
        self.done["deliver"] += 1

    def some_uid(self, login: str, ref: str, number: int) -> int | None:
        uids = sorted(self.mailboxes[login]._folders[ref].messages)
        return uids[number % len(uids)] if uids else None

    def expunge(self, login: str, ref: str, number: int) -> None:
        uid = self.some_uid(login, ref, number)
        if uid is not None:
            self.mailboxes[login].expunge(ref, uid)
            self.lost = True
            self.done["expunge"] += 1

    def change_epoch(self, login: str, ref: str) -> None:
        number_anew(self.mailboxes[login], ref)
        self.done["epoch"] += 1

    def add_contact(self, email: str) -> None:
        self.office.add_contact(email)
        self.contacts.add(email)
        self.done["contact added"] += 1

    def arrive(self, login: str, arriving: list[tuple[str, int]]) -> None:
        for ref, number in arriving:
            self.deliver(login, ref, number)

    @initialize(emails=st.sets(st.sampled_from(CONTACTS)))
    def some_contacts_are_there(self, emails: set[str]) -> None:
        for email in sorted(emails):
            self.add_contact(email)

    @rule(login=st.sampled_from(LOGINS), arriving=ARRIVING)
    def some_arrive(self, login: str, arriving: list[tuple[str, int]]) -> None:
        self.arrive(login, arriving)

    @rule(login=st.sampled_from(LOGINS), ref=st.sampled_from(FOLDERS), number=st.integers(0, 9))
    def one_goes(self, login: str, ref: str, number: int) -> None:
        self.expunge(login, ref, number)

    @rule(login=st.sampled_from(LOGINS), ref=st.sampled_from(FOLDERS), number=st.integers(0, 9))
    def one_is_moved(self, login: str, ref: str, number: int) -> None:
        uid = self.some_uid(login, ref, number)
        if uid is not None:
            moved = self.mailboxes[login]._folders[ref].messages[uid]
            self.mailboxes[login].expunge(ref, uid)
            self.mailboxes[login].deliver("Sent" if ref == "INBOX" else "INBOX", moved.raw, received_at=NOW)
            self.lost = True  # if it was private or withheld before, or a verdict of its own
            self.done["move"] += 1

    @rule(login=st.sampled_from(LOGINS), ref=st.sampled_from(FOLDERS))
    def a_folder_is_numbered_anew(self, login: str, ref: str) -> None:
        self.change_epoch(login, ref)

    @rule(login=st.sampled_from(LOGINS), ref=st.sampled_from(FOLDERS), refused=st.booleans())
    def a_folder_is_refused_or_not(self, login: str, ref: str, refused: bool) -> None:
        self.mailboxes[login].refuse_folder(ref, refused=refused)

    @rule(
        login=st.sampled_from(LOGINS),
        ref=st.sampled_from(FOLDERS),
        number=st.integers(0, 9),
        how=st.sampled_from(["withhold", "break", "heal"]),
    )
    def one_cannot_be_read(self, login: str, ref: str, number: int, how: str) -> None:
        uid = self.some_uid(login, ref, number)
        if uid is not None:
            stored = self.mailboxes[login]._folders[ref].messages[uid]
            stored.withheld, stored.broken = how == "withhold", how == "break"
            self.done[how] += 1

    @rule(email=st.sampled_from(CONTACTS))
    def a_contact_is_made(self, email: str) -> None:
        self.add_contact(email)

    @precondition(lambda self: self.contacts)
    @rule(number=st.integers(0, 2))
    def a_contact_is_deleted(self, number: int) -> None:
        email = sorted(self.contacts)[number % len(self.contacts)]
        self.office.remove_contact(email)
        self.contacts.remove(email)
        self.lost = True
        self.done["contact removed"] += 1

    # --- what the service does, what goes wrong, and what happens meanwhile -----------------------

    @rule(login=st.sampled_from(LOGINS), quarantined=st.booleans())
    def a_cycle(self, login: str, quarantined: bool) -> None:
        self.cycle(login, quarantined=quarantined)

    @rule(
        login=st.sampled_from(LOGINS),
        arriving=ARRIVING,
        call=st.sampled_from(["connect", "folders", "state", "uids", "heads", "heads", "bodies", "bodies"]),
        nth=st.integers(1, 3),
        after=st.integers(0, 3),
        kind=st.sampled_from(["gone", "gone", "folder", "refused", "limited"]),
    )
    def a_cycle_in_which_a_call_fails(
        self, login: str, arriving: list[tuple[str, int]], call: str, nth: int, after: int, kind: str
    ) -> None:
        self.arrive(login, arriving)
        make = partial(make_error, "gone" if call in {"connect", "folders"} else kind)
        self.mailboxes[login].fail(call, make, nth=1 if call in {"connect", "folders"} else nth, after=after)
        self.done[f"fault {call}"] += 1
        self.cycle(login)

    @rule(
        login=st.sampled_from(LOGINS),
        arriving=ARRIVING,
        call=st.sampled_from(["state", "uids", "heads", "bodies", "bodies"]),
        nth=st.integers(1, 3),
        what=st.sampled_from(["vanish", "arrive", "epoch", "contact", "other cycle"]),
        ref=st.sampled_from(FOLDERS),
        number=st.integers(0, 9),
    )
    def a_cycle_in_which_something_happens(
        self,
        login: str,
        arriving: list[tuple[str, int]],
        call: str,
        nth: int,
        what: str,
        ref: str,
        number: int,
    ) -> None:
        other = LOGINS[1 - LOGINS.index(login)]
        actions: dict[str, Callable[[], object]] = {
            "vanish": lambda: self.expunge(login, ref, number),
            "arrive": lambda: self.deliver(login, ref, number),
            "epoch": lambda: self.change_epoch(login, ref),
            "contact": lambda: self.add_contact(CONTACTS[number % 3]),
            "other cycle": lambda: self.cycle(other),
        }

        def act() -> None:
            self.done[f"meanwhile {what}"] += 1
            actions[what]()

        self.arrive(login, arriving)
        self.arrive(other, arriving[:2])
        self.mailboxes[login].before(call, act, nth=nth)
        self.cycle(login)

    def cycle(self, login: str, *, quarantined: bool = False) -> CycleReport:
        report = self.office.cycle(login, quarantined=quarantined)
        self.done["cycle"] += 1
        self.done["broken off"] += report.error is not None
        self.done["after a commit"] += report.error is not None and report.pulled > 0
        self.done["folder failed"] += bool(report.folder_errors)
        self.done["left alone"] += report.skipped is not None
        for verdict in report.verdicts:
            self.done[verdict.name] += 1
        return report

    # --- what must hold -------------------------------------------------------------------------

    @invariant()
    def nothing_is_there_twice_and_no_file_is_missing(self) -> None:
        assert self.office.rows("SELECT email_id, account_id FROM activity") == sorted(
            set(self.office.rows("SELECT email_id, account_id FROM activity")), key=repr
        )
        assert not self.office.rows(
            "SELECT 1 FROM activity t LEFT JOIN email_message e ON e.id = t.email_id WHERE e.id IS NULL"
        )
        assert {
            sha for (sha,) in self.office.rows("SELECT sha256 FROM email_attachment")
        } <= self.office.files()

    def unreadable(self) -> set[tuple[object, ...]]:
        """Where a message lies that the server does not give (any more)."""
        return {
            (login, ref, uid)
            for login, mailbox in self.mailboxes.items()
            for ref in FOLDERS
            for uid, stored in mailbox._folders[ref].messages.items()
            if stored.withheld or stored.broken
        }

    def quiet(self) -> None:
        for mailbox in self.mailboxes.values():
            mailbox._faults.clear()
            mailbox._hooks.clear()
            for ref in FOLDERS:
                mailbox.refuse_folder(ref, refused=False)
        for quarantined in (False, True, False):
            for login in LOGINS:
                report = self.cycle(login, quarantined=quarantined)
                assert (report.error, report.folder_errors, report.skipped) == (None, {}, None)
        self.the_next_cycle_writes_nothing()
        self.every_message_has_its_verdict()
        assert self.office.files() == {
            sha for (sha,) in self.office.rows("SELECT sha256 FROM email_attachment")
        }
        fresh = Office(self.place / "fresh", self.template, self.mailboxes)
        try:
            for email in sorted(self.contacts):
                fresh.add_contact(email)
            for quarantined in (False, True):
                for login in LOGINS:
                    fresh.cycle(login, quarantined=quarantined)
            self.it_is_what_a_fresh_installation_sees(fresh)
        finally:
            fresh.close()

    def the_next_cycle_writes_nothing(self) -> None:
        before = self.office.everything()
        for login in LOGINS:
            assert not self.office.cycle(login).wrote
        assert self.office.everything() == before
        assert before["rematch"] == []

    def every_message_has_its_verdict(self) -> None:
        rows = self.office.rows(VERDICTS)
        judged = {(login, ref, uid): (kind, print_) for login, ref, uid, kind, _, print_ in rows}
        accounts: dict[object, set[object]] = defaultdict(set)
        for print_, account, *_ in self.office.rows(TABLES["activity"]):
            accounts[print_].add(account)
        for login, mailbox in self.mailboxes.items():
            for ref in FOLDERS:
                for uid, stored in mailbox._folders[ref].messages.items():
                    assert (login, ref, uid) in judged, f"{login} {ref} {uid} has no verdict"
                    kind, print_ = judged[login, ref, uid]
                    if stored.withheld or stored.broken:
                        continue
                    number = next(n for n, raw in enumerate(MESSAGES) if stored.raw.endswith(raw))
                    wanted = {_account(one) for one in WHOSE.get(number, set()) & self.contacts}
                    if wanted:
                        assert (kind, accounts[print_] >= wanted) == (1, True)
                    elif kind != 1:  # logged before the contact was removed
                        assert kind == OTHERWISE.get(number, 2)
                    if not self.lost:
                        assert accounts[print_] == wanted
        lying = {(login, ref, int(str(uid))) for login, ref, uid in self.office.rows(
            "SELECT m.name, c.remote_ref, q.remote_ref FROM quarantine q JOIN collection c "
            "ON c.id = q.collection_id JOIN mailbox m ON m.id = c.mailbox_id")}  # fmt: skip
        listed = {
            (login, ref, uid)
            for login, mailbox in self.mailboxes.items()
            for ref in FOLDERS
            for uid in mailbox._folders[ref].messages
        }
        assert lying == {place for place, (kind, _) in judged.items() if kind == 7 and place in listed}

    def it_is_what_a_fresh_installation_sees(self, fresh: Office) -> None:
        unreadable = self.unreadable()
        self.lost |= bool(unreadable)
        for name, sql in TABLES.items():
            lived, expected = self.office.rows(sql), fresh.rows(sql)
            if name in {"attachment", "email"}:  # of two copies that differ, the first one is kept
                lived, expected = _without_copies(lived), _without_copies(expected)
            assert not Counter(expected) - Counter(lived), f"{name} lacks what a fresh installation has"
            if not self.lost:
                assert lived == expected, f"{name} has what a fresh installation has not"
        listed = {row[:3] for row in fresh.rows(VERDICTS)}
        before = [row for row in self.office.rows(VERDICTS) if row[:3] in listed]
        for row, wanted in zip(before, fresh.rows(VERDICTS), strict=True):
            stays = self.lost and row[3] == 1  # logged before the contact was removed
            assert row == wanted or stays or row[:3] in unreadable, f"{row} is not {wanted}"
        threads = self.office.threads()
        for thread in fresh.threads():
            assert any(thread <= one for one in threads), "a thread was torn apart"
        if not self.lost:
            assert threads == fresh.threads()
        self.done["compared in full"] += not self.lost


def _without_copies(rows: Rows) -> Rows:
    return [row for row in rows if "e.pdf" not in row and "f.pdf" not in row and "Pièces" not in row]


KINDS = {
    "deliver", "expunge", "move", "epoch", "contact added", "contact removed", "withhold", "break", "heal",
    "fault connect", "fault folders", "fault state", "fault uids", "fault heads", "fault bodies",
    "meanwhile vanish", "meanwhile arrive", "meanwhile epoch", "meanwhile contact", "meanwhile other cycle",
    "cycle", "broken off", "after a commit", "folder failed", "compared in full",
    *(verdict.name for verdict in Verdict if verdict not in {Verdict.EXCLUDED, Verdict.PRIVATE}),
}  # fmt: skip


def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is waited for and nothing printed: no process is killed here, and there are many cycles."""

    def careless(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    monkeypatch.setattr(os, "fsync", lambda _handle: None)
    event.listen(Engine, "connect", careless)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
    event.remove(Engine, "connect", careless)


in_a_hurry = pytest.fixture(autouse=True)(fast)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches and several commits, with few messages."""
    monkeypatch.setattr(engine_mail, "HEADS", 3)
    monkeypatch.setattr(engine_mail, "GROUP", 2)


@pytest.fixture
def mailboxes() -> dict[str, MemoryMailbox]:
    return {login: MemoryMailbox(login) for login in LOGINS}


@pytest.fixture
def office(sqlite_template: Path, tmp_path: Path, mailboxes: dict[str, MemoryMailbox]) -> Iterator[Office]:
    """An installation that knows every contact."""
    made = Office(tmp_path / "office", sqlite_template, mailboxes)
    for email in CONTACTS:
        made.add_contact(email)
    yield made
    made.close()


@pytest.mark.timeout(600)
def test_whatever_happens_every_message_is_accounted_for_and_logged_once(
    sqlite_template: Path, tmp_path: Path, small_batches: None
) -> None:
    done: Counter[str] = Counter()

    class Here(Machine):
        template = sqlite_template
        top = tmp_path

    Here.done = done
    for round_ in range(ROUNDS):
        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=25,
                deadline=None,
                derandomize=False,  # under CI hypothesis would run the same examples in every round
                suppress_health_check=list(HealthCheck),
            ),
        )
        if round_ and all(done[kind] for kind in KINDS):
            return
    assert {kind for kind in KINDS if not done[kind]} == set(), "these never occurred"


# --- what it found, each by itself ----------------------------------------------------------------------


def audited(office: Office) -> Rows:
    return office.rows(
        "SELECT c.remote_ref, v.uid, v.verdict FROM verdict v JOIN collection c ON c.id = v.collection_id"
    )


@pytest.mark.parametrize("how", ["broken", "withheld later"])
def test_a_matching_message_that_cannot_be_read_is_quarantined_and_the_folder_goes_on(
    office: Office, mailboxes: dict[str, MemoryMailbox], how: str
) -> None:
    box = mailboxes["claire"]
    for number in (0, 1, 9):
        box.deliver("INBOX", MESSAGES[number], received_at=NOW)
    if how == "broken":
        box.break_body("INBOX", 2)
    else:
        box.before("bodies", lambda: box.withhold("INBOX", 2))  # its header was there a moment ago
    report = office.cycle("claire")
    assert report.folder_errors == {}
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 7), ("INBOX", 3, 1)]
    box._folders["INBOX"].messages[2].withheld = box._folders["INBOX"].messages[2].broken = False
    office.cycle("claire", quarantined=True)
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 1), ("INBOX", 3, 1)]
    assert office.rows("SELECT * FROM quarantine") == []


def test_a_message_that_is_listed_and_not_returned_is_quarantined_and_the_folder_goes_on(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    box = mailboxes["claire"]
    for number in (0, 4, 9):
        box.deliver("INBOX", MESSAGES[number], received_at=NOW)
    box.withhold("INBOX", 2)
    assert office.cycle("claire").folder_errors == {}
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 7), ("INBOX", 3, 1)]
    box._folders["INBOX"].messages[2].withheld = False
    assert not office.cycle("claire").wrote
    office.cycle("claire", quarantined=True)
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 2), ("INBOX", 3, 1)]


def test_under_a_new_epoch_no_verdict_stands_at_another_message(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    for number in (0, 4):
        mailboxes["claire"].deliver("INBOX", MESSAGES[number], received_at=NOW)
    office.cycle("claire")
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 2)]
    number_anew(mailboxes["claire"], "INBOX")
    office.cycle("claire")
    assert audited(office) == [("INBOX", 1, 2), ("INBOX", 2, 1)]
    assert len(office.rows("SELECT * FROM activity")) == 1


def test_a_cycle_that_breaks_off_between_two_groups_passes_no_message(
    office: Office, mailboxes: dict[str, MemoryMailbox], small_batches: None
) -> None:
    """One look at headers, two groups: the cursor stands after the first group only."""
    box = mailboxes["claire"]
    for number in (0, 4, 9):
        box.deliver("INBOX", MESSAGES[number], received_at=NOW)
    box.fail("bodies", nth=2)
    assert office.cycle("claire").error is not None
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 2)]
    assert office.rows("SELECT cursor FROM collection WHERE role = 'inbox'") == [(2,)]
    office.cycle("claire")
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 2), ("INBOX", 3, 1)]


def test_what_a_batch_that_died_left_of_attachments_goes_with_the_next_cycle(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    office.cycle("claire")
    with office.blobs.batch() as batch:
        batch.add([b"of a mail that is gone"], limit=1000)
        batch.publish()
    assert office.files() != set()
    assert not office.cycle("claire").wrote  # not even where there is nothing else to do
    assert office.files() == set()


def test_a_matching_message_that_vanishes_before_its_body_is_read_has_no_verdict(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    box = mailboxes["claire"]
    for number in (0, 1, 9):
        box.deliver("INBOX", MESSAGES[number], received_at=NOW)
    box.before("bodies", lambda: box.expunge("INBOX", 2))
    assert office.cycle("claire").folder_errors == {}
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 3, 1)]
    assert not office.cycle("claire").wrote


@pytest.mark.parametrize("before", ["heads", "bodies"])
def test_a_quarantined_message_that_is_deleted_leaves_the_quarantine(
    office: Office, mailboxes: dict[str, MemoryMailbox], before: str
) -> None:
    box = mailboxes["claire"]
    box.deliver("INBOX", MESSAGES[0], received_at=NOW)
    box.break_body("INBOX", 1)
    office.cycle("claire")
    assert len(office.rows("SELECT * FROM quarantine")) == 1
    box._folders["INBOX"].messages[1].broken = False
    box.before(before, lambda: box.expunge("INBOX", 1))
    office.cycle("claire", quarantined=True)
    assert office.rows("SELECT * FROM quarantine") == []


@pytest.mark.parametrize("message_id", ["<8@mail.example>", ""])
def test_of_two_copies_with_other_attachments_those_of_the_one_not_kept_leave_no_file(
    office: Office, mailboxes: dict[str, MemoryMailbox], message_id: str
) -> None:
    for content in (PDF + b"6", PDF + b"7"):
        raw = mail(8, MARTHA, CLAIRE, attachments={"e.pdf": content}, message_id=message_id)
        mailboxes["claire"].deliver("INBOX", raw, received_at=NOW)
    office.cycle("claire")
    office.cycle("claire")
    kept = {sha for (sha,) in office.rows("SELECT sha256 FROM email_attachment")}
    assert len(kept) == 1
    assert office.files() == kept


def test_a_thread_that_is_logged_while_a_strangers_answer_is_judged_takes_it_in(
    sqlite_template: Path, tmp_path: Path, mailboxes: dict[str, MemoryMailbox]
) -> None:
    office = Office(tmp_path / "office", sqlite_template, mailboxes, follow_threads=True)

    def denis_is_read() -> None:
        assert not office.cycle("denis").failed

    try:
        office.add_contact(PAUL)
        answer = mail(21, "someone@stranger.example", CLAIRE, "Re: Projet", reply_to=["20"])
        for raw in (answer, mail(22, PAUL, CLAIRE, "Autre chose")):
            mailboxes["claire"].deliver("INBOX", raw, received_at=NOW)
        mailboxes["denis"].deliver("INBOX", mail(20, PAUL, DENIS, "Projet"), received_at=NOW)
        mailboxes["claire"].before("bodies", denis_is_read)
        for login in ("claire", "denis", "claire"):
            assert not office.cycle(login).failed
        assert [subject for (subject,) in office.rows("SELECT subject FROM email_message")] == [
            "Autre chose",
            "Projet",
            "Re: Projet",
        ]
        assert not office.cycle("claire").wrote
    finally:
        office.close()


def test_an_error_that_differs_in_its_numbers_only_is_said_once(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    """Servers add the time of day and how long it took them."""
    box = mailboxes["claire"]
    office.cycle("claire")

    def refused(at: int) -> CycleReport:
        box.fail(
            "state",
            lambda: CollectionRefused(
                f"Internal error [12:00:0{at}] ({' + '.join(['0.001'] * at)} secs)", collection=""
            ),
        )
        return office.cycle("claire")

    def unreachable(at: int) -> CycleReport:
        box.fail("connect", lambda: Unreachable(f"Try again, queue id {at}"))
        return office.cycle("claire")

    assert refused(1).wrote
    reports = [refused(2), refused(3)]
    assert [(list(report.folder_errors), report.wrote) for report in reports] == [(["INBOX"], False)] * 2
    assert office.cycle("claire").wrote  # it is over
    unreachable(1)
    before = office.everything()
    assert unreachable(2).error == "Try again, queue id 2"
    assert office.everything() == before
    box.fail("connect", lambda: Unreachable("Something else"))
    office.cycle("claire")
    assert office.everything() != before
