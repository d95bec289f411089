"""The verb show: one record of the CRM with what hangs on it."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from config.words import field_word
from syncd.cli.context import Json, UsageError, of, reader_of
from syncd.cli.language import chosen, told
from syncd.cli.output import as_json, clean_lines, say, shown
from syncd.cli.records import As, rows

if TYPE_CHECKING:
    from datetime import tzinfo

    from store.actors import Actor
    from store.database import Transaction
    from store.details import Detail


class Shown(StrEnum):
    """What can be shown."""

    ACCOUNT = "account"
    CONTACT = "contact"
    PROJECT = "project"
    DEAL = "deal"
    OPPORTUNITY = "opportunity"
    PRODUCT = "product"
    ORDER = "order"
    EMAIL = "email"
    ACTIVITY = "activity"
    EVENT = "event"
    TASK = "task"
    IMPORT = "import"


def show(
    ctx: typer.Context,
    what: Annotated[Shown, typer.Argument(metavar="WHAT", help=f"One of: {', '.join(Shown)}.")],
    record: Annotated[
        str, typer.Argument(metavar="ID", help="Its id; for an account also ext_id or exact name.")
    ],
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Show one record with what hangs on it.

    \b
    Examples:
      syncd show account "Garage Dupont"
      syncd show email 12
    """
    from store import references, visible

    with of(ctx).installation() as installation, installation.database.read() as session:
        zone = installation.settings.workspace.timezone
        reader = reader_of(session, as_)
        if what is Shown.ACCOUNT:
            id_ = references.account(session, record)
        elif record.isascii() and record.isdecimal() and len(record) < 10:  # noqa: PLR2004 - 32 bits
            id_ = int(record)
        else:
            raise UsageError(Phrase('"{record}" is no id: `syncd list` shows them', record=record))
        if what in (Shown.EVENT, Shown.TASK):
            from syncd.cli import entries

            show_entry = entries.show_event if what is Shown.EVENT else entries.show_task
            visible.require(session, reader, what.value, id_)
            show_entry(session, id_, zone, json=json)
            return
        found = detail(session, what.value, id_, reader)
    if json:
        first = {"recommendation": found.recommendation} if what is Shown.ACCOUNT else {}
        as_json({**first, what.value: found.fields, **found.lists})
    else:
        if found.recommendation is not None:
            from syncd.cli import recommendations

            recommendations.frame(found.recommendation, installation.settings.workspace)
        _print(found, zone, chosen())


def detail(session: "Transaction", noun: str, id_: int, reader: "Actor | None" = None) -> "Detail":
    """One record by the name of its kind."""
    from store import details, import_runs, selling_reports

    readers: dict[str, Callable[[Transaction, int, Actor | None], Detail]] = {
        "account": details.account,
        "contact": details.contact,
        "project": selling_reports.project_detail,
        "deal": selling_reports.deal_detail,
        "opportunity": details.opportunity,
        "product": selling_reports.product_detail,
        "order": selling_reports.order_detail,
        "email": details.email,
        "activity": details.activity,
        "import": import_runs.detail,
    }
    return readers[noun](session, id_, reader)


def _print(detail: "Detail", zone: "tzinfo", language: str) -> None:
    texts = {}
    for field, stored in detail.fields.items():
        if field in detail.words.hidden:
            continue
        value = detail.words.value(field, stored, language)
        own = detail.words.name(field, language)  # the company's own word comes before ours
        name = told(field_word(field.rstrip("_"))) if own == field else own
        if isinstance(value, str) and ("\n" in value or field == "body_text"):
            texts[name] = value
        elif value is not None and value not in ([], ()):
            say(Phrase("{name}: {value}", name=name.rstrip("_"), value=shown(value, zone)))
    for name, value in texts.items():
        say()
        say(Phrase("{name}:", name=name))
        say(clean_lines(value))
    for name, listed in detail.lists.items():
        if listed:
            say()
            say(Phrase("{name}:", name=field_word(name)))
            rows(listed, zone)
