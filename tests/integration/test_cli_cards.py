"""Contacts from card files on the command line: contacts, drafts and offered updates (R038)."""

import base64
from pathlib import Path

import pytest

from tests.pictures import encoded, quarters
from tests.servers.office import Office

CONTACTS = (
    "SELECT account_id, last_name, first_name, email, phone_mobile, created_via, owner_id "
    "FROM contact ORDER BY id"
)


def card(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""])


ANNE = card("N:Martin;Anne;;;", "ORG:Garage", "EMAIL:anne@garage.example", "TEL;TYPE=CELL:06 12 34 56 78",
            "TEL;TYPE=HOME:01 11 11 11 11")  # fmt: skip
LOST = card("N:Roi;Zoé;;;", "ORG:Nulle part", "EMAIL:zoe@far.example")
NAMELESS = card("FN:Standard", "ORG:Garage", "TEL:04 72 11 22 33")


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Two accounts without contacts."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    made.add_account("Garage")
    made.add_account("Banque")
    return made


def take(office: Office, text: str, *more: str) -> list[dict[str, object]]:
    path = office.folder / "cards.vcf"
    path.write_bytes(text.encode())
    cards = office.done("contact", "import-cards", str(path), "--json", *more).json["cards"]
    assert isinstance(cards, list)
    return cards


def waiting(office: Office, *more: str) -> list[dict[str, object]]:
    rows = office.done("contact", "drafts", "--json", *more).json["rows"]
    assert isinstance(rows, list)
    return rows


def test_a_card_of_an_account_becomes_a_contact_and_others_wait(office: Office) -> None:
    taken = take(office, ANNE + LOST + NAMELESS, "--as", "claire")

    assert [(one["outcome"], one["missing"]) for one in taken] == [
        ("added", []), ("draft", ["account"]), ("draft", ["last_name"]),
    ]  # fmt: skip
    assert taken[0]["left_out"] == ["home telephone"]
    owner = office.one("SELECT id FROM \"user\" WHERE login = 'claire'")
    assert office.rows(CONTACTS) == [
        (1, "Martin", "Anne", "anne@garage.example", "06 12 34 56 78", "PHONEBOOK", owner)
    ]
    assert office.one("SELECT phone_mobile_e164 FROM contact") == "+33612345678"
    assert [(one["missing"], one["user"]) for one in waiting(office)] == [
        (["account"], "claire"), (["last_name"], "claire"),
    ]  # fmt: skip
    assert "missing: account" in office.done("contact", "import-cards", str(office.folder / "cards.vcf")).out


def test_the_same_file_twice_adds_nothing(office: Office) -> None:
    take(office, ANNE + LOST + NAMELESS)
    again = take(office, ANNE + LOST + NAMELESS)

    assert [one["outcome"] for one in again] == ["known", "known", "known"]
    assert office.one("SELECT count(*) FROM contact") == 1
    assert len(waiting(office)) == 2


def test_a_draft_is_completed_and_then_holds_nothing_of_the_person(office: Office) -> None:
    take(office, LOST + NAMELESS)

    refused = office.run("contact", "complete", "1")
    assert (refused.code, "name it with --account" in refused.err) == (1, True)
    assert office.done("contact", "complete", "1", "--account", "Banque").out == "contact 1 added\n"
    nameless = office.run("contact", "complete", "2")
    assert (nameless.code, "--last-name" in nameless.err) == (1, True)
    office.done("contact", "complete", "2", "--last-name", "Accueil")

    assert [row[:4] for row in office.rows(CONTACTS)] == [
        (2, "Roi", "Zoé", "zoe@far.example"), (1, "Accueil", "", None),
    ]  # fmt: skip
    kept = "SELECT state, contact_id, CAST(parsed AS VARCHAR(99)), length(raw) FROM contact_draft ORDER BY id"
    assert office.rows(kept) == [("COMPLETED", 1, "{}", 0), ("COMPLETED", 2, "{}", 0)]
    again = office.run("contact", "complete", "1", "--account", "Banque")
    assert (again.code, "completed already" in again.err) == (1, True)
    assert waiting(office) == []
    assert len(waiting(office, "--all")) == 2


def test_the_same_address_at_the_same_account_offers_an_update(office: Office) -> None:
    take(office, ANNE)
    changed = ANNE.replace("06 12 34 56 78", "06 99 99 99 99") + ANNE.replace("ORG:Garage", "ORG:Banque")

    taken = take(office, changed)

    assert [(one["outcome"], one["contact_id"]) for one in taken] == [("update_offered", 1), ("added", 2)]
    assert office.rows(CONTACTS)[0][4] == "06 12 34 56 78"
    assert office.done("contact", "complete", "1").out == "contact 1 updated\n"
    assert office.rows(CONTACTS)[0][4] == "06 99 99 99 99"
    assert office.one("SELECT phone_mobile_e164 FROM contact WHERE id = 1") == "+33699999999"


def test_two_cards_of_one_person_in_one_file_make_one_contact(office: Office) -> None:
    taken = take(office, ANNE + ANNE.replace("TEL;TYPE=CELL", "TITLE:Cheffe\r\nTEL;TYPE=CELL"))

    assert [(one["outcome"], one["contact_id"]) for one in taken] == [("added", 1), ("update_offered", 1)]
    assert office.one("SELECT count(*) FROM contact") == 1


def test_a_draft_whose_account_has_that_address_becomes_an_offered_update(office: Office) -> None:
    take(office, ANNE + ANNE.replace("ORG:Garage", "ORG:?").replace("06 12", "06 13"))

    offered = office.run("contact", "complete", "1", "--account", "Garage")

    assert (offered.code, "contact 1 of that account has that address already" in offered.err) == (1, True)
    assert office.one("SELECT count(*) FROM contact") == 1
    assert office.done("contact", "complete", "1").out == "contact 1 updated\n"
    assert office.rows(CONTACTS)[0][4] == "06 13 34 56 78"


def test_a_rejected_draft_holds_nothing_of_the_person(office: Office) -> None:
    take(office, LOST)
    assert office.done("contact", "reject", "1").out == "draft 1 rejected\n"
    assert office.rows("SELECT state, length(raw) FROM contact_draft") == [("REJECTED", 0)]
    assert office.run("contact", "reject", "1").code == 1
    assert office.rows("SELECT actor <> '', entity, entity_id FROM audit_log") == [(1, "contact_draft", 1)]


def test_a_draft_is_its_users_own(office: Office) -> None:
    take(office, LOST, "--as", "claire")

    for verb in (("complete", "1", "--account", "Garage"), ("reject", "1")):
        outcome = office.run("contact", *verb, "--as", "marc")
        assert (outcome.code, "is another user's" in outcome.err) == (1, True)
    assert waiting(office, "--as", "marc") == []
    assert len(waiting(office, "--as", "claire")) == len(waiting(office, "--as", "anne")) == 1
    office.done("contact", "complete", "1", "--account", "Garage", "--as", "anne")


def test_an_unreadable_card_waits_with_its_reason_beside_the_others(office: Office) -> None:
    taken = take(office, "BEGIN:VCARD\r\nN:Cut;;;;\r\n" + ANNE)

    assert [one["outcome"] for one in taken] == ["unreadable", "added"]
    assert taken[0]["problem"] == "line 1: the card has no END:VCARD"
    (draft,) = waiting(office)
    assert draft["problem"] == "line 1: the card has no END:VCARD"


def test_a_dry_run_writes_nothing_and_single_cards_are_chosen(office: Office) -> None:
    assert [one["outcome"] for one in take(office, ANNE + LOST, "--dry-run")] == ["added", "draft"]
    assert office.one("SELECT count(*) FROM contact") == 0
    assert waiting(office) == []
    assert [one["number"] for one in take(office, ANNE + LOST, "--card", "2", "--account", "Banque")] == [2]
    assert [row[:2] for row in office.rows(CONTACTS)] == [(2, "Roi")]


def test_values_that_the_crm_cannot_hold_are_left_out_and_told(office: Office) -> None:
    (taken,) = take(office, card(f"N:Martin;{'x' * 99};;;", "ORG:Garage", "EMAIL:no address"))

    assert taken["left_out"] == ["first_name: longer than 80 characters", "email: not readable"]
    assert office.rows(CONTACTS)[0][1:4] == ("Martin", "", None)


def test_a_name_in_one_piece_is_split_and_an_ambiguous_account_waits(office: Office) -> None:
    office.add_account("Garage")
    take(office, card("FN:Anne Martin", "ORG:Garage"))
    (draft,) = waiting(office)
    assert (draft["missing"], draft["confidence"]["last_name"]) == (["account"], 0.6)  # type: ignore[index]
    office.done("contact", "complete", "1", "--account", "1")
    assert office.rows(CONTACTS)[0][:3] == (1, "Martin", "Anne")


def test_what_is_no_card_file_is_refused(office: Office) -> None:
    path = office.folder / "photo.vcf"
    path.write_bytes(b"\x89PNG")
    outcome = office.run("contact", "import-cards", str(path))
    assert (outcome.code, "photo.vcf holds no card" in outcome.err) == (2, True)


def test_the_photo_of_a_card_goes_to_the_contact_that_is_made_of_it(office: Office) -> None:
    coded = base64.b64encode(encoded(quarters(900, 600), "JPEG")).decode()
    photo = f"PHOTO;ENCODING=b;TYPE=JPEG:{coded}"
    with_photo = ANNE.replace("END:VCARD", f"{photo}\r\nEND:VCARD")
    lost = LOST.replace("END:VCARD", f"{photo}\r\nEND:VCARD")
    broken = card("N:Petit;Luc;;;", "ORG:Garage", "EMAIL:luc@garage.example", "PHOTO;ENCODING=b:AAAA")

    taken = take(office, with_photo + lost + broken)

    assert [(one["outcome"], one["left_out"]) for one in taken] == [
        ("added", ["home telephone"]),
        ("draft", ["photo: `syncd contact photo ID FILE` gives one"]),
        ("added", ["photo that is no picture of a kind that is taken: JPEG or PNG"]),
    ]
    assert office.rows("SELECT contact_id, mime, width, height FROM contact_photo") == [
        (1, "image/jpeg", 512, 341)
    ]
    again = take(office, with_photo + lost)
    assert [(one["outcome"], one["left_out"]) for one in again] == [
        ("known", ["home telephone"]), ("known", ["photo: `syncd contact photo ID FILE` gives one"]),
    ]  # fmt: skip
    assert office.one("SELECT version FROM contact WHERE id = 1") == 1
    assert b"PHOTO" not in bytes(office.one("SELECT raw FROM contact_draft"))  # type: ignore[call-overload]
    dry = take(office, with_photo.replace("anne@", "bea@").replace("Anne", "Bea"), "--dry-run")
    assert [one["outcome"] for one in dry] == ["added"]
    assert office.one("SELECT count(*) FROM contact_photo") == 1
