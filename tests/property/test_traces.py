"""What a person is found by in texts: looking quickly first never hides what the pattern would find."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.traces import MARK, Traces

NAMES = ("Annelise Quévreux", "Müller, Kissa", "Ελένη Παππά", "İlker Şık", "Jean-Marc O'Neil")
ADDRESSES = ("annelise@quevreux.example", "kissa.straße@müller.example")
NUMBERS = ("06 98 76 54 32", "+33698765432", "+41 44 668 18 00", "٠٦٩٨٧٦٥٤٣")
LETTERS = {"i": "iIıİ", "s": "sSſ", "k": "kK\u212a", "e": "eE"}  # what IGNORECASE takes for the same


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """One of them as somebody may write it."""
    kind = draw(st.sampled_from(("name", "address", "number", "other")))
    if kind == "other":
        return draw(st.text(max_size=20) | st.sampled_from(("<br>", "\\u00e9", "12", "6", "Annelise", "q")))
    if kind == "number":
        digits = [one for one in draw(st.sampled_from(NUMBERS)) if one.isdecimal()]
        between = st.sampled_from(("", "", " ", ".", "-", "\u202f", " (", ") "))
        return draw(st.sampled_from(("", "+", "00", "0"))) + "".join(one + draw(between) for one in digits)
    text = draw(st.sampled_from(NAMES if kind == "name" else ADDRESSES))
    if kind == "name" and draw(st.booleans()):
        words = text.replace(",", " ").split()
        text = draw(st.sampled_from((" ", "&nbsp;", ", ", "\n"))).join([words[-1], *words[:-1]])
    text = unicodedata.normalize(draw(st.sampled_from(("NFC", "NFD"))), text)
    return "".join(
        draw(st.sampled_from(LETTERS.get(one.lower(), (one, one.upper(), one.lower())))) for one in text
    )


@given(
    st.lists(st.sampled_from(ADDRESSES), unique=True),
    st.lists(st.sampled_from(NAMES), unique=True),
    st.lists(st.sampled_from(NUMBERS), unique=True),
    st.lists(spellings(), max_size=6).map("".join) | st.lists(spellings(), max_size=6).map(" ".join),
)
def test_looking_quickly_first_hides_nothing(
    addresses: list[str], names: list[str], numbers: list[str], text: str
) -> None:
    traces = Traces(addresses, names, numbers)
    slowly = traces._pattern.sub(MARK, text)
    assert traces.clean(text) == slowly
    assert traces.inside(text) == (slowly != text)


LATIN = ("Annelise Quévreux", "Müller, Kissa", "Agnès Lecœur", "Que\u0301vreux Zoé")


@pytest.mark.parametrize(
    "text",
    ["QUEVREUX Annelise", "Annelise\u202fQue\u0301vreux", "annelise Quévreux", "Annel\u0131se Quevreux",
     "Annel\u0130se Quevreux", "\u212ai\u017fsa Müller", "Kissa Muller", "MÜLLER, KISSA", "Agnes LECOEUR",
     "agnès lecœur", "Zoe\u0301 Quévreux", "Zoe Quevreux"],
)  # fmt: skip
def test_names_are_found_with_accents_and_without(text: str) -> None:
    assert Traces((), LATIN, ()).clean(f"Vu {text} hier") == f"Vu {MARK} hier"


def test_names_without_latin_letters_are_found_too() -> None:
    traces = Traces((), NAMES, ())
    assert traces.clean("Παππα Ελενη, Παππά Ελένη") == f"{MARK}, {MARK}"


def test_other_names_are_left() -> None:
    for text in ("Annelise Quévreuxe", "Annelise Qu\u00eavreux", "Agnes Lecur"):
        assert Traces((), LATIN, ()).clean(text) == text
