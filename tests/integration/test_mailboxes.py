"""Mailboxes as they are: shared threads, folders that move, rules that change, servers and rivals."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from connectors.imap.wire import Wire
from syncd.daemon.wiring import Installation
from syncd.engine.audit import audit
from syncd.engine.report import CycleReport
from tests.servers.databases import NewDatabase
from tests.servers.dovecot import DovecotServer
from tests.servers.ports import wait_until
from tests.servers.proxy import CuttingProxy
from tests.servers.world import NOW, PDF, World, mail, picture

ROOT = Path(__file__).parents[2]
SYNCD = "from syncd.cli.main import main; main()"
CLAIRE, DENIS, EMMA = "claire@acme.example", "denis@acme.example", "emma@acme.example"
PAUL, MARTHA, STRANGER = "paul@client.example", "martha@other.example", "someone@stranger.example"
PNG = b"\x89PNG\r\n" + bytes(5_000)


@pytest.fixture
def company(lite_world: World) -> World:
    """Claire, and her customer Paul."""
    return with_paul(lite_world)


def with_paul(world: World) -> World:
    world.add_user("claire")
    world.add_contact(world.add_account("Client SA"), PAUL)
    return world


def subjects(world: World) -> list[str]:
    return [str(subject) for (subject,) in world.rows("SELECT subject FROM email_message ORDER BY subject")]


def verdicts(world: World) -> list[tuple[object, ...]]:
    """(folder, UID, verdict) of what is read now."""
    return world.rows(
        "SELECT c.remote_ref, v.uid, v.verdict FROM verdict v JOIN collection c ON c.id = v.collection_id "
        "WHERE c.selected ORDER BY c.remote_ref, v.uid"
    )


def folder_errors(world: World) -> dict[object, object]:
    rows = world.rows("SELECT remote_ref, error FROM collection WHERE selected")
    return {row[0]: row[1] for row in rows}


def is_green(world: World, login: str = "claire") -> bool:
    installation = world.open()
    try:
        return audit(
            installation.database,
            installation.connect(login),
            login,
            wanted=installation.settings.mailbox(login).mail_folders,
        ).green
    finally:
        installation.close()


@contextlib.contextmanager
def before_sending(monkeypatch: pytest.MonkeyPatch, word: bytes, act: Callable[[], None]) -> Iterator[None]:
    """Does something once, right before the first command with this word goes to the server."""
    send = Wire.send
    waiting = [act]

    def watched(self: Wire, data: bytes) -> None:
        if word in data and waiting:
            waiting.pop()()
        send(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Wire, "send", watched)
        yield
    assert not waiting, f"no command with {word!r} was sent"


# --- shared threads -------------------------------------------------------------------------------------


def test_a_thread_that_three_users_share_is_logged_once_and_whole(world: World) -> None:
    with_paul(world)
    world.add_user("denis")
    world.add_user("emma")
    first = mail(1, f"Paul <{PAUL}>", [CLAIRE, DENIS], "Projet", at=NOW - timedelta(days=5))
    answer = mail(2, CLAIRE, [PAUL, EMMA], "Re: Projet", reply_to=["1"], at=NOW - timedelta(days=4))
    again = mail(3, PAUL, [CLAIRE, EMMA], "Re: Projet", reply_to=["1", "2"], at=NOW - timedelta(days=3))
    aside = mail(4, EMMA, [CLAIRE, DENIS], "Entre nous", reply_to=["1", "2", "3"])
    hop = b"Received: from mx.example\r\n"
    world.deliver("claire", "INBOX", first, again, aside)
    world.deliver("claire", "Sent", answer)
    world.deliver("denis", "INBOX", hop + first, aside)
    world.deliver("emma", "INBOX", hop + answer, again)
    world.deliver("emma", "Sent", aside)
    for login in ("emma", "claire", "denis"):  # an answer before what it answers to
        world.sync(login)
    assert world.rows("SELECT message_id, direction FROM email_message ORDER BY message_id") == [
        ("1@mail.example", "RECEIVED"),
        ("2@mail.example", "SENT"),
        ("3@mail.example", "RECEIVED"),
    ]
    assert world.rows(
        'SELECT e.message_id, u.login FROM email_user x JOIN "user" u ON u.id = x.user_id '
        "JOIN email_message e ON e.id = x.email_id ORDER BY 1, 2"
    ) == [
        ("1@mail.example", "claire"),
        ("1@mail.example", "denis"),
        ("2@mail.example", "claire"),
        ("2@mail.example", "emma"),
        ("3@mail.example", "claire"),
        ("3@mail.example", "emma"),
    ]
    assert world.one("SELECT count(DISTINCT thread_key) FROM email_message") == 1
    assert world.one("SELECT count(*) FROM activity") == 3
    # What Claire wrote is hers, though Emma's copy was seen first.
    assert world.rows(
        'SELECT u.login FROM activity t JOIN "user" u ON u.id = t.user_id '
        "JOIN email_message e ON e.id = t.email_id WHERE e.direction = 'SENT'"
    ) == [("claire",)]
    assert world.one("SELECT count(*) FROM verdict WHERE verdict = 3") == 3
    assert [report.wrote for report in world.sync().values()] == [False, False, False]


def test_the_same_mail_logged_by_two_processes_at_once_is_one_record(
    dovecot: DovecotServer, new_database: NewDatabase, tmp_path: Path
) -> None:
    """PostgreSQL only: SQLite lets one process write at a time."""
    world = with_paul(World(dovecot, tmp_path / "syncd", new_database("postgresql")))
    world.add_user("denis")
    shared = mail(1, PAUL, [CLAIRE, DENIS], "À vous deux", attachments={"devis.pdf": PDF})
    for login in ("claire", "denis"):
        world.deliver(login, "INBOX", shared)
    ours, theirs = world.open(), world.open()
    reports: list[CycleReport] = []
    errors: list[BaseException] = []

    def rival() -> None:
        try:
            reports.append(theirs.supervisor.run("denis", lambda: NOW))
        except BaseException as error:  # noqa: BLE001 - looked at below, in the thread of the test
            errors.append(error)

    thread = threading.Thread(target=rival)
    inserted = threading.Event()

    def stored(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO email_message"):
            inserted.set()

    def waits(_connection: Connection) -> None:
        """Our transaction is not ended before theirs is at the same point and has to wait for us."""
        if inserted.is_set() and not thread.ident:
            thread.start()
            wait_until(
                lambda: (
                    not thread.is_alive()
                    or world.one(
                        "SELECT count(*) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    )
                    != 0
                ),
                "the other process waits for this one",
            )

    event.listen(ours.database.engine, "before_cursor_execute", stored)
    event.listen(ours.database.engine, "commit", waits)
    try:
        assert ours.supervisor.run("claire", lambda: NOW).error is None
        thread.join(30)
    finally:
        ours.close()
        theirs.close()
    assert errors == []
    assert [(report.error, report.folder_errors) for report in reports] == [(None, {})]
    assert world.one("SELECT count(*) FROM email_message") == 1
    assert world.one("SELECT count(*) FROM email_user") == 2
    assert world.one("SELECT count(*) FROM activity") == 1
    assert world.rows("SELECT verdict FROM verdict") == [(1,), (1,)]


# --- folders --------------------------------------------------------------------------------------------


def test_a_message_that_is_moved_is_not_logged_again(company: World) -> None:
    company.mailbox_keys["claire"] = 'mail_folders = ["INBOX", "Clients"]'
    letter = mail(1, PAUL, CLAIRE, "Devis", attachments={"devis.pdf": PDF})
    (name,) = company.server.deliver(company.users["claire"], "INBOX", [letter])
    company.deliver("claire", "Clients", mail(2, PAUL, CLAIRE, "Ancien"))
    company.sync()
    before = company.rows("SELECT id, updated_at FROM email_message ORDER BY id")
    company.server.expunge(company.users["claire"], "INBOX", name)
    company.deliver("claire", "Clients", letter)
    report = company.sync()["claire"]
    assert (report.pulled, report.stored, report.activities) == (1, 0, 0)
    assert company.rows("SELECT id, updated_at FROM email_message ORDER BY id") == before
    assert verdicts(company) == [("Clients", 1, 1), ("Clients", 2, 1), ("INBOX", 1, 1)]
    assert len(company.files()) == 1
    assert is_green(company)


def test_a_role_goes_with_a_renamed_folder_and_nothing_is_logged_twice(company: World) -> None:
    company.mailbox_keys["claire"] = 'mail_folders = ["INBOX", "\\\\Archive"]'
    company.deliver("claire", "Archive", mail(1, PAUL, CLAIRE, "Rangé"))
    company.sync()
    company.server.rename_folder(company.users["claire"], "Archive", "Archives")
    company.deliver("claire", "Archives", mail(2, PAUL, CLAIRE, "Rangé ensuite"))
    report = company.sync()["claire"]
    assert not report.failed
    assert subjects(company) == ["Rangé", "Rangé ensuite"]
    assert folder_errors(company) == {"INBOX": None, "Archives": None}
    assert company.one("SELECT count(*) FROM activity") == 2


def test_a_folder_that_nothing_replaces_is_an_error_until_it_is_back(company: World) -> None:
    company.mailbox_keys["claire"] = 'mail_folders = ["INBOX", "\\\\Archive"]'
    company.deliver("claire", "Archive", mail(1, PAUL, CLAIRE, "Rangé"))
    company.sync()
    company.server.rename_folder(company.users["claire"], "Archive", "Vieilleries")
    company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Pendant"))
    report = company.sync()["claire"]
    assert list(report.folder_errors) == ["Archive"]
    assert "is not on the server any more" in str(folder_errors(company)["Archive"])
    assert subjects(company) == ["Pendant", "Rangé"]  # the other folder goes on, and nothing is deleted
    assert not company.sync()["claire"].wrote  # said once
    assert not is_green(company)
    company.server.rename_folder(company.users["claire"], "Vieilleries", "Archive")
    company.deliver("claire", "Archive", mail(3, PAUL, CLAIRE, "Retrouvé"))
    assert not company.sync()["claire"].failed
    assert folder_errors(company) == {"INBOX": None, "Archive": None}
    assert subjects(company) == ["Pendant", "Rangé", "Retrouvé"]
    assert is_green(company)


def test_a_refused_folder_is_an_error_and_never_an_emptiness(company: World) -> None:
    company.mailbox_keys["claire"] = 'mail_folders = ["INBOX", "Clients"]'
    company.deliver("claire", "Clients", mail(1, PAUL, CLAIRE, "Avant"))
    company.sync()
    company.server.deny_folder(company.users["claire"], "Clients")
    company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Ailleurs"))
    try:
        report = company.sync()["claire"]
        assert list(report.folder_errors) == ["Clients"]
        assert report.error is None
        assert verdicts(company) == [("Clients", 1, 1), ("INBOX", 1, 1)]
        again = company.sync()["claire"]
        assert (list(again.folder_errors), again.wrote) == (["Clients"], False)
        assert not is_green(company)
    finally:
        company.server.allow_folder(company.users["claire"], "Clients")
    company.deliver("claire", "Clients", mail(3, PAUL, CLAIRE, "Après"))
    assert not company.sync()["claire"].failed
    assert folder_errors(company) == {"INBOX": None, "Clients": None}
    assert subjects(company) == ["Ailleurs", "Après", "Avant"]


def test_a_folder_that_is_never_read_is_told_to_whoever_names_it(company: World) -> None:
    company.deliver("claire", "Trash", mail(1, PAUL, CLAIRE, "Jeté"))
    company.mailbox_keys["claire"] = 'mail_folders = ["Trash"]'
    report = company.sync()["claire"]
    assert "never read" in report.folder_errors["Trash"]
    assert subjects(company) == []


def test_a_folder_numbered_anew_between_two_commands_is_read_in_the_next_cycle(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = company.users["claire"]
    company.deliver("claire", "INBOX", *(mail(i, PAUL, CLAIRE, f"S{i}") for i in range(3)))
    company.sync()
    company.deliver("claire", "INBOX", mail(3, PAUL, CLAIRE, "S3"), mail(4, STRANGER, CLAIRE))
    with before_sending(
        monkeypatch, b"EXAMINE", lambda: company.server.change_uidvalidity(account, "INBOX", new_uids=False)
    ):
        report = company.sync()["claire"]
    assert report.error is not None or "INBOX" in report.folder_errors
    assert company.one("SELECT count(*) FROM verdict") == 3
    company.sync()
    assert subjects(company) == ["S0", "S1", "S2", "S3"]
    assert company.one("SELECT count(*) FROM verdict") == 5
    assert company.one("SELECT count(*) FROM activity") == 4
    assert is_green(company)


def test_six_hundred_messages_are_read_in_batches(company: World) -> None:
    company.deliver(
        "claire",
        "INBOX",
        *(mail(i, PAUL if i % 10 == 0 else f"s{i}@stranger.example", CLAIRE, f"S{i:03}") for i in range(600)),
    )
    report = company.sync()["claire"]
    assert (report.pulled, report.stored) == (600, 60)
    assert company.rows("SELECT cursor FROM collection WHERE role = 'inbox'") == [(600,)]
    assert company.rows("SELECT verdict, count(*) FROM verdict GROUP BY verdict ORDER BY verdict") == [
        (1, 60),
        (2, 540),
    ]
    assert subjects(company) == [f"S{i:03}" for i in range(0, 600, 10)]
    assert is_green(company)
    # Late matching over more than one batch.
    account = company.add_account("Étrangers")
    company.add_contact(account, "s1@stranger.example", email2="s599@stranger.example")
    assert company.sync()["claire"].stored == 2
    assert company.one("SELECT count(*) FROM rematch") == 0


# --- rules that change ----------------------------------------------------------------------------------


def test_taking_an_exclusion_out_brings_in_what_it_kept_out(company: World) -> None:
    company.mail_section = (
        'since = "2026-01-01"\nexclude = [{ subject = "[perso]*" }, { address = "paul@*" }]'
    )
    company.deliver(
        "claire",
        "INBOX",
        mail(1, PAUL, CLAIRE, "Devis"),
        mail(2, PAUL, CLAIRE, "[perso] Déjeuner"),
        mail(3, STRANGER, CLAIRE, "[perso] Autre"),
    )
    company.sync()
    assert subjects(company) == []
    assert company.rows("SELECT uid, reason FROM verdict ORDER BY uid") == [
        (1, "mail.exclude rule 2"),
        (2, "mail.exclude rule 1"),
        (3, "mail.exclude rule 1"),
    ]
    company.mail_section = 'since = "2026-01-01"\nexclude = [{ subject = "[perso]*" }]'
    company.sync()
    assert subjects(company) == ["Devis"]
    company.mail_section = 'since = "2026-01-01"'
    company.sync()
    assert subjects(company) == ["Devis", "[perso] Déjeuner"]
    assert [kind for _, _, kind in verdicts(company)] == [1, 1, 2]
    assert not company.sync()["claire"].wrote


def test_reaching_further_back_brings_in_older_mail(company: World) -> None:
    company.mail_section = 'since = "2026-11-01"'
    company.deliver(
        "claire",
        "INBOX",
        *(mail(i, PAUL, CLAIRE, f"il y a {i} jours", at=NOW - timedelta(days=i)) for i in (5, 50, 500)),
    )
    company.sync()
    assert subjects(company) == ["il y a 5 jours"]
    company.mail_section = 'since = "90d"'
    company.sync()
    assert subjects(company) == ["il y a 5 jours", "il y a 50 jours"]
    company.mail_section = 'since = "2020-01-01"'
    company.sync()
    assert len(subjects(company)) == 3
    company.mail_section = 'since = "2026-11-01"'  # nothing that is logged goes because it grew old
    company.sync()
    assert len(subjects(company)) == 3


def test_an_address_that_turns_out_to_be_a_users_changes_what_is_sent_and_what_is_internal(
    company: World,
) -> None:
    alias = "c.dupont@former.example"
    company.deliver("claire", "Sent", mail(1, alias, PAUL, "De mon autre adresse"))
    company.deliver("claire", "INBOX", mail(2, alias, CLAIRE, "À moi-même"))
    company.sync()
    assert [kind for _, _, kind in verdicts(company)] == [2, 2]
    company.mailbox_keys["claire"] = (
        f'[[users]]\nlogin = "former"\nname = "F"\nemail = "f@acme.example"\naliases = ["{alias}"]'
    )
    company.sync()
    assert company.rows("SELECT subject, direction FROM email_message") == [("De mon autre adresse", "SENT")]
    assert [kind for _, _, kind in verdicts(company)] == [3, 1]


# --- threads --------------------------------------------------------------------------------------------

FOLLOW = 'since = "2026-01-01"\nfollow_threads = true'


def conversation(world: World) -> None:
    """A stranger answers before the root is seen; another answers to that answer; one stands aside."""
    world.deliver(
        "claire",
        "INBOX",
        mail(2, STRANGER, CLAIRE, "Re: Projet", reply_to=["1"]),
        mail(3, "other@stranger.example", CLAIRE, "Re: Re: Projet", reply_to=["2"]),
        mail(4, STRANGER, CLAIRE, "Sans rapport"),
        mail(5, DENIS, CLAIRE, "Entre nous", reply_to=["1"]),
    )
    world.deliver("claire", "Sent", mail(1, CLAIRE, PAUL, "Projet"))


def test_a_thread_is_followed_only_where_the_config_says_so(company: World) -> None:
    company.add_user("denis")
    conversation(company)
    company.sync("claire")
    assert subjects(company) == ["Projet"]
    company.mail_section = FOLLOW
    company.sync("claire")
    assert subjects(company) == ["Projet", "Re: Projet", "Re: Re: Projet"]
    assert company.rows("SELECT rule, count(*) FROM email_match GROUP BY rule ORDER BY rule") == [
        ("CONTACT", 1),
        ("THREAD", 2),
    ]


def test_a_strangers_answer_that_came_before_the_logged_mail_is_logged_with_it(world: World) -> None:
    with_paul(world)
    world.add_user("denis")
    world.mail_section = FOLLOW
    conversation(world)
    world.sync("claire")  # the Inbox comes first
    assert subjects(world) == ["Projet", "Re: Projet", "Re: Re: Projet"]
    assert world.one("SELECT count(DISTINCT thread_key) FROM email_message") == 1
    assert not world.sync("claire")["claire"].wrote


def test_a_strangers_mail_that_a_logged_one_answers_to_belongs_to_its_thread(company: World) -> None:
    company.mail_section = FOLLOW
    company.deliver("claire", "INBOX", mail(1, STRANGER, CLAIRE, "Question"))
    company.sync()
    assert subjects(company) == []
    company.deliver("claire", "Sent", mail(2, CLAIRE, PAUL, "Tr: Question", reply_to=["1"]))
    company.sync()
    assert subjects(company) == ["Question", "Tr: Question"]


# --- attachments ----------------------------------------------------------------------------------------


def test_of_an_attachment_over_the_limit_name_size_and_hash_are_kept(company: World) -> None:
    company.mail_section = 'since = "2026-01-01"\nmax_attachment = "20KiB"'
    small, large = b"s" * 20 * 1024, b"l" * (20 * 1024 + 1)
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, attachments={"s.pdf": small, "l.pdf": large}))
    company.sync()
    kept = company.rows(
        "SELECT name, size, length(sha256), path IS NULL FROM email_attachment ORDER BY position"
    )
    assert kept == [("s.pdf", len(small), 64, 0), ("l.pdf", len(large), 64, 1)]
    assert len(company.files()) == 1


def test_a_signature_image_is_not_kept_and_other_images_are(company: World) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = PAUL, CLAIRE, "<1@mail.example>"
    message["Date"] = "Fri, 20 Nov 2026 10:00:00 +0000"
    message.set_content("Bonjour")
    message.add_alternative("<p>Bonjour<img src='cid:logo'><img src='cid:plan'></p>", subtype="html")
    html = message.get_payload()[1]  # type: ignore[index]
    assert isinstance(html, EmailMessage)
    html.add_related(PNG, maintype="image", subtype="png", cid="<logo>", filename="logo.png")
    html.add_related(PNG * 4, maintype="image", subtype="png", cid="<plan>", filename="plan.png")
    message.add_attachment(PNG, maintype="image", subtype="png", filename="photo.png")
    company.deliver("claire", "INBOX", message.as_bytes().replace(b"\n", b"\r\n"))
    company.sync()
    assert company.rows("SELECT name, size FROM email_attachment ORDER BY name") == [
        ("photo.png", len(PNG)),
        ("plan.png", len(PNG) * 4),
    ]


# --- at the same time -----------------------------------------------------------------------------------


def test_a_contact_made_while_a_batch_is_read_misses_no_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_paul(world)
    world.deliver(
        "claire",
        "INBOX",
        mail(1, MARTHA, CLAIRE, "De Martha"),
        mail(2, PAUL, CLAIRE, "De Paul"),  # its body is fetched: the batch is judged, not committed
        mail(3, MARTHA, CLAIRE, "Encore de Martha"),
    )
    account = world.add_account("Autre SARL")

    def add_martha() -> None:
        world.add_contact(account, MARTHA)

    with before_sending(monkeypatch, b"BODY.PEEK[]", add_martha):
        report = world.sync()["claire"]
    assert report.error is None
    assert subjects(world) == ["De Martha", "De Paul", "Encore de Martha"]
    world.sync()
    assert not world.sync()["claire"].wrote
    assert world.one("SELECT count(*) FROM activity") == 3


def test_a_contact_made_after_one_batch_and_before_the_next_misses_no_message(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.engine.mail.HEADS", 2)
    for number in range(8):
        sender = PAUL if number % 2 else MARTHA
        company.deliver("claire", "INBOX", mail(number, sender, CLAIRE, f"S{number}"))
    account = company.add_account("Autre SARL")
    # The third look at headers: two batches are committed without Martha.
    looks = iter(range(100))
    send = Wire.send

    def watched(self: Wire, data: bytes) -> None:
        if b"HEADER.FIELDS" in data and next(looks) == 2:
            company.add_contact(account, MARTHA)
        send(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Wire, "send", watched)
        company.sync()
    company.sync()
    assert subjects(company) == [f"S{number}" for number in range(8)]


def child(world: World, login: str) -> subprocess.Popen[bytes]:
    """Another process of the service, at work on one mailbox."""
    return subprocess.Popen(
        [sys.executable, "-c", SYNCD, "--config", str(world.config), "sync", login],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        cwd="/",
    )


@pytest.mark.parametrize("end", ["by itself", "killed"])
def test_a_mailbox_that_another_process_works_on_is_left_alone(world: World, end: str) -> None:
    with_paul(world)
    world.add_user("denis")
    world.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "Devis"))
    world.deliver("denis", "INBOX", mail(2, PAUL, DENIS, "Pour Denis"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        world.port = silent.getsockname()[1]
        world.write_config()
        other = child(world, "claire")
        try:
            connection, _ = silent.accept()  # its cycle is under way: it waits for the server's greeting
            world.port = None
            reports = world.sync()
            assert "another syncd" in str(reports["claire"].skipped)
            assert reports["claire"].error is None
            assert not reports["claire"].wrote
            assert reports["denis"].skipped is None
            assert subjects(world) == ["Pour Denis"]
            if end == "killed":
                other.send_signal(signal.SIGKILL)
            connection.close()
        finally:
            other.wait(30)
    wait_until(lambda: world.sync()["claire"].skipped is None, "the mailbox is free again")
    assert subjects(world) == ["Devis", "Pour Denis"]


# --- connections ----------------------------------------------------------------------------------------


def hang_up(proxy: CuttingProxy) -> None:
    """The server ends every connection, as after half an hour of silence."""
    for sock in proxy._sockets:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def run(installation: Installation, login: str = "claire") -> CycleReport:
    return installation.supervisor.run(login, lambda: NOW)


def test_a_kept_connection_that_the_server_closed_is_replaced_without_a_word(company: World) -> None:
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "Avant"))
    with CuttingProxy(company.server.port) as proxy:
        company.port = proxy.port
        installation = Installation.open(company.write_config(), keep=True)
        try:
            assert run(installation).error is None
            assert run(installation).error is None
            assert proxy.connections == 1
            hang_up(proxy)
            company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Après"))
            report = run(installation)
            assert (report.error, report.folder_errors, report.stored) == (None, {}, 1)
            assert proxy.connections == 2
            hang_up(proxy)
            proxy.cut_after = 0  # now there is nobody to reconnect to
            assert run(installation).error is not None
            assert proxy.connections == 3  # one new connection, and no more in this cycle
            assert not installation.connections.is_kept("claire")
            proxy.cut_after = None
            assert run(installation).error is None
        finally:
            installation.close()
    assert company.rows("SELECT count(*) FROM run WHERE error IS NOT NULL") == [(1,)]
    assert company.rows("SELECT state, last_error FROM mailbox") == [("RUNNING", None)]


def test_a_connection_that_breaks_in_its_first_cycle_is_an_error(company: World) -> None:
    """Only a kept connection may be gone without anybody's fault."""
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "Devis"))
    with CuttingProxy(company.server.port) as proxy:
        proxy.cut_after, proxy.only = 400, 1
        company.port = proxy.port
        assert company.sync()["claire"].error is not None
        assert proxy.connections == 1
    assert company.one("SELECT count(*) FROM verdict") == 0


def test_a_server_that_was_started_again_is_reconnected_to(sqlite_url: str, tmp_path: Path) -> None:
    with DovecotServer() as server:
        world = with_paul(World(server, tmp_path / "syncd", sqlite_url))
        installation = Installation.open(world.write_config(), keep=True)
        try:
            assert run(installation).error is None
            server.stop()
            server.start()
            world.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "Après"))
            report = run(installation)
            assert (report.error, report.folder_errors, report.stored) == (None, {}, 1)
        finally:
            installation.close()


# --- quarantine -----------------------------------------------------------------------------------------


def test_what_cannot_be_read_waits_in_quarantine_until_it_can(world: World) -> None:
    with_paul(world)
    account = world.users["claire"]
    _, name, _ = world.server.deliver(
        account, "INBOX", [mail(i, PAUL, CLAIRE, f"S{i}", attachments={"a.pdf": PDF}) for i in range(3)]
    )
    path = world.server.maildir(account) / "cur" / name
    path.chmod(0)
    try:
        report = world.sync()["claire"]
        assert (report.error, report.folder_errors) == (None, {})
        assert subjects(world) == ["S0", "S2"]
        assert [kind for _, _, kind in verdicts(world)] == [1, 7, 1]
        assert world.rows("SELECT remote_ref, tries FROM quarantine") == [("2", 1)]
        assert not world.sync()["claire"].wrote  # not tried again by itself
        world.sync(quarantined=True)
        assert world.rows("SELECT remote_ref, tries FROM quarantine") == [("2", 2)]
    finally:
        path.chmod(0o600)
    world.sync(quarantined=True)
    assert subjects(world) == ["S0", "S1", "S2"]
    assert [kind for _, _, kind in verdicts(world)] == [1, 1, 1]
    assert world.rows("SELECT * FROM quarantine") == []
    assert is_green(world)


def test_a_mailbox_read_late_looks_as_if_it_had_been_read_at_once(
    dovecot: DovecotServer, new_database: NewDatabase, tmp_path: Path
) -> None:
    """Contacts before the mail, or mail before the contacts: the same CRM, opportunities included."""
    pictures = []
    first = World(dovecot, tmp_path / "first", new_database("sqlite"))
    first.add_user("claire")
    first.deliver(
        "claire",
        "INBOX",
        mail(1, MARTHA, [CLAIRE], "Pour OPP-2", at=NOW - timedelta(days=9)),
        mail(2, MARTHA, [CLAIRE], "Tout autre sujet", reply_to=["1"], at=NOW - timedelta(days=8)),
        mail(3, PAUL, [CLAIRE], "Ailleurs", at=NOW - timedelta(days=7)),
    )
    (tmp_path / "second").mkdir()
    second = World(dovecot, tmp_path / "second", new_database("sqlite"), users=dict(first.users))
    for world, late in ((first, False), (second, True)):
        world.write_config()
        world.open().close()
        if late:
            world.sync()
        account = world.add_account("Autre SARL")
        world.add_opportunity(account, "OPP-1")
        world.add_opportunity(account, "OPP-2")
        world.add_contact(account, MARTHA)
        world.sync()
        # A second account at which the logged messages stand as well.
        if late:
            world.sync()
        other = world.add_account("Client SA")
        world.add_opportunity(other, "OPP-3")
        world.add_contact(other, PAUL)
        world.sync()
        world.sync()
        seen = picture(world)
        pictures.append({name: seen[name] for name in ("email", "match", "activity", "user", "files")})
    assert pictures[0] == pictures[1]
    assert [row[2] for row in pictures[0]["activity"]].count("OPP-2") == 2


def test_a_second_account_of_a_logged_thread_takes_over_its_own_opportunity(company: World) -> None:
    """Late matching finds the root and its answer: the answer gets what the root's subject names."""
    company.deliver(
        "claire",
        "Sent",
        mail(1, CLAIRE, [PAUL, MARTHA], "Devis OPP-2", at=NOW - timedelta(days=9)),
        mail(2, CLAIRE, [PAUL, MARTHA], "Tout autre", reply_to=["1"], at=NOW - timedelta(days=8)),
    )
    company.sync()
    account = company.add_account("Autre SARL")
    company.add_opportunity(account, "OPP-1")
    wanted = company.add_opportunity(account, "OPP-2")
    company.add_contact(account, MARTHA)
    company.sync()
    found = company.rows("SELECT opportunity_id FROM activity WHERE account_id = :id", id=account)
    assert found == [(wanted,), (wanted,)]
