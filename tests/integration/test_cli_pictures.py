"""Photos of contacts and logos of accounts on the command line (R036, R037, R160), on both databases."""

import hashlib
from pathlib import Path

import pytest

from store import photos
from store.actors import admin_at_machine
from store.errors import Stale
from tests.pictures import colours, encoded, opened, png, quarters
from tests.servers.crm import NOW
from tests.servers.office import Office

AUDIT = (
    "SELECT entity, entity_id, actor, change FROM audit_log "
    "WHERE CAST(change AS TEXT) LIKE '%{}%' ORDER BY id"
)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Claire's account with two contacts, and one of nobody."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    made.done("account", "add", "--name", "Garage Dupont", "--type", "customer", "--owner", "claire")
    made.done("account", "add", "--name", "Banque", "--type", "customer", "--owner", "marc")
    for first in ("Anne", "Annie"):
        made.done(
            "contact", "add", "--account", "Garage Dupont", "--last-name", "Martin", "--first-name", first
        )
    (made.folder / "anne.jpg").write_bytes(encoded(quarters(900, 600), "JPEG"))
    (made.folder / "anne.png").write_bytes(png())
    return made


def photo(office: Office, id_: int = 1) -> dict[str, object] | None:
    found = office.done("show", "contact", str(id_), "--json").json["contact"]["photo"]
    assert found is None or isinstance(found, dict)
    return found


def test_a_photo_is_given_shown_saved_replaced_and_taken_away(office: Office) -> None:
    assert photo(office) is None
    assert office.done("contact", "photo", "1").out == "no photo\n"

    told = office.done("contact", "photo", "1", str(office.folder / "anne.jpg"), "--as", "claire").out
    assert told == "photo of contact 1 changed\n"
    office.done("contact", "photo", "1", "--save", str(office.folder / "out.jpg"))
    content = (office.folder / "out.jpg").read_bytes()
    assert (opened(content).size, colours(opened(content))) == ((512, 341), [0, 1, 2, 3])
    assert photo(office) == {
        "mime": "image/jpeg", "size": len(content), "width": 512, "height": 341,
        "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    assert (
        f"photo: image/jpeg, 512 × 341, {len(content)} octets, sha256 "
        in office.done("show", "contact", "1").out
    )

    assert office.done("contact", "photo", "1", str(office.folder / "anne.jpg")).out == "nothing to change\n"
    replaced = office.done("contact", "photo", "1", str(office.folder / "anne.png"), "--json").json["photo"]
    assert (replaced["mime"], office.one("SELECT count(*) FROM contact_photo")) == ("image/png", 1)
    assert office.done("contact", "photo", "1", "--remove").out == "photo of contact 1 removed\n"
    assert office.done("contact", "photo", "1", "--remove").out == "nothing to change\n"
    assert office.one("SELECT count(*) FROM contact_photo") == 0
    assert office.one("SELECT version FROM contact WHERE id = 1") == 4

    rows = office.rows(AUDIT.format("photo"))
    assert [(row[0], row[1], row[2] == "claire") for row in rows] == [
        ("contact", 1, True), ("contact", 1, False), ("contact", 1, False),
    ]  # fmt: skip
    assert ["added" in str(rows[0]), "replaced" in str(rows[1]), "removed" in str(rows[2])] == [True] * 3


def test_a_photo_needs_the_right_to_change_the_contact_and_the_version_that_was_seen(office: Office) -> None:
    file = str(office.folder / "anne.jpg")
    others = office.run("contact", "photo", "1", file, "--as", "marc")
    stale = office.run("contact", "photo", "1", file, "--if-version", "7")
    assert (others.code, "marc may not change contact 1" in others.err) == (1, True)
    assert (stale.code, "is at version 1, not 7" in stale.err) == (1, True)
    assert office.one("SELECT count(*) FROM contact_photo") == 0
    database = office.database()
    with pytest.raises(Stale), database.write() as session:
        photos.put(session, 1, None, actor=admin_at_machine("root"), now=NOW, expected=7)
    database.close()


def test_what_cannot_be_is_refused_in_clear_words(office: Office) -> None:
    file, text = office.folder / "anne.jpg", office.folder / "text.jpg"
    text.write_text("hello")
    cases = [
        (["contact", "photo", "1", str(text)], 2, "text.jpg is no picture of a kind that is taken"),
        (["contact", "photo", "1", str(file), "--remove"], 2, "only one thing at a time"),
        (["contact", "photo", "1", "--save", str(file)], 1, "contact 1 has no photo"),
        (["account", "logo", "1", "--file", str(text)], 2, "text.jpg is no picture of a kind that is taken"),
        (["account", "logo", "1", "--save", str(file)], 1, "account 1 has no logo"),
    ]
    for arguments, code, told in cases:
        outcome = office.run(*arguments)
        assert (outcome.code, told in outcome.err) == (code, True), outcome.err
    office.done("contact", "photo", "1", str(file))
    before = file.read_bytes()
    outcome = office.run("contact", "photo", "1", "--save", str(file))
    assert (outcome.code, "is there already and is not overwritten" in outcome.err) == (2, True)
    assert file.read_bytes() == before


def test_a_merge_takes_the_photo_over_where_there_is_none_and_gives_it_back(office: Office) -> None:
    office.done("contact", "photo", "2", str(office.folder / "anne.jpg"))
    there = photo(office, 2)
    office.done("contact", "merge", "1", "2")
    assert (photo(office, 1), photo(office, 2)) == (there, None)
    office.done("contact", "unmerge", "1", "2")
    assert (photo(office, 1), photo(office, 2)) == (None, there)

    office.done("contact", "merge", "1", "2")
    office.done("contact", "photo", "1", str(office.folder / "anne.png"))
    outcome = office.done("contact", "unmerge", "1", "2")
    assert "photo" in outcome.out + outcome.err
    mine = photo(office, 1)
    assert mine is not None
    assert (mine["mime"], photo(office, 2)) == ("image/png", None)


def test_of_two_photos_a_merge_keeps_the_first_and_tells(office: Office) -> None:
    office.done("contact", "photo", "1", str(office.folder / "anne.png"))
    office.done("contact", "photo", "2", str(office.folder / "anne.jpg"))
    mine, theirs = photo(office, 1), photo(office, 2)
    outcome = office.done("contact", "merge", "1", "2")
    assert "photo" in outcome.out + outcome.err
    assert (photo(office, 1), photo(office, 2)) == (mine, theirs)
    office.done("contact", "unmerge", "1", "2")
    assert (photo(office, 1), photo(office, 2)) == (mine, theirs)


def test_a_deleted_contact_that_comes_back_has_its_photo(office: Office) -> None:
    office.done("contact", "photo", "1", str(office.folder / "anne.png"))
    there = photo(office)
    office.done("contact", "delete", "1")
    gone = office.run("contact", "photo", "1", str(office.folder / "anne.jpg"))
    assert (gone.code, "there is no contact 1" in gone.err) == (1, True)
    office.done("contact", "restore", "1")
    assert photo(office) == there
    office.done("contact", "delete", "1")
    office.done("contact", "photo", "1", "--remove")
    assert office.one("SELECT count(*) FROM contact_photo") == 0


def test_lists_and_records_tell_when_a_contact_was_added_and_where_it_is_synchronised(office: Office) -> None:
    rows = office.done("list", "contacts", "--json").json["rows"]
    shown = office.done("show", "contact", "1", "--json").json["contact"]
    assert [(one["id"], one["sync"]) for one in rows] == [(1, []), (2, [])]
    assert shown["sync"] == []
    assert rows[0]["created_at"] == shown["created_at"]
    assert rows[0]["created_at"].endswith("Z")
    assert "created_at" in office.done("list", "contacts").out


def test_an_account_has_a_logo_or_its_initials(office: Office) -> None:
    def account() -> dict[str, object]:
        found = office.done("show", "account", "1", "--json").json["account"]
        assert isinstance(found, dict)
        return found

    assert (account()["logo"], account()["initials"]) == (None, "GD")
    office.done("account", "logo", "1", "--file", str(office.folder / "anne.jpg"), "--as", "claire")
    logo = account()["logo"]
    assert isinstance(logo, dict)
    assert (logo["mime"], logo["width"], logo["height"]) == ("image/png", 256, 171)
    assert (account()["logo_source"], account()["initials"]) == ("file", None)
    office.done("account", "logo", "1", "--save", str(office.folder / "out.png"))
    assert hashlib.sha256((office.folder / "out.png").read_bytes()).hexdigest() == logo["sha256"]

    for who, told in (("marc", "marc may not change account 1"), ("claire", None)):
        outcome = office.run("account", "logo", "1", "--remove", "--as", who)
        assert (outcome.code, told is None or told in outcome.err) == (1 if told else 0, True)
    assert (account()["logo"], account()["initials"]) == (None, "GD")
    assert account()["logo_problem"] == "taken away by hand"
    assert len(office.rows(AUDIT.format("logo"))) == 2


def test_a_picture_in_a_file_of_records_is_told_where_it_belongs(office: Office) -> None:
    for kind, column in (("contacts", "photo"), ("accounts", "logo")):
        file = office.folder / f"{kind}.csv"
        file.write_text(f"ext_id,{column}\nX,anne.jpg\n")
        outcome = office.run("import", kind, str(file))
        assert outcome.code == 1
        assert f"{column}: is a picture, given with `syncd {kind[:-1]} {column}`" in outcome.err
