"""A page of the timeline of a contact with very many activities, on SQLite: first, middle and last page.

Each page looks at all activities of the contact once, by index and key, and sorts their times; only the fifty
of the page are read. So it costs the same wherever it stands, and grows with the contact, not with the CRM.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from benchmarks.bench import Bench
from benchmarks.harness import Figure, WrongResult, median, timed
from store.accounts import Account, AccountType
from store.activities import Activity, ActivityContact, ActivityState, ActivityType
from store.contacts import Contact, CreatedVia, Gender
from store.database import Database, Transaction, bulk
from store.timeline import Place, page

LIMIT = 20  # milliseconds
ROWS = 50  # of a page
CONTACTS = 4  # each with as many activities
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TITLE = "the {} page of a contact's timeline of {:,} entries"
KINDS = (ActivityType.EMAIL, ActivityType.CALL, ActivityType.EMAIL, ActivityType.VIDEO_CALL)


def measure(bench: Bench) -> list[Figure]:
    """The median of some pages of each kind."""
    number = bench.scale.entries
    places = {
        "first": None,
        "middle": Place(NOW - timedelta(minutes=number // 2), 0),
        "last": Place(NOW - timedelta(minutes=number - ROWS - 1), 0),
    }
    figures = []
    with _crm(bench) as database:
        _read(database, None)  # the first query of a process is compiled
        for name, place in places.items():
            cost = median([timed(partial(_read, database, place)) for _ in range(bench.scale.pages)])
            title = TITLE.format(name, number)
            figures.append(Figure(title, cost.wall * 1000, "ms", LIMIT, cpu=cost.cpu * 1000))
    return figures


def _read(database: Database, after: Place | None) -> None:
    with database.read() as session:
        found = page(session, 1, limit=ROWS, after=after)
    if len(found.rows) != ROWS:
        raise WrongResult(f"a page of {len(found.rows)} rows, not {ROWS}")


@contextmanager
def _crm(bench: Bench) -> Iterator[Database]:
    """Some contacts with so many activities each."""
    directory = bench.new_directory()
    directory.mkdir(exist_ok=True)
    database = Database(f"sqlite:///{directory / 'crm.db'}")
    try:
        database.upgrade()
        with database.write() as session:
            _fill(session, bench.scale.entries)
        yield database
    finally:
        database.close()


def _fill(session: Transaction, number: int) -> None:
    entity = {"created_at": NOW, "updated_at": NOW, "version": 1}
    account = {"id": 1, "name": "Compte", "type": AccountType.CUSTOMER, "created_on": NOW.date(), **entity}
    bulk(session, Account, [account])
    bulk(session, Contact, [
        {"id": i, "account_id": 1, "last_name": f"Nom {i}", "first_name": "", "gender": Gender.UNSPECIFIED,
         "created_via": CreatedVia.MANUAL, **entity}
        for i in range(1, CONTACTS + 1)
    ])  # fmt: skip
    # One a minute and contact, not in the order of their times; those of one lie all over the table.
    places = [(i + 1, i % CONTACTS + 1, i // CONTACTS) for i in range(number * CONTACTS)]
    bulk(session, Activity, [
        {"id": id_, "type": KINDS[entry % len(KINDS)], "account_id": 1, "subject": "Votre demande de devis",
         "occurred_at": NOW - timedelta(minutes=entry * 7919 % number), "comments": "Rappeler. " * 20,
         "automatic": True, "state": ActivityState.VALIDATED, **entity}
        for id_, _, entry in places
    ])  # fmt: skip
    bulk(session, ActivityContact, [{"activity_id": id_, "contact_id": who} for id_, who, _ in places])
