"""Verbs that make cycles run or rest: run, sync, pause, resume, stop."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.context import Cli, Json, UsageError, chosen, of, operator
from syncd.cli.output import as_json, count, progress, say, shown, table, warn

if TYPE_CHECKING:
    from syncd.daemon.wiring import Installation
    from syncd.engine.report import CycleReport

MailboxNames = Annotated[
    list[str] | None, typer.Argument(metavar="[MAILBOX]...", help="By default all of the config.")
]
SomeMailboxes = Annotated[list[str], typer.Argument(metavar="MAILBOX...", help="Names from the config.")]


def run(ctx: typer.Context) -> None:
    """Run the service.

    Looks at every mailbox in its interval until SIGTERM or Ctrl-C. SIGHUP reads the config again.

    \b
    Example:
      syncd --config /etc/syncd/syncd.toml run
    """
    from config.load import load
    from syncd.daemon import logs
    from syncd.daemon.service import serve

    cli = of(ctx)
    path = cli.config_path()
    settings = load(path)
    logs.configure("debug" if cli.debug else settings.logging.level, settings.logging.format)
    raise typer.Exit(serve(path))


def sync(
    ctx: typer.Context,
    mailboxes: MailboxNames = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; list what would be done.")
    ] = False,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Also try again what could not be read.")
    ] = False,
    json: Annotated[bool, Json] = False,
) -> None:
    """One cycle now, then end. Exit code 1 if something failed, could not be read, or the brake is on.

    \b
    Examples:
      syncd sync
      syncd sync claire --dry-run
      syncd sync --quarantined
    """
    from syncd.daemon import offers

    with of(ctx).installation() as installation:
        names = chosen(installation.settings, mailboxes)
        if not names:
            raise UsageError("the config has no [[mailboxes]]: there is nothing to synchronise")
        if not dry_run:
            installation.dropping.look()
        rules_changed = not dry_run and offers.rules_changed(installation)
        reports = _cycles(installation, names, dry_run=dry_run, quarantined=quarantined)
        followed_up = () if dry_run else (_dropped(installation), _meetings(installation))
        offer = offers.would_be_forgotten(installation) if rules_changed else 0
        if json:
            as_json([_plain(report) for report in reports])
        else:
            _print(installation, reports, dry_run=dry_run)
            for line in followed_up:
                if line:
                    say(line)
    if offer:
        warn(
            f"{count(offer, 'logged e-mail')} would not be logged under the present rules: "
            "`syncd forget --excluded` tells which"
        )
    if any(_failed(report, named=bool(mailboxes)) for report in reports):
        raise typer.Exit(1)


def _cycles(
    installation: "Installation", names: Sequence[str], *, dry_run: bool, quarantined: bool
) -> "list[CycleReport]":
    from syncd.daemon.clock import now

    reports = {}
    workers = min(installation.settings.schedule.workers, len(names))
    pool = ThreadPoolExecutor(workers)
    with progress("synchronising", len(names)) as step:
        try:
            jobs = [
                pool.submit(installation.supervisor.run, name, now, dry_run=dry_run, quarantined=quarantined)
                for name in names
            ]
            for job in as_completed(jobs):
                report = job.result()
                reports[report.mailbox] = report
                step()
        finally:
            # After Ctrl-C nobody waits for the cycles under way: a kill at any moment is harmless.
            pool.shutdown(wait=False, cancel_futures=True)
    return [reports[name] for name in names]


def _dropped(installation: "Installation") -> str | None:
    """What became of the files that lie in the folders; None where there are none."""
    import time

    from syncd.daemon.clock import now

    time.sleep(installation.dropping.pause())
    done = installation.dropping.run(now())
    if not done.wrote:
        return None
    refused = f", {count(done.refused, 'file')} put into failed/ with the reason" if done.refused else ""
    left = f", {count(done.left, 'file')} left for the next look" if done.left else ""
    return f"dropped files: {count(done.taken, 'file')} taken in{refused}{left}"


def _meetings(installation: "Installation") -> str | None:
    """What became of meetings that are over; None where there was nothing to do."""
    from syncd.daemon.clock import now

    done = installation.meetings.run(now())
    if not done.wrote:
        return None
    parts = [
        f"{number} {word}"
        for number, word in (
            (done.recorded, "recorded"),
            (done.changed, "changed"),
            (done.withdrawn, "withdrawn"),
            (done.answered, "answered"),
            (done.waived, "waived"),
            (done.reminded, "reminded"),
            (done.validated, "validated"),
        )
        if number
    ]
    return f"meetings: {', '.join(parts)}"


def _failed(report: "CycleReport", *, named: bool) -> bool:
    """Whether a person should look: also where a mailbox that was asked for was left alone."""
    from syncd.core.matching import Verdict

    waits = ("needs attention", "the brake is on")
    left_alone = report.skipped is not None and (named or report.skipped.startswith(waits))
    calendar = report.calendar
    unwell = bool(calendar.braked or calendar.quarantined or report.verdicts[Verdict.QUARANTINED])
    return report.failed or left_alone or unwell


def _plain(report: "CycleReport") -> dict[str, object]:
    return {
        "mailbox": report.mailbox,
        "run": report.run,
        "seen": report.pulled,
        "verdicts": {kind: number for kind, number in report.verdicts.items() if number},
        "new_emails": report.stored,
        "new_activities": report.activities,
        "would_log": report.rehearsed,
        "forms": report.forms,
        "drafts": report.drafts,
        "calendar": _calendar(report),
        "skipped": report.skipped,
        "error": report.error,
        "folder_errors": report.folder_errors,
    }


def _calendar(report: "CycleReport") -> dict[str, object]:
    calendar = report.calendar
    return {
        "actions": {action.value: number for action, number in calendar.actions.items() if number},
        "pulled": calendar.pulled,
        "pushed": calendar.pushed,
        "conflicts": calendar.conflicts,
        "quarantined": calendar.quarantined,
        "braked": calendar.braked,
        "planned": [one.plain() for one in calendar.planned],
    }


def _print(installation: "Installation", reports: "Sequence[CycleReport]", *, dry_run: bool) -> None:
    zone = installation.settings.workspace.timezone
    syncs = {report.mailbox: installation.settings.mailbox(report.mailbox).sync for report in reports}
    mail = [report for report in reports if "mail" in syncs[report.mailbox]]
    calendars = [report for report in reports if "calendar" in syncs[report.mailbox]]
    if mail:
        _mail_table(mail, dry_run=dry_run)
    if mail and calendars:
        say()
    if calendars:
        _calendar_table(calendars, dry_run=dry_run)
    for report in reports:
        for line in (report.skipped, report.error):
            if line:
                warn(f"{report.mailbox}: {shown(line, zone)}")
        for folder, error in report.folder_errors.items():
            warn(f"{report.mailbox}: folder {shown(folder, zone)}: {shown(error, zone)}")
    if dry_run and mail:
        _rehearsed(installation, mail)
    for report in calendars:
        _planned(report)


def _mail_table(reports: "Sequence[CycleReport]", *, dry_run: bool) -> None:
    from syncd.core.matching import Verdict

    table(
        ("mailbox", "seen", "would log" if dry_run else "logged", "new e-mails", "quarantined", ""),
        [
            (
                report.mailbox,
                str(report.pulled),
                str(report.verdicts[Verdict.LOGGED]),
                "-" if dry_run else str(report.stored),
                str(report.verdicts[Verdict.QUARANTINED]),
                _remark(report),
            )
            for report in reports
        ],
    )


def _calendar_table(reports: "Sequence[CycleReport]", *, dry_run: bool) -> None:
    """Records of the CRM and items at the server that were made or changed."""
    table(
        ("calendars of", "planned" if dry_run else "pulled", "pushed", "conflicts", "quarantined", ""),
        [
            (
                report.mailbox,
                str(len(report.calendar.planned) if dry_run else report.calendar.pulled),
                "-" if dry_run else str(report.calendar.pushed),
                str(report.calendar.conflicts),
                str(report.calendar.quarantined),
                "the brake is on" if report.calendar.braked else _remark(report),
            )
            for report in reports
        ],
    )


def _planned(report: "CycleReport") -> None:
    """What the calendars would do: in a dry run, or where the brake holds it."""
    from syncd.cli.reconciled import plan_table

    if report.calendar.planned:
        say()
        say(f"{report.mailbox}, calendars:")
        plan_table([dict(one.plain()) for one in report.calendar.planned])
    if report.calendar.braked:
        name = report.mailbox
        warn(f"{name}: the brake is on: {report.calendar.braked}; `syncd release {name}` lets it go")
    if report.calendar.conflicts:
        warn(f"{report.mailbox}: {count(report.calendar.conflicts, 'conflict')}: `syncd conflicts` tells")


def _remark(report: "CycleReport") -> str:
    if report.skipped:
        return "left alone"
    if report.error:
        return "failed"
    return "not everything could be read" if report.folder_errors else ""


def _rehearsed(installation: "Installation", reports: "Sequence[CycleReport]") -> None:
    """What a dry run would log."""
    from store.reports import account_names

    zone = installation.settings.workspace.timezone
    ids = {account for report in reports for one in report.rehearsed for account in one.accounts}
    with installation.database.read() as session:
        names = account_names(session, ids)
    rows = [
        (
            report.mailbox,
            shown(one.folder, zone),
            str(one.uid),
            shown(one.date, zone),
            shown([names.get(account, str(account)) for account in one.accounts], zone),
            shown(one.subject, zone),
        )
        for report in reports
        for one in report.rehearsed
    ]
    for report in reports:
        if report.drafts:
            say(f"{report.mailbox}: drafts that would be put into Drafts: {report.drafts}")
        if report.forms:
            say(f"{report.mailbox}: forms of meetings that would be put into the Inbox: {report.forms}")
    if not rows:
        say("Nothing would be logged.")
        return
    say()
    table(("mailbox", "folder", "uid", "date", "accounts", "subject"), rows)


def pause(ctx: typer.Context, mailboxes: SomeMailboxes) -> None:
    """Pause mailboxes.

    Everything is kept, nothing is done until `syncd resume`.

    \b
    Example:
      syncd pause claire
    """
    _change(of(ctx), mailboxes, "PAUSED", "paused")


def resume(ctx: typer.Context, mailboxes: SomeMailboxes) -> None:
    """Go on with mailboxes.

    Those that are paused or stopped, and those that wait for a person.

    \b
    Example:
      syncd resume claire
    """
    _change(of(ctx), mailboxes, "RUNNING", "running")


def stop(ctx: typer.Context, mailboxes: SomeMailboxes) -> None:
    """Stop mailboxes.

    The service forgets their tokens and passwords; what was logged stays.

    \b
    Example:
      syncd stop claire
    """
    _change(of(ctx), mailboxes, "STOPPED", "stopped")


def _change(cli: Cli, names: Sequence[str], state: str, word: str) -> None:
    from store import mailboxes as store
    from store.sync_state import MailboxState
    from syncd.daemon.clock import now

    wanted: MailboxState = MailboxState[state]
    with cli.installation() as installation:
        every = chosen(installation.settings, names)
        with installation.database.write() as session:
            before = {
                name: store.change_state(session, name, wanted, now(), actor=operator()) for name in every
            }
    for name, old in before.items():
        say(f"{name}: {word}" + (" already" if old is wanted else f" (was {old.name.lower()})"))
