"""`syncd run`, started as systemd starts it: what it says to the service manager, and how it ends."""

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.servers.manager import ServiceManager
from tests.servers.world import World, mail

CLIENT = "paul@client.example"


@pytest.fixture
def company(lite_world: World) -> World:
    """One user with one mailbox, one contact, one message of his."""
    lite_world.add_user("claire")
    lite_world.add_contact(lite_world.add_account("Client"), CLIENT)
    lite_world.deliver("claire", "INBOX", mail(1, CLIENT, "claire@acme.example"))
    write_config(lite_world)
    return lite_world


def write_config(world: World) -> None:
    """The config as it stands, with a look at each mailbox every second."""
    world.write_config()
    with world.config.open("a") as config:
        config.write('\n[schedule]\ninterval = "1s"\njitter = "0s"\n')


def emails(world: World) -> int:
    """How many e-mails the CRM holds."""
    (count,) = world.rows("SELECT count(*) FROM email_message")[0]
    assert isinstance(count, int)
    return count


def test_it_says_when_it_is_ready_and_logs_what_arrives(company: World) -> None:
    with ServiceManager(company.config) as manager:
        manager.await_state("READY=1")
        manager.await_that(lambda: emails(company) == 1, "the message that was there is logged")
        company.deliver("claire", "INBOX", mail(2, CLIENT, "claire@acme.example", "La suite"))
        manager.await_that(lambda: emails(company) == 2, "the message that came later is logged")
    assert "STATUS=looking after 1 mailboxes" in manager.heard


def test_sigterm_ends_it_with_exit_code_0_after_saying_so(company: World) -> None:
    with ServiceManager(company.config) as manager:
        manager.await_state("READY=1")
        manager.send(signal.SIGTERM)
        assert manager.exit_code() == 0
        assert manager.heard[-1] == "STOPPING=1"
    assert manager.logged("stop")[-1] == "stopped"


def test_it_shows_signs_of_life_well_within_what_the_watchdog_allows(company: World) -> None:
    with ServiceManager(company.config, watchdog=1.0) as manager:
        manager.await_state("READY=1")
        began = time.monotonic()
        manager.await_state("WATCHDOG=1", times=6)
        assert time.monotonic() - began < 6 * 1.0


def test_without_a_watchdog_it_sends_no_signs_of_life_of_its_own_accord(company: World) -> None:
    with ServiceManager(company.config) as manager:
        manager.await_that(lambda: emails(company) == 1, "a cycle has run")
        assert "WATCHDOG=1" not in manager.heard


def test_it_gives_accounts_their_status_at_the_first_look_after_a_missed_night(company: World) -> None:
    assert company.rows("SELECT status FROM account") == [(None,)]
    with ServiceManager(company.config) as manager:
        manager.await_that(
            lambda: company.rows("SELECT count(*) FROM account_status_pass") == [(1,)], "a look is done"
        )
    assert company.rows("SELECT status IS NULL FROM account") == [(False,)]
    assert company.rows("SELECT count(*) FROM account_status_history") == [(1,)]


def test_sighup_takes_a_changed_config(company: World) -> None:
    with ServiceManager(company.config) as manager:
        manager.await_that(lambda: emails(company) == 1, "the first mailbox is logged")
        company.add_user("marc")
        company.deliver("marc", "INBOX", mail(3, CLIENT, "marc@acme.example", "Pour Marc"))
        write_config(company)
        manager.send(signal.SIGHUP)
        manager.await_state("RELOADING=1")
        manager.await_state("READY=1", times=2)
        manager.await_that(lambda: emails(company) == 2, "the mailbox that came with the config is logged")
        assert manager.logged("reload") == ["config read again"]


def test_sighup_takes_a_changed_log_level(company: World) -> None:
    with ServiceManager(company.config) as manager:
        manager.await_that(lambda: emails(company) == 1, "a cycle has run")
        with company.config.open("a") as config:
            config.write('\n[logging]\nlevel = "error"\n')
        manager.send(signal.SIGHUP)
        manager.await_state("READY=1", times=2)
        manager.send(signal.SIGTERM)
        assert manager.exit_code() == 0
        assert manager.logged("cycle") == ["cycle ended"]
        assert manager.logged("stop") == [], "that it stops is said at level info"


def test_sighup_with_a_wrong_config_changes_nothing_and_says_what_is_wrong(company: World) -> None:
    with ServiceManager(company.config) as manager:
        manager.await_that(lambda: emails(company) == 1, "a cycle has run")
        good = company.config.read_text()
        company.config.write_text(good + "\n[mial]\n")
        manager.send(signal.SIGHUP)
        manager.await_state("READY=1", times=2)
        (line,) = [line for line in manager.log() if line["action"] == "reload"]
        assert line["level"] == "error"
        assert "mial" in str(line["error"])
        company.deliver("claire", "INBOX", mail(4, CLIENT, "claire@acme.example", "Après"))
        manager.await_that(lambda: emails(company) == 2, "the old config goes on")
        manager.send(signal.SIGTERM)
        assert manager.exit_code() == 0


def test_signs_of_life_go_on_while_a_reload_waits_for_a_cycle_to_end(company: World) -> None:
    """A first synchronisation takes longer than a watchdog: a reload must not get the service killed."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        company.port = silent.getsockname()[1]
        write_config(company)
        with ServiceManager(company.config, watchdog=1.0) as manager:
            connection, _ = silent.accept()  # a cycle is under way: it waits for the greeting
            manager.await_state("READY=1")
            manager.send(signal.SIGHUP)
            manager.await_state("RELOADING=1")
            seen = manager.heard.count("WATCHDOG=1")
            manager.await_state("WATCHDOG=1", times=seen + 4, seconds=6)
            assert manager.heard.count("READY=1") == 1, "the reload should still wait for the cycle"
            connection.close()
            manager.await_state("READY=1", times=2)


def test_a_wrong_config_ends_it_before_it_says_ready(tmp_path: Path) -> None:
    config = tmp_path / "syncd.toml"
    config.write_text("[workspace]\n")
    with ServiceManager(config) as manager:
        assert manager.exit_code() == 2
        assert manager.heard == []
