"""Joins the connectors' numbering to the store's tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from connectors.numbering import Numbered
from store import numbering
from store.database import Database, Transaction
from store.errors import Stale


class StoredNumbering:
    """`connectors.numbering.Numbering` of one mailbox, in the database."""

    def __init__(self, database: Database, mailbox: str) -> None:
        self._database = database
        self._mailbox = mailbox

    def folders(self) -> Sequence[str]:
        """The folders of whose messages any have numbers."""
        with self._database.read() as session:
            return numbering.folders(session, self._mailbox)

    def read(self, folder: str) -> Numbered:
        """What is known of the folder."""
        with self._database.read() as session:
            return _numbered(numbering.read(session, self._mailbox, folder))

    def note(
        self, folder: str, before: Numbered, state: str, *, came: Sequence[str], went: Sequence[str]
    ) -> Numbered | None:
        """Changes and a new sync state, in one transaction; None where another process was first."""
        return self._written(
            lambda session: numbering.note(
                session, self._mailbox, folder, _known(before), state, came=came, went=went
            )
        )

    def settle(self, folder: str, before: Numbered, state: str, present: Iterable[str]) -> Numbered | None:
        """A whole listing, likewise."""
        return self._written(
            lambda session: numbering.settle(
                session, self._mailbox, folder, _known(before), state, present=present
            )
        )

    def numbers(self, folder: str, above: int) -> Sequence[int]:
        """The numbers greater than `above`, ascending."""
        with self._database.read() as session:
            return numbering.numbers(session, self._mailbox, folder, above)

    def ids(self, folder: str, numbers: Sequence[int]) -> Mapping[int, str]:
        """The server's ids of these numbers; those that are gone are left out."""
        with self._database.read() as session:
            return numbering.ids(session, self._mailbox, folder, numbers)

    def _written(self, work: Callable[[Transaction], numbering.Known]) -> Numbered | None:
        try:
            with self._database.write() as session:
                return _numbered(work(session))
        except Stale:
            return None


def _known(numbered: Numbered) -> numbering.Known:
    return numbering.Known(numbered.state, numbered.last, numbered.count)


def _numbered(known: numbering.Known) -> Numbered:
    return Numbered(known.state, known.last, known.count)
