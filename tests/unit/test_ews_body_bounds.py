"""Bodies of events as strangers write them: whatever they hold, a change of the notes takes no time."""

import time
from itertools import permutations

import pytest

from connectors.ews.calendar.body import edited, same_lines, text_in

LENGTH = 256 * 1024 - 64  # the longest body that is edited line by line
SECONDS = 8.0  # on a slow machine; what is quadratic takes up to a minute

PIECES = [
    "<style>", "<STYLE >", "<script>", "<head>", "<title>", "<xml>", "<xml:a>", "<a", "<a ", "<style",
    "<style></style", "<", "</", "<!--", "<!-- -->", "</body ", "</style", "<a>", "<p>", "<br>", "<br>x",
    "x<br>y<br>", "<li>x", "<ol><li>", "&lt;", "&", " ", "\xa0", "x",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_no_body_of_a_stranger_holds_up_a_change(piece: str) -> None:
    body = "<html><body><div>one</div>" + piece * (LENGTH // len(piece))
    begun = time.process_time()
    found = edited(body, "two\nthree")
    assert time.process_time() - begun < SECONDS
    assert same_lines(text_in(found, html=True), "two\nthree")


@pytest.mark.parametrize("places", list(permutations(range(3))))
def test_many_lines_that_are_alike_do_not_hold_up_a_change(places: tuple[int, ...]) -> None:
    parts = ["x\n" * 8000, "y\n" * 8000, "z\n" * 8000]
    old, new = "".join(parts), "".join(parts[place] for place in places)
    body = f"<html><body>{old.replace(chr(10), '<br>')}</body></html>"
    begun = time.process_time()
    found = edited(body, new)
    assert time.process_time() - begun < SECONDS
    assert same_lines(text_in(found, html=True), new)


def test_a_line_in_the_middle_of_many_is_changed_where_it_stands() -> None:
    lines = [f"<p class=k>line {number}</p>" for number in range(3000)]
    body = f"<html><body>{''.join(lines)}</body></html>"
    wanted = text_in(body, html=True).replace("line 1500", "other 1500")
    begun = time.process_time()
    assert edited(body, wanted) == body.replace("line 1500", "other 1500")
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize(
    "hidden",
    [
        "<style>p { color: red }</style>",
        "<STYLE type=x>p > a</Style >",
        "<!-- two -->",
        "<title>one</title>",
        "<xml:w>one</xml>",
    ],
)
def test_what_nobody_sees_is_kept_when_a_line_changes(hidden: str) -> None:
    body = f"<html><body>{hidden}<p>one</p><p>three</p></body></html>"
    wanted = text_in(body, html=True).replace("three", "four")
    found = edited(body, wanted)
    assert same_lines(text_in(found, html=True), wanted)
    if hidden != "<xml:w>one</xml>":
        assert found == body.replace("three", "four")
