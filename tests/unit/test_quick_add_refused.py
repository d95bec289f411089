"""What the quick-add grammar refuses: each time it says why, and which word."""

from datetime import datetime

import pytest

from syncd.core.quick_add.errors import QuickAddError, Reason
from syncd.core.quick_add.parser import parse

NOON = datetime(2026, 11, 22, 12, 0, 30)  # noqa: DTZ001 - a Sunday, on the clock of the user's zone


def refused(text: str) -> QuickAddError:
    with pytest.raises(QuickAddError) as caught:
        parse(text, NOON)
    return caught.value


@pytest.mark.parametrize(
    ("text", "reason", "word"),
    [
        ("", Reason.NO_SUBJECT, ""),
        (" \n ", Reason.NO_SUBJECT, ""),
        ("demain 14h", Reason.NO_SUBJECT, ""),
        ("demain 14h @Paris !15", Reason.NO_SUBJECT, ""),
        ("demain 14h ...", Reason.NO_SUBJECT, ""),
        ("RDV Dupont\udce9 demain", Reason.UNREADABLE, ""),
        ("RDV Dupont", Reason.NO_DAY, ""),
        ("RDV Dupont pendant 2 jours", Reason.NO_DAY, ""),
        ("RDV Dupont 29 février", Reason.NO_SUCH_DAY, "29 février"),
        ("RDV Dupont 29/02/2027", Reason.NO_SUCH_DAY, "29/02/2027"),
        ("RDV Dupont 31 avril", Reason.NO_SUCH_DAY, "31 avril"),
        ("RDV Dupont trente et un avril", Reason.NO_SUCH_DAY, "trente et un avril"),
        ("RDV Dupont 0/12", Reason.NO_SUCH_DAY, "0/12"),
        ("RDV Dupont 3/13", Reason.NO_SUCH_DAY, "3/13"),
        ("RDV Dupont 2026-13-01", Reason.NO_SUCH_DAY, "2026-13-01"),
        ("RDV Dupont 0000-01-01", Reason.NO_SUCH_DAY, "0000-01-01"),
        ("RDV Dupont du 31 au 2 décembre", Reason.END_BEFORE_START, "du 31 au 2 décembre"),
        ("RDV Dupont demain 25h", Reason.NO_SUCH_TIME, "25h"),
        ("RDV Dupont demain 24h30", Reason.NO_SUCH_TIME, "24h30"),
        ("RDV Dupont demain 14h75", Reason.NO_SUCH_TIME, "14h75"),
        ("RDV Dupont demain 14:60", Reason.NO_SUCH_TIME, "14:60"),
        ("RDV Dupont demain 14h-25h", Reason.NO_SUCH_TIME, "14h-25h"),
        ("RDV Dupont demain de 14h à 25h", Reason.NO_SUCH_TIME, "25h"),
        ("RDV Dupont demain 48 heures", Reason.NO_SUCH_TIME, "48 heures"),
        ("RDV Dupont demain minuit", Reason.MIDNIGHT, "minuit"),
        ("RDV Dupont demain minuit et demi", Reason.MIDNIGHT, "minuit et demi"),
        ("RDV Dupont demain 24h", Reason.MIDNIGHT, "24h"),
        ("RDV Dupont 20/11/2026", Reason.PAST, "20/11/2026"),
        ("RDV Dupont 2025-12-03", Reason.PAST, "2025-12-03"),
        ("RDV Dupont 3 décembre 2025 à 14h", Reason.PAST, "3 décembre 2025"),
        ("RDV Dupont aujourd'hui 11h59", Reason.PAST, "11h59"),
        ("RDV Dupont 9h", Reason.PAST, "9h"),
        ("Rappel devis 20/11/2026", Reason.PAST, "20/11/2026"),
        ("RDV Dupont hier", Reason.PAST, "hier"),
        ("RDV Dupont avant-hier", Reason.PAST, "avant-hier"),
        ("RDV Dupont lundi dernier", Reason.UNKNOWN_DAY, "lundi dernier"),
        ("RDV Dupont premier lundi de mai", Reason.UNKNOWN_DAY, "premier lundi"),
        ("RDV Dupont la semaine prochaine", Reason.UNKNOWN_DAY, "semaine prochaine"),
        ("Réunion tous les lundis 14h", Reason.RECURRING, "tous les lundis"),
        ("Réunion toutes les 2 semaines", Reason.RECURRING, "toutes les 2"),
        ("Réunion chaque lundi 14h", Reason.RECURRING, "chaque lundi"),
        ("Réunion les lundis 14h", Reason.RECURRING, "lundis"),
        ("RDV Dupont dans 9999 semaines", Reason.TOO_FAR, "dans 9999 semaines"),
        ("RDV Dupont dans 9999 mois", Reason.TOO_FAR, "dans 9999 mois"),
        ("RDV Dupont dans 999999999 jours", Reason.TOO_FAR, "dans 999999999 jours"),
        ("RDV Dupont 3/12/9999", Reason.TOO_FAR, "3/12/9999"),
        ("RDV Dupont demain lundi mardi", Reason.WRONG_WEEKDAY, "mardi"),
        ("RDV Dupont mardi 3 décembre", Reason.WRONG_WEEKDAY, "mardi"),
        ("RDV Dupont mardi 3", Reason.WRONG_WEEKDAY, "mardi 3"),
        ("RDV Dupont demain 3 décembre", Reason.TWO_DAYS, "3 décembre"),
        ("RDV Dupont lundi mardi", Reason.TWO_DAYS, "mardi"),
        ("RDV Dupont demain dans 2h", Reason.TWO_DAYS, "demain"),
        ("RDV Dupont demain 9h 10h", Reason.TWO_TIMES, "10h"),
        ("RDV Dupont demain 14h à 9h Paul à 10h", Reason.TWO_TIMES, "à 10h"),
        ("RDV Dupont demain 1h 14h", Reason.TWO_TIMES, "14h"),
        ("RDV Dupont demain 14h 1h 45min", Reason.TWO_ENDS, "45min"),
        ("RDV Dupont demain de 14h à 15h pendant 2h", Reason.TWO_ENDS, "pendant 2h"),
        ("RDV Dupont demain @Paris @Lyon", Reason.TWO_PLACES, "@Lyon"),
        ("RDV Dupont demain #A #B", Reason.TWO_OPPORTUNITIES, "#B"),
        ("RDV Dupont demain !15 !30", Reason.TWO_ALARMS, "!30"),
        ('RDV Dupont demain @"Paris 14h', Reason.UNCLOSED, '@"Paris'),
        ("RDV Dupont demain !15x", Reason.BAD_ALARM, "!15x"),
        ("RDV Dupont demain !29j", Reason.BAD_ALARM, "!29j"),
        ("RDV Dupont demain de 15h à 14h", Reason.END_BEFORE_START, "14h"),
        ("RDV Dupont demain de 15h à 15h", Reason.END_BEFORE_START, "15h"),
        ("RDV Dupont demain pendant 2h", Reason.NO_TIME, "pendant 2h"),
        ("RDV Dupont demain 14h 0min", Reason.NO_LENGTH, "0min"),
        ("Salon du 3 au 5 décembre à 14h", Reason.DAYS_AND_TIME, "du 3 au 5 décembre"),
        ("Salon lundi à 14h pendant 2 jours", Reason.DAYS_AND_TIME, "pendant 2 jours"),
    ],
)
def test_what_cannot_be_is_refused_with_its_word(text: str, reason: Reason, word: str) -> None:
    error = refused(text)
    assert (error.reason, error.word) == (reason, word)
    assert word.strip('@!#"') in text[error.start : error.end]
    assert word in error.told("fr")


def test_a_message_is_in_french_or_in_english() -> None:
    error = refused("RDV Dupont 20/11/2026 14h")
    assert str(error) == "« 20/11/2026 » est déjà passé (20/11/2026)"
    assert error.told("en") == "« 20/11/2026 » is past already (20/11/2026)"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_two_messages(reason: Reason) -> None:
    error = QuickAddError(reason, "{mot}", facts="{fait}")
    french, english = error.told("fr"), error.told("en")
    assert french != english
    assert "{word}" not in french + english
    assert "{facts}" not in french + english


def test_a_text_of_two_thousand_characters_is_the_longest() -> None:
    assert parse("RDV demain " + "x" * 1989, NOON).subject == "x" * 1989
    error = refused("RDV demain " + "x" * 1990)
    assert (error.reason, error.told("fr")) == (
        Reason.TOO_LONG, "le texte a 2001 caractères ; 2000 au plus sont lus",
    )  # fmt: skip


def test_a_long_word_is_cut_in_the_message() -> None:
    assert len(refused("RDV demain @a @" + "x" * 1000).told("fr")) < 120
