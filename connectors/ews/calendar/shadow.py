"""What the canonical form says and Exchange has no place for, kept beside the item in a property of our own.

Exchange has one Windows zone where IANA has twenty, one reminder, one spelling of a pattern. What was written
there comes back in the form it had, as long as it still stands for what Exchange itself says: what a person
changes in a client always counts more than what is kept here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from connectors.calendar import Response, Status, When

NAME = "state"  # of the property
TOO_LONG = 256 * 1024  # characters that nobody reads


@dataclass(frozen=True, slots=True)
class Shadow:
    """Empty wherever Exchange says all there is."""

    zones: tuple[str, str] = ("", "")  # IANA names of start and end
    rrule: str = ""
    exdates: tuple[When, ...] = ()  # those that exclude nothing
    times: tuple[When | None, When | None] | None = None  # of a task: with a time of day
    alarms: frozenset[str] | None = None
    status: Status | None = None
    completed: str | None = None  # ISO; "": done, and nobody knows when
    organizer: str = ""  # of a meeting without guests
    host: Response | None = None  # the organizer's own line among the participants
    answers: Mapping[str, tuple[Response, Response]] = field(
        default_factory=dict
    )  # meant, and as it was there
    video: str = ""
    shown: bool = False  # the link stands in the place as well, where people see it: gone there, it is gone
    notes: str | None = None  # with the empty lines that HTML does not keep
    natural: bool = False  # an occurrence that is changed no more, which Exchange cannot take back

    def text(self) -> str:
        """For the property; empty where nothing is kept."""
        found: dict[str, object] = {
            "zones": list(self.zones) if any(self.zones) else None,
            "rrule": self.rrule or None,
            "exdates": [_from_when(one) for one in self.exdates] or None,
            "times": None if self.times is None else [one and _from_when(one) for one in self.times],
            "alarms": None if self.alarms is None else sorted(self.alarms),
            "status": None if self.status is None else self.status.value,
            "completed": self.completed,
            "organizer": self.organizer or None,
            "host": None if self.host is None else self.host.value,
            "answers": {
                email: [one.value, other.value] for email, (one, other) in sorted(self.answers.items())
            }
            or None,
            "video": self.video or None,
            "shown": self.shown or None,
            "notes": self.notes,
            "natural": self.natural or None,
        }
        kept = {name: value for name, value in found.items() if value is not None}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else ""


NOTHING = Shadow()


def shadow_of(text: str) -> Shadow:
    """What was kept; nothing where the text is not one of ours."""
    if not text or len(text) > TOO_LONG:
        return NOTHING
    try:
        data: object = json.loads(text)
        return _read(data) if isinstance(data, dict) else NOTHING
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return NOTHING


def _read(data: Mapping[str, Any]) -> Shadow:
    zones, times, answers = data.get("zones") or ["", ""], data.get("times"), data.get("answers") or {}
    return Shadow(
        zones=(str(zones[0]), str(zones[1])),
        rrule=str(data.get("rrule", "")),
        exdates=tuple(_when(one) for one in data.get("exdates") or ()),
        times=None if times is None else (times[0] and _when(times[0]), times[1] and _when(times[1])),
        alarms=frozenset(str(one) for one in data["alarms"]) if "alarms" in data else None,
        status=Status(data["status"]) if "status" in data else None,
        completed=_moment(str(data["completed"])) if "completed" in data else None,
        organizer=str(data.get("organizer", "")),
        host=Response(data["host"]) if "host" in data else None,
        answers={str(email): (Response(one), Response(other)) for email, (one, other) in answers.items()},
        video=str(data.get("video", "")),
        shown=bool(data.get("shown")),
        notes=str(data["notes"]) if "notes" in data else None,
        natural=bool(data.get("natural")),
    )


def _moment(text: str) -> str:
    """The text, which is a moment in UTC or empty. Raises ValueError, OverflowError."""
    if text:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError("a moment has an offset")
        found.astimezone(UTC)
    return text


def _from_when(when: When) -> list[str]:
    return [when.local.isoformat(), when.zone]


def _when(pair: list[str]) -> When:
    text, zone = pair
    local = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    if isinstance(local, datetime) and local.tzinfo is not None:
        raise ValueError("a wall-clock time has no offset")
    return When(local, zone)
