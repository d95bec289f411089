"""The verb status: a line a mailbox, and below it what needs a person."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase, plural, together
from config.words import field_word, value_word
from syncd.cli.context import Json, chosen, of
from syncd.cli.output import age, as_json, say, shown, table

if TYPE_CHECKING:
    from store.attendance_rows import Stranger
    from store.status import MailboxStatus
    from syncd.daemon.wiring import Installation

SILENCE = timedelta(hours=2)  # after that, or ten intervals, a running mailbox was forgotten by its service
INTERVALS = 10
OFFERED = timedelta(days=14)  # so long status names people who came unplanned
FEW = 5  # people that it names


def status(
    ctx: typer.Context,
    mailboxes: Annotated[
        list[str] | None, typer.Argument(metavar="[MAILBOX]...", help="By default all of the config.")
    ] = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """How each mailbox is, and what needs a person.

    Exit code 1 if something does.

    \b
    Examples:
      syncd status
      syncd status claire --json
    """
    from store import attendance_rows, field_config
    from store import status as store
    from syncd.daemon.clock import now

    with of(ctx).installation() as installation:
        names = chosen(installation.settings, mailboxes)
        with installation.database.read() as session:
            rows = store.mailboxes(session, names)
            ledger = store.of_ledger(session)
            unreported = store.unreported(session)
            fields = len(field_config.diff(session, installation.settings))
            unplanned = attendance_rows.strangers(session, now() - OFFERED)
        moment = now()
        last = {row.name: _last_ok(installation, row) for row in rows}
        listened = {row.name: installation.listened.since(row.name, moment) for row in rows}
        needs = {row.name: _needs(installation, row, last[row.name], moment) for row in rows}
        refused = _refused(installation)
    if json:
        as_json(
            {
                "mailboxes": [
                    {
                        **_plain(row, last[row.name], moment, needs[row.name]),
                        "listened_since": listened[row.name],
                    }
                    for row in rows
                ],
                "changes_wait_for_next_cycle": ledger.directory_waits,
                "unreported_meetings": unreported,
                "unplanned_people": unplanned,
                "files_refused": refused,
                "fields_to_apply": fields,
            }
        )
    else:
        _print(rows, last, listened, moment)
        if ledger.directory_waits:
            say(Phrase("Accounts or contacts have changed: the next cycle looks for their older mail."))
        if fields:
            say(Phrase("The fields of the config are not those of the CRM: `syncd fields diff`."))
        if unreported:
            waiting = ", ".join(f"{one.user} {one.count}" for one in unreported)
            say(
                Phrase(
                    "Meetings and calls without a report: {waiting} (`syncd list activities --pending`).",
                    waiting=waiting,
                )
            )
        if unplanned:
            _unplanned(unplanned)
        lines = [
            plural(
                "{number} file in {folder}: the text beside it says why; remove both when it is done",
                "{number} files in {folder}: the text beside each says why; remove them when it is done",
                number,
                folder=folder,
            )
            for folder, number in refused.items()
        ]
        lines += [
            Phrase("{name}: {value}", name=name, value=line)
            for name, several in needs.items()
            for line in several
        ]
        if lines:
            say()
            say(Phrase("Needs a person:"))
            for line in lines:
                say(together(["  ", line], ""))
    if refused or any(needs.values()):
        raise typer.Exit(1)


def _unplanned(people: "Sequence[Stranger]") -> None:
    """Who came to meetings and could be a contact."""
    zone = UTC
    named = ", ".join(f"{shown(one.email, zone)} (event {one.event_id})" for one in people[-FEW:])
    left = len(people) - FEW
    more = Phrase(" and {count} more", count=left) if left > 0 else ""
    say(Phrase("Came to meetings unplanned: {named}{more}.", named=named, more=more))
    say(Phrase("`syncd contact from-email ADDRESS --event EVENT` makes a contact of one."))


def _refused(installation: "Installation") -> dict[str, int]:
    """How many dropped files wait in failed/ folders, by folder; texts beside them not counted."""
    from connectors.dropped import FAILED

    settings = installation.settings
    found = {}
    watched = (settings.video.attendance, settings.calls.directory, settings.recommendations.directory)
    for directory in watched:
        if directory is None:
            continue
        try:
            names = {one.name for one in (directory / FAILED).iterdir() if not one.name.startswith(".")}
        except OSError:
            continue  # nothing was put there yet
        reasons = {f"{name}.txt" for name in names}
        if files := names - reasons:
            found[str(directory / FAILED)] = len(files)
    return found


def _last_ok(installation: "Installation", row: "MailboxStatus") -> datetime | None:
    """When it was last found in order: the later of the last cycle that wrote and the last heartbeat."""
    try:
        beat = datetime.fromtimestamp((installation.heartbeat.folder / row.name).stat().st_mtime, tz=UTC)
    except OSError:
        return row.last_ok_at
    return beat if row.last_ok_at is None else max(beat, row.last_ok_at)


def _needs(
    installation: "Installation", row: "MailboxStatus", last_ok: datetime | None, now: datetime
) -> list[str]:
    from store.sync_state import MailboxState

    zone = installation.settings.workspace.timezone
    found: list[str] = []
    if row.state is MailboxState.NEEDS_ATTENTION:
        found.append(shown(row.attention, zone) if row.attention else Phrase("it waits for a person"))
    elif row.state is MailboxState.BRAKED:
        found.append(
            Phrase(
                "the brake is on, nothing is written: {why}; `syncd release {name} --dry-run` lists what "
                "waits, without --dry-run it lets that go",
                why=shown(row.attention, zone),
                name=row.name,
            )
        )
    elif row.last_error:
        found.append(_since(shown(row.last_error, zone), row.last_error_at, zone))
    found += [
        _since(
            Phrase("folder {name}: {why}", name=shown(folder.ref, zone), why=shown(folder.error, zone)),
            folder.error_at,
            zone,
        )
        for folder in row.folders
        if folder.error
    ]
    if row.quarantined:
        found.append(
            plural(
                "{number} message could not be read: `syncd list quarantine --mailbox {name}` tells why, "
                "`syncd sync --quarantined` tries again",
                "{number} messages could not be read: `syncd list quarantine --mailbox {name}` tells why, "
                "`syncd sync --quarantined` tries again",
                row.quarantined,
                name=row.name,
            )
        )
    if row.drafts is not None:
        found.append(
            plural(
                "{number} draft of a mail cannot be put: {why} (last tried {at}); `syncd sync --quarantined` "
                "tries again",
                "{number} drafts of mails cannot be put: {why} (last tried {at}); `syncd sync --quarantined` "
                "tries again",
                row.drafts.count,
                why=shown(row.drafts.error, zone),
                at=shown(row.drafts.since, zone),
            )
        )
    found += _of_calendars(row, zone)
    interval = installation.settings.interval_of(installation.settings.mailbox(row.name))
    silent = row.state is MailboxState.RUNNING and last_ok is not None
    if silent and last_ok is not None and now - last_ok > max(SILENCE, INTERVALS * interval):
        found.append(Phrase("nobody looked at it for {age}: is `syncd run` alive?", age=age(last_ok, now)))
    return found


def _since(what: str, at: datetime | None, zone: "tzinfo") -> str:
    return Phrase("{what} (since {at})", what=what, at=shown(at, zone))


def _of_calendars(row: "MailboxStatus", zone: "tzinfo") -> list[str]:
    found = [
        _since(
            Phrase(
                "calendar {name}: {why}", name=shown(one.name or one.ref, zone), why=shown(one.error, zone)
            ),
            one.error_at,
            zone,
        )
        for one in row.calendars
        if one.error
    ]
    frozen = sum(one.frozen for one in row.calendars)
    broken = sum(one.quarantined for one in row.calendars)
    if frozen:
        found.append(
            plural(
                "{number} item frozen: another program undoes what is written there; stop it, then "
                "`syncd release {name}`",
                "{number} items frozen: another program undoes what is written there; stop it, then "
                "`syncd release {name}`",
                frozen,
                name=row.name,
            )
        )
    if broken:
        found.append(
            plural(
                "{number} item of its calendars could not be read or written: `syncd list quarantine "
                "--mailbox {name}` tells why and what to do, `syncd sync --quarantined` tries again",
                "{number} items of its calendars could not be read or written: `syncd list quarantine "
                "--mailbox {name}` tells why and what to do, `syncd sync --quarantined` tries again",
                broken,
                name=row.name,
            )
        )
    if row.open_conflicts:
        found.append(
            plural(
                "{number} conflict waits for a decision: `syncd conflicts`",
                "{number} conflicts wait for a decision: `syncd conflicts`",
                row.open_conflicts,
            )
        )
    return found


def _plain(
    row: "MailboxStatus", last_ok: datetime | None, now: datetime, needs: Sequence[str]
) -> dict[str, object]:
    return {
        "name": row.name,
        "user": row.user,
        "state": row.state,
        "attention": row.attention,
        "last_ok_at": last_ok,
        "lag_seconds": None if last_ok is None else round((now - last_ok).total_seconds()),
        "last_error": row.last_error,
        "last_error_at": row.last_error_at,
        "verdicts": row.verdicts,
        "quarantined": row.quarantined,
        "queued": row.queued,
        "drafts_held": row.drafts,
        "folders": row.folders,
        "calendars": row.calendars,
        "open_conflicts": row.open_conflicts,
        "waiting_for_calendars": row.waiting,
        "writes_without_an_answer": row.unanswered,
        "needs_person": needs,
    }


def _print(
    rows: "Sequence[MailboxStatus]",
    last: dict[str, datetime | None],
    listened: dict[str, datetime | None],
    now: datetime,
) -> None:
    from store.sync_state import VerdictKind

    table(
        [
            field_word("mailbox"),
            field_word("state"),
            Phrase("looked at"),
            Phrase("listened to"),
            Phrase("messages"),
            Phrase("logged"),
            Phrase("skipped"),
            Phrase("quarantined"),
            Phrase("queued"),
        ],
        [
            (
                row.name,
                value_word(row.state),
                Phrase("never")
                if last[row.name] is None
                else Phrase("{age} ago", age=age(last[row.name], now)),
                "" if listened[row.name] is None else Phrase("for {age}", age=age(listened[row.name], now)),
                str(sum(row.verdicts.values())),
                str(row.verdicts.get(VerdictKind.LOGGED, 0)),
                str(
                    sum(row.verdicts.values())
                    - row.verdicts.get(VerdictKind.LOGGED, 0)
                    - row.verdicts.get(VerdictKind.QUARANTINED, 0)
                ),
                str(row.quarantined),
                str(row.queued),
            )
            for row in rows
        ],
    )
    calendars = [(row.name, one) for row in rows for one in row.calendars]
    if calendars:
        say()
        zone = UTC
        table(
            [
                field_word("mailbox"),
                Phrase("calendar"),
                Phrase("in step"),
                Phrase("frozen"),
                Phrase("quarantined"),
                "",
            ],
            [
                (
                    name,
                    shown(one.name or one.ref, zone),
                    str(one.items),
                    str(one.frozen),
                    str(one.quarantined),
                    Phrase("failed") if one.error else "" if one.read else Phrase("not read yet"),
                )
                for name, one in calendars
            ],
        )
    for row in rows:
        if row.unanswered:
            say()
            say(
                plural(
                    "{name}: {number} write to its calendars without an answer so far: each cycle looks "
                    "whether it arrived, where it can look into the calendar",
                    "{name}: {number} writes to its calendars without an answer so far: each cycle looks "
                    "whether they arrived, where it can look into the calendar",
                    row.unanswered,
                    name=row.name,
                )
            )
