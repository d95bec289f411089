"""The company's own fields and tags in exports and templates, on both databases."""

from pathlib import Path

import pytest

from store import csvfile, exporting, templates
from store.database import Database
from store.exporting import Wanted
from store.importing import Occasion
from store.kinds import KINDS
from syncd.engine import records
from tests.integration.test_own_fields import ACCOUNTS, ADMIN, ALL, GARAGE, NOON, apply, load, shown
from tests.servers.prepared import Prepared


@pytest.fixture
def company(prepared: Prepared, tmp_path: Path) -> Database:
    """Three accounts with a field of every type, one of them with tags."""

    def fill(database: Database) -> None:
        apply(database, tmp_path, ALL)
        load(database, ACCOUNTS)
        load(database, 'ext_id,tags\nA1,"toit, zinc"\n')

    return prepared.database(fill)


def exported(database: Database) -> list[dict[str, str]]:
    """The accounts as the cells of a file."""
    with database.read() as session:
        kind = exporting.whole(session, KINDS["accounts"])
        rows = [exporting.texts(row) for row in exporting.rows(session, kind, Wanted())]
        return [dict(zip(exporting.headers(kind), row, strict=True)) for row in rows]


def test_own_fields_and_tags_leave_and_come_back_unchanged(company: Database) -> None:
    rows = exported(company)
    assert rows[0]["z_text"] == "Bleu"
    assert rows[0]["tags"] == "toit, zinc"
    assert rows[1]["z_text"] == rows[1]["tags"] == ""
    lines = [csvfile.Line(number, row) for number, row in enumerate(rows, 2)]
    with company.write() as session:
        saved = records.save(session, KINDS["accounts"], lines, Occasion(ADMIN, NOON, NOON.date(), "t.csv"))
    assert (saved.created, saved.updated, saved.unchanged) == ([], [], 3)
    assert shown(company) == GARAGE


def test_a_template_tells_of_own_fields_and_tags(company: Database) -> None:
    with company.read() as session:
        kind = exporting.whole(session, KINDS["accounts"])
    headers = templates.headers(kind)
    assert {"z_text", "z_many", "tags"} <= set(headers)
    guide = templates.layout(kind, headers, "fr", guide=True).guide
    assert guide is not None
    told = {row[0]: row for row in guide.rows}
    assert told["tags"][2] == "des mots libres, séparés par des virgules"
    assert told["z_text"][3] == ""
