"""Writing items: each request under the change key that was read (ConflictResolution NeverOverwrite).

Exchange has one request for a series and one more for each of its occurrences. Between two of them the
process may die: so the first one leaves in the item what is still to be done (`planning.Rest`), and whoever
looks up what became of the write makes it whole. Nothing here repeats a request whose outcome is unknown.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from connectors.calendar import Component, Dress, Item, Kind, Missing, RemoteItem, When
from connectors.errors import Conflict, ItemError, OutcomeUnknown
from connectors.ews.calendar import composing, planning, requests
from connectors.ews.calendar.applying import applied, dressed
from connectors.ews.calendar.fetching import Fetcher, Held
from connectors.ews.calendar.native import Native, Unreadable
from connectors.ews.calendar.parsing import native_of, natives_of
from connectors.ews.calendar.planning import Rest, rest_of
from connectors.ews.calendar.reading import Owner, component_of, item_of, natural, uid_of
from connectors.ews.calendar.recurrence import Inexpressible, index_of
from connectors.ews.calendar.sending import Sender
from connectors.ews.calendar.shadow import shadow_of
from connectors.ews.calendar.times import is_place, place_of
from connectors.ews.calendar.wire import Wire
from connectors.ews.calendar.xml import T, own_property, own_value, t
from connectors.ical.canonical import canonical

DECLINE = "DeclineItem"


class Writer:
    """Writes the items of one session. `clock` gives the time in UTC."""

    def __init__(self, wire: Wire, fetcher: Fetcher, owner: Owner, clock: Callable[[], datetime]) -> None:
        self._wire = wire
        self._fetcher = fetcher
        self._owner = owner
        self._clock = clock
        self._sender = Sender(wire)

    # --- the operations -------------------------------------------------------------------------

    def create(self, calendar: str, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        """Raises Conflict where the UID is taken, CollectionGone where the calendar is not there."""
        with self._sayable(item.uid):
            item = canonical(item)
            made = self._made(calendar, item, dress)
        if self._fetcher.find(calendar, item.uid):
            raise Conflict(f"An item of the UID {item.uid} of {self._wire.who} is there already.")
        several = planning.needs_more(made, item, self._owner)
        if several:
            made = replace(made, own={**made.own, "rest": Rest(item, dress, notify).text(self._clock())})
        with self._sender.whole(item.uid):
            body = requests.create(composing.new(made), calendar, notify=notify, kind=item.kind)
            ref, key = self._sender.send(body, collection=calendar, item=item.uid)
            if several:
                self._settle(calendar, ref, key, Rest(item, dress, notify))
            return self._read(calendar, ref)

    def update(self, current: RemoteItem, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        """Raises Conflict where `current` is not what the server has any more."""
        with self._sayable(current.ref):
            item = canonical(item)
        if not current.version:
            current = self._unchanged(current)
        calendar = calendar_of(current.source)
        with self._sayable(current.ref):
            natives = natives_of(current.source)
            answers = planning.answers_for(item_of(natives, self._owner), item, self._owner)
            if not answers:
                plan = planning.planned(natives, item, dress, self._owner)
                if not plan.changes() and not plan.occurrences:
                    return current
        with self._sender.whole(current.ref):
            for place, answer in answers:
                natives = self._answered(calendar, natives, answer, place, notify=notify)
                if not natives:
                    return replace(current, item=item, version="")  # declined: it is in Deleted Items now
            # An occurrence that is declined is deleted.
            item = planning.without(item, [one for one, answer in answers if one and answer == DECLINE])
            return self._changed(calendar, natives, Rest(item, dress, notify))

    def delete(self, current: RemoteItem, *, notify: bool) -> None:
        """Raises Conflict where `current` is not what the server has any more."""
        calendar = calendar_of(current.source)
        held = self._fetcher.held(calendar, [current.ref])[current.ref]
        if isinstance(held, Missing):
            return
        # DeleteItem compares no change keys, so it is looked at first.
        if isinstance(held, ItemError):
            raise held
        if current.version and held.version != current.version:
            raise Conflict(f"The item {current.ref} of {self._wire.who} was changed by somebody else.")
        if not current.version:
            current = self._unchanged(current)
        native = natives_of(current.source)[0]
        declines = notify and self._is_guest(current.item) and native.answer != "Decline"
        with self._sender.whole(current.ref):
            if declines and not native.cancelled:
                body = requests.respond(DECLINE, native.id, native.change_key, notify=True)
                self._sender.tell(body, current.ref)
                return
            body = requests.delete(
                requests.item_id(current.ref, native.change_key), notify=notify, kind=native.kind
            )
            self._sender.tell(body, current.ref, absent_is_fine=True)

    def find(self, calendar: str, uid: str) -> RemoteItem | None:
        """The item of exactly that UID, made whole where a write of it was cut off. Raises ItemError."""
        unreadable: ItemError | None = None
        for ref, held in self._fetcher.find(calendar, uid).items():
            if isinstance(held, ItemError):
                unreadable = held
                continue
            found = self._completed(calendar, ref, held) if held.rest else self._fetcher.outcome(ref, held)
            if isinstance(found, RemoteItem):
                return found
            unreadable = found
        if unreadable is not None:
            raise unreadable
        return None

    # --- steps ----------------------------------------------------------------------------------

    def _made(self, calendar: str, item: Item, dress: Dress) -> Native:
        if item.kind is not self._fetcher.kind(calendar):
            raise Inexpressible(f"the folder takes no {item.kind.value}")
        if not item.uid:
            raise Inexpressible("an item without a UID")
        main = item.main
        if main.recurrence_id is not None:
            raise Inexpressible("an occurrence without its series")
        if main.organizer and main.attendees and main.organizer not in self._owner.emails:
            raise Inexpressible("only its organizer can make a meeting")
        blank = Native(item.kind, uid=item.uid, organizer=next(iter(sorted(self._owner.emails)), ""))
        made = dressed(applied(blank, main, self._owner, fresh=True), item, dress, main, fresh=True)
        planning.check_occurrences(made, item, self._owner)
        return made

    def _changed(self, calendar: str, natives: Sequence[Native], rest: Rest) -> RemoteItem:
        """Makes of an item what `rest` says."""
        master = natives[0]
        with self._sayable(master.id):
            plan = planning.planned(natives, rest.item, rest.dress, self._owner)
        key, mark = master.change_key, ""
        if plan.drops:
            before = component_of(master, self._owner) if plan.again else None
            mark = replace(rest, before=before).text(self._clock())
        if plan.again:
            changes = [t("DeleteItemField", None, t("FieldURI", None, FieldURI="calendar:Recurrence"))]
            if mark:
                changes.append(_set_rest(mark))
            key = self._sender.update(master.id, key, changes, master.kind, notify=False)
        changes = plan.changes(mark)
        if changes:
            key = self._sender.update(master.id, key, changes, master.kind, notify=rest.notify)
        if plan.occurrences or mark or "rest" in master.own:
            self._settle(calendar, master.id, key, rest)
        return self._read(calendar, master.id)

    def _settle(self, calendar: str, ref: str, key: str, rest: Rest, *, late: bool = False) -> None:
        """Makes the occurrences of a series what they are to be, one by one, and takes the note of what is to
        be done off. Those that are right already are left alone; so are, `late`, all that differ from their
        series by now: either they are done, or a person was there first. One that the server refuses costs
        none of the others; raises ItemError at the end then."""
        held = self._held(calendar, ref)
        if held.version != key:
            raise Conflict(f"The item {ref} of {self._wire.who} was changed by somebody else.")
        refused: list[ItemError | Inexpressible | Unreadable] = []
        try:
            for step in self._steps(held, rest, late=late):
                try:
                    step()
                except (ItemError, Inexpressible, Unreadable) as error:
                    refused.append(error)
        except Unreadable as error:
            refused.append(error)
        self._clear(calendar, ref)
        if refused:
            raise ItemError(f"The item {ref} of {self._wire.who}: {refused[0]}", locator=ref) from refused[0]

    def _steps(self, held: Held, rest: Rest, *, late: bool) -> Iterator[Callable[[], None]]:
        """What is to be done, each for one occurrence. Raises Unreadable."""
        natives = [native_of(one) for one in held.elements]
        master, main = natives[0], component_of(natives[0], self._owner)
        excluded = {one.key() for one in main.timing.exdates}
        for at in rest.item.main.timing.exdates:
            if at.key() not in excluded and is_place(master, main.timing, at):
                yield partial(self._removed, master, at, rest)
        there = {component_of(one, self._owner, master).key: one for one in natives[1:]}
        for override in rest.item.components[1:]:
            known = there.pop(override.key, None)
            if not late or (known is None and override.key not in excluded):
                yield partial(self._override, master, override, rest, known)
        if late:
            return
        wanted = {one.key() for one in rest.item.main.timing.exdates}
        for key, one in there.items():
            if key not in wanted:
                yield partial(self._reverted, master, one, rest)

    def _removed(self, master: Native, at: When, rest: Rest) -> None:
        found = self._occurrence(master, at)
        if found is not None:
            reference = requests.item_id(found.id, found.change_key)
            body = requests.delete(reference, notify=rest.notify, kind=Kind.EVENT)
            self._sender.tell(body, master.id)

    def _override(self, master: Native, target: Component, rest: Rest, known: Native | None) -> None:
        at = target.recurrence_id
        if known is not None and component_of(known, self._owner, master) == target:
            return
        native = None if at is None else self._occurrence(master, at)
        if native is None:
            raise Inexpressible("a changed occurrence that is deleted at the server")
        made = applied(native, target, self._owner, master=master)
        made = dressed(made, rest.item, rest.dress, target, fresh=known is None)
        changes = composing.changes(native, made)
        if changes:
            self._sender.update(native.id, native.change_key, changes, native.kind, notify=rest.notify)

    def _reverted(self, master: Native, known: Native, rest: Rest) -> None:
        """An occurrence that is to be as its series has it: Exchange keeps it as a changed one for good."""
        at = component_of(known, self._owner, master).recurrence_id
        native = None if at is None else self._occurrence(master, at)
        if native is None:
            return
        made = applied(native, natural(rest.item.main, at), self._owner, master=master)
        shadow = replace(shadow_of(made.own.get("state", "")), natural=True)
        made = replace(made, own={**made.own, "state": shadow.text()})
        changes = composing.changes(native, made)
        if changes:
            self._sender.update(native.id, native.change_key, changes, native.kind, notify=rest.notify)

    def _occurrence(self, master: Native, at: When) -> Native | None:
        """The occurrence that the series has at that time; None where it is deleted."""
        day = at.local.date() if isinstance(at.local, datetime) else at.local
        index = index_of(master.series, day) if master.series is not None else None
        if index is None:
            raise Inexpressible("a changed occurrence that is none of its series")
        (found,) = self._fetcher.occurrences(master.id, [index])
        if found is None:
            return None
        native = native_of(found)
        there = place_of(native, shadow_of(native.own.get("state", "")), master, self._owner.zone)
        if there is None or there.key() != at.key():
            raise Inexpressible("the server counts the occurrences of the series in another way")
        return native

    def _answered(
        self, calendar: str, natives: Sequence[Native], answer: str, place: When | None, *, notify: bool
    ) -> list[Native]:
        """Says the owner's answer, of one occurrence where its place is given. Returns the item as it is
        then; nothing where it is not there."""
        ref = natives[0].id
        with self._sayable(ref):
            asked = natives[0] if place is None else self._occurrence(natives[0], place)
        if asked is None:
            raise Conflict(f"An occurrence of the item {ref} of {self._wire.who} is not there any more.")
        self._sender.tell(requests.respond(answer, asked.id, asked.change_key, notify=notify), ref)
        held = self._fetcher.held(calendar, [ref])[ref]
        if isinstance(held, ItemError):
            raise held
        return [] if isinstance(held, Missing) else [native_of(one) for one in held.elements]

    def _completed(self, calendar: str, ref: str, held: Held) -> RemoteItem | ItemError:
        """Goes on where a write was cut off, unless somebody has moved the series since. What a person has
        changed otherwise stays."""
        try:
            natives = [native_of(one) for one in held.elements]
            rest = rest_of(held.rest, uid_of(natives[0]), natives[0].kind)
            with self._sender.whole(ref):
                master = natives[0]
                if rest is None or not planning.same_clock(master, rest, self._owner):
                    self._clear(calendar, ref)
                    return self._read(calendar, ref)
                left = planning.remaining(master, rest, self._owner)
                if master.series is None:
                    return self._changed(calendar, natives, left)
                with suppress(ItemError):  # the next update meets it again, and says so
                    self._settle(calendar, ref, master.change_key, left, late=True)
                return self._read(calendar, ref)
        except (Unreadable, Inexpressible) as error:
            return self._fetcher.unreadable(ref, f"{error}.")
        except (Conflict, OutcomeUnknown) as error:
            if isinstance(error, OutcomeUnknown) and error.then is not None:
                raise error.then from error
            return ItemError(f"{error}", locator=ref)

    def _clear(self, calendar: str, ref: str) -> None:
        held = self._held(calendar, ref)
        if held.rest:
            native = native_of(held.elements[0])
            changes = [t("DeleteItemField", None, own_property("rest"))]
            self._sender.update(ref, native.change_key, changes, native.kind, notify=False)

    # --- looking ---------------------------------------------------------------------------------

    def _held(self, calendar: str, ref: str) -> Held:
        held = self._fetcher.held(calendar, [ref])[ref]
        if isinstance(held, Missing):
            raise Conflict(f"The item {ref} of {self._wire.who} is not there any more.")
        if isinstance(held, ItemError):
            raise held
        return held

    def _read(self, calendar: str, ref: str) -> RemoteItem:
        held = self._held(calendar, ref)
        found = self._fetcher.outcome(ref, held)
        if isinstance(found, ItemError):
            raise found
        return found

    def _unchanged(self, current: RemoteItem) -> RemoteItem:
        """The item as the server has it now, if it still says the same."""
        found = self._read(calendar_of(current.source), current.ref)
        if found.item != current.item:
            raise Conflict(f"The item {current.ref} of {self._wire.who} was changed by somebody else.")
        return found

    def _is_guest(self, item: Item) -> bool:
        own = item.main.attendee(self._owner.emails)
        organizer = item.main.organizer
        return own is not None and bool(organizer) and organizer not in self._owner.emails

    @contextmanager
    def _sayable(self, ref: str) -> Iterator[None]:
        try:
            yield
        except ValueError as error:  # Inexpressible and Unreadable among them
            raise ItemError(
                f"The item {ref} of {self._wire.who} cannot be written: {error}.", locator=ref
            ) from error


def _set_rest(mark: str) -> Element:
    return t("SetItemField", None, own_property("rest"), t("CalendarItem", None, own_value("rest", mark)))


def calendar_of(source: bytes) -> str:
    """The folder that the item was in when it was read."""
    first = next(iter(ET.fromstring(source)), None)  # noqa: S314 - of `source_of`
    parent = None if first is None else first.find(f"{T}ParentFolderId")
    return "" if parent is None else parent.get("Id", "")
