"""The verbs template and export: records as files for spreadsheets."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from config.language import Phrase
from config.words import noun_word
from syncd.cli.context import UsageError, account_of, of, reader_of
from syncd.cli.importing import RECORDS, Imported
from syncd.cli.output import progress, say
from syncd.cli.records import As

if TYPE_CHECKING:
    from store.fields import Kind
    from store.readers import Value
    from store.sheetfile import Layout


class Format(StrEnum):
    """How a file is written."""

    XLSX = "xlsx"
    CSV = "csv"


class Separator(StrEnum):
    """What stands between the cells of a CSV file."""

    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"
    PIPE = "pipe"


SIGNS = {Separator.COMMA: ",", Separator.SEMICOLON: ";", Separator.TAB: "\t", Separator.PIPE: "|"}
STDOUT = "-"

What = Annotated[
    Imported, typer.Argument(metavar="KIND", help=f"One of: {', '.join(one.value for one in RECORDS)}.")
]
Between = Annotated[Separator, typer.Option("--separator", help=f"Of CSV; one of: {', '.join(Separator)}.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]
As_ = Annotated[
    Format | None, typer.Option("--format", help="xlsx or csv; by default by the file's name, else xlsx.")
]


def template(
    ctx: typer.Context,
    *,
    what: What,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="By default KIND.xlsx or KIND.csv; - is stdout.")
    ] = None,
    format_: As_ = None,
    separator: Between = Separator.COMMA,
    force: Force = False,
) -> None:
    """Write an empty file whose headers are the fields of a kind of record.

    The headers are keys: keep them as they are; columns that are not needed may go. In XLSX the records
    belong on the first sheet, and the second one tells what each column takes and which are required.

    \b
    Examples:
      syncd template contacts
      syncd template deals deals.csv --separator semicolon
    """
    from store import exporting, templates

    kind = _kind(what)
    chosen = _format(file, format_)
    path = file or Path(f"{kind.name}.{chosen.value}")
    with of(ctx).installation() as installation, installation.database.read() as session:
        language = installation.settings.workspace.language
        kind = exporting.whole(session, kind)
    layout = templates.layout(kind, templates.headers(kind), language, guide=True)
    _write(path, chosen, layout, iter(()), SIGNS[separator], force=force)
    if str(path) != STDOUT:
        say(
            Phrase(
                "{path}: fill it in, then `syncd import {kind} {path} --dry-run`",
                path=path,
                kind=kind.name,
            )
        )


def export(
    ctx: typer.Context,
    *,
    what: What,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="- is standard output.")],
    text: Annotated[
        str | None, typer.Option("--text", help="Part of a name, an address or a reference; case ignored.")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Of this account: its id, ext_id or exact name.")
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", metavar="LOGIN", help="Of this owner.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="In this status.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help='Changed since a day or an age: "2026-01-31" or "30d".')
    ] = None,
    format_: As_ = None,
    separator: Between = Separator.COMMA,
    force: Force = False,
    as_: As = None,
) -> None:
    """Write records into a file that `syncd import` reads: imported again unchanged, it changes nothing.

    Text that a spreadsheet would take for a formula gets an apostrophe before it, which an import takes
    away again. A reference stands there twice, by its id and by its name.

    \b
    Examples:
      syncd export contacts contacts.xlsx
      syncd export deals - --account "Garage Dupont" --separator semicolon
      syncd export opportunities open.csv --status open --owner claire
    """
    from store import exporting, scheduling, templates
    from syncd.cli.records import since_when

    kind = _kind(what)
    chosen = _format(file, format_, Format.CSV if str(file) == STDOUT else Format.XLSX)
    with of(ctx).installation() as installation:
        language = installation.settings.workspace.language
        moment = None if since is None else since_when(since, installation)
        with installation.database.read() as session:
            reader = reader_of(session, as_)
            kind = exporting.whole(session, kind)
            wanted = exporting.Wanted(
                text=text,
                account=None if account is None else account_of(session, account, reader),
                reader=reader,
                owner=None if owner is None else scheduling.user(session, owner).id,
                status=status,
                changed_since=moment,
            )
            headers = exporting.headers(kind)
            layout = templates.layout(kind, headers, language, guide=False)
            with (
                progress(kind.name, exporting.count(session, kind, wanted)) as step,
                closing(exporting.rows(session, kind, wanted)) as rows,
            ):
                number = _write(file, chosen, layout, _stepping(rows, step), SIGNS[separator], force=force)
    if str(file) != STDOUT:
        say(Phrase("{file}: {number} {kind}", file=file, number=number, kind=noun_word(kind.name)))


def _kind(what: Imported) -> "Kind":
    from store.kinds import KINDS

    if what not in RECORDS:
        raise UsageError(
            Phrase(
                "{what} come from a telephone system: they have no template and no export", what=what.value
            )
            if what is Imported.CALLS
            else Phrase(
                "{what} come from an accounting system: they have no template and no export", what=what.value
            )
        )
    return KINDS[what.value]


def _format(file: Path | None, asked: Format | None, default: Format = Format.XLSX) -> Format:
    if asked is not None:
        return asked
    suffix = "" if file is None else file.suffix.lower()
    return Format.CSV if suffix in (".csv", ".txt", ".tsv") else Format.XLSX if suffix == ".xlsx" else default


def _stepping(rows: "Iterator[list[Value]]", step: Callable[[], None]) -> "Iterator[list[Value]]":
    for row in rows:
        step()
        yield row


def _write(
    path: Path,
    format_: Format,
    layout: "Layout",
    rows: "Iterator[Sequence[Value]]",
    separator: str,
    *,
    force: bool,
) -> int:
    """Writes beside the file and puts it in its place once it is whole. Only its owner can read it."""
    from store.sheetfile import write_csv, write_xlsx

    if str(path) == STDOUT:
        if format_ is Format.CSV:
            return write_csv(sys.stdout.buffer, layout.headers, rows, separator=separator, mark=False)
        with tempfile.TemporaryDirectory(prefix="syncd-") as folder:
            made = Path(folder) / "sheet.xlsx"
            number = write_xlsx(made, layout, rows)
            with made.open("rb") as source:
                _copy(source, sys.stdout.buffer)
            return number
    if path.exists() and not force:
        raise UsageError(Phrase("{path} is there already and is not overwritten (--force does)", path=path))
    with _beside(path) as made:
        if format_ is Format.XLSX:
            return write_xlsx(made, layout, rows)
        with made.open("wb") as out:
            return write_csv(out, layout.headers, rows, separator=separator, mark=True)


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    while part := source.read(2**20):
        target.write(part)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    made = Path(name)
    try:
        yield made
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
