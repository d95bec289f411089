"""Who may read, make, change and delete what (R021, R041, R156; reading 15), on both databases."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from config.rights import Scope
from store import contact_list, details, removing, reports, status, visible
from store.activities import delete_activity, update_activity
from store.actors import Actor
from store.audit_log import Channel
from store.database import Database
from store.errors import Forbidden, NotFound
from store.report_rows import Page, Query
from store.rights import Matrix, Verb
from store.users import UserRole
from tests.servers.branches import ADMIN, NOW, load, settle, user
from tests.servers.prepared import Prepared

READ: dict[Callable[..., Page[Any]], str] = {
    reports.accounts: "id",
    contact_list.contacts: "account_id",
    reports.projects: "account_id",
    reports.deals: "id",
    reports.opportunities: "id",
    reports.emails: "id",
    reports.activities: "id",
}
# Whose accounts each user reads by default: 1 paul's, 2 max's, 3 nobody's, 4 max's and public.
SEEN = {
    "paul": {1, 3, 4},
    "lea": {1, 3, 4},
    "mia": {1, 3, 4},
    "max": {2, 3, 4},
    "vera": {1, 2, 3, 4},
    "odile": {1, 2, 3, 4},
}


@pytest.fixture
def company(prepared: Prepared) -> Database:
    return prepared.database(settle)


def allow(database: Database, role: UserRole, entity: str, verb: Verb, scope: Scope) -> None:
    database.rights = Matrix({**database.rights.changed, (role, (entity, verb)): scope})


def seen(database: Database, login: str, read: Callable[..., Page[Any]]) -> set[object]:
    with database.read() as session:
        page = read(session, Query(reader=user(database, login)))
        assert page.total == len(page.rows)
        return {getattr(row, READ[read]) for row in page.rows}


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", SEEN)
def test_what_hangs_on_an_account_is_read_where_the_account_is(company: Database, login: str) -> None:
    for read in READ:
        assert seen(company, login, read) == SEEN[login], read.__name__


def test_how_far_reading_reaches_is_a_matter_of_the_config(company: Database) -> None:
    for scope, expected in (
        (Scope.NONE, {4}),
        (Scope.OWN, {4}),
        (Scope.TEAM, {1, 4}),
        (Scope.BRANCH, {1, 3, 4}),
        (Scope.ALL, {1, 2, 3, 4}),
    ):
        allow(company, UserRole.STANDARD, "account", Verb.READ, scope)
        assert seen(company, "mia", reports.accounts) == expected, scope
    allow(company, UserRole.STANDARD, "account", Verb.READ, Scope.NONE)
    assert seen(company, "paul", reports.accounts) == {1, 4}, "one's own is always there"


@pytest.mark.parametrize("kind", ["account", "contact", "opportunity", "email", "activity"])
def test_a_record_that_may_not_be_read_is_not_there(company: Database, kind: str) -> None:
    read = getattr(details, kind)
    with company.read() as session:
        assert read(session, 1, user(company, "paul")).fields["id"] == 1
        assert read(session, 2).fields["id"] == 2
        with pytest.raises(NotFound, match=f"there is no {kind} 2"):
            read(session, 2, user(company, "paul"))
        with pytest.raises(NotFound, match=f"there is no {kind} 1"):
            read(session, 1, user(company, "max"))


def test_what_a_record_shows_beside_itself_is_narrowed_too(company: Database) -> None:
    load(company, "opportunities", "ext_id,title,account,account2\nO9,Deux,A1,A2\n")
    load(company, "accounts", "ext_id,public\nA1,oui\n")
    with company.read() as session:
        shown = details.account(session, 1, user(company, "max"))
        assert {getattr(one, "title", None) for one in shown.lists["opportunities"]} == {"Un", "Deux"}
        assert len(shown.lists["deals"]) == len(shown.lists["contacts"]) == 1


def test_what_lies_above_an_account_is_shown_as_far_as_it_may_be_read(company: Database) -> None:
    load(company, "accounts", "ext_id,parent\nA1,A4\nA4,A2\n")
    with company.read() as session:
        assert [one.name for one in details.ancestors(session, 1)] == ["Ouvert", "Banque"]
        assert [one.name for one in details.ancestors(session, 1, user(company, "paul"))] == ["Ouvert"]


def test_mailboxes_and_what_went_on_in_them_are_their_users_and_admins(company: Database) -> None:
    for login, expected in (("paul", {"paul"}), ("vera", set()), ("odile", {"paul", "max"})):
        reader = user(company, login)
        with company.read() as session:
            assert {one.name for one in status.mailboxes(session, reader=reader)} == expected
            assert {one.mailbox for one in reports.runs(session, Query(reader=reader)).rows} == expected
            boxes = {one.mailbox for one in reports.quarantine(session, Query(reader=reader)).rows}
            assert boxes == expected


def test_everybody_sees_who_works_here(company: Database) -> None:
    with company.read() as session:
        assert reports.users(session, Query(reader=user(company, "paul"))).total == 6


def test_conditions_name_what_a_reader_sees(company: Database) -> None:
    paul = user(company, "paul")
    assert visible.reads_all(None)
    assert visible.reads_all(user(company, "vera"))
    assert not visible.reads_all(paul)
    with company.read() as session:
        assert set(session.scalars(visible.account_ids(paul))) == {1, 3, 4}
        for kind, (column, condition) in visible.READ.items():
            assert 2 not in set(session.scalars(select(column).where(condition(paul)))), kind


# --- writing --------------------------------------------------------------------------------------

NEW = {
    "contacts": "account,last_name\n{},Neu\n",
    "projects": "account,name\n{},Neu\n",
    "opportunities": "account,title\n{},Neu\n",
    "case_files": "account,code,title\n{},N,Neu\n",
}
CHANGED = {
    "accounts": "ext_id,city\nA{0},Lyon\n",
    "contacts": "ext_id,first_name\nC{0},Neu\n",
    "projects": "ext_id,reference\nP{0},R{0}\n",
    "deals": "ext_id,reference\nD{0},R{0}\n",
    "opportunities": "ext_id,reference\nO{0},R{0}\n",
    "case_files": "ext_id,closed\nF{0},oui\n",
}


def forbidden(database: Database, login: str, kind: str, rows: str) -> str:
    with pytest.raises(Forbidden) as refused:
        load(database, kind, rows, user(database, login))
    return str(refused.value)


@pytest.mark.parametrize("login", ["paul", "lea", "mia", "max"])
def test_only_advanced_users_and_admins_create_accounts(company: Database, login: str) -> None:
    # The config refuses this; whatever puts it there, it has no effect (R156).
    allow(company, UserRole.STANDARD, "account", Verb.CREATE, Scope.ALL)
    told = forbidden(company, login, "accounts", f"name,type,owner\nNeu,client,{login}\n")
    assert told == f"line 2: {login} may not create accounts: that needs the role advanced or admin"
    for one in ("vera", "odile"):
        assert load(company, "accounts", f"name,type\nNeu {one},client\n", user(company, one)).created


@pytest.mark.parametrize("kind", CHANGED)
def test_owners_and_advanced_users_change_a_record_and_what_hangs_on_it(company: Database, kind: str) -> None:
    rows = CHANGED[kind]
    told = forbidden(company, "paul", kind, rows.format(2))
    assert told.startswith("line 2: paul may not change ")
    assert load(company, kind, rows.format(1), user(company, "paul")).updated
    assert load(company, kind, rows.format(2), user(company, "vera")).updated


@pytest.mark.parametrize("kind", [*NEW, "deals"])
def test_nobody_puts_a_record_on_an_account_that_is_not_to_be_read(company: Database, kind: str) -> None:
    rows = NEW.get(kind, "project,title,status\nP{0},Neu,SIGNED\n")
    hidden = rows.format("A2" if kind in NEW else "2")
    own = rows.format("A1" if kind in NEW else "1")
    told = forbidden(company, "paul", kind, hidden)
    assert told.startswith(f"line 2: paul may not {'name an account' if kind == 'contacts' else 'create'}")
    assert load(company, kind, own, user(company, "paul")).created


def test_a_standard_user_puts_no_deal_on_anothers_account(company: Database) -> None:
    told = forbidden(company, "paul", "deals", "project,title,status\nP4,Neu,SIGNED\n")
    assert "the right deal.create of the role standard reaches what is the user's own" in told
    allow(company, UserRole.STANDARD, "deal", Verb.CREATE, Scope.ALL)
    assert load(company, "deals", "project,title,status\nP4,Neu,SIGNED\n", user(company, "paul")).created


def test_nothing_is_moved_to_where_it_could_not_be_made(company: Database) -> None:
    assert "may not move deal 1 there" in forbidden(company, "paul", "deals", "ext_id,project\nD1,P4\n")
    assert "may not move project 1 there" in forbidden(company, "paul", "projects", "ext_id,account\nP1,A4\n")
    told = forbidden(company, "paul", "contacts", "ext_id,account\nC1,A2\n")
    assert "name an account that is not to be seen" in told
    told = forbidden(company, "paul", "opportunities", "ext_id,account2\nO1,A2\n")
    assert "name an account that is not to be seen" in told
    told = forbidden(company, "paul", "accounts", "ext_id,parent\nA1,A2\n")
    assert "name an account that is not to be seen" in told
    assert load(company, "accounts", "ext_id,parent\nA1,A4\n", user(company, "paul")).updated


def test_a_manager_and_a_branch_reach_as_far_as_the_config_says(company: Database) -> None:
    rows = CHANGED["contacts"].format(1)
    for login, scope in (("mia", Scope.TEAM), ("lea", Scope.BRANCH)):
        forbidden(company, login, "contacts", rows)
        allow(company, UserRole.STANDARD, "contact", Verb.UPDATE, scope)
        assert load(company, "contacts", rows, user(company, login)) is not None
    forbidden(company, "max", "contacts", rows)


def test_admins_delete_and_others_where_the_config_says_so(company: Database) -> None:
    def delete(login: str) -> None:
        with company.write() as session:
            removing.delete_contact(session, 1, actor=user(company, login), now=NOW)

    with pytest.raises(Forbidden, match="vera may not delete contact 1: that needs the role admin"):
        delete("vera")
    with pytest.raises(NotFound):
        delete("max")
    allow(company, UserRole.STANDARD, "contact", Verb.DELETE, Scope.OWN)
    with pytest.raises(Forbidden, match="lea may not delete contact 1"):
        delete("lea")
    delete("paul")
    paul, refused = user(company, "paul"), "paul may not delete account 1: that needs the role admin"
    with pytest.raises(Forbidden, match=refused), company.write() as session:
        removing.delete_account(session, 1, actor=paul, now=NOW)
    (fresh,) = load(company, "accounts", "name,type\nSeul,client\n").created
    odile = user(company, "odile")
    with company.write() as session:
        removing.delete_account(session, fresh, actor=odile, now=NOW)


def test_who_may_delete_may_restore(company: Database) -> None:
    with company.write() as session:
        removing.delete_contact(session, 1, actor=ADMIN, now=NOW)
        removing.delete_contact(session, 4, actor=ADMIN, now=NOW)
        removing.delete_contact(session, 2, actor=ADMIN, now=NOW)
    for restore, id_ in ((removing.restore_contact, 4), (removing.restore_account, 1)):
        for login in ("paul", "vera"):
            with pytest.raises(Forbidden, match="may not restore"), company.write() as session:
                restore(session, id_, actor=user(company, login), now=NOW)
    with pytest.raises(NotFound), company.write() as session:
        removing.restore_contact(session, 2, actor=user(company, "paul"), now=NOW)
    with company.write() as session:
        removing.restore_contact(session, 1, actor=user(company, "odile"), now=NOW)


def test_activities_are_changed_by_whose_they_are(company: Database) -> None:
    def change(actor: Actor) -> None:
        with company.write() as session:
            update_activity(session, 4, actor=actor, now=NOW, channel=Channel.API, comments=actor.login)

    for login in ("paul", "mia"):
        with pytest.raises(Forbidden, match=f"{login} may not change activity 4"):
            change(user(company, login))
        with pytest.raises(Forbidden), company.write() as session:
            delete_activity(session, 4, actor=user(company, login), now=NOW, channel=Channel.API)
    for login in ("max", "vera"):
        change(user(company, login))


def test_an_admin_at_the_machine_may_everything(company: Database) -> None:
    assert ADMIN.may("account", Verb.DELETE, [None])
    assert {one for read in READ for one in _all(company, read)} == {1, 2, 3, 4}


def _all(database: Database, read: Callable[..., Page[Any]]) -> set[object]:
    with database.read() as session:
        return {getattr(row, READ[read]) for row in read(session, Query()).rows}
