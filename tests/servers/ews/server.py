"""The server as tests start it."""

import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tests.servers.certs import CertAuthority
from tests.servers.ews.access import Logins
from tests.servers.ews.autodiscover import Autodiscover
from tests.servers.ews.counts import Counts
from tests.servers.ews.dispatch import Dispatcher
from tests.servers.ews.faults import Faults
from tests.servers.ews.http import Listener
from tests.servers.ews.model import Mailbox
from tests.servers.ews.schema import SchemaCheck
from tests.servers.ews.store import Store
from tests.servers.ews.subscriptions import Subscriptions

PATH = "/EWS/Exchange.asmx"


class EwsServer:
    """A context manager. Leaving it raises where a message was invalid or a request failed inside."""

    def __init__(self, directory: Path | None = None, *, checked: bool = True) -> None:
        """With a directory the server speaks TLS and keeps its certificate there, else plain HTTP. Not
        `checked`, no message is held against the schema: for a benchmark, never for a test."""
        self.store = Store()
        self.counts = Counts()
        self.faults = Faults()
        self.logins = Logins()
        self.before: dict[str, Callable[[], None]] = {}  # done once, before the next request of that name
        self.late: list[tuple[bytes, str]] = []  # accepted, and not worked on yet: content and account
        self.check = SchemaCheck(checked=checked)
        self.dispatcher = Dispatcher(self.store, self.counts, self.faults, self.check)
        self.ca_file: Path | None = None
        context = None
        if directory is not None:
            authority = CertAuthority(directory, "ews")
            cert = authority.issue("ews-server")
            self.ca_file = authority.ca_file
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert.cert, cert.key)
        self._listener = Listener(self, context)
        self._scheme = "http" if context is None else "https"
        self.port: int = self._listener.server_address[1]
        self.autodiscover = Autodiscover(self.store, self.url)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    @property
    def host(self) -> str:
        """Its authority."""
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        """The address of its web services."""
        return f"{self._scheme}://{self.host}{PATH}"

    def __enter__(self) -> "EwsServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self.drop_connections()
        self._listener.server_close()
        self._thread.join(5)
        if error is None:
            self.verify()

    def verify(self) -> None:
        """Raises AssertionError with every invalid message and every failure inside so far."""
        problems = [*self.check.problems, *self._listener.errors]
        if problems:
            raise AssertionError(f"{len(problems)} problems at the EWS server:\n" + "\n\n".join(problems[:5]))

    def add_mailbox(self, address: str, name: str = "", password: str | None = None) -> str:
        """A new mailbox whose address is its login; returns the password."""
        self.store.add_mailbox(address, name or address.partition("@")[0].capitalize())
        return self.logins.add(address, address, password)

    def mailbox(self, address: str) -> Mailbox:
        """The mailbox."""
        return self.store.mailboxes[address.lower()]

    def add_service_account(self, login: str, password: str | None = None) -> str:
        """An account without a mailbox that may impersonate everyone; returns its password."""
        self.dispatcher.impersonators.add(login.lower())
        return self.logins.add(login, login, password)

    def delegate(self, owner: str, to: str, role: str = "Editor") -> None:
        """Gives a mailbox access to another: Reviewer reads, Author also creates, Editor does all."""
        self.mailbox(owner).delegates[to.lower()] = role

    def catch_up(self) -> None:
        """Works on all that was accepted from clients who have given up since (`Fault.LATE`)."""
        late, self.late = self.late, []
        for content, account in late:
            self.dispatcher.answer(content, account, None)

    @property
    def subscriptions(self) -> Subscriptions:
        """Who listens to changes."""
        return self.dispatcher.subscriptions

    def drop_connections(self) -> None:
        """Ends every connection of every client; new ones are taken."""
        self.dispatcher.subscriptions.end_streams()
        self._listener.drop_connections()

    def expire_sync_states(self) -> None:
        """No sync state given so far is taken any more."""
        self.dispatcher.states.expire()
