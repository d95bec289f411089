"""What the letters of a business card tell (R039)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.card_text import CardText, parse

FRENCH = """
GARAGE DUPONT SAS

Anne-Sophie MARTIN
Directrice commerciale

Tél. : 04 72 11 22 33 - Fax : 04 72 11 22 34
Mob. 06 12 34 56 78
anne.martin@garage-dupont.example
Www.garage-dupont.example
12, rue de la République
69002 LYON
"""
BELGIAN = """Jan Van den Broeck
Zaakvoerder
Bakkerij Broeck BVBA
Steenweg 12, B-1000 Brussel
GSM +32 475 12 34 56
T +32 2 512 12 34
jan@bakkerijbroeck.example | linkedin.com/in/janvdb
"""
ENGLISH = """Acme Widgets Ltd
John Smith
Head of Sales
john.smith@acmewidgets.example
+44 20 7946 0958
"""


def values(found: CardText) -> dict[str, str]:
    return {name: one.value for name, one in found.fields.items()}


def test_a_french_card() -> None:
    found = parse(FRENCH, "FR")
    assert values(found) == {
        "last_name": "MARTIN",
        "first_name": "Anne-Sophie",
        "position": "Directrice commerciale",
        "phone_landline": "04 72 11 22 33",
        "phone_mobile": "06 12 34 56 78",
        "email": "anne.martin@garage-dupont.example",
    }
    assert found.organisation is not None
    assert found.organisation.value == "GARAGE DUPONT SAS"
    assert found.organisation.confidence == 0.9
    assert found.fields["last_name"].confidence == 0.95
    assert found.candidates[0] == "GARAGE DUPONT SAS"


def test_a_belgian_card() -> None:
    found = parse(BELGIAN, "BE")
    assert values(found) == {
        "last_name": "Van den Broeck",
        "first_name": "Jan",
        "position": "Zaakvoerder",
        "phone_landline": "+32 2 512 12 34",
        "phone_mobile": "+32 475 12 34 56",
        "email": "jan@bakkerijbroeck.example",
        "linkedin": "linkedin.com/in/janvdb",
    }
    assert "Bakkerij Broeck BVBA" in found.candidates


def test_an_english_card() -> None:
    found = parse(ENGLISH, "FR")
    assert (values(found)["first_name"], values(found)["last_name"]) == ("John", "Smith")
    assert values(found)["phone_landline"] == "+44 20 7946 0958"
    assert found.organisation is not None
    assert found.organisation.value == "Acme Widgets Ltd"


def test_a_name_that_no_address_confirms_is_less_sure() -> None:
    found = parse("Paul Durand\nPlomberie\n06 12 34 56 78", "FR")
    assert values(found)["last_name"] == "Durand"
    assert found.fields["last_name"].confidence < 0.7


def test_a_fax_is_no_telephone_and_a_street_no_name() -> None:
    found = parse("Fax 04 72 11 22 34\nRue Victor Hugo\n69002 Lyon", "FR")
    assert found.fields == {}


@pytest.mark.parametrize("text", ["", "\n\n", "§§§ ~~~", "0 1 2", "@", "x" * 10_000])
def test_a_text_without_anything_gives_nothing(text: str) -> None:
    assert parse(text, "FR").fields == {}


def test_what_no_database_holds_is_in_no_value() -> None:
    found = parse("GARAGE\0DUPONT SAS\nAnne\x07MARTIN\x0cChef\n06 12 34 56 78", "FR")
    assert found.candidates[0] == "GARAGE DUPONT SAS"
    assert values(found)["last_name"] == "MARTIN"
    assert all(one.isprintable() for one in (*found.candidates, *values(found).values()))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    for one in parse(text, "FR").fields.values():
        assert one.value.strip()
        assert 0 < one.confidence <= 1


def test_a_long_text_takes_no_long_time() -> None:
    began = time.process_time()
    for piece in ("a@b.", "www.a.", "Anne Martin ", "06 12 34 ", "SA "):
        parse((piece * 25_000)[:100_000], "FR")
        parse("\n".join([piece * 10] * 2000), "FR")
    assert time.process_time() - began < 5
