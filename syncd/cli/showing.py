"""The verb show: one record of the CRM with what hangs on it."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from config.words import field_word
from syncd.cli import listed_values
from syncd.cli.context import Json, UsageError, of, reader_of
from syncd.cli.language import chosen, told
from syncd.cli.output import as_json, clean_lines, say, shown
from syncd.cli.records import As, rows

if TYPE_CHECKING:
    from datetime import tzinfo

    from store.actors import Actor
    from store.database import Transaction
    from store.details import Detail
    from syncd.core.distance import Position


From = Annotated[
    str | None,
    typer.Option("--from", metavar="LAT,LON", help="Of accounts and events: tell the distance from here."),
]


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
    CHECKIN = "checkin"


def show(
    ctx: typer.Context,
    what: Annotated[Shown, typer.Argument(metavar="WHAT", help=f"One of: {', '.join(Shown)}.")],
    record: Annotated[
        str, typer.Argument(metavar="ID", help="Its id; for an account also ext_id or exact name.")
    ],
    *,
    from_: From = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Show one record with what hangs on it.

    Of an account and an event the distance to the account is told: from --from, else from the event's other
    address, else from the base of the user (--as, else the event's owner) in the config.

    \b
    Examples:
      syncd show account "Garage Dupont" --from 45.764043,4.835659
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
        device = _device(what, from_)
        if what in (Shown.EVENT, Shown.TASK):
            from syncd.cli import entries

            visible.require(session, reader, what.value, id_)
            if what is Shown.TASK:
                entries.show_task(session, id_, zone, json=json)
                return
            who = None if reader is None else reader.user_id
            looks = entries.Looking(zone, installation.settings.workspace.language, who, device)
            entries.show_event(session, id_, looks, json=json)
            return
        found = detail(session, what.value, id_, reader)
        if what is Shown.ACCOUNT:
            who = None if reader is None else reader.user_id
            found = _with_distance(session, found, id_, who, device)
        reading = listed_values.reading(session, "activities") if "activities" in found.lists else None
    if json:
        first = {"recommendation": found.recommendation} if what is Shown.ACCOUNT else {}
        as_json({**first, what.value: found.fields, **found.lists})
    else:
        if found.recommendation is not None:
            from syncd.cli import recommendations

            recommendations.frame(found.recommendation, installation.settings.workspace)
        _print(found, zone, chosen(), reading)


def _device(what: Shown, text: str | None) -> "Position | None":
    """Where whoever looks is. Raises UsageError."""
    if text is None:
        return None
    if what not in (Shown.ACCOUNT, Shown.EVENT):
        raise UsageError(Phrase("--from: no distance is told to a {what}", what=what.value))
    from config import places
    from syncd.engine import distances

    try:
        return distances.position(places.position(text.strip()))
    except ValueError as error:
        raise UsageError(Phrase("--from: {error}", error=error)) from None


def _with_distance(
    session: "Transaction", found: "Detail", id_: int, user_id: int | None, device: "Position | None"
) -> "Detail":
    from dataclasses import replace

    from syncd.engine import distances

    far = distances.of_account(session, id_, user_id, device)
    return replace(found, fields={**found.fields, "distance_m": far})


def detail(session: "Transaction", noun: str, id_: int, reader: "Actor | None" = None) -> "Detail":
    """One record by the name of its kind."""
    from store import checkin_rows, details, import_runs, selling_reports

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
        "checkin": checkin_rows.detail,
    }
    return readers[noun](session, id_, reader)


def _print(detail: "Detail", zone: "tzinfo", language: str, reading: "listed_values.Reading | None") -> None:
    from syncd.core.distance import told as told_distance

    texts = {}
    # A profile is read as its page (R031).
    page = detail.fields.get("linkedin_url")
    for field, written in detail.fields.items():
        if field in detail.words.hidden or field == "linkedin_url":
            continue
        stored = page if field == "linkedin" and page is not None else written
        value = detail.words.value(field, stored, language)
        own = detail.words.name(field, language)  # the company's own word comes before ours
        name = told(field_word(field.rstrip("_"))) if own == field else own
        if isinstance(value, str) and ("\n" in value or field == "body_text"):
            texts[name] = value
        elif field == "distance_m" and isinstance(stored, int):
            say(Phrase("distance: {far}", far=told_distance(stored, language)))
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
            rows(listed, zone, reading if name == "activities" else None)
