"""Messages out of a folder: their properties and their contents, in batches that a bad message cannot spoil.

An answer that breaks is asked for again in halves, so that one message that the server chokes on is found
and left alone; a server that is down is not asked for one message after the other.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, TypeVar

from connectors.errors import ItemError, ProtocolViolation, Unreachable
from connectors.ews import failures
from connectors.ews.answers import GarbledError
from connectors.ews.content import Found, Reader
from connectors.ews.requests import CONTENT, SIZE, Folders, Items, item_ids, size_of
from connectors.ews.session import EwsSession
from connectors.model import RawMessage
from connectors.numbering import Numbering

AT_ONCE = 100
BODIES_AT_ONCE = 50
BODIES_OCTETS = 4 * 1024 * 1024
SIZES_KEPT = 100_000
MENDS = 12  # answers that may break in one reading: enough to find one bad message among 100

Batch = list[tuple[int, str]]  # numbers with the server's ids
T = TypeVar("T")


class Fetcher:
    """Reads out of one folder at a time."""

    def __init__(self, session: EwsSession, numbering: Numbering) -> None:
        self._session = session
        self._numbering = numbering
        self._ref, self._folder = "", ""
        self._sizes: dict[int, int] = {}  # octets, by number
        self._mends = 0

    def begin(self, ref: str, folder: str) -> None:
        """What is read from now on lies in this folder; `folder` is the server's id."""
        if folder != self._folder:
            self._sizes.clear()
        self._ref, self._folder, self._mends = ref, folder, 0

    def forget(self) -> None:
        """Nothing is known of any folder any more."""
        self._folder = ""
        self._sizes.clear()

    def elements(self, uids: Sequence[int], properties: Sequence[Any]) -> dict[int, Any]:
        """The messages with these properties; without those that the server does not return."""
        found: dict[int, Any] = {}
        for part in self._split(self._known(uids), lambda batch: self._ask(batch, properties)):
            found.update(part)
        if len(self._sizes) > SIZES_KEPT:
            self._sizes.clear()
        self._sizes.update((uid, size) for uid, one in found.items() if (size := size_of(one)))
        return found

    def contents(self, uids: Sequence[int]) -> Iterator[RawMessage | ItemError]:
        """The whole messages; those that are gone are left out. Valid until the iterator moves on."""
        unknown = [uid for uid in uids if uid not in self._sizes]
        for start in range(0, len(unknown), AT_ONCE):
            self.elements(unknown[start : start + AT_ONCE], SIZE)
        for batch in self._by_size(self._known(uids)):
            yield from self._contents(batch)

    def _known(self, uids: Sequence[int]) -> Batch:
        return list(self._numbering.ids(self._folder, uids).items()) if uids else []

    def _by_size(self, batch: Batch) -> Iterator[Batch]:
        part: Batch = []
        octets = 0
        for uid, one in batch:
            size = self._sizes.get(uid, 0)
            if part and (len(part) >= BODIES_AT_ONCE or octets + size > BODIES_OCTETS):
                yield part
                part, octets = [], 0
            part.append((uid, one))
            octets += size
        if part:
            yield part

    def _ask(self, batch: Batch, properties: Sequence[Any]) -> dict[int, Any]:
        service = self._session.service(Items)
        with self._session.asking(collection=self._ref):
            ids = item_ids([one for _, one in batch])
            answers = list(service.call(items=ids, additional_fields=properties, shape="IdOnly"))
        self._must_be_all(answers, batch)
        found: dict[int, Any] = {}
        for (uid, _), answer in zip(batch, answers, strict=True):
            if not isinstance(answer, Exception):
                found[uid] = answer
            elif failures.code_of(answer) not in failures.ABSENT | failures.BROKEN:
                self._session.sorted_out(answer, item=str(uid))  # raises what is about more than one
            # Else it is absent or the server fails over it: it is left out, and the others count. Absent is
            # not gone: so Exchange says, too, where a right is missing. Only a listing takes a number away.
        return found

    def _contents(self, batch: Batch, *, lost: bool = False) -> Iterator[RawMessage | ItemError]:
        """`lost`: the answer broke once already while this one message was asked for."""
        again: list[Batch] = []
        with closing(Reader(self._session.access.spool_dir, in_memory=BODIES_OCTETS)) as reader:
            try:
                found = self._read(batch, reader)
            except (Unreachable, ProtocolViolation) as error:
                self._mend(error)
                if lost:
                    yield self._unreadable(batch[0][0], f"The answer breaks over it. {error}")
                elif len(batch) == 1:
                    again = [batch]
                else:
                    again = [[one] for one in batch]
            else:
                yield from self._sorted(batch, found)
        for part in again:
            yield from self._contents(part, lost=len(batch) == 1)

    def _read(self, batch: Batch, reader: Reader) -> list[Found]:
        access = self._session.access
        with self._session.pieces(
            Items,
            collection=self._ref,
            items=item_ids([one for _, one in batch]),
            additional_fields=CONTENT,
            shape="IdOnly",
        ) as pieces:
            try:
                found = reader.read(pieces)
            except GarbledError as error:
                raise ProtocolViolation(
                    f"The answer of the server of {access.who} cannot be read: {error}."
                ) from None
        self._must_be_all(found, batch)
        return found

    def _sorted(self, batch: Batch, found: Sequence[Found]) -> Iterator[RawMessage | ItemError]:
        for (uid, _), answer in zip(batch, found, strict=True):
            if answer.code != "NoError":
                if answer.code in failures.ABSENT:
                    continue
                if answer.code not in failures.BROKEN:
                    self._session.sorted_out(failures.named(answer.code), item=str(uid))
                yield self._unreadable(uid, f"The server says {_word(answer.code)}.")
            elif answer.pile is None:
                yield self._unreadable(uid, "The server gave no content for it.")
            elif (content := answer.pile.content()) is not None:
                yield RawMessage(uid, content)
            else:
                disk = answer.pile.failure
                reason = disk.strerror if disk is not None else "?"
                where = self._session.access.spool_dir
                yield self._unreadable(uid, f"There is no room for it in {where} ({reason}): make some.")

    def _split(self, batch: Batch, ask: Callable[[Batch], T]) -> Iterator[T]:
        """The answer for the batch; where it breaks, the answers for its parts."""
        if not batch:
            return
        try:
            answer = ask(batch)
        except (Unreachable, ProtocolViolation) as error:
            self._mend(error)
        else:
            yield answer
            return
        if len(batch) > 1:
            middle = (len(batch) + 1) // 2
            yield from self._split(batch[:middle], ask)
            yield from self._split(batch[middle:], ask)

    def _mend(self, error: Unreachable | ProtocolViolation) -> None:
        """After an answer that broke: raises where that is not one message's fault."""
        self._mends += 1
        if self._mends > MENDS:
            raise error
        # Whether the server is there at all, and in its senses.
        inbox = self._session.folder("inbox")
        self._session.call(
            Folders, collection=self._ref, folders=[inbox], additional_fields=None, shape="IdOnly"
        )

    def _must_be_all(self, answers: Sequence[object], batch: Batch) -> None:
        if len(answers) != len(batch):
            raise ProtocolViolation(
                f"The server of {self._session.access.who} answers for {len(answers)} messages of"
                f" {len(batch)}."
            )

    def _unreadable(self, uid: int, reason: str) -> ItemError:
        return ItemError(
            f'Message {uid} of "{self._ref}" of {self._session.access.who} cannot be read. {reason}',
            locator=str(uid),
        )


def _word(code: str) -> str:
    """A response code, or what stands in its place, fit for the log."""
    return code if code.isalnum() and len(code) < 80 else "an error without a code"  # noqa: PLR2004
