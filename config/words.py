"""Single words that lists and records show: the names of fields and of values, by their key in English.

English says the key itself, which is also what files, options and JSON take; other languages have a word.
Which keys there are is said by the records themselves: `make messages` collects them (tools/messages.py).
"""

from enum import Enum

from config.language import Phrase, term

FIELD = "field"
NOUN = "noun"
OUTCOME = "outcome"


def value_word(value: Enum) -> Phrase:
    """A value of a list that is built in: the context is its kind, since one word may mean several things."""
    return term(type(value).__name__, value.name.lower())


def field_word(name: str) -> Phrase:
    """A field, or the head of a list, by its name."""
    return term(FIELD, name)


def noun_word(name: str) -> Phrase:
    """A kind of record: "account", or "accounts"."""
    return term(NOUN, name)


def changed_meanwhile(noun: str, id_: int | None, version: int, expected: int) -> Phrase:
    """Why a record is not written at which somebody looked in another version."""
    return Phrase(
        "{kind} {id} was changed meanwhile: it is at version {version}, not {expected}",
        kind=noun_word(noun),
        id=id_,
        version=version,
        expected=expected,
    )


def outcome_word(word: str) -> Phrase:
    """What became of a record: "added"."""
    return term(OUTCOME, word)
