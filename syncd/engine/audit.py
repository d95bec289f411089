"""The proof that no message was missed: the server's list against the verdicts. Writes nothing on a server.

A cycle may run at the same time: the cursor is read before the server's list and the verdicts after it,
so that what is committed meanwhile never looks missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.errors import CollectionError, MailboxError
from connectors.protocol import MailConnector
from store import ledger, mailboxes, status
from store.database import Database
from store.mailboxes import FolderRow
from syncd.engine.folders import choose

LISTED = 20  # UIDs that a report names


@dataclass(slots=True)
class FolderAudit:
    """One folder."""

    ref: str
    role: str
    on_server: int = 0
    verdicts: int = 0  # for messages that are on the server
    missing: list[int] = field(default_factory=list)  # on the server, passed by, without a verdict
    fresh: int = 0  # arrived since the last cycle
    gone: int = 0  # verdict, but no longer on the server: moved or deleted there
    quarantined: int = 0
    queued: int = 0  # of the missing ones, put down for the next cycle
    error: str | None = None  # why nothing is proven

    @property
    def green(self) -> bool:
        """Every message is accounted for."""
        return self.error is None and not self.missing


@dataclass(slots=True)
class MailboxAudit:
    """One mailbox."""

    mailbox: str
    folders: list[FolderAudit] = field(default_factory=list)
    error: str | None = None

    @property
    def green(self) -> bool:
        """Every message of every folder is accounted for."""
        return self.error is None and all(folder.green for folder in self.folders)


def audit(
    database: Database,
    connector: MailConnector,
    mailbox: str,
    *,
    wanted: Sequence[str] | None,
    mend: bool = False,
) -> MailboxAudit:
    """Compares every folder that is read. `wanted` are the configured folders, None the usual ones.

    `mend` puts missing messages into the queue of the next cycle. Enters the connector itself; an error of
    the mailbox ends in the report.
    """
    report = MailboxAudit(mailbox)
    try:
        with connector:
            _folders(database, connector, report, wanted)
            for folder in report.folders:
                if folder.error is None:
                    try:
                        _compare(database, connector, mailbox, folder)
                    except CollectionError as error:
                        folder.error = str(error)
    except MailboxError as error:
        report.error = str(error)
    if mend:
        _mend(database, report)
    return report


def _folders(
    database: Database, connector: MailConnector, report: MailboxAudit, wanted: Sequence[str] | None
) -> None:
    with database.read() as session:
        known = mailboxes.view(session, report.mailbox).folders
    choice = choose(connector.folders(), wanted, [(folder.ref, folder.role) for folder in known])
    for ref, role in choice.folders:
        folder = FolderAudit(ref, role)
        if ref in choice.missing:
            folder.error = "it is not on the server any more"
        report.folders.append(folder)
    report.folders += [
        FolderAudit(ref, "", error="mail_folders names it, but it is not on the server")
        for ref in choice.unknown
    ]
    report.folders += [
        FolderAudit(ref, "", error="mail_folders names it, but drafts, junk and trash are never read")
        for ref in choice.never
    ]


def _compare(database: Database, connector: MailConnector, mailbox: str, folder: FolderAudit) -> None:
    before = _row(database, mailbox, folder.ref)
    state = connector.state(folder.ref)
    if before is None or not before.epoch:
        folder.on_server = folder.fresh = state.count
        if state.count:
            folder.error = "it was never read yet: run `syncd sync`, then audit again"
        return
    listed = set(connector.uids(folder.ref))
    with database.read() as session:
        judged = ledger.verdict_uids(session, before.id)
        folder.quarantined = status.quarantined_in(session, before.id)
    after = _row(database, mailbox, folder.ref)
    folder.on_server = len(listed)
    if state.epoch != before.epoch or after is None or after.epoch != before.epoch:
        folder.error = (
            "the server numbered it anew (UIDVALIDITY): the next cycle matches every message again; "
            "run `syncd sync`, then audit again"
        )
        return
    unjudged = listed - judged
    folder.verdicts = len(listed & judged)
    folder.gone = len(judged - listed)
    folder.missing = sorted(uid for uid in unjudged if uid <= before.cursor)
    folder.fresh = len(unjudged) - len(folder.missing)
    if folder.fresh and before.error is not None:
        folder.error = before.error  # they wait because it cannot be read


def _row(database: Database, mailbox: str, ref: str) -> FolderRow | None:
    with database.read() as session:
        rows = mailboxes.view(session, mailbox).folders
    return next((row for row in rows if row.ref == ref), None)


def _mend(database: Database, report: MailboxAudit) -> None:
    for folder in report.folders:
        row = _row(database, report.mailbox, folder.ref) if folder.missing else None
        if row is None:
            continue
        with database.write() as session:
            ledger.enqueue(session, row.id, folder.missing)
        folder.queued = len(folder.missing)
