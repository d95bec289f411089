"""Projects, deals, opportunities, products and orders one by one from the command line, on both databases."""

from datetime import UTC, datetime

import pytest

from tests.integration.test_cli_records import run, write
from tests.servers.console import Outcome, console
from tests.servers.world import World
from tests.servers.worlds import PreparedWorld

OLD = (
    "ext_id,name,type,owner,created_on\n"
    "A1,Garage Dupont,client,claire,2024-01-01\nA2,Banque,client,,2024-01-01\n"
)
NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)


@pytest.fixture
def shop(prepared_world: PreparedWorld) -> World:
    """Two accounts with a contact each, two products, two users without special rights."""
    return prepared_world(fill, "claire", "paul")


def fill(world: World) -> None:
    contacts = (
        "ext_id,account,last_name,email\nC1,A1,Martin,anne@dupont.example\nC2,A2,Petit,luc@banque.example\n"
    )
    products = "ext_id,code,name,price,active\nT,T12,Tuile 12,1.25,\nV,V1,Vis,,yes\nOld,O1,Ardoise,2,no\n"
    for kind, text in (("accounts", OLD), ("contacts", contacts), ("products", products)):
        assert run(world, "import", kind, write(world, "in.csv", text)).code == 0


def do(world: World, *arguments: str) -> Outcome:
    outcome = console(world.config, *arguments, at=NOON)
    assert outcome.code == 0, outcome.err
    return outcome


def refused(world: World, *arguments: str) -> str:
    outcome = console(world.config, *arguments, at=NOON)
    assert outcome.code in (1, 2)
    assert "defect" not in outcome.err
    return outcome.err


def status(world: World, ext_id: str) -> object:
    return world.rows(f"SELECT status FROM account WHERE ext_id = '{ext_id}'")[0][0]


def test_a_deal_is_added_and_changed_and_the_status_of_its_account_follows(shop: World) -> None:
    assert do(shop, "project", "add", "--account", "A1", "--name", "Toiture").out == "project 1 added\n"
    added = do(shop, "deal", "add", "--project", "Toiture", "--title", "Bois", "--status", "signed",
               "--amount", "1 200,50")  # fmt: skip
    assert added.out == "deal 1 added\n"
    assert status(shop, "A1") == "ACTIVE"
    assert shop.rows("SELECT currency FROM deal") == [("EUR",)]

    do(shop, "deal", "edit", "1", "--status", "ended", "--end-date", "2026-07-01")
    assert status(shop, "A1") == "NEGLECTED"

    assert do(shop, "deal", "edit", "1", "--title", "Bois").out == "nothing to change\n"
    assert "--closed-on: is required" in refused(shop, "deal", "edit", "1", "--status", "cancelled")
    assert "there is no deal 9" in refused(shop, "deal", "edit", "9", "--title", "X")
    shown = do(shop, "show", "deal", "1", "--json").json["deal"]
    assert (shown["project"], shown["account"], shown["amount"]) == ("Toiture", "Garage Dupont", "1200.50")
    assert do(shop, "show", "project", "1", "--json").json["deals"][0]["title"] == "Bois"


def test_an_opportunity_is_won_and_becomes_a_deal(shop: World) -> None:
    do(shop, "opportunity", "add", "--account", "A1", "--account2", "A2", "--title", "Extension",
       "--total", "1000.05", "--probability", "33")  # fmt: skip
    assert (status(shop, "A1"), status(shop, "A2")) == ("PROSPECT", "PROSPECT")
    row = do(shop, "list", "opportunities", "--json").json["rows"][0]
    assert (row["weighted"], row["probability"], row["currency"]) == ("330.02", 33, "EUR")
    assert set(row["accounts"]) == {"Garage Dupont", "Banque"}

    do(shop, "project", "add", "--account", "A1", "--name", "P")
    do(shop, "deal", "add", "--project", "P", "--title", "D", "--status", "signed", "--ext-id", "D1")
    assert "only an opportunity that is WON has a deal" in refused(
        shop, "opportunity", "edit", "1", "--converted-deal", "D1"
    )
    assert "closed_on" in refused(shop, "opportunity", "edit", "1", "--status", "won").replace("-", "_")
    assert do(shop, "opportunity", "win", "1", "--converted-deal", "D1").out == "opportunity 1 won\n"

    shown = do(shop, "show", "opportunity", "1", "--json").json["opportunity"]
    assert (shown["status"], shown["closed_on"], shown["weighted"]) == ("won", "2026-11-22", "1000.05")
    assert (shown["converted_deal_id"], shown["converted_deal"]) == (1, "D")
    assert do(shop, "show", "deal", "1", "--json").json["deal"]["opportunities"] == ["Extension"]
    assert "only an opportunity that is WON" in refused(shop, "opportunity", "lose", "1")


def test_a_deal_of_another_account_is_not_what_an_opportunity_became(shop: World) -> None:
    do(shop, "opportunity", "add", "--account", "A1", "--title", "X")
    do(shop, "project", "add", "--account", "A2", "--name", "P")
    do(shop, "deal", "add", "--project", "P", "--title", "D", "--status", "signed")
    told = refused(shop, "opportunity", "win", "1", "--converted-deal", "D")
    assert "--converted-deal: deal 1 is not one of the opportunity's accounts" in told
    assert shop.rows("SELECT status FROM opportunity") == [("OPEN",)]


def test_a_lost_opportunity_is_worth_nothing(shop: World) -> None:
    do(shop, "opportunity", "add", "--account", "A1", "--title", "X", "--total", "10", "--probability", "50")
    do(shop, "opportunity", "lose", "1", "--closed-on", "2026-11-01", "--comments", "trop cher")
    row = do(shop, "list", "opportunities", "--json").json["rows"][0]
    assert (row["status"], row["closed_on"], row["weighted"]) == ("lost", "2026-11-01", "0.00")


def order(shop: World, *more: str) -> dict[str, object]:
    outcome = do(shop, "order", "add", "--account", "A1", "--json", *more)
    found = outcome.json["order"]
    assert isinstance(found, dict)
    return found


def test_an_order_has_a_number_lines_and_a_total(shop: World) -> None:
    made = order(
        shop, "--line", "product=T12; quantity=3; discount1=10",
        "--line", "description=Port; quantity=1; price=9.999", "--discount1", "5",
        "--contact", "anne@dupont.example",
    )  # fmt: skip
    assert (made["year"], made["number"], made["total"], made["currency"]) == (2026, 1, "12.71", "EUR")
    assert (made["state"], made["contact"], made["date"]) == ("draft", "Martin", "2026-11-22")
    lines = made["lines"]
    assert isinstance(lines, list)
    assert [(one["position"], one["description"], one["total"]) for one in lines] == [
        (1, "Tuile 12", "3.38"),
        (2, "Port", "10.00"),
    ]

    do(shop, "order", "edit", "1", "--line", "position=1; quantity=10", "--drop-line", "2")
    assert shop.rows("SELECT CAST(total * 100 AS INTEGER) FROM sales_order") == [(1069,)]
    do(shop, "order", "edit", "1", "--discount1", "")
    assert shop.rows("SELECT CAST(total * 100 AS INTEGER) FROM sales_order") == [(1125,)]
    assert order(shop)["number"] == 2
    assert order(shop, "--date", "2025-12-31")["number"] == 1
    listed = do(shop, "list", "orders", "--account", "A1", "--json").json["rows"]
    assert [one["number"] for one in listed] == ["2026-2", "2026-1", "2025-1"]


def test_an_order_goes_forward_only_and_a_confirmed_one_stays(shop: World) -> None:
    assert order(shop, "--line", "product=T12; quantity=2")["total"] == "2.50"
    assert do(shop, "order", "confirm", "1").out == "order 1 confirmed\n"
    assert do(shop, "order", "confirm", "1").out == "nothing to change\n"
    for change in (
        ["--discount1", "5"],
        ["--account", "A2"],
        ["--line", "position=1; quantity=3"],
        ["--line", "product=T12; quantity=3"],
        ["--drop-line", "1"],
        ["--total", "3"],
    ):
        assert "1" in refused(shop, "order", "edit", "1", *change)
        assert shop.rows("SELECT CAST(total * 100 AS INTEGER), account_id FROM sales_order") == [(250, 1)]
    do(shop, "order", "edit", "1", "--comment", "livré", "--expected-date", "2026-12-01")
    do(shop, "order", "cancel", "1")
    assert "it does not become CONFIRMED any more" in refused(shop, "order", "confirm", "1")
    assert shop.rows("SELECT state FROM sales_order") == [("CANCELLED",)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--line", "product=T12"], "--quantity: is required"),
        (["--line", "quantity=1; price=2"], "--description: is required for a line without a product"),
        (["--line", "product=V1; quantity=1"], "--price: is required: the product has none"),
        (["--currency", "USD", "--line", "product=T12; quantity=1"], "the product has none in this currency"),
        (["--total", "7", "--line", "product=T12; quantity=1"], "--total: is worked out from the lines"),
        (["--line", "product=T12; quantity=1; discount1=101"], "is no discount"),
        (["--line", "product=T12; quantity=1; total=7"], "--total: is worked out: it is 1.25"),
        (["--line", "product=T12; quantity=9999999999; price=9999999999"], "is larger than"),
        (["--line", "product=nothing; quantity=1"], 'there is no product "nothing"'),
        (["--line", "tuiles"], '"tuiles" is no field'),
        (["--line", "colour=red; product=T12; quantity=1"], "colour: is not a field"),
        (["--line", "position=1; product=T12; quantity=1", "--line", "position=x; product=T12; quantity=1"],
         "is no whole number"),
        (["--contact", "C2"], "contact 2 is not one of that account"),
        (["--currency", "EUX"], "is no currency"),
        (["--number", "0"], "is no whole number above 0"),
    ],
)  # fmt: skip
def test_an_order_with_a_mistake_is_not_made(shop: World, arguments: list[str], told: str) -> None:
    assert told in refused(shop, "order", "add", "--account", "A1", *arguments)
    assert shop.rows("SELECT count(*) FROM sales_order") == [(0,)]
    assert shop.rows("SELECT count(*) FROM sales_order_line") == [(0,)]


def test_a_number_is_given_once_and_the_next_one_follows_the_highest(shop: World) -> None:
    text = "account,date,number\nA1,2026-01-05,7\nA1,2026-01-06,\nA1,2025-06-01,\nA2,2026-02-01,3\n"
    assert run(shop, "import", "orders", write(shop, "o.csv", text)).code == 0
    found = shop.rows("SELECT year, number FROM sales_order ORDER BY year, number")
    assert found == [(2025, 1), (2026, 3), (2026, 7), (2026, 8)]
    twice = run(shop, "import", "orders", write(shop, "o.csv", "account,date,number\nA1,2026-05-05,7\n"))
    assert "line 2: number: 7 of 2026 is that of order 1 already" in twice.err


def test_an_order_that_comes_in_confirmed_gets_its_lines_afterwards(shop: World) -> None:
    text = "ext_id,account,date,state,total\nO1,A1,2026-01-05,CONFIRMED,2.50\nO2,A1,2026-01-05,CONFIRMED,\n"
    assert "O2" not in str(shop.rows("SELECT ext_id FROM sales_order"))
    bad = run(shop, "import", "orders", write(shop, "o.csv", text))
    assert "line 3: total: is required to confirm an order without lines" in bad.err
    good = text.rsplit("O2", maxsplit=1)[0]
    assert run(shop, "import", "orders", write(shop, "o.csv", good)).code == 0
    lines = write(shop, "l.csv", "order,product,quantity\nO1,T12,2\n")
    assert run(shop, "import", "order_lines", lines).code == 0
    again = run(shop, "import", "order_lines", lines)
    assert "is CONFIRMED: its lines stay" in again.err
    by_number = write(shop, "l.csv", "order,product,quantity\n2026-1,T12,2\n")
    assert "its lines stay" in run(shop, "import", "order_lines", by_number).err


def test_a_record_belongs_to_who_adds_it_and_others_may_not_change_it(shop: World) -> None:
    do(shop, "order", "add", "--account", "A1", "--line", "product=T12; quantity=1", "--as", "claire")
    assert shop.rows('SELECT login FROM sales_order o JOIN "user" u ON u.id = o.owner_id') == [("claire",)]
    for change in (["--comment", "x"], ["--line", "position=1; quantity=9"], ["--drop-line", "1"]):
        assert "paul may not change" in refused(shop, "order", "edit", "1", *change, "--as", "paul")
    assert "paul may not change" in refused(shop, "order", "confirm", "1", "--as", "paul")
    do(shop, "order", "edit", "1", "--line", "position=1; quantity=9", "--as", "claire")
    do(shop, "order", "confirm", "1", "--as", "claire")
    lines = write(shop, "l.csv", "order,description,quantity,price\n2026-1,Cadeau,1,0\n")
    assert "paul may not change order 1" in run(shop, "import", "order_lines", lines, "--as", "paul").err


def test_products_are_added_listed_and_shown(shop: World) -> None:
    assert do(shop, "product", "add", "--code", "Z", "--name", "Zinc", "--price", "3,1415").out == (
        "product 4 added\n"
    )
    assert '"Z" is that of product 4 already' in refused(shop, "product", "add", "--code", "Z", "--name", "Y")
    do(shop, "product", "edit", "4", "--active", "no")
    row = do(shop, "list", "products", "--text", "zin", "--json").json["rows"]
    assert [(one["code"], one["price"], one["active"]) for one in row] == [("Z", "3.1415", False)]
    assert do(shop, "show", "product", "4", "--json").json["product"]["name"] == "Zinc"
    sold = do(shop, "order", "add", "--account", "A1", "--line", "product=O1; quantity=1")
    assert sold.out == "order 1 added\n"


def test_the_options_are_fields_of_the_kind() -> None:
    from store.kinds import KINDS
    from syncd.cli.selling import NOUNS

    for noun in NOUNS:
        kind = KINDS[noun.kind]
        assert set(noun.fields) <= set(kind.headers)
        settable = {one for one in kind.headers if not one.endswith("_id")} | {"ext_id"}
        assert settable - {"id", "state"} == set(noun.fields), "every field can be given"


def test_a_new_order_shows_the_recommendation_of_its_account_first(shop: World) -> None:
    do(shop, "recommendation", "set", "A1", "Demander un acompte")
    out = do(shop, "order", "add", "--account", "A1").out.splitlines()
    assert "Demander un acompte" in out[0]
    assert out[-1] == "order 1 added"
    told = do(shop, "order", "add", "--account", "A1", "--json").json["warnings"]
    assert [(one["type"], one["recommendation"]["message"]) for one in told] == [
        ("recommendation", "Demander un acompte")
    ]
    assert do(shop, "order", "add", "--account", "A2", "--json").json["warnings"] == []
    assert "acompte" not in do(shop, "order", "edit", "1", "--comment", "x").out


def test_an_order_that_moves_shows_the_recommendation_of_the_account_it_moves_to(shop: World) -> None:
    do(shop, "recommendation", "set", "A1", "Demander un acompte")
    do(shop, "order", "add", "--account", "A2")
    moved = do(shop, "order", "edit", "1", "--account", "A1").out.splitlines()
    assert ("Demander un acompte" in moved[0], moved[-1]) == (True, "order 1 changed")
    assert "acompte" not in do(shop, "order", "edit", "1", "--account", "A2").out, "the other has none"
    told = do(shop, "order", "edit", "1", "--account", "A1", "--json").json
    assert [one["recommendation"]["message"] for one in told["warnings"]] == ["Demander un acompte"]
    assert do(shop, "order", "edit", "1", "--account", "A2", "--json").json["warnings"] == []
