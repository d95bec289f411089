"""The verb recompute: the status of every account, as of today or another day, and its recommendation."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from syncd.cli.context import Json, UsageError, actor, of
from syncd.cli.output import as_json, clean, count, say, table, warn
from syncd.cli.records import As

if TYPE_CHECKING:
    from store.accounts import AccountStatus
    from syncd.engine.statuses import Looked

SHOWN = 50  # changes; more are only counted


recompute = typer.Typer(
    help="Work out again what follows from what is stored.", no_args_is_help=True, rich_markup_mode=None
)


@recompute.command("statuses")
def statuses(
    ctx: typer.Context,
    *,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="As of this day; by default today.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")] = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Work out the status of every account (docs/accounts.md). Needs the role admin.

    The daemon does so every night, and every change of an account, project, deal or opportunity does so for
    the accounts that it concerns.

    \b
    Examples:
      syncd recompute statuses --dry-run
      syncd recompute statuses --as-of 2027-01-31 --dry-run --json
    """
    from store.audit_log import Channel
    from syncd.daemon.clock import now

    moment = now()
    with of(ctx).installation() as installation:
        today = installation.statuses.today(moment)
        day = today if as_of is None else _day(as_of)
        with installation.database.read() as session:
            who = actor(session, as_)
        looked = installation.statuses.ordered(who, Channel.CLI, day, moment, dry_run=dry_run)
    if json:
        as_json({"as_of": day, "dry_run": dry_run, "accounts": looked.looked_at, "changes": looked.changes})
        return
    _tell(looked, dry_run=dry_run)
    if day != today and not dry_run:
        warn(
            Phrase(
                "these are the statuses of {day}: the daemon's next look gives every account today's again",
                day=day,
            )
        )


@recompute.command("recommendations")
def recommendations(
    ctx: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")] = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Let the rules write recommendations (docs/recommendations.md). Needs the role admin.

    The daemon does so every night and when the rules change, and every change of an account does so for it.

    \b
    Example:
      syncd recompute recommendations --dry-run
    """
    from store.audit_log import Channel
    from syncd.cli.recommendations import tell_changes
    from syncd.daemon.clock import now

    with of(ctx).installation() as installation:
        with installation.database.read() as session:
            who = actor(session, as_)
        done = installation.recommending.ordered(who, Channel.CLI, now(), dry_run=dry_run)
    if json:
        as_json({"dry_run": dry_run, "accounts": done.looked_at, "changes": done.changes})
        return
    say(count(done.looked_at, "account"))
    tell_changes(done.changes, dry_run=dry_run)


def _day(text: str) -> date:
    from store.readers import day

    try:
        return day(text.strip())
    except ValueError as error:
        raise UsageError(Phrase("--as-of: {error}", error=error)) from None


def _tell(looked: "Looked", *, dry_run: bool) -> None:
    would = "would change" if dry_run else "changed"
    say(f"{count(looked.looked_at, 'account')} as of {looked.day}: {len(looked.changes)} {would}")
    if looked.changes:
        table(
            ["id", "name", "from", "to", "row"],
            [
                [str(one.account_id), clean(one.name), _word(one.before), _word(one.after), str(one.reason)]
                for one in looked.changes[:SHOWN]
            ],
        )
    if len(looked.changes) > SHOWN:
        warn(Phrase("… and {count} more (--json has them all)", count=len(looked.changes) - SHOWN))


def _word(status: "AccountStatus | None") -> str:
    return "-" if status is None else status.value
