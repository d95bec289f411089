"""Merging contacts: nothing that refers to them is lost, and taking it back gives the very same rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from store import merging
from store.actors import admin_at_machine
from store.database import Database
from store.meetings import MeetingEvidence
from tests.people import NOW, People, State, state

ADMIN = admin_at_machine("root")
MOST = 4  # contacts

References = dict[str, set[tuple[object, ...]]]
World = dict[str, list[Any]]

who = st.integers(0, MOST - 1)
groups = st.lists(who, min_size=1, max_size=MOST, unique=True)
few = st.lists(who, max_size=2)
texts = st.sampled_from(["", "a", "b"])
maybe = st.sampled_from([None, "a@x.example", "b@x.example", "c@x.example", "d@x.example"])
person = st.fixed_dictionaries(
    {
        "first_name": texts,
        "last_name": st.sampled_from(["Martin", "Roi"]),
        "email": maybe,
        "email2": maybe,
        "email3": maybe,
        "phone_mobile": st.sampled_from([None, "0612345678", "06 12 34 56 78", "0799999999"]),
        "comment": st.sampled_from([None, "x", "y"]),
    }
)
worlds = st.fixed_dictionaries(
    {
        "people": st.lists(person, min_size=MOST, max_size=MOST),
        "activities": st.lists(groups, max_size=4),
        "mails": st.lists(groups, max_size=3),
        "events": st.lists(groups, max_size=3),
        "tasks": st.lists(who, max_size=3),
        "drafts": st.lists(who, max_size=2),
        "reports": st.lists(st.tuples(groups, few, few), max_size=2),
    }
)
merges = st.lists(st.tuples(who, who), min_size=1, max_size=3)


@contextmanager
def built(database: Database, world: World) -> Iterator[tuple[Session, list[int]]]:
    """The world in a transaction that is never committed."""
    with database.write() as session:
        people = People(session)
        user, account = people.user("claire"), people.account("Garage")
        ids = [people.contact(account, **one) for one in world["people"]]
        for group in world["activities"]:
            people.activity([ids[one] for one in group])
        for group in world["mails"]:
            people.mail(account, [ids[one] for one in group])
        for group in world["events"]:
            people.event(user, [ids[one] for one in group])
        for one in world["tasks"]:
            people.task(user, ids[one])
        for one in world["drafts"]:
            people.draft(ids[one])
        for present, absent, unplanned in world["reports"]:
            people.report(*([ids[one] for one in part] for part in (present, absent, unplanned)))
        yield session, ids
        session.rollback()


def mentioned(session: Session) -> References:
    """Who is referred to from where: each reference once, whoever stands there twice."""
    found: References = {}
    for table, column in merging.references():
        others = [one for one in table.primary_key.columns if one is not column]
        rows = session.execute(select(*others, column).where(column.is_not(None)))
        found[str(column)] = {tuple(row) for row in rows}
    found["reports"] = {
        (id_, part, entry.get("who") if isinstance(entry, dict) else entry)
        for id_, detail in session.execute(select(MeetingEvidence.id, MeetingEvidence.detail))
        for part in ("present", "absent", "unplanned")
        for entry in detail[part]
    }
    return found


def renamed(references: References, keep: int, other: int) -> References:
    new: dict[object, object] = {other: keep, f"contact:{other}": f"contact:{keep}"}
    return {
        name: {(*row[:-1], new.get(row[-1], row[-1])) for row in rows} for name, rows in references.items()
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(world=worlds, pairs=merges)
def test_a_merge_loses_no_reference_and_its_undo_gives_the_same_rows(
    sqlite_database: Database,
    world: World,
    pairs: list[tuple[int, int]],
) -> None:
    with built(sqlite_database, world) as (session, ids):
        history: list[tuple[int, int, State]] = []
        gone: set[int] = set()
        for keep, other in ((ids[a], ids[b]) for a, b in pairs):
            if keep == other or {keep, other} & gone:
                continue
            history.append((keep, other, state(session)))
            before = mentioned(session)
            done = merging.merge(session, keep, other, actor=ADMIN, now=NOW)
            assert mentioned(session) == renamed(before, keep, other)
            gone.add(other)
            for table in done.moved:
                event(f"moved {table}")
            if done.filled:
                event("filled")
        for keep, other, before_it in reversed(history):
            merging.unmerge(session, keep, other, actor=ADMIN, now=NOW)
            assert state(session) == before_it
