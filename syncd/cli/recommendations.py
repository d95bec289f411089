"""The verbs of recommendations: set, clear, show, list."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase, plural
from config.words import value_word
from syncd.cli.context import Cli, Json, UsageError, account_of, actor, of, reader_of
from syncd.cli.output import as_json, clean, clean_lines, heads, plain, say, shown, table, warn, warn_of_more
from syncd.cli.records import As

if TYPE_CHECKING:
    from config.settings import Workspace
    from store.recommendations import Recommendation
    from syncd.engine.recommending import AdviceChange

SHOWN = 50  # changes; more are only counted
MOST_BYTES = 64 * 1024  # of standard input: far more than a message may have


recommendation = typer.Typer(
    help="The text that whoever opens an account must see.", no_args_is_help=True, rich_markup_mode=None
)

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its id, ext_id or exact name.")]


class Category(StrEnum):
    """What it is about."""

    PAYMENT_DELAY = "payment_delay"
    PAYMENT_NOTICE = "payment_notice"
    ACCOUNT_INFO = "account_info"
    OTHER = "other"


class Severity(StrEnum):
    """How loud it is."""

    INFO = "info"
    WARNING = "warning"


@recommendation.command("set")
def set_(
    ctx: typer.Context,
    account: Account,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Plain text; - reads standard input.")],
    *,
    category: Annotated[Category, typer.Option("--category")] = Category.OTHER,
    severity: Annotated[Severity, typer.Option("--severity")] = Severity.WARNING,
    as_: As = None,
) -> None:
    """Give an account its recommendation. The one before it goes to the history.

    \b
    Example:
      syncd recommendation set "Garage Dupont" "Acompte de 30 % exigé" --category payment_notice
    """
    from store import recommendations, references
    from store.audit_log import Channel
    from syncd.daemon.clock import now

    wanted = recommendations.Advice(
        _input() if text == "-" else text,
        recommendations.Category[category.name],
        recommendations.Severity[severity.name],
    )
    with of(ctx).installation() as installation, installation.database.write() as session:
        id_ = references.account(session, account)
        by = recommendations.By(actor(session, as_), Channel.CLI, now())
        changed = recommendations.put(session, id_, wanted, by)
    told = Phrase("account {id} has a new recommendation", id=id_)
    say(told if changed else Phrase("nothing to change"))


def _input() -> str:
    content = sys.stdin.buffer.read(MOST_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(Phrase("standard input is no text in UTF-8")) from None


@recommendation.command("clear")
def clear(ctx: typer.Context, account: Account, as_: As = None) -> None:
    """Take an account's recommendation away. It stays in the history.

    \b
    Example:
      syncd recommendation clear "Garage Dupont"
    """
    from store import recommendations, references
    from store.audit_log import Channel
    from syncd.daemon.clock import now

    with of(ctx).installation() as installation, installation.database.write() as session:
        id_ = references.account(session, account)
        by = recommendations.By(actor(session, as_), Channel.CLI, now())
        changed = installation.recommending.clear(session, id_, by)
    told = Phrase("account {id} has no recommendation any more", id=id_)
    say(told if changed else Phrase("nothing to change"))


@recommendation.command("show")
def show(ctx: typer.Context, account: Account, as_: As = None, json: Annotated[bool, Json] = False) -> None:
    """Show an account's recommendation, and those before it.

    \b
    Example:
      syncd recommendation show "Garage Dupont"
    """
    from store import recommendations

    with of(ctx).installation() as installation:
        workspace = installation.settings.workspace
        with installation.database.read() as session:
            id_ = account_of(session, account, reader_of(session, as_))
            stands = recommendations.of_account(session, id_)
            before = recommendations.history(session, id_)
    if json:
        as_json({"account_id": id_, "recommendation": stands, "history": before})
        return
    if stands is None:
        say(Phrase("None."))
    else:
        frame(stands, workspace)
    if before:
        say(Phrase("history:"))
        zone = workspace.timezone
        table(
            heads("from", "until", "source", "author", "cleared", "message"),
            [
                [shown(getattr(one, name), zone)
                 for name in ("at", "until", "source", "author", "cleared", "message")]
                for one in before
            ],
        )  # fmt: skip


@recommendation.command("list")
def list_(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many rows.")] = 50,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Leave out the first ones.")] = 0,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """List the accounts that have a recommendation.

    \b
    Example:
      syncd recommendation list
    """
    from store import recommendations
    from syncd.core.recommending import preview

    with of(ctx).installation() as installation:
        zone = installation.settings.workspace.timezone
        with installation.database.read() as session:
            reader = reader_of(session, as_)
            rows, total = recommendations.listed(session, limit, offset, reader)
    if json:
        as_json({"rows": plain(rows), "total": total, "offset": offset})
        return
    if not rows:
        say(Phrase("None."))
        return
    table(
        heads("account", "category", "source", "author", "at", "message"),
        [
            [clean(one.account), value_word(one.category), value_word(one.source), clean(one.author),
             shown(one.at, zone), clean(preview(one.message))]
            for one in rows
        ],
    )  # fmt: skip
    warn_of_more(len(rows), total, offset + 1)


def import_file(cli: Cli, file: Path, *, login: str | None, dry_run: bool, json: bool) -> None:
    """Takes a file in, as if it had been dropped, but whole or not at all; it stays where it is."""
    from connectors.sheet import MAX_BYTES
    from syncd.daemon.clock import now
    from syncd.engine.advice_files import AdviceFiles

    if str(file) == "-":
        content = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise UsageError(
            Phrase("{file} is larger than {most} MiB: split it", file=file, most=MAX_BYTES // 2**20)
        )
    with cli.installation() as installation:
        if installation.settings.product.plan == "essential":
            raise UsageError(
                Phrase('the plan "essential" has no recommendations from files ([product] in the config)')
            )
        with installation.database.read() as session:
            who = actor(session, login)
        files = AdviceFiles(installation.database, installation.recommending)
        done = files.record(content, file.name, who, now(), dry_run=dry_run)
    if json:
        as_json({"dry_run": dry_run, "known": done.known, "rows": done.rows, "changes": done.changes})
        return
    if done.known:
        say(Phrase("this file was taken in before: nothing to do"))
        return
    for one in done.warnings:
        warn(one.told)
    say(
        plural("recommendations: {number} row read", "recommendations: {number} rows read", done.rows)
        if dry_run
        else plural("recommendations: {number} row taken", "recommendations: {number} rows taken", done.rows)
    )
    tell_changes(done.changes, dry_run=dry_run)


def tell_changes(changes: "Sequence[AdviceChange]", *, dry_run: bool) -> None:
    """What rules have written, or would."""
    from syncd.core.recommending import preview

    number = len(changes)
    say(
        plural("{number} would change", "{number} would change", number)
        if dry_run
        else plural("{number} changed", "{number} changed", number)
    )
    if changes:
        table(
            heads("id", "account", "rule", "message"),
            [
                [str(one.account_id), clean(one.account), clean(one.rule),
                 Phrase("(cleared)") if one.message is None else clean(preview(one.message))]
                for one in changes[:SHOWN]
            ],
        )  # fmt: skip
    if len(changes) > SHOWN:
        warn(Phrase("… and {more} more (--json has them all)", more=len(changes) - SHOWN))


def frame(stands: "Recommendation", workspace: "Workspace") -> None:
    """The whole text with its author and date, set apart from what follows (R012)."""
    from syncd.core.recommending import label

    words = label(stands.category.name, workspace.language)
    mark = "!" if stands.severity.name == "WARNING" else "i"
    text = f"{words} : {stands.message}" if words else stands.message
    for line in clean_lines(text).splitlines():
        say(f"{mark} {line}".rstrip())
    say(f"{mark} — {clean(stands.author)}, {shown(stands.at, workspace.timezone)}")
    say()
