"""Erasing a person: nothing is left in any table or file, nothing comes back, others keep what is theirs."""

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from store import merging
from store.actors import Actor, admin_at_machine
from store.drafts import ContactDraft, DraftSource, DraftState
from store.errors import Forbidden, Invalid, NotFound
from store.users import UserRole
from syncd.daemon import offers
from syncd.engine.erasing import Receipt
from tests.leftovers import Needles, in_files, in_tables
from tests.servers.console import console
from tests.servers.world import NOW, PDF, World, mail

CLAIRE = "claire@acme.example"
ANNELISE = "annelise@quevreux.example"
HOME = "lise@quevreux.example"
LUC = "luc@client.example"
MOBILE = "06 98 76 54 32"
NEEDLES = Needles(("annelise", "quevreux", "quévreux"), ("698765432",))
SAID = "Voir avec Quévreux, Annelise (+33 (0)6 98.76.54.32) ou annelise@QUEVREUX.example."
TABLES = {
    "account", "activity", "audit_log", "contact", "contact_draft", "custom_field_value", "email_match",
    "email_message", "known_key", "opportunity", "sales_order", "verdict_key",
}  # fmt: skip
HERS = b"%PDF-1.4\nannelise " + bytes(5000)


@pytest.fixture
def company(world: World) -> World:
    """Annelise twice at one account, once deleted; mail of hers, with her, and about her."""
    world.add_user("claire")
    client = world.add_account("Client SA", comment=SAID)
    ids = [
        world.add_contact(client, ANNELISE, phone_mobile=MOBILE),
        world.add_contact(client, HOME, phone_mobile=MOBILE, comment="Préfère le matin"),
        world.add_contact(client, LUC, comment=f"Remplace: {SAID}"),
    ]
    write(
        world, "UPDATE contact SET first_name = 'Annelise', last_name = 'Quévreux' WHERE email <> :e", e=LUC
    )
    world.deliver(
        "claire",
        "INBOX",
        mail(1, ANNELISE, CLAIRE, "Devis", attachments={"annelise.pdf": HERS, "b.pdf": PDF}),
        mail(2, LUC, CLAIRE, "Encore", attachments={"b.pdf": PDF}),
        mail(3, LUC, [CLAIRE, ANNELISE], "À deux"),
        mail(4, LUC, CLAIRE, "Annelise Quévreux", text=SAID),
        mail(5, HOME, [CLAIRE, "stranger@else.example"], at=NOW.replace(year=2025), subject="Trop vieux"),
    )
    world.sync()
    actor = admin_at_machine("root")
    database = world.database()
    with database.write() as session:
        merging.merge(session, ids[0], ids[1], actor=actor, now=NOW)
        session.add(
            ContactDraft(
                source=DraftSource.PHONEBOOK, state=DraftState.NEW, raw=b"TEL:0698765432\r\n", digest="d",
                parsed={"phone_mobile": "+33698765432"}, confidence={}, missing=["email"], problem="",
                created_at=NOW, updated_at=NOW,
            )
        )  # fmt: skip
    database.close()
    world.add_opportunity(client, "OPP-1")
    write(world, "UPDATE opportunity SET comments = :said", said=SAID)
    write(world, "INSERT INTO audit_log (at, actor, entity, entity_id, change, channel) "
          "VALUES (:at, 'root', 'contact', :id, :change, 'CLI')", at=str(NOW.replace(tzinfo=None)), id=ids[0],
          change=json.dumps({"was": ANNELISE}))  # fmt: skip
    write(world, "INSERT INTO custom_field_def (entity, key, type, label, required, \"order\", active) "
          "VALUES ('contact', 'Z_note', 'TEXT', '{}', false, 1, true)")  # fmt: skip
    write(world, "INSERT INTO custom_field_value (def_id, record_id, text) VALUES (1, :id, 'Annelise')",
          id=ids[0])  # fmt: skip
    order(world, client, ids[0])
    activity(world, client, ids[0], "Visite chez Annelise")
    return world


def write(world: World, sql: str, **values: object) -> None:
    database = world.database()
    with database.write() as session:
        session.execute(text(sql), values)
    database.close()


def order(world: World, account: int, contact: int) -> None:
    from store.selling import OrderState, SalesOrder

    database = world.database()
    with database.write() as session:
        session.add(SalesOrder(account_id=account, contact_id=contact, number=1, year=2026, comment=SAID,
                               date=date(2026, 11, 1), state=next(iter(OrderState)), created_at=NOW,
                               updated_at=NOW))  # fmt: skip
    database.close()


def activity(world: World, account: int, contact: int, subject: str) -> None:
    from store.activities import Activity, ActivityContact, ActivityState, ActivityType

    database = world.database()
    with database.write() as session:
        row = Activity(type=ActivityType.VISIT, account_id=account, occurred_at=NOW, subject=subject,
                       comments=SAID, automatic=False, state=ActivityState.VALIDATED, created_at=NOW,
                       updated_at=NOW)  # fmt: skip
        session.add(row)
        session.flush()
        session.add(ActivityContact(activity_id=row.id, contact_id=contact))
    database.close()


def erase(world: World, who: str, *, id_: str = "0011223344556677", actor: Actor | None = None) -> Receipt:
    installation = world.open()
    try:
        means = offers.erasing(installation)
        return means.carry_out(who, actor or admin_at_machine("root"), NOW, id_=id_)
    finally:
        installation.close()


def left(world: World) -> list[str]:
    """What is left of her, wherever it is."""
    installation = world.open()
    hashed = installation.hashed
    keys = {hashed.address(one) for one in (ANNELISE, HOME)}
    keys |= {hashed.target(address, 1, contact) for address in (ANNELISE, HOME) for contact in (1, 2)}
    installation.close()
    needles = Needles(NEEDLES.words, NEEDLES.digits, keys)
    folders = [world.folder]
    found = list(in_tables(world.database_url, needles))
    if world.database_url.startswith("sqlite"):
        folders.append(Path(world.database_url.removeprefix("sqlite:///")).parent)
    return found + list(in_files(folders, needles))


@pytest.mark.parametrize("who", ["1", "2", ANNELISE, HOME])
def test_nothing_is_left_of_a_person_in_any_table_or_file(company: World, who: str) -> None:
    before = left(company)
    tables = {one.partition(".")[0] for one in before}
    assert tables >= TABLES, "the world holds her in all of these before"

    receipt = erase(company, who)

    assert left(company) == []
    assert receipt.counts["contact"] == 2
    assert receipt.files == 1
    company.sync()
    assert left(company) == []
    assert company.rows("SELECT subject FROM email_message ORDER BY subject") == [("Encore",), ("[erased]",)]
    assert len(company.files()) == 1, "the content that another mail has stays"
    assert company.rows("SELECT first_name, last_name FROM contact") == [("", "luc")]
    assert company.rows("SELECT contact_id FROM sales_order") == [(None,)]


def test_a_dry_run_counts_the_same_and_changes_nothing(company: World) -> None:
    before = left(company)
    installation = company.open()
    seen = offers.erasing(installation).preview("1", admin_at_machine("root"), NOW)
    installation.close()
    assert left(company) == before
    done = erase(company, "1")
    assert (seen.counts, seen.files, seen.copies) == (done.counts, done.files, done.copies)


def test_erased_mail_does_not_come_back_with_another_contact_or_folder_or_other_rules(company: World) -> None:
    erase(company, "1")
    rows = "SELECT subject FROM email_message ORDER BY subject"
    kept = company.rows(rows)
    company.add_contact(1, "stranger@else.example")
    company.deliver("claire", "Archive", mail(3, LUC, [CLAIRE, ANNELISE], "À deux"))  # moved there
    company.mail_section = 'since = "2020-01-01"'
    company.sync()
    assert company.rows(rows) == kept
    assert left(company) == []
    write(company, "UPDATE collection SET epoch = '0'")  # the folders begin anew
    company.sync()
    assert ("À deux",) not in company.rows(rows)
    assert ("Devis",) not in company.rows(rows)


def test_the_receipt_tells_nobody_and_is_found_again_by_who_knows_the_address(company: World) -> None:
    receipt = erase(company, ANNELISE)
    assert not NEEDLES.inside(repr(receipt))
    assert company.rows("SELECT count(*) FROM audit_log WHERE entity = 'person'") == [(1,)]
    for who in (ANNELISE, HOME, "1", "2"):
        again = erase(company, who, id_="ffff")
        assert (again.id, again.again, again.counts) == (receipt.id, True, receipt.counts)
    with pytest.raises(NotFound, match="nothing is stored of nobody@else"):
        erase(company, "nobody@else.example")
    with pytest.raises(NotFound, match="there is no contact 99"):
        erase(company, "99")


def test_an_address_that_somebody_else_has_is_not_erased(company: World) -> None:
    write(company, "UPDATE account SET email = :a", a=ANNELISE)
    with pytest.raises(Invalid, match="is also an address of account 1"):
        erase(company, "1")
    with pytest.raises(Invalid, match="is also an address of user claire"):
        erase(company, CLAIRE)


def test_only_an_admin_erases(company: World) -> None:
    with pytest.raises(Forbidden, match="needs the role admin"):
        erase(company, "1", actor=Actor("marc", 7, UserRole.ADVANCED))
    installation = company.open()
    with pytest.raises(Forbidden, match="needs the role admin"):
        offers.erasing(installation).preview("1", Actor("marc", 7, UserRole.ADVANCED), NOW)
    installation.close()
    assert company.rows("SELECT count(*) FROM contact") == [(3,)]


def test_the_command_line_counts_first_and_writes_the_receipt_for_its_owner_only(
    company: World, tmp_path: Path
) -> None:
    config = company.write_config()
    shown = console(config, "forget", "contact", "1", "--dry-run")
    assert "Nothing was erased: add --yes" in shown.out
    assert company.rows("SELECT count(*) FROM contact") == [(3,)]
    file = tmp_path / "receipt.json"
    done = console(config, "forget", "contact", "1", "--yes", "--receipt", str(file))
    assert "Erased. Receipt " in done.out
    assert file.stat().st_mode & 0o777 == 0o600
    told = json.loads(file.read_text())
    assert told["rows"]["contact"] == 2
    assert not NEEDLES.inside(file.read_text())
    assert "This was done before" in console(config, "forget", "contact", ANNELISE, "--yes").out


def test_a_name_in_other_letters_than_latin_is_found_in_texts_too(company: World) -> None:
    name = "Иван Найдёнов"
    write(company, "UPDATE contact SET first_name = 'Иван', last_name = 'Найдёнов' WHERE id < 3")
    write(company, "UPDATE opportunity SET comments = :said", said="Позвонить: НАЙДЁНОВ, Иван")
    write(company, "UPDATE contact SET comment = :said WHERE id = 3", said=f"Remplace {name}")
    write(company, "INSERT INTO audit_log (at, actor, entity, entity_id, change, channel) "
          "VALUES (:at, 'root', 'opportunity', 1, :change, 'CLI')", at=str(NOW.replace(tzinfo=None)),
          change=json.dumps({"was": name}))  # fmt: skip
    erase(company, "1")
    assert list(in_tables(company.database_url, Needles(("найдёнов", "\\u041d\\u0430\\u0439"), ()))) == []
    assert company.rows("SELECT comment FROM contact WHERE id = 3") == [("Remplace [erased]",)]


@pytest.mark.parametrize("said", ["QUEVREUX Annelise", "annelise que\u0301vreux", "Annelise Quevreux"])
def test_a_name_goes_with_its_accents_and_without(company: World, said: str) -> None:
    write(company, "UPDATE account SET comment = :said", said=f"Rappeler {said} lundi")
    erase(company, "1")
    assert company.rows("SELECT comment FROM account") == [("Rappeler [erased] lundi",)]


def test_a_name_that_somebody_else_has_but_for_its_accents_stays_in_texts(company: World) -> None:
    write(company, "UPDATE account SET comment = 'Rappeler Annelise Quevreux'")
    other = company.add_contact(1, "a.q@else.example")
    write(
        company, "UPDATE contact SET first_name = 'ANNELISE', last_name = 'QUEVREUX' WHERE id = :i", i=other
    )
    receipt = erase(company, "1")
    assert receipt.notes == (f"contact {other} has the same name: texts are not searched for it",)
    assert company.rows("SELECT comment FROM account") == [("Rappeler Annelise Quevreux",)]
