"""What a user answered to the form of a meeting or call: comments, an outcome, a next step. Pure.

A line « Résultat : … » tells the outcome; « Suite : … », « Prochaine étape : … », « -> … » or « → … » the
next step, in the words of the quick-add grammar; everything else is comments. Nothing that was written is
lost: a next step that cannot be understood stays in the comments.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from syncd.core.quick_add.errors import QuickAddError
from syncd.core.quick_add.parser import parse
from syncd.core.quick_add.result import Lookup, QuickAdd, nobody
from syncd.core.quick_add.words import fold

OUTCOME = frozenset({"resultat", "outcome"})
NEXT = frozenset({"suite", "prochaine etape", "next", "next step"})
ARROWS = ("->", "→")
BULLETS = "-*• \t\xa0"
LONGEST_LABEL = 40  # characters before the colon


class Trouble(Enum):
    """What of an answer could not be taken, in French and in English; {line} is the line."""

    NOT_UNDERSTOOD = (
        "la suite n'est pas comprise et reste dans les commentaires : {why}",
        "the next step is not understood and stays in the comments: {why}",
    )
    SECOND_STEP = (
        "une seule suite est prise ; reste dans les commentaires : {line}",
        "one next step is taken; this stays in the comments: {line}",
    )
    SECOND_OUTCOME = (
        "un seul résultat est pris ; reste dans les commentaires : {line}",
        "one outcome is taken; this stays in the comments: {line}",
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that stays in the comments, and why."""

    trouble: Trouble
    line: str  # as written
    error: QuickAddError | None = None  # why a next step is not understood

    def told(self, language: str) -> str:
        """The message: in French, or in English for "en"."""
        french, english = self.trouble.value
        why = self.error.told(language) if self.error is not None else ""
        return (english if language == "en" else french).format(line=self.line.strip()[:200], why=why)


@dataclass(frozen=True, slots=True)
class Answer:
    """A form that was answered."""

    comments: str = ""
    outcome: str | None = None
    next_step: QuickAdd | None = None
    step_line: str = ""  # the line of the next step, as written
    problems: tuple[Problem, ...] = ()


def read_answer(text: str, today: datetime, lookup: Lookup = nobody) -> Answer:
    """The answer in the notes of the form's task, or in what a reply says (`replies.answered`).

    `today` is now on the clock of the user's zone, without a zone. Never raises for any text.
    """
    reader = _Reader(today, lookup)
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        reader.take(line)
    return reader.answer()


class _Reader:
    """Line by line."""

    def __init__(self, today: datetime, lookup: Lookup) -> None:
        self._today, self._lookup = today, lookup
        self._comments: list[str] = []
        self._problems: list[Problem] = []
        self._outcome: str | None = None
        self._next: QuickAdd | None = None
        self._line = ""

    def take(self, line: str) -> None:
        label, value = _labelled(line)
        if not label:
            self._comments.append(line)
        elif value and label == "outcome":
            self._take_outcome(line, value)
        elif value:
            self._take_step(line, value)

    def answer(self) -> Answer:
        lines = self._comments
        while lines and not lines[-1].strip():
            lines.pop()
        first = next((at for at, line in enumerate(lines) if line.strip()), 0)
        text = "\n".join(lines[first:])
        return Answer(text, self._outcome, self._next, self._line, tuple(self._problems))

    def _take_outcome(self, line: str, value: str) -> None:
        if self._outcome is None:
            self._outcome = value
        elif value != self._outcome:
            self._stays(Problem(Trouble.SECOND_OUTCOME, line))

    def _take_step(self, line: str, value: str) -> None:
        if self._next is not None:
            self._stays(Problem(Trouble.SECOND_STEP, line))
            return
        try:
            self._next, self._line = parse(value, self._today, self._lookup), line.strip()
        except QuickAddError as error:
            self._stays(Problem(Trouble.NOT_UNDERSTOOD, line, error))

    def _stays(self, problem: Problem) -> None:
        self._comments.append(problem.line)
        self._problems.append(problem)


def _labelled(line: str) -> tuple[str, str]:
    """ "outcome" or "next" with what follows; an empty label for a line of comments."""
    bare = line.strip()
    for arrow in ARROWS:
        if bare.startswith(arrow):
            return "next", bare.removeprefix(arrow).strip()
    name, colon, value = bare[: LONGEST_LABEL + 1].partition(":")
    if not colon:
        return "", ""
    value = bare.partition(":")[2].strip()
    word = fold(name.strip(BULLETS))
    if word in OUTCOME:
        return "outcome", value
    return ("next", value) if word in NEXT else ("", "")
