"""The tables of rules, fields and lists: what is of the wrong type is told, wherever it stands."""

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.load import load

GOOD = """
product.plan = "performance"
recommendations.directory = "x"
[[recommendation_rules]]
name = "r"
enabled = true
priority = 1
source = "file"
condition = 'Z_x == "a"'
template = "{Z_x}"
category = "other"
[[value_lists]]
code = "l"
items = [{ code = "a", label.fr = "A", active = true, default = true }]
[[value_lists]]
code = "m"
[[value_lists.items]]
code = "b"
label = { fr = "B" }
active = true
default = false
[[custom_fields]]
entity = "account"
key = "Z_x"
type = "value_list"
list = "l"
label = { fr = "X" }
required = false
tab = "T"
[fields.contact.position]
label = { fr = "P" }
hidden = false
"""
HEAD = 'workspace.name = "Acme"\nstore.url = "sqlite:///crm.db"\n'
JUNK = (
    "0", "-1", "1.5", "nan", "true", '""', '"x"', "[]", "[0]", "{}", "{x=1}", "2026-01-01", "[[[]]]",
    '[{x="y"}]', "0x" + "f" * 4000, '"\\u0000"', '["a"]', '{fr="a"}',
)  # fmt: skip


def outcome(folder: Path, text: str) -> ConfigError | None:
    (folder / "syncd.toml").write_text(HEAD + text)
    try:
        load(folder / "syncd.toml", environ={})
    except ConfigError as error:
        return error
    return None


def test_the_tables_are_good_as_they_are(tmp_path: Path) -> None:
    assert outcome(tmp_path, GOOD) is None


@pytest.mark.parametrize("at", [n for n, line in enumerate(GOOD.splitlines()) if " = " in line])
def test_a_value_of_any_type_in_any_place_is_taken_or_told(tmp_path: Path, at: int) -> None:
    told = 0
    for junk in JUNK:
        lines = GOOD.splitlines()
        key = lines[at].partition(" = ")[0]
        lines[at] = f"{key} = {junk}"
        error = outcome(tmp_path, "\n".join(lines))
        if error is not None:
            told += 1
            assert all(one.line is not None for one in error.problems), (lines[at], error)
    assert told > len(JUNK) // 2


@pytest.mark.parametrize(
    "table", ["recommendation_rules", "value_lists", "custom_fields", "fields", "product"]
)
def test_a_table_that_is_something_else_is_told(tmp_path: Path, table: str) -> None:
    for junk in ("0", '"x"', "[0]", '[{x="y"}]', "true", "[[[]]]"):
        assert outcome(tmp_path, f"{table} = {junk}\n") is not None
    for inner in ("account", "contact"):
        for junk in ("0", '"x"', "[0]", "{name=0}", "{x={}}"):
            assert outcome(tmp_path, f"fields.{inner} = {junk}\n") is not None
