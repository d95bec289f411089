"""The columns of an event that tell of a video meeting, and what of them is the event's own word (T8, R083).

`video_url` is where the meeting is joined, however that is known. Only a link that a person or a client
*said* (CONFERENCE and its like, the CRM's own form) is a unit that travels between the CRM and the calendars.
One that was found in a text is a fact about that text: the row is marked, its unit is empty (decision 019).
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from connectors.calendar import Component, Item, Kind, Privacy
from connectors.links import links_in
from connectors.meetings import Providers
from store.activities import ActivityType
from store.calendar import VideoProvider
from store.calendar_rows import EventRecord, EventRow
from syncd.core.meetings.detection import Meeting, found_in, meeting_in
from syncd.engine.calendar.words import BUILT_IN, Type, Types

MARK = "video"  # in the column `timing`, beside the times; not there: the link was said, or there is none
FOUND = "found"
ONLINE = "online"  # Exchange says so, and nobody says where

Values = Mapping[str, Any]


def said_link(values: Values) -> str:
    """The link of a row as far as it is the event's own word: what is merged, and what is written."""
    return "" if values["timing"].get(MARK) else str(values["video_url"])


def meeting_of(component: Component, known: Values | None, providers: Providers) -> Meeting | None:
    """The meeting that the component is; `known` are the columns there were.

    What comes from the CRM tells nothing of the parts that only a server's copy has: what had been found
    there stays, until that copy is read again.
    """
    if component.privacy is not Privacy.PUBLIC:
        return _said(component, providers)
    found = meeting_in(component, providers)
    if component.video_url or component.hints is not None or known is None:
        return found
    mark = known["timing"].get(MARK)
    if mark == ONLINE and found is None:
        return Meeting("", None, said=False)
    if mark == FOUND and known["video_url"] != _in_texts(known, providers):
        return Meeting(known["video_url"], providers.owner(known["video_url"]), said=False)
    return found


def _said(component: Component, providers: Providers) -> Meeting | None:
    return meeting_in(component, providers) if component.video_url else None


def _in_texts(values: Values, providers: Providers) -> str:
    found = found_in(chain.from_iterable(links_in(values[name]) for name in ("location", "notes")), providers)
    return "" if found is None else found.url


def is_news(record: EventRecord, seen: Item, providers: Providers, types: Types = BUILT_IN) -> bool:
    """Whether a copy tells of another meeting than the record knows, though it says the same in every unit: a
    link changed where nothing but a meeting is looked for."""
    rows = {row.key: row for row in record.rows}
    told = [one for one in seen.components if one.hints is not None and one.key in rows]
    return any(_differs(rows[one.key], one, providers, types) for one in told)


def _differs(row: EventRow, seen: Component, providers: Providers, types: Types) -> bool:
    now = columns(seen, row, providers, types)
    mark = now.pop(MARK)
    return mark != row.values["timing"].get(MARK, "") or any(row.values[name] != now[name] for name in now)


def columns(
    component: Component, known: EventRow | None, providers: Providers, types: Types = BUILT_IN
) -> dict[str, Any]:
    """`type`, `type_id`, `video_provider` and `video_url` of a row, and the mark in its `timing`, to be taken
    out."""
    values = None if known is None else known.values
    meeting = meeting_of(component, values, providers)
    url = "" if meeting is None else meeting.url
    named = _type(component, values, types, online=meeting is not None)
    kind = named.kind
    provider = None if meeting is None or meeting.provider is None else VideoProvider(meeting.provider.value)
    if (
        values is not None
        and kind is ActivityType.VIDEO_CALL
        and values["video_provider"]
        and provider in (None, VideoProvider.OTHER)
        and url == values["video_url"]
    ):
        provider = values["video_provider"]  # chosen by a person, where the link does not tell
    mark = "" if meeting is None or meeting.said else FOUND if url else ONLINE
    return {
        "type": kind,
        "type_id": named.item,
        "video_provider": provider,
        "video_url": url,
        MARK: mark,
    }


def _type(component: Component, known: Values | None, types: Types, *, online: bool) -> Type:
    """The type of a row. One that a category named stays while the categories do, though the list has another
    label for it by now."""
    named = types.named(component.categories)
    kept = named is None and known is not None and known["type_id"] is not None
    if kept and known is not None and known["categories"] == sorted(component.categories):
        return Type(known["type"], known["type_id"])
    return named or types.of((), online=online)


def informed(item: Item, seen: Item | None) -> Item:
    """The item with what the server's copy hints at, as it was seen."""
    if seen is None or item.kind is not Kind.EVENT:
        return item
    hints = {key: one.hints for key, one in seen.by_key.items() if one.hints is not None}
    if not hints:
        return item
    return replace(
        item,
        components=tuple(
            replace(one, hints=hints[one.key]) if one.key in hints else one for one in item.components
        ),
    )
