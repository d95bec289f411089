"""Lists of fields that there are anyway: roles, segments, types and statuses, on both databases."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text

from store import (
    advice_rows,
    contact_list,
    csvfile,
    details,
    exporting,
    field_config,
    merging,
    reports,
    selling_reports,
    templates,
    user_rows,
    value_lists,
)
from store.accounts import Account, AccountStatus
from store.actors import user as actor_of
from store.audit_log import AuditLog
from store.csvfile import Refused
from store.custom_fields import ValueListItem
from store.database import Database
from store.errors import Invalid
from store.exporting import Wanted
from store.importing import Occasion, Saved
from store.kinds import KINDS
from store.paging import pairs
from store.pipeline import Opportunity, OpportunityStatus
from store.report_rows import Query, Sort
from store.user_rows import UserRow
from store.users import UserRole
from syncd.engine import records
from tests.integration.test_own_fields import ADMIN, NOON, apply, config, load
from tests.servers.prepared import Prepared

ROLES = """
[[value_lists]]
code = "contact_role"
items = [
    { code = "buyer", label = { fr = "Acheteuse", en = "Purchaser" }, default = true },
    { code = "chef", label = { fr = "Chef", en = "Head" } },
    { code = "head", label = { fr = "Tête", en = "Chief" } },
    { code = "twin1", label = { fr = "Jumeau" } },
    { code = "twin2", label = { fr = "jumeau" } },
]
"""
STATUSES = """
[[value_lists]]
code = "opportunity_status"
items = [
    { code = "lead", label = { fr = "Piste" }, flag = "open" },
    { code = "talks", label = { fr = "Négociation" }, flag = "open", default = true },
    { code = "signed", label = { fr = "Signée" }, flag = "won" },
    { code = "gone", label = { fr = "Perdue" }, flag = "lost" },
]
"""


def roles(database: Database, *, sort: str = "id") -> list[tuple[str, str | None]]:
    with database.read() as session:
        rows = contact_list.contacts(session, Query(limit=100)).rows
    return [(one.last_name, one.role) for one in sorted(rows, key=lambda one: one.id)]


@pytest.fixture
def company(prepared: Prepared) -> Database:
    """Two accounts."""
    return prepared.database(fill)


def fill(database: Database) -> None:
    load(database, "ext_id,name,type\nA1,Garage,client\nA2,Banque,client\n")


def people(database: Database, rows: str) -> Saved:
    return load(database, rows, "contacts")


# --- what there is, and what a cell stands for -----------------------------------------------------


def test_a_new_database_has_the_lists_that_the_program_brings(database: Database, tmp_path: Path) -> None:
    with database.read() as session:
        assert field_config.diff(session, config(tmp_path, "")) == ()
        labels = session.scalars(select(ValueListItem.label)).all()
    assert len(labels) > 20
    assert all(one["fr"] and one["en"] for one in labels)


def test_a_role_is_given_by_its_code_or_by_its_label_in_either_language(company: Database) -> None:
    people(
        company,
        "account,last_name,role\nA1,A,buyer\nA1,B,Acheteur\nA1,C,decision MAKER\nA1,D,DÉCIDEUR\nA1,E,\n",
    )
    assert roles(company) == [
        ("A", "buyer"), ("B", "buyer"), ("C", "decision_maker"), ("D", "decision_maker"), ("E", None),
    ]  # fmt: skip


def test_what_is_in_no_list_is_refused_with_its_line_and_column(company: Database, tmp_path: Path) -> None:
    apply(company, tmp_path, ROLES)
    with pytest.raises(Refused) as refused:
        people(company, "account,last_name,role\nA1,A,buyer\nA1,B,Acheteur\nA1,C,Jumeau\n")
    assert [(one.line, one.column) for one in refused.value.faults] == [(3, "role"), (4, "role")]
    assert '"Acheteur" is not in the list; accepted: buyer, chef' in refused.value.faults[0].message
    assert "write a code (twin1, twin2)" in refused.value.faults[1].message
    assert roles(company) == []
    people(company, "account,last_name,role\nA1,A,head\n")  # a code wins over another's label
    assert roles(company) == [("A", "head")]


def test_a_number_is_no_id_of_an_item(company: Database) -> None:
    people(company, "ext_id,account,last_name,role\nC1,A1,A,buyer\n")
    with company.read() as session:
        id_ = session.scalar(text("SELECT role_id FROM contact"))
    with pytest.raises(Refused, match="is not in the list"):
        people(company, f"ext_id,role\nC1,{id_}\n")


def test_every_kind_of_record_with_a_list_takes_it_and_shows_its_code(company: Database) -> None:
    load(company, "ext_id,segment\nA1,Grand compte\n")
    load(company, "account,title,type,status\nA1,Toit,Renouvellement,Open\n", "opportunities")
    load(company, "account,total,status\nA1,10,Livrée\nA1,20,\n", "orders")
    with company.read() as session:
        accounts = {one.name: one.segment for one in reports.accounts(session, Query()).rows}
        (opportunity,) = reports.opportunities(session, Query()).rows
        orders = [one.status for one in selling_reports.orders(session, Query()).rows]
        shown = details.opportunity(session, opportunity.id)
    assert accounts == {"Garage": "large", "Banque": None}
    assert (opportunity.type, opportunity.status) == ("renewal", "open")
    assert sorted(orders, key=str) == ["delivered", "received"]  # the second one is the default
    assert (shown.fields["type"], shown.fields["status"]) == ("renewal", "open")
    assert shown.words.value("type", "renewal", "fr") == "Renouvellement"
    assert shown.words.value("type", "renewal", "en") == "Renewal"


def test_the_audit_log_names_the_field(company: Database) -> None:
    people(company, "ext_id,account,last_name,role\nC1,A1,A,buyer\n")
    people(company, "ext_id,role\nC1,other\n")
    with company.read() as session:
        last = session.scalars(select(AuditLog).order_by(AuditLog.id.desc())).first()
    assert last is not None
    assert (last.entity, last.change["changed"]) == ("contact", ["role_id"])


# --- changed by the config ---------------------------------------------------------------------------


def test_a_used_item_is_put_out_of_use_and_stays_readable_and_others_are_deleted(
    company: Database, tmp_path: Path
) -> None:
    people(company, "ext_id,account,last_name,role\nC1,A1,A,user\nC2,A1,B,\n")
    done = dict(apply(company, tmp_path, ROLES))
    assert done["list contact_role: user"] == "put out of use: records have it"
    assert done["list contact_role: technical"] == "deleted"
    assert apply(company, tmp_path, ROLES) == []
    assert roles(company) == [("A", "user"), ("B", None)]
    with company.read() as session:
        assert details.contact(session, 1).words.value("role", "user", "fr") == "Utilisateur"
    with pytest.raises(Refused, match='role: "user" can be chosen no more'):
        people(company, "ext_id,role\nC2,user\n")
    assert people(company, "ext_id,role,position\nC1,user,Chef\n").updated == [1]  # it has it already
    people(company, "ext_id,role\nC1,\n")
    assert apply(company, tmp_path, ROLES) == [("list contact_role: user", "deleted")]
    assert ("list contact_role: user", "new") in apply(company, tmp_path, "")  # as the program brings it


def test_a_label_changes_and_records_keep_their_item(company: Database, tmp_path: Path) -> None:
    people(company, "account,last_name,role\nA1,A,buyer\n")
    apply(company, tmp_path, ROLES)
    with company.read() as session:
        assert details.contact(session, 1).words.value("role", "buyer", "en") == "Purchaser"
    people(company, "account,last_name,role\nA1,B,acheteuse\n")
    assert roles(company) == [("A", "buyer"), ("B", "buyer")]


def test_a_new_record_has_the_default_and_one_that_is_there_does_not_get_it(
    company: Database, tmp_path: Path
) -> None:
    people(company, "ext_id,account,last_name\nC1,A1,A\n")
    apply(company, tmp_path, ROLES)
    people(company, "ext_id,position\nC1,Chef\n")
    people(company, "account,last_name\nA1,B\n")
    people(company, "account,last_name,role\nA1,C,\nA1,D,chef\n")
    assert roles(company) == [("A", None), ("B", "buyer"), ("C", "buyer"), ("D", "chef")]
    people(company, "id,role\n2,\n")
    assert roles(company)[1] == ("B", None)


def test_an_item_for_a_branch_is_chosen_by_its_users_only(company: Database, tmp_path: Path) -> None:
    rows = [
        UserRow(login, login, f"{login}@acme.example", (), UserRole.ADVANCED, None, None, branch=branch)
        for login, branch in (("lea", "Lyon"), ("paul", "Paris"), ("max", None))
    ]
    with company.write() as session:
        user_rows.apply(session, rows, NOON)
    users = "".join(
        f"[[users]]\nlogin = '{one.login}'\nname = 'X'\nemail = '{one.email}'\n"
        + (f"branch = '{one.branch}'\n" if one.branch else "")
        for one in rows
    )
    more = users + ROLES.replace("default = true", 'default = true, branches = ["Lyon"]')
    apply(company, tmp_path, more)

    def adds(login: str, cells: str) -> None:
        kind, lines = KINDS["contacts"], csvfile.read(cells.encode(), KINDS["contacts"].headers)
        with company.write() as session:
            occasion = Occasion(actor_of(session, login), NOON, NOON.date(), "t.csv")
            records.save(session, kind, lines, occasion)

    adds("lea", "account,last_name\nA1,Default\n")
    adds("paul", "account,last_name\nA1,None\n")
    adds("max", "account,last_name,role\nA1,Anywhere,buyer\n")
    with pytest.raises(Refused, match='role: "buyer" is for the branch Lyon only'):
        adds("paul", "account,last_name,role\nA1,X,buyer\n")
    assert roles(company) == [("Default", "buyer"), ("None", None), ("Anywhere", "buyer")]
    adds("paul", "id,role,position\n1,buyer,Chef\n")  # it has it already
    with company.read() as session:
        assert details.contact(session, 1).fields["position"] == "Chef"


# --- the status of an opportunity --------------------------------------------------------------------


def test_a_status_has_a_flag_and_table_t1_goes_by_it(company: Database, tmp_path: Path) -> None:
    apply(company, tmp_path, STATUSES)
    load(
        company,
        "ext_id,account,title,status,closed_on\nO1,A1,Neuf,,\nO2,A2,Vieux,Signée,2020-01-01\n",
        "opportunities",
    )
    with company.read() as session:
        rows = {one.title: one.status for one in reports.opportunities(session, Query()).rows}
        flags = dict(pairs(session.execute(select(Opportunity.title, Opportunity.status))))
        accounts = dict(pairs(session.execute(select(Account.name, Account.status))))
    assert rows == {"Neuf": "talks", "Vieux": "signed"}
    assert flags == {"Neuf": OpportunityStatus.OPEN, "Vieux": OpportunityStatus.WON}
    assert accounts["Garage"] is AccountStatus.PROSPECT
    with pytest.raises(Refused, match="closed_on: is required once the status is WON or LOST"):
        load(company, "ext_id,status\nO1,gone\n", "opportunities")
    load(company, "ext_id,status,closed_on\nO1,WON,2026-11-01\n", "opportunities")  # by its flag
    with company.read() as session:
        one = session.scalars(select(Opportunity).where(Opportunity.ext_id == "O1")).one()
        assert one.status is OpportunityStatus.WON
        assert details.opportunity(session, one.id).fields["status"] == "signed"


def test_the_flag_of_a_status_that_opportunities_have_stays(company: Database, tmp_path: Path) -> None:
    apply(company, tmp_path, STATUSES)
    load(company, "account,title,status\nA1,Neuf,lead\n", "opportunities")
    other = STATUSES.replace('"Piste" }, flag = "open"', '"Piste" }, flag = "lost"')
    with pytest.raises(Invalid, match="lead: its flag is open and cannot change: records have it"):
        apply(company, tmp_path, other)
    with company.write() as session:
        session.execute(text("DELETE FROM opportunity_account"))
        session.execute(text("DELETE FROM opportunity"))
    assert apply(company, tmp_path, other) == [("list opportunity_status: lead", "flag: open -> lost")]


def test_a_list_is_narrowed_by_flag_and_by_status(company: Database, tmp_path: Path) -> None:
    apply(company, tmp_path, STATUSES)
    load(company, "account,title,status\nA1,A,lead\nA1,B,talks\n", "opportunities")
    load(company, "account,title,status,closed_on\nA1,C,signed,2026-01-01\n", "opportunities")

    def titles(written: str) -> list[str]:
        with company.read() as session:
            items = (value_lists.status(session, KINDS["opportunities"], written),)
            found = reports.opportunities(session, Query(items=items))
            kind = exporting.whole(session, KINDS["opportunities"])
            assert exporting.count(session, kind, Wanted(status=written)) == found.total
        return sorted(one.title for one in found.rows)

    assert titles("open") == ["A", "B"]
    assert titles("gagnée") == ["C"]
    assert titles("Piste") == ["A"]
    with pytest.raises(ValueError, match="accepted: OPEN, WON, LOST, lead, talks, signed, gone"):
        titles("nothing")


# --- narrowed by role ----------------------------------------------------------------------------------


def test_contacts_are_narrowed_by_several_roles_and_by_the_rest_too(company: Database) -> None:
    people(
        company,
        "account,last_name,role\nA1,A,buyer\nA1,B,user\nA1,C,other\nA2,D,buyer\nA2,E,\nA1,F,user\n",
    )

    def names(*written: str, query: Query | None = None) -> tuple[str, int]:
        with company.read() as session:
            item = value_lists.wanted(session, "contact_role", written, "--role")
            page = contact_list.contacts(session, replace(query or Query(), items=(item,)))
        return "".join(one.last_name for one in page.rows), page.total

    assert names("buyer") == ("AD", 2)
    assert names("buyer", "Utilisateur") == ("ABDF", 4)
    assert names("buyer", "user", query=Query(account=1)) == ("ABF", 3)
    assert names("user", query=Query(text="b")) == ("B", 1)
    assert names("buyer", "user", query=Query(limit=2, offset=1)) == ("BD", 4)
    with pytest.raises(Invalid, match='--role: "boss" is not in the list'):
        names("boss")


@pytest.mark.parametrize("by", ["last_name", "updated_at"])
def test_an_index_answers_which_contacts_have_a_role(company: Database, by: str) -> None:
    with company.read() as session:
        ids = session.scalars(select(ValueListItem.id).where(ValueListItem.list_code == "contact_role")).all()
    people(company, "account,last_name\n" + "".join(f"A1,N{n:05}\n" for n in range(4000)))
    with company.write() as session:
        session.execute(text(f"UPDATE contact SET role_id = {ids[0]} WHERE id % 200 = 0"))
        session.execute(text(f"UPDATE contact SET role_id = {ids[1]} WHERE id % 200 <> 0"))
    with company.write() as session:
        session.execute(text("ANALYZE"))
    said: list[str] = []

    def explained(
        conn: Connection, cursor: object, statement: str, parameters: Sequence[Any], *_: object
    ) -> None:
        if "contact.role_id = " in statement and "EXPLAIN" not in statement:
            explain = "EXPLAIN QUERY PLAN " if company.sqlite else "EXPLAIN "
            with contextlib.closing(conn.connection.cursor()) as other:
                other.execute(explain + statement, parameters)
                said.append(" ".join(str(row) for row in other.fetchall()))

    event.listen(company.engine, "before_cursor_execute", explained)
    with company.read() as session:
        items = (("role_id", (ids[0], ids[2])),)
        page = contact_list.contacts(session, Query(items=items, sort=Sort(by, descending=True)))
    event.remove(company.engine, "before_cursor_execute", explained)
    assert page.total == 20
    assert len(said) == 3  # the page, and the number of each role
    assert all("ix_contact_role_id" in plan for plan in said), said
    assert all("SCAN contact" not in plan and "Seq Scan on contact" not in plan for plan in said), said


# --- files, merges -------------------------------------------------------------------------------------


def test_items_leave_as_codes_and_come_back_unchanged_even_those_out_of_use(
    company: Database, tmp_path: Path
) -> None:
    people(company, "ext_id,account,last_name,role\nC1,A1,A,user\nC2,A1,B,\n")
    apply(company, tmp_path, ROLES.replace(", default = true", ""))
    with company.read() as session:
        kind = exporting.whole(session, KINDS["contacts"])
        headers = exporting.headers(kind)
        rows = [
            dict(zip(headers, exporting.texts(row), strict=True))
            for row in exporting.rows(session, kind, Wanted())
        ]
    assert [row["role"] for row in rows] == ["user", ""]
    lines = [csvfile.Line(number, row) for number, row in enumerate(rows, 2)]
    with company.write() as session:
        saved = records.save(session, KINDS["contacts"], lines, Occasion(ADMIN, NOON, NOON.date(), "t.csv"))
    assert (saved.created, saved.updated, saved.unchanged) == ([], [], 2)


def test_a_template_tells_the_codes_and_what_they_are_called(company: Database) -> None:
    with company.read() as session:
        kind = exporting.whole(session, KINDS["contacts"])
    guide = templates.layout(kind, templates.headers(kind), "fr", guide=True).guide
    assert guide is not None
    told = {row[0]: row[2] for row in guide.rows}
    assert "buyer (Acheteur)" in told["role"]
    assert "role" in templates.headers(kind)


def test_a_merge_fills_the_role_and_tells_of_another_by_its_code(company: Database) -> None:
    people(company, "account,last_name,role\nA1,A,\nA1,A,buyer\nA1,A,user\n")
    with company.write() as session:
        done = merging.merge(session, 1, 2, actor=ADMIN, now=NOON)
    assert (done.filled, done.conflicts) == (["role_id"], [])
    assert roles(company) == [("A", "buyer"), ("A", "user")]
    with company.write() as session:
        done = merging.merge(session, 1, 3, actor=ADMIN, now=NOON)
        assert done.conflicts == [("role_id", "buyer", "user")]
        merging.unmerge(session, 1, 3, actor=ADMIN, now=NOON)
        merging.unmerge(session, 1, 2, actor=ADMIN, now=NOON)
    assert roles(company) == [("A", None), ("A", "buyer"), ("A", "user")]


def test_rules_of_recommendations_know_an_account_by_the_code_of_its_segment(company: Database) -> None:
    load(company, "ext_id,segment\nA1,Grand compte\n")
    with company.read() as session:
        known = {one.values["ext_id"]: one.values["segment"] for one in advice_rows.facts(session, [1, 2])}
    assert known == {"A1": "large", "A2": None}
