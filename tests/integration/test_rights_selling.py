"""Who may read and change products and orders, and read exports and imports, on both databases."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from config.rights import Scope
from store import (
    csvfile,
    exporting,
    import_runs,
    order_lines,
    removing,
    removing_selling,
    reports,
    selling_reports,
    visible,
)
from store.actors import Actor
from store.contact_list import contacts
from store.database import Database
from store.errors import Forbidden, NotFound
from store.import_runs import ImportMode, Origin
from store.importing import Occasion, Options, Saved
from store.kinds import KINDS
from store.report_rows import Query, Sort
from store.rights import Matrix, Verb
from store.users import UserRole
from syncd.engine import records
from tests.servers.branches import ADMIN, NOW, settle, user
from tests.servers.prepared import Prepared

ORDERS = "ext_id,account,owner\nS1,A1,\nS2,A2,\nS3,A3,\nS4,A4,\n"
LINES = (
    "ext_id,order,description,price,quantity\nL1,S1,Un,1,1\n"
    "L2,S2,Deux,1,1\nL3,S3,Trois,1,1\nL4,S4,Quatre,1,1\n"
)
# Whose accounts each user reads: 1 paul's, 2 max's, 3 nobody's, 4 max's and public.
SEEN = {"paul": [1, 3, 4], "max": [2, 3, 4], "vera": [1, 2, 3, 4], "odile": [1, 2, 3, 4]}
EXPORTED = (
    "accounts", "contacts", "projects", "deals", "opportunities", "orders", "order_lines",
)  # fmt: skip


def load(
    database: Database, kind: str, rows: str, actor: Actor = ADMIN, options: Options | None = None
) -> Saved:
    lines = csvfile.read(rows.encode(), KINDS[kind].headers)
    occasion = Occasion(actor, NOW, date(2026, 11, 22), "test.csv", currency="EUR")
    with database.write() as session:
        return records.save(session, KINDS[kind], lines, occasion, options)


@pytest.fixture
def company(prepared: Prepared) -> Database:
    return prepared.database(fill)


def fill(database: Database) -> None:
    settle(database)
    load(database, "products", "code,name,price\nT1,Tuile,2\n")
    load(database, "orders", ORDERS)
    load(database, "order_lines", LINES)


@pytest.mark.parametrize("login", SEEN)
def test_orders_are_read_where_their_account_is_and_products_by_all(company: Database, login: str) -> None:
    with company.read() as session:
        query = Query(reader=user(company, login), sort=Sort("number"))
        page = selling_reports.orders(session, query)
        assert ([one.id for one in page.rows], page.total) == (SEEN[login], len(SEEN[login]))
        assert len(selling_reports.products(session, Query(reader=query.reader)).rows) == 1
        assert selling_reports.product_detail(session, 1, query.reader).fields["code"] == "T1"


def test_an_order_is_also_its_owners(company: Database) -> None:
    load(company, "orders", "ext_id,owner\nS2,paul\n")
    with company.read() as session:
        visible.require(session, user(company, "paul"), "order", 2)
        with pytest.raises(NotFound):
            visible.require(session, user(company, "lea"), "order", 2)


@pytest.mark.parametrize("kind", ["project", "deal", "order"])
def test_what_is_sold_and_may_not_be_read_is_not_there(company: Database, kind: str) -> None:
    readers: dict[str, Callable[..., Any]] = {
        "project": selling_reports.project_detail,
        "deal": selling_reports.deal_detail,
        "order": selling_reports.order_detail,
    }
    with company.read() as session:
        assert readers[kind](session, 1, user(company, "paul")).fields["id"] == 1
        assert readers[kind](session, 2).fields["id"] == 2
        with pytest.raises(NotFound, match=f"there is no {kind} 2"):
            readers[kind](session, 2, user(company, "paul"))


def test_a_deal_names_no_opportunity_that_may_not_be_read(company: Database) -> None:
    load(company, "opportunities", "ext_id,account,account2,status,closed_on\nO2,A2,A4,WON,2026-11-01\n")
    load(company, "opportunities", "ext_id,converted_deal\nO2,D2\n")
    load(company, "deals", "ext_id,owner\nD2,paul\n")
    load(company, "opportunities", "ext_id,account2\nO2,\n")
    with company.read() as session:
        assert selling_reports.deal_detail(session, 2).fields["opportunities"] == ("Deux",)
        assert selling_reports.deal_detail(session, 2, user(company, "paul")).fields["opportunities"] == ()


@pytest.mark.parametrize("login", SEEN)
@pytest.mark.parametrize("kind", EXPORTED)
def test_an_export_holds_what_may_be_read(company: Database, kind: str, login: str) -> None:
    wanted = exporting.Wanted(reader=user(company, login))
    with company.read() as session:
        found = [row[0] for row in exporting.rows(session, KINDS[kind], wanted)]
        assert (found, exporting.count(session, KINDS[kind], wanted)) == (SEEN[login], len(SEEN[login]))


def test_an_export_of_dossiers_holds_what_may_be_read(company: Database) -> None:
    with company.read() as session:
        for login, ids in (("paul", [1]), ("max", [2]), ("odile", [1, 2])):
            rows = exporting.rows(session, KINDS["case_files"], exporting.Wanted(reader=user(company, login)))
            assert [row[0] for row in rows] == ids


def test_contacts_are_found_as_far_as_they_may_be_read(company: Database) -> None:
    for query in (Query(text="e"), Query(text="e", digits=("33",)), Query(sort=Sort("last_name"))):
        with company.read() as session:
            for login, ids in SEEN.items():
                reader = user(company, login)
                narrowed = Query(text=query.text, digits=query.digits, sort=query.sort, reader=reader)
                found = contacts(session, narrowed)
                assert {one.id for one in found.rows} == set(ids)
                assert found.total == len(found.rows)


def test_narrowing_by_owner_and_sorting_show_no_more(company: Database) -> None:
    max_ = user(company, "max").user_id
    with company.read() as session:
        for login, ids in (("paul", [4]), ("odile", [2, 4])):
            query = Query(owner=max_, sort=Sort("name"), reader=user(company, login))
            assert sorted(one.id for one in reports.accounts(session, query).rows) == ids


def test_orders_are_changed_by_their_owner_and_their_accounts(company: Database) -> None:
    paul = user(company, "paul")
    with pytest.raises(Forbidden, match="line 2: paul may not change sales_order 4"):
        load(company, "orders", "ext_id,comment\nS4,x\n", paul)
    with pytest.raises(Forbidden, match="line 2: paul may not create orders"):
        load(company, "orders", "ext_id,account\nS9,A4\n", paul)
    with pytest.raises(Forbidden, match="line 2: paul may not move sales_order 1 there"):
        load(company, "orders", "ext_id,account\nS1,A4\n", paul)
    assert load(company, "orders", "ext_id,comment\nS1,x\n", paul).updated == [1]
    assert load(company, "orders", "ext_id,account\nS9,A1\n", paul).created
    assert load(company, "orders", "ext_id,comment\nS4,x\n", user(company, "vera")).updated == [4]
    right = (UserRole.STANDARD, ("sales_order", Verb.UPDATE))
    company.rights = Matrix({right: Scope.ALL})
    assert load(company, "orders", "ext_id,comment\nS4,y\n", user(company, "paul")).updated == [4]


def test_lines_are_changed_by_who_may_change_their_order(company: Database) -> None:
    paul = user(company, "paul")
    with pytest.raises(csvfile.Refused, match="paul may not change order 4"):
        load(company, "order_lines", "ext_id,quantity\nL4,2\n", paul)
    with company.write() as session, pytest.raises(Forbidden, match="paul may not change order 4"):
        order_lines.drop(session, 4, 1, actor=paul, now=NOW)
    assert load(company, "order_lines", "ext_id,quantity\nL1,2\n", paul).updated == [1]
    with company.write() as session:
        order_lines.drop(session, 1, 1, actor=paul, now=NOW)
    with company.read() as session:
        assert selling_reports.order_detail(session, 1).lists["lines"] == ()


def test_products_are_changed_by_advanced_users(company: Database) -> None:
    with pytest.raises(Forbidden, match="paul may not change product 1: that needs the role advanced"):
        load(company, "products", "code,id,name\nT1,1,x\n", user(company, "paul"))
    assert load(company, "products", "code,id,name\nT1,1,x\n", user(company, "vera")).updated == [1]


@pytest.mark.parametrize("kind", ["project", "deal", "opportunity", "order"])
def test_who_may_delete_what_is_sold_may_restore_it(company: Database, kind: str) -> None:
    entity = "sales_order" if kind == "order" else kind

    def do(what: Callable[..., removing.Removed], login: str, id_: int) -> None:
        with company.write() as session:
            what(session, id_, kind, actor=user(company, login), now=NOW)

    delete, restore = removing_selling.delete, removing_selling.restore
    if kind == "project":  # a deal lies on each
        for deal in (1, 2, 3, 4):
            with company.write() as session:
                delete(session, deal, "deal", actor=ADMIN, now=NOW)
    for login in ("paul", "vera"):
        with pytest.raises(Forbidden, match=f"{login} may not delete {kind} 1: that needs the role admin"):
            do(delete, login, 1)
    with pytest.raises(NotFound, match=f"there is no {kind} 2"):
        do(delete, "paul", 2)
    do(delete, "odile", 2)
    with pytest.raises(NotFound, match=f"there is no {kind} 2"):
        do(restore, "paul", 2)
    company.rights = Matrix({(UserRole.STANDARD, (entity, Verb.DELETE)): Scope.OWN})
    with pytest.raises(Forbidden, match=f"paul may not delete {kind} 4"):
        do(delete, "paul", 4)
    do(delete, "paul", 1)  # the account's owner
    with pytest.raises(Forbidden, match=f"lea may not restore {kind} 1"):
        do(restore, "lea", 1)
    do(restore, "paul", 1)


def test_products_are_deleted_by_advanced_users(company: Database) -> None:
    with company.write() as session, pytest.raises(Forbidden, match="paul may not delete product 1"):
        removing_selling.delete(session, 1, "product", actor=user(company, "paul"), now=NOW)
    with company.write() as session:
        removing_selling.delete(session, 1, "product", actor=user(company, "vera"), now=NOW)
    with company.write() as session, pytest.raises(Forbidden, match="paul may not restore product 1"):
        removing_selling.restore(session, 1, "product", actor=user(company, "paul"), now=NOW)


def test_a_partial_import_leaves_out_what_one_may_not_change(company: Database) -> None:
    rows = "ext_id,comment\nS1,x\nS2,x\nS4,x\n"
    saved = load(company, "orders", rows, user(company, "paul"), Options(partial=True))
    assert saved.updated == [1]
    assert sorted(one.line for one in saved.refused) == [3, 4]
    assert all("paul may not change sales_order" in one.message for one in saved.refused)


def test_imports_are_seen_by_who_made_them_and_by_admins(company: Database) -> None:
    with company.write() as session:
        for login in ("paul", "max"):
            origin = Origin(f"{login}.csv", "0" * 64, ImportMode.BOTH)
            import_runs.record(session, "account", origin, [], actor=login, now=NOW)
    with company.read() as session:
        for login, files in (("paul", {"paul.csv"}), ("vera", set()), ("odile", {"paul.csv", "max.csv"})):
            page = import_runs.page(session, Query(reader=user(company, login)))
            assert ({one.file for one in page.rows}, page.total) == (files, len(files))
        assert import_runs.detail(session, 1, user(company, "paul")).fields["file"] == "paul.csv"
        with pytest.raises(NotFound, match="there is no import 2"):
            import_runs.detail(session, 2, user(company, "paul"))
