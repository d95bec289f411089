"""Numbers for messages of servers that have none: the engine counts messages, as IMAP does.

Exchange knows a message by an id without an order, and a folder's changes by a sync state. A *numbering*
keeps both: each id gets the next number of its folder when it is first seen and keeps it as long as the
message is there; a number is never given twice. So the ledger, the queue and the audit work as they do
with UIDs, and a sync state that the server forgot costs a listing but no message its number.

Connectors do not know the store: what they need of it is a protocol here, and `syncd.daemon.wiring` joins
them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Numbered:
    """How far the numbering of a folder has come."""

    state: str = ""  # the server's sync state; empty: never listed to the end of its first page
    last: int = 0  # the last number given
    count: int = 0  # messages that have one now


class Numbering(Protocol):
    """The numbers of one mailbox. A `folder` is the server's id of it, not its name.

    What is written is written together or not at all. Two processes may number the same folder: who
    comes second is told by None, and looks again.
    """

    def folders(self) -> Sequence[str]:
        """The folders of whose messages any have numbers."""
        ...

    def read(self, folder: str) -> Numbered:
        """What is known of the folder; nothing at all where it was never seen."""
        ...

    def note(
        self, folder: str, before: Numbered, state: str, *, came: Sequence[str], went: Sequence[str]
    ) -> Numbered | None:
        """The server told of changes and a new sync state. Ids that are known already keep their numbers.

        None where `before` is not what is known any more: nothing was written.
        """
        ...

    def settle(self, folder: str, before: Numbered, state: str, present: Iterable[str]) -> Numbered | None:
        """The server listed the folder anew, and whole: `present` is all there is. Else as `note`."""
        ...

    def numbers(self, folder: str, above: int) -> Sequence[int]:
        """The numbers greater than `above`, ascending."""
        ...

    def ids(self, folder: str, numbers: Sequence[int]) -> Mapping[int, str]:
        """The server's ids of these numbers; those that are gone are left out."""
        ...


class MemoryNumbering:
    """Numbers that end with the process: for tests, and for looking without keeping."""

    def __init__(self) -> None:
        self._known: dict[str, Numbered] = {}
        self._ids: dict[str, dict[int, str]] = {}

    def folders(self) -> Sequence[str]:
        """The folders of whose messages any have numbers."""
        return [folder for folder, ids in self._ids.items() if ids]

    def read(self, folder: str) -> Numbered:
        """What is known of the folder."""
        return self._known.get(folder, Numbered())

    def note(
        self, folder: str, before: Numbered, state: str, *, came: Sequence[str], went: Sequence[str]
    ) -> Numbered | None:
        """Changes and a new sync state."""
        if self.read(folder) != before:
            return None
        ids = self._ids.setdefault(folder, {})
        gone = set(went)
        for number in [number for number, one in ids.items() if one in gone]:
            del ids[number]
        known = set(ids.values())
        last = before.last
        for one in dict.fromkeys(came):
            if one not in known:
                last += 1
                ids[last] = one
        self._known[folder] = replace(before, state=state, last=last, count=len(ids))
        return self._known[folder]

    def settle(self, folder: str, before: Numbered, state: str, present: Iterable[str]) -> Numbered | None:
        """A whole listing."""
        listed = list(dict.fromkeys(present))
        kept = set(listed)
        went = [one for one in self._ids.get(folder, {}).values() if one not in kept]
        return self.note(folder, before, state, came=listed, went=went)

    def numbers(self, folder: str, above: int) -> Sequence[int]:
        """The numbers greater than `above`, ascending."""
        return sorted(number for number in self._ids.get(folder, {}) if number > above)

    def ids(self, folder: str, numbers: Sequence[int]) -> Mapping[int, str]:
        """The ids of these numbers."""
        ids = self._ids.get(folder, {})
        return {number: ids[number] for number in numbers if number in ids}
