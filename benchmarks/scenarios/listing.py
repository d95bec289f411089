"""Lists of many contacts, filtered and sorted, on SQLite and on PostgreSQL where there is one: what a person
waits for."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter

from benchmarks.bench import Bench
from benchmarks.databases import analyze, servers
from benchmarks.harness import Figure, WrongResult
from store import contact_list
from store.accounts import Account, AccountType
from store.contacts import Contact, CreatedVia, Gender
from store.database import Database, Transaction, bulk
from store.report_rows import Query, Sort
from store.users import User, UserRole

LIMIT = 50  # ms
REPETITIONS = 9
NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
SYLLABLES = "mar tin du pont ber nard pe tit ro bert ri chard du rand le roy mo reau si mon lau rent".split()


def measure(bench: Bench) -> list[Figure]:
    """The median of some looks at each list, once it has been looked at."""
    figures = []
    for name, made in servers():
        with made(bench) as database:
            number = bench.scale.contacts
            with database.write() as session:
                fill(session, number)
            analyze(database)
            for what, query in _queries().items():
                title = f"a page of {number:,} contacts, {what}, {name}"
                figures.append(Figure(title, _milliseconds(database, query, what), "ms", LIMIT))
    return figures


def _queries() -> dict[str, Query]:
    return {
        "by name": Query(),
        "the 1,000th page": Query(offset=50_000),
        "by text": Query(text="martin"),
        "by a text of many": Query(text="e"),
        "by a text of few": Query(text="@x77."),
        "by account": Query(account=17),
        "by owner": Query(owner=1),
        "the last changed": Query(sort=Sort("updated_at", descending=True)),
        "changed this week": Query(changed_since=NOW - timedelta(days=7)),
        "by owner and text, the last changed": Query(
            owner=1, text="mar", sort=Sort("updated_at", descending=True)
        ),
    }


def _milliseconds(database: Database, query: Query, what: str) -> float:
    times = []
    for _ in range(REPETITIONS + 1):
        start = perf_counter()
        with database.read() as session:
            page = contact_list.contacts(session, query)
        times.append(1000 * (perf_counter() - start))
        if not page.total and what != "the 1,000th page":
            raise WrongResult(f"no contacts {what}")
    return median(times[1:])


def fill(session: Transaction, number: int) -> None:
    """Makes so many contacts, their accounts and owners."""
    random = Random(6)
    accounts = max(number // 10, 20)
    entity = {"created_at": NOW, "version": 1}
    users = [
        {"id": n, "login": f"u{n}", "last_name": "U", "first_name": "", "email": f"u{n}@acme.example",
         "aliases": [], "role": UserRole.STANDARD, "show_reminders": False, "active": True,
         "updated_at": NOW, **entity}
        for n in range(1, 21)
    ]  # fmt: skip
    bulk(session, User, users)
    bulk(session, Account, [
        {"id": n, "name": f"Compte {n}", "type": AccountType.CUSTOMER, "created_on": date(2026, 1, 1),
         "updated_at": NOW, **entity}
        for n in range(1, accounts + 1)
    ])  # fmt: skip
    word: Callable[[], str] = lambda: "".join(random.choices(SYLLABLES, k=2))  # noqa: E731 - said once
    rows = []
    for n in range(1, number + 1):
        last, first = word(), word()
        rows.append(
            {"id": n, "account_id": random.randrange(accounts) + 1, "last_name": last.title(),
             "first_name": first.title(), "email": f"{first}.{last}.{n}@x{n % 999}.example",
             "phone_mobile": f"+33 6 {n:08d}", "position": "Acheteur", "gender": Gender.UNSPECIFIED,
             "owner_id": random.randrange(20) + 1, "created_via": CreatedVia.IMPORT,
             "updated_at": NOW - timedelta(minutes=random.randrange(1_000_000)), **entity}
        )  # fmt: skip
    bulk(session, Contact, rows)
