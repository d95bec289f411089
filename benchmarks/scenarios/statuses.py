"""Nightly looks at the statuses of many accounts on SQLite: the first one, which gives each of them a status,
and that of an ordinary night, which writes only what changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from benchmarks.bench import Bench
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
    first, night, quiet, changed = [], [], [], 0
    for _ in range(bench.scale.repetitions):
        with _crm(bench) as (database, sync):
            done: list[Looked] = []
            first.append(timed(partial(_look, sync, 0, done)))
            before = _rows(database)
            night.append(timed(partial(_look, sync, 1, done)))
            changed = len(done[1].changes)
            if _rows(database) - before != changed or len(done[0].changes) != bench.scale.accounts:
                raise WrongResult(f"{_rows(database) - before} rows of history for {changed} changes")
            quiet.append(timed(partial(_look, sync, 1, done)))
            if done[2].changes:
                raise WrongResult(f"{len(done[2].changes)} changes where nothing changed")
    number = bench.scale.accounts
    return [
        Figure(title, cost.wall, "s", limit, cpu=cost.cpu)
        for title, cost, limit in (
            (FIRST.format(number), median(first), None),
            (NIGHT.format(number, changed), median(night), LIMIT),
            (QUIET, median(quiet), None),
        )
    ]


def _look(sync: StatusSync, nights: int, done: list[Looked]) -> None:
    done.append(sync.recompute(DAY + timedelta(days=nights), NOW + timedelta(days=nights)))


def _rows(database: Database) -> int:
    """How many changes the history has."""
    with database.read() as session:
        return session.query(AccountStatusHistory).count()


@contextmanager
def _crm(bench: Bench) -> Iterator[tuple[Database, StatusSync]]:
    """So many accounts, each with a project, a deal and an opportunity, at days of the last three years."""
    directory = bench.new_directory()
    directory.mkdir(exist_ok=True)
    database = Database(f"sqlite:///{directory / 'crm.db'}")
    try:
        database.upgrade()
        with database.write() as session:
            _fill(session, bench.scale.accounts)
        yield database, StatusSync(database, ZoneInfo("Europe/Paris"))
    finally:
        database.close()


def _fill(session: Transaction, number: int) -> None:
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
