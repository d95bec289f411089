"""The verbs of single projects, deals, opportunities, products and orders: one way for all of them.

What each takes stands in a table: the options are the fields, and what they take is checked where files are.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from config.words import noun_word
from syncd.cli import new_deals, saving, sold
from syncd.cli.context import Json, of
from syncd.cli.editing import Id, Version
from syncd.cli.options import Parameter, Verb, options, parameter
from syncd.cli.records import As
from syncd.cli.saving import given
from syncd.cli.sold import Given, Noun

if TYPE_CHECKING:
    from syncd.daemon.wiring import Installation

DISCOUNTS = ("discount1", "discount2", "discount3", "discount4")
Lines = Annotated[
    list[str] | None,
    typer.Option(
        "--line",
        metavar="FIELDS",
        help='A line: "product=CODE; quantity=2; discount1=10". With the position of one that is there, '
        "that one is changed. May be given several times.",
    ),
]
Dropped = Annotated[
    list[int] | None, typer.Option("--drop-line", metavar="POSITION", help="Take this line out of the order.")
]
NOUNS = (
    Noun(
        "project", "projects",
        ("name", "account", "reference", "start_date", "end_date", "status", "ext_id"),
        '--account "Garage Dupont" --name Toiture', "3 --status closed", owned=False,
        hanging="It has no deals any more.",
    ),
    Noun(
        "deal", "deals",
        ("title", "project", "status", "reference", "start_date", "end_date", "closed_on", "amount",
         "currency", "billable", "owner", "ext_id"),
        "--project Toiture --title Charpente --status signed --amount 12000",
        "7 --status ended --end-date 2026-11-30", hanging="It is not what became of an opportunity.",
    ),
    Noun(
        "opportunity", "opportunities",
        ("title", "account", "account2", "account3", "reference", "type", "status", "total",
         "currency", "probability", "expected_close", "closed_on", "comments", "converted_deal", "owner",
         "ext_id"),
        '--account "Garage Dupont" --title Extension --total 50000 --probability 40', "5 --probability 60",
        hanging="It has no orders any more.",
    ),
    Noun(
        "product", "products", ("code", "name", "price", "unit", "active", "ext_id"),
        '--code T12 --name "Tuile 12" --price 1.25', "4 --active no", owned=False,
        hanging="It is in no order.",
    ),
    Noun(
        "order", "orders",
        ("account", "contact", "opportunity", "reference", "number", "year", "date", "expected_date",
         "status", *DISCOUNTS, "total", "currency", "comment", "internal_comment", "owner", "ext_id"),
        '--account "Garage Dupont" --line "product=T12; quantity=400"', '9 --line "position=1; quantity=500"',
        hanging="It is a draft, or cancelled.",
    ),
)  # fmt: skip


Do = Callable[[Noun, "Installation", Given], None]
ENDED = {"win": ("closed_on", "total", "converted_deal"), "lose": ("closed_on", "comments")}
HELP = {
    "type": "A value of the list opportunity_type: code or label.",
    "account": "Exact name or ext_id.",
    "project": "Exact name or ext_id.",
    "contact": "ext_id or e-mail address.",
    "opportunity": "ext_id, reference or title.",
    "converted_deal": "The deal that it became: ext_id, reference or title.",
    "owner": "A login; by default who adds it.",
    "closed_on": "A day: 2026-12-31.",
    "total": "An amount: 1234.56.",
    "discount1": "In per cent; each discount is of what the former ones leave.",
}


def _add(noun: Noun, installation: "Installation", asked: Given) -> None:
    cells = dict(asked.cells)
    if noun.owned and asked.login is not None and "owner" not in cells:
        cells["owner"] = asked.login
    if noun.name == "deal" and new_deals.wanted(cells):
        new_deals.add(installation, asked, cells)
        return
    sold.change(noun, installation, asked, cells, ("add", "added"))


def _edit(noun: Noun, installation: "Installation", asked: Given) -> None:
    sold.change(noun, installation, asked, {"id": str(asked.id), **asked.cells}, ("edit", "changed"))


def _ending(status: str, verb: str, word: str) -> Do:
    def do(noun: Noun, installation: "Installation", asked: Given) -> None:
        cells = {"id": str(asked.id), "status": status, "closed_on": sold.today(installation), **asked.cells}
        sold.change(noun, installation, asked, cells, (verb, word))

    return do


def _state(state: str, verb: str, word: str) -> Do:
    def do(noun: Noun, installation: "Installation", asked: Given) -> None:
        sold.change(noun, installation, asked, {"id": str(asked.id), "state": state}, (verb, word))

    return do


def _delete(noun: Noun, installation: "Installation", asked: Given) -> None:
    from store import removing_selling

    remove = partial(removing_selling.delete, kind=noun.name, expected=asked.version)
    told = Phrase(
        "{noun} {id} deleted; `syncd {name} restore {id}` brings it back",
        noun=noun_word(noun.name),
        id=asked.id,
        name=noun.name,
    )
    saving.delete(installation, remove, asked.id or 0, asked.login, told)


def _restore(noun: Noun, installation: "Installation", asked: Given) -> None:
    from store import removing_selling

    restore = partial(removing_selling.restore, kind=noun.name, expected=asked.version)
    told = Phrase("{noun} {id} is back", noun=noun_word(noun.name), id=asked.id)
    saving.restore(installation, restore, asked.id or 0, asked.login, told)


FURTHER: dict[str, tuple[tuple[str, str, str, Do], ...]] = {
    "opportunity": (
        ("win", "An opportunity is won, today or on --closed-on.", "5 --converted-deal Extension",
         _ending("WON", "win", "won")),
        ("lose", "An opportunity is lost, today or on --closed-on.", "5", _ending("LOST", "lose", "lost")),
    ),
    "order": (
        ("confirm", "Confirm a draft: its account, lines and prices stay from then on.", "9",
         _state("CONFIRMED", "confirm", "confirmed")),
        ("cancel", "Cancel an order, for good.", "9", _state("CANCELLED", "cancel", "cancelled")),
    ),
}  # fmt: skip


def _verb(noun: Noun, name: str, text: str, do: Do) -> Verb:
    """One verb, made of the noun's fields."""
    found = [Parameter("ctx", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
    if name != "add":
        found.append(parameter("id_", Id, default=Parameter.empty))
    found += options(noun.fields if name in ("add", "edit") else ENDED.get(name, ()), HELP)
    if noun.name == "order" and name in ("add", "edit"):
        found.append(parameter("line", Lines))
    if noun.name == "order" and name == "edit":
        found.append(parameter("drop_line", Dropped))
    if noun.name == "deal" and name == "add":
        found += new_deals.OPTIONS
    if name != "add":
        found.append(parameter("if_version", Version))
    found.append(parameter("as_", As))
    if name not in ("delete", "restore"):
        found.append(parameter("json", Annotated[bool, Json], default=False))

    def run(
        ctx: typer.Context,
        *,
        id_: int | None = None,
        line: list[str] | None = None,
        drop_line: list[int] | None = None,
        if_version: int | None = None,
        as_: str | None = None,
        json: bool = False,
        **fields: str | None,
    ) -> None:
        lines, dropped = tuple(line or ()), tuple(drop_line or ())
        asked = Given(id_, given(fields), lines, dropped, if_version, as_, json)
        with of(ctx).installation() as installation:
            do(noun, installation, asked)

    return Verb(name, text, found, run)


def _group(noun: Noun) -> typer.Typer:
    help_ = f"Add, change or delete one of the {noun.kind}."
    app = typer.Typer(help=help_, no_args_is_help=True, rich_markup_mode=None)
    article = "an" if noun.name[0] in "aeiou" else "a"
    number = noun.edited.split()[0]
    verbs = (
        ("add", f"Add {article} {noun.name}.", noun.added, _add),
        ("edit", f"Change {article} {noun.name}. {SAME}", noun.edited, _edit),
        *FURTHER.get(noun.name, ()),
        ("delete", f"Delete {article} {noun.name}. {noun.hanging}", number, _delete),
        ("restore", f"Bring {article} {noun.name} back that was deleted.", number, _restore),
    )
    for name, first, example, do in verbs:
        text = f"{first}\n\n\b\nExample:\n  syncd {noun.name} {name} {example}\n"
        app.command(name)(_verb(noun, name, text, do))
    return app


SAME = "Change only what is given; an empty text ('') empties a field."
GROUPS = {noun.name: _group(noun) for noun in NOUNS}
