"""The words of the grammar, without accents and in lower case, and numbers in words."""

import re
import unicodedata
from collections.abc import Sequence

from syncd.core.quick_add.result import Activity

_LETTERS = str.maketrans({"’": "'", "ʼ": "'", "œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier janv", "fevrier fevr fev", "mars", "avril avr", "mai", "juin", "juillet juil", "aout",
            "septembre sept", "octobre oct", "novembre nov", "decembre dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
WEEKDAYS = {
    name: number
    for number, name in enumerate(("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"))
}
SEVERAL = frozenset(f"{name}s" for name in WEEKDAYS)
ORDINALS = frozenset(
    "premier 1er deuxieme 2e 2eme second troisieme 3e 3eme quatrieme 4e 4eme dernier".split()
)
BYGONE = frozenset({"dernier", "passe"})
VAGUE = frozenset({("semaine", "prochaine"), ("mois", "prochain"), ("annee", "prochaine")})

TYPES = {
    "rdv": Activity.MEETING,
    "rendez-vous": Activity.MEETING,
    "reunion": Activity.MEETING,
    "visite": Activity.VISIT,
    "visio": Activity.VIDEO_CALL,
    "visioconference": Activity.VIDEO_CALL,
    "visio-conference": Activity.VIDEO_CALL,
    "appel": Activity.CALL,
    "appeler": Activity.CALL,
}
TASKS = frozenset({"rappel", "tache", "rappelle-moi"})
ARTICLES = frozenset({"un", "une", "le", "la", "mon", "ma", "notre"})  # « une réunion »
REMIND = frozenset({"rappel", "alerte", "alarme"})  # before « 15 minutes avant »

HOUR = frozenset({"h", "heure", "heures"})
MINUTE = frozenset({"min", "mn", "minute", "minutes"})
DAY = frozenset({"j", "jour", "jours"})
WEEK = frozenset({"semaine", "semaines"})
MONTH = frozenset({"mois"})
UNITS = HOUR | MINUTE | DAY | WEEK | MONTH
DURING = frozenset({"pendant", "duree", "durant"})

_UNITS = (
    "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
).split()
_TENS = {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50}


def _numbers() -> dict[str, int]:
    found = {word: number for number, word in enumerate(_UNITS)} | {"une": 1, "d'un": 1, "d'une": 1} | _TENS
    found |= {f"dix-{_UNITS[unit]}": 10 + unit for unit in (7, 8, 9)}
    for ten, value in _TENS.items():
        found |= {f"{ten}-{_UNITS[unit]}": value + unit for unit in range(1, 10)}
        found |= dict.fromkeys((f"{ten}-et-un", f"{ten}-et-une", f"{ten}-une"), value + 1)
    return found


NUMBERS = _numbers()  # 0 to 59
LONGEST_NUMBER = 3  # words: « vingt et un »
DIGITS = re.compile(r"\d{1,4}", re.ASCII)


def fold(text: str) -> str:
    """The text as it is compared: without accents, case ignored."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def number(words: Sequence[str]) -> tuple[int, int] | None:
    """The number that these words begin with, in digits or in words up to 59, and how many words it takes.

    « vingt-trois » is one word, « vingt trois » two; both are 23.
    """
    if words and DIGITS.fullmatch(words[0]):
        return int(words[0]), 1
    for taken in range(min(LONGEST_NUMBER, len(words)), 0, -1):
        value = NUMBERS.get("-".join(words[:taken]))
        if value is not None:
            return value, taken
    return None


def is_month(words: Sequence[str], index: int) -> bool:
    """Whether that word is a month: « sept » is none before another month or « heures »."""
    if index >= len(words) or words[index] not in MONTHS:
        return False
    after = words[index + 1] if len(words) > index + 1 else ""
    return words[index] != "sept" or not (after in MONTHS or after in HOUR)
