"""Nightly looks at the statuses of many accounts: the first one, which gives each of them a status, and that
of an ordinary night, which writes only what changes; and the same where groups go by what lies below them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import update

from benchmarks.bench import Bench
from benchmarks.databases import Made, analyze, servers, sqlite
from benchmarks.harness import Figure, WrongResult, median, timed
from store.accounts import Account, AccountType
from store.database import Database, Transaction, bulk
from store.deals import Deal, DealStatus, Project, ProjectStatus
from store.pipeline import Opportunity, OpportunityAccount, OpportunityStatus
from store.statuses import AccountStatusHistory
from syncd.daemon import logs
from syncd.engine.statuses import Looked, StatusSync

LIMIT = 20  # seconds
FIRST = "the first status of {:,} accounts"
NIGHT = "the nightly statuses of {:,} accounts, {:,} of them change"
QUIET = "the same where none changes"
DAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
YEARS = 3 * 365  # over which deals, opportunities and creations are spread


def measure(bench: Bench) -> list[Figure]:
    """The median of some repetitions, each on a database of its own."""
    logs.configure("error", "json")
    found = list(_of(bench, "SQLite", sqlite, groups=False))
    for name, made in servers():
        found += _of(bench, name, made, groups=True)
    return found


def _of(bench: Bench, server: str, made: Made, *, groups: bool) -> Iterator[Figure]:
    first, night, quiet, changed = [], [], [], 0
    number = bench.scale.accounts
    for _ in range(bench.scale.repetitions):
        with made(bench) as database:
            _fill(database, number, groups=groups)
            sync = StatusSync(database, ZoneInfo("Europe/Paris"), group_rollup=groups)
            done: list[Looked] = []
            first.append(timed(partial(_look, sync, 0, done)))
            before = _rows(database)
            night.append(timed(partial(_look, sync, 1, done)))
            changed = len(done[1].changes)
            if _rows(database) - before != changed or len(done[0].changes) != number:
                raise WrongResult(f"{_rows(database) - before} rows of history for {changed} changes")
            quiet.append(timed(partial(_look, sync, 1, done)))
            if done[2].changes:
                raise WrongResult(f"{len(done[2].changes)} changes where nothing changed")
    where = f", {'with groups, ' if groups else ''}{server}"
    for title, cost, limit in (
        (FIRST.format(number) + where, median(first), None),
        (NIGHT.format(number, changed) + where, median(night), LIMIT),
        (QUIET + where, median(quiet), None),
    ):
        yield Figure(title, cost.wall, "s", limit, cpu=cost.cpu)


def _look(sync: StatusSync, nights: int, done: list[Looked]) -> None:
    done.append(sync.recompute(DAY + timedelta(days=nights), NOW + timedelta(days=nights)))


def _rows(database: Database) -> int:
    """How many changes the history has."""
    with database.read() as session:
        return session.query(AccountStatusHistory).count()


def _fill(database: Database, number: int, *, groups: bool) -> None:
    """So many accounts, each with a project, a deal and an opportunity, at days of the last three years. With
    `groups` one in ten is a group with nine others below, and one in a hundred a group of such groups."""
    with database.write() as session:
        _rows_of(session, number)
        if groups:
            a = Account
            tops, tens = a.id % 100 == 1, a.id % 10 == 1
            session.execute(update(a).where(tens).values(type=AccountType.GROUP))
            session.execute(update(a).where(~tens).values(parent_id=a.id - (a.id - 1) % 10))
            session.execute(update(a).where(tens & ~tops).values(parent_id=a.id - (a.id - 1) % 100))
    analyze(database)


def _rows_of(session: Transaction, number: int) -> None:
    random = Random(6)
    entity = {"created_at": NOW, "updated_at": NOW, "version": 1}
    days = [[DAY - timedelta(days=random.randrange(YEARS)) for _ in range(3)] for _ in range(number)]
    ids = range(1, number + 1)
    customer = AccountType.CUSTOMER
    bulk(session, Account, [
        {"id": i, "name": f"Compte {i}", "type": customer, "created_on": created, **entity}
        for i, (created, _, _) in zip(ids, days, strict=True)
    ])  # fmt: skip
    bulk(session, Project, [
        {"id": i, "name": f"Projet {i}", "account_id": i, "status": ProjectStatus.OPEN, **entity} for i in ids
    ])  # fmt: skip
    bulk(session, Deal, [
        {"id": i, "title": "Affaire", "project_id": i, "status": DealStatus.ENDED, "end_date": end,
         "billable": True, **entity}
        for i, (_, end, _) in zip(ids, days, strict=True)
    ])  # fmt: skip
    bulk(session, Opportunity, [
        {"id": i, "title": "Opportunité", "status": OpportunityStatus.LOST, "closed_on": closed, **entity}
        for i, (_, _, closed) in zip(ids, days, strict=True)
    ])  # fmt: skip
    bulk(session, OpportunityAccount, [{"opportunity_id": i, "account_id": i, "main": True} for i in ids])
