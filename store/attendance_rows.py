"""Who was in a meeting: what its attendance reports asked of the store, and what is kept of them for people.

`meeting_evidence.detail` names users and contacts by their ids, others by name and address, and these only as
far as somebody needs them to make a contact of one. `erase` takes such a person out of it again.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from store.calendar import IS_VIDEO, Event
from store.calendar_rows import event_ids
from store.contacts import Contact
from store.ledger import chunked
from store.meetings import Grade, MeetingEvidence, MeetingRecord
from store.users import User

PAGE = 500  # reports looked at together
CAME, STAYED_AWAY, UNPLANNED = "came", "did not come", "not planned"


@dataclass(frozen=True, slots=True)
class Person:
    """A user or a contact, as far as somebody is recognised by it."""

    name: str
    emails: tuple[str, ...]  # lower-cased


@dataclass(frozen=True, slots=True)
class AttendanceRow:
    """Somebody who was expected in a meeting, or who came to it."""

    who: str
    email: str  # empty for users and contacts: their records have it
    attendance: str
    minutes: int | None  # of presence; None for who did not come
    user_id: int | None
    contact_id: int | None


@dataclass(frozen=True, slots=True)
class Roll:
    """What all reports of one occurrence say together."""

    key: str
    held: bool | None  # False: never were two people there at once; None: the reports do not tell
    rows: tuple[AttendanceRow, ...]
    more: int  # unplanned people beyond those that are kept

    @property
    def told(self) -> str:
        """Whether the meeting took place, for people."""
        if self.held is None:
            return "not told by the report"
        return "yes" if self.held else "no: never were two people there at the same time"


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who came to a meeting, and whom the CRM does not know."""

    email: str
    name: str
    event_id: int


def video_events_between(session: Session, start: datetime, end: datetime) -> list[int]:
    """The ids of events that may have a video meeting in that stretch, deleted ones included."""
    overlaps = (Event.start < end) & (Event.end > start)
    recurs = Event.series_rrule.is_not(None) | Event.timing["rdates"].as_string().is_not(None)
    videos = select(func.coalesce(Event.series_id, Event.id)).where(IS_VIDEO)
    mains = select(Event.id).where(
        Event.id.in_(videos), or_(overlaps, (Event.start < end) & recurs), Event.series_id.is_(None)
    )
    moved = select(Event.series_id).where(overlaps, Event.series_id.is_not(None), Event.series_id.in_(videos))
    return sorted({*session.scalars(mains), *(id_ for id_ in session.scalars(moved) if id_ is not None)})


def knows(session: Session, source: str) -> bool:
    """Whether there is evidence from this source."""
    return session.scalar(select(MeetingEvidence.id).where(MeetingEvidence.source == source)) is not None


def people(
    session: Session, contacts: Iterable[int], users: Iterable[int]
) -> tuple[dict[int, Person], dict[int, Person]]:
    """These contacts and users."""
    known = {
        one.id: Person(f"{one.first_name} {one.last_name}".strip(), one.addresses())
        for part in chunked(contacts)
        for one in session.scalars(select(Contact).where(Contact.id.in_(part)))
    }
    own = {
        one.id: Person(f"{one.first_name} {one.last_name}".strip(), (one.email, *one.aliases))
        for part in chunked(users)
        for one in session.scalars(select(User).where(User.id.in_(part)))
    }
    return known, own


# --- for people -----------------------------------------------------------------------------------


def rolls(session: Session, uid: str, key: str | None = None) -> tuple[Roll, ...]:
    """What is known of who came: to each occurrence of an event, or to one, by its place in the series."""
    query = select(MeetingEvidence).where(
        MeetingEvidence.uid == uid, MeetingEvidence.grade == Grade.ATTENDANCE
    )
    if key is not None:
        query = query.where(MeetingEvidence.recurrence_key == key)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in session.scalars(query.order_by(MeetingEvidence.recurrence_key, MeetingEvidence.id)):
        found.setdefault(one.recurrence_key, []).append(one.detail)
    return tuple(_roll(session, place, details) for place, details in found.items())


def of_activity(session: Session, activity_id: int) -> Roll | None:
    """Who came to the meeting that became this activity; None where no report tells."""
    record = session.get(MeetingRecord, activity_id)
    if record is None:
        return None
    return next(iter(rolls(session, record.uid, record.recurrence_key)), None)


def _roll(session: Session, key: str, details: Sequence[Mapping[str, Any]]) -> Roll:
    came: dict[str, list[Mapping[str, Any]]] = {}
    unplanned: dict[str, list[Mapping[str, Any]]] = {}
    expected: dict[str, None] = {}
    for detail in details:
        for one in detail["present"]:
            came.setdefault(one["who"], []).append(one)
        for one in detail["unplanned"]:
            unplanned.setdefault(_who(one), []).append(one)
        expected |= dict.fromkeys([*(one["who"] for one in detail["present"]), *detail["absent"]])
    names = _names(session, [*expected, *unplanned])
    rows = [_row(who, names, CAME if who in came else STAYED_AWAY, came.get(who), "") for who in expected]
    rows += [
        _row(who, names, UNPLANNED, entries, str(entries[0].get("name", "")))
        for who, entries in unplanned.items()
        if who not in expected
    ]
    told = [detail["held"] for detail in details]
    held = True if True in told else None if None in told else False
    return Roll(key, held, tuple(rows), sum(detail.get("more", 0) for detail in details))


def _who(entry: Mapping[str, Any]) -> str:
    """What tells an unplanned person from the others."""
    who: str = entry.get("who") or ("email:" + entry["email"] if entry["email"] else "name:" + entry["name"])
    return who


def _row(
    who: str,
    names: Mapping[str, str],
    attendance: str,
    entries: Sequence[Mapping[str, Any]] | None,
    shown: str,
) -> AttendanceRow:
    kind, _, rest = who.partition(":")
    email = rest if kind == "email" else ""
    return AttendanceRow(
        who=names.get(who) or shown or rest,
        email=email,
        attendance=attendance,
        minutes=None if entries is None else round(_seconds(entries) / 60),
        user_id=int(rest) if kind == "user" else None,
        contact_id=int(rest) if kind == "contact" else None,
    )


def _seconds(entries: Sequence[Mapping[str, Any]]) -> int:
    """Presence over several reports: those of one session, downloaded twice, count once."""
    total, until = 0, ""
    for one in sorted(entries, key=lambda entry: (entry.get("first") or "", entry.get("last") or "")):
        first, last = one.get("first") or "", one.get("last") or ""
        total = total + one["seconds"] if first and until and first >= until else max(total, one["seconds"])
        until = max(until, last)
    return total


def _names(session: Session, keys: Iterable[str]) -> dict[str, str]:
    ids: dict[str, list[int]] = {"contact": [], "user": []}
    for key in keys:
        kind, _, rest = key.partition(":")
        if kind in ids:
            ids[kind].append(int(rest))
    contacts, users = people(session, ids["contact"], ids["user"])
    return {
        **{f"contact:{id_}": one.name for id_, one in contacts.items()},
        **{f"user:{id_}": one.name for id_, one in users.items()},
    }


# --- strangers ------------------------------------------------------------------------------------


def strangers(session: Session, since: datetime) -> list[Stranger]:
    """Who came to meetings whose reports were dropped since that moment, has an address, and is neither user
    nor contact; each once, the newest last."""
    found: dict[str, tuple[str, str]] = {}
    for one in _pages(session, since=since):
        for entry in one.detail["unplanned"]:
            if email := entry.get("email"):
                found[email] = (entry["name"], one.uid)
    for part in chunked(list(found)):
        for address in _known(session, part):
            found.pop(address, None)
    ids = event_ids(session, {uid for _, uid in found.values()})
    return [Stranger(email, name, ids[uid]) for email, (name, uid) in found.items() if uid in ids]


def _known(session: Session, addresses: Sequence[str]) -> set[str]:
    """Which of these are addresses of contacts or users."""
    known: set[str] = set()
    for column in (Contact.email, Contact.email2, Contact.email3):
        query = select(column).where(Contact.deleted_at.is_(None), column.in_(addresses))
        known.update(address for address in session.scalars(query) if address)
    for email, aliases in session.execute(select(User.email, User.aliases).where(User.active)):
        known.update((email, *aliases))
    return known


def stranger_name(session: Session, event_id: int, email: str) -> str | None:
    """What somebody was called who came to the event unplanned; None where nobody with that address did."""
    uid = select(Event.uid).where(Event.id == event_id).scalar_subquery()
    query = select(MeetingEvidence).where(
        MeetingEvidence.uid == uid, MeetingEvidence.grade == Grade.ATTENDANCE
    )
    names = [
        str(entry["name"])
        for one in session.scalars(query)
        for entry in one.detail["unplanned"]
        if entry.get("email") == email
    ]
    return max(names, key=len, default=None)


def relink(session: Session, email: str, contact_id: int) -> None:
    """Who came with that address is that contact from now on."""
    for one in _pages(session):
        entries = one.detail["unplanned"]
        if any(entry.get("email") == email for entry in entries):
            named = [
                {"who": f"contact:{contact_id}", "seconds": entry["seconds"], "first": entry.get("first"),
                 "last": entry.get("last")} if entry.get("email") == email else entry
                for entry in entries
            ]  # fmt: skip
            _rewrite(session, one, {**one.detail, "unplanned": named})


def mentions(
    session: Session, addresses: Collection[str], contact_id: int | None, names: Collection[str] = ()
) -> int:
    """How many attendance reports name one of these people."""
    gone = _gone(addresses, contact_id, names)
    return sum(_without(one.detail, gone) != one.detail for one in _pages(session))


def of_person(session: Session, keys: Collection[str]) -> list[dict[str, Any]]:
    """What the reports say of somebody by one of these keys, such as "contact:5"; of nobody else."""
    found = []
    for one in _pages(session):
        present = one.detail.get("present") or []
        said = [entry for entry in present if entry["who"] in keys]
        said += [entry for entry in one.detail.get("unplanned") or [] if _who(entry) in keys]
        away = any(who in keys for who in one.detail.get("absent") or [])
        if said or away:
            place = {"uid": one.uid, "occurrence": one.recurrence_key}
            found.append({**place, "came": said, "did_not_come": away})
    return found


def erase(
    session: Session, addresses: Collection[str], contact_id: int | None, names: Collection[str] = ()
) -> int:
    """Takes these people out of who was in meetings; returns of how many reports. `names` are of people who
    are known by nothing else."""
    changed = 0
    gone = _gone(addresses, contact_id, names)
    for one in _pages(session):
        left = _without(one.detail, gone)
        if left != one.detail:
            _rewrite(session, one, left)
            changed += 1
    return changed


def _gone(addresses: Collection[str], contact_id: int | None, names: Collection[str]) -> Collection[str]:
    known = {f"email:{address}" for address in addresses} | {f"contact:{contact_id}"}
    return known | {_folded(f"name:{name}") for name in names}


def _folded(who: str) -> str:
    """A name whatever its capitals and spaces; other keys as they are."""
    return " ".join(who.split()).casefold() if who.startswith("name:") else who


def _without(detail: dict[str, Any], gone: Collection[str]) -> dict[str, Any]:
    if detail.get("present") is None:
        return detail
    return {
        **detail,
        "present": [one for one in detail["present"] if one["who"] not in gone],
        "absent": [who for who in detail["absent"] if who not in gone],
        "unplanned": [one for one in detail["unplanned"] if _folded(_who(one)) not in gone],
    }


def _rewrite(session: Session, one: MeetingEvidence, detail: Mapping[str, Any]) -> None:
    session.execute(
        update(MeetingEvidence)
        .where(MeetingEvidence.id == one.id)
        .values(detail=dict(detail))
        .execution_options(synchronize_session=False)
    )


def _pages(session: Session, since: datetime | None = None) -> Iterator[MeetingEvidence]:
    """Every attendance report, a page at a time."""
    last = 0
    while True:
        query = select(MeetingEvidence).where(
            MeetingEvidence.grade == Grade.ATTENDANCE, MeetingEvidence.id > last
        )
        if since is not None:
            query = query.where(MeetingEvidence.at >= since)
        found = session.scalars(query.order_by(MeetingEvidence.id).limit(PAGE)).all()
        yield from found
        if len(found) < PAGE:
            return
        last = found[-1].id
        session.expunge_all()
