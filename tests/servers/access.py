"""How the tests reach their IMAP servers with the connector."""

from datetime import timedelta
from pathlib import Path

from config.settings import Security
from connectors.imap.access import ImapAccess
from connectors.imap.auth import Password
from tests.servers.dovecot import Account, DovecotServer


def imap_access(
    server: DovecotServer,
    account: Account,
    spool_dir: Path,
    *,
    security: Security = Security.TLS,
    timeout: timedelta = timedelta(seconds=10),
    port: int | None = None,
) -> ImapAccess:
    """The account at the server, over TLS unless told otherwise; `port` for a proxy before it."""
    return ImapAccess(
        host="localhost",
        username=account.username,
        auth=Password(lambda: account.password),
        spool_dir=spool_dir,
        security=security,
        port=port or (server.tls_port if security is Security.TLS else server.port),
        ca_file=None if security is Security.NONE else server.ca_file,
        timeout=timeout,
    )


def local_access(port: int, spool_dir: Path, timeout: timedelta = timedelta(seconds=5)) -> ImapAccess:
    """A server in clear text on this machine that takes any password."""
    return ImapAccess(
        host="127.0.0.1",
        username="claire",
        auth=Password(lambda: "made up"),
        spool_dir=spool_dir,
        security=Security.NONE,
        port=port,
        timeout=timeout,
    )
