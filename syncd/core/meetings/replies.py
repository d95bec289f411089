"""What somebody wrote in a reply by mail, without the message that it answers and without a signature. Pure,
and linear in the length of the text.

The forms are those that mail clients write above the original, in French, English and German: Gmail, Apple
Mail and Thunderbird a line « Le 23 nov. 2026 à 14:00, Claire <…> a écrit : », Outlook a head of its own.
What resembles none of them is kept: a line too many in the comments is better than one lost.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from syncd.core.quick_add.words import fold

WRAPPED = 3  # lines that a client breaks « Le … a écrit : » into, at most
HEAD = 8  # lines of Outlook's head, with those of long lists of receivers
LONGEST = 500  # characters of a line that can be one of a client's

_BEGINS = ("le ", "on ", "am ")
_WROTE = re.compile(r"(?:\ba ecrit\s*:|\bwrote\s*:|\bschrieb\b.*:)\s*$")
_CLOCK = re.compile(r"\b\d{1,2}[:.h]\d{2}\b", re.ASCII)
_FROM = frozenset({"de", "from", "von"})
_FIELDS = frozenset(
    "envoye date a cc objet sent to subject gesendet datum an betreff importance repondre-a reply-to".split()
)
_ENOUGH = 2  # further fields of Outlook's head: when and to whom, or about what
_ORIGINAL = re.compile(
    r"-{2,}\s*(?:message d'origine|message original|original message|message transfere|forwarded message"
    r"|ursprungliche nachricht|originalnachricht|weitergeleitete nachricht)\s*-{2,}"
)
_FORWARDED = frozenset(
    {
        "debut du message transfere :", "debut du message reexpedie :", "begin forwarded message:",
        "anfang der weitergeleiteten nachricht:",
    }
)  # fmt: skip
_RULE = re.compile(r"[_=\-–—*]{3,}")  # HTML's <hr> is read as three hyphens
_DEVICE = re.compile(
    r"(?:envoye|sent|gesendet) (?:de|du|depuis|from|von|avec|a partir de|via|mit)\b.*"
    r"|(?:von|aus) .* gesendet"
    r"|(?:obtenez|obtenir|telecharger|telechargez|get|holen sie sich) outlook (?:pour|for|fur)\b.*"
    r"|outlook fur \w+ herunterladen"
)
_SAYS = frozenset({"Ll", "Lm", "Lo", "Lt", "Lu", "Nd", "Nl", "No", "So"})  # So: a thumb up says something
_LONGEST_DEVICE = 100  # characters


def answered(text: str, form: str, fact_of: Callable[[str], str] = lambda _: "") -> str:
    """What the answer to a form says: without the form's own lines too, since many clients put neither a line
    that is known nor a mark before the original. Empty where no letter, digit or symbol is left.

    `form` is what its message would say now. The facts in it may have been others when the message was put:
    `fact_of` tells which fact a line could be, and below the form's first line one of each is the form's."""
    own = Counter(line.strip() for line in form.split("\n") if line.strip())
    facts: set[str] = set()
    kept: list[str] = []
    first = True
    for line in written(text).split("\n"):
        bare = line.strip()
        fact = fact_of(bare)
        if own[bare] <= 0 and (first or not fact or fact in facts):
            kept.append(line)
            continue
        own[bare] -= 1
        facts.add(fact)
        if first:
            _without_attribution(kept)
            first = False
    said = "\n".join(_without_ending(kept))
    return said if any(unicodedata.category(sign) in _SAYS for sign in said) else ""


def _without_attribution(kept: list[str]) -> None:
    """Takes « Claire a écrit : », also without a time, from above the original."""
    at = next((n for n in range(len(kept) - 1, -1, -1) if kept[n].strip()), None)
    if at is not None and len(kept[at]) <= LONGEST and _WROTE.search(fold(kept[at]).strip(" \t*\xa0\u202f")):
        del kept[at:]


def written(text: str) -> str:
    """What the sender wrote above, below or between the quoted lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    folded = [fold(line).strip(" \t*\xa0\u202f") if len(line) <= LONGEST else "" for line in lines]
    kept: list[str] = []
    at = 0
    while at < len(lines):
        if lines[at].rstrip() == "--" or _begins_original(folded, at):
            break
        if lines[at].lstrip().startswith(">"):
            at += 1
            continue
        after = _after_attribution(folded, at)
        if after is None:
            kept.append(lines[at])
            at += 1
        elif not _quoted_next(lines, after):
            break
        else:
            at = after
    return "\n".join(_without_ending(kept))


def _begins_original(folded: Sequence[str], at: int) -> bool:
    line = folded[at]
    if _ORIGINAL.fullmatch(line) or line in _FORWARDED:
        return True
    if _field(line) not in _FROM:
        return False
    return sum(_field(one) in _FIELDS for one in folded[at + 1 : at + HEAD]) >= _ENOUGH


def _field(line: str) -> str:
    """The name before the colon, also of « *Von:* Claire »."""
    name, colon, _ = line.partition(":")
    return name.strip(" *\xa0\u202f") if colon else ""


def _after_attribution(folded: Sequence[str], at: int) -> int | None:
    """The line after « Le … à 14:00, Claire a écrit : » if that begins here."""
    if not folded[at].startswith(_BEGINS) and " schrieb am " not in folded[at]:
        return None
    joined = ""
    for end in range(at, min(at + WRAPPED, len(folded))):
        joined = f"{joined} {folded[end]}".strip()
        if _WROTE.search(joined[-LONGEST:]):
            return end + 1 if _CLOCK.search(joined) else None
    return None


def _quoted_next(lines: Sequence[str], at: int) -> bool:
    """Whether the quoted lines are marked, so that an answer may follow them."""
    following = next((line for line in lines[at : at + WRAPPED] if line.strip()), "")
    return following.lstrip().startswith(">")


def _without_ending(lines: list[str]) -> list[str]:
    """Without what a telephone adds at the end, and without a rule above the original."""
    while lines:
        last = fold(lines[-1][: _LONGEST_DEVICE + 1]).strip()
        if (
            last
            and not _RULE.fullmatch(last)
            and not (len(last) <= _LONGEST_DEVICE and _DEVICE.fullmatch(last))
        ):
            break
        lines.pop()
    return lines
