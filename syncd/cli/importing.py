"""The verb import: records from CSV files, and a telephone system's calls."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.context import Cli, Json, UsageError, of
from syncd.cli.output import as_json, count, plain, say, warn
from syncd.cli.records import As
from syncd.cli.saving import save, warnings

if TYPE_CHECKING:
    from store.importing import Saved

FEW = 10  # lines that are named


class Imported(StrEnum):
    """What can be imported."""

    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    PROJECTS = "projects"
    DEALS = "deals"
    OPPORTUNITIES = "opportunities"
    CASE_FILES = "case_files"
    CALLS = "calls"


RECORDS = tuple(one for one in Imported if one is not Imported.CALLS)  # with fields of the CRM


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
    31/12/2026. A project names its account, a deal its project; accounts get the status that follows.
    Calls are a telephone system's own records, read as [calls] says.

    \b
    Examples:
      syncd import accounts accounts.csv --dry-run
      syncd import contacts contacts.csv
      syncd import opportunities pipeline.csv --as claire
    """
    from store import filetable
    from store.csvfile import Refused
    from store.kinds import KINDS

    if what is Imported.CALLS:
        _calls(of(ctx), file, dry_run=dry_run, json=json)
        return
    kind = KINDS[what.value]
    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    sheet = filetable.scan(content, kind.headers)
    if sheet.faults:
        raise Refused(sheet.faults)
    saved = save(of(ctx), kind.name, sheet.lines, source=file.name, login=as_, dry_run=dry_run)
    saved.warnings[:0] = sheet.warnings
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


def _calls(cli: Cli, file: Path, *, dry_run: bool, json: bool) -> None:
    """Records the calls of a file, as if it had been dropped; the file stays where it is."""
    from connectors.errors import BadFile
    from connectors.sheet import MAX_BYTES
    from syncd.daemon.clock import now
    from syncd.daemon.meetings import calling

    if str(file) == "-":
        content = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    with cli.installation() as installation:
        calls = calling(
            installation.settings, installation.hashed, installation.database, installation.people
        )
        try:
            done = calls.record(content, file.name, now(), dry_run=dry_run)
        except BadFile as error:
            raise UsageError(error.told()) from None
    if json:
        as_json({"dry_run": dry_run, "created": done.made, "known": done.known, "unlinked": done.unlinked,
                 "forms": done.offered, "without_number": done.without_number})  # fmt: skip
        return
    would = "would be " if dry_run else ""
    say(
        f"calls: {done.made} {would}recorded ({done.offered} with a form), {done.known} known, "
        f"{done.unlinked} with numbers of nobody left out"
    )
    if done.without_number:
        lines = ", ".join(str(line) for line in done.without_number[:FEW])
        more = ", …" if len(done.without_number) > FEW else ""
        warn(f"{count(len(done.without_number), 'call')} without a number, in line {lines}{more}: left out")
