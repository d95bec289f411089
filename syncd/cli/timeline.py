"""The verb timeline of a contact: what happened with it, and what is planned."""

from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from syncd.cli import listed_values
from syncd.cli.context import Json, UsageError, of, reader_of
from syncd.cli.output import as_json, heads, say, shown, table, warn
from syncd.cli.records import As

if TYPE_CHECKING:
    from syncd.daemon.wiring import Installation


def timeline(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1)],
    *,
    planned: Annotated[
        bool, typer.Option("--planned", help="Events and tasks to come, the next one first, for a year.")
    ] = False,
    pending: Annotated[
        bool, typer.Option("--pending", help="Also meetings that wait for their report.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="Rows of a page.")] = 50,
    after: Annotated[
        str | None, typer.Option("--after", metavar="CURSOR", help="Go on where the page before ended.")
    ] = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Tell what happened with a contact, the newest first: e-mails, calls, meetings, notes.

    \b
    Examples:
      syncd contact timeline 12
      syncd contact timeline 12 --planned
    """
    with of(ctx).installation() as installation:
        if planned:
            if pending or after is not None:
                raise UsageError(Phrase("--planned has neither --pending nor --after: it is one page"))
            _planned(installation, id_, limit, as_, json=json)
        else:
            _happened(installation, id_, (limit, after), as_, pending=pending, json=json)


def _happened(
    installation: "Installation",
    id_: int,
    pages: tuple[int, str | None],
    as_: str | None,
    *,
    pending: bool,
    json: bool,
) -> None:
    from store import timeline as kept

    limit, after = pages
    try:
        place = None if after is None else kept.place(after)
    except ValueError as error:
        raise UsageError(Phrase("--after: {error}", error=error)) from None
    with installation.database.read() as session:
        reader = reader_of(session, as_)
        page = kept.page(session, id_, limit=limit, after=place, pending=pending, reader=reader)
        reading = listed_values.reading(session, "activities")
    if json:
        as_json(page)
        return
    if not page.rows:
        say(Phrase("None."))
        return
    zone = installation.settings.workspace.timezone
    names = ("id", "occurred_at", "type", "subject", "account", "opportunity", "user", "state", "email_id",
             "duration_min")  # fmt: skip
    table(heads(*names), [[shown(reading.value(name, getattr(row, name)), zone) for name in names]
                           for row in page.rows])  # fmt: skip
    if page.next:
        warn(Phrase("there is more: --after '{next}'", next=page.next))


def _planned(installation: "Installation", id_: int, limit: int, as_: str | None, *, json: bool) -> None:
    from store import scheduling
    from syncd.daemon.clock import now
    from syncd.engine.timeline import planned

    zone = installation.settings.workspace.timezone
    with installation.database.read() as session:
        scheduling.contact(session, id_)
        reader = reader_of(session, as_)
        found, cut = planned(session, id_, now(), zone, reader)
    page = found[:limit]
    if json:
        as_json({"rows": page, "total": len(found), "truncated": cut})
        return
    if not page:
        say(Phrase("None."))
        return
    names = ("kind", "id", "at", "until", "subject")
    rows = []
    for one in page:
        at = one.at.astimezone(zone).date() if one.all_day else one.at
        rows.append([shown(value, zone) for value in (one.kind, one.id, at, one.until, one.subject)])
    table(heads(*names), rows)
    if cut or len(page) < len(found):
        warn(
            Phrase("{count} of {total} or more (--limit)", count=len(page), total=len(found))
            if cut
            else Phrase("{count} of {total} (--limit)", count=len(page), total=len(found))
        )


def add_to(group: typer.Typer) -> None:
    """Adds this verb to those of a contact."""
    group.command("timeline")(timeline)
