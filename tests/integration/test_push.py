"""Servers tell of changes, and `syncd run` looks at once: with a polling interval of hours, what arrives is
logged within a moment."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from store import mailboxes
from store.sync_state import MailboxState
from syncd.daemon.listened import Listened
from tests.mailboxes import CLAIRE, PAUL, with_paul
from tests.servers.console import console
from tests.servers.ews.faults import Fault
from tests.servers.ews.server import EwsServer
from tests.servers.exchange import ExchangeServer
from tests.servers.manager import ServiceManager
from tests.servers.world import World, mail
from tests.servers.worlds import on_both, on_exchange

SOON = 4.0  # seconds, on a machine that has other things to do
RARELY = '\n[schedule]\ninterval = "6h"\njitter = "0s"\n'


@pytest.fixture
def company(lite_world: World) -> World:
    """Claire, and her customer Paul, who wrote once."""
    company = with_paul(lite_world)
    if isinstance(company.server, ExchangeServer):
        company.server.ews.subscriptions.heartbeat = 0.5
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE))
    write_config(company)
    return company


def write_config(company: World, schedule: str = RARELY, more: str = "") -> None:
    company.write_config()
    with company.config.open("a") as config:
        config.write(schedule + more)


def exchange_of(company: World) -> EwsServer:
    assert isinstance(company.server, ExchangeServer)
    return company.server.ews


def emails(company: World) -> int:
    return len(company.rows("SELECT id FROM email_message"))


def is_listened(company: World, name: str = "claire") -> bool:
    return Listened(company.folder / "listened").since(name, datetime.now(UTC)) is not None


@contextmanager
def listening(company: World) -> Iterator[ServiceManager]:
    """The service, once it has looked at Claire's mailbox, listens to it, and has looked again because of
    that."""
    with ServiceManager(company.config) as manager:
        manager.await_that(lambda: emails(company) == 1, "what was there is logged")
        manager.await_that(lambda: is_listened(company), "the mailbox is listened to")
        yield manager


def await_emails(manager: ServiceManager, company: World, number: int, seconds: float = SOON) -> float:
    """How long it took."""
    began = time.monotonic()
    manager.await_that(lambda: emails(company) == number, f"{number} messages are logged", seconds)
    return time.monotonic() - began


@on_both
def test_what_arrives_is_logged_within_moments_though_polling_is_hours_away(company: World) -> None:
    with listening(company) as manager:
        for number in (2, 3):
            company.deliver("claire", "INBOX", mail(number, PAUL, CLAIRE, f"La suite {number}"))
            await_emails(manager, company, number)


@on_both
def test_status_tells_since_when_a_mailbox_is_listened_to(company: World) -> None:
    with listening(company):
        (row,) = console(company.config, "status", "--json").json["mailboxes"]
        since = datetime.fromisoformat(row["listened_since"])
        assert timedelta(0) <= datetime.now(UTC) - since < timedelta(minutes=1)
        assert "listened to" in console(company.config, "status").out
    (row,) = console(company.config, "status", "--json").json["mailboxes"]
    assert row["listened_since"] is None


@on_exchange
def test_what_is_sent_is_told_too(company: World) -> None:
    with listening(company) as manager:
        company.deliver("claire", "Sent", mail(2, CLAIRE, PAUL, "Notre réponse"))
        await_emails(manager, company, 2)


@on_both
def test_without_push_it_is_polling_that_finds_things(company: World) -> None:
    write_config(company, RARELY + "push = false\n")
    with ServiceManager(company.config) as manager:
        manager.await_that(lambda: emails(company) == 1, "what was there is logged")
        company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "La suite"))
        with pytest.raises(TimeoutError):
            await_emails(manager, company, 2, 2.5)
        assert not is_listened(company)


@on_exchange
def test_a_mailbox_can_be_left_out(company: World) -> None:
    company.mailbox_keys["claire"] = "push = false"
    write_config(company)
    with ServiceManager(company.config) as manager:
        manager.await_that(lambda: emails(company) == 1, "what was there is logged")
        with pytest.raises(TimeoutError):
            manager.await_that(lambda: is_listened(company), "listened to", 2.0)
    assert exchange_of(company).counts.operations["Subscribe"] == 0


@on_exchange
def test_a_burst_is_one_cycle(company: World) -> None:
    with listening(company) as manager:
        before = ended(manager)
        company.deliver("claire", "INBOX", *(mail(n, PAUL, CLAIRE, f"Numéro {n}") for n in range(2, 32)))
        await_emails(manager, company, 31)
        manager.await_that(lambda: ended(manager) > before, "the cycle has ended")
        time.sleep(1.0)  # for the line of another one, which must not be
        assert ended(manager) == before + 1


def ended(manager: ServiceManager) -> int:
    """Cycles that wrote something."""
    return manager.logged("cycle").count("cycle ended")


@on_exchange
@pytest.mark.parametrize("how", ["connections dropped", "subscriptions lost", "closed"])
def test_when_a_stream_is_over_it_is_opened_anew_and_the_mailbox_is_looked_at(
    company: World, how: str
) -> None:
    server = exchange_of(company)
    with listening(company) as manager:
        assert server.subscriptions.await_streams(1)
        if how == "connections dropped":
            server.drop_connections()
        elif how == "subscriptions lost":
            server.subscriptions.forget_all()
        else:
            server.subscriptions.close_streams()
        assert server.subscriptions.await_streams(0)
        # Nobody is told of this one where the subscription is gone: it is found because it is looked for.
        company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Entre-temps"))
        await_emails(manager, company, 2, 10.0)
        assert server.subscriptions.await_streams(1)
        company.deliver("claire", "INBOX", mail(3, PAUL, CLAIRE, "Ensuite"))
        await_emails(manager, company, 3)


@on_both
def test_sigterm_ends_it_quickly_while_it_listens(company: World) -> None:
    with listening(company) as manager:
        began = time.monotonic()
        manager.send(signal.SIGTERM)
        assert manager.exit_code() == 0
        assert time.monotonic() - began < 3.0
    assert not is_listened(company)
    if isinstance(company.server, ExchangeServer):
        assert company.server.ews.subscriptions.ids == [], "the server keeps nothing for us"


@on_exchange
def test_sighup_takes_a_changed_mind_about_push(company: World) -> None:
    server = exchange_of(company)
    with listening(company) as manager:
        write_config(company, RARELY + "push = false\n")
        manager.send(signal.SIGHUP)
        manager.await_state("READY=1", times=2)
        assert server.subscriptions.await_streams(0)
        write_config(company)
        manager.send(signal.SIGHUP)
        manager.await_state("READY=1", times=3)
        assert server.subscriptions.await_streams(1)
        company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "La suite"))
        await_emails(manager, company, 2)


@on_exchange
def test_a_server_that_asks_to_wait_is_left_alone_as_long(company: World) -> None:
    server = exchange_of(company)
    server.faults.plan(Fault.BUSY, "Subscribe", seconds=3)
    with ServiceManager(company.config) as manager:
        manager.await_that(lambda: bool(server.faults.done), "it was asked")
        began = time.monotonic()
        manager.await_that(lambda: server.counts.operations["Subscribe"] == 2, "it is asked again")
        assert time.monotonic() - began >= 2.9
        manager.await_that(lambda: is_listened(company), "it is listened to")


@on_exchange
def test_a_password_that_was_changed_is_tried_once_by_who_listens(company: World) -> None:
    server = exchange_of(company)
    with listening(company) as manager:
        fresh = company.server.change_password(company.users["claire"])
        server.subscriptions.close_streams()
        manager.await_that(lambda: state(company) is MailboxState.NEEDS_ATTENTION, "it waits for a person")
        company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Entre-temps"))
        with pytest.raises(TimeoutError):
            await_emails(manager, company, 2, 4.0)
        assert len(server.logins.refused) == 1
        (company.folder / "claire.secret").write_text(fresh.password)
        company.users["claire"] = fresh
        order(company, MailboxState.RUNNING)
        await_emails(manager, company, 2, 30.0)
        manager.await_that(lambda: is_listened(company), "it is listened to again")
    assert len(server.logins.refused) == 1


@on_exchange
def test_a_wrong_password_is_tried_once_at_the_start(company: World) -> None:
    company.server.change_password(company.users["claire"])
    with ServiceManager(company.config) as manager:
        manager.await_that(lambda: state(company) is MailboxState.NEEDS_ATTENTION, "it waits for a person")
        with pytest.raises(TimeoutError):
            manager.await_that(lambda: is_listened(company), "listened to", 2.0)
    assert company.server.refused() == 1


@on_exchange
def test_who_is_paused_is_not_listened_to(company: World) -> None:
    server = exchange_of(company)
    with listening(company) as manager:
        order(company, MailboxState.PAUSED)
        manager.await_that(lambda: not is_listened(company), "nobody listens")
        assert server.subscriptions.await_streams(0)
        company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Entre-temps"))
        order(company, MailboxState.RUNNING)
        await_emails(manager, company, 2, 30.0)


def test_a_mailbox_whose_server_is_silent_keeps_nobody_from_hearing(company: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        marc = f"""
[servers.dead.imap]
host = "127.0.0.1"
port = {silent.getsockname()[1]}
security = "none"
[[users]]
login = "marc"
name = "Marc"
email = "marc@acme.example"
[[mailboxes]]
name = "marc"
user = "marc"
server = "dead"
username = "marc"
password = {{ file = "claire.secret" }}
"""
        write_config(company, more=marc)
        with listening(company) as manager:
            company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "La suite"))
            await_emails(manager, company, 2)


def state(company: World) -> MailboxState:
    rows = company.rows("SELECT state FROM mailbox WHERE name = 'claire'")
    return MailboxState[str(rows[0][0])] if rows else MailboxState.RUNNING


def order(company: World, wanted: MailboxState) -> None:
    """As `syncd pause` and `syncd resume` do."""
    installation = company.open()
    try:
        with installation.database.write() as session:
            mailboxes.change_state(session, "claire", wanted, datetime.now(UTC), actor="test")
    finally:
        installation.close()
