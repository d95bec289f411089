"""Files that people and machines drop into folders are taken in: once a minute, each by itself.

A file that cannot be taken is put away with the reason, whatever it holds; nothing in a folder stops the
service, nor keeps another file waiting. What a file did is in the database before the file is moved, and
whoever takes it in tells that it was there before: a kill in between does it once all the same.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

import structlog

from connectors import dropped
from connectors.dropped import Dropped, Look, StillGrowing
from connectors.errors import BadFile, CollectionError
from store.errors import StoreError

log: structlog.stdlib.BoundLogger = structlog.get_logger()

PAUSE = 2.0  # seconds between two looks, at least: a file that grows shows it in that time
BUDGET = 20.0  # seconds a folder has of a run: meetings are not to wait for a heap of files
TRIES = 3  # files that the store did not take, before a run ends early
DEFECT = "a defect of syncd kept it from being taken; the service's log tells more"


Enough: TypeAlias = Callable[[bool], bool]  # told whether anything new came of the file so far


class Unfinished(Exception):
    """A file was taken in part: what is left of it is for the next run."""


class Taker(Protocol):
    """Takes one kind of file in."""

    @property
    def kind(self) -> str:
        """For the log."""
        ...

    def take(self, content: bytes, file: str, now: datetime, enough: Enough) -> str:
        """Why the file was not taken; empty where it was, now or before. Between its transactions it asks
        `enough` whether to leave the rest. Raises BadFile, StoreError, Unfinished."""
        ...


@dataclass(slots=True)
class DroppedReport:
    """What was done."""

    taken: int = 0
    refused: int = 0  # put into failed/
    left: int = 0  # for the next run

    @property
    def wrote(self) -> bool:
        """Whether anything came of it."""
        return bool(self.taken or self.refused)


@dataclass(slots=True)
class _Watched:
    """A folder, and what was seen there."""

    folder: Path
    taker: Taker
    before: Look | None = None
    error: str = ""  # said once
    stuck: dict[str, Dropped] = field(default_factory=dict)  # done with, but cannot be moved
    late: set[str] = field(default_factory=set)  # names that the store did not take: the others go first


class Dropping:
    """The folders of one installation."""

    def __init__(self, folders: Sequence[tuple[Path, Taker]]) -> None:
        self._watched = [_Watched(folder, taker) for folder, taker in folders]
        self._looked = float("-inf")
        self._until = float("-inf")  # when the folder's share of a run is over
        self.halted: Callable[[], bool] = lambda: False

    def look(self) -> None:
        """The first of two looks."""
        for one in self._watched:
            self._complete(one)

    def pause(self) -> float:
        """Seconds until another look tells anything; 0 where there is nothing to be told."""
        if not any(one.before is not None and one.before.files for one in self._watched):
            return 0.0
        return max(0.0, self._looked + PAUSE - time.monotonic())

    def run(self, now: datetime) -> DroppedReport:
        """Takes in what is complete since the look before. Raises StoreError, once everything was tried."""
        report = DroppedReport()
        errors: list[StoreError] = []
        for one in self._watched:
            files = self._complete(one)
            self._until = time.monotonic() + BUDGET
            for number, file in enumerate(files):
                if self.halted() or len(errors) >= TRIES or (number and time.monotonic() > self._until):
                    report.left += len(files) - number
                    break
                if one.stuck.get(file.name) == file:
                    continue
                try:
                    self._take(one, file, now, report)
                    one.late.discard(file.name)
                except StoreError as error:
                    one.late.add(file.name)
                    errors.append(error)
        if errors:
            raise errors[0]
        return report

    def _enough(self, progress: bool) -> bool:
        """A run that is over its time ends, unless the next one would begin where this one did."""
        return self.halted() or (progress and time.monotonic() > self._until)

    def _complete(self, one: _Watched) -> list[Dropped]:
        try:
            one.before, files = dropped.look(one.folder, one.before)
        except CollectionError as error:
            if str(error) != one.error:
                log.error("files cannot be taken in", action=one.taker.kind, error=str(error))
            one.error, one.before = str(error), None
            return []
        if one.error:
            log.info("files are taken in again", action=one.taker.kind)
            one.error = ""
        self._looked = time.monotonic()
        there = one.before.files
        one.late &= there.keys()
        one.stuck = {name: file for name, file in one.stuck.items() if name in there}
        return sorted(files, key=lambda file: file.name in one.late)

    def _take(self, one: _Watched, file: Dropped, now: datetime, report: DroppedReport) -> None:
        try:
            why = one.taker.take(dropped.read(file), file.shown, now, self._enough)
            why = why and f"{file.shown}: {why}"
        except StillGrowing:
            return
        except Unfinished:
            report.left += 1
            return
        except BadFile as error:
            why = error.told()
        except StoreError:
            raise
        except Exception:  # the one place that isolates a file
            log.exception("a defect of syncd: this file is not taken", action=one.taker.kind)
            why = f"{file.shown}: {DEFECT}"
        if not dropped.unchanged(file):
            return  # another process has put it away, or there is another one of that name
        try:
            dropped.put_away(file, why)
        except CollectionError as error:
            if dropped.unchanged(file):
                one.stuck[file.name] = file
                log.error("a file cannot be put away", action=one.taker.kind, error=str(error))
            return
        report.taken += not why
        report.refused += bool(why)
        if why:
            log.warning("a file was put into failed/, with the reason beside it", action=one.taker.kind)
