"""Names in a text are linked where exactly one record has them; and what was understood is told."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from syncd.core.quick_add.parser import parse
from syncd.core.quick_add.result import Link, Match, Named, QuickAdd, Unlinked
from syncd.core.quick_add.told import in_words

SUNDAY = datetime(2026, 11, 22, 12, 0)  # noqa: DTZ001 - the clock of the user's zone

ANNE = Match(Named.CONTACT, 1, "Anne Dupont", 10)
PAUL = Match(Named.CONTACT, 2, "Paul Dupont", 11)
LEA = Match(Named.CONTACT, 3, "Léa Martin", 10)
GARAGE = Match(Named.ACCOUNT, 10, "Garage", 10)
MARTIN = Match(Named.ACCOUNT, 10, "Martin", 10)
NORTH = Match(Named.ACCOUNT, 12, "Garage du Nord", 12)
RECORDS = {
    "dupont": [ANNE, PAUL], "anne dupont": [ANNE], "garage": [GARAGE], "garage du nord": [NORTH],
    "martin": [LEA, MARTIN], "du": [NORTH], "mars": [PAUL], "paul": [PAUL], "demain": [PAUL],
}  # fmt: skip


def lookup(words: Sequence[str], /) -> Sequence[Match]:
    return RECORDS.get(" ".join(words).lower(), [])


def read(text: str) -> QuickAdd:
    return parse(text, SUNDAY, lookup)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("RDV Garage demain", [("Garage", GARAGE)]),
        ("RDV Anne Dupont demain", [("Anne Dupont", ANNE)]),
        ("RDV Anne demain 14h Dupont", [("Anne Dupont", ANNE)]),  # side by side once the rest is taken away
        ("RDV Garage du Nord demain", [("Garage du Nord", NORTH)]),  # the longest name
        ("RDV du Garage demain", [("Garage", GARAGE)]),  # « du » alone is no name
        ("RDV (Garage), demain", [("Garage", GARAGE)]),
        ("RDV Paul et Garage demain", [("Paul", PAUL), ("Garage", GARAGE)]),
        ("RDV Garage garage demain", [("Garage", GARAGE)]),  # once
        ("RDV Martin demain", [("Martin", LEA)]),  # a contact stands for the own account too
        ('RDV "Garage" demain', []),  # in quotes: only text
    ],
)
def test_one_record_is_linked(text: str, links: list[tuple[str, Match]]) -> None:
    found = read(text)
    assert found.links == tuple(Link(*one) for one in links)
    assert found.unlinked == ()


def test_the_name_stays_in_the_subject() -> None:
    assert read("RDV Anne Dupont demain").subject == "Anne Dupont"


def test_several_records_are_not_linked() -> None:
    found = read("RDV Dupont demain")
    assert (found.links, found.unlinked) == ((), (Unlinked("Dupont", (ANNE, PAUL)),))
    assert (found.account_id, found.contact) == (None, None)


def test_names_that_lead_to_one_account_give_it() -> None:
    assert read("RDV Anne Dupont Garage demain").account_id == 10
    assert read("RDV Anne Dupont Garage demain").contact == ANNE
    assert read("RDV Anne Dupont Paul demain").account_id is None
    assert read("RDV Anne Dupont Paul demain").contact is None


def test_words_that_were_understood_name_nobody() -> None:
    assert read("RDV Moulin demain").links == ()


@pytest.mark.parametrize(
    ("text", "french", "english"),
    [
        (
            "RDV Dupont demain 14h @Namur #R1 !15",
            ("rendez-vous « Dupont », lundi 23 novembre 2026 de 14:00 à 15:00, lieu : Namur, opportunité R1, "
            "alerte 15 min avant, « Dupont » : 2 fiches portent ce nom, aucune n'est liée"),
            ("meeting « Dupont », Monday 23 November 2026 from 14:00 to 15:00, place: Namur, opportunity R1, "
            "alert 15 min before, « Dupont »: 2 records have that name, none is linked"),
        ),
        (
            "Salon Garage du 1er au 3 mai",
            "événement « Salon Garage », du samedi 1er mai 2027 au lundi 3 mai 2027 compris, compte Garage",
            ("event « Salon Garage », from Saturday 1 May 2027 to Monday 3 May 2027 inclusive, "
            "account Garage"),
        ),
        ("Salon demain", "événement « Salon », lundi 23 novembre 2026 toute la journée",
         "event « Salon », Monday 23 November 2026 all day"),
        ("rappel devis", "tâche « devis », sans échéance", "task « devis », without a day"),
        ("rappel devis demain", "tâche « devis », lundi 23 novembre 2026",
         "task « devis », Monday 23 November 2026"),
        ("rappel Paul demain 9h", "tâche « Paul », lundi 23 novembre 2026 09:00, contact Paul Dupont",
         "task « Paul », Monday 23 November 2026 09:00, contact Paul Dupont"),
        ("appel X demain 23h30",
         "appel « X », lundi 23 novembre 2026 de 23:30 à 00:30 (mardi 24 novembre 2026)",
         "call « X », Monday 23 November 2026 from 23:30 to 00:30 (Tuesday 24 November 2026)"),
    ],
)  # fmt: skip
def test_all_that_was_understood_is_told(text: str, french: str, english: str) -> None:
    assert in_words(read(text), "fr") == french
    assert in_words(read(text), "en") == english
