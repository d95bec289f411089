"""The text cut into tokens, each with its place: linear in the length of the text."""

import re
import unicodedata
from dataclasses import dataclass, field

from syncd.core.quick_add.errors import QuickAddError, Reason
from syncd.core.quick_add.words import MONTHS, fold

LONGEST = 2000  # characters
MARKS = "@#"
QUOTES = {'"': '"', "“": "”", "«": "»"}
OPENING, CLOSING = "([{“«\"'", ")]}”»\"',;:.!?…"
SEPARATORS = ",;:."
NEARBY = 10  # words that any rule looks ahead

_CHUNK = re.compile(r"(?:[^\s,;]|(?<=\d)[,;](?=\d))+[,;]*|[,;]+")
_BROKEN = re.compile("[\ud800-\udfff]")  # what a terminal gives for octets that are no UTF-8
_SPACE = re.compile(r"\s*")
_EMPTY = re.compile(r"\(\s*\)|\[\s*\]|\{\s*\}")


@dataclass(frozen=True, slots=True)
class Token:
    """A word as typed, with the punctuation around it, or a text in quotes."""

    text: str
    start: int
    end: int
    core: str  # without the punctuation around; of a quoted text, what is inside
    word: str  # the core without accents and in lower case; empty for a text in quotes, which is not read
    stop: bool  # whether a comma or the end of a sentence follows: no form goes on beyond it
    mark: str = ""  # @ or # before a text in quotes


@dataclass
class Text:
    """The tokens of a text, and which of them were understood."""

    source: str  # in Unicode's form NFC
    tokens: list[Token]
    used: list[bool] = field(init=False)

    def __post_init__(self) -> None:
        self.used = [False] * len(self.tokens)

    def words(self, index: int) -> list[str]:
        """The next words that may belong together, at most ten."""
        found: list[str] = []
        for token in self.tokens[index : index + NEARBY]:
            if not token.word:
                break
            found.append(token.word)
            if token.stop:
                break
        return found

    def use(self, start: int, end: int) -> None:
        """These tokens were understood."""
        self.used[start:end] = [True] * (end - start)

    def typed(self, start: int, end: int) -> str:
        """What was typed there, without the punctuation around."""
        if end - start == 1:
            token = self.tokens[start]
            return token.core if token.word else token.text
        return self.source[self.tokens[start].start : self.tokens[end - 1].end].strip(" ,;.")

    def error(self, reason: Reason, start: int, end: int, facts: str = "") -> QuickAddError:
        """The error about these tokens."""
        place = (self.tokens[start].start, self.tokens[end - 1].end)
        return QuickAddError(reason, self.typed(start, end), place, facts)

    def rest(self) -> str:
        """What was not understood, as typed; brackets around what was are kept where they hold something."""
        pieces: list[str] = []
        before = 0
        for token, used in zip(self.tokens, self.used, strict=True):
            if token.start > before:
                pieces.append(" ")
            before = token.end
            if not used:
                pieces.append(token.text)
            elif token.word:
                lead, _, trail = token.text.partition(token.core)
                pieces.append(lead + trail.lstrip(SEPARATORS).rstrip(SEPARATORS))
        text = _EMPTY.sub(" ", "".join(pieces))
        return " ".join(text.split()).strip(" ,;:-–—")


def read(text: str) -> Text:
    """The tokens of the text. Raises QuickAddError: too long, no text, an open quote."""
    source = unicodedata.normalize("NFC", text)
    if not source.isascii() and _BROKEN.search(source):
        raise QuickAddError(Reason.UNREADABLE, place=(0, len(source)))
    if len(source) > LONGEST:
        raise QuickAddError(Reason.TOO_LONG, place=(LONGEST, len(source)), facts=str(len(source)))
    last = {closing: source.rfind(closing) for closing in QUOTES.values()}
    tokens: list[Token] = []
    at = _skip(source, 0)
    while at < len(source):
        token = _quoted(source, at, last) or _chunk(source, at)
        tokens.append(token)
        at = _skip(source, token.end)
    return Text(source, tokens)


def _skip(source: str, at: int) -> int:
    found = _SPACE.match(source, at)
    return found.end() if found else at


def _quoted(source: str, at: int, last: dict[str, int]) -> Token | None:
    mark = source[at] if source[at] in MARKS else ""
    opening = at + len(mark)
    closing = QUOTES.get(source[opening : opening + 1])
    if closing is None:
        return None
    if last[closing] <= opening:
        if mark:
            chunk = _chunk(source, at)
            raise QuickAddError(Reason.UNCLOSED, chunk.text, (at, chunk.end))
        return None
    end = source.index(closing, opening + 1) + 1
    return Token(source[at:end], at, end, source[opening + 1 : end - 1].strip(), "", stop=True, mark=mark)


def _chunk(source: str, at: int) -> Token:
    found = _CHUNK.match(source, at)
    end = found.end() if found else at + 1
    text = source[at:end]
    core = text.lstrip(OPENING).rstrip(CLOSING)
    word = fold(core)
    trail = text[text.find(core) + len(core) :] if core else text
    stop = any(char in ",;" for char in trail) or ("." in trail and word not in MONTHS)
    return Token(text, at, end, core, word, stop)
