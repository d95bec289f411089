"""What a cycle did, for the log, the run's record and the person who asked."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncd.core.matching import Verdict
from syncd.engine.calendar.report import CalendarReport

NUMBERS = re.compile(r"[0-9]+(?:[ .:+-]+[0-9]+)*")  # Dovecot: "[2026-11-22 05:14:39] (0.003 + 0.000 secs)"


def is_news(error: str | None, before: str | None) -> bool:
    """Whether an error is another one than before, or is over. Servers add times, durations and counters
    to what they say: numbers alone make no other error."""
    return _without_numbers(error) != _without_numbers(before)


def _without_numbers(text: str | None) -> str | None:
    return None if text is None else NUMBERS.sub("0", text)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One message that a dry run would log."""

    folder: str
    uid: int
    date: datetime | None
    subject: str
    accounts: tuple[int, ...]


@dataclass(slots=True)
class CycleReport:
    """The outcome of one cycle of one mailbox."""

    mailbox: str
    run: str
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    stored: int = 0  # e-mails new to the CRM
    activities: int = 0  # activities new to the CRM
    wrote: bool = False  # anything at all was written
    folder_errors: dict[str, str] = field(default_factory=dict)
    calendar: CalendarReport = field(default_factory=CalendarReport)
    rehearsed: list[Rehearsed] = field(default_factory=list)  # dry run only
    forms: int = 0  # messages of forms that were put into the Inbox, or would be
    drafts: int = 0  # drafts of mails that were put into Drafts, or would be
    error: str | None = None  # why the mailbox as a whole could not be worked on
    refused: bool = False  # that is: the server refused the login, and a person must act
    retry_after: timedelta | None = None  # the server asked to wait
    busy: bool = False  # another process works on it: `skipped` says so
    skipped: str | None = None  # why it was left alone: paused, another process, needs attention

    @property
    def pulled(self) -> int:
        """Messages that got a verdict."""
        return self.verdicts.total()

    @property
    def failed(self) -> bool:
        """Whether a person should look."""
        return bool(self.error or self.folder_errors)
