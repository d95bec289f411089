"""Fields of the company's own, value lists and settings of fields, in the database."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from config.load import load as load_config
from config.own_fields import ENTITIES, NEEDED, SORTS
from config.settings import Settings
from store import csvfile, custom_fields, details, field_config, recommendations, reports
from store.actors import Actor, admin_at_machine
from store.csvfile import Refused
from store.custom_fields import FieldType
from store.database import Database
from store.errors import Forbidden, Invalid
from store.importing import Occasion, Saved
from store.kinds import KINDS
from store.readers import Value
from store.report_rows import Query
from store.users import UserRole
from syncd.daemon import advice
from syncd.engine import records
from tests.servers.prepared import Prepared

NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
ADMIN = admin_at_machine("root")
HEAD = "[workspace]\nname = 'Acme'\n[store]\nurl = 'sqlite:///crm.db'\n"
LISTS = """
[[value_lists]]
code = "sector"
items = [{ code = "retail", label = { fr = "Commerce", en = "Retail" } }, { code = "public" }]
"""
FIELDS = "".join(
    f'[[custom_fields]]\nentity = "account"\nkey = "Z_{kind}"\ntype = "{kind}"\n'
    for kind in ("text", "integer", "decimal", "percentage", "date", "checkbox")
)
OF_LISTS = """
[[custom_fields]]
entity = "account"
key = "Z_one"
type = "value_list"
list = "sector"
label = { fr = "Secteur" }
[[custom_fields]]
entity = "account"
key = "Z_many"
type = "multi_list"
list = "sector"
"""
ALL = LISTS + FIELDS + OF_LISTS
ACCOUNTS = (
    "ext_id,name,type,Z_text,Z_integer,Z_decimal,Z_percentage,Z_date,Z_checkbox,Z_one,Z_many\n"
    'A1,Garage,client,Bleu,31,"1 234,5",12.5 %,31/12/2026,oui,Commerce,public;RETAIL\n'
    "A2,Banque,client,,,,,,,,\n"
    "A3,Ferme,client,Vert,-7,0.1,0,2026-01-01,non,public,retail\n"
)
GARAGE: dict[str, Value] = {
    "Z_text": "Bleu", "Z_integer": 31, "Z_decimal": Decimal("1234.5"), "Z_percentage": Decimal("12.5"),
    "Z_date": date(2026, 12, 31), "Z_checkbox": True, "Z_one": "retail", "Z_many": "retail|public",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def config(folder: Path, more: str) -> Settings:
    (folder / "syncd.toml").write_text(HEAD + more)
    return load_config(folder / "syncd.toml", environ={})


def apply(database: Database, folder: Path, more: str) -> list[tuple[str, str]]:
    settings = config(folder, more)
    with database.write() as session:
        done = field_config.apply(session, settings, ADMIN, NOON)
    return [(one.what, one.does) for one in done]


def load(database: Database, rows: str, kind: str = "accounts") -> Saved:
    lines = csvfile.read(rows.encode(), KINDS[kind].headers)
    with database.write() as session:
        return records.save(session, KINDS[kind], lines, Occasion(ADMIN, NOON, NOON.date(), "t.csv"))


def shown(database: Database, id_: int = 1) -> dict[str, object]:
    with database.read() as session:
        fields = details.account(session, id_).fields
    return {name: value for name, value in fields.items() if name.startswith("Z_")}


@pytest.fixture
def company(prepared: Prepared, folder: Path) -> Database:
    """Three accounts with a field of every type."""

    def fill(database: Database) -> None:
        apply(database, folder, ALL)
        load(database, ACCOUNTS)

    return prepared.database(fill)


def test_values_of_every_type_come_in_by_a_file_and_are_shown(company: Database) -> None:
    assert shown(company) == GARAGE
    assert isinstance(shown(company)["Z_integer"], int)
    assert shown(company, 2) == dict.fromkeys(GARAGE)
    again = load(company, ACCOUNTS)
    assert (again.created, again.updated, again.unchanged) == ([], [], 3)


def test_a_change_of_an_own_field_alone_is_a_change_of_the_record(company: Database) -> None:
    saved = load(company, "ext_id,Z_INTEGER\nA1,32\nA3,-7\n")
    assert (len(saved.updated), saved.unchanged) == (1, 1)
    assert shown(company)["Z_integer"] == 32
    assert shown(company)["Z_text"] == "Bleu"  # what the file has no column for stays
    load(company, "ext_id,Z_text,Z_many\nA1,,\n")
    assert (shown(company)["Z_text"], shown(company)["Z_many"]) == (None, None)
    with company.read() as session:
        assert session.scalar(text("SELECT version FROM account WHERE id = 1")) == 3
        told = session.scalars(text("SELECT change FROM audit_log WHERE entity_id = 1")).all()
    assert "Z_many" in str(told[-1])


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("Z_text", "x" * 501, "has 501 characters, at most 500 are kept"),
        ("Z_integer", "1.5", "a whole number is expected"),
        ("Z_integer", "many", '"many" is no number'),
        ("Z_integer", "9" * 15, "is no number"),
        ("Z_integer", "1e9999999", "is no number"),
        ("Z_decimal", "0.12345", "at most 4 decimals are kept"),
        ("Z_decimal", "nan", "is no number"),
        ("Z_percentage", "101", "must be a number from 0 to 100"),
        ("Z_percentage", "-1", "must be a number from 0 to 100"),
        ("Z_date", "tomorrow", "is no day"),
        ("Z_checkbox", "maybe", "must be yes or no"),
        ("Z_one", "farm", '"farm" is not in the list; accepted: retail, public'),
        ("Z_many", "retail;farm", '"farm" is not in the list'),
        ("Z_none", "x", "is not a field of accounts"),
    ],
)
def test_what_is_no_value_of_its_type_is_refused_with_line_and_column(
    company: Database, column: str, value: str, said: str
) -> None:
    with pytest.raises(Refused) as refused:
        load(company, f"ext_id,{column}\nA1,{value}\n")
    (fault,) = refused.value.faults
    assert fault.column == column.lower()
    assert said in fault.message
    assert shown(company) == GARAGE


@pytest.mark.parametrize(
    ("where", "names"),
    [
        (["Z_text=Bleu"], ["Garage"]),
        (["z_text!=Bleu"], ["Banque", "Ferme"]),
        (["Z_text="], ["Banque"]),
        (["Z_text!="], ["Ferme", "Garage"]),
        (["Z_integer>30"], ["Garage"]),
        (["Z_integer<=-7"], ["Ferme"]),
        (["Z_integer=31"], ["Garage"]),
        (["Z_decimal=0,1"], ["Ferme"]),
        (["Z_decimal>=1234.5"], ["Garage"]),
        (["Z_percentage<12.5"], ["Ferme"]),
        (["Z_date>2026-06-01"], ["Garage"]),
        (["Z_checkbox=yes"], ["Garage"]),
        (["Z_checkbox=no"], ["Ferme"]),
        (["Z_one=Retail"], ["Garage"]),
        (["Z_many=public"], ["Garage"]),
        (["Z_many=retail", "Z_integer < 0"], ["Ferme"]),
        (["Z_many!=public"], ["Banque", "Ferme"]),
    ],
)
def test_lists_are_narrowed_by_own_fields(company: Database, where: list[str], names: list[str]) -> None:
    with company.read() as session:
        page = reports.accounts(session, Query(where=tuple(where)))
    assert [one.name for one in page.rows] == names
    assert page.total == len(names)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("name=x", "is no condition"),
        ("Z_text", "is no condition"),
        ("Z_nothing=1", "Z_nothing is no field of account; known: Z_text"),
        ("Z_integer=x", "Z_integer: .x. is no number"),
        ("Z_integer>", "a value is expected"),
        ("Z_one>retail", "can be compared with = and != only"),
        ("Z_many=retail;public", "one value at a time"),
    ],
)
def test_a_condition_that_is_none_is_told(company: Database, where: str, said: str) -> None:
    with company.read() as session, pytest.raises(Invalid, match=said):
        reports.accounts(session, Query(where=(where,)))


def test_an_index_answers_conditions(company: Database) -> None:
    with company.write() as session:
        own = custom_fields.of_entity(session, "account")
        (field,) = [one for one in own if one.key == "Z_integer"]
        custom_fields.put(session, own, {id_: {"Z_integer": id_} for id_ in range(10, 3000)})
    with company.write() as session:
        session.execute(text("ANALYZE"))
        explain = "EXPLAIN QUERY PLAN" if company.sqlite else "EXPLAIN"
        query = f"SELECT record_id FROM custom_field_value WHERE def_id = {field.id} AND number > 29900000"
        plan = " ".join(str(row) for row in session.execute(text(f"{explain} {query}")))
    assert "ix_custom_field_value_number" in plan


# --- from the config ----------------------------------------------------------------------------


def test_nothing_changes_before_somebody_applies_it(database: Database, folder: Path) -> None:
    settings = config(folder, ALL)
    with database.read() as session:
        changes = field_config.diff(session, settings)
        assert custom_fields.of_entity(session, "account") == []
    assert [(one.what, one.does) for one in changes][:3] == [
        ("list sector: retail", "new"),
        ("list sector: public", "new"),
        ("account Z_text", "new"),
    ]
    with pytest.raises(Forbidden, match="may not change fields"), database.write() as session:
        field_config.apply(session, settings, Actor("u", 1, UserRole.ADVANCED), NOON)
    assert len(apply(database, folder, ALL)) == 10
    assert apply(database, folder, ALL) == []


def test_the_type_of_a_field_stays_while_there_are_values(company: Database, folder: Path) -> None:
    other = ALL.replace('type = "integer"', 'type = "text"')
    settings = config(folder, other)
    with company.read() as session:
        (change,) = field_config.diff(session, settings)
    assert (change.what, change.does) == ("account Z_integer", "type: integer -> text")
    with pytest.raises(Invalid, match="account Z_integer: its type is integer and cannot change: there are"):
        apply(company, folder, other)
    load(company, "ext_id,Z_integer\nA1,\nA3,\n")
    assert apply(company, folder, other) == [("account Z_integer", "type: integer -> text")]
    load(company, "ext_id,Z_integer\nA1,many\n")
    assert shown(company)["Z_integer"] == "many"


def test_a_value_of_a_list_that_records_have_is_put_out_of_use_and_stays_readable(
    company: Database, folder: Path
) -> None:
    less = ALL.replace(', { code = "public" }', "")
    assert apply(company, folder, less) == [("list sector: public", "put out of use: records have it")]
    assert apply(company, folder, less) == []
    assert shown(company, 3)["Z_one"] == "public"
    with pytest.raises(Refused, match='"public" can be chosen no more'):
        load(company, "ext_id,Z_one\nA2,public\n")
    assert load(company, "ext_id,Z_one,Z_text\nA3,public,Rouge\n").updated  # it has it already
    load(company, "ext_id,Z_one,Z_many\nA3,,\nA1,retail,retail\n")
    assert apply(company, folder, less) == [("list sector: public", "deleted")]
    assert apply(company, folder, ALL) == [("list sector: public", "new")]


def test_a_field_with_values_is_put_out_of_use_and_comes_back_with_them(
    company: Database, folder: Path
) -> None:
    less = LISTS + OF_LISTS
    done = apply(company, folder, less)
    assert ("account Z_integer", "put out of use: there are values") in done
    assert set(shown(company)) == {"Z_one", "Z_many"}
    with pytest.raises(Refused, match="z_integer: is not a field of accounts"):
        load(company, "ext_id,Z_integer\nA1,1\n")
    apply(company, folder, ALL)
    assert shown(company) == GARAGE
    load(company, "ext_id,Z_date\nA1,\nA3,\n")
    assert ("account Z_date", "deleted") in apply(company, folder, less)


def test_labels_and_settings_of_the_other_fields(database: Database, folder: Path) -> None:
    more = ALL + (
        '[fields.account.website]\nlabel = { fr = "Site", en = "Site" }\nhidden = true\n'
        "[fields.account.city]\nrequired = true\nlabel = { fr = 'Ville' }\n"
    )
    apply(database, folder, more)
    with pytest.raises(Refused, match="city: is required for a new account: no such column"):
        load(database, ACCOUNTS)
    (id_,) = load(database, "ext_id,name,type,city,Z_one\nA1,X,client,Lyon,retail\n").created
    with pytest.raises(Refused, match="city: must not be empty"):
        load(database, "ext_id,city\nA1,\n")
    with database.read() as session:
        words = details.account(session, id_).words
    assert words.name("city", "fr") == "Ville"
    assert words.name("city", "en") == "city"
    assert words.name("Z_one", "fr") == "Secteur"
    assert words.value("Z_one", "retail", "fr") == "Commerce"
    assert words.value("Z_many", "retail|public", "en") == "Retail, public"
    assert words.hidden == {"website"}
    assert ("field account.city", "as it was") in apply(database, folder, ALL)


def test_a_required_field_is_asked_for(database: Database, folder: Path) -> None:
    apply(database, folder, FIELDS.replace('type = "text"', 'type = "text"\nrequired = true'))
    with pytest.raises(Refused, match="z_text: is required for a new account"):
        load(database, "ext_id,name,type\nA1,X,client\n")
    with pytest.raises(Refused, match="z_text: must not be empty"):
        load(database, "ext_id,name,type,z_text\nA1,X,client,\n")
    load(database, "ext_id,name,type,z_text\nA1,X,client,y\n")


def test_rules_see_own_fields(company: Database, folder: Path) -> None:
    rules = """
[[recommendation_rules]]
name = "late"
condition = 'Z_integer > 30 and "public" in Z_many and Z_one == "retail" and Z_date > "2026-06-01"'
template = "Retard de paiement : {Z_decimal} € ({Z_integer} jours, {Z_many}, {Z_checkbox})"
"""
    advice.recommending(config(folder, ALL + rules), company).recompute(NOON)
    with company.read() as session:
        rows, total = recommendations.listed(session, 10, 0)
    assert total == 1
    assert rows[0].message == "Retard de paiement : 1234,5 € (31 jours, public, retail, oui)"


def test_the_values_of_a_record_can_be_taken_away(company: Database) -> None:
    with company.write() as session:
        custom_fields.remove(session, "contact", [1])
        custom_fields.remove(session, "account", [3])
    assert shown(company) == GARAGE
    assert shown(company, 3) == dict.fromkeys(GARAGE)


def test_what_the_config_knows_of_fields_is_what_there_is() -> None:
    assert {one.value for one in FieldType} == set(SORTS)
    for entity, known in ENTITIES.items():
        (kind,) = [one for one in KINDS.values() if one.entity == entity]
        assert known == {one.header for one in kind.fields}
        assert NEEDED[entity] == {one.header for one in kind.fields if one.required}
