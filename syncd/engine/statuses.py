"""The status of accounts (R150 to R154): worked out for those that something was written about, and for all
of them once a night, since days pass by themselves.

Only what changes is written. All accounts are read without keeping anybody from writing; those that would
change are worked out again in the transaction that writes them, and one process at a time is in such a
transaction. So each change is in the history once, by however many processes and however they die.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import structlog

from config.language import Phrase
from store import hierarchy, statuses
from store.accounts import AccountStatus
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.database import Database, Transaction
from store.statuses import Facts, StatusChange
from syncd.core.status import Limits, Status, deal_end, limits, months_before, opportunity_end

log: structlog.stdlib.BoundLogger = structlog.get_logger()

NIGHTLY = time(0, 10)  # local time: a little after midnight, when other nightly work has begun
PAGE = 5_000  # accounts of one look
CHUNK = 500  # accounts of one transaction: nobody else writes to SQLite meanwhile
STORED = {status: AccountStatus[status.name] for status in Status}


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look at all accounts."""

    day: date
    looked_at: int
    changes: tuple[StatusChange, ...]
    whole: bool  # False: it was halted


Then = Callable[[Transaction, Sequence[StatusChange], date, datetime], int]


@dataclass(frozen=True, slots=True)
class Reading:
    """How table T1 is read in this company."""

    zone: tzinfo
    # From when on an open opportunity that nobody changes counts as closed on the day of its last change.
    stale_months: int | None = None  # None: never
    group_rollup: bool = False  # a group has the deals and opportunities of all that lies below it too

    def stale_before(self, day: date) -> date | None:
        """Opportunities that were changed last before this day are stale on that one."""
        return None if self.stale_months is None else months_before(day, self.stale_months)

    def changed_on(self, moment: datetime | None) -> date | None:
        """The company's day of a change."""
        return None if moment is None else moment.astimezone(self.zone).date()


PLAIN = Reading(UTC)


def refresh(
    session: Transaction,
    ids: Iterable[int],
    day: date,
    now: datetime,
    *,
    then: Then | None = None,
    reading: Reading = PLAIN,
    further: bool = True,
) -> list[StatusChange]:
    """Gives these accounts the statuses of that day, in the caller's transaction, which keeps others out
    (`statuses.alone`), and does what follows; `further` also the groups above them, if those have what lies
    below them. Returns what changed."""
    wanted = set(ids)
    if not wanted:
        return []
    if further and reading.group_rollup:
        wanted |= hierarchy.groups_above(session, wanted)
    facts = statuses.of_accounts(session, sorted(wanted), rollup=reading.group_rollup)
    changes = _changes(facts, limits(day), reading)
    statuses.write(session, changes, day, now)
    if then is not None and changes:
        then(session, changes, day, now)
    return changes


def _changes(facts: Sequence[Facts], known: Limits, reading: Reading) -> list[StatusChange]:
    found = []
    before = reading.stale_before(known.day)
    for one in facts:
        ruling = known.judge(
            one.created_on,
            (deal_end(span.end_date, span.closed_on) for span in one.deals),
            (
                opportunity_end(span.closed_on, reading.changed_on(span.changed_at), before)
                for span in one.opportunities
            ),
        )
        status = STORED[ruling.status]
        if status is not one.status:
            found.append(StatusChange(one.account_id, one.name, one.status, status, ruling.row))
    return found


class StatusSync:
    """The statuses of the whole CRM."""

    def __init__(
        self,
        database: Database,
        zone: ZoneInfo,
        stale_months: int | None = None,
        *,
        group_rollup: bool = False,
    ) -> None:
        self._database = database
        self._zone = zone
        self.reading = Reading(zone, stale_months, group_rollup)
        self.halted: Callable[[], bool] = lambda: False
        self.then: Then | None = None  # what follows from a change of status

    def today(self, now: datetime) -> date:
        """The company's day at that aware moment."""
        return now.astimezone(self._zone).date()

    def run(self, now: datetime) -> Looked | None:
        """The nightly look, if it is due at that aware moment. Raises StoreError."""
        with self._database.read() as session:
            last = statuses.last_pass(session)
        if not self._due(None if last is None else last[0], now):
            return None
        looked = self._recompute(self.today(now), now, unless=lambda found: found != last)
        if looked.whole:
            log.info("statuses of accounts computed", action="statuses", accounts=looked.looked_at,
                     changed=len(looked.changes))  # fmt: skip
        return looked

    def _due(self, last: date | None, now: datetime) -> bool:
        """Ten minutes after midnight; at once where a night was missed, or the clock was wrong."""
        local = now.astimezone(self._zone)
        if last == local.date():
            return False
        return last != local.date() - timedelta(days=1) or local.time() >= NIGHTLY

    def ordered(
        self, actor: Actor, channel: Channel, day: date, now: datetime, *, dry_run: bool = False
    ) -> Looked:
        """As `recompute`, at a person's word. Raises Forbidden unless that is an admin, in a dry run too."""
        actor.require_admin(Phrase("recompute statuses"))
        looked = self.recompute(day, now, dry_run=dry_run)
        if not dry_run:
            change = {"statuses_as_of": day.isoformat(), "updated": len(looked.changes)}
            with self._database.write() as session:
                session.add(
                    AuditLog(at=now, actor=actor.login, entity="account", change=change, channel=channel)
                )
        return looked

    def recompute(self, day: date, now: datetime, *, dry_run: bool = False) -> Looked:
        """Gives every account its status as of that day; a dry run only tells which. Raises StoreError."""
        return self._recompute(day, now, dry_run=dry_run)

    def _recompute(
        self,
        day: date,
        now: datetime,
        *,
        dry_run: bool = False,
        unless: Callable[[tuple[date, datetime] | None], bool] = lambda _: False,
    ) -> Looked:
        """`unless` is asked at the end, with the last look: one that ended meanwhile may have been of another
        day, and written what this one had looked at. Then this one does not count."""
        known, after, looked_at = limits(day), 0, 0
        changes: list[StatusChange] = []
        while not self.halted():
            with self._database.read() as session:
                facts = statuses.page(session, after, PAGE, rollup=self.reading.group_rollup)
            if not facts:
                break
            after, looked_at = facts[-1].account_id, looked_at + len(facts)
            found = _changes(facts, known, self.reading)
            changes += found if dry_run else self._write([one.account_id for one in found], day, now)
        else:
            return Looked(day, looked_at, tuple(changes), whole=False)
        if not dry_run:
            with self._database.write() as session:
                statuses.alone(session)
                if unless(statuses.last_pass(session)):
                    return Looked(day, looked_at, tuple(changes), whole=False)
                statuses.mark_passed(session, day, now)
        return Looked(day, looked_at, tuple(changes), whole=True)

    def _write(self, ids: Sequence[int], day: date, now: datetime) -> list[StatusChange]:
        done: list[StatusChange] = []
        for start in range(0, len(ids), CHUNK):
            with self._database.write() as session:
                statuses.alone(session)
                # What another day would bring is nothing to act on.
                then = self.then if day == self.today(now) else None
                part = ids[start : start + CHUNK]  # the groups above them are looked at in their turn
                done += refresh(session, part, day, now, then=then, reading=self.reading, further=False)
        return done
