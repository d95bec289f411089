"""Telephone numbers of contacts: kept as typed, found in any spelling (R027, R028)."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from store.database import SCHEMA, Database
from syncd.engine import phones
from tests.servers.databases import NewDatabase
from tests.servers.office import Office

FORMS = "SELECT phone_landline, phone_landline_e164, phone_mobile, phone_mobile_e164 FROM contact ORDER BY id"
TYPED = "04.72.11.22.33"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """One account, with a contact that has two numbers."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    made.add_account("Garage")
    made.done("contact", "add", "--account", "Garage", "--last-name", "Martin", "--phone-landline", TYPED,
              "--phone-mobile", "+32 475 12 34 56")  # fmt: skip
    return made


def found(office: Office, wanted: str) -> int:
    total = office.done("list", "contacts", "--text", wanted, "--json").json["total"]
    assert isinstance(total, int)
    return total


def test_a_number_is_kept_as_typed_beside_its_international_form(office: Office) -> None:
    assert office.rows(FORMS) == [(TYPED, "+33472112233", "+32 475 12 34 56", "+32475123456")]
    assert office.done("list", "contacts", "--json").json["rows"][0]["phones"] == [TYPED, "+32 475 12 34 56"]
    assert "phone_landline_e164: +33472112233" in office.done("show", "contact", "1").out


@pytest.mark.parametrize(
    "spelled",
    ["04 72", "0472112233", "+33 (0)4 72 11 22 33", "0033 4 72 11", "(04) 72-11", "72.11.22", "+32475",
     "0475", "04.72."],
)  # fmt: skip
def test_a_number_is_found_in_any_spelling(office: Office, spelled: str) -> None:
    assert found(office, spelled) == 1


@pytest.mark.parametrize("other", ["04 73", "0472112234", "+32 4 72 11", "+33475", "99999"])
def test_another_number_is_not_found(office: Office, other: str) -> None:
    assert found(office, other) == 0


def test_a_changed_number_has_its_own_form_and_an_emptied_one_none(office: Office) -> None:
    office.done("contact", "edit", "1", "--phone-landline", "01 23 45 67 89", "--phone-mobile", "")
    assert office.rows(FORMS) == [("01 23 45 67 89", "+33123456789", None, None)]
    office.done("contact", "edit", "1", "--phone-landline", "poste 12")
    assert office.rows(FORMS) == [("poste 12", "", None, None)]
    assert found(office, "poste 1") == 1


def test_another_default_country_gives_every_number_another_form(office: Office) -> None:
    office.done("contact", "edit", "1", "--phone-landline", "02 512 12 34")
    assert office.rows(FORMS)[0][1] != "+3225121234"
    other = Office(office.folder, office.database_url)
    path = other.write_config()
    path.write_text(path.read_text().replace('name = "Acme"', 'name = "Acme"\ndefault_country = "BE"'))
    other.write_config = lambda: path  # type: ignore[method-assign]

    assert found(other, "+32 2 512") == 1
    assert office.rows(FORMS)[0][1] == "+3225121234"
    assert found(office, "+32 2 512") == 0


def test_numbers_of_an_older_version_are_found_after_the_upgrade(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    office = Office(tmp_path / "syncd", f"sqlite:///{tmp_path / 'old.db'}")
    database = Database(office.database_url)
    with database._writing.begin() as connection:
        config = database._alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        stamp = "'2026-11-01', '2026-11-01', 1"
        connection.execute(
            text(
                "INSERT INTO account (id, name, type, created_on, created_at, updated_at, version) "
                f"VALUES (1, 'Garage', 'CUSTOMER', '2026-11-01', {stamp})"
            )
        )
        connection.execute(
            text(
                "INSERT INTO contact (id, account_id, last_name, first_name, phone_mobile, gender, "
                "created_via, created_at, updated_at, version) "
                f"VALUES (1, 1, 'M', '', '06 12 34 56 78', 'MALE', 'MANUAL', {stamp})"
            )
        )
    database.close()

    assert f"schema {SCHEMA} now" in office.done("db", "upgrade").out
    assert office.rows(FORMS) == [(None, None, "06 12 34 56 78", "+33612345678")]
    assert found(office, "06 12") == 1


def test_forms_of_another_method_are_worked_out_again(office: Office) -> None:
    database = office.database()
    with database.write() as session:
        session.execute(text("UPDATE contact SET phone_mobile_e164 = '+999'"))
        session.execute(text("UPDATE phone_form SET method = 0"))
    database.close()
    assert found(office, "+32475") == 1
    assert found(office, "+999") == 0


def test_numbers_that_no_verb_wrote_are_found_too(office: Office) -> None:
    office.add_contact(1, "x@garage.example", phone_mobile="07 00 00 00 01")
    assert found(office, "07 00 00 00 01") == 1


def test_what_is_no_number_is_not_looked_for() -> None:
    assert phones.sought("Martin 04 72", "FR") == ()
    assert phones.sought("4", "FR") == ()
    assert phones.sought(None, "FR") == ()
    assert phones.sought("+33 4 72 11 22 33", "FR") == ("+33472112233",)
