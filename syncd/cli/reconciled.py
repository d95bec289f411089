"""Verbs on what the reconciliation of calendars did, or waits with: conflicts, undo, release."""

import json as jsonlib
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from syncd.cli.context import Json, actor, chosen, of, operator
from syncd.cli.output import as_json, count, say, shown, table, warn
from syncd.cli.records import As

if TYPE_CHECKING:
    from store.decisions import ConflictRow
    from syncd.daemon.wiring import Installation
    from syncd.engine.calendar.occasion import Occasion
    from syncd.engine.calendar.undoing import Step

conflicts = typer.Typer(
    help="What both sides changed: list it, take a loser back.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
WORTH = 60  # characters of a value in a table


class Winning(StrEnum):
    """Whose value is to count."""

    CRM = "crm"
    REMOTE = "remote"


@conflicts.callback()
def list_conflicts(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Also those that are settled.")] = False,
    json: Annotated[bool, Json] = False,
) -> None:
    """List what both the CRM and a calendar had changed: who won, and what lost.

    Exit code 1 while some wait for a person (rule `manual`).

    \b
    Examples:
      syncd conflicts
      syncd conflicts take 3 crm
    """
    if ctx.invoked_subcommand is not None:
        return
    from store import decisions
    from store.bindings import ConflictState

    with of(ctx).installation() as installation:
        zone = installation.settings.workspace.timezone
        with installation.database.read() as session:
            rows = decisions.conflicts(session, every=every)
    if json:
        as_json([plain_conflict(row) for row in rows])
    elif not rows:
        say("No conflicts.")
    else:
        conflict_table(rows, zone)
    if any(row.state is ConflictState.OPEN for row in rows):
        raise typer.Exit(1)


def plain_conflict(row: "ConflictRow") -> dict[str, object]:
    """For JSON: values as what they are, not as text."""
    return {
        "id": row.id,
        "state": row.state,
        "mailbox": row.mailbox,
        "entity": row.entity,
        "entity_id": row.entity_id,
        "occurrence": row.component,
        "unit": row.unit or "item",
        "base": jsonlib.loads(row.base),
        "crm": jsonlib.loads(row.crm_value),
        "remote": jsonlib.loads(row.remote_value),
        "winner": row.winner,
        "at": row.at,
        "run": row.run,
    }


def conflict_table(rows: "Sequence[ConflictRow]", zone: ZoneInfo) -> None:
    """The same for people."""
    winners = {"none": "nobody yet", "crm": "crm", "remote": "remote"}
    table(
        ("id", "what", "unit", "crm", "remote", "won", "at", "state"),
        [
            (
                str(row.id),
                f"{row.entity.value}:{row.entity_id}" + (f" {row.component}" if row.component else ""),
                row.unit or "all of it",
                _value(row.crm_value, zone),
                _value(row.remote_value, zone),
                winners[row.winner.value],
                shown(row.at, zone),
                row.state.value,
            )
            for row in rows
        ],
    )


def _value(text: str, zone: ZoneInfo) -> str:
    value = jsonlib.loads(text)
    if value is None:
        return "(deleted)"
    if isinstance(value, dict) and "subject" in value:
        value = value["subject"]
    return shown(value if isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False), zone)[:WORTH]


@conflicts.command("take")
def take(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1)],
    side: Annotated[Winning, typer.Argument(metavar="crm|remote")],
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Give one side's value to both: take back what lost, or decide what is open.

    The CRM changes now, the calendar in the next cycle. Nobody is mailed.

    \b
    Example:
      syncd conflicts take 3 crm
    """
    from store.audit_log import Channel
    from syncd.core.conflicts import Winner
    from syncd.daemon.clock import now
    from syncd.daemon.occasions import occasion_of
    from syncd.engine.calendar.taking_back import take as take_back

    with of(ctx).installation() as installation:
        with installation.database.read() as session:
            who = actor(session, as_)
        occasion = occasion_of(installation, who, Channel.CLI, now())
        with installation.database.write() as session:
            state = take_back(session, id_, Winner(side.value), occasion)
    if json:
        as_json({"id": id_, "state": state, "winner": side.value})
    else:
        say(f"conflict {id_}: {side.value} counts on both sides now; the next cycle tells the calendar")


def undo(
    ctx: typer.Context,
    item: Annotated[str, typer.Argument(metavar="RUN|decision:ID", help="As `syncd explain` names them.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; list what would be done.")
    ] = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Put back what a run, or one decision, changed in events and tasks.

    The CRM's record becomes what it was before, and the next cycle brings the calendar to the same. Where
    only the calendar was written, both become what the calendar had. What came newly into the CRM leaves it
    again and stays in its calendar, which the CRM then leaves alone; what was newly written into a calendar
    is cancelled (`syncd event restore` brings it back). What changed again since is refused and listed.
    Nobody is mailed. Much at once is held by the brake in the next cycle: `syncd release` lets it go.

    Exit code 1 if something was refused.

    \b
    Examples:
      syncd undo 3f9c2a1b --dry-run
      syncd undo decision:12
    """
    from store.audit_log import Channel
    from syncd.daemon.clock import now
    from syncd.daemon.occasions import occasion_of

    with of(ctx).installation() as installation:
        with installation.database.read() as session:
            who = actor(session, as_)
        occasion = occasion_of(installation, who, Channel.CLI, now())
        steps = _undo(installation, item, occasion, dry_run=dry_run)
    if json:
        as_json({"dry_run": dry_run, "steps": steps})
    else:
        _print_steps(steps, dry_run=dry_run)
    if any(step.refused for step in steps):
        raise typer.Exit(1)


def _undo(installation: "Installation", item: str, occasion: "Occasion", *, dry_run: bool) -> "list[Step]":
    from syncd.engine.calendar.undoing import undo as put_back

    if dry_run:
        with installation.database.read() as session:
            return put_back(session, item, occasion, dry_run=True)
    with installation.database.write() as session:
        return put_back(session, item, occasion, dry_run=False)


def _print_steps(steps: "Sequence[Step]", *, dry_run: bool) -> None:
    zone = ZoneInfo("UTC")
    table(
        ("decision", "mailbox", "what", "was", "subject", "would become" if dry_run else "now"),
        [
            (
                str(step.decision),
                step.mailbox,
                f"{step.entity}:{step.entity_id}",
                step.action,
                shown(step.subject, zone),
                "left as it is" if step.refused else step.does,
            )
            for step in steps
        ],
    )
    for step in steps:
        if step.refused:
            warn(f"decision {step.decision} ({step.entity}:{step.entity_id}): {shown(step.refused, zone)}")
    done = sum(1 for step in steps if not step.refused)
    if not dry_run and done:
        say(f"{count(done, 'change')} put back; the next cycle tells the calendars, and nobody is mailed")


def release(
    ctx: typer.Context,
    mailboxes: Annotated[list[str], typer.Argument(metavar="MAILBOX...", help="Names from the config.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what waits.")] = False,
    json: Annotated[bool, Json] = False,
) -> None:
    """Let go what the brake holds, and thaw what was frozen.

    Exactly what is listed is done by the next cycle: where more has come up meanwhile, the brake holds
    again.

    \b
    Examples:
      syncd release claire --dry-run
      syncd release claire
    """
    with of(ctx).installation() as installation:
        names = chosen(installation.settings, mailboxes)
        if dry_run:
            _waiting(installation, names, json=json)
            return
        found = _release(installation, names)
    if json:
        as_json([{"mailbox": name, "released": lines, "thawed": thawed} for name, lines, thawed in found])
        return
    for name, lines, thawed in found:
        if thawed:
            say(f"{name}: {count(thawed, 'frozen item')} kept in step again")
        if lines:
            say(f"{name}: released, the next cycle does this:")
            plan_table(lines)


def _waiting(installation: "Installation", names: Sequence[str], *, json: bool) -> None:
    """What the brake holds, and why."""
    from store import brakes
    from store import mailboxes as store

    found = []
    with installation.database.read() as session:
        for name in names:
            plan, _ = brakes.braked(session, name)
            view = store.view(session, name)
            found.append((name, view.attention, [] if plan is None else jsonlib.loads(plan)))
    if json:
        as_json([{"mailbox": name, "reason": reason, "waiting": lines} for name, reason, lines in found])
        return
    for name, reason, lines in found:
        if not lines:
            say(f"{name}: nothing waits")
            continue
        say(f"{name}: {shown(reason, ZoneInfo('UTC'))}")
        plan_table(lines)


def _release(
    installation: "Installation", names: Sequence[str]
) -> list[tuple[str, list[dict[str, object]], int]]:
    from store import brakes
    from store import mailboxes as store
    from store.reconciling import thaw
    from store.sync_state import MailboxState
    from syncd.daemon.clock import now

    found = []
    with installation.database.write() as session:
        for name in names:
            view = store.view(session, name)
            thawed = thaw(session, view.id)
            lines: list[dict[str, object]] = []
            if view.state is MailboxState.BRAKED or not thawed:
                lines = jsonlib.loads(brakes.release(session, name, now(), actor=operator()))
            found.append((name, lines, thawed))
    return found


def plan_table(lines: "Sequence[dict[str, object]]") -> None:
    """What a cycle would do, or will."""
    zone = ZoneInfo("UTC")
    table(
        ("action", "writes", "calendar", "subject", "why", "mails"),
        [
            tuple(
                shown(line[name], zone) if line[name] != [] else "nobody"
                for name in ("action", "side", "calendar", "subject", "reason", "mailed")
            )
            for line in lines
        ],
    )
