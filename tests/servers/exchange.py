"""An Exchange server as the mail tests use one: in place of Dovecot, with the same verbs.

Sent and the folder of deleted items have the names that the tests give them elsewhere. The server lives in
the test's own process, so that what happened in it can be asked for.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.ews.access import EwsAccess, Password
from tests.servers.dovecot import Account
from tests.servers.ews.model import Folder
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import typed

NAMES = {"sentitems": "Sent", "deleteditems": "Trash"}


class ExchangeServer:
    """Starts without users. Leaving it raises where a message was invalid against Microsoft's schema."""

    def __init__(self, directory: Path) -> None:
        self.ews = EwsServer(directory)
        self.host = "localhost"
        self._received: dict[str, int] = {}

    def __enter__(self) -> Self:
        self.ews.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ews.__exit__(kind, error, trace)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.ews.port

    def table(self, port: int) -> str:
        """The servers' table of a config."""
        url = self.ews.url.replace(str(self.ews.port), str(port))
        return f'[servers.corp.ews]\nurl = "{url}"\nca_file = "{self.ews.ca_file}"\nauth = "basic"\n'

    def add_mailbox_of(self, login: str, password: str | None = None) -> Account:
        """A new user with the address login@acme.example, which is the login name too."""
        address = f"{login}@acme.example"
        password = self.ews.add_mailbox(address, password=password)
        for distinguished, name in NAMES.items():
            self.ews.mailbox(address).folder(distinguished).name = name
        return Account(address, password)

    def change_password(self, account: Account) -> Account:
        """The same user with another password; the old one is refused from now on."""
        return Account(account.username, self.ews.logins.add(account.username, account.username))

    def deliver(
        self,
        account: Account,
        folder: str,
        raw: bytes | Sequence[bytes],
        *,
        internaldate: datetime | None = None,
        flags: tuple[str, ...] = (),
    ) -> list[str]:
        """Puts messages into a folder, made where it is missing; returns the server's ids of them. Flags
        become categories, but for \\Seen."""
        other = self._other(account)
        goal = self._folder(account, folder)
        messages = [raw] if isinstance(raw, bytes) else list(raw)
        ids = []
        for message in messages:
            # Where the test does not say, one after the other: a server's clock counts whole seconds only.
            one = other.add_mail(message, folder=goal.name, received=internaldate, read="\\Seen" in flags)
            words = [flag for flag in flags if flag != "\\Seen"]
            if words:
                other.edit(one, Categories=typed("Categories", [typed("String", word) for word in words]))
            ids.append(one)
        return ids

    def expunge(self, account: Account, folder: str, name: str) -> None:
        """Removes a delivered message for good."""
        self._other(account).delete(name)

    def rename_folder(self, account: Account, old: str, new: str) -> None:
        """Another name for the folder."""
        folder = self._folder(account, old)
        folder.name = new

    def delete_folder(self, account: Account, name: str) -> None:
        """The folder and all its messages are gone."""
        folder = self._folder(account, name)
        if folder.distinguished is not None:
            raise ValueError(f"Exchange does not let anybody delete {name}")
        self.ews.store.remove_folder(folder)

    def change_uidvalidity(self, account: Account, folder: str, *, new_uids: bool = True) -> None:
        """The nearest that there is: a folder out of a backup. It and its messages have other ids, and no
        sync state that was given before means anything."""
        store = self.ews.store
        with store.lock:
            old = self._folder(account, folder)
            fresh = store._folder(old.mailbox, old.parent, old.name, old.folder_class, old.distinguished)
            for item in list(old.items.values()):
                store.move(item, fresh, "backup")
            store.remove_folder(old)
        self.ews.expire_sync_states()

    def forget_sync_states(self) -> None:
        """Every sync state that the server gave means nothing any more; its messages keep their ids."""
        self.ews.expire_sync_states()

    def read_marks(self, account: Account, folder: str) -> list[bool]:
        """Whether each message of the folder is read, oldest first."""
        return [target.item.is_read for target in self._other(account).items(self._name(folder))]

    def draft_marks(self, account: Account, folder: str) -> list[bool]:
        """Whether each message of the folder is a draft, oldest first."""
        return [target.item.is_draft for target in self._other(account).items(self._name(folder))]

    def refused(self) -> int:
        """How many logins were refused so far."""
        return len(self.ews.logins.refused)

    def _other(self, account: Account) -> OtherClient:
        return OtherClient(self.ews, account.username)

    def _folder(self, account: Account, name: str) -> Folder:
        other = self._other(account)
        try:
            return other.folder(self._name(name))
        except StopIteration:
            other.add_folder(name)
            return other.folder(name)

    @staticmethod
    def _name(name: str) -> str:
        return "inbox" if name.upper() == "INBOX" else name


def ews_access(
    server: EwsServer,
    address: str,
    password: str,
    spool_dir: Path,
    *,
    timeout: timedelta = timedelta(seconds=10),
) -> EwsAccess:
    """A mailbox at the server, over Basic and TLS."""
    return EwsAccess(
        address=address,
        auth=Password(address, lambda: password, "basic"),
        url=server.url,
        ca_file=server.ca_file,
        timeout=timeout,
        spool_dir=spool_dir,
    )
