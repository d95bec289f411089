"""An event or a task made of a few words (R092, table T9). `syncd.core.quick_add` reads the words; the record
is made as by hand.

Who is named is linked, and invited only where that was asked for: a name in a text must mail nobody.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from config.language import Phrase
from store import naming, scheduling, visible
from store.actors import Actor
from store.database import Transaction
from store.errors import Invalid, NotFound
from syncd.core.quick_add.parser import parse
from syncd.core.quick_add.result import Activity, Kind, Lookup, Match, Named, QuickAdd
from syncd.core.quick_add.tokens import CLOSING, OPENING
from syncd.core.quick_add.words import fold
from syncd.engine.calendar.editing import add_event
from syncd.engine.calendar.occasion import EventFields, Occasion, Saved, TaskFields
from syncd.engine.calendar.rights import owner_of
from syncd.engine.calendar.task_editing import add_task

_GAPS = re.compile(r"[\s,;]+")


def understand(session: Transaction, text: str, occasion: Occasion) -> QuickAdd:
    """What the text says, for who acts: on the clock of that user's zone, with names of the CRM, and without
    links that contradict the opportunity. Writes nothing.

    Raises QuickAddError for a text that is not understood, Invalid where who acts is no user.
    """
    zone = _zone(session, occasion)
    today = occasion.now.astimezone(zone).replace(tzinfo=None)
    found = parse(text, today, lookup_of(session, text, occasion.actor))
    return _agreeing(session, found, occasion.actor)


def make(session: Transaction, found: QuickAdd, occasion: Occasion, *, invite: bool = False) -> Saved:
    """Makes what was understood, for who acts; raises as `add_event` and `add_task`. With `invite`, a contact
    that is named takes part."""
    if found.kind is Kind.TASK:
        return add_task(session, task_fields(found), occasion)
    return add_event(session, event_fields(found, _zone(session, occasion), invite=invite), occasion)


def _zone(session: Transaction, occasion: Occasion) -> ZoneInfo:
    return ZoneInfo(occasion.zone_of(owner_of(session, None, occasion)))


def event_fields(found: QuickAdd, zone: ZoneInfo, *, invite: bool = False) -> EventFields:
    """What a person would have said to `event add`. A duration is elapsed time, also where clocks change."""
    if found.day is None:
        raise Invalid(Phrase("start: a day is needed, such as 2026-12-01"))
    if found.start is None:
        start, end = found.day.isoformat(), (found.day + timedelta(days=found.days)).isoformat()
    elif found.length is not None:
        start, end = _minute(found.start), _after(found.start.replace(tzinfo=zone), found.length)
    else:
        start, end = _minute(found.start), _minute(found.end or found.start)
    guests = tuple(f"contact:{one.match.id}" for one in found.links if one.match.kind is Named.CONTACT)
    video = found.activity is Activity.VIDEO_CALL
    return EventFields(
        subject=found.subject,
        start=start,
        end=end,
        location=found.place,
        type=None if found.activity is None else found.activity.value,
        video_url=found.url,
        video_provider="other" if video and found.url is None else None,
        account=None if found.account_id is None else str(found.account_id),
        opportunity=found.opportunity,
        participants=guests if invite else (),
        alarm=found.alarm,
    )


def task_fields(found: QuickAdd) -> TaskFields:
    """What a person would have said to `task add`; a time, which tasks do not have, is in the subject."""
    return TaskFields(
        subject=found.task_subject,
        due=None if found.day is None else found.day.isoformat(),
        location=found.place,
        account=None if found.account_id is None else str(found.account_id),
        contact=None if found.contact is None else str(found.contact.id),
        opportunity=found.opportunity,
        alarm=found.alarm,
    )


def _minute(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _after(start: datetime, length: timedelta) -> str:
    return f"{start.astimezone(UTC) + length:%Y-%m-%dT%H:%M}Z"


# --- who is named ---------------------------------------------------------------------------------


def lookup_of(session: Transaction, text: str, reader: Actor) -> Lookup:
    """Finds the contacts and accounts that the words of this text name, of those that the reader may see: as
    they are written, else without accents and case, contacts by their last name too."""
    words = set(_words(text))
    written: dict[str, list[Match]] = {}
    folded: dict[str, list[Match]] = {}
    for one in naming.contacts(session, reader):
        last = _words(one.last)
        if not words.issuperset(last):
            continue
        match = Match(Named.CONTACT, one.id, f"{one.first} {one.last}".strip(), one.account_id)
        first = _words(one.first)
        _put(written, (one.last if not one.first else f"{one.first} {one.last}",), match)
        _put(folded, {" ".join(key) for key in (last, first + last, last + first)}, match)
    for id_, name in naming.accounts(session, reader):
        key = _words(name)
        if words.issuperset(key):
            match = Match(Named.ACCOUNT, id_, name, id_)
            _put(written, (name,), match)
            _put(folded, (" ".join(key),), match)

    def lookup(asked: Sequence[str], /) -> Sequence[Match]:
        typed = " ".join(asked)
        return written.get(typed) or folded.get(" ".join(_words(typed))) or ()

    return lookup


def _words(text: str) -> list[str]:
    bare = (word.lstrip(OPENING).rstrip(CLOSING) for word in _GAPS.split(text))
    return [fold(word) for word in bare if word]


def _put(names: dict[str, list[Match]], keys: Collection[str], match: Match) -> None:
    for key in keys:
        if key:
            names.setdefault(key, []).append(match)


def _agreeing(session: Transaction, found: QuickAdd, reader: Actor) -> QuickAdd:
    """With the opportunity as the CRM writes it, and without links to accounts that it is not for."""
    if found.opportunity is None:
        return found
    reference = found.opportunity
    try:
        facts = scheduling.opportunity(session, reference)
        visible.require(session, reader, "opportunity", facts.id)
    except NotFound:
        wanted = fold(reference)
        same = [one for one in naming.references(session, reader) if fold(one) == wanted]
        if len(same) != 1:
            return found
        (reference,) = same
        facts = scheduling.opportunity(session, reference)
    links = tuple(one for one in found.links if one.match.account_id in facts.accounts)
    return replace(found, opportunity=reference, links=links)
