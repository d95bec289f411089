"""What a person says of an event, read and put into one component of it: the series, or one occurrence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from config import places
from config.language import Phrase
from connectors.calendar import Component, Privacy, Status, Timing, When
from connectors.ical.values import read_rule, write_duration
from connectors.meetings import Providers
from store import readers
from store.activities import ActivityType
from store.calendar import VideoProvider
from store.errors import Invalid
from syncd.engine.calendar import clocks
from syncd.engine.calendar.items import LONGEST_SUBJECT, alarm_minutes, minutes_before
from syncd.engine.calendar.occasion import NO_ALARM, EventFields
from syncd.engine.calendar.video import Values, meeting_of
from syncd.engine.calendar.words import VIDEO_CALL, Type, Types

T = TypeVar("T")

LONGEST_ALARM = 40320  # minutes: four weeks (R080)
LONGEST_TEXT = 100_000  # characters of notes: what servers still take
PRIVACIES = {one.value: one for one in Privacy}
STATUSES = {one.value: one for one in (Status.CONFIRMED, Status.TENTATIVE)}
UNTIL = re.compile(r"UNTIL=([0-9]{8})")
PROVIDERS = {one.value: one for one in VideoProvider}


@dataclass(frozen=True, slots=True)
class Manner:
    """How texts are read."""

    zone: str  # of times that name none
    language: str
    floating: ZoneInfo
    types: Types


def one_line(field: str, text: str, longest: int = 1000) -> str:
    """A stripped line. Raises Invalid."""
    return _text(field, text, readers.text, longest)


def position(text: str) -> tuple[Decimal | None, Decimal | None]:
    """Latitude and longitude; neither for an empty text. Raises Invalid."""
    try:
        return places.position(text.strip()) if text.strip() else (None, None)
    except ValueError as error:
        raise Invalid(Phrase("alt_position: {error}", error=error)) from None


def several_lines(field: str, text: str) -> str:
    """Stripped lines. Raises Invalid."""
    return _text(field, text, readers.lines, LONGEST_TEXT)


def _text(field: str, text: str, read: readers.Reader, longest: int) -> str:
    found = text.strip()
    try:
        found = str(read(found))
    except ValueError as error:
        raise Invalid(Phrase("{field}: {error}", field=field, error=error)) from None
    if len(found) > longest:
        raise Invalid(
            Phrase(
                "{field}: {count} characters; at most {longest} are kept",
                field=field,
                count=len(found),
                longest=longest,
            )
        )
    return found


def subject(text: str) -> str:
    """A subject, which is never empty (R077). Raises Invalid."""
    found = one_line("subject", text, LONGEST_SUBJECT)
    if not found:
        raise Invalid(Phrase("subject: may not be empty"))
    return found


def written(component: Component, said: EventFields, manner: Manner) -> Component:
    """The component with everything that was said, but for who takes part. Raises Invalid."""
    if said.subject is not None:
        component = replace(component, subject=subject(said.subject))
    if said.notes is not None:
        component = replace(component, notes=several_lines("notes", said.notes))
    if said.privacy is not None:
        component = replace(component, privacy=privacy(said.privacy))
    if said.status is not None:
        component = replace(component, status=_choice("status", said.status, STATUSES))
    if said.busy is not None:
        component = replace(component, busy=said.busy)
    if said.categories is not None:
        component = replace(component, categories=categories(said.categories))
    component = replace(component, alarms=alarms(component.alarms, said.alarm))
    return _kind(replace(component, timing=_timing(component.timing, said, manner)), said, manner)


def privacy(text: str) -> Privacy:
    """public, private or confidential. Raises Invalid."""
    return _choice("privacy", text, PRIVACIES)


def categories(texts: tuple[str, ...]) -> frozenset[str]:
    """Categories; empty texts are none. Raises Invalid."""
    return frozenset(found for text in texts if (found := one_line("category", text, 255)))


def _choice(field: str, text: str, known: Mapping[str, T]) -> T:
    try:
        return known[text.strip().casefold()]
    except KeyError:
        raise Invalid(
            Phrase(
                '{field}: "{text}" is not known; accepted: {known}',
                field=field,
                text=text[:40],
                known=", ".join(known),
            )
        ) from None


# --- alerts ---------------------------------------------------------------------------------------


def alarms(before: frozenset[str], minutes: int | None) -> frozenset[str]:
    """The alerts with another one of the CRM's; those that a client added stay (R080). Raises Invalid."""
    if minutes is None:
        return before
    if minutes != NO_ALARM and not 0 <= minutes <= LONGEST_ALARM:
        raise Invalid(
            Phrase(
                "alarm: a number of minutes from 0 to {longest_alarm} is expected",
                longest_alarm=LONGEST_ALARM,
            )
        )
    ours = alarm_minutes(before)
    kept = frozenset(one for one in before if ours is None or minutes_before(one) != ours)
    return kept if minutes == NO_ALARM else kept | {write_duration(-60 * minutes)}


# --- time -----------------------------------------------------------------------------------------


def _timing(before: Timing, said: EventFields, manner: Manner) -> Timing:
    if not said.given() & {"start", "end", "all_day", "tz", "rrule"}:
        return before
    start, end = _bounds(before, said, manner)
    timing = replace(before, start=start, end=end)
    clocks.check(timing, manner.floating)
    if said.rrule is not None:
        timing = replace(timing, rrule=_rule(said.rrule, start))
    elif timing.rrule:
        timing = replace(timing, rrule=_rule(timing.rrule, start))  # UNTIL is a day or a time, as the start
    return timing


def _bounds(before: Timing, said: EventFields, manner: Manner) -> tuple[When, When]:
    zone = clocks.read_zone(said.tz) if said.tz is not None else _zone(before) or manner.zone
    start = before.start
    if said.start is not None:
        start = clocks.read_when("start", said.start, zone)
    if start is None:
        raise Invalid(Phrase("start: a day is needed, such as 2026-12-01"))
    end = before.end if said.start is None else None
    if said.end is not None:
        end = clocks.read_when("end", said.end, zone)
    if said.all_day:
        start, end = clocks.as_day(start), _last_day(end, before, said)
    elif said.all_day is False and start.is_date:
        raise Invalid(Phrase("start: an event that is not all day needs a time: {forms}", forms=clocks.FORMS))
    if said.tz is not None:
        if start.is_date:
            raise Invalid(Phrase("tz: whole days have no time zone"))
        start = clocks.in_zone(start, zone)
        end = None if end is None else clocks.in_zone(end, zone)
    if end is None:
        end = clocks.moved(start, before) if before.start is not None else clocks.default_end(start)
    return start, end


def _last_day(end: When | None, before: Timing, said: EventFields) -> When | None:
    """The end of what becomes whole days: as it was said, else a day for each day that it touched."""
    if end is None or (said.end is None and not before.all_day):
        return None
    return clocks.as_day(end)


def _zone(timing: Timing) -> str:
    return timing.start.zone if timing.start is not None else ""


def _rule(text: str, start: When) -> str:
    rule = text.strip()
    if not rule:
        return ""
    if "\n" in rule:
        return "\n".join(sorted(_rule(line, start) for line in rule.split("\n")))
    rule = rule[len("RRULE:") :] if rule[:6].upper() == "RRULE:" else rule
    try:
        found = read_rule(rule, start)
        if (until := UNTIL.search(found)) is not None and until[1] < f"{start.local:%Y%m%d}":
            raise ValueError(Phrase("it ends (UNTIL) before it begins"))  # noqa: TRY301 - said in one way
        return found  # noqa: TRY300 - as above
    except ValueError as error:
        raise Invalid(
            Phrase("rrule: {error}; write one such as FREQ=WEEKLY;BYDAY=TU;COUNT=10", error=error)
        ) from None


# --- type and video -------------------------------------------------------------------------------


def _kind(component: Component, said: EventFields, manner: Manner) -> Component:
    url = component.video_url
    if said.video_url is not None:
        url = one_line("video_url", said.video_url, 2000)
        if url and not url.lower().startswith(("https://", "http://")):
            raise Invalid(Phrase("video_url: a link that begins with https:// is expected"))
    chosen = _chosen(said, manner.types)
    types, before = manner.types, manner.types.of(component.categories, online=bool(component.video_url))
    now = chosen or (VIDEO_CALL if said.video_url or said.video_provider else before)
    if now.kind is not ActivityType.VIDEO_CALL:
        if said.video_url or said.video_provider:
            raise Invalid(Phrase("type: only an event of type VIDEO_CALL has a video link or provider"))
        if chosen is not None:
            url = ""  # R084: changing the type away clears both
    names = component.categories
    if chosen is not None or (now != before and types.of(names, online=bool(url)) != now):
        names = frozenset(types.put(names, now, manner.language))
    return replace(component, video_url=url, categories=names)


def _chosen(said: EventFields, types: Types) -> Type | None:
    return None if said.type is None else _choice("type", said.type, types.choices)


def is_video_call(said: EventFields, types: Types) -> bool:
    """Whether a new event is called a video call. Raises Invalid."""
    chosen = _chosen(said, types)
    return bool(said.video_provider) if chosen is None else chosen.kind is ActivityType.VIDEO_CALL


def provider(
    component: Component, said: EventFields, known: Values | None, providers: Providers, types: Types
) -> VideoProvider | None:
    """The provider of a video conference: chosen, else told by the link (R084); `known` are the columns there
    were. Raises Invalid."""
    meeting = meeting_of(component, known, providers)
    told = None if meeting is None else meeting.provider
    by_link = None if told is None else VideoProvider(told.value)
    named = types.of(component.categories, online=meeting is not None)
    if named.kind is not ActivityType.VIDEO_CALL:
        return by_link
    before: VideoProvider | None = None if known is None else known["video_provider"]
    if said.video_provider:
        chosen = _choice("video_provider", said.video_provider, PROVIDERS)
        if by_link not in (None, VideoProvider.OTHER, chosen):
            raise Invalid(Phrase("video_provider: the link is another provider's"))
        return chosen
    if said.video_url is None and said.type is None:
        return before or by_link
    found = by_link or before
    if found is None:
        raise Invalid(
            Phrase(
                "video_provider: an event of type VIDEO_CALL needs a video_url or a video_provider "
                "({providers})",
                providers=", ".join(PROVIDERS),
            )
        )
    return found
