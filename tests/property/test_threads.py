"""Threads: what answers to what ends in one thread, in whatever order it arrives, and nothing else does."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.testing import MemoryMailbox
from store.mail import EmailDirection
from store.mail_log import MailRow, Threads
from syncd.engine import mail as engine_mail
from tests.property.office import FOLDERS, LOGINS, Office, fast
from tests.servers.world import NOW, mail

in_a_hurry = pytest.fixture(autouse=True)(fast)

PAUL, CLAIRE = "paul@client.example", "claire@acme.example"
ROUNDS = 10  # until everything has happened


class Post:
    """One generated message: its number, and those that it names, oldest first."""

    def __init__(self, number: int, tree: int, names: tuple[int, ...]) -> None:
        self.number = number
        self.tree = tree
        self.names = names

    def __repr__(self) -> str:
        return f"{self.number}->{list(self.names)}"


@st.composite
def forests(draw: st.DrawFn) -> list[Post]:
    """Reply trees. Every answer names its parent, and of the older ones whatever its client left in."""
    posts: list[Post] = []
    ancestors: list[tuple[int, ...]] = []
    for number in range(draw(st.integers(1, 12))):
        parent = draw(st.none() | st.integers(0, number - 1)) if number else None
        if parent is None:
            posts.append(Post(number, number, ()))
            ancestors.append(())
            continue
        line = (*ancestors[parent], parent)
        kept = draw(st.lists(st.booleans(), min_size=len(line) - 1, max_size=len(line) - 1))
        names = (*(one for one, stays in zip(line, kept, strict=False) if stays), parent)
        posts.append(Post(number, posts[parent].tree, names))
        ancestors.append(line)
    return posts


def batches(posts: Sequence[Post], draw: st.DrawFn) -> list[list[Post]]:
    order = draw(st.permutations(posts))
    cuts = sorted(draw(st.sets(st.integers(1, len(posts)), max_size=len(posts))) | {len(posts)})
    return [list(order[start:end]) for start, end in zip([0, *cuts], cuts, strict=False)]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Post], list[list[Post]]]:
    """A forest, and the batches in which all of it arrives."""
    posts = draw(forests())
    return posts, batches(posts, draw)


@st.composite
def holed_deliveries(draw: st.DrawFn) -> tuple[list[Post], list[list[Post]]]:
    """A forest of which some messages never arrive: strangers' ones, or deleted before they were seen."""
    posts = draw(forests())
    arriving = draw(st.lists(st.sampled_from(posts), min_size=1, unique=True))
    return arriving, batches(arriving, draw)


def expected(posts: Sequence[Post]) -> set[frozenset[int]]:
    """The messages that are bound together by naming each other, or by naming the same one."""
    group = {number: {number} for post in posts for number in (post.number, *post.names)}
    for post in posts:
        for one in post.names:
            joined = group[post.number] | group[one]
            for member in joined:
                group[member] = joined
    there = {post.number for post in posts}
    return {frozenset(members & there) for members in group.values()} - {frozenset()}


def row(post: Post) -> MailRow:
    """What `resolve` looks at, and nothing else."""
    return MailRow(
        fingerprint=f"f{post.number}",
        message_id=f"{post.number}@mail.example",
        thread_ids=tuple(f"{one}@mail.example" for one in post.names),
        in_reply_to=(),
        references=(),
        direction=EmailDirection.RECEIVED,
        from_=(),
        to=(),
        cc=(),
        bcc=(),
        reply_to=(),
        date=NOW,
        subject="",
        body_text="",
        body_html="",
        size=0,
        defects=(),
        attachments=(),
    )


def resolved(arrived: Sequence[Sequence[Post]]) -> set[frozenset[int]]:
    """The threads of all of them put in as one batch."""
    threads = Threads()
    order = [post for batch in arrived for post in batch]
    keys = [threads.resolve(row(post)) for post in order]
    found: dict[str, set[int]] = {}
    for post, key in zip(order, keys, strict=True):
        found.setdefault(threads.final(key), set()).add(post.number)
    return {frozenset(one) for one in found.values()}


@settings(max_examples=400, deadline=None)
@given(deliveries())
def test_in_one_batch_a_tree_is_one_thread_in_whatever_order_it_stands(
    case: tuple[list[Post], list[list[Post]]],
) -> None:
    posts, arrived = case
    assert resolved(arrived) == expected(posts)
    assert expected(posts) == {
        frozenset(post.number for post in posts if post.tree == tree) for tree in {p.tree for p in posts}
    }


@settings(max_examples=400, deadline=None)
@given(holed_deliveries())
def test_in_one_batch_answers_to_a_message_that_never_came_are_one_thread(
    case: tuple[list[Post], list[list[Post]]],
) -> None:
    posts, arrived = case
    assert resolved(arrived) == expected(posts)


def test_a_batch_that_joins_threads_takes_their_opportunities_along() -> None:
    threads = Threads(
        key_of={"a": "a", "b": "b"}, links={("a", 1): (10, None), ("b", 1): (11, None), ("b", 2): (12, 5)}
    )
    key = threads.resolve(replace(row(Post(9, 0, ())), thread_ids=("a", "b")))
    assert threads.merged == {"b": "a"}
    assert {account: threads.links[key, account] for account in (1, 2)} == {1: (10, None), 2: (12, 5)}


def test_a_message_without_an_id_and_without_references_is_a_thread_of_its_own() -> None:
    threads = Threads()
    nameless = replace(row(Post(1, 1, ())), message_id=None)
    assert threads.resolve(nameless) == "f1"
    assert threads.resolve(replace(nameless, fingerprint="f2")) == "f2"
    assert threads.merged == {}


# --- through the database -------------------------------------------------------------------------------


@pytest.fixture
def logged(
    sqlite_template: Path, tmp_path: Path, in_a_hurry: None
) -> Callable[[Sequence[Sequence[Post]], int], set[frozenset[int]]]:
    """Delivers the batches, a cycle after each, and tells the threads that are in the CRM then."""
    number = count()

    def run(arrived: Sequence[Sequence[Post]], group: int) -> set[frozenset[int]]:
        engine_mail.GROUP = group
        mailboxes = {login: MemoryMailbox(login) for login in LOGINS}
        office = Office(tmp_path / str(next(number)), sqlite_template, mailboxes)
        try:
            office.add_contact(PAUL)
            for batch in arrived:
                for post in batch:
                    at = NOW - timedelta(days=20, minutes=post.number)
                    message = mail(post.number, PAUL, CLAIRE, reply_to=list(map(str, post.names)), at=at)
                    mailboxes["claire"].deliver(FOLDERS[post.number % 2], message, received_at=NOW)
                assert not office.cycle("claire").failed
            found: dict[object, set[int]] = {}
            for key, message_id in office.rows("SELECT thread_key, message_id FROM email_message"):
                found.setdefault(key, set()).add(int(str(message_id).partition("@")[0]))
            return {frozenset(one) for one in found.values()}
        finally:
            office.close()

    return run


def test_in_whatever_batches_and_order_it_comes_a_tree_is_one_thread(
    logged: Callable[[Sequence[Sequence[Post]], int], set[frozenset[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_mail, "GROUP", engine_mail.GROUP)
    occurred: Counter[str] = Counter()

    # Not derandomized: under CI each round would be the same one.
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=False)
    @given(deliveries() | holed_deliveries(), st.sampled_from([1, 2, 200]))
    def check(case: tuple[list[Post], list[list[Post]]], group: int) -> None:
        posts, arrived = case
        assert logged(arrived, group) == expected(posts)
        place = {post.number: at for at, batch in enumerate(arrived) for post in batch}
        named = [(post.number, one) for post in posts for one in post.names]
        occurred["several batches"] += len(arrived) > 1
        occurred["an answer before its parent"] += any(place[a] < place.get(b, -1) for a, b in named)
        occurred["a parent that never came"] += any(b not in place for _, b in named)
        occurred["several threads"] += len(expected(posts)) > 1

    for _ in range(ROUNDS):
        check()
        if all(occurred.values()):
            break
    assert {kind for kind, times in occurred.items() if not times} == set()


def test_threads_that_a_later_message_joins_are_one_in_the_crm(
    logged: Callable[[Sequence[Sequence[Post]], int], set[frozenset[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_mail, "GROUP", engine_mail.GROUP)
    branches = [Post(3, 0, (1,)), Post(4, 0, (2,)), Post(5, 5, ())]
    assert logged([branches], 1) == {frozenset({3}), frozenset({4}), frozenset({5})}
    join = [Post(2, 0, (0, 1))]
    assert logged([branches, join], 1) == {frozenset({2, 3, 4}), frozenset({5})}


@pytest.mark.parametrize(
    "posts",
    [
        [Post(4, 0, (0, 1)), Post(3, 0, (1,))],  # both answer to 1, which never comes
        [Post(3, 0, (1,)), Post(4, 0, (0, 1))],
        [Post(9, 0, tuple(range(9))), Post(10, 0, (0,))],  # the oldest of a long line is enough
        [Post(9, 0, tuple(range(9))), Post(10, 0, (8,))],  # and so is any of the nearest
        [Post(9, 0, tuple(range(9))), Post(11, 0, (10, 0))],  # wherever it stands in the other's line
        [Post(1, 1, (0,)), Post(3, 3, (2,)), Post(4, 4, (0, 2)), Post(5, 5, (2,))],
    ],
)
def test_messages_that_never_came_hold_a_thread_together_over_several_cycles(
    logged: Callable[[Sequence[Sequence[Post]], int], set[frozenset[int]]],
    monkeypatch: pytest.MonkeyPatch,
    posts: list[Post],
) -> None:
    monkeypatch.setattr(engine_mail, "GROUP", engine_mail.GROUP)
    assert logged([[post] for post in posts], 1) == expected(posts)
    assert len(expected(posts)) == 1
