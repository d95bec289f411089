"""The CRM's block comes off as it was put on, whatever a person wrote before it."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.block import CLOSING, OPENING, attach, clean, find, strip

LINES = st.lists(
    st.one_of(st.sampled_from(["", " ", "a", "- x", "--- CRM", "CRM ---"]), st.text(max_size=9)), max_size=6
)
TEXTS = LINES.map(lambda lines: clean("\n".join(lines))).filter(
    lambda text: OPENING not in text and CLOSING not in text
)


@given(TEXTS, TEXTS)
def test_what_was_attached_comes_off_and_the_notes_are_as_they_were(notes: str, block: str) -> None:
    assert strip(attach(notes, block)) == notes
    assert strip(notes) == notes


@given(TEXTS, TEXTS.filter(lambda text: bool(text.strip("\n"))))
def test_the_block_is_found_as_it_was_attached(notes: str, block: str) -> None:
    assert find(attach(notes, block)) == [block]


@given(TEXTS, TEXTS, TEXTS)
def test_what_is_written_after_the_block_stays(notes: str, block: str, later: str) -> None:
    kept = strip(attach(notes, block) + "\n" + later)
    assert kept.startswith(notes)
    assert kept.endswith(later)


@given(
    st.lists(st.one_of(st.sampled_from([OPENING, CLOSING, "", "a", "b"]), st.text(max_size=3)), max_size=12)
)
def test_stripping_twice_takes_no_more_than_stripping_once(lines: list[str]) -> None:
    once = strip(clean("\n".join(lines)))
    assert strip(once) == once
