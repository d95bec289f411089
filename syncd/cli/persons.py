"""The verbs on all that is stored of one person: erase it, hand it out."""

import json as jsonlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO
from zoneinfo import ZoneInfo

import typer

from config.language import Phrase, plural, together
from syncd.cli import mail
from syncd.cli.context import Json, UsageError, actor, of
from syncd.cli.output import as_json, plain, say, shown, table
from syncd.cli.records import As

if TYPE_CHECKING:
    from syncd.engine.erasing import Receipt

forget = typer.Typer(
    help="Remove mail that should not be logged any more, calls, or all of a person.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
forget.callback()(mail.forget)


def _text(given: str) -> str:
    """What was typed, if it is text. Raises UsageError."""
    if not given.isprintable():  # octets that are no UTF-8, control characters
        raise UsageError(Phrase("this is no text: name the id of a contact, or an e-mail address"))
    return given


Who = Annotated[
    str,
    typer.Argument(metavar="CONTACT", help="The id of a contact, or an e-mail address.", callback=_text),
]


@forget.command("contact")
def forget_contact(
    ctx: typer.Context,
    who: Who,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it. Without this, only count what would go.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    receipt: Annotated[
        Path | None, typer.Option("--receipt", metavar="FILE", help="Write the receipt as JSON there, too.")
    ] = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Erase a person everywhere: for a request under article 17 of the GDPR. It cannot be taken back.

    The contact with its duplicates, mail that the person wrote or got with its attachments, calls, drafts,
    what texts say of the person. Events stay for the others, without the person; what lies in calendars
    and mailboxes stays as it is, and nobody is mailed. Needs the role admin. Done again, it shows the
    receipt of the first time.

    \b
    Examples:
      syncd forget contact 12
      syncd forget contact anne@dupont.example --yes --receipt erased.json
    """
    if yes and dry_run:
        raise UsageError(Phrase("--yes and --dry-run exclude each other"))
    if receipt is not None and not yes:
        raise UsageError(Phrase("--receipt goes with --yes: there is none of what was not done"))
    from syncd.daemon import offers
    from syncd.daemon.clock import now

    with of(ctx).installation() as installation:
        zone = installation.settings.workspace.timezone
        with installation.database.read() as session:
            acting = actor(session, as_)
        means = offers.erasing(installation)
        if yes:
            found = means.carry_out(who, acting, now(), id_=secrets.token_hex(8))
        else:
            found = means.preview(who, acting, now())
    if receipt is not None:
        _put(receipt, found)
    if json:
        as_json({"done": yes, **_plain(found)})
        return
    _print(found, zone, done=yes)


@forget.command("old")
def forget_old(
    ctx: typer.Context,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it now. Without this, only count what would go.")
    ] = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Erase logged mail that is older than mail.retention, as the service does every night.

    Attachments and activities of the mail included. Nothing changes in any mailbox. With --yes it needs the
    role admin.

    \b
    Examples:
      syncd forget old
      syncd forget old --yes
    """
    from syncd.daemon.clock import now

    with of(ctx).installation() as installation:
        zone = installation.settings.workspace.timezone
        means = installation.retention
        with installation.database.read() as session:
            acting = actor(session, as_)
        seen = means.preview(now())
        done = means.ordered(acting, now()) if yes else None
    if json:
        as_json({"done": yes, "old": seen, "erased": done})
    elif done is not None:
        say(
            Phrase(
                "{mails} and {files} of attachments erased",
                mails=_mails(done.mails),
                files=_files(done.files),
            )
        )
    else:
        span = (
            ""
            if seen.oldest is None
            else Phrase(
                ", from {oldest} to {newest}",
                oldest=shown(seen.oldest, zone),
                newest=shown(seen.newest, zone),
            )
        )
        say(Phrase("{mails} would go{span}.", mails=_mails(seen.mails), span=span))
        say(Phrase("Nothing was erased: add --yes to do it, or wait for the service's next night."))


def add_to(contact: typer.Typer) -> None:
    """Adds `syncd contact export`."""
    contact.command("export")(export)


def export(
    ctx: typer.Context,
    who: Who,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The ZIP file that is written.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")] = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Write all that is stored of a person into a ZIP file: articles 15 and 20 of the GDPR.

    The contact with its duplicates and own fields, mail with attachments, activities, calls, events, drafts.
    It names others too, in mail and notes: look through it before you hand it out. Needs the role admin.

    \b
    Examples:
      syncd contact export 12 anne.zip
      syncd contact export anne@dupont.example anne.zip
    """
    from syncd.daemon import offers
    from syncd.daemon.clock import now

    if file.exists() and not force:
        raise UsageError(Phrase("{path} is there already and is not overwritten (--force does)", path=file))
    with of(ctx).installation() as installation:
        with installation.database.read() as session:
            acting = actor(session, as_)
        with _beside(file) as out:
            done = offers.person_export(installation).write(who, acting, now(), out)
    if json:
        as_json(done)
        return
    amounts = (
        _mails(done.mails),
        _attachments(done.files),
        plural("{number} activity", "{number} activities", done.activities),
        plural("{number} event", "{number} events", done.events),
    )
    say(Phrase("{file}: {amounts}", file=file, amounts=together(amounts, ", ")))
    if done.missing:
        say(
            Phrase(
                "{attachments} without content: larger than mail.max_attachment, or lost",
                attachments=_attachments(done.missing),
            )
        )


def _mails(number: int) -> Phrase:
    return plural("{number} e-mail", "{number} e-mails", number)


def _files(number: int) -> Phrase:
    return plural("{number} file", "{number} files", number)


def _attachments(number: int) -> Phrase:
    return plural("{number} attachment", "{number} attachments", number)


@contextmanager
def _beside(path: Path) -> Iterator[BinaryIO]:
    """A file that only its owner can read; it takes its place once it is whole, and never in part."""
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def _plain(found: "Receipt") -> dict[str, object]:
    return {
        "receipt": found.id or None,
        "at": found.at,
        "by": found.by,
        "rows": dict(found.counts),
        "texts": dict(found.cleaned),
        "files": found.files,
        "copies_in_calendars": found.copies,
        "notes": list(found.notes),
        "proofs": list(found.proofs) if found.id else [],
        "done_before": found.again,
    }


def _put(path: Path, found: "Receipt") -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(jsonlib.dumps(plain(_plain(found)), ensure_ascii=False, indent=2) + "\n")


def _print(found: "Receipt", zone: ZoneInfo, *, done: bool) -> None:
    if found.again:
        say(Phrase("This was done before, on {at} by {by}.", at=shown(found.at, zone), by=found.by))
    names = sorted({*found.counts, *found.cleaned})
    rows = [(one, str(found.counts.get(one, 0)), str(found.cleaned.get(one, 0))) for one in names]
    table((Phrase("table"), Phrase("rows"), Phrase("texts of others")), rows)
    say(Phrase("{files} of attachments", files=_files(found.files)))
    if found.copies:
        say(
            Phrase(
                "copies of events and tasks in calendars: {number}, left as they are and "
                "not synchronised any more",
                number=found.copies,
            )
        )
    for note in found.notes:
        say(Phrase("note: {note}", note=shown(note, zone)))
    if done:
        say(Phrase("Erased. Receipt {id}; backups are yours to age out.", id=found.id))
    else:
        say(Phrase("Nothing was erased: add --yes to do it. It cannot be taken back."))
