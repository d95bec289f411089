"""The verbs of fields, and own fields on the command line, on both databases."""

from datetime import UTC, datetime

import pytest

from tests.servers.console import Outcome, console
from tests.servers.world import World

NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
FIELDS = """
[[value_lists]]
code = "sector"
items = [{ code = "retail", label = { fr = "Commerce" } }]

[[custom_fields]]
entity = "account"
key = "Z_sector"
type = "value_list"
list = "sector"
label = { fr = "Secteur" }

[[custom_fields]]
entity = "contact"
key = "Z_newsletter"
type = "checkbox"

[fields.account.city]
label = { fr = "Ville" }
[fields.account.website]
hidden = true
"""


def run(world: World, *arguments: str) -> Outcome:
    return console(world.config, *arguments, at=NOON)


@pytest.fixture
def office(world: World) -> World:
    """Fields in the config that nobody has applied."""
    world.add_user("claire")
    world.write_config()
    world.config.write_text(world.config.read_text() + FIELDS)
    return world


def test_fields_are_told_and_applied_and_then_there(office: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told = run(office, "fields", "diff")
    assert (told.code, told.err) == (0, "")
    assert "account Z_sector" in told.out
    assert len(run(office, "fields", "diff", "--json").json["changes"]) == 5
    assert "5 changes would be applied" in run(office, "fields", "apply", "--dry-run").out
    assert run(office, "fields", "apply", "--as", "claire").code == 1
    assert "are not those of the CRM: `syncd fields diff`" in run(office, "status").out
    assert run(office, "status", "--json").json["fields_to_apply"] == 5
    assert "5 changes applied" in run(office, "fields", "apply").out
    assert "nothing to change" in run(office, "fields", "apply").out
    assert run(office, "status", "--json").json["fields_to_apply"] == 0

    rows = office.folder / "accounts.csv"
    rows.write_text("ext_id,name,type,city,website,z_sector\nA1,Garage,client,Lyon,x.example,Commerce\n")
    assert run(office, "import", "accounts", str(rows)).code == 0
    monkeypatch.setenv("SYNCD_LANGUAGE", "fr")
    shown = run(office, "show", "account", "A1").out
    assert "Secteur : Commerce" in shown
    assert "Ville : Lyon" in shown
    monkeypatch.setenv("SYNCD_LANGUAGE", "en")
    assert "x.example" not in shown
    account = run(office, "show", "account", "A1", "--json").json["account"]
    assert (account["Z_sector"], account["city"], account["website"]) == ("retail", "Lyon", "x.example")
    listed = run(office, "list", "accounts", "--where", "Z_sector=retail", "--json").json
    assert listed["total"] == 1
    assert run(office, "list", "accounts", "--where", "Z_sector=x").code == 1
    assert run(office, "list", "deals", "--where", "Z_sector=x").code == 2


def test_a_contact_is_given_own_fields(office: World) -> None:
    assert run(office, "fields", "apply").code == 0
    rows = office.folder / "accounts.csv"
    rows.write_text("ext_id,name,type\nA1,Garage,client\n")
    assert run(office, "import", "accounts", str(rows)).code == 0
    made = run(office, "contact", "add", "--account", "A1", "--last-name", "X", "--set", "Z_newsletter=oui")
    assert made.code == 0
    assert run(office, "show", "contact", "1", "--json").json["contact"]["Z_newsletter"] is True
    assert run(office, "contact", "edit", "1", "--set", "Z_newsletter=").code == 0
    assert run(office, "show", "contact", "1", "--json").json["contact"]["Z_newsletter"] is None
    wrong = run(office, "contact", "edit", "1", "--set", "Z_newsletter=maybe")
    assert (wrong.code, "--set z_newsletter: must be yes or no" in wrong.err) == (2, True)
    assert run(office, "contact", "edit", "1", "--set", "newsletter=1").code == 2


def test_what_cannot_be_applied_is_told(office: World) -> None:
    assert run(office, "fields", "apply").code == 0
    rows = office.folder / "accounts.csv"
    rows.write_text("name,type,z_sector\nX,client,retail\n")
    assert run(office, "import", "accounts", str(rows)).code == 0
    text = office.config.read_text().replace('type = "value_list"\nlist = "sector"', 'type = "text"')
    office.config.write_text(text)
    told = run(office, "fields", "diff")
    assert told.code == 1
    assert "account Z_sector: its type is value_list and cannot change: there are values" in told.err
    refused = run(office, "fields", "apply")
    assert (refused.code, "cannot change" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('list = "sector"\n', 'list = "sectr"\n', 'custom_fields[0].list: there is no [[value_lists]] with'),
        ('list = "sector"\n', "", "custom_fields[0].list: is required for value_list and multi_list"),
        ('type = "checkbox"', 'type = "text"\nlist = "sector"', "[1].list: is for value_list and"),
        ("Z_sector", "sector", "custom_fields[0].key: is not of the accepted form"),
        ('"contact"\nkey = "Z_newsletter"', '"account"\nkey = "Z_sector"', "custom_fields[1].key"),
        ("fields.account.city", "fields.account.town", "fields.account.town: is no field of account"),
        ("fields.account.city", "fields.acount.city", 'fields.acount: is not known; did you mean "account"?'),
        ("website]", "name]", "fields.account.name.hidden: the CRM needs this field: it cannot be hidden"),
        ("hidden = true", "hidden = true\nrequired = true", "hidden: what is required cannot be hidden"),
        ('code = "retail",', 'code = "retail"}, {code = "retail",', "stands in the list twice"),
        ("hidden = true", "[[value_lists]]\ncode = 'sector'\nitems = [{code = 'x'}]", "taken already"),
        ('code = "retail",', 'code = "retail", default = true, active = false,', "what cannot be chosen"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_tables_of_fields_has_its_key_path(
    office: World, old: str, new: str, said: str
) -> None:
    text = office.config.read_text()
    assert old in text
    office.config.write_text(text.replace(old, new, 1))
    outcome = run(office, "check")
    assert outcome.code == 2
    assert said in outcome.err
