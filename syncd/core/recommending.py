"""Recommendations of accounts, as far as they are words: what a small screen shows, the label before it, and
table T3, which tells whose text stands. Pure; knows no table and no rule's condition.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

LONGEST_PREVIEW = 80  # characters (R014)
LABELS = {
    "PAYMENT_DELAY": {"fr": "Retard de paiement", "en": "Late payment"},
    "PAYMENT_NOTICE": {"fr": "Avis de règlement", "en": "Payment notice"},
    "ACCOUNT_INFO": {"fr": "Information", "en": "Information"},
    "OTHER": {"fr": "", "en": ""},
}


def preview(message: str) -> str:
    """What fits into a line of a small screen: the first 80 characters, cut between words, and "…". A message
    that is not longer is given as it is; one word that is longer is cut within."""
    if len(message) <= LONGEST_PREVIEW:
        return message
    head = message[:LONGEST_PREVIEW]
    if not message[LONGEST_PREVIEW].isspace():
        words = head.rstrip()
        last = max((n for n, character in enumerate(words) if character.isspace()), default=0)
        head = words if words != head else head[:last] or head
    return head.rstrip() + "…"


def label(category: str, language: str) -> str:
    """The words for a category (R004), in that language or else in French; empty for OTHER."""
    words = LABELS[category]
    return words.get(language, words["fr"])


class Step(Enum):
    """What becomes of an account's recommendation."""

    KEEP = "keep"
    WRITE = "write"  # the rule's text stands from now on, the former one goes to the history
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Standing:
    """The text that stands. `rule` is the name of the rule that wrote it, None where a person did."""

    message: str
    rule: str | None = None
    clears: bool = True  # whether the text goes once no rule matches any more (that rule's clear_when_false)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules say: the rendered text of the first one that matches."""

    rule: str
    message: str
    overwrites: bool = False  # its overwrite_manual


def decide(standing: Standing | None, ruling: Ruling | None, declined: Collection[str] = ()) -> Step:
    """Table T3. `declined` are the texts that a person's deletion holds for: no rule writes them again."""
    if standing is None:
        return Step.KEEP if ruling is None or ruling.message in declined else Step.WRITE
    if standing.rule is None:
        return Step.WRITE if ruling is not None and ruling.overwrites else Step.KEEP
    if ruling is None:
        return Step.CLEAR if standing.clears else Step.KEEP
    same = (standing.rule, standing.message) == (ruling.rule, ruling.message)
    return Step.KEEP if same else Step.WRITE
