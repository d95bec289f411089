"""What a form says to the user whom it is for, in that user's language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from store.activities import CallDirection

SUBJECT = {"fr": "Compte rendu : {subject}", "en": "Report: {subject}"}
CALL_SUBJECT = {"fr": "Compte rendu d'appel : {subject}", "en": "Report on a call: {subject}"}
CALLS = {  # by direction, and whether somebody answered
    "fr": {
        (CallDirection.OUT, True): "Appel à {}",
        (CallDirection.OUT, False): "Appel sans réponse à {}",
        (CallDirection.IN, True): "Appel de {}",
        (CallDirection.IN, False): "Appel manqué de {}",
    },
    "en": {
        (CallDirection.OUT, True): "Call to {}",
        (CallDirection.OUT, False): "Unanswered call to {}",
        (CallDirection.IN, True): "Call from {}",
        (CallDirection.IN, False): "Missed call from {}",
    },
}
MOST_NAMES = 20  # of those who took part

WORDS = {
    "fr": {
        "account": "Compte : {}",
        "opportunity": "Opportunité : {}",
        "when": "Le {:%d/%m/%Y} de {:%H:%M} à {:%H:%M} ({} min)",
        "number": "Numéro : {}",
        "with": "Avec : {}",
        "more": "et {} autres",
        "how": "Écrivez le compte rendu au-dessus de ce bloc (rien n'est lu ici), puis terminez la tâche : "
        "il entre dans l'historique. Une ligne « Résultat : … » et une ligne « Suite : … », par exemple "
        "« Suite : appel Dupont mardi 14h », y sont comprises.",
        "reply": "Répondez à ce message : ce que vous écrivez est le compte rendu, pour l'historique.\n"
        "Une ligne « Résultat : … » et une ligne « Suite : … » y sont comprises.\n"
        "La réponse ne va qu'à vous-même : n'ajoutez personne, et gardez l'objet.",
    },
    "en": {
        "account": "Account: {}",
        "opportunity": "Opportunity: {}",
        "when": "On {:%Y-%m-%d} from {:%H:%M} to {:%H:%M} ({} min)",
        "number": "Number: {}",
        "with": "With: {}",
        "more": "and {} more",
        "how": "Write the report above this block (nothing is read here), then complete the task: it "
        "enters the history. A line “Outcome: …” and a line “Next: …”, for example “Next: appel Dupont mardi "
        "14h”, are understood in it.",
        "reply": "To report, answer this message: what you write enters the history.\n"
        "A line “Outcome: …” and a line “Next: …” are understood in it.\n"
        "The answer goes to yourself alone: add nobody, and keep the subject.",
    },
}

_NAMED = ("account", "opportunity", "number", "with")
_WHEN = {
    language: re.compile(re.sub(r"\\{[^}]*\\}", ".{1,10}", re.escape(words["when"])))
    for language, words in WORDS.items()
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a meeting, for the one who reports on it. Moments are aware."""

    subject: str
    start: datetime
    end: datetime
    minutes: int
    account: str
    opportunity: str
    people: Sequence[str]
    number: str = ""  # of a call


def subject_of(subject: str, language: str, *, call: bool = False) -> str:
    """The subject of the task, or of the message."""
    words = CALL_SUBJECT if call else SUBJECT
    return words[_known(language)].format(subject=subject)


def call_of(who: str, direction: CallDirection, language: str, *, answered: bool) -> str:
    """The subject of a call's activity."""
    return CALLS[_known(language)][direction, answered].format(who)


def block_of(facts: Facts, zone: ZoneInfo, language: str) -> str:
    """What stands below the user's own text: the facts, and how to answer."""
    words = WORDS[_known(language)]
    start, end = facts.start.astimezone(zone), facts.end.astimezone(zone)
    lines = [words["when"].format(start, start, end, facts.minutes)]
    lines += [words["account"].format(facts.account)] if facts.account else []
    lines += [words["opportunity"].format(facts.opportunity)] if facts.opportunity else []
    lines += [words["number"].format(facts.number)] if facts.number else []
    if facts.people:
        names = list(facts.people[:MOST_NAMES])
        left = len(facts.people) - len(names)
        names += [words["more"].format(left)] if left else []
        lines.append(words["with"].format(", ".join(names)))
    return "\n".join([*lines, "", words["how"]])


def letter_of(block: str, language: str) -> str:
    """The text of the form's message: how to answer, and the facts of the task's block."""
    facts = block.rpartition("\n\n")[0]
    return "\n\n".join(part for part in (WORDS[_known(language)]["reply"], facts) if part) + "\n"


def fact_of(line: str, language: str) -> str:
    """Which fact of a form the line could be; empty: none."""
    words = WORDS[_known(language)]
    if _WHEN[_known(language)].fullmatch(line):
        return "when"
    return next((name for name in _NAMED if line.startswith(words[name].partition("{")[0])), "")


def _known(language: str) -> str:
    return language if language in WORDS else "fr"
