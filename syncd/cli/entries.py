"""Showing and listing events and tasks: occurrences by their own times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from config.language import Phrase
from config.words import field_word
from syncd.cli import listed_values
from syncd.cli.context import UsageError
from syncd.cli.output import as_json, clean, clean_lines, heads, plain, say, shown, table, warn

if TYPE_CHECKING:
    from connectors.calendar import Timing
    from store.attendance_rows import Roll
    from store.calendar_rows import EventRecord, EventRow
    from store.database import Transaction
    from store.entries import Participant, Wanted
    from store.report_rows import Query
    from syncd.core.distance import Position
    from syncd.core.recurrence import Occurrence

MOST = 2000  # events that are looked through
PAST = timedelta(days=30)
AHEAD = timedelta(days=365)
FIRST_YEAR, LAST_YEAR = 1601, 9990  # of a day that is asked for
LONG = frozenset({"notes", "internal_notes"})
APART = frozenset({"participants", "occurrences", "attendance", "distance_m", "type_id"})


def fields_of(session: "Transaction", kind: str, id_: int) -> dict[str, object]:
    """The record as JSON has it, with its participants and its changed occurrences."""
    from store import entries

    if kind == "task":
        return entries.task_fields(session, entries.task(session, id_))
    record = entries.event(session, id_)
    fields = entries.event_fields(session, record)
    fields |= _times(record.main)
    fields["is_video"] = entries.is_video(record.main.values)
    fields["participants"] = entries.participants(record.main)
    fields["occurrences"] = [
        _changed(row) | {"type": entries.type_code(session, row.values)} for row in record.overrides
    ]
    fields["attendance"] = _attendance(session, record)
    return fields


def _attendance(session: "Transaction", record: "EventRecord") -> "tuple[Roll, ...]":
    """Who came, as attendance reports tell; nothing of an event that is private by now."""
    from store.attendance_rows import rolls
    from store.calendar import Privacy

    if record.main.values["privacy"] is not Privacy.PUBLIC:
        return ()
    return rolls(session, record.main.values["uid"])


def _timing(row: "EventRow") -> "Timing":
    from connectors.calendar import Timing
    from syncd.core.canonical import Unit, value_from_json

    timing = value_from_json(Unit.TIMING, row.values["timing"])
    if not isinstance(timing, Timing):
        raise TypeError("timing is no timing")  # unreachable: the unit tells the type
    return timing


def _times(row: "EventRow") -> dict[str, object]:
    """Wall-clock times: what a person agreed to."""
    timing = _timing(row)
    return {
        "local_start": timing.start.local.isoformat() if timing.start else None,
        "local_end": timing.end.local.isoformat() if timing.end else None,
        "cancelled_occurrences": [one.local.isoformat() for one in timing.exdates],
    }


def _changed(row: "EventRow") -> dict[str, object]:
    from store.entries import participants

    kept = (
        "recurrence_key", "subject", "start", "end", "tz", "all_day", "location", "status", "account_id",
        "video_provider", "video_url",
    )  # fmt: skip
    values = {name: row.values[name] for name in kept}
    return {**values, **_times(row), "participants": participants(row)}


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks at an event, and from where."""

    zone: ZoneInfo
    language: str
    user_id: int | None = None  # None: an admin at the machine
    device: "Position | None" = None


def show_event(session: "Transaction", id_: int, looks: Looking, *, json: bool) -> None:
    """One event with its participants, and how far it is to its account."""
    from store.entries import event, participants
    from syncd.core.distance import told
    from syncd.engine import distances

    zone, record = looks.zone, event(session, id_)
    fields = fields_of(session, "event", id_)
    values = record.main.values
    far = distances.of_event(session, values, looks.user_id or values["owner_id"], looks.device)
    fields["distance_m"] = far
    if json:
        as_json({"event": fields})
        return
    say(Phrase("when: {span}", span=_span(record, zone)))
    if far is not None:
        say(Phrase("distance: {far}", far=told(far, looks.language)))
    fields["type"] = listed_values.reading(session, "activities").value("type", fields["type"])
    _print(fields, zone)
    people = participants(record.main)
    if people:
        say()
        _participants(people)
    for roll in _attendance(session, record):
        _came(roll, id_, zone)
    if record.overrides:
        say()
        say(Phrase("changed occurrences:"))
        table(
            heads("place", "start", "end", "subject", "location", "video", "status"),
            [
                (
                    row.key,
                    shown(row.values["start"], zone),
                    shown(row.values["end"], zone),
                    shown(row.values["subject"], zone),
                    shown(row.values["location"], zone),
                    shown(row.values["video_url"], zone),
                    shown(row.values["status"], zone),
                )
                for row in record.overrides
            ],
        )


def _participants(people: "Sequence[Participant]") -> None:
    say(Phrase("participants:"))
    table(
        heads("e-mail", "name", "kind", "answer"),
        [
            (
                shown(one.email, ZoneInfo("UTC")),
                shown(one.name, ZoneInfo("UTC")),
                shown(one.kind, ZoneInfo("UTC")),
                Phrase("organizer") if one.organizer else shown(one.response, ZoneInfo("UTC")),
            )
            for one in people
        ],
    )


def _came(roll: "Roll", id_: int, zone: ZoneInfo) -> None:
    """Who was in a meeting, and who can be made a contact."""
    say()
    say(
        Phrase("attendance on {key} (held: {held}):", key=roll.key, held=roll.told)
        if roll.key
        else Phrase("attendance (held: {held}):", held=roll.told)
    )
    table(
        heads("who", "e-mail", "attendance", "minutes"),
        [
            (shown(one.who, zone), shown(one.email, zone), one.attendance, shown(one.minutes, zone))
            for one in roll.rows
        ],
    )
    if roll.more:
        say(Phrase("and {more} more who were not planned", more=roll.more))
    for one in roll.rows:
        if one.email and one.attendance == "not planned":
            say(
                Phrase(
                    "`syncd contact from-email {email} --event {id}` makes a contact of them",
                    email=clean(one.email),
                    id=id_,
                )
            )
            break


def _span(record: "EventRecord", zone: ZoneInfo) -> str:
    """R093: on the clocks of the zone of who looks, its own zone in brackets where it is another one."""
    values = record.main.values
    if values["all_day"]:
        timing = _timing(record.main)
        last = None if timing.end is None else timing.end.local - timedelta(days=1)
        first = None if timing.start is None else timing.start.local
        return f"{first}" if first == last else Phrase("{start} to {end}", start=first, end=last)
    start, end = shown(values["start"], zone), shown(values["end"], zone)
    text = Phrase("{start} to {end}", start=start, end=end)
    return text if values["tz"] in ("", zone.key) else Phrase("{text} ({zone})", text=text, zone=values["tz"])


def show_task(session: "Transaction", id_: int, zone: ZoneInfo, *, json: bool) -> None:
    """One task."""
    fields = fields_of(session, "task", id_)
    if json:
        as_json({"task": fields})
    else:
        _print(fields, zone)


def _print(fields: dict[str, object], zone: ZoneInfo) -> None:
    long = []
    for name, value in fields.items():
        if name in LONG and value:
            long.append((name, str(value)))
        elif value not in (None, "", [], ()) and name not in APART:
            say(Phrase("{name}: {value}", name=field_word(name.rstrip("_")), value=shown(value, zone)))
    for name, text in long:
        say()
        say(Phrase("{name}:", name=field_word(name)))
        say(clean_lines(text))


# --- lists ----------------------------------------------------------------------------------------


def period(from_: str | None, to: str | None, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Both days included; by default from 30 days ago to a year ahead. Raises UsageError."""
    from config.values import parse_since
    from store.readers import day

    start, end = now - PAST, now + AHEAD
    if from_ is not None:
        try:
            value = parse_since(from_)
            start = (
                now - value
                if isinstance(value, timedelta)
                else datetime.combine(_sane(value), time(), tzinfo=zone)
            )
        except (ValueError, OverflowError) as error:
            raise UsageError(Phrase("--from: {error}", error=error)) from None
        end = max(end, start + AHEAD) if to is None else end
    if to is not None:
        try:
            end = datetime.combine(_sane(day(to)) + timedelta(days=1), time(), tzinfo=zone)
        except ValueError as error:
            raise UsageError(Phrase("--to: {error}", error=error)) from None
        start = min(start, end - timedelta(days=1)) if from_ is None else start
    if start >= end:
        raise UsageError(Phrase("--to: must not be before --from"))
    return start, end


def _sane(value: date) -> date:
    """The day, if a calendar can hold it. Raises ValueError."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(
            Phrase(
                "the years {first_year} to {last_year} are accepted",
                first_year=FIRST_YEAR,
                last_year=LAST_YEAR,
            )
        )
    return value


def list_events(
    session: "Transaction", wanted: "Wanted", query: "Query", zone: ZoneInfo, *, json: bool
) -> None:
    """Every occurrence in that stretch, by its start."""
    from store import entries

    records = entries.events_between(session, wanted, at_most=MOST)
    found: list[tuple[datetime, int, Occurrence]] = []
    truncated = len(records) == MOST
    for record in records.values():
        several, more = _occurrences(record, wanted, zone)
        rows = {row.key: row for row in record.rows}
        if wanted.video:
            several = [one for one in several if entries.is_video(rows.get(one.key, record.main).values)]
        found += [(one.start, record.id, one) for one in several]
        truncated |= more
    found.sort(key=lambda one: (one[0], one[1], one[2].key))
    page = found[query.offset : query.offset + query.limit]
    lines = [_line(session, records[id_], one) for _, id_, one in page]
    if json:
        as_json({"rows": lines, "total": len(found), "offset": query.offset, "truncated": truncated})
        return
    if not lines:
        say(Phrase("None."))
        return
    table(
        heads("id", "start", "end", "subject", "location", "owner", "account", "video", "participants"),
        [
            (
                str(row["id"]),
                _clock(row["start"], row["local_start"], row, zone),
                _clock(row["end"], row["local_end"], row, zone),
                *(
                    shown(row[name], zone)
                    for name in ("subject", "location", "owner", "account", "video_provider")
                ),
                str(row["participants"]),
            )
            for row in lines
        ],
    )
    if len(lines) < len(found) or truncated:
        warn(
            Phrase("{count} of {total} or more (--limit, --offset)", count=len(lines), total=len(found))
            if truncated
            else Phrase("{count} of {total} (--limit, --offset)", count=len(lines), total=len(found))
        )


def _occurrences(record: "EventRecord", wanted: "Wanted", zone: ZoneInfo) -> "tuple[list[Occurrence], bool]":
    from connectors.calendar import Status
    from syncd.engine.calendar.items import item_of
    from syncd.engine.occurring import occurrences

    item = item_of(record)
    found = occurrences(item, wanted.start, wanted.end, floating=zone, cap=MOST)
    return [one for one in found.found if one.component.status is not Status.CANCELLED], found.truncated


def _line(session: "Transaction", record: "EventRecord", one: "Occurrence") -> dict[str, object]:
    from store import entries
    from store.reports import account_names, logins

    rows = {row.key: row for row in record.rows}
    values = rows.get(one.key, record.main).values
    account = values["account_id"]
    return {
        "id": record.id,
        "occurrence": one.key,
        "start": one.start,
        "end": one.end,
        "local_start": one.when.start.local.isoformat() if one.when.start else None,
        "local_end": one.when.end.local.isoformat() if one.when.end else None,
        "tz": values["tz"],
        "all_day": values["all_day"],
        "subject": one.component.subject,
        "location": one.component.location,
        "type": entries.type_code(session, values),
        "is_video": entries.is_video(values),
        "video_provider": values["video_provider"],
        "video_url": values["video_url"],
        "privacy": values["privacy"],
        "status": plain(one.component.status),
        "owner": logins(session).get(values["owner_id"]),
        "account": account_names(session, [account]).get(account) if account else None,
        "participants": len(one.component.attendees),
        "version": record.version,
    }


def _clock(moment: object, local: object, row: dict[str, object], zone: ZoneInfo) -> str:
    return str(local) if row["all_day"] else shown(moment, zone)


def list_tasks(session: "Transaction", wanted: "Wanted", query: "Query", *, every: bool, json: bool) -> None:
    """Open tasks; all of them with `every`."""
    from dataclasses import astuple

    from store import entries

    rows = entries.tasks_of(session, wanted, every=every, limit=query.limit, offset=query.offset)
    if json:
        as_json({"rows": rows, "offset": query.offset})
        return
    if not rows:
        say(Phrase("None."))
        return
    zone = ZoneInfo("UTC")
    table(
        heads("id", "due", "subject", "state", "assignee", "account"),
        [tuple(shown(value, zone) for value in astuple(row)[:6]) for row in rows],
    )
