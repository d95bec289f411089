"""What every numbering keeps to: the one in memory, and the one in the store on each database."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.numbering import MemoryNumbering, Numbered, Numbering
from store import mailboxes
from store.database import Database
from store.errors import StoreError
from store.mailboxes import MailboxRow
from store.user_rows import UserRow
from store.users import UserRole
from syncd.engine.numbering import StoredNumbering
from tests.servers.databases import NewDatabase

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FOLDER = "AAMkAD==/folder"


def stored(url: str) -> Database:
    """A database with the mailboxes claire and denis."""
    database = Database(url)
    users = [UserRow(name, name, f"{name}@acme.example", (), UserRole.STANDARD, None, None) for name in NAMES]
    boxes = [
        MailboxRow(
            name, name, f"{name}@acme.example", "ex", sync_mail=True, sync_calendar=False, direction="BOTH"
        )
        for name in NAMES
    ]
    with database.write() as session:
        mailboxes.apply_config(session, users, boxes, NOW)
    return database


NAMES = ("claire", "denis")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def numbering(request: pytest.FixtureRequest) -> Iterator[Numbering]:
    if request.param == "memory":
        yield MemoryNumbering()
        return
    new_database: NewDatabase = request.getfixturevalue("new_database")
    database = stored(new_database(request.param))
    yield StoredNumbering(database, "claire")
    database.close()


def told(numbered: Numbered | None) -> Numbered:
    assert numbered is not None
    return numbered


def test_a_folder_that_was_never_seen_has_nothing(numbering: Numbering) -> None:
    assert numbering.read(FOLDER) == Numbered()
    assert list(numbering.numbers(FOLDER, 0)) == []
    assert dict(numbering.ids(FOLDER, [1])) == {}


def test_ids_get_ascending_numbers_and_keep_them(numbering: Numbering) -> None:
    first = told(numbering.note(FOLDER, Numbered(), "s1", came=["a", "b"], went=()))
    assert first == Numbered("s1", 2, 2) == numbering.read(FOLDER)
    second = told(numbering.note(FOLDER, first, "s2", came=["b", "c", "a", "c"], went=()))
    assert second == Numbered("s2", 3, 3)
    assert dict(numbering.ids(FOLDER, [1, 2, 3, 4])) == {1: "a", 2: "b", 3: "c"}
    assert list(numbering.numbers(FOLDER, 1)) == [2, 3]


def test_a_number_is_never_given_twice(numbering: Numbering) -> None:
    first = told(numbering.note(FOLDER, Numbered(), "s1", came=["a", "b"], went=()))
    second = told(numbering.note(FOLDER, first, "s2", came=(), went=["b", "unknown"]))
    assert second == Numbered("s2", 2, 1)
    third = told(numbering.note(FOLDER, second, "s3", came=["b"], went=()))
    assert dict(numbering.ids(FOLDER, [1, 2, 3])) == {1: "a", 3: "b"}
    assert third == Numbered("s3", 3, 2)


def test_a_whole_listing_says_what_is_gone(numbering: Numbering) -> None:
    first = told(numbering.note(FOLDER, Numbered(), "s1", came=["a", "b", "c"], went=()))
    second = told(numbering.settle(FOLDER, first, "s2", ["c", "d", "a", "d"]))
    assert second == Numbered("s2", 4, 3)
    assert dict(numbering.ids(FOLDER, range(1, 9))) == {1: "a", 3: "c", 4: "d"}


def test_who_comes_second_writes_nothing(numbering: Numbering) -> None:
    first = told(numbering.note(FOLDER, Numbered(), "s1", came=["a"], went=()))
    assert numbering.note(FOLDER, Numbered(), "s9", came=["x"], went=["a"]) is None
    assert numbering.settle(FOLDER, Numbered("s0", 1, 1), "s9", ["x"]) is None
    assert numbering.read(FOLDER) == first
    assert dict(numbering.ids(FOLDER, [1, 2])) == {1: "a"}


def test_folders_are_numbered_apart_and_ids_are_told_apart_by_case(numbering: Numbering) -> None:
    told(numbering.note(FOLDER, Numbered(), "s", came=["a", "A"], went=()))
    told(numbering.note(FOLDER.lower(), Numbered(), "t", came=["a"], went=()))
    assert dict(numbering.ids(FOLDER, [1, 2])) == {1: "a", 2: "A"}
    assert dict(numbering.ids(FOLDER.lower(), [1, 2])) == {1: "a"}


def test_many_messages_at_once(numbering: Numbering) -> None:
    ids = [f"{number:0152}" for number in range(2000)]
    first = told(numbering.note(FOLDER, Numbered(), "s", came=ids, went=()))
    assert first.last == 2000
    assert len(numbering.ids(FOLDER, range(1, 2001))) == 2000
    second = told(numbering.note(FOLDER, first, "t", came=(), went=ids[:1500]))
    assert list(numbering.numbers(FOLDER, 0)) == list(range(1501, 2001))
    assert told(numbering.settle(FOLDER, second, "u", [])).count == 0


def test_mailboxes_are_numbered_apart(new_database: NewDatabase) -> None:
    database = stored(new_database("sqlite"))
    mine, theirs = (StoredNumbering(database, name) for name in NAMES)
    told(mine.note(FOLDER, Numbered(), "s", came=["a"], went=()))
    assert theirs.read(FOLDER) == Numbered()
    with pytest.raises(StoreError, match="nobody"):
        StoredNumbering(database, "nobody").note(FOLDER, Numbered(), "s", came=["a"], went=())
    database.close()


Step = tuple[str, frozenset[str]]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["came", "went", "all"]), st.frozensets(st.sampled_from("abcdefgh"), max_size=8)
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_store_numbers_as_memory_does(
    fresh_folder: Callable[[], tuple[StoredNumbering, str]], steps: list[Step]
) -> None:
    numbering, folder = fresh_folder()
    model = MemoryNumbering()
    for number, (what, ids) in enumerate(steps):
        for one in (numbering, model):
            before, state = one.read(folder), f"s{number}"
            listed = sorted(ids)
            if what == "all":
                told(one.settle(folder, before, state, listed))
            else:
                came, went = (listed, []) if what == "came" else ([], listed)
                told(one.note(folder, before, state, came=came, went=went))
        assert numbering.read(folder) == model.read(folder)
        every = model.numbers(folder, 0)
        assert numbering.numbers(folder, 0) == every
        assert numbering.ids(folder, every) == model.ids(folder, every)


@pytest.fixture
def fresh_folder(new_database: NewDatabase) -> Iterator[Callable[[], tuple[StoredNumbering, str]]]:
    database = stored(new_database("sqlite"))
    made: list[str] = []

    def fresh() -> tuple[StoredNumbering, str]:
        made.append(f"folder {len(made)}")
        return StoredNumbering(database, "claire"), made[-1]

    yield fresh
    database.close()


def test_the_folders_that_hold_numbers_are_known_and_an_emptied_one_goes_on_counting(
    numbering: Numbering,
) -> None:
    first = told(numbering.note(FOLDER, Numbered(), "s1", came=["a", "b"], went=()))
    told(numbering.note("other", Numbered(), "s1", came=["a"], went=()))
    assert sorted(numbering.folders()) == sorted([FOLDER, "other"])
    emptied = told(numbering.settle(FOLDER, first, "", present=()))
    assert emptied == Numbered("", 2, 0)
    assert list(numbering.folders()) == ["other"]
    again = told(numbering.note(FOLDER, emptied, "s2", came=["a"], went=()))
    assert list(numbering.numbers(FOLDER, 0)) == [3]
    assert again == Numbered("s2", 3, 1)
