"""How a person makes and changes events in the CRM: with that person's rights, all of it or nothing.

Each function works in the caller's transaction and leaves there the rows, a line of the audit log and what
the mailboxes are to be told. Raises Forbidden, NotFound, Stale where the event is at another version than
the one expected, Immutable for what is not the CRM's to change, and Invalid, which names the field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from config.language import Phrase
from connectors.calendar import Component, Item, Kind, Status, Timing
from connectors.ical.canonical import canonical
from store import calendar_rows, meeting_rows, outbox, scheduling
from store.bindings import BoundEntity
from store.calendar import Event, Origin
from store.calendar_rows import EventDraft, EventRecord, EventRow
from store.database import Transaction
from store.errors import Immutable, Invalid
from store.scheduling import Person
from syncd.core.series import (
    OccurrencesTied,
    PlaceLost,
    followed,
    occurrence_at,
    with_occurrence,
    without_occurrence,
)
from syncd.engine.calendar import attendance, belongings, content, places
from syncd.engine.calendar.belongings import Said
from syncd.engine.calendar.content import Manner
from syncd.engine.calendar.items import draft_of, item_of, settled
from syncd.engine.calendar.occasion import EventFields, Occasion, Saved
from syncd.engine.calendar.rights import editable, new_owner, ours, owner_of, record_of
from syncd.engine.calendar.words import Types, types_of

OURS = frozenset(
    {"account", "opportunity", "case_file", "internal_notes", "alt_position"}
)  # also of what others organise
SERIES = frozenset({"rrule", "owner", "account", "opportunity", "case_file"})  # never of one occurrence
PLACEHOLDER = "new"
STAMPS = frozenset({"version", "updated_at", "updated_by"})
NOBODY = Person(0, "", "")
Columns = Mapping[str, Any]


def add_event(session: Transaction, said: EventFields, occasion: Occasion) -> Saved:
    """A new event. Only subject and start are needed (R091)."""
    if not said.subject:
        raise Invalid(Phrase("subject: is needed"))
    if not said.start:
        raise Invalid(Phrase("start: a day is needed, such as 2026-12-01"))
    owner = owner_of(session, said.owner, occasion)
    types = types_of(session, occasion.actor.user_id)
    said = _with_room(_with_defaults(said, occasion, types), occasion, owner, types)
    manner = Manner(occasion.zone_of(owner), occasion.language, occasion.floating, types)
    component = content.written(Component(Timing()), said, manner)
    guests = attendance.guests(session, said.participants, owner, occasion.actor)
    component = attendance.attending(component, guests, (), owner)
    columns: dict[str, Any] = {"origin": Origin.CRM, "owner_id": owner.id}
    columns["internal_notes"] = content.several_lines("internal_notes", said.internal_notes or "")
    columns["video_provider"] = content.provider(component, said, None, occasion.providers, types)
    columns["alt_lat"], columns["alt_lon"] = content.position(said.alt_position or "")
    columns |= belongings.linked(session, _links(said), {}, occasion.actor)
    item = settled(_canonical(Item(PLACEHOLDER, Kind.EVENT, (component,))))
    setting = replace(occasion.setting(owner.id), types=types)
    deduced = draft_of(item, setting, None).rows[0].values
    account = columns.setdefault("account_id", deduced["account_id"])
    if said.opportunity is None and said.account is None:
        columns["opportunity_id"] = deduced["opportunity_id"]
    location, columns["alt_address"] = _placed(session, said.location or "", account)
    item = replace(item, components=(replace(item.main, location=location),))
    draft = _with_columns(draft_of(item, setting, None), columns)
    by = occasion.actor.user_id
    (id_,) = calendar_rows.insert_events(session, [draft], occasion.now, by=by)
    scheduling.set_columns(session, Event, id_, {"uid": occasion.uid(id_)})
    _told(session, id_, occasion, {"created": True})
    return Saved(id_, 1, changed=True, created=True)


def edit_event(
    session: Transaction,
    id_: int,
    said: EventFields,
    occasion: Occasion,
    *,
    occurrence: str | None = None,
    expected: int | None = None,
) -> Saved:
    """Changes an event, or one occurrence of a series: only what was said."""
    record = editable(session, id_, occasion, expected)
    _may_say(record, said, occurrence)
    edit = _Edit(session, record, said, occasion)
    before = item_of(record)
    attendance.missing(edit.removed, before.components)
    if occurrence is not None:
        place = places.place_of(before, occurrence, occasion.floating)
        key, was = place.key(), occurrence_at(before, place)
    else:
        key, was = before.main.key, before.main
    columns = edit.columns(_row(record, key))
    now = edit.changed(was, columns.pop("location", None))
    if said.given() & {"type", "video_url", "video_provider"}:
        row, types = _row(record, key).values, types_of(session, occasion.actor.user_id)
        columns["video_provider"] = content.provider(now, said, row, occasion.providers, types)
    after = with_occurrence(before, now) if occurrence is not None else edit.followed(before, now)
    after = settled(_canonical(after)) if after != before else before
    return _save(session, record, _Wanted(after, columns, key, edit.owner), occasion)


def cancel_event(
    session: Transaction,
    id_: int,
    occasion: Occasion,
    *,
    occurrence: str | None = None,
    expected: int | None = None,
) -> Saved:
    """Takes an event out of all calendars, or one occurrence of a series. What somebody else organises is
    only taken out of sight here (table T4, row 7)."""
    record = editable(session, id_, occasion, expected)
    if occurrence is None:
        calendar_rows.hide(session, record, occasion.now, by=occasion.actor.user_id)
        meeting_rows.cancelled(session, id_)
        _told(session, id_, occasion, {"cancelled": True})
        return Saved(id_, record.version + 1, changed=True)
    ours(record)
    before = item_of(record)
    place = places.place_of(before, occurrence, occasion.floating)
    after = settled(_canonical(without_occurrence(before, place)))
    owner = scheduling.user_of(session, record.main.values["owner_id"])
    return _save(session, record, _Wanted(after, {}, "", owner), occasion)


def tell_guests(session: Transaction, id_: int, occasion: Occasion) -> Saved:
    """Lets what waits of an event be written, and its guests be told of it: what was to be done in silence,
    which its server does not do."""
    record = record_of(session, id_, occasion, None)  # a cancelled one too: its guests do not know yet
    ours(record)
    _told(session, id_, occasion, {"told": True})
    return Saved(id_, record.version, changed=False)


def restore_event(
    session: Transaction,
    id_: int,
    occasion: Occasion,
    *,
    occurrence: str | None = None,
    expected: int | None = None,
) -> Saved:
    """Brings back an event that was cancelled, or puts one occurrence back to what the series says."""
    if occurrence is not None:
        return restore_occurrence(session, id_, occurrence, occasion, expected=expected)
    record = record_of(session, id_, occasion, expected)
    if not record.main.values["hidden"]:
        raise Invalid(
            Phrase("event {id} is not cancelled: name an --occurrence to restore one of a series", id=id_)
        )
    ours(record)
    before = item_of(record)
    components = tuple(
        replace(one, status=Status.CONFIRMED) if one.status is Status.CANCELLED else one
        for one in before.components
    )
    owner = scheduling.user_of(session, record.main.values["owner_id"])
    after = replace(before, components=components)
    return _save(session, record, _Wanted(after, {"hidden": False}, None, owner), occasion)


def restore_occurrence(
    session: Transaction, id_: int, occurrence: str, occasion: Occasion, *, expected: int | None = None
) -> Saved:
    """Puts one occurrence back to what the series says, cancelled or changed."""
    record = editable(session, id_, occasion, expected)
    ours(record)
    before = item_of(record)
    after = settled(_canonical(places.restored_at(before, occurrence, occasion.floating)))
    owner = scheduling.user_of(session, record.main.values["owner_id"])
    return _save(session, record, _Wanted(after, {}, "", owner), occasion)


# --- what was said --------------------------------------------------------------------------------


def _with_defaults(said: EventFields, occasion: Occasion, types: Types) -> EventFields:
    if said.alarm is None and occasion.default_alarm is not None:
        said = replace(said, alarm=occasion.default_alarm)
    named = said.type or said.video_url or said.video_provider or types.named(said.categories or ())
    return said if named else replace(said, type=types.default)


def _with_room(said: EventFields, occasion: Occasion, owner: Person, types: Types) -> EventFields:
    """A video call for which nobody gives a link takes place in its owner's room (R084), unless that is
    another provider's than the one wanted."""
    room = occasion.rooms.get(owner.email, "")
    if not room or said.video_url is not None or not content.is_video_call(said, types):
        return said
    wanted = (said.video_provider or "").strip().casefold()
    return replace(said, video_url=room) if wanted in {"", occasion.providers.owner(room).value} else said


def _links(said: EventFields) -> Said:
    return Said(said.account, said.opportunity, said.case_file)


def _manner(session: Transaction, record: EventRecord, occasion: Occasion) -> Manner:
    owner = scheduling.user_of(session, record.main.values["owner_id"])
    types = types_of(session, occasion.actor.user_id)
    return Manner(occasion.zone_of(owner), occasion.language, occasion.floating, types)


class _Edit:
    """What one person says of one event."""

    def __init__(
        self, session: Transaction, record: EventRecord, said: EventFields, occasion: Occasion
    ) -> None:
        self._session, self._record, self._said, self._occasion = session, record, said, occasion
        self._manner = _manner(session, record, occasion)
        self.owner = new_owner(session, record, said.owner, occasion)
        self.added = attendance.guests(session, said.participants, self.owner, occasion.actor)
        self.removed = attendance.guests(session, said.remove_participants, NOBODY, occasion.actor)

    def changed(self, was: Component, location: str | None) -> Component:
        """The component as it was said, and where it takes place from now on."""
        now = content.written(was, self._said, self._manner)
        now = now if location is None else replace(now, location=location)
        if self.added or self.removed:
            now = attendance.attending(now, self.added, self.removed, self.owner)
        if self._said.owner is not None and now.organizer:
            now = replace(now, organizer=self.owner.email)
        return now

    def followed(self, before: Item, series: Component) -> Item:
        """The item with its series changed, and single occurrences as far as they follow it."""
        if series == before.main or (len(before.components) == 1 and not before.main.timing.exdates):
            return replace(before, components=(series, *before.components[1:]))
        if before.main.timing.recurs and not series.timing.recurs:
            raise Invalid(
                Phrase(
                    "rrule: single occurrences were changed or cancelled: restore them before the series "
                    "becomes one event"
                )
            )
        try:
            item = followed(before, series, floating=self._occasion.floating)
        except OccurrencesTied:
            raise Invalid(
                Phrase(
                    "start: single occurrences were changed or cancelled, so the series cannot go between "
                    "whole days and times, or to another zone: restore them first"
                )
            ) from None
        except PlaceLost as lost:
            raise Invalid(
                Phrase(
                    "start: the changed occurrence of {day} would have no place in the series any more: "
                    "restore or cancel it first",
                    day=lost.day,
                )
            ) from None
        if not self.added and not self.removed:
            return item
        others = (
            attendance.attending(one, self.added, self.removed, self.owner) for one in item.components[1:]
        )
        return replace(item, components=(item.main, *others))

    def columns(self, row: EventRow) -> dict[str, Any]:
        """What only the CRM has, as far as it changes; and `location`, if that does."""
        said, known = self._said, row.values
        columns: dict[str, Any] = dict(
            belongings.linked(self._session, _links(said), known, self._occasion.actor)
        )
        if said.internal_notes is not None:
            columns["internal_notes"] = content.several_lines("internal_notes", said.internal_notes)
        if said.alt_position is not None:
            columns["alt_lat"], columns["alt_lon"] = content.position(said.alt_position)
        if self.owner.id != known["owner_id"]:
            columns["owner_id"] = self.owner.id
        follows = "account_id" in columns and known["editable"] and known["alt_address"] is None
        if said.location is not None or follows:
            account = columns.get("account_id", known["account_id"])
            columns["location"], columns["alt_address"] = _placed(self._session, said.location or "", account)
        return columns


def _may_say(record: EventRecord, said: EventFields, occurrence: str | None) -> None:
    given = said.given()
    if not record.main.values["editable"] and given - OURS:
        raise Immutable(
            Phrase(
                "event {id} is organised by {organizer}, who alone changes {given}; here only {ours} "
                "can change",
                id=record.id,
                organizer=record.main.values["organizer"] or Phrase("somebody else"),
                given=", ".join(sorted(given - OURS)),
                ours=", ".join(sorted(OURS)),
            )
        )
    if occurrence is not None and given & SERIES:
        raise Invalid(
            Phrase(
                "{given}: is the whole series', not one occurrence's", given=", ".join(sorted(given & SERIES))
            )
        )


def _placed(session: Transaction, text: str, account: int | None) -> tuple[str, str | None]:
    """Where it takes place: at the address given, else at the account's; and the other address (R089)."""
    text = content.one_line("location", text)
    own = belongings.address(session, account)
    return text or own, text if text and text != own else None


# --- writing --------------------------------------------------------------------------------------


def _canonical(item: Item) -> Item:
    try:
        return canonical(item)
    except ValueError as error:
        raise Invalid(Phrase("rrule: {error}", error=error)) from None


def _row(record: EventRecord, key: str) -> EventRow:
    return next((row for row in record.rows if row.key == key), record.main)


def _with_columns(draft: EventDraft, columns: Columns, key: str | None = None) -> EventDraft:
    """The draft with columns that only the CRM has: of all rows, or of one. A provider is that of the series'
    link: an occurrence that is joined elsewhere has its own."""
    rows = []
    link = draft.rows[0].values["video_url"]
    for row in draft.rows:
        mine = columns if key is None or row.key == key else {}
        if key is None and row.values["video_url"] != link:
            mine = {name: value for name, value in mine.items() if name != "video_provider"}
        rows.append(EventRow({**row.values, **mine}, row.participants) if mine else row)
    return EventDraft(tuple(rows))


@dataclass(frozen=True)
class _Wanted:
    """What an event is to be."""

    item: Item
    columns: Columns  # those that only the CRM has
    key: str | None  # the row that the columns are for; empty or None: all of them
    owner: Person


def _save(session: Transaction, record: EventRecord, wanted: _Wanted, occasion: Occasion) -> Saved:
    """Writes what differs."""
    setting = replace(occasion.setting(wanted.owner.id), types=types_of(session))
    known = record.main.values
    row = _row(record, wanted.key or "").values
    draft = _with_columns(draft_of(wanted.item, setting, record), wanted.columns, wanted.key or None)
    if wanted.item == item_of(record) and all(row[name] == new for name, new in wanted.columns.items()):
        return Saved(record.id, record.version, changed=False)
    by = occasion.actor.user_id
    if not calendar_rows.replace_event(session, record, draft, occasion.now, by=by):
        return Saved(record.id, record.version, changed=False)
    now = calendar_rows.events(session, [record.id])[record.id]
    names = {name for name, value in now.main.values.items() if known[name] != value} - STAMPS
    _told(session, record.id, occasion, {"changed": sorted(names) or ["occurrences"]})
    return Saved(record.id, now.version, changed=True)


def _told(session: Transaction, id_: int, occasion: Occasion, change: Mapping[str, object]) -> None:
    outbox.announce(session, BoundEntity.EVENT, [id_], occasion.now, by_person=True)
    scheduling.log(session, (occasion.actor, occasion.channel), ("event", id_), change, occasion.now)
