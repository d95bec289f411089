"""What is shown of a recommendation, and table T3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.recommendations import Category
from syncd.core.recommending import LONGEST_PREVIEW, Ruling, Standing, Step, decide, label, preview


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Acompte exigé", "Acompte exigé"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 80 + "…"),  # one word: cut within
        ("mot " * 20 + "fin", ("mot " * 20).rstrip() + "…"),  # the 80th character is a space
        ("a" * 80 + " b", "a" * 80 + "…"),  # the 81st is
        ("a" * 70 + " " + "b" * 20, "a" * 70 + "…"),
        ("a" * 70 + "\n" + "b" * 20, "a" * 70 + "…"),
    ],
)
def test_a_preview_ends_between_words(message: str, shown: str) -> None:
    assert preview(message) == shown


@given(st.text(alphabet="ab \n", max_size=200).map(str.strip))
def test_a_preview_is_the_message_or_a_shorter_beginning_of_it(message: str) -> None:
    shown = preview(message)
    if len(message) <= LONGEST_PREVIEW:
        assert shown == message
        return
    head = shown.removesuffix("…")
    assert head != shown
    assert message.startswith(head)
    assert 0 < len(head) <= LONGEST_PREVIEW
    assert head == head.rstrip()
    words = [one for one in message[: LONGEST_PREVIEW + 1] if one.isspace()]
    assert not words or message[len(head)].isspace()


def test_every_category_has_its_label_in_both_languages() -> None:
    assert label("PAYMENT_DELAY", "fr") == "Retard de paiement"
    assert label("PAYMENT_DELAY", "en") == "Late payment"
    assert label("OTHER", "fr") == ""
    for category in Category:
        assert label(category.name, "de") == label(category.name, "fr")


MANUAL = Standing("typed")
BY_R = Standing("R's text", "R")
R, OTHER_TEXT = Ruling("R", "R's text"), Ruling("R", "R's other text")
R2 = Ruling("R2", "R2's text")
OVER = Ruling("R", "R's text", overwrites=True)

T3 = [
    # current text | a rule matches | result
    ("none, yes", None, R, (), Step.WRITE),
    ("none, no", None, None, (), Step.KEEP),
    ("by R, R matches with other text", BY_R, OTHER_TEXT, (), Step.WRITE),
    ("by R, R matches with the same text", BY_R, R, (), Step.KEEP),
    ("by R, R no longer, R2 does", BY_R, R2, (), Step.WRITE),
    ("by R, none, clear_when_false", BY_R, None, (), Step.CLEAR),
    ("by R, none, not clear_when_false", Standing("R's text", "R", clears=False), None, (), Step.KEEP),
    ("manual, any", MANUAL, R, (), Step.KEEP),
    ("manual, none", MANUAL, None, (), Step.KEEP),
    ("manual, overwrite_manual", MANUAL, OVER, (), Step.WRITE),
    ("manual deleted by a user, the same text", None, R, ("R's text",), Step.KEEP),
    ("manual deleted by a user, the text has changed", None, OTHER_TEXT, ("R's text",), Step.WRITE),
    ("manual deleted by a user, overwrite_manual", None, OVER, ("R's text",), Step.KEEP),
]


@pytest.mark.parametrize(
    ("standing", "ruling", "declined", "step"), [row[1:] for row in T3], ids=[row[0] for row in T3]
)
def test_table_t3(
    standing: Standing | None, ruling: Ruling | None, declined: tuple[str, ...], step: Step
) -> None:
    assert decide(standing, ruling, declined) is step
