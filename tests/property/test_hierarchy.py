"""Laws of accounts below accounts: no changes make a circle, and groups are as what lies below them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from store import hierarchy, removing
from store.accounts import Account, AccountStatus, AccountType
from store.actors import admin_at_machine
from store.csvfile import Line, Refused
from store.database import Database
from store.deals import Deal, Project
from store.errors import Invalid, NotFound
from store.importing import Occasion, Options
from store.kinds import KINDS
from store.statuses import AccountStatusHistory
from syncd.engine import records
from syncd.engine.records import Follows
from syncd.engine.statuses import Reading, StatusSync
from tests.integration.test_statuses import PARIS

NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
TODAY = date(2026, 11, 22)
OCCASION = Occasion(admin_at_machine("root"), NOON, TODAY, "test")
ROLLUP = Follows(reading=Reading(PARIS, group_rollup=True))
NAMES = "ABCDEFG"

NAME = st.sampled_from(NAMES)
ROW = st.tuples(NAME, st.sampled_from(["", *NAMES]))
CHANGE = st.one_of(
    # One or several accounts at once get other parents, all of them or those that may.
    st.tuples(
        st.just("move"), st.lists(ROW, min_size=1, max_size=4, unique_by=lambda row: row[0]), st.booleans()
    ),
    st.tuples(st.just("type"), NAME, st.sampled_from(["groupe", "client"])),
    st.tuples(st.just("deal"), NAME, st.sampled_from(["", "2026-07-01", "2020-01-01"])),
    st.tuples(st.sampled_from(["delete", "restore"]), NAME, st.none()),
)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


def write(database: Database, kind: str, rows: list[dict[str, str]], *, partial: bool = False) -> bool:
    lines = [Line(number, row) for number, row in enumerate(rows, 2)]
    try:
        with database.write() as session:
            records.save(session, KINDS[kind], lines, OCCASION, Options(partial=partial), follows=ROLLUP)
    except Refused:
        return False
    return True


def begin(database: Database) -> None:
    """No accounts but these, none below another, each with a project."""
    with database.write() as session:
        for model in (AccountStatusHistory, Deal, Project, Account):
            session.execute(delete(model))
    old = {"created_on": "2020-01-01"}
    kinds = {name: "groupe" if name in "ABC" else "client" for name in NAMES}
    write(database, "accounts", [{"ext_id": one, "name": one, "type": kinds[one], **old} for one in NAMES])
    write(database, "projects", [{"ext_id": one, "name": one, "account": one} for one in NAMES])


def apply(database: Database, change: tuple[str, object, object]) -> bool:
    what, first, second = change
    if what == "move":
        assert isinstance(first, list)
        rows = [{"ext_id": name, "parent": parent} for name, parent in first]
        return write(database, "accounts", rows, partial=bool(second))
    if what == "type":
        return write(database, "accounts", [{"ext_id": str(first), "type": str(second)}])
    if what == "deal":
        title = f"D{first}"
        row = {
            "ext_id": title,
            "title": title,
            "project": str(first),
            "status": "SIGNED",
            "end_date": str(second),
        }
        return write(database, "deals", [row])
    return remove(database, what, str(first))


def remove(database: Database, what: str, name: str) -> bool:
    """Deletes the account or brings it back, with its status, as the command line does."""
    try:
        with database.write() as session:
            id_ = session.scalars(select(Account.id).where(Account.ext_id == name)).one()
            do = removing.delete_account if what == "delete" else removing.restore_account
            # Its project would keep it: it goes and comes with it.
            project = session.scalars(select(Project).where(Project.ext_id == name)).one()
            project.deleted_at = NOON if what == "delete" else None
            session.flush()
            removed = do(session, id_, actor=OCCASION.actor, now=NOON)
            records.settle(session, removed.accounts, TODAY, NOON, ROLLUP)
    except (Invalid, NotFound):
        return False
    return True


def parents(database: Database) -> Mapping[str, str]:
    with database.read() as session:
        rows = session.execute(select(Account.id, Account.ext_id)).all()
        names = {row[0]: row[1] for row in rows}
        above = session.execute(select(Account.ext_id, Account.parent_id)).all()
    return {str(name): str(names[parent]) for name, parent in above if parent is not None}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CHANGE, min_size=1, max_size=12))
def test_no_sequence_of_changes_makes_a_circle_and_every_status_is_that_of_a_fresh_look(
    database: Database, changes: list[tuple[str, object, object]]
) -> None:
    begin(database)
    sync = StatusSync(database, PARIS, group_rollup=True)
    for change in changes:
        apply(database, change)
        known = parents(database)
        for name in known:
            seen = [name]
            while (above := known.get(seen[-1])) is not None:
                assert above not in seen, (change, known)
                seen.append(above)
        assert sync.recompute(TODAY, NOON, dry_run=True).changes == (), (change, known)
        assert_statuses(database, known)


def assert_statuses(database: Database, known: Mapping[str, str]) -> None:
    """A group is active where it or anything below it is, told by walking up from each deal."""
    with database.read() as session:
        rows = session.scalars(select(Account).where(Account.deleted_at.is_(None))).all()
        found = {str(one.ext_id): (one.type, one.status) for one in rows}
        sold = session.scalars(
            select(Account.ext_id)
            .join(Project, Project.account_id == Account.id)
            .join(Deal, Deal.project_id == Project.id)
            .where(Deal.end_date.is_(None), Project.deleted_at.is_(None), Account.deleted_at.is_(None))
        )
        active = set()
        for name in map(str, sold):
            active.add(name)
            above = known.get(name)
            while above is not None:
                if found[above][0] is AccountType.GROUP:
                    active.add(above)
                above = known.get(above)
    assert {name for name, (_, status) in found.items() if status is AccountStatus.ACTIVE} == active


@given(
    st.dictionaries(st.integers(0, 8), st.integers(0, 8)),
    st.sets(st.integers(0, 8)),
)
def test_who_is_in_a_circle_is_told(above: dict[int, int], moved: set[int]) -> None:
    def comes_back(start: int) -> bool:
        current: int | None = start
        for _ in range(10):
            current = None if current is None else above.get(current)
            if current == start:
                return True
        return False

    assert hierarchy.circles(above, moved) == {one for one in moved if comes_back(one)}


@given(st.integers(1, 3 * hierarchy.LEVELS), st.data())
def test_who_lies_in_too_long_a_chain_is_told(length: int, data: st.DataObject) -> None:
    above = {one: one - 1 for one in range(1, length)}
    moved = data.draw(st.sets(st.integers(0, length - 1)))
    expected = moved if length > hierarchy.LEVELS else set()
    assert hierarchy.too_deep(above, moved) == expected
