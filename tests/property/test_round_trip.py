"""What is exported and imported again changes nothing, whatever stands in the fields."""

import csv
import io
import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from store import exporting, filetable, templates
from store.actors import admin_at_machine
from store.csvfile import Line
from store.database import Database
from store.importing import Occasion, Saved, save
from store.kinds import KINDS
from store.neutral import harmless, original
from store.sheetfile import write_csv, write_xlsx

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
OCCASION = Occasion(admin_at_machine("root"), NOW, date(2026, 11, 22), "test.csv")
SIGNS = ",;\t|"

WORDS = st.one_of(
    st.text(alphabet="=+-@'\" ,;|aé\u200f☕_x0041", min_size=1, max_size=12),
    st.text(
        st.characters(exclude_categories=("Cs", "Cc"), include_characters="\t"), min_size=1, max_size=20
    ),
    st.sampled_from(["=HYPERLINK(\"http://x.example\")", "+33 1 44", "-12", "@SUM(1)", "'=1", "''+2", "1e5",
                     "2026-12-31", "true", "_x000D_", "00123", "'"]),
).filter(lambda one: bool(one.strip()))  # fmt: skip
OPTIONAL = st.one_of(st.just(""), WORDS)
AMOUNTS = st.one_of(st.just(""), st.decimals(-(10**12) + 1, 10**12 - 1, places=2).map(str))
PRICES = st.one_of(st.just(""), st.decimals(-9999, 9999, places=4).map(str))
CENTS = st.one_of(st.just(""), st.decimals(0, 100, places=4).map(str))
DAYS = st.one_of(st.just(""), st.dates().map(date.isoformat))
COMMENTS = st.one_of(
    OPTIONAL, st.tuples(WORDS, WORDS).map("\n".join), st.tuples(WORDS, WORDS).map("\r\n".join)
)


@st.composite
def companies(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Records of every kind that may have any text."""
    accounts = [
        {"ext_id": f"A{n}", "name": draw(WORDS), "type": draw(st.sampled_from(["client", "INTERNAL"])),
         "created_on": draw(DAYS), "phone": draw(OPTIONAL), "comment": draw(COMMENTS),
         "parent": "" if n == 0 else "A0"}
        for n in range(draw(st.integers(1, 3)))
    ]  # fmt: skip
    some = st.sampled_from([one["ext_id"] for one in accounts])
    few = st.integers(0, 2)
    contacts = [
        {"account": draw(some), "last_name": draw(WORDS), "first_name": draw(OPTIONAL),
         "phone_mobile": draw(OPTIONAL), "comment": draw(COMMENTS),
         "gender": draw(st.sampled_from(["", "femme"]))}
        for _ in range(draw(few))
    ]  # fmt: skip
    projects = [{"ext_id": "P", "name": draw(WORDS), "account": draw(some), "start_date": draw(DAYS)}]
    deals = [
        {"project": "P", "title": draw(WORDS), "status": "SIGNED", "amount": draw(AMOUNTS),
         "end_date": draw(DAYS), "billable": draw(st.sampled_from(["", "no"]))}
        for _ in range(draw(few))
    ]  # fmt: skip
    opportunities = [
        {"account": draw(some), "account2": draw(st.one_of(st.just(""), some)), "title": draw(WORDS),
         "total": draw(AMOUNTS), "probability": draw(st.sampled_from(["", "0", "70"])),
         "comments": draw(COMMENTS)}
        for _ in range(draw(few))
    ]  # fmt: skip
    files = [{"code": f"D{n}", "title": draw(WORDS), "account": draw(some)} for n in range(draw(few))]
    products = [
        {"code": f"C{n}", "name": draw(WORDS), "price": draw(PRICES), "unit": "m"} for n in range(draw(few))
    ]
    orders = [
        {"ext_id": f"O{n}", "account": draw(some), "reference": draw(OPTIONAL), "comment": draw(COMMENTS),
         "discount2": draw(CENTS), "total": draw(st.sampled_from(["", "12.50"]))}
        for n in range(draw(few))
    ]  # fmt: skip
    order_lines = [
        {"order": draw(st.sampled_from([one["ext_id"] for one in orders])), "description": draw(WORDS),
         "product": draw(st.sampled_from(["", *(one["code"] for one in products)])),
         "quantity": draw(st.decimals(-9999, 9999, places=4).map(str)), "price": "1.0001",
         "discount1": draw(CENTS)}
        for _ in range(draw(few) if orders else 0)
    ]  # fmt: skip
    return {"products": products, "accounts": accounts, "contacts": contacts, "projects": projects,
            "deals": deals,
            "opportunities": opportunities, "case_files": files, "orders": orders,
            "order_lines": order_lines}  # fmt: skip


@pytest.fixture(scope="module")
def crm(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("round") / "crm.db"
    path.write_bytes(sqlite_template.read_bytes())
    made = Database(f"sqlite:///{path}")
    yield made
    made.close()


def put(database: Database, kind: str, rows: list[Line]) -> Saved:
    with database.write() as session:
        return save(session, KINDS[kind], rows, OCCASION)


def clear(database: Database) -> None:
    tables = (
        "sales_order_line sales_order product opportunity_account opportunity case_file deal project contact "
        "account_status_history account"
    )
    with database.write() as session:
        for table in tables.split():
            session.execute(text(f"DELETE FROM {table}"))


def exported(database: Database, kind: str, form: str, path: Path) -> bytes:
    with database.read() as session:
        headers = exporting.headers(KINDS[kind])
        rows = exporting.rows(session, KINDS[kind], exporting.Wanted())
        if form == "xlsx":
            write_xlsx(path, templates.layout(KINDS[kind], headers, "fr", guide=False), rows)
            return path.read_bytes()
        out = io.BytesIO()
        write_csv(out, headers, rows, separator=form, mark=True)
        return out.getvalue()


def test_an_export_that_is_imported_again_changes_nothing(crm: Database, tmp_path: Path) -> None:
    seen: set[str] = set()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(company=companies())
    def unchanged(company: dict[str, list[dict[str, str]]]) -> None:
        clear(crm)
        for kind, rows in company.items():
            for number, cells in enumerate(rows):
                stripped = {header: value.strip() for header, value in cells.items()}
                assert len(put(crm, kind, [Line(number + 2, stripped)]).created) == 1
        for (kind, rows), form in itertools.product(company.items(), (*SIGNS, "xlsx")):
            content = exported(crm, kind, form, tmp_path / "out.xlsx")
            sheet = filetable.scan(content, KINDS[kind].headers)
            assert not sheet.faults
            saved = put(crm, kind, sheet.lines)
            assert (saved.created, saved.updated, saved.unchanged) == ([], [], len(rows)), (kind, form)
            if rows:
                seen.add(kind)

    unchanged()
    assert seen == set(KINDS), "every kind that there is went that way"


@given(st.text(alphabet="'=+-@\t\ra ", max_size=6))
def test_what_is_made_harmless_comes_back_and_begins_with_no_sign_of_a_formula(value: str) -> None:
    assert original(harmless(value)) == value
    assert harmless(value)[:1] not in set("=+-@\t\r")


def test_no_cell_of_a_csv_begins_as_a_formula_does(crm: Database, tmp_path: Path) -> None:
    clear(crm)
    evil = ["=1+1", "+1", "-1", "@x", "'=1"]
    put(
        crm,
        "accounts",
        [Line(n, {"name": one, "type": "client", "phone": one}) for n, one in enumerate(evil)],
    )

    rows = list(
        csv.reader(
            io.StringIO(exported(crm, "accounts", ";", tmp_path / "x").decode("utf-8-sig")), delimiter=";"
        )
    )

    assert [row[2] for row in rows[1:]] == ["'=1+1", "'+1", "'-1", "'@x", "''=1"]
    assert not any(cell[:1] in set("=+-@\t\r") for row in rows for cell in row if cell)
