"""Erasing one person of a large CRM, on SQLite and on PostgreSQL where there is one: nobody else writes
meanwhile, so this is how long everybody waits. Beside it one bare look through all texts of the e-mails."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from random import Random

from sqlalchemy import func, select

from benchmarks import phrases
from benchmarks.bench import SEED, Bench
from benchmarks.databases import servers
from benchmarks.harness import Figure, Usage, WrongResult, median, timed
from benchmarks.phrases import Language
from benchmarks.scenarios.listing import NOW, fill
from store.activities import Activity, ActivityContact, ActivityState, ActivityType
from store.actors import admin_at_machine
from store.blobs import BlobStore
from store.contacts import Contact
from store.database import Database, Transaction, bulk
from store.leases import Leases
from store.mail import EmailDirection, EmailMessage
from syncd.core.identity import KeyedHash
from syncd.engine.erasing import Erasing
from syncd.engine.phones import settle_all

NAMED = 10  # e-mails of others that name the person
ADMIN = admin_at_machine("root")
COUNTRY = "FR"
PARAGRAPHS = 12  # of an e-mail, in each of its two forms
LIMIT = 20  # seconds


def measure(bench: Bench) -> list[Figure]:
    """The median of some erasures, each of another person."""
    figures = []
    for name, made in servers():
        with made(bench) as database:
            contacts, mails = bench.scale.contacts, bench.scale.messages
            with database.write() as session:
                fill(session, contacts)
                _fill_mail(session, mails, contacts)
            settle_all(database, COUNTRY)
            costs = list(_erasures(bench, database))
            look = timed(lambda: _look(database))
        title = f"erasing one of {contacts:,} contacts, {mails:,} e-mails, {name}"
        cost = median(costs)
        figures.append(Figure(title, cost.wall, "s", LIMIT, cpu=cost.cpu))
        figures.append(Figure(f"{title}: one look through all texts of mail", look.wall, "s", cpu=look.cpu))
    return figures


def _erasures(bench: Bench, database: Database) -> Iterator[Usage]:
    directory = bench.new_directory()
    work = Erasing(
        database,
        BlobStore(directory / "attachments"),
        KeyedHash(secrets.token_bytes(32)),
        Leases(database, directory / "locks"),
        COUNTRY,
    )
    for number in range(1, bench.scale.repetitions + 1):
        with _named(database, number) as address:
            usage = timed(partial(work.carry_out, address, ADMIN, NOW, id_=f"{number:032x}"))
        yield usage


@contextmanager
def _named(database: Database, number: int) -> Iterator[str]:
    """Has some e-mails name the person; raises WrongResult where one still does in the end."""
    with database.write() as session:
        contact = session.get_one(Contact, number)
        contact.first_name, contact.last_name = f"Prudence{number}", "Kerambrun"
        address = str(contact.email)
        where = EmailMessage.id % 997 == number
        for mail in session.scalars(select(EmailMessage).where(where).limit(NAMED)):
            mail.body_text += f"\n\nVu avec prudence{number} KERAMBRUN ({address})."
    yield address
    with database.read() as session:
        left = session.scalar(
            select(func.count())
            .select_from(EmailMessage)
            .where(EmailMessage.body_text.ilike(f"%prudence{number}%"))
        )
        if left or session.get(Contact, number) is not None:
            raise WrongResult(f"the person is still in {left} e-mails, or a contact")


def _look(database: Database) -> None:
    with database.read() as session:
        either = EmailMessage.body_text.ilike("%qqq%") | EmailMessage.body_html.ilike("%qqq%")
        session.scalar(select(func.count()).select_from(EmailMessage).where(either))


def _fill_mail(session: Transaction, number: int, contacts: int) -> None:
    rng = Random(SEED)
    library = phrases.Library(rng, size=300)
    entity = {"created_at": NOW, "updated_at": NOW, "version": 1}
    mails, activities = [], []
    for n in range(1, number + 1):
        text = "\n\n".join(library.paragraphs(Language.FRENCH, PARAGRAPHS))
        html = "".join(f"<p>{each}</p>" for each in text.split("\n\n"))
        sender = f"x.y.{n % 999}@x{n % 999}.example"
        mails.append(
            {"id": n, "message_id": f"{n}@example", "fingerprint": f"{n:064x}", "thread_key": f"{n}",
             "direction": EmailDirection.RECEIVED, "from": [sender], "to": ["claire@acme.example"],
             "cc": [], "bcc": [], "reply_to": [], "in_reply_to": [], "references": [],
             "date": NOW - timedelta(minutes=n), "subject": phrases.subject(rng, Language.FRENCH),
             "body_text": text, "body_html": html, "size": 10_000, "defects": [], **entity}
        )  # fmt: skip
        activities.append(
            {"id": n, "type": ActivityType.EMAIL, "account_id": n % 20 + 1, "subject": "Devis",
             "occurred_at": NOW - timedelta(minutes=n), "comments": "", "automatic": True,
             "state": ActivityState.VALIDATED, "email_id": n, **entity}
        )  # fmt: skip
    bulk(session, EmailMessage, mails)
    bulk(session, Activity, activities)
    here = [{"activity_id": n, "contact_id": n % contacts + 1} for n in range(1, number + 1)]
    bulk(session, ActivityContact, here)
