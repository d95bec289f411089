"""The mail of one mailbox over IMAP4rev1 (RFC 3501): `connectors.protocol.MailConnector`.

Reads with EXAMINE, STATUS, LIST, SEARCH and FETCH with PEEK, and puts messages with APPEND. Nothing here can
set a flag.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from threading import current_thread
from types import TracebackType
from typing import Self

from connectors.errors import (
    CollectionError,
    ItemError,
    MailboxError,
    OutcomeUnknown,
    ProtocolViolation,
    RateLimited,
    SyncdError,
    Unreachable,
)
from connectors.imap import folders, refusals, uidsets
from connectors.imap.access import ImapAccess, connect
from connectors.imap.fetch import Fetched, parse
from connectors.imap.selection import Selection
from connectors.imap.spool import Spool, drop_above
from connectors.imap.wire import Answer, Take
from connectors.model import Folder, FolderState, MessageHead, RawMessage

HEADS_AT_ONCE = 500
HEAD_EXPECTED = 2048  # octets of a usual answer, for the deadline
HEADS_LIMIT = 256 * 1024 * 1024  # octets of one batch
LARGEST_HEADER = 1024 * 1024  # octets of the fields of one message
BODIES_AT_ONCE = 50
BODIES_OCTETS = 4 * 1024 * 1024
MESSAGE_LIMIT = 1024 * 1024 * 1024
MOST_MESSAGES = 20_000_000  # of a folder
SIZES_KEPT = 100_000
READ_AHEAD = "syncd-read-ahead"  # the name of the thread that fetches the next batch
MENDS = 12  # reconnections in one reading: enough to find one bad message among 500 by halving

# imapclient's own client writes every line of the protocol to its loggers. We do not use it, but nobody
# shall be able to make its parsers talk either.
for _name in ("imapclient", "imapclient.imaplib", "imapclient.imapclient"):
    logging.getLogger(_name).addFilter(lambda _record: False)


class ImapConnector:
    """One mailbox of an IMAP server. Entering connects and logs in; one thread at a time uses it.

    It may stay entered for many cycles. Once a method raised a MailboxError, leave it and enter it again.
    """

    def __init__(self, access: ImapAccess) -> None:
        self.access = access
        self._selection: Selection | None = None
        self._sizes: dict[int, int] = {}  # RFC822.SIZE by UID, of the open folder
        self._reader: ThreadPoolExecutor | None = None
        self._ahead: set[Future[_Bodies]] = set()  # batches of bodies that are being fetched
        self._mends = 0  # reconnections in the reading at hand

    def __enter__(self) -> Self:
        self._selection = Selection(connect(self.access))
        self._sizes.clear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        selection, self._selection = self._selection, None
        if selection is not None and kind is not None:
            selection.wire.close_quietly()  # what is being fetched ends with it
        if self._reader is not None:
            self._reader.shutdown()
            self._reader = None
        if selection is not None and kind is None:
            selection.wire.say_goodbye()

    def alive(self) -> bool:
        """Whether the connection still answers (NOOP). One that does not is of no use any more."""
        try:
            return self._entered.wire.run("NOOP").ok
        except MailboxError:
            return False

    def folders(self) -> Sequence[Folder]:
        """Every folder that the server lists; those of other users and shared ones have no role."""
        namespaces = self._entered.namespaces()
        return folders.folders(self._entered.list(), namespaces)

    def state(self, ref: str) -> FolderState:
        """STATUS: UIDVALIDITY, UIDNEXT and the number of messages. Nothing is opened.

        Raises CollectionGone where the server does not list the folder any more, CollectionRefused where
        it lists it and denies access, CollectionError while it cannot tell.
        """
        return self._entered.state(ref)

    def states(self, refs: Sequence[str]) -> Mapping[str, FolderState | CollectionError]:
        """As `state`, with all folders asked for at once."""
        return self._entered.states(refs)

    def uids(self, ref: str, *, above: int = 0) -> Sequence[int]:
        """The UIDs greater than `above`, ascending.

        Raises CollectionError where the folder was replaced (another UIDVALIDITY) since `state`, or where
        the server lists fewer messages than it says there are: a short list is not a list.
        """
        before = self._open(ref).exists
        if above >= uidsets.MAX_UID:
            return []
        found = self._search(ref, f"UID {above + 1}:*")
        after = self._entered.count()
        # `*` is the last message even if its UID is below the range (RFC 3501 6.4.8).
        found = [uid for uid in found if uid > above]
        if above == 0 and len(found) < min(before, after):
            raise CollectionError(
                f'The server lists {len(found)} of {min(before, after)} messages of "{ref}" of'
                f" {self.access.who}. It is asked again in the next cycle.",
                collection=ref,
            )
        return found

    def heads(self, ref: str, uids: Sequence[int], fields: Sequence[str]) -> Iterator[MessageHead]:
        """The named header fields, 500 messages at a time. Left out: what the server does not return, and
        what it returns without a size, a date or readable fields."""
        items = f"(UID RFC822.SIZE INTERNALDATE FLAGS BODY.PEEK[HEADER.FIELDS ({' '.join(fields).upper()})])"
        take = drop_above(LARGEST_HEADER)
        self._mends = 0
        for batch in uidsets.batches(uids, HEADS_AT_ONCE):
            for found in self._fetch_all(ref, batch, items, take):
                if head := found.head():
                    self._sizes[head.uid] = head.size
                    yield head
            if len(self._sizes) > SIZES_KEPT:
                self._sizes.clear()

    def bodies(self, ref: str, uids: Sequence[int]) -> Iterator[RawMessage | ItemError]:
        """The whole messages, in batches of at most 50 and 8 MiB; larger ones wait in a file.

        A message that the server has no more is left out; one that it does not give, though it gives
        others, is an ItemError whose `locator` is the UID.
        """
        self._mends = 0
        self._open(ref)
        self._learn_sizes(ref, uids)
        batches = list(
            uidsets.batches_by_size(uids, dict(self._sizes), most=BODIES_AT_ONCE, octets=BODIES_OCTETS)
        )
        if len(batches) == 1:
            yield from self._bodies(ref, batches[0], self._read_bodies(ref, batches[0]))
            return
        # The next batch is on its way while the caller works on this one.
        ahead: Future[_Bodies] | None = None
        try:
            for number, batch in enumerate(batches):
                read = self._arrived(ahead) if ahead is not None else self._read_bodies(ref, batch)
                # After an error the connection is repaired first, by `_bodies`.
                more = number + 1 < len(batches) and read.settled
                ahead = self._send_for(ref, batches[number + 1]) if more else None
                yield from self._bodies(ref, batch, read)
        finally:
            if ahead is not None:
                self._arrived(ahead).spool.close()

    def holds(self, ref: str, message_id: str, *, word: str = "") -> bool:
        """UID SEARCH HEADER in the folder as it is now: it is opened anew, since a server may search in what
        it had shown before."""
        if not (message_id.isascii() and message_id.isprintable()):
            return False  # no Message-ID (RFC 5322 3.6.4), and no line of a command
        self._entered.close()
        quoted = message_id.replace("\\", "\\\\").replace('"', '\\"')
        subject = f' SUBJECT "{word}"' if word else ""
        return bool(self._search(ref, f'HEADER Message-ID "<{quoted}>"{subject}'))

    def put(self, ref: str, content: bytes, *, draft: bool = False) -> None:
        """APPEND, without a date: the server's clock says when it came. Flags are those of a draft only."""
        selection = self._entered
        try:
            answer = selection.append(ref, content, draft=draft)
        except (Unreachable, ProtocolViolation) as error:
            raise OutcomeUnknown(
                f'Whether "{ref}" of {self.access.who} took a message is not known. {error}'
            ) from error
        if not answer.ok:
            raise selection.append_refused(ref, answer)

    def _send_for(self, ref: str, batch: list[int]) -> "Future[_Bodies]":
        """Has the batch read by another thread. Whatever uses the connection next waits for it."""
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, READ_AHEAD)
        ahead = self._reader.submit(self._read_bodies, ref, batch)
        self._ahead.add(ahead)
        return ahead

    def _arrived(self, ahead: "Future[_Bodies]") -> "_Bodies":
        try:
            return ahead.result()
        finally:
            self._ahead.discard(ahead)

    @property
    def _entered(self) -> Selection:
        if self._ahead and not current_thread().name.startswith(READ_AHEAD):
            wait(self._ahead)  # one at a time uses the connection
        if self._selection is None:
            raise Unreachable(f"{self.access.who} is not connected.")
        return self._selection

    def _open(self, ref: str) -> Selection:
        """The folder, open."""
        if self._entered.open(ref):
            self._sizes.clear()
        return self._entered

    def _search(self, ref: str, wanted: str) -> list[int]:
        wire = self._open(ref).wire
        expected = 8 * self._entered.exists
        try:
            if wire.offers("ESEARCH"):  # RFC 4731: the answer names ranges
                answer = wire.run("UID", "SEARCH", "RETURN (ALL)", wanted, expected=expected)
                if answer.ok and (lines := wire.lines("ESEARCH")):
                    return uidsets.parse_extended(lines, MOST_MESSAGES)
            answer = wire.run("UID", "SEARCH", wanted, expected=expected)
            if answer.ok:
                return uidsets.parse_numbers(wire.lines("SEARCH"))
        except ValueError as error:
            raise ProtocolViolation(
                f'The server\'s list of the messages in "{ref}" of {self.access.who} is no list: {error}.'
            ) from error
        raise refusals.waiting(answer.text, self.access.who) or CollectionError(
            f'"{ref}" of {self.access.who} cannot be searched. {refusals.said(answer.text)}.', collection=ref
        )

    def _read_bodies(self, ref: str, batch: list[int]) -> "_Bodies":
        """Fetches one batch. What goes wrong is told in what is returned."""
        spool = Spool(self.access.spool_dir, in_memory=BODIES_OCTETS)
        read = _Bodies(spool)
        try:
            read.found, read.answer = self._fetch(
                ref,
                batch,
                "(UID BODY.PEEK[])",
                spool.take,
                expected=sum(self._sizes.get(uid, 0) for uid in batch),
                limit=MESSAGE_LIMIT * len(batch),
            )
        except (SyncdError, _LostError) as error:
            read.error = error
        return read

    def _bodies(
        self, ref: str, batch: list[int], read: "_Bodies", *, lost: bool = False
    ) -> Iterator[RawMessage | ItemError]:
        """The messages of one batch that was read, and of what must be asked for again.

        `lost`: the connection broke once already while this one message was asked for.
        """
        again: list[int] = []
        broke = False
        with closing(read.spool):
            if isinstance(read.error, _LostError):
                self._mend(read.error)
                broke, again = True, [] if lost else batch
                if lost:
                    yield self._unreadable(
                        ref, batch[0], f"The connection breaks over it. {read.error.cause}"
                    )
            elif read.error is not None:
                raise read.error
            else:
                for uid in batch:
                    message = read.found.pop(uid, None)
                    if message is not None and message.content is not None:
                        yield RawMessage(uid, memoryview(message.content).toreadonly())
                    elif message is not None or (not read.answer.ok and len(batch) == 1):
                        yield self._unreadable(ref, uid, self._why(read.answer, read.spool.failure))
                    elif not read.answer.ok:
                        again.append(uid)
        for uid in again:
            yield from self._bodies(ref, [uid], self._read_bodies(ref, [uid]), lost=broke and len(batch) == 1)

    def _mend(self, error: "_LostError") -> None:
        """A new connection in place of one that broke over an answer: some message may be the reason.

        Raises the error itself where that has happened too often, and what connecting raises: a server
        that is down is not asked for one message after the other.
        """
        self._mends += 1
        if self._mends > MENDS:
            raise error.cause
        before = self._entered
        before.wire.close_quietly()
        self._selection = Selection(connect(self.access), before)

    def _why(self, answer: Answer, disk: OSError | None) -> str:
        if disk is not None:
            return f"There is no room for it in {self.access.spool_dir} ({disk.strerror}): make some."
        if answer.ok:
            return "The server gave no content for it."
        return f"{refusals.said(answer.text)}."

    def _unreadable(self, ref: str, uid: int, reason: str) -> ItemError:
        return ItemError(
            f'Message {uid} of "{ref}" of {self.access.who} cannot be read. {reason}', locator=str(uid)
        )

    def _learn_sizes(self, ref: str, uids: Sequence[int]) -> None:
        unknown = [uid for uid in uids if uid not in self._sizes]
        for batch in uidsets.batches(unknown, HEADS_AT_ONCE):
            for found in self._fetch_all(ref, batch, "(UID RFC822.SIZE)", drop_above(LARGEST_HEADER)):
                if found.uid is not None and found.size is not None:
                    self._sizes[found.uid] = found.size

    def _fetch_all(
        self, ref: str, batch: list[int], items: str, take: Take, *, lost: bool = False
    ) -> Iterator[Fetched]:
        """What the server returns of the batch; where it cannot return the batch, what it returns of its
        parts. `lost` as in `_bodies`."""
        expected = len(batch) * HEAD_EXPECTED
        try:
            found, answer = self._fetch(ref, batch, items, take, expected=expected, limit=HEADS_LIMIT)
        except _LostError as error:
            self._mend(error)
            if len(batch) == 1 and not lost:
                yield from self._fetch_all(ref, batch, items, take, lost=True)
            missing = batch if len(batch) > 1 else []
        else:
            yield from found.values()
            missing = [uid for uid in batch if uid not in found] if not answer.ok and len(batch) > 1 else []
        middle = (len(missing) + 1) // 2
        for part in (missing[:middle], missing[middle:]):
            if part:
                yield from self._fetch_all(ref, part, items, take)

    def _fetch(
        self, ref: str, batch: list[int], items: str, take: Take, *, expected: int, limit: int
    ) -> tuple[dict[int, Fetched], Answer]:
        """Raises RateLimited or Unreachable where the server refuses because it is busy, and _LostError
        where the connection breaks over the answer."""
        wire = self._open(ref).wire
        try:
            answers, end = wire.fetch_parts(
                uidsets.uid_set(batch), items, take=take, expected=expected, limit=limit
            )
        except (Unreachable, ProtocolViolation) as error:
            raise _LostError(error) from error
        found: dict[int, Fetched] = {}
        asked = frozenset(batch)
        for parts in answers:
            one = parse(parts)
            # Servers also tell of other messages, and of changed flags, in between (RFC 3501 section 7).
            if one is None or one.uid is None or one.uid not in asked:
                continue
            if one.uid in found:
                found[one.uid].update(one)
            else:
                found[one.uid] = one
        if not end.ok and not found:
            patience = refusals.waiting_for_message(end.text, self.access.who)
            if isinstance(patience, RateLimited) or (patience is not None and len(batch) == 1):
                raise patience
        return found, end


@dataclass(slots=True)
class _Bodies:
    """One batch of bodies as it was read."""

    spool: Spool
    found: dict[int, Fetched] = field(default_factory=dict)
    answer: Answer = field(default_factory=lambda: Answer("NO", b""))
    error: "SyncdError | _LostError | None" = None

    @property
    def settled(self) -> bool:
        """Whether nothing of it must be asked for again."""
        return self.error is None and self.answer.ok


class _LostError(Exception):
    """The connection broke while an answer to a FETCH was read. Never leaves this module."""

    def __init__(self, cause: MailboxError) -> None:
        super().__init__(str(cause))
        self.cause = cause
