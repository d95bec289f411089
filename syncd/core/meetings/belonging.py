"""Which meeting an attendance report belongs to: exactly one, or the reason why none. Pure.

A report is never put to a meeting on a guess: what stays open is told, with the meetings it may be, for a
person to say.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from connectors.attendance.model import AttendanceReport, Provider
from syncd.core.meetings.people import Participant, names_of

TOLERANCE = timedelta(minutes=30)  # people join early, and meetings begin late
FAR_MORE = 3  # times the overlap of the next: then two meetings in a row are told apart
ENOUGH = 2  # people in common, where the title says nothing

# What mail programs and people put before a subject.
_PREFIX = re.compile(
    r"^(?:(?:re|fwd?|tr|aw|wg|rv|enc|i|r|canceled|cancelled|annule|updated|invitation)\s?:\s*)+"
)
_NOT_LETTERS = re.compile(r"[^\w]+")
_ZOOM = re.compile(r"/(?:j|w|s|my|wc/join|wc)/(\d{9,12})\b")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A meeting of the CRM that a report may be about: one occurrence."""

    id: int
    title: str
    start: datetime  # aware
    end: datetime
    link: str  # where it is joined; may be empty
    people: tuple[Participant, ...]


class Reason(Enum):
    """Why a report was put to no meeting."""

    NO_TIME = "the report holds no time, and nothing else tells one meeting from the others"
    NOT_THEN = "no meeting was planned at that time"
    OTHERS = "meetings were planned at that time, but neither their titles nor their people fit"
    SEVERAL = "several meetings fit"
    DATES = "day and month can be read in two ways, and a meeting fits each"


@dataclass(frozen=True, slots=True)
class Belongs:
    """The report is about that meeting."""

    id: int
    report: AttendanceReport  # aware, in the reading that fits


@dataclass(frozen=True, slots=True)
class Unclear:
    """The report is not put to a meeting. `ids` are those it may be, for a person to choose from."""

    reason: Reason
    ids: tuple[int, ...] = ()


def meeting_of(
    readings: Sequence[AttendanceReport], zone: ZoneInfo, candidates: Iterable[Candidate]
) -> Belongs | Unclear:
    """The meeting among `candidates` that a report belongs to.

    `readings` is what the reader made of one file: two where its dates can be read in two ways. Wall-clock
    times are those of `zone`. Evidence, in this order: Zoom's number in the join link, the title, the
    people; always within half an hour of the time planned. Of several, the one with far more overlap.
    """
    known = list(candidates)
    answers = [_one(reading.in_zone(zone), known) for reading in readings]
    found = [answer for answer in answers if isinstance(answer, Belongs)]
    if len({answer.id for answer in found}) > 1:
        return Unclear(Reason.DATES, tuple(sorted({answer.id for answer in found})))
    open_ = [one for one in answers if isinstance(one, Unclear)]
    several = [one for one in open_ if one.reason is Reason.SEVERAL]
    if found and several:  # the other reading fits too
        ids = {found[0].id, *(id_ for one in several for id_ in one.ids)}
        return Unclear(Reason.DATES, tuple(sorted(ids)))
    if found:
        return found[0]
    return max(open_, key=lambda one: len(one.ids))


def _one(report: AttendanceReport, candidates: Sequence[Candidate]) -> Belongs | Unclear:
    if report.started is None:
        near = [one for one in candidates if not _contradicts(report, one)]
        reason = Reason.NO_TIME
    else:
        near = [one for one in candidates if _is_near(report, one)]
        reason = Reason.OTHERS
        if not near:
            return Unclear(Reason.NOT_THEN)
        near = [one for one in near if not _contradicts(report, one)]
    fitting = _fitting(report, near)
    if len(fitting) > 1:
        fitting = _most_overlap(report, fitting)
    if len(fitting) == 1:
        return Belongs(fitting[0].id, report)
    if fitting:
        return Unclear(Reason.SEVERAL, tuple(sorted(one.id for one in fitting)))
    return Unclear(reason, tuple(sorted(one.id for one in near)) if reason is Reason.OTHERS else ())


def _fitting(report: AttendanceReport, near: Sequence[Candidate]) -> list[Candidate]:
    """Those that the strongest evidence there is speaks for."""
    by_number = [one for one in near if report.meeting_id and report.meeting_id == zoom_number(one.link)]
    if by_number:
        return by_number
    title = plain_title(report.title)
    by_title = [one for one in near if title and plain_title(one.title) == title]
    if report.started is None:
        return by_title
    names = {name for person in report.people for name in names_of(person.name)}
    emails = {person.email for person in report.people if person.email}
    scored = [(_in_common(one, emails, names), one) for one in by_title or near]
    if not by_title:
        scored = [(score, one) for score, one in scored if _speaks(report, title, one, score)]
    best = max((score for score, _ in scored), default=0)
    if len(by_title) == 1 and not best and report.people and by_title[0].people:
        return []  # a title alone is no evidence: « Point hebdo » is the name of many
    return [one for score, one in scored if score == best]


def _speaks(report: AttendanceReport, title: str, candidate: Candidate, common: int) -> bool:
    """Whether the people in common are enough. Against another title they must be half of either side:
    the same colleagues talk to each other all day."""
    if not title:
        return common >= min(ENOUGH, max(len(report.people), 1))
    return common >= ENOUGH and 2 * common >= max(len(report.people), len(candidate.people))


def _is_near(report: AttendanceReport, candidate: Candidate) -> bool:
    started, ended = report.started, report.ended or report.started
    if started is None or ended is None:
        return False
    return started <= candidate.end + TOLERANCE and ended >= candidate.start - TOLERANCE


def _contradicts(report: AttendanceReport, candidate: Candidate) -> bool:
    """Whether the report is of another Zoom meeting than the link's."""
    number = zoom_number(candidate.link)
    return bool(report.provider is Provider.ZOOM and report.meeting_id and number) and (
        number != report.meeting_id
    )


def _most_overlap(report: AttendanceReport, fitting: list[Candidate]) -> list[Candidate]:
    if report.started is None:
        return fitting
    ended = report.ended or report.started
    started = report.started
    overlaps = sorted(
        ((min(ended, one.end) - max(started, one.start), one.id, one) for one in fitting),
        key=lambda each: (each[0], each[1]),
        reverse=True,
    )
    first, second = overlaps[0][0], overlaps[1][0]
    if first > timedelta(0) and first > FAR_MORE * max(second, timedelta(0)):
        return [overlaps[0][2]]
    return fitting


def _in_common(candidate: Candidate, emails: set[str], names: set[frozenset[str]]) -> int:
    """How many of the meeting's people are in the report, by address or by name."""
    return sum(
        any(email in emails for email in person.emails) or not names.isdisjoint(names_of(person.name))
        for person in candidate.people
    )


def plain_title(title: str) -> str:
    """A title without case, accents, punctuation and what mail programs put before it."""
    parts = unicodedata.normalize("NFKD", title[:1000].casefold())
    text = " ".join("".join(one for one in parts if not unicodedata.combining(one)).split())
    return " ".join(_NOT_LETTERS.sub(" ", _PREFIX.sub("", text)).split())


def zoom_number(link: str) -> str:
    """The meeting's number in a join link of Zoom; empty where there is none."""
    found = _ZOOM.search(link[:2000]) if "zoom" in link[:2000].lower() else None
    return found[1] if found else ""
