"""Reading items: a master and its exceptions in two requests for a whole batch of items."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from connectors.calendar import Kind, Missing, RemoteItem
from connectors.errors import ItemError, SyncdError
from connectors.ews import failures
from connectors.ews.calendar import batches, folders, requests
from connectors.ews.calendar.native import Unreadable
from connectors.ews.calendar.parsing import KINDS, native_of, natives_of, source_of
from connectors.ews.calendar.reading import UNNAMED, Owner, item_of, rest_in, uid_of
from connectors.ews.calendar.wire import Refusal, Wire
from connectors.ews.calendar.xml import M, T, local

BATCH = 50  # items a request; each may hold a body
GONE = frozenset({
    "ErrorItemNotFound", "ErrorInvalidIdMalformed", "ErrorInvalidId", "ErrorInvalidIdEmpty",
    "ErrorInvalidIdMalformedEwsLegacyIdFormat",
})  # fmt: skip
_ABSENT_OCCURRENCE = GONE | {"ErrorCalendarOccurrenceIsDeletedFromRecurrence"}

Outcome = RemoteItem | Missing | ItemError


@dataclass(frozen=True, slots=True)
class Held:
    """An item as the server has it: its element and those of its exceptions."""

    elements: tuple[Element, ...] = field(repr=False)

    @property
    def version(self) -> str:
        """The change key: one of an exception changes its master's."""
        identity = self.elements[0].find(f"{T}ItemId")
        return "" if identity is None else identity.get("ChangeKey", "")

    @property
    def rest(self) -> str:
        """What a write that was cut off still has to do (`connectors.ews.calendar.writing`)."""
        return rest_in(native_of(self.elements[0]))


class Fetcher:
    """Reads the items of one session. `kinds` tells what each calendar holds, as discovery told."""

    def __init__(self, wire: Wire, owner: Owner, kinds: Mapping[str, Kind]) -> None:
        self._wire = wire
        self._owner = owner
        self._kinds = kinds

    def kind(self, calendar: str) -> Kind:
        """What the calendar holds; raises CollectionGone where there is none."""
        if calendar not in self._kinds:
            folders.require(self._wire, calendar)
        return self._kinds.get(calendar, Kind.EVENT)

    def read(self, calendar: str, refs: Sequence[str]) -> Iterator[Outcome]:
        """Each ref once. Raises CollectionGone, CollectionRefused."""
        wanted = list(dict.fromkeys(refs))
        for start in range(0, len(wanted), BATCH):
            held = self.held(calendar, wanted[start : start + BATCH], each_alone=True)
            if any(isinstance(one, Missing) for one in held.values()):
                folders.require(self._wire, calendar)  # nothing is gone but from a folder that is there
            for ref, one in held.items():
                yield self.outcome(ref, one) if isinstance(one, Held) else one

    def held(
        self, calendar: str, refs: Sequence[str], *, each_alone: bool = False
    ) -> dict[str, Held | Missing | ItemError]:
        """The items as they are, by ref. `each_alone`: what the server fails over is an ItemError; else, and
        between the requests of a write, Unreachable."""
        kind = self.kind(calendar)
        found: dict[str, Held | Missing | ItemError] = {}
        masters: dict[str, Element] = {}
        answers = self._get(kind, [requests.item_id(one) for one in refs], each_alone=each_alone)
        for ref, answer in zip(refs, answers, strict=True):
            if isinstance(answer, Refusal):
                found[ref] = Missing(ref) if answer.code in GONE else self._refused(ref, answer)
            elif _elsewhere(answer, calendar):
                found[ref] = Missing(ref)
            else:
                found[ref], masters[ref] = Held((answer,)), answer
        wanted = {ref: ids for ref, one in masters.items() if (ids := _exceptions(one))}
        every = [(ref, one) for ref, ids in wanted.items() for one in ids]
        parts: dict[str, list[Element]] = {ref: [masters[ref]] for ref in wanted}
        for start in range(0, len(every), BATCH):
            batch = every[start : start + BATCH]
            asked = [requests.item_id(one) for _, one in batch]
            answers = self._get(kind, asked, each_alone=each_alone)
            for (ref, _), answer in zip(batch, answers, strict=True):
                if isinstance(answer, Refusal):
                    found[ref] = self._refused(ref, answer)
                else:
                    parts[ref].append(answer)
        for ref, elements in parts.items():
            if isinstance(found[ref], Held):
                found[ref] = Held(tuple(elements))
        return found

    def occurrences(self, master: str, indexes: Sequence[int]) -> list[Element | None]:
        """Occurrences by their numbers; None for one that is deleted."""
        answers = self._get(Kind.EVENT, [requests.occurrence_id(master, one) for one in indexes])
        found: list[Element | None] = []
        for answer in answers:
            if not isinstance(answer, Refusal):
                found.append(answer)
            elif answer.code in _ABSENT_OCCURRENCE:
                found.append(None)
            else:
                raise self._refused(master, answer)
        return found

    def outcome(self, ref: str, held: Held) -> RemoteItem | ItemError:
        """The item that it is; an ItemError, not raised, where it cannot be read."""
        source = source_of(list(held.elements))
        try:
            natives = natives_of(source)
            if rest_in(natives[0]):
                return self.unreadable(ref, "A change to it is half made; it is made whole first.")
            return RemoteItem(ref, held.version, item_of(natives, self._owner), source)
        except Unreadable as error:
            return self.unreadable(ref, f"{error}.")

    def find(self, calendar: str, uid: str) -> dict[str, Held | ItemError]:
        """What has exactly that UID, by ref."""
        kind = self.kind(calendar)
        unnamed = uid.startswith(UNNAMED)
        refs = [uid.removeprefix(UNNAMED)] if unnamed else self._search(calendar, uid, kind)
        found: dict[str, Held | ItemError] = {}
        for ref, one in self.held(calendar, refs, each_alone=True).items() if refs else ():
            if isinstance(one, ItemError):
                found[ref] = one
            elif isinstance(one, Held):
                try:
                    if uid_of(native_of(one.elements[0])) == uid:
                        found[ref] = one
                except Unreadable as error:
                    found[ref] = self.unreadable(ref, f"{error}.")
        if not found:
            folders.require(self._wire, calendar)
        return found

    def unreadable(self, ref: str, reason: str) -> ItemError:
        """The error for an item that is there and is not understood."""
        return ItemError(f"The item {ref} of {self._wire.who} cannot be read: {reason}", locator=ref)

    def _search(self, calendar: str, uid: str, kind: Kind) -> list[str]:
        (answer,) = self._wire.ask(requests.find_uid(calendar, uid, kind), collection=calendar)
        if isinstance(answer, Refusal):
            raise self._wire.error(answer, collection=calendar)
        ids = (one.find(f"{T}ItemId") for one in answer.iter() if local(one) in KINDS)
        return [one.get("Id", "") for one in ids if one is not None]

    def _get(
        self, kind: Kind, ids: Sequence[Element], *, each_alone: bool = False
    ) -> list[Element | Refusal]:
        if each_alone:
            answers = batches.each(self._wire, kind, ids)
        else:
            answers = self._wire.ask(requests.get_items(kind, ids)) if ids else []
        return [one if isinstance(one, Refusal) else _item_in(one) for one in answers]

    def _refused(self, ref: str, refusal: Refusal) -> ItemError:
        if isinstance(refusal.error, SyncdError):
            return self.unreadable(ref, f"The answer breaks over it. {refusal.error}")
        if refusal.code in failures.BROKEN:
            return self.unreadable(ref, f"The server fails over it ({refusal.code}).")
        error = self._wire.error(refusal, item=ref)
        return error if isinstance(error, ItemError) else ItemError(f"{error}", locator=ref)


def _item_in(answer: Element) -> Element:
    items = answer.find(f"{M}Items")
    return next(iter(items if items is not None else ()), answer)


def _elsewhere(item: Element, calendar: str) -> bool:
    """Whether it lies in another folder by now."""
    parent = item.find(f"{T}ParentFolderId")
    return parent is not None and parent.get("Id", "") != calendar


def _exceptions(item: Element) -> list[str]:
    path = f"{T}ModifiedOccurrences/{T}Occurrence/{T}ItemId"
    return [one.get("Id", "") for one in item.findall(path)]
