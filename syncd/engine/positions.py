"""`checkin.retention`: where somebody was is erased once that is so long ago, every night.

The check-in stays, with how far it was and how it was marked, and so does the visit.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from store import checkin_rows, retention
from store.audit_log import Channel
from store.database import Database
from syncd.engine.retention import JOB
from syncd.engine.statuses import NIGHTLY

PAGE = 500  # check-ins of one transaction

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Positions:
    """Keeps no position longer than `keep`; None: for ever."""

    def __init__(self, database: Database, keep: timedelta | None, zone: ZoneInfo) -> None:
        self._database = database
        self._keep = keep
        self._zone = zone
        self._done: date | None = None  # the night that this process looked last
        self.halted: Callable[[], bool] = lambda: False

    def run(self, now: datetime) -> int | None:
        """The nightly look, if it is due at that aware moment; the first one of a process is at once. Returns
        how many positions it erased. Raises StoreError."""
        local = now.astimezone(self._zone)
        early = self._done is not None and (local.date() <= self._done or local.time() < NIGHTLY)
        if self._keep is None or early:
            return None
        before, gone = now - self._keep, 0
        while not self.halted():
            with self._database.write() as session:
                some = checkin_rows.drop_positions(session, checkin_rows.old_positions(session, before, PAGE))
                if some:
                    retention.note_positions(session, some, before, now, actor=JOB, channel=Channel.JOB)
            gone += some
            if not some:
                self._done = local.date()
                break
        if gone:
            log.info("old positions erased", action=JOB, checkins=gone)
        return gone
