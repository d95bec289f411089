"""A dropped file of call records to the calls in it: Asterisk's Master.csv, and exports with headings.

One call may be many rows, one for each telephone that rang: of rows with one id, one number and times that
follow each other the answered one counts. Only Asterisk's ids are unique by themselves: with others a column
"id" may number the rows of the file, or name the customer, so number and time tell the call as well. Calls
between extensions are left out, as are those from withheld numbers.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TypeAlias

from connectors import sheet
from connectors.calls.headings import (
    ANSWERED,
    ASTERISK,
    ASTERISK_LEAST,
    HEADINGS,
    INBOUND,
    INTERNAL,
    MASTER,
    OUTBOUND,
)
from connectors.calls.model import CallFile, CallRecord, Direction, Field, Switchboard
from connectors.errors import BadFile
from connectors.moments import Moment, moment, seconds
from connectors.sheet import Row
from connectors.wording import words

HEADINGS_WITHIN = 30  # rows
LONGEST_NUMBER = 20  # digits; E.164 has fifteen, and a prefix may stand before them
COLUMNS = 60  # cells that may be headings
NEXT_RINGS = timedelta(minutes=2)  # within which another telephone rings, after the one before was given up

_NEEDED = (Field.STARTED, Field.CALLER, Field.CALLED)
_PHONE = re.compile(r"[\d+*#()\s./\-\u2010-\u2013]+")
_BEHIND_NAME = re.compile(r"[<(\[]\s*(\+?[\d*#][\d\s./-]*)\s*[>)\]]\s*$")
_CHANNEL = re.compile(r"(?:SIP|PJSIP|IAX2|SCCP|DAHDI|Local)/(\d{2,6})(?=[-@])", re.IGNORECASE)
_UNIQUE = re.compile(r"(?:[\w-]+-)?\d{6,}\.\d+")  # Asterisk's: [system-]epoch.sequence


@dataclass(frozen=True, slots=True)
class _Leg:
    """One row, before day and month are told apart."""

    line: int
    at: Moment
    direction: Direction
    number: str
    seconds: int
    answered: bool
    extension: str
    unique_id: str
    seed: str  # what makes the call this call, where the file has no id


_Timed: TypeAlias = tuple[_Leg, datetime]


def read(content: bytes, file: str, switchboard: Switchboard) -> CallFile:
    """The calls in `content`, dropped under the name `file`. Raises BadFile, and nothing else."""
    own_headings = frozenset(words(name) for name in switchboard.columns.values())

    def score(cells: Sequence[str]) -> int:
        known = sum(words(cell) in own_headings or words(cell) in _KNOWN for cell in cells[:COLUMNS])
        return max(known, 1 if ASTERISK_LEAST <= len(cells) <= len(ASTERISK) else 0)

    rows = sheet.rows(content, file, score)
    start, places = _places(rows, file, switchboard)
    internal = 0
    withheld: list[int] = []
    legs: list[_Leg] = []
    for row in rows[start:]:
        leg = _leg(row, places, file, switchboard)
        if isinstance(leg, _Leg):
            legs.append(leg)
        elif leg is _INTERNAL:
            internal += 1
        elif leg is _WITHHELD:
            withheld.append(row.line)
    return CallFile(tuple(_calls(legs, file, switchboard)), internal, tuple(withheld))


_KNOWN = frozenset(heading for headings in HEADINGS.values() for heading in headings)


def bare(text: str) -> str:
    """The number in a cell: digits, * and #, with a leading + if it has one; empty where there is none.

    "Martin, Bob (201)" and "Bob <201>" are 201; the (0) of +33 (0)1 is left out, as nobody dials it.
    """
    if not _PHONE.fullmatch(text):
        behind = _BEHIND_NAME.search(text)
        if behind is None:
            return ""
        text = behind[1]
    text = re.sub(r"\(\s*0\s*\)", "", text) if "+" in text else text
    digits = re.sub(r"[^\d*#]", "", text)
    if not digits.isascii() or len(digits) > LONGEST_NUMBER:
        return ""
    return "+" + digits if digits and text.strip().startswith("+") else digits


def _places(rows: Sequence[Row], file: str, switchboard: Switchboard) -> tuple[int, Mapping[Field, int]]:
    """The first row of calls, and which cell tells what."""
    for index, row in enumerate(rows[:HEADINGS_WITHIN]):
        simple = [words(cell) for cell in row.cells[:COLUMNS]]
        places: dict[Field, int] = {}
        for field, usual in HEADINGS.items():
            named = switchboard.columns.get(field)
            wanted = (words(named),) if named is not None else usual
            where = next((simple.index(one) for one in wanted if one in simple), None)
            if where is not None:
                places[field] = where
        if all(field in places for field in _NEEDED):
            return index + 1, places
    if rows and not switchboard.columns and _is_master(rows[0]):
        return 0, MASTER
    raise BadFile(
        "is no file of call records that is known: no row has headings for the time, the caller and the"
        " number called; name the columns in [calls.columns] of the config (docs/attendance.md)",
        locator=file,
    )


def _is_master(row: Row) -> bool:
    """Whether a row is one of Asterisk's Master.csv."""
    start, talk = row.cell(ASTERISK.index("start")), row.cell(ASTERISK.index("billsec"))
    fits = ASTERISK_LEAST <= len(row.cells) <= len(ASTERISK)
    return fits and moment(start) is not None and seconds(talk) is not None


class _NoCall:
    """A row that tells of no call to record."""


_INTERNAL, _WITHHELD, _NOTHING = _NoCall(), _NoCall(), _NoCall()


def _leg(row: Row, places: Mapping[Field, int], file: str, switchboard: Switchboard) -> "_Leg | _NoCall":
    def cell(field: Field) -> str:
        return row.cell(places.get(field))

    if sum(bool(text) for text in row.cells) > 1 and len(row.cells) <= max(places[one] for one in _NEEDED):
        message = "ends in the middle: the file was cut off; export the records again"
        raise BadFile(message, locator=file, line=row.line)
    told = " ".join(text for text in (cell(Field.STARTED), cell(Field.TIME)) if text)
    if not told or not (cell(Field.CALLER) or cell(Field.CALLED)):
        return _NOTHING  # a line of sums, or a further leg of the call above it
    at = moment(told)
    if at is None:
        message = "has a time that cannot be read, or was cut off; export the records again"
        raise BadFile(message, locator=file, line=row.line)
    talk = seconds(cell(Field.SECONDS) or "0")
    if talk is None:
        message = "has a duration that cannot be read, or was cut off; export the records again"
        raise BadFile(message, locator=file, line=row.line)
    caller, called = bare(cell(Field.CALLER)), bare(cell(Field.CALLED))
    # The telephone goes before the number that the company shows or that was dialled.
    from_line = _line(cell(Field.CHANNEL)) or (caller if switchboard.is_own(caller) else "")
    to_line = _line(cell(Field.CALLED_CHANNEL)) or (called if switchboard.is_own(called) else "")
    direction = _direction(words(cell(Field.DIRECTION)), from_line, to_line, called)
    if direction is None:
        return _INTERNAL
    number = caller if direction is Direction.IN else _without(switchboard.prefix, called)
    if not number or switchboard.is_own(number):
        return _WITHHELD if not number else _INTERNAL
    status = words(cell(Field.STATUS))
    answered = status in ANSWERED if status else talk > 0
    unique = cell(Field.ID) if Field.ID in places else ""
    if Field.CHANNEL in places and unique and not _UNIQUE.fullmatch(unique):
        unique = ""  # Master.csv with the user field and without the id
    return _Leg(
        line=row.line,
        at=at,
        direction=direction,
        number=number,
        seconds=talk if answered else 0,
        answered=answered,
        extension=bare(cell(Field.EXTENSION)) or (to_line if direction is Direction.IN else from_line),
        unique_id=unique,
        seed="\0".join((caller, called, cell(Field.CHANNEL))),
    )


def _direction(told: str, from_line: str, to_line: str, called: str) -> Direction | None:
    """Who called whom; None for a call between extensions."""
    if told in INTERNAL:
        return None
    if told in INBOUND:
        return Direction.IN
    if told in OUTBOUND:
        return Direction.OUT
    if from_line and to_line:
        return None
    return Direction.OUT if from_line and called else Direction.IN


def _line(channel: str) -> str:
    """The extension in Asterisk's name of a channel, such as PJSIP/201-0000002a."""
    found = _CHANNEL.match(channel)
    return found[1] if found else ""


def _without(prefix: str, number: str) -> str:
    rest = number.removeprefix(prefix)
    return rest if prefix and len(rest) > LONGEST_NUMBER // 4 else number


def _calls(legs: Sequence[_Leg], file: str, switchboard: Switchboard) -> Iterator[CallRecord]:
    day_first = _order(legs, file, switchboard)
    several: dict[tuple[str, str], list[_Timed]] = {}  # legs that may be of one call
    for leg in legs:
        wall = leg.at.read(day_first=day_first)
        if wall is None:
            message = "has a date that is none in the order of the others; export the records again"
            raise BadFile(message, locator=file, line=leg.line)
        at = (wall if wall.tzinfo else wall.replace(tzinfo=switchboard.zone)).astimezone(UTC)
        several.setdefault(_alike(leg, at), []).append((leg, at))
    best = {
        _unique(leg_id, call): max(call, key=_rank)
        for (leg_id, _), together in several.items()
        for call in _apart(leg_id, together)
    }
    for key, (leg, at) in sorted(best.items(), key=lambda item: (item[1][1], item[0])):
        yield CallRecord(leg.direction, leg.number, at, leg.seconds, leg.answered, leg.extension, key)


def _alike(leg: _Leg, at: datetime) -> tuple[str, str]:
    """What the legs of a call have in common: an id that may mean little, and what else must be equal."""
    if not leg.unique_id:
        return "", _digest(at, leg.seed)
    return leg.unique_id, "" if _UNIQUE.fullmatch(leg.unique_id) else leg.number


def _apart(leg_id: str, together: Sequence[_Timed]) -> Iterator[Sequence[_Timed]]:
    """The legs of each call. An id that is not unique by itself may be that of many calls with one number."""
    if not leg_id or _UNIQUE.fullmatch(leg_id):
        yield together
        return
    call: list[_Timed] = []
    ended = together[0][1]
    for leg, at in sorted(together, key=lambda one: (one[1], one[0].line)):
        if call and at - ended > NEXT_RINGS:
            yield call
            call = []
        call.append((leg, at))
        over = at + timedelta(seconds=leg.seconds)
        ended = max(ended, over) if len(call) > 1 else over
    yield call


def _unique(leg_id: str, call: Sequence[_Timed]) -> str:
    """The same whenever the call is read again."""
    if leg_id and _UNIQUE.fullmatch(leg_id):
        return leg_id
    first, at = min(call, key=lambda one: (one[1], one[0].line))
    return _digest(at, "\0".join((leg_id, first.number)) if leg_id else first.seed)


def _order(legs: Sequence[_Leg], file: str, switchboard: Switchboard) -> bool:
    if switchboard.day_first is not None:
        return switchboard.day_first
    able = [order for order in (True, False) if all(leg.at.read(day_first=order) for leg in legs)]
    same = all(leg.at.day_first == leg.at.month_first for leg in legs)
    if len(able) > 1 and not same:
        raise BadFile(
            "nothing in it tells the day from the month (03/04 may be in March or April); set dates in"
            ' [calls] of the config to "day-first" or "month-first", and drop the file again',
            locator=file,
        )
    return able[0] if able else True


def _rank(one: _Timed) -> tuple[bool, int]:
    leg, _ = one
    return leg.answered, leg.seconds


def _digest(at: datetime, seed: str) -> str:
    text = f"{at.isoformat()}\0{seed}"
    return "h:" + blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()
