"""Why a text cannot be understood, in French and in English, with the place in the text."""

from enum import Enum

LONGEST_SHOWN = 60  # characters of a word in a message


class Reason(Enum):
    """What is wrong. Each value: the message in French and in English; {word} is what was typed."""

    TOO_LONG = (
        "le texte a {facts} caractères ; 2000 au plus sont lus",
        "the text has {facts} characters; at most 2000 are read",
    )
    UNREADABLE = (
        "le texte contient des caractères illisibles : envoyez-le en UTF-8",
        "the text holds characters that cannot be read: send it as UTF-8",
    )
    NO_SUBJECT = (
        "le sujet manque : écrivez qui ou quoi, par exemple « RDV Dupont demain 14h »",
        "the subject is missing: write who or what, such as « RDV Dupont demain 14h »",
    )
    NO_DAY = (
        "le jour manque : ajoutez par exemple « demain », « lundi » ou « 3/12 »",
        "the day is missing: add « demain », « lundi » or « 3/12 », for instance",
    )
    NO_SUCH_DAY = (
        "« {word} » : ce jour n'existe pas{facts}",
        "« {word} »: there is no such day{facts}",
    )
    UNKNOWN_DAY = (
        "« {word} » n'est pas un jour précis : écrivez le jour ou la date, ou mettez-le entre guillemets",
        "« {word} » is no particular day: write the day or the date, or put it into quotes",
    )
    RECURRING = (
        "« {word} » : une série ne se crée pas ainsi ; écrivez un jour, ou mettez ces mots entre guillemets",
        "« {word} »: a series is not made like this; write one day, or put these words into quotes",
    )
    NO_SUCH_TIME = (
        (
            "« {word} » n'est pas une heure : les heures vont de 0h à 23h59 ; "
            "mettez entre guillemets ce qui fait partie du sujet"
        ),
        "« {word} » is no time: times go from 0h to 23h59; put into quotes what belongs to the subject",
    )
    MIDNIGHT = (
        "« {word} » : écrivez 0h pour le début du jour, 23h59 pour sa fin",
        "« {word} »: write 0h for the beginning of the day, 23h59 for its end",
    )
    PAST = ("« {word} » est déjà passé ({facts})", "« {word} » is past already ({facts})")
    TOO_FAR = ("« {word} » est trop lointain", "« {word} » is too far away")
    TWO_DAYS = (
        (
            "« {word} » contredit « {facts} » : un seul jour est possible ; "
            "mettez entre guillemets ce qui fait partie du sujet"
        ),
        (
            "« {word} » contradicts « {facts} »: there can be one day only; "
            "put into quotes what belongs to the subject"
        ),
    )
    WRONG_WEEKDAY = (
        "« {word} » : le {facts} n'est pas ce jour de la semaine",
        "« {word} »: {facts} is not that day of the week",
    )
    TWO_TIMES = (
        (
            "« {word} » : l'heure est déjà « {facts} » ; "
            "écrivez « de … à … » pour une fin, « pendant … » pour une durée"
        ),
        (
            "« {word} »: the time is « {facts} » already; "
            "write « de … à … » for an end, « pendant … » for a duration"
        ),
    )
    TWO_ENDS = (
        "« {word} » : la fin ou la durée est déjà dite par « {facts} »",
        "« {word} »: the end or the duration is told by « {facts} » already",
    )
    TWO_PLACES = ("« {word} » : le lieu est déjà « {facts} »", "« {word} »: the place is « {facts} » already")
    TWO_OPPORTUNITIES = (
        "« {word} » : l'opportunité est déjà « {facts} »",
        "« {word} »: the opportunity is « {facts} » already",
    )
    TWO_ALARMS = (
        "« {word} » : l'alerte est déjà « {facts} »",
        "« {word} »: the alert is « {facts} » already",
    )
    UNCLOSED = ("« {word} » : le guillemet fermant manque", "« {word} »: the closing quote is missing")
    BAD_ALARM = (
        "« {word} » n'est pas une alerte : écrivez !15 (minutes), !1h ou !1j, quatre semaines au plus",
        "« {word} » is no alert: write !15 (minutes), !1h or !1j, four weeks at most",
    )
    END_BEFORE_START = (
        "« {word} » : la fin doit venir après le début",
        "« {word} »: the end must come after the start",
    )
    NO_TIME = (
        "« {word} » demande une heure de début, par exemple « à 14h »",
        "« {word} » needs a time to start at, such as « à 14h »",
    )
    NO_LENGTH = ("« {word} » : la durée est nulle", "« {word} »: the duration is nil")
    DAYS_AND_TIME = (
        "« {word} » : plusieurs jours entiers n'ont pas d'heure (« {facts} »)",
        "« {word} »: several whole days have no time (« {facts} »)",
    )


class QuickAddError(Exception):
    """The text cannot be understood. `start` and `end` are places in the text in Unicode's form NFC."""

    def __init__(
        self, reason: Reason, word: str = "", place: tuple[int, int] = (0, 0), facts: str = ""
    ) -> None:
        self.reason = reason
        self.word = word  # as typed
        self.start, self.end = place
        self.facts = facts
        super().__init__(self.told("fr"))

    def told(self, language: str) -> str:
        """The message: in French, or in English for "en"."""
        french, english = self.reason.value
        word = self.word if len(self.word) <= LONGEST_SHOWN else self.word[: LONGEST_SHOWN - 1] + "…"
        return (english if language == "en" else french).format(word=word, facts=self.facts)
