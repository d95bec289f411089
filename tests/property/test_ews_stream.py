"""However a stream of notifications is cut into pieces, it says the same; spoiled, it says so or goes on."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connectors.ews.answers import GarbledError
from connectors.ews.events import Documents, Told
from connectors.ews.piecewise import HttpAnswer
from tests.unit.test_ews_stream import HEAD, document, notification

NAMES = ["CreatedEvent", "DeletedEvent", "ModifiedEvent", "MovedEvent", "NewMailEvent", "StatusEvent"]
DOCUMENTS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(NAMES), max_size=3),
        st.sampled_from(["s1", "s&amp;2", "é"]),
        st.sampled_from(["", "\r\n", "  "]),
    ),
    min_size=1,
    max_size=5,
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(marks)]


def read(pieces: list[bytes]) -> tuple[list[Told], bool]:
    answer, documents = HttpAnswer(), Documents()
    told = [one for piece in pieces for one in documents.feed(answer.feed(piece))]
    return told, answer.over


@given(
    DOCUMENTS, st.lists(st.integers(0, 10_000), max_size=30), st.lists(st.integers(0, 10_000), max_size=30)
)
def test_any_cutting_into_chunks_and_pieces_says_the_same(
    wanted: list[tuple[list[str], str, str]], chunks: list[int], pieces: list[int]
) -> None:
    body = b"".join(
        between.encode() + document(notification(*names, subscription=subscription) if names else "")
        for names, subscription, between in wanted
    )
    framed = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in cut(body, chunks))
    told, over = read(cut(HEAD + framed + b"0\r\n\r\n", pieces))
    assert over
    assert [one.heard for one in told] == [
        frozenset({subscription.replace("&amp;", "&")} if set(names) - {"StatusEvent"} else ())
        for names, subscription, _ in wanted
    ]


@given(st.data())
def test_a_spoiled_stream_is_refused_or_read_and_nothing_else(data: st.DataObject) -> None:
    body = document(notification("CreatedEvent")) * 2
    good = HEAD + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    spoiled = good[:start] + data.draw(st.binary(max_size=40)) + good[end:]
    try:
        told, _ = read(cut(spoiled, data.draw(st.lists(st.integers(0, 10_000), max_size=5))))
    except GarbledError:
        return
    assert len(told) <= 2
