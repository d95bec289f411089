"""How one project, deal, opportunity, product or order is written from the command line."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.language import Phrase
from config.words import noun_word, outcome_word
from syncd.cli.context import UsageError
from syncd.cli.output import as_json, say
from syncd.cli.saving import one, warnings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from store.database import Transaction
    from store.importing import Occasion, Saved
    from store.recommendations import OrderWarning
    from syncd.daemon.wiring import Installation


@dataclass(frozen=True)
class Noun:
    """One kind of record as the command line names it."""

    name: str
    kind: str
    fields: tuple[str, ...]  # options of add and edit
    added: str  # an example of add, without the verb
    edited: str
    owned: bool = True  # has an owner: by default who adds it
    hanging: str = ""  # what must go before it can be deleted


@dataclass(frozen=True)
class Given:
    """What a verb was called with."""

    id: int | None
    cells: "Mapping[str, str]"
    lines: tuple[str, ...]
    dropped: tuple[int, ...]
    version: int | None  # write only if the record is still at this one
    login: str | None
    json: bool


def today(installation: "Installation") -> str:
    """The company's day."""
    from syncd.daemon.clock import now

    return now().astimezone(installation.settings.workspace.timezone).date().isoformat()


def change(
    noun: Noun,
    installation: "Installation",
    asked: Given,
    cells: "Mapping[str, str]",
    words: tuple[str, str],
) -> None:
    """Writes the record, and an order's lines with it; tells of it in the second of the words."""
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
    said: list[OrderWarning] = []  # of the account that is chosen for an order (R006, R013)

    def also(session: "Transaction", saved: "Saved", occasion: "Occasion") -> None:
        id_ = saved.rows[0].record_id
        if id_ is None:
            raise NotFound(Phrase("there is no {noun} {id}", noun=noun_word(noun.name), id=asked.id))
        touched.append(_lines(session, id_, lines, asked.dropped, occasion))
        if noun.name == "order" and "account" in cells:
            said.extend(recommendations.order_warnings(session, session.get_one(SalesOrder, id_).account_id))

    saved = one(
        installation, noun.kind, cells, f"{noun.name} {verb}", asked.login,
        options=Options(mode), expected=asked.version, also=also,
    )  # fmt: skip
    id_ = saved.rows[0].record_id or 0
    changed = bool(saved.created or saved.updated or touched[0])
    if asked.json:
        told = {"warnings": said} if noun.name == "order" else {}
        as_json({"changed": changed, noun.name: fields_of(installation, noun.name, id_), **told})
        return
    warnings(saved)
    for warning in said:
        frame(warning.recommendation, installation.settings.workspace)
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


def fields_of(installation: "Installation", noun: str, id_: int) -> object:
    """The record as it is now, for who has just written it."""
    from syncd.cli.showing import detail

    with installation.database.read() as session:
        found = detail(session, noun, id_)
    return {**found.fields, **found.lists}
