"""People of a meeting, and when two spellings are one name. Pure."""

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 200  # characters of a name that are looked at

# What meetings put behind a name, in any language: "(Guest)", "(Invité)", "(Externe)", "[Acme]".
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_WORD = re.compile(r"[^\W\d_]+")
# Programs that take notes, by what they are shown as; a line more is a robot more. Words that are names of
# people as well ("Gong", "Fellow") count only together with what the program does.
_ROBOT = re.compile(
    r"\bnote ?-?takers?\b|\bfireflies\.ai\b|\botter\.ai\b|\botter ?pilot\b|\bread\.ai\b|\bread ai\b"
    r"|\btl;?dv\b|\bmeetgeek\b|\bsembly ai\b|\bmeeting notes\b"
    r"|\b(?:recording|transcription|meeting|ai) (?:bot|assistant)\b"
    r"|\b(?:gong|modjo|avoma|fathom|chorus|noota|leexi|notta|jamie|fellow)(?:\.(?:ai|io))? "
    r"(?:bot|assistant|recorder|recording)\b"
)
_STATES = frozenset(
    """guest invite invitee invites gast invitado invitada convidado convidada ospite externe external extern
    externo esterno unverified verified host hote organizer organisateur anonymous anonyme you vous
    moi me""".split()
)


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who was invited, or who organises."""

    key: str  # of the caller's choice, unique in the meeting
    emails: tuple[str, ...]  # lower-cased; all the addresses that are known of the person
    name: str = ""
    organizer: bool = False


def is_robot(shown: str) -> bool:
    """Whether somebody is a program that takes notes: it is in the meeting, and nobody is."""
    return _ROBOT.search(_simple(shown[:LONGEST])) is not None


def names_of(shown: str) -> frozenset[frozenset[str]]:
    """The names that a person is shown by: "Bob (Robert Martin)" has two, "Bob Martin (Guest)" one.

    A name is the set of its words without case and accents, so that "MARTIN, Robert" is "Robert Martin".
    It has none where there is no letter, as for somebody who dialled in.
    """
    text = shown[:LONGEST]
    texts = [_BRACKETS.sub(" ", text), *_BRACKETS.findall(text)]
    names = {frozenset(_WORD.findall(_simple(one))) for one in texts}
    return frozenset(name for name in names if name and not name <= _STATES)


def plain_name(shown: str) -> str:
    """The name without what says nothing of it: "Bob Martin" of "Bob Martin (Guest)", "Robert Martin" of "Bob
    (Robert Martin)"; the fuller one of two. As it stands, where that leaves nothing."""
    text = shown[:LONGEST]
    texts = [" ".join(one.split()) for one in (_BRACKETS.sub(" ", text), *_BRACKETS.findall(text))]
    words = [frozenset(_WORD.findall(_simple(one))) for one in texts]
    named = [one for one, said in zip(texts, words, strict=True) if said and not said <= _STATES]
    return max(named, key=lambda one: len(one.split()), default=" ".join(text.split()))


def _simple(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))
