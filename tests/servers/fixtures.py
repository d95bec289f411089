"""Fixtures for the servers that the tests start. `tests/conftest.py` registers them.

The server lives as long as the test session (of one xdist worker), each test has a user of its own.
"""

import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.imap.wire import Wire
from tests.servers.certs import CertAuthority
from tests.servers.dovecot import Account, DovecotServer
from tests.servers.exchange import ExchangeServer
from tests.servers.pymap import PymapServer
from tests.servers.radicale import RadicaleServer
from tests.servers.token import TokenServer
from tests.servers.xandikos import XandikosServer

# Everything that the IMAP connector may ever send: nothing of it changes a mailbox.
READING = re.compile(
    rb"(CAPABILITY|STARTTLS|LOGIN .*|AUTHENTICATE .*|NAMESPACE|NOOP|IDLE|LOGOUT|UNSELECT|EXAMINE .*"
    rb"|LIST \"\" \"\*\"( RETURN \(SPECIAL-USE\))?|STATUS .* \([A-Z ]+\)"
    rb"|UID SEARCH (RETURN \(ALL\) )?(UID \d+:\*|HEADER Message-ID \"<.+>\"( SUBJECT \"\w+\")?)"
    rb"|UID FETCH [\d:,]+ \((UID|RFC822\.SIZE|INTERNALDATE|FLAGS|BODY\.PEEK\[[^\]]*\]| )+\))\r\n",
    re.DOTALL,
)

PUTTING = re.compile(rb'APPEND "[^"]+" (\(\\Draft \\Seen\) )?\{\d+\}\r\n')


@pytest.fixture(autouse=True)
def imap_commands(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[list[bytes]]:
    """Every line of every IMAP connection of the test, without tags; nothing but reading is allowed, and
    putting messages (PUTTING) in a test that is marked `puts`."""
    sent: list[bytes] = []
    send = Wire.send

    def recorded(self: Wire, data: bytes) -> None:
        tagged = re.match(rb"[A-Z]{4}\d+ (.*)", data, re.DOTALL)
        if tagged:
            sent.append(tagged[1])
        send(self, data)

    monkeypatch.setattr(Wire, "send", recorded)
    yield sent
    unread = [line for line in sent if not READING.fullmatch(line)]
    if request.node.get_closest_marker("puts") is not None:
        unread = [line for line in unread if not PUTTING.fullmatch(line)]
    assert unread == []


def missing(server: str, how: str) -> None:
    """Skips the test on a stranger's machine that lacks the server; fails it under CI."""
    message = f"{server} is not installed; to run this test: {how}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[DovecotServer]:
    """A running Dovecot without users. Tests that stop it or read all its log start their own."""
    if not DovecotServer.available():
        missing("Dovecot", "apt-get install dovecot-imapd")
    with DovecotServer() as server:
        yield server


@pytest.fixture
def account(dovecot: DovecotServer) -> Account:
    """A fresh user of `dovecot`, with an empty Inbox and an empty Sent folder."""
    return dovecot.add_user()


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    """An empty directory for messages too large to hold in memory."""
    path = tmp_path / "spool"
    path.mkdir()
    return path


@pytest.fixture
def pymap() -> Iterator[PymapServer]:
    """A fresh pymap with one user and an empty Inbox."""
    if importlib.util.find_spec("pymap") is None:
        missing("pymap", "pip install pymap")
    with PymapServer() as server:
        yield server


@pytest.fixture(scope="session")
def radicale() -> Iterator[RadicaleServer]:
    """A running Radicale without users. Tests that stop it start their own."""
    if importlib.util.find_spec("radicale") is None:
        missing("Radicale", "pip install radicale")
    with RadicaleServer() as server:
        yield server


@pytest.fixture(scope="session")
def xandikos() -> Iterator[XandikosServer]:
    """A running Xandikos, with one user for all tests. Tests that stop it start their own."""
    if importlib.util.find_spec("xandikos") is None:
        missing("Xandikos", "pip install xandikos")
    with XandikosServer() as server:
        yield server


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[ExchangeServer]:
    """An Exchange server without users. The test fails where a message was not of Microsoft's schema."""
    with ExchangeServer(tmp_path / "exchange") as server:
        yield server


@pytest.fixture
def token_server() -> Iterator[TokenServer]:
    """A fresh OAuth 2.0 token endpoint."""
    with TokenServer() as server:
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertAuthority:
    """A certificate authority that nobody trusts unless told to."""
    return CertAuthority(tmp_path_factory.mktemp("ca"))
