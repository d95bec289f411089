"""`mail.retention`: logged mail older than that is erased, once a night, and never logged again.

The mailboxes keep it. A kill at any point leaves whole mails only; the next night goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from store import directory, kept_contents, retention
from store.actors import Actor
from store.audit_log import Channel
from store.blobs import BlobStore
from store.database import Database
from store.errors import Invalid
from store.retention import Old
from syncd.engine.statuses import NIGHTLY

PAGE = 300  # e-mails of one transaction: nobody else writes to SQLite meanwhile
JOB = "retention"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ended:
    """What a look took away."""

    mails: int
    files: int
    before: datetime  # UTC: what was written before that moment


def logged_since(
    since: date | timedelta, keep: timedelta | None, moment: datetime, zone: ZoneInfo
) -> datetime:
    """From when on mail is logged at that aware moment: `mail.since`, but nothing that the next night would
    erase again."""
    if isinstance(since, timedelta):
        begin = moment - since
    else:
        begin = datetime(since.year, since.month, since.day, tzinfo=zone)
    return begin if keep is None else max(begin, moment - keep)


class Retention:
    """Keeps no mail longer than `keep`; None: for ever."""

    def __init__(self, database: Database, blobs: BlobStore, keep: timedelta | None, zone: ZoneInfo) -> None:
        self._database = database
        self._blobs = blobs
        self._keep = keep
        self._zone = zone
        self._done: date | None = None  # the night that this process looked last
        self.halted: Callable[[], bool] = lambda: False

    def before(self, now: datetime) -> datetime:
        """What was written before that is not kept. Raises Invalid where all is."""
        if self._keep is None:
            raise Invalid('mail.retention is not set in the config: mail is kept for ever (say "730d")')
        return now - self._keep

    def preview(self, now: datetime) -> Old:
        """What would go at that aware moment. Raises Invalid."""
        with self._database.read() as session:
            return retention.old(session, self.before(now))

    def run(self, now: datetime) -> Ended | None:
        """The nightly look, if it is due at that aware moment; the first one of a process is at once. Raises
        StoreError."""
        local = now.astimezone(self._zone)
        if self._keep is None or (self._done is not None and (
            local.date() <= self._done or local.time() < NIGHTLY
        )):  # fmt: skip
            return None
        ended = self._erase(now, JOB, Channel.JOB)
        if not self.halted():
            self._done = local.date()
        if ended.mails:
            log.info("old mail erased", action=JOB, mails=ended.mails, files=ended.files)
        return ended

    def ordered(self, actor: Actor, now: datetime) -> Ended:
        """The same at once, because a person says so. Raises Invalid, Forbidden, StoreError."""
        actor.require_admin("erase old mail")
        return self._erase(now, actor.login, Channel.CLI)

    def _erase(self, now: datetime, actor: str, channel: Channel) -> Ended:
        before = self.before(now)
        mails = files = 0
        while not self.halted():
            with self._database.read() as session:
                ids = retention.page(session, before, PAGE)
                hashes = kept_contents.contents(session, ids)
            if not ids:
                break
            gone = 0

            def commit(ids: list[int] = ids, hashes: set[str] = hashes) -> set[str]:
                nonlocal gone
                with self._database.write() as session:
                    directory.state(session, lock=True)  # no mail is logged meanwhile
                    gone = retention.drop(session, ids)
                    if gone:
                        retention.note(session, gone, before, now, actor=actor, channel=channel)
                    return kept_contents.referenced(session, hashes)

            files += self._blobs.discard(hashes, commit)
            mails += gone
        return Ended(mails, files, before)
