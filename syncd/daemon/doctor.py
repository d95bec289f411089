"""Trying everything once, for `syncd doctor`: what works, what does not, what to mend. Writes nothing."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from config.errors import SecretError
from config.load import load
from config.settings import Mailbox, Settings
from connectors import dropped
from connectors.calendar import Kind
from connectors.errors import CollectionError, SyncdError
from connectors.model import FolderRole
from connectors.protocol import MailConnector
from store import mailboxes as store_mailboxes
from store import outbound
from store.database import Database
from store.errors import StoreError
from store.sync_state import MailboxState
from syncd.daemon.wiring import Installation
from syncd.engine.calendar.choice import named
from syncd.engine.folders import choose

KINDS = {Kind.EVENT: "event", Kind.TASK: "task"}
SENT = frozenset({FolderRole.SENT.value, FolderRole.ALL.value})  # where answers by mail count
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
class CalendarCheck:
    """One calendar or task list of the server."""

    name: str
    ref: str
    kinds: tuple[str, ...]  # event, task
    chosen: bool
    writable: bool
    schedules: bool  # the server mails invitations itself; otherwise nobody outside is invited
    problem: str | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One mailbox."""

    mailbox: str
    good: bool
    says: str
    capabilities: tuple[str, ...] = ()
    folders: tuple[FolderCheck, ...] = ()
    calendars: tuple[CalendarCheck, ...] = ()
    push: str = ""  # whether its servers tell of changes; that they do not is nothing to mend


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
    own = [_schema(settings), _private(folder, "state folder"), _private(folder / "hash.key", "hash key")]
    watched = {"attendance reports": settings.video.attendance, "call records": settings.calls.directory}
    return own + [_dropped_into(path, f"folder of {what}") for what, path in watched.items() if path]


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


def _dropped_into(path: Path, what: str) -> Check:
    """A folder that files are dropped into: they are read there, and moved within it."""
    if not os.path.isdir(path):  # noqa: PTH112 - False too where a folder above it is closed
        return Check(what, good=False, says=f"there is no folder {path}: make it (docs/install.md)")
    for one in (path, path / dropped.DONE, path / dropped.FAILED):
        if not os.access(one, os.R_OK | os.W_OK | os.X_OK) and (one == path or one.exists()):
            means = "give this user and the service the right to (docs/install.md)"
            return Check(what, good=False, says=f"files cannot be read and moved in {one}: {means}")
    return Check(what, good=True, says=f"{path}")


def _mailbox(installation: Installation, mailbox: Mailbox) -> Diagnosis:
    parts = []
    if "mail" in mailbox.sync:
        parts.append(_mail(installation, mailbox))
    if "calendar" in mailbox.sync and all(one.good or one.folders for one in parts):
        parts.append(_calendars(installation, mailbox))  # a login that was refused is not tried again
    (first, *others) = parts
    for one in others:
        first = replace(
            first, good=first.good and one.good, says=f"{first.says}; {one.says}", calendars=one.calendars
        )
    return replace(first, push=_push(installation, mailbox)) if first.good else first


def _push(installation: Installation, mailbox: Mailbox) -> str:
    """Asks to be told, once."""
    makes = installation.push.of(mailbox)
    if not makes:
        return "no: CalDAV does not tell of changes"
    if not installation.settings.push_of(mailbox):
        return "no: `push` is off"
    for make in makes:
        try:
            source = make()
            try:
                source.open()
            finally:
                source.forget()
        except (SyncdError, SecretError) as error:
            return f"no: {error}"
    server = installation.settings.servers[mailbox.server]
    return "yes" if server.imap is None else "yes, of the Inbox"


def _mail(installation: Installation, mailbox: Mailbox) -> Diagnosis:
    try:
        with installation.connector(mailbox) as connector:
            video = installation.settings.video
            asked = video.form and video.form_mail and mailbox.direction != "to-crm"
            found = _inside(connector, mailbox, asked=asked)
    except (SyncdError, SecretError) as error:
        return Diagnosis(mailbox.name, good=False, says=str(error))
    with installation.database.read() as session:
        held = outbound.held(session).get(mailbox.name)
    if held is None:
        return found
    says = f"{found.says}; drafts of mails wait ({held.count}): {held.error}"
    return replace(found, good=False, says=f"{says} (mend it, then `syncd sync --quarantined`)")


def _calendars(installation: Installation, mailbox: Mailbox) -> Diagnosis:
    try:
        with installation.calendar_connector(mailbox) as connector:
            listed = connector.calendars()
    except (SyncdError, SecretError) as error:
        return Diagnosis(mailbox.name, good=False, says=str(error))
    wanted = None if mailbox.calendars is None else [one.text() for one in mailbox.calendars]
    found = [
        CalendarCheck(
            name=one.name,
            ref=one.ref,
            kinds=tuple(sorted(KINDS[kind] for kind in one.kinds)),
            chosen=wanted is None or any(named(one, text) for text in wanted),
            writable=one.writable,
            schedules=one.auto_schedule,
            problem=None,
        )
        for one in listed
    ]
    missing = [text for text in wanted or () if not any(named(one, text) for one in listed)]
    found += [_absent(text) for text in missing]
    chosen = [one.name or one.ref for one in found if one.chosen and not one.problem]
    if missing:
        says = f"calendars: {len(missing)} of those that are chosen are not at the server"
    elif chosen:
        says = f"calendars: {', '.join(chosen)}"
    else:
        says = "the server has no calendar: make one in a calendar client"
    return Diagnosis(mailbox.name, good=bool(chosen) and not missing, says=says, calendars=tuple(found))


def _absent(text: str) -> CalendarCheck:
    problem = "`calendars` names it, the server has it not"
    return CalendarCheck(
        name=text, ref="", kinds=(), chosen=True, writable=False, schedules=False, problem=problem
    )


def _inside(connector: MailConnector, mailbox: Mailbox, *, asked: bool) -> Diagnosis:
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
    if asked and read and SENT.isdisjoint(role for _, role in choice.folders):
        says += "; no folder Sent is read: forms of meetings are tasks only, and cannot be answered by mail"
    known = tuple(connector.capabilities()) if isinstance(connector, Capable) else ()
    return Diagnosis(
        mailbox.name, good=bool(read) and not bad, says=says, capabilities=known, folders=tuple(folders)
    )
