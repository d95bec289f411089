"""Recommendations on the command line, on both databases."""

from datetime import UTC, datetime

import pytest

from syncd.daemon.wiring import Installation
from tests.servers.console import Outcome, console, program
from tests.servers.world import World

NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
ACCOUNTS = "ext_id,name,type\nA1,Garage Dupont,client\nA2,Banque,client\n"


def run(world: World, *arguments: str, at: datetime = NOON) -> Outcome:
    return console(world.config, *arguments, at=at)


@pytest.fixture
def office(world: World) -> World:
    """Two accounts."""
    world.add_user("claire")
    world.write_config()
    (world.folder / "accounts.csv").write_text(ACCOUNTS)
    assert run(world, "import", "accounts", str(world.folder / "accounts.csv")).code == 0
    return world


def test_show_account_begins_with_the_recommendation(office: World) -> None:
    told = run(office, "recommendation", "set", "A1", "30 jours\nde retard", "--category", "payment_delay")
    assert (told.code, told.err) == (0, "")
    shown = run(office, "show", "account", "Garage Dupont").out
    author = run(office, "show", "account", "A1", "--json").json["recommendation"]["author"]
    assert shown.splitlines()[:4] == [
        "! Retard de paiement : 30 jours",
        "! de retard",
        f"! — {author}, 2026-11-22 12:00",
        "",
    ]
    assert "!" not in run(office, "show", "account", "A2").out
    assert run(office, "show", "account", "A2", "--json").json["recommendation"] is None


def test_set_list_clear_and_history(office: World) -> None:
    long = "Ne livrer que le matin, " * 6
    assert run(office, "recommendation", "set", "A1", long, "--severity", "info").code == 0
    assert "nothing to change" in run(office, "recommendation", "set", "A1", long, "--severity", "info").out
    listed = run(office, "recommendation", "list").out
    assert "Garage Dupont" in listed
    assert [row["message"] for row in run(office, "recommendation", "list", "--json").json["rows"]] == [
        long.strip()
    ]
    assert "no recommendation any more" in run(office, "recommendation", "clear", "A1").out
    assert "nothing to change" in run(office, "recommendation", "clear", "A1").out
    shown = run(office, "recommendation", "show", "A1", "--json").json
    assert shown["recommendation"] is None
    assert [(one["message"], one["cleared"]) for one in shown["history"]] == [(long.strip(), True)]
    assert "None." in run(office, "recommendation", "list").out


def test_a_user_writes_only_where_the_account_is_the_users(office: World) -> None:
    refused = run(office, "recommendation", "set", "A1", "x", "--as", "claire")
    assert refused.code == 1
    assert "claire may not change account 1" in refused.err
    assert run(office, "recommendation", "set", "A1", " ").code == 1
    assert run(office, "recommendation", "set", "Nobody", "x").code == 1
    assert run(office, "recommendation", "set", "A1", "x", "--severity", "loud").code == 2


def test_the_text_may_come_from_standard_input(office: World) -> None:
    arguments = ("--config", str(office.config), "recommendation", "set", "A2", "-")
    assert program(*arguments, cwd=office.folder, stdin="à\nlire\n".encode()).code == 0
    assert office.one("SELECT message FROM account_recommendation") == "à\nlire"
    assert program(*arguments, cwd=office.folder, stdin=b"\xff\xfe").code == 2


RULE = """
[[recommendation_rules]]
name = "far"
condition = 'city == "Lyon"'
template = "À {city} : livrer le matin"
"""


def configure(world: World, more: str) -> None:
    world.config.write_text(world.config.read_text() + more)


def test_rules_of_the_config_write_on_import_and_at_a_word(office: World) -> None:
    configure(office, RULE)
    rows = office.folder / "more.csv"
    rows.write_text("ext_id,city\nA1,Lyon\n")
    assert run(office, "import", "accounts", str(rows)).code == 0
    found = run(office, "show", "account", "A1", "--json").json["recommendation"]
    assert (found["message"], found["source"], found["author"]) == (
        "À Lyon : livrer le matin",
        "field",
        "far",
    )
    configure(office, RULE.replace("far", "near").replace("Lyon", "Paris").replace("{city}", "{name}"))
    with_dry = run(office, "recompute", "recommendations", "--dry-run", "--json").json
    assert (with_dry["accounts"], with_dry["changes"]) == (2, [])
    rows.write_text("ext_id,city\nA2,Paris\n")
    dry = run(office, "import", "accounts", str(rows), "--dry-run")
    assert dry.code == 0
    assert run(office, "recommendation", "list", "--json").json["total"] == 1
    assert run(office, "import", "accounts", str(rows)).code == 0
    assert run(office, "recommendation", "clear", "A2").code == 0
    assert "0 changed" in run(office, "recompute", "recommendations").out
    assert run(office, "recommendation", "show", "A2", "--json").json["recommendation"] is None


def test_a_file_of_recommendations_is_checked_whole_and_taken_once(office: World) -> None:
    rows = office.folder / "avis.csv"
    rows.write_text("account_ref,message,category\nA1,Acompte,PAYMENT_NOTICE\nNobody,x,\n")
    refused = run(office, "import", "recommendations", str(rows))
    assert refused.code == 1
    assert 'line 3: account_ref: "Nobody" is no ext_id' in refused.err
    assert run(office, "recommendation", "list", "--json").json["total"] == 0
    rows.write_text("account_ref,message,category\nA1,Acompte,PAYMENT_NOTICE\n")
    dry = run(office, "import", "recommendations", str(rows), "--dry-run")
    assert "1 would change" in dry.out
    assert run(office, "recommendation", "list", "--json").json["total"] == 0
    assert "1 changed" in run(office, "import", "recommendations", str(rows)).out
    assert "taken in before" in run(office, "import", "recommendations", str(rows)).out
    assert "! Avis de règlement : Acompte" in run(office, "show", "account", "A1").out


def test_a_dropped_file_is_taken_in_and_put_away(office: World) -> None:
    configure(office, '[recommendations]\ndirectory = "avis"\n')
    folder = office.folder / "avis"
    folder.mkdir()
    (folder / "good.csv").write_text("account_ref,message\nA1,Acompte\n")
    (folder / "half.csv").write_text("account_ref,message\nA2,Retard\nNobody,x\n")
    installation = Installation.open(office.config)
    try:
        installation.dropping.look()
        report = installation.dropping.run(NOON)
    finally:
        installation.close()
    assert (report.taken, report.refused) == (1, 1)
    assert sorted(one.name for one in (folder / "done").iterdir()) == ["good.csv"]
    assert "1 rows were taken" in (folder / "failed" / "half.csv.txt").read_text()
    assert run(office, "recommendation", "list", "--json").json["total"] == 2
    assert f"1 file in {folder / 'failed'}" in run(office, "status").out


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('[product]\nplan = "essential"\n' + RULE,
         "recommendation_rules[0]: recommendations by rules and files need the plan"),
        ('[product]\nplan = "essential"\n[recommendations]\ndirectory = "x"\n',
         "recommendations.directory: recommendations by rules and files need the plan"),
        (RULE.replace("city ==", "ctiy =="),
         '[0].condition: there is no field "ctiy"; did you mean "city"?'),
        (RULE.replace("city ==", "Z_overdue_days =="), "condition: there is no field"),
        (RULE.replace("{city}", "{message}"), '[0].template: there is no field "message"'),
        (RULE.replace('"Lyon"', "3"), "recommendation_rules[0].condition: cannot compare text with a number"),
        (RULE + RULE, 'recommendation_rules[1].name: "far" is taken already'),
        ('[[recommendation_rules]]\nname = "x"\n', "[0].condition: is required for a rule"),
        (RULE.replace("template", "priority = -1\ntemplate"), "[0].priority: must be at least 0"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_has_its_line_and_key_path(office: World, section: str, said: str) -> None:
    configure(office, section)
    outcome = run(office, "check")
    assert outcome.code == 2
    assert said in outcome.err
    lines = [line for line in outcome.err.splitlines() if said in line]
    assert lines[0].strip().startswith(f"{office.config}:")


def test_manual_recommendations_are_there_with_every_plan(office: World) -> None:
    configure(office, '[product]\nplan = "essential"\n')
    assert run(office, "check").code == 0
    assert run(office, "recommendation", "set", "A1", "x").code == 0
    assert run(office, "import", "recommendations", str(office.config)).code == 2
