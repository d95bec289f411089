"""Trying everything once, for `syncd doctor`: what works, what does not, what to mend. Writes nothing."""

import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from config.errors import SecretError
from config.load import load
from config.settings import Mailbox, Settings
from connectors.errors import CollectionError, SyncdError
from connectors.protocol import MailConnector
from store import mailboxes as store_mailboxes
from store.database import Database
from store.errors import StoreError
from store.sync_state import MailboxState
from syncd.daemon.wiring import Installation
from syncd.engine.folders import choose

OTHERS = stat.S_IRWXG | stat.S_IRWXO


@runtime_checkable
class Capable(Protocol):
    """A connector that tells what its server can do."""

    def capabilities(self) -> Sequence[str]:
        """Those that matter here, in the protocol's words."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    what: str
    good: bool
    says: str


@dataclass(frozen=True, slots=True)
class FolderCheck:
    """One folder of the server."""

    ref: str
    role: str
    read: bool
    messages: int | None  # of those that are read
    problem: str | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One mailbox."""

    mailbox: str
    good: bool
    says: str
    capabilities: tuple[str, ...] = ()
    folders: tuple[FolderCheck, ...] = ()


@contextmanager
def database_of(settings: Settings) -> Iterator[Database]:
    """The database alone, whatever its tables are."""
    file = settings.store_dir()
    try:
        file.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"the state folder {file} cannot be made: {error.strerror}") from error
    database = Database(settings.store.url.get_secret_value(), busy_timeout=settings.store.busy_timeout)
    try:
        yield database
    finally:
        database.close()


def house(config: Path) -> list[Check]:
    """The database and the daemon's own files."""
    settings = load(config)
    folder = settings.store_dir()
    return [_schema(settings), _private(folder, "state folder"), _private(folder / "hash.key", "hash key")]


def mailboxes(config: Path, names: Sequence[str]) -> Iterator[Diagnosis]:
    """Each mailbox in turn. Nothing if the installation itself cannot be opened: `house` says why."""
    try:
        installation = Installation.open(config)
    except StoreError as error:
        for name in names:
            yield Diagnosis(name, good=False, says=f"not tried: {error}")
        return
    try:
        for name in names:
            yield _mailbox(installation, installation.settings.mailbox(name))
    finally:
        installation.close()


def refused_login(installation: Installation, name: str) -> str | None:
    """Why the mailbox must not be tried: its login was refused, and nobody has changed it since."""
    with installation.database.read() as session:
        view = store_mailboxes.view(session, name)
    if view.state is not MailboxState.NEEDS_ATTENTION or view.refused_with is None:
        return None
    try:
        same = installation.credentials(name) == view.refused_with
    except SecretError as error:
        return str(error)
    return view.attention if same else None


def _schema(settings: Settings) -> Check:
    try:
        with database_of(settings) as database:
            database.check_schema()
            return Check("database", good=True, says=f"reachable, schema {database.revision()}")
    except StoreError as error:
        return Check("database", good=False, says=str(error))


def _private(path: Path, what: str) -> Check:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return Check(what, good=True, says=f"{path} will be made when it is needed")
    except OSError as error:
        return Check(what, good=False, says=f"{path}: {error.strerror}")
    if mode & OTHERS and path.is_file():
        return Check(what, good=False, says=f"others can read {path}: `chmod 600 {path}`")
    if mode & stat.S_IWOTH:
        return Check(what, good=False, says=f"everybody can write to {path}: `chmod 700 {path}`")
    return Check(what, good=True, says=f"{path}")


def _mailbox(installation: Installation, mailbox: Mailbox) -> Diagnosis:
    try:
        with installation.connector(mailbox) as connector:
            return _inside(connector, mailbox)
    except (SyncdError, SecretError) as error:
        return Diagnosis(mailbox.name, good=False, says=str(error))


def _inside(connector: MailConnector, mailbox: Mailbox) -> Diagnosis:
    listed = connector.folders()
    choice = choose(listed, mailbox.mail_folders, [])
    read = {ref for ref, _ in choice.folders}
    folders = []
    for folder in sorted(listed, key=lambda one: (one.ref not in read, one.ref)):
        messages, problem = None, None
        if folder.ref in read:
            try:
                messages = connector.state(folder.ref).count
            except CollectionError as error:
                problem = str(error)
        folders.append(FolderCheck(folder.ref, folder.role.value, folder.ref in read, messages, problem))
    folders += [
        FolderCheck(ref, "", read=True, messages=None, problem="mail_folders names it, the server has it not")
        for ref in choice.unknown
    ]
    bad = [folder for folder in folders if folder.problem]
    if not read:
        says = "logged in, but no folder is read: name them in mail_folders"
    elif bad:
        says = f"logged in; {len(bad)} of {len(read) + len(choice.unknown)} folders cannot be read"
    else:
        says = f"logged in, reads {', '.join(ref for ref, _ in choice.folders)}"
    known = tuple(connector.capabilities()) if isinstance(connector, Capable) else ()
    return Diagnosis(
        mailbox.name, good=bool(read) and not bad, says=says, capabilities=known, folders=tuple(folders)
    )
