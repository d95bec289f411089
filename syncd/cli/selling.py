"""The verbs of single projects, deals, opportunities, products and orders: one way for all of them.

What each takes stands in a table: the options are the fields, and what they take is checked where files are.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from config.words import noun_word, outcome_word
from syncd.cli.context import Cli, Json, UsageError, of
from syncd.cli.editing import Id
from syncd.cli.output import as_json, say
from syncd.cli.records import As
from syncd.cli.saving import given, one, warnings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from store.database import Transaction
    from store.importing import Occasion, Saved
    from store.recommendations import OrderWarning

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


@dataclass(frozen=True)
class Noun:
    """One kind of record as the command line names it."""

    name: str
    kind: str
    fields: tuple[str, ...]  # options of add and edit
    added: str  # an example of add, without the verb
    edited: str
    owned: bool = True  # has an owner: by default who adds it
    help: str = ""


NOUNS = (
    Noun(
        "project", "projects",
        ("name", "account", "reference", "start_date", "end_date", "status", "ext_id"),
        '--account "Garage Dupont" --name Toiture', "3 --status closed", owned=False,
    ),
    Noun(
        "deal", "deals",
        ("title", "project", "status", "reference", "start_date", "end_date", "closed_on", "amount",
         "currency", "billable", "owner", "ext_id"),
        "--project Toiture --title Charpente --status signed --amount 12000",
        "7 --status ended --end-date 2026-11-30",
    ),
    Noun(
        "opportunity", "opportunities",
        ("title", "account", "account2", "account3", "reference", "status", "total", "currency",
         "probability", "expected_close", "closed_on", "comments", "converted_deal", "owner", "ext_id"),
        '--account "Garage Dupont" --title Extension --total 50000 --probability 40', "5 --probability 60",
    ),
    Noun(
        "product", "products", ("code", "name", "price", "unit", "active", "ext_id"),
        '--code T12 --name "Tuile 12" --price 1.25', "4 --active no", owned=False,
    ),
    Noun(
        "order", "orders",
        ("account", "contact", "opportunity", "reference", "number", "year", "date", "expected_date",
         *DISCOUNTS, "total", "currency", "comment", "internal_comment", "owner", "ext_id"),
        '--account "Garage Dupont" --line "product=T12; quantity=400"', '9 --line "position=1; quantity=500"',
    ),
)  # fmt: skip


Do = Callable[["Noun", Cli, "Given"], None]


class Verb:
    """One verb, made of a noun's fields: typer reads its signature."""

    def __init__(self, noun: Noun, name: str, text: str, do: "Do") -> None:
        self.__name__ = name
        self.__doc__ = text
        self._noun, self._do = noun, do
        found = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
        self._add(found, name)
        self.__signature__ = inspect.Signature(found)
        self.__annotations__ = {one.name: one.annotation for one in found}

    def _add(self, found: list[inspect.Parameter], name: str) -> None:
        kind = inspect.Parameter.KEYWORD_ONLY
        if name != "add":
            found.append(inspect.Parameter("id_", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Id))
        fields = self._noun.fields if name in ("add", "edit") else ENDED.get(name, ())
        for field in fields:
            help_ = HELP.get(field)
            text = Annotated[str | None, typer.Option(f"--{field.replace('_', '-')}", help=help_)]
            found.append(inspect.Parameter(field, kind, default=None, annotation=text))
        if self._noun.name == "order" and name in ("add", "edit"):
            found.append(inspect.Parameter("line", kind, default=None, annotation=Lines))
        if self._noun.name == "order" and name == "edit":
            found.append(inspect.Parameter("drop_line", kind, default=None, annotation=Dropped))
        found.append(inspect.Parameter("as_", kind, default=None, annotation=As))
        found.append(inspect.Parameter("json", kind, default=False, annotation=Annotated[bool, Json]))

    def __call__(
        self,
        ctx: typer.Context,
        *,
        id_: int | None = None,
        line: list[str] | None = None,
        drop_line: list[int] | None = None,
        as_: str | None = None,
        json: bool = False,
        **fields: str | None,
    ) -> None:
        lines, dropped = tuple(line or ()), tuple(drop_line or ())
        self._do(self._noun, of(ctx), Given(id_, given(fields), lines, dropped, as_, json))


@dataclass(frozen=True)
class Given:
    """What a verb was called with."""

    id: int | None
    cells: "Mapping[str, str]"
    lines: tuple[str, ...]
    dropped: tuple[int, ...]
    login: str | None
    json: bool


ENDED = {"win": ("closed_on", "total", "converted_deal"), "lose": ("closed_on", "comments")}
HELP = {
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


def _add(noun: Noun, cli: Cli, asked: Given) -> None:
    cells = dict(asked.cells)
    if noun.owned and asked.login is not None and "owner" not in cells:
        cells["owner"] = asked.login
    _change(noun, cli, asked, cells, ("add", "added"))


def _edit(noun: Noun, cli: Cli, asked: Given) -> None:
    _change(noun, cli, asked, {"id": str(asked.id), **asked.cells}, ("edit", "changed"))


def _ending(status: str, verb: str, word: str) -> "Do":
    def do(noun: Noun, cli: Cli, asked: Given) -> None:
        cells = {"id": str(asked.id), "status": status, "closed_on": _today(cli), **asked.cells}
        _change(noun, cli, asked, cells, (verb, word))

    return do


def _state(state: str, verb: str, word: str) -> "Do":
    def do(noun: Noun, cli: Cli, asked: Given) -> None:
        _change(noun, cli, asked, {"id": str(asked.id), "state": state}, (verb, word))

    return do


def _today(cli: Cli) -> str:
    from config.load import load
    from syncd.daemon.clock import now

    zone = load(cli.config_path()).workspace.timezone
    return now().astimezone(zone).date().isoformat()


def _change(noun: Noun, cli: Cli, asked: Given, cells: "Mapping[str, str]", words: tuple[str, str]) -> None:
    """Writes the record, and an order's lines with it; tells of it in the second of the words."""
    from config.load import load
    from store import recommendations
    from store.errors import NotFound
    from store.import_runs import ImportMode
    from store.importing import Options
    from store.selling import SalesOrder
    from syncd.cli.recommendations import frame

    verb, word = words
    lines = [_line(text) for text in asked.lines]
    if lines and "total" in cells:
        raise UsageError(Phrase("--total: is worked out from the lines"))
    mode = ImportMode.CREATE if asked.id is None else ImportMode.UPDATE
    touched: list[bool] = []
    said: list[OrderWarning] = []  # of a new order's account (R006, R013)

    def also(session: "Transaction", saved: "Saved", occasion: "Occasion") -> None:
        id_ = saved.rows[0].record_id
        if id_ is None:
            raise NotFound(Phrase("there is no {noun} {id}", noun=noun.name, id=asked.id))
        touched.append(_lines(session, id_, lines, asked.dropped, occasion))
        if noun.name == "order" and asked.id is None:
            said.extend(recommendations.order_warnings(session, session.get_one(SalesOrder, id_).account_id))

    source = f"{noun.name} {verb}"
    saved = one(cli, noun.kind, cells, source, asked.login, options=Options(mode), also=also)
    id_ = saved.rows[0].record_id or 0
    changed = bool(saved.created or saved.updated or touched[0])
    if asked.json:
        told = {"warnings": said} if noun.name == "order" else {}
        as_json({"changed": changed, noun.name: _fields(cli, noun, id_), **told})
        return
    warnings(saved)
    for warning in said:
        frame(warning.recommendation, load(cli.config_path()).workspace)
    say(
        Phrase("{noun} {id} {word}", noun=noun_word(noun.name), id=id_, word=outcome_word(word))
        if changed
        else Phrase("nothing to change")
    )


def _lines(
    session: "Transaction",
    order: int,
    lines: "Sequence[dict[str, str]]",
    dropped: "Sequence[int]",
    occasion: "Occasion",
) -> bool:
    """Writes the lines of an order in its transaction; tells whether anything changed."""
    if not lines and not dropped:
        return False
    from store import order_lines
    from store.csvfile import Line
    from store.kinds import KINDS
    from syncd.engine import records

    for place in dropped:
        order_lines.drop(session, order, place, actor=occasion.actor, now=occasion.now)
    changed = bool(dropped)
    for cells in lines:
        position = cells.get("position", "")
        there = order_lines.at(session, order, int(position)) if position.isdecimal() else None
        whole = {"order_id": str(order), **cells} | ({} if there is None else {"id": str(there)})
        saved = records.save(session, KINDS["order_lines"], [Line(1, whole)], occasion)
        changed = changed or bool(saved.created or saved.updated)
    return changed


def _line(text: str) -> dict[str, str]:
    """The fields of a line: "product=T12; quantity=2"."""
    cells: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise UsageError(
                Phrase(
                    '--line: "{part}" is no field: write "product=CODE; quantity=2"', part=part.strip()[:30]
                )
            )
        cells[name.strip().lower()] = value.strip()
    return cells


def _fields(cli: Cli, noun: Noun, id_: int) -> object:
    """The record as it is now, for who has just written it."""
    from syncd.cli.showing import detail

    with cli.installation() as installation, installation.database.read() as session:
        found = detail(session, noun.name, id_)
    return {**found.fields, **found.lists}


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


def _group(noun: Noun) -> typer.Typer:
    plural = noun.kind
    app = typer.Typer(help=f"Add or change one of the {plural}.", no_args_is_help=True, rich_markup_mode=None)
    same = "Change only what is given; an empty text ('') empties a field."

    def text(first: str, name: str, example: str) -> str:
        return f"{first}\n\n\b\nExample:\n  syncd {noun.name} {name} {example}\n"

    article = "an" if noun.name[0] in "aeiou" else "a"
    verbs: list[tuple[str, str, Do]] = [
        ("add", text(f"Add {article} {noun.name}.", "add", noun.added), _add),
        ("edit", text(f"Change {article} {noun.name}. {same}", "edit", noun.edited), _edit),
    ]
    for name, first, example, do in FURTHER.get(noun.name, ()):
        verbs.append((name, text(first, name, example), do))
    for name, help_, do in verbs:
        app.command(name)(Verb(noun, name, help_, do))
    return app


GROUPS = {noun.name: _group(noun) for noun in NOUNS}
