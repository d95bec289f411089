"""The verb import, and how records are written from the command line."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.context import Cli, Json, actor, of
from syncd.cli.output import as_json, clean, count, plain, say, warn
from syncd.cli.records import As

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from store.csvfile import Line
    from store.database import Transaction
    from store.importing import Saved

WARNINGS = 20  # more are only counted


class Imported(StrEnum):
    """What can be imported."""

    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    PROJECTS = "projects"
    DEALS = "deals"
    OPPORTUNITIES = "opportunities"
    CASE_FILES = "case_files"


def import_(
    ctx: typer.Context,
    *,
    what: Annotated[Imported, typer.Argument(metavar="WHAT", help=f"One of: {', '.join(Imported)}.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV; - reads standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Import records from a CSV file.

    Its headers are the field names. The whole file is checked before anything is written, and written
    at once. A row with the id or ext_id of a record that is there changes it, in the columns of the
    file only (an empty cell empties the field); other rows are new records. "account" names an account
    by exact name or ext_id. Comma, semicolon or tab; UTF-8 or Windows-1252; days as 2026-12-31 or
    31/12/2026. A project names its account, a deal its project. Accounts get the status that follows.

    \b
    Examples:
      syncd import accounts accounts.csv --dry-run
      syncd import contacts contacts.csv
      syncd import opportunities pipeline.csv --as claire
    """
    from store import csvfile
    from store.fields import KINDS

    kind = KINDS[what.value]
    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    lines = csvfile.read(content, kind.headers)
    saved = save(of(ctx), kind.name, lines, source=file.name, login=as_, dry_run=dry_run)
    if json:
        as_json({"dry_run": dry_run, **_plain(saved)})
        return
    warnings(saved)
    would = "would be " if dry_run else ""
    say(
        f"{kind.name}: {len(saved.created)} {would}created, {len(saved.updated)} {would}updated, "
        f"{saved.unchanged} unchanged"
    )


def _plain(saved: "Saved") -> dict[str, object]:
    return {
        "created": saved.created,
        "updated": saved.updated,
        "unchanged": saved.unchanged,
        "warnings": plain(saved.warnings),
    }


def warnings(saved: "Saved") -> None:
    for warning in saved.warnings[:WARNINGS]:
        warn(f"warning: {clean(str(warning))}")
    if len(saved.warnings) > WARNINGS:
        warn(f"… and {len(saved.warnings) - WARNINGS} more warnings (--json has them all)")


def save(
    cli: Cli,
    kind: str,
    lines: "Sequence[Line]",
    *,
    source: str,
    login: str | None,
    dry_run: bool = False,
    also: "Callable[[Transaction, Saved], None] | None" = None,
) -> "Saved":
    """Writes the rows, and `also` what belongs to them, together; tells of mail that stands because of
    addresses that nobody has any more."""
    from store.contacts import CreatedVia
    from store.fields import KINDS
    from store.importing import Occasion
    from syncd.daemon import offers
    from syncd.daemon.clock import now
    from syncd.engine import records

    with cli.installation() as installation:
        moment = now()
        zone = installation.settings.workspace.timezone
        with installation.database.write() as session:
            occasion = Occasion(
                actor=actor(session, login),
                now=moment,
                today=moment.astimezone(zone).date(),
                source=source,
                via=CreatedVia.MANUAL if source.startswith("contact ") else CreatedVia.IMPORT,
            )
            saved = records.save(session, KINDS[kind], lines, occasion)
            if also is not None:
                also(session, saved)
            if dry_run:
                session.rollback()
        offer(offers.freed(installation, saved.freed))
    return saved


def offer(freed: dict[str, int]) -> None:
    for address, number in freed.items():
        warn(
            f"{count(number, 'e-mail')} logged because of {address}, which nobody has any more: "
            f"`syncd forget --address {address}` tells which"
        )
