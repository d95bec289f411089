"""A mailbox in memory that behaves as an IMAP one does, and fails on demand: for tests and dry runs.

It passes the same contract suite as the real connector. `MemoryMailbox` is the server's side: a test puts
messages into it and arranges failures; `MemoryMailConnector` is what the engine gets.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from connectors.errors import (
    AuthFailed,
    CollectionError,
    CollectionGone,
    CollectionRefused,
    ItemError,
    OutcomeUnknown,
    SyncdError,
    Unreachable,
)
from connectors.mime import read_envelope
from connectors.model import Folder, FolderRole, FolderState, MessageHead, RawMessage

Make = Callable[[], SyncdError]


@dataclass(slots=True)
class _Stored:
    raw: bytes
    received_at: datetime
    keywords: frozenset[str]
    withheld: bool = False  # listed, never returned
    broken: bool = False  # listed, with a head, its body an error


@dataclass(slots=True)
class _Folder:
    role: FolderRole
    selectable: bool
    epoch: int = 1
    next_uid: int = 1
    refused: bool = False
    messages: dict[int, _Stored] = field(default_factory=dict)


@dataclass(slots=True)
class _Fault:
    call: str
    nth: int  # the how manieth call from now on fails
    after: int  # how many items an iteration gives before
    make: Make


class MemoryMailbox:
    """The server's side. Starts with an empty Inbox and an empty Sent folder."""

    def __init__(self, who: str = "a mailbox in memory") -> None:
        self.who = who
        self.calls: Counter[str] = Counter()  # by name: connect, folders, heads and the like
        self.logged: list[tuple[str, str]] = []  # each call with its folder, in order
        self.login_refused = False
        self._folders: dict[str, _Folder] = {}
        self._faults: list[_Fault] = []
        self._hooks: list[tuple[str, int, Callable[[], None]]] = []
        self.add_folder("INBOX", FolderRole.INBOX)
        self.add_folder("Sent", FolderRole.SENT)

    # What other clients and the server do.

    def add_folder(self, ref: str, role: FolderRole = FolderRole.OTHER, *, selectable: bool = True) -> None:
        """A new, empty folder."""
        self._folders[ref] = _Folder(role, selectable)

    def remove_folder(self, ref: str) -> None:
        """The folder and its messages are gone."""
        del self._folders[ref]

    def rename_folder(self, old: str, new: str) -> None:
        """Another name, the same messages, as IMAP has it: UIDs and epoch stay."""
        self._folders[new] = self._folders.pop(old)

    def refuse_folder(self, ref: str, *, refused: bool = True) -> None:
        """The folder is listed and cannot be opened."""
        self._folders[ref].refused = refused

    def deliver(
        self,
        ref: str,
        raw: bytes,
        *,
        received_at: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        keywords: Iterable[str] = (),
    ) -> int:
        """Puts a message into the folder; returns its UID."""
        folder = self._folders[ref]
        uid, folder.next_uid = folder.next_uid, folder.next_uid + 1
        folder.messages[uid] = _Stored(raw, received_at, frozenset(keywords))
        return uid

    def expunge(self, ref: str, uid: int) -> None:
        """The message is gone."""
        del self._folders[ref].messages[uid]

    def change_epoch(self, ref: str, *, shift: int = 1000) -> None:
        """The folder is rebuilt: another epoch, the same messages under UIDs higher by `shift`."""
        folder = self._folders[ref]
        folder.epoch += 1
        folder.next_uid += shift
        folder.messages = {uid + shift: stored for uid, stored in folder.messages.items()}

    def withhold(self, ref: str, uid: int) -> None:
        """The server lists the message and returns nothing of it."""
        self._folders[ref].messages[uid].withheld = True

    def break_body(self, ref: str, uid: int) -> None:
        """The server cannot give the message's content."""
        self._folders[ref].messages[uid].broken = True

    # Faults on demand.

    def fail(self, call: str, make: Make | None = None, *, nth: int = 1, after: int = 0) -> None:
        """The nth `call` from now on fails with what `make` makes (a dropped connection if not given),
        `heads` and `bodies` after `after` items; `put` after it was done, where `after` is not 0."""
        self._faults.append(_Fault(call, nth, after, make or self._dropped))

    def before(self, call: str, action: Callable[[], None], *, nth: int = 1) -> None:
        """Does something right before the nth `call` from now on: a message vanishes, another one comes."""
        self._hooks.append((call, nth, action))

    def _dropped(self) -> SyncdError:
        return Unreachable(f"The connection of {self.who} was dropped.")

    # For the connector.

    def enter(self, call: str, ref: str = "") -> _Fault | None:
        """Notes the call, does what was to be done before it, and returns the fault that it meets."""
        self.calls[call] += 1
        self.logged.append((call, ref))
        due = [action for name, nth, action in self._hooks if name == call and nth == 1]
        self._hooks = [
            (name, nth - 1 if name == call else nth, action)
            for name, nth, action in self._hooks
            if not (name == call and nth == 1)
        ]
        for action in due:
            action()
        met = next((f for f in self._faults if f.call == call and f.nth == 1), None)
        self._faults = [f for f in self._faults if f is not met]
        for fault in self._faults:
            fault.nth -= fault.call == call
        return met

    def listed(self) -> list[Folder]:
        return [Folder(ref, f.role, f.selectable) for ref, f in self._folders.items()]

    def opened(self, ref: str) -> _Folder:
        """Raises CollectionGone or CollectionRefused."""
        folder = self._folders.get(ref)
        if folder is None:
            raise CollectionGone(f'The folder "{ref}" of {self.who} does not exist.', collection=ref)
        if folder.refused or not folder.selectable:
            raise CollectionRefused(f'The folder "{ref}" of {self.who} cannot be opened.', collection=ref)
        return folder


class MemoryMailConnector:
    """`connectors.protocol.MailConnector` on a `MemoryMailbox`."""

    def __init__(self, mailbox: MemoryMailbox) -> None:
        self.mailbox = mailbox
        self._epochs: dict[str, int] = {}
        self._entered = False

    def __enter__(self) -> Self:
        self._meet("connect")
        if self.mailbox.login_refused:
            raise AuthFailed(f"The login of {self.mailbox.who} was refused.")
        self._epochs.clear()
        self._entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entered = False

    def folders(self) -> Sequence[Folder]:
        self._meet("folders")
        return self.mailbox.listed()

    def state(self, ref: str) -> FolderState:
        self._meet("state", ref)
        folder = self.mailbox.opened(ref)
        self._epochs[ref] = folder.epoch
        return FolderState(epoch=str(folder.epoch), next_uid=folder.next_uid, count=len(folder.messages))

    def states(self, refs: Sequence[str]) -> Mapping[str, FolderState | CollectionError]:
        found: dict[str, FolderState | CollectionError] = {}
        for ref in refs:
            try:
                found[ref] = self.state(ref)
            except CollectionError as error:
                found[ref] = error
        return found

    def uids(self, ref: str, *, above: int = 0) -> Sequence[int]:
        self._meet("uids", ref)
        return sorted(uid for uid in self._opened(ref).messages if uid > above)

    def heads(self, ref: str, uids: Sequence[int], fields: Sequence[str]) -> Iterator[MessageHead]:
        fault = self._met("heads", ref)
        wanted = frozenset(name.casefold() for name in fields)
        for number, (uid, stored) in enumerate(self._returned(ref, uids)):
            _raise_if_due(fault, number)
            yield MessageHead(
                uid=uid,
                size=len(stored.raw),
                received_at=stored.received_at,
                keywords=stored.keywords,
                header=header_fields(stored.raw, wanted),
            )
        _raise_if_due(fault, fault.after if fault else 0)

    def bodies(self, ref: str, uids: Sequence[int]) -> Iterator[RawMessage | ItemError]:
        fault = self._met("bodies", ref)
        for number, (uid, stored) in enumerate(self._returned(ref, uids)):
            _raise_if_due(fault, number)
            if stored.broken:
                yield ItemError(
                    f'Message {uid} of "{ref}" of {self.mailbox.who} cannot be read.', locator=str(uid)
                )
                continue
            view = memoryview(stored.raw)
            yield RawMessage(uid, view)
            with suppress(BufferError):  # a slice of it is still looked at
                view.release()  # whoever keeps it longer than promised gets an error, as with a spool file
        _raise_if_due(fault, fault.after if fault else 0)

    def holds(self, ref: str, message_id: str, *, word: str = "") -> bool:
        self._meet("holds", ref)
        fields = frozenset({"message-id", "subject"})
        heads = (
            read_envelope(header_fields(stored.raw, fields))
            for stored in self.mailbox.opened(ref).messages.values()
        )
        return any(h.message_id == message_id and word.lower() in h.subject.lower() for h in heads)

    def put(self, ref: str, content: bytes, *, draft: bool = False) -> None:
        fault = self._met("put", ref)
        if fault is not None and fault.after == 0:
            raise fault.make()
        self.mailbox.opened(ref)
        self.mailbox.deliver(ref, content, keywords=("\\Draft", "\\Seen") if draft else ())
        if fault is not None:
            raise OutcomeUnknown(f"The connection of {self.mailbox.who} was dropped over an answer.")

    def _returned(self, ref: str, uids: Sequence[int]) -> list[tuple[int, _Stored]]:
        messages = self._opened(ref).messages
        return [(u, messages[u]) for u in sorted(set(uids)) if u in messages and not messages[u].withheld]

    def _opened(self, ref: str) -> _Folder:
        folder = self.mailbox.opened(ref)
        if self._epochs.setdefault(ref, folder.epoch) != folder.epoch:
            raise CollectionError(
                f'The folder "{ref}" of {self.mailbox.who} was replaced while it was read.', collection=ref
            )
        return folder

    def _met(self, call: str, ref: str = "") -> _Fault | None:
        if call != "connect" and not self._entered:
            raise Unreachable(f"{self.mailbox.who} is not connected.")
        fault = self.mailbox.enter(call, ref)
        if fault is not None and call not in {"heads", "bodies", "put"}:
            raise fault.make()
        return fault

    def _meet(self, call: str, ref: str = "") -> None:
        self._met(call, ref)


def header_fields(raw: bytes, wanted: frozenset[str]) -> bytes:
    """The lines of the named fields (lower-cased names), as they stand, and the closing empty line."""
    kept: list[bytes] = []
    keeps = False
    for line in raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
        if not line.startswith((b" ", b"\t")):
            keeps = line.partition(b":")[0].strip().decode("latin-1").casefold() in wanted
        if keeps:
            kept.append(line + b"\r\n")
    return b"".join([*kept, b"\r\n"])


def _raise_if_due(fault: _Fault | None, number: int) -> None:
    if fault is not None and number == fault.after:
        raise fault.make()
