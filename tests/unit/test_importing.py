"""Importing accounts, contacts, opportunities and dossiers: all or nothing, and never twice."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter

import pytest
from sqlalchemy import func, select

from store import csvfile, directory, importing, removing
from store.accounts import Account, AccountType
from store.actors import Actor, admin_at_machine, user
from store.audit_log import AuditLog
from store.contacts import Contact, CreatedVia, Gender
from store.csvfile import Refused
from store.database import Database
from store.errors import Forbidden, Invalid, NotFound
from store.importing import Occasion, Saved
from store.kinds import KINDS
from store.mailboxes import apply_config
from store.pipeline import CaseFile, CaseScope, Opportunity, OpportunityAccount, OpportunityStatus
from store.removing import Removed
from store.user_rows import UserRow
from store.users import UserRole
from tests.servers.prepared import Prepared

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OCCASION = Occasion(admin_at_machine("root"), NOW, date(2026, 3, 2), "test.csv")

ACCOUNTS = "ext_id,name,type,email\nA1,Garage Dupont,client,Contact@Dupont.example\nA2,Banque,partner,\n"
CONTACTS = (
    "ext_id,account,last_name,first_name,email,email2,gender\n"
    "C1,Garage Dupont,Martin,Anne,Anne@Dupont.example,,femme\n"
    "C2,A1,Petit,Luc,luc@dupont.example,luc.petit@home.example,\n"
)


def load(database: Database, kind: str, text: str, occasion: Occasion = OCCASION) -> Saved:
    lines = csvfile.read(text.encode(), KINDS[kind].headers)
    with database.write() as session:
        return importing.save(session, KINDS[kind], lines, occasion)


def refusal(database: Database, kind: str, text: str) -> list[str]:
    before = rows(database)
    with pytest.raises(Refused) as refused:
        load(database, kind, text)
    assert rows(database) == before, "nothing is written of a file with a mistake"
    return [str(fault) for fault in refused.value.faults]


def rows(database: Database) -> list[int]:
    with database.read() as session:
        models = (Account, Contact, Opportunity, OpportunityAccount, CaseFile, AuditLog)
        return [session.scalar(select(func.count()).select_from(model)) or 0 for model in models]


def version(database: Database) -> int:
    with database.read() as session:
        return directory.version(session)


@pytest.fixture
def company(prepared: Prepared) -> Database:
    """A CRM with two users, two accounts and two contacts."""
    return prepared.database(fill)


def fill(database: Database) -> None:
    users = [
        UserRow(
            "claire",
            "Claire Dupont",
            "claire@acme.example",
            ("c@acme.example",),
            UserRole.STANDARD,
            None,
            None,
        ),
        UserRow("vera", "Vera Roi", "vera@acme.example", (), UserRole.ADVANCED, None, None),
    ]
    with database.write() as session:
        apply_config(session, users, [], NOW)
    load(database, "accounts", ACCOUNTS)
    load(database, "contacts", CONTACTS)


def test_what_is_imported_is_there_with_its_values(company: Database) -> None:
    with company.read() as session:
        account = session.scalars(select(Account).where(Account.ext_id == "A1")).one()
        contact = session.scalars(select(Contact).where(Contact.ext_id == "C1")).one()

    assert (account.name, account.type) == ("Garage Dupont", AccountType.CUSTOMER)
    assert account.email == "contact@dupont.example", "addresses are lower-cased"
    assert account.created_on == date(2026, 3, 2)
    assert (contact.account_id, contact.email, contact.email2) == (account.id, "anne@dupont.example", None)
    assert (contact.gender, contact.created_via) == (Gender.FEMALE, CreatedVia.IMPORT)


def test_the_same_file_twice_changes_nothing(company: Database) -> None:
    before = (rows(company), version(company))

    for kind, text in (("accounts", ACCOUNTS), ("contacts", CONTACTS)):
        saved = load(company, kind, text)
        assert (saved.created, saved.updated, saved.unchanged) == ([], [], 2)

    assert (rows(company), version(company)) == before


def test_only_the_columns_of_the_file_change(company: Database) -> None:
    saved = load(company, "contacts", "ext_id,position,email2\nC2,Acheteur,\n")

    with company.read() as session:
        contact = session.scalars(select(Contact).where(Contact.ext_id == "C2")).one()
    assert saved.updated == [contact.id]
    assert (contact.position, contact.email, contact.email2) == ("Acheteur", "luc@dupont.example", None)
    assert (contact.last_name, contact.first_name, contact.version) == ("Petit", "Luc", 2)


def test_an_address_that_nobody_has_any_more_is_told(company: Database) -> None:
    assert load(company, "contacts", "ext_id,email2\nC2,\n").freed == ["luc.petit@home.example"]
    # Moved to another contact, it is still somebody's.
    moved = load(
        company, "contacts", "ext_id,email,email2\nC2,,\nC1,anne@dupont.example,luc@dupont.example\n"
    )
    assert moved.freed == []


def test_each_import_counts_one_change_of_the_directory(company: Database) -> None:
    before = version(company)

    load(company, "contacts", "account,last_name\nA1,Un\nA1,Deux\n")

    assert version(company) == before + 1


def test_every_mistake_is_told_with_line_and_column(company: Database) -> None:
    faults = refusal(
        company,
        "contacts",
        "ext_id,account,last_name,email,gender\n"
        "C3,Garage Dupond,X,x@y.example,\n"
        "C4,A1,,no address,\n"
        "C5,A1,Y,,robot\n"
        "C3,A1,Z,,\n"
        "C6,,W,,\n",
    )

    assert faults == [
        'line 2: account: there is no account "Garage Dupond"; did you mean "Garage Dupont"?',
        "line 3: last_name: must not be empty",
        "line 3: email: must be a bare e-mail address such as claire@acme.example",
        'line 4: gender: "robot" is not known; accepted: MALE, FEMALE, OTHER, UNSPECIFIED',
        "line 5: ext_id: is the record of line 2 again",
        "line 6: account: is required: a contact belongs to an account",
    ]


def test_an_unknown_header_gets_the_nearest_known_one(company: Database) -> None:
    assert refusal(company, "contacts", "ext_id,last_nam\nC1,X\n") == [
        'line 1: last_nam: is not a field of contacts; did you mean "last_name"?'
    ]
    assert (
        "does not keep this field yet" in refusal(company, "accounts", "name,type,read_only\nA,client,1\n")[0]
    )


def test_a_missing_column_that_new_records_need_is_told(company: Database) -> None:
    assert refusal(company, "accounts", "name\nNeu\n") == [
        "line 2: type: is required for a new account: no such column"
    ]


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        ("accounts", "id,name,type\n999,X,client\n", "line 2: id: there is no account 999"),
        ("accounts", "id,name,type\nx,X,client\n", 'line 2: id: "x" is no id'),
        ("accounts", "name,type,country\nX,client,France\n", "line 2: country: must be two letters"),
        ("accounts", "name,type,latitude\nX,client,45.7\n", "line 2: longitude: latitude and longitude go"),
        ("accounts", "name,type,longitude\nX,client,4.8\n", "line 2: latitude: latitude and longitude go"),
        ("accounts", "name,type,latitude\nX,client,90.1\n", 'line 2: latitude: "90.1" is no latitude'),
        ("accounts", "name,type,longitude\nX,client,1e2\n", 'line 2: longitude: "1e2" is no longitude'),
        ("accounts", "name,type,geocode_accuracy_m\nX,client,-1\n", 'geocode_accuracy_m: "-1" is no whole'),
        ("accounts", f"name,type\n{'x' * 121},client\n", "line 2: name: has 121 characters, at most 120"),
        ("accounts", 'name,type\n"two\nlines",client\n', "line 2: name: must be one line"),
        ("accounts", "name,type,owner\nX,client,clare\n", 'there is no user "clare"; did you mean "claire"?'),
        (
            "accounts",
            "ext_id,name,type,parent\nP,P,group,P\n",
            "line 2: parent: would make the account its own",
        ),
        ("opportunities", "title\nX\n", "line 2: account: is required"),
        ("opportunities", "title,account,status\nX,A1,won\n", "line 2: closed_on: is required once"),
        ("opportunities", "title,account,total\nX,A1,much\n", 'line 2: total: "much" is no amount'),
        ("opportunities", "title,account,probability\nX,A1,101\n", "line 2: probability: must be a whole"),
        ("opportunities", "title,account,closed_on\nX,A1,31.02.2026\n", "line 2: closed_on:"),
        (
            "opportunities",
            "title,account,account2\nX,A1,nope\n",
            'line 2: account2: there is no account "nope"',
        ),
        ("opportunities", "reference,title,account\nR,X,A1\nR,Y,A1\n", 'line 3: reference: "R" is that of'),
        ("case_files", "code,title,scope\nD,X,account\n", "line 2: scope: ACCOUNT needs an account"),
        ("case_files", "code,title,account\nD,X,A1\nD,Y,A1\n", "line 3: code: is that of dossier"),
        ("contacts", "account,account_id,last_name\nA1,2,X\n", 'line 2: account: "A1" is not account_id 2'),
    ],
)
def test_what_the_rules_forbid_is_refused(company: Database, kind: str, text: str, fault: str) -> None:
    assert fault in "\n".join(refusal(company, kind, text))


def test_an_account_name_that_two_accounts_have_must_be_told_apart(company: Database) -> None:
    saved = load(company, "accounts", "name,type\nBanque,client\n")

    assert [str(one) for one in saved.warnings] == [
        'line 2: name: "Banque" is the name of another account too (2)'
    ]
    assert refusal(company, "contacts", "account,last_name\nBanque,X\n") == [
        'line 2: account: "Banque" names 2 accounts (ids 2, 3): use account_id or an ext_id'
    ]
    assert load(company, "contacts", "account_id,last_name\n3,X\n").created


def test_an_address_of_two_contacts_is_allowed_and_told(company: Database) -> None:
    saved = load(company, "contacts", "account,last_name,email\nA2,Autre,anne@dupont.example\n")

    assert [str(one) for one in saved.warnings] == [
        "line 2: email: anne@dupont.example is also that of contact 1: its mail is logged to each of them"
    ]


def test_a_users_own_address_as_a_contact_is_told(company: Database) -> None:
    saved = load(company, "contacts", "account,last_name,email\nA2,Moi,C@acme.example\n")

    assert [str(one) for one in saved.warnings] == [
        (
            "line 2: email: c@acme.example is the own address of user claire: "
            "its mail is never logged because of it"
        )
    ]


def test_accounts_of_the_same_file_can_be_parents(company: Database) -> None:
    load(company, "accounts", "ext_id,name,type,parent\nF,Fille,client,Mère\nM,Mère,group,\n")

    with company.read() as session:
        ids = dict(session.execute(select(Account.ext_id, Account.id)).all())
        child = session.scalars(select(Account).where(Account.ext_id == "F")).one()
    assert child.parent_id == ids["M"]


def test_an_opportunity_has_up_to_three_accounts_the_main_one_first(company: Database) -> None:
    load(
        company,
        "opportunities",
        "ext_id;title;account;account2;total;status;closed_on\nO1;Toit;A1;A2;1 234,50;WON;31/12/2025\n",
    )

    with company.read() as session:
        opportunity = session.scalars(select(Opportunity)).one()
        links = session.execute(select(OpportunityAccount.account_id, OpportunityAccount.main)).all()
    assert (opportunity.total, opportunity.status) == (Decimal("1234.50"), OpportunityStatus.WON)
    assert opportunity.closed_on == date(2025, 12, 31)
    assert sorted(links) == [(1, True), (2, False)]

    load(company, "opportunities", "ext_id,account\nO1,A2\n")

    with company.read() as session:
        links = session.execute(select(OpportunityAccount.account_id, OpportunityAccount.main)).all()
    assert sorted(links) == [(2, True)]


def test_a_dossier_with_an_account_is_that_accounts(company: Database) -> None:
    load(company, "case_files", "code,title,account\nD1,Litige,A1\nD2,Salon,\n")

    with company.read() as session:
        found = session.execute(select(CaseFile.code, CaseFile.scope).order_by(CaseFile.code)).all()
    assert found == [("D1", CaseScope.ACCOUNT), ("D2", CaseScope.GENERAL)]


def test_a_record_that_was_deleted_is_not_brought_back(company: Database) -> None:
    with company.write() as session:
        freed = removing.delete_contact(session, 1, actor=OCCASION.actor, now=NOW)

    saved = load(company, "contacts", CONTACTS)

    assert freed == Removed(("anne@dupont.example",))
    assert [str(one) for one in saved.warnings] == ["line 2: contact 1 was deleted here: left out"]
    with company.read() as session:
        contact = session.get(Contact, 1)
    assert contact is not None
    assert contact.deleted_at == NOW


def test_an_account_with_contacts_is_not_deleted(company: Database) -> None:
    with pytest.raises(Invalid, match="still has 2 contacts"), company.write() as session:
        removing.delete_account(session, 1, actor=OCCASION.actor, now=NOW)
    with company.write() as session:
        removing.delete_account(session, 2, actor=OCCASION.actor, now=NOW)
    with pytest.raises(NotFound), company.write() as session:
        removing.delete_account(session, 2, actor=OCCASION.actor, now=NOW)


# --- rights (R156) ------------------------------------------------------------------------------


def acting(database: Database, login: str) -> Occasion:
    with database.read() as session:
        return replace(OCCASION, actor=user(session, login))


def test_only_advanced_users_and_admins_create_accounts(company: Database) -> None:
    new = "name,type\nNeu,client\n"
    before = rows(company)

    with pytest.raises(Forbidden, match="line 2: claire may not create accounts"):
        load(company, "accounts", new, acting(company, "claire"))
    assert rows(company) == before

    assert load(company, "accounts", new, acting(company, "vera")).created


def test_a_standard_user_changes_only_what_is_hers(company: Database) -> None:
    claire = acting(company, "claire")
    with pytest.raises(Forbidden, match="claire may not change contact 1"):
        load(company, "contacts", "ext_id,position\nC1,Chef\n", claire)
    load(company, "contacts", "ext_id,owner\nC1,claire\n")

    assert load(company, "contacts", "ext_id,position\nC1,Chef\n", claire).updated == [1]


def test_only_an_admin_deletes(company: Database) -> None:
    vera = acting(company, "vera").actor
    with pytest.raises(Forbidden, match="needs the role admin"), company.write() as session:
        removing.delete_contact(session, 1, actor=vera, now=NOW)


def test_an_unknown_user_cannot_act(company: Database) -> None:
    with pytest.raises(NotFound, match="known: claire, vera"):
        acting(company, "nobody")


# --- the audit log ------------------------------------------------------------------------------


def test_changes_are_audited_by_the_names_of_their_fields(company: Database) -> None:
    load(
        company,
        "contacts",
        "ext_id,position\nC1,Secret\n",
        replace(OCCASION, actor=Actor("x", None, UserRole.ADVANCED)),
    )

    with company.read() as session:
        last = session.scalars(select(AuditLog).order_by(AuditLog.id.desc())).first()
    assert last is not None
    assert (last.actor, last.entity, last.entity_id) == ("x", "contact", 1)
    assert last.change == {"source": "test.csv", "changed": ["position"]}


def test_fifty_thousand_contacts_take_seconds(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        directory.state(session)
    load(sqlite_database, "accounts", ACCOUNTS)
    text = "ext_id,account,last_name,email\n" + "".join(
        f"X{n},A{1 + n % 2},Nom {n},p{n}@client{n % 999}.example\n" for n in range(50_000)
    )

    started = perf_counter()
    saved = load(sqlite_database, "contacts", text)
    took = perf_counter() - started

    assert len(saved.created) == 50_000
    assert took < 60, "seconds on a slow machine; a query a row takes minutes"
