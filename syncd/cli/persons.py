"""The verbs on all that is stored of one person: erase it, hand it out."""

import json as jsonlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from syncd.cli import mail
from syncd.cli.context import Json, UsageError, actor, of
from syncd.cli.output import as_json, count, plain, say, shown, table
from syncd.cli.records import As

if TYPE_CHECKING:
    from syncd.engine.erasing import Receipt

forget = typer.Typer(
    help="Remove mail that should not be logged any more, calls, or all of a person.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
forget.callback()(mail.forget)

Who = Annotated[str, typer.Argument(metavar="CONTACT", help="The id of a contact, or an e-mail address.")]


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
        raise UsageError("--yes and --dry-run exclude each other")
    if receipt is not None and not yes:
        raise UsageError("--receipt goes with --yes: there is none of what was not done")
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
        say(f"This was done before, on {shown(found.at, zone)} by {found.by}.")
    names = sorted({*found.counts, *found.cleaned})
    rows = [(one, str(found.counts.get(one, 0)), str(found.cleaned.get(one, 0))) for one in names]
    table(("table", "rows", "texts of others"), rows)
    say(f"{count(found.files, 'file')} of attachments")
    if found.copies:
        say(
            f"copies of events and tasks in calendars: {found.copies}, left as they are and "
            "not synchronised any more"
        )
    for note in found.notes:
        say(f"note: {shown(note, zone)}")
    if done:
        say(f"Erased. Receipt {found.id}; backups are yours to age out.")
    else:
        say("Nothing was erased: add --yes to do it. It cannot be taken back.")
