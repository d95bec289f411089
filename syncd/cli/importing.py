"""The verb import: records from CSV and XLSX files, and a telephone system's calls."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from config.words import noun_word
from syncd.cli.context import Cli, Json, UsageError, of
from syncd.cli.output import as_json, clean, count, plain, progress, say, warn
from syncd.cli.records import As
from syncd.cli.saving import save, warnings

if TYPE_CHECKING:
    from store.database import Transaction
    from store.import_runs import ImportMode
    from store.importing import Occasion, Saved

FEW = 10  # lines that are named
FAULTS = 20  # refused rows that are named


class Imported(StrEnum):
    """What can be imported."""

    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    PROJECTS = "projects"
    DEALS = "deals"
    OPPORTUNITIES = "opportunities"
    CASE_FILES = "case_files"
    PRODUCTS = "products"
    ORDERS = "orders"
    ORDER_LINES = "order_lines"
    CALLS = "calls"
    RECOMMENDATIONS = "recommendations"


OTHERS = (Imported.CALLS, Imported.RECOMMENDATIONS)  # of other systems
RECORDS = tuple(one for one in Imported if one not in OTHERS)  # with fields of the CRM


def import_(
    ctx: typer.Context,
    *,
    what: Annotated[Imported, typer.Argument(metavar="WHAT", help=f"One of: {', '.join(Imported)}.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or XLSX; - reads standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Write the good rows though others are bad (then exit code 1).")
    ] = False,
    create_only: Annotated[
        bool, typer.Option("--create-only", help="New records only: a row of one that is there is a mistake.")
    ] = False,
    update_only: Annotated[
        bool,
        typer.Option("--update-only", help="No new records: a row of one that is not there is a mistake."),
    ] = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Import records from a CSV or XLSX file.

    Its headers are the field names (`syncd template` writes them). The whole file is checked before
    anything is written, and written at once. A row with the id or ext_id of a record that is there changes
    it, in the columns of the file only (an empty cell empties the field); other rows are new records.
    "account" names an account by exact name or ext_id. Days as 2026-12-31 or 31/12/2026. A project names
    its account, a deal its project; accounts get the status that follows. Calls are a telephone system's
    own records, read as [calls] says. Recommendations have account_ref, message, category and valid_until
    (docs/recommendations.md).

    \b
    Examples:
      syncd import accounts accounts.xlsx --dry-run
      syncd import contacts contacts.csv --partial
      syncd import opportunities pipeline.csv --as claire
    """
    from store.import_runs import ImportMode

    if create_only and update_only:
        raise UsageError(Phrase("--create-only and --update-only: only one of them"))
    if what is Imported.CALLS:
        if partial or create_only or update_only:
            raise UsageError(
                Phrase("calls are recorded as they come: no --partial, --create-only or --update-only")
            )
        _calls(of(ctx), file, dry_run=dry_run, json=json)
        return
    mode = ImportMode.CREATE if create_only else ImportMode.UPDATE if update_only else ImportMode.BOTH
    if what is Imported.RECOMMENDATIONS:
        from syncd.cli import recommendations

        if partial or mode is not ImportMode.BOTH:
            raise UsageError(
                Phrase("recommendations are taken as they come: no --partial, --create-only or --update-only")
            )
        recommendations.import_file(of(ctx), file, login=as_, dry_run=dry_run, json=json)
        return
    saved, run = _records(of(ctx), what, file, mode, as_, dry_run=dry_run, partial=partial)
    if json:
        as_json({"dry_run": dry_run, "run": run, **_plain(saved)})
    else:
        warnings(saved)
        numbers: dict[str, object] = {
            "kind": noun_word(what.value),
            "created": len(saved.created),
            "updated": len(saved.updated),
            "unchanged": saved.unchanged,
        }
        told = (
            Phrase(
                "{kind}: {created} would be created, {updated} would be updated, {unchanged} unchanged",
                **numbers,
            )
            if dry_run
            else Phrase("{kind}: {created} created, {updated} updated, {unchanged} unchanged", **numbers)
        )
        refused = len({one.line for one in saved.refused})
        say(Phrase("{told}, {refused} refused", told=told, refused=refused) if partial else told)
    if saved.refused:
        if not json:
            for fault in saved.refused[:FAULTS]:
                warn(Phrase("refused: {fault}", fault=clean(fault.told)))
            if len(saved.refused) > FAULTS:
                warn(Phrase("… and {count} more (--json has them all)", count=len(saved.refused) - FAULTS))
        raise typer.Exit(1)


def _records(
    cli: Cli,
    what: Imported,
    file: Path,
    mode: "ImportMode",
    login: str | None,
    *,
    dry_run: bool,
    partial: bool,
) -> tuple["Saved", int | None]:
    """Imports a file; returns what became of it, and the number under which that is written down."""
    from hashlib import sha256

    from store import filetable, import_runs
    from store.csvfile import Refused
    from store.importing import Options
    from store.kinds import KINDS

    kind = KINDS[what.value]
    content = _content(file)
    sheet = filetable.scan(content, kind.headers)
    if sheet.faults and not partial:
        raise Refused(sheet.faults)
    origin = import_runs.Origin(file.name, sha256(content).hexdigest(), mode)
    runs: list[int] = []

    def also(session: "Transaction", saved: "Saved", occasion: "Occasion") -> None:
        saved.warnings[:0] = sheet.warnings
        saved.refused[:0] = sheet.faults
        rows = [*saved.rows, *saved.told(sheet.faults)]
        who, now = occasion.actor.login, occasion.now
        runs.append(import_runs.record(session, kind.entity, origin, rows, actor=who, now=now))

    with progress(kind.name, 2 * len(sheet.lines)) as step:
        saved = save(
            cli,
            kind.name,
            sheet.lines,
            source=file.name,
            login=login,
            dry_run=dry_run,
            options=Options(mode, partial, step),
            also=also,
        )
    return saved, None if dry_run else runs[0]


def _content(file: Path) -> bytes:
    """The bytes of a file, or as many as show that it is too large."""
    from store.csvfile import MAX_BYTES

    if str(file) == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _plain(saved: "Saved") -> dict[str, object]:
    return {
        "created": saved.created,
        "updated": saved.updated,
        "unchanged": saved.unchanged,
        "warnings": plain(saved.warnings),
        "refused": plain(saved.refused),
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
    numbers: dict[str, object] = {
        "made": done.made,
        "offered": done.offered,
        "known": done.known,
        "unlinked": done.unlinked,
    }
    say(
        Phrase(
            "calls: {made} would be recorded ({offered} with a form), {known} known, {unlinked} with "
            "numbers of nobody left out",
            **numbers,
        )
        if dry_run
        else Phrase(
            "calls: {made} recorded ({offered} with a form), {known} known, {unlinked} with "
            "numbers of nobody left out",
            **numbers,
        )
    )
    if done.without_number:
        lines = ", ".join(str(line) for line in done.without_number[:FEW])
        more = ", …" if len(done.without_number) > FEW else ""
        warn(f"{count(len(done.without_number), 'call')} without a number, in line {lines}{more}: left out")
