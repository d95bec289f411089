"""The groups of a cycle on their way into the store: in order, the next one read while one is committed.

Only where bodies are read aside (`syncd.engine.aside`) is there ever a second group under way.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from connectors.errors import CollectionError, SyncdError
from connectors.protocol import MailConnector
from store import mailboxes
from store.errors import Stale
from store.mailboxes import FolderRow, MailboxView
from syncd.core.directory import Directory
from syncd.core.matching import Verdict
from syncd.engine.aside import HERE, Readers
from syncd.engine.batch import Batch, Desk, Failure
from syncd.engine.judging import Judge
from syncd.engine.reading import Judged
from syncd.engine.report import CycleReport

TRIES = 5  # against changes of the CRM in the middle of a batch


class Halted(Exception):
    """The cycle is to end after the batch that was just committed."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A group that is being read."""

    batch: Batch
    cursor: int | None  # where the folder is once it is committed; None where that does not move


class Committing:
    """Commits the groups of one cycle. `go_on` raises Halted where the cycle is to end."""

    def __init__(
        self,
        *,
        desk: Desk,
        view: MailboxView,
        connector: MailConnector,
        judge: Judge,
        now: datetime,
        report: CycleReport,
        readers: Readers,
        go_on: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._view = view
        self._connector = connector
        self._judge = judge
        self._now = now
        self._report = report
        self._readers = readers
        self._go_on = go_on
        self._begun: _Begun | None = None

    @contextmanager
    def all(self) -> Iterator[None]:
        """What was put inside is committed at the end, also where something else went wrong."""
        try:
            yield
        except (SyncdError, Halted):
            self._finish()
            raise
        self._finish()

    def put(
        self,
        folder: FolderRow,
        judged: Sequence[Judged],
        failures: Sequence[Failure],
        directory: Directory,
        *,
        cursor: int | None,
    ) -> None:
        """Has the bodies of a group read, and commits the group before it; without a reader aside its own."""
        bodies = sum(one.decision.verdict is Verdict.LOGGED for one in judged)
        batch = self._begin(folder, judged, failures, directory, bodies)
        try:
            self._finish()
        except BaseException:
            batch.close()
            raise
        self._begun = _Begun(batch, cursor)
        if batch.reader is HERE:
            self._finish()

    def drop(self) -> None:
        """Lets go of a group that is not to be committed any more."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.batch.close()

    def _begin(
        self,
        folder: FolderRow,
        judged: Sequence[Judged],
        failures: Sequence[Failure],
        directory: Directory,
        bodies: int,
    ) -> Batch:
        batch = Batch(
            desk=self._desk,
            view=self._view,
            folder=folder,
            connector=self._connector,
            directory=directory,
            now=self._now,
            report=self._report,
            reader=self._readers.reader(bodies),
        )
        try:
            batch.begin(judged, failures)
        except BaseException:
            batch.close()
            raise
        return batch

    def _finish(self) -> None:
        """Commits the group under way, if there is one."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        batch, folder = begun.batch, begun.batch.folder
        for _ in range(TRIES):
            try:
                batch.commit(cursor=begun.cursor)
            except Stale:
                pass
            else:
                return
            finally:
                batch.close()
            # A contact, a mail or the folder changed under it: look again, judge again.
            self._go_on()
            with self._desk.database.look() as connection:
                rows = mailboxes.view(connection, self._view.name).folders
            fresh = {row.id: row for row in rows}.get(folder.id)
            if fresh is None or (fresh.epoch, fresh.cursor) != (folder.epoch, folder.cursor):
                raise CollectionError("another process worked on it; next cycle", collection=folder.ref)
            judged, directory = self._judge.again(batch.asked)
            batch = self._begin(folder, judged, batch.asked_failures, directory, 0)
        batch.close()
        raise CollectionError("the CRM changed all the time; next cycle", collection=folder.ref)


def grouped(
    judged: Sequence[Judged], failures: Sequence[Failure], *, most: int, octets: int
) -> list[tuple[list[Judged], list[Failure]]]:
    """Groups of at most so many messages and so many octets of what must be read, by ascending UID."""
    groups: list[tuple[list[Judged], list[Failure]]] = [([], [])]
    held = 0
    items: list[Judged | Failure] = sorted([*judged, *failures], key=lambda item: item.uid)
    for item in items:
        size = item.size if isinstance(item, Judged) and item.decision.verdict is Verdict.LOGGED else 0
        part, bad = groups[-1]
        if len(part) + len(bad) >= most or (held and held + size > octets):
            groups.append(([], []))
            part, bad = groups[-1]
            held = 0
        held += size
        if isinstance(item, Judged):
            part.append(item)
        else:
            bad.append(item)
    return groups
