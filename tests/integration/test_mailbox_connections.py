"""Connections that are kept, closed and lost."""

import contextlib
import socket
from pathlib import Path

import pytest

from syncd.daemon.wiring import Installation
from syncd.engine.report import CycleReport
from tests.mailboxes import CLAIRE, PAUL, with_paul
from tests.servers.dovecot import DovecotServer
from tests.servers.proxy import CuttingProxy
from tests.servers.world import NOW, World, mail


@pytest.fixture
def company(lite_world: World) -> World:
    """Claire, and her customer Paul."""
    return with_paul(lite_world)


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
