"""Verbs on the CRM's records: list and show."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.context import Json, UsageError, of
from syncd.cli.output import as_json, clean_lines, say, shown, table, warn

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from store.accounts import AccountStatus
    from store.database import Transaction
    from store.details import Detail
    from store.report_rows import Page, Query
    from syncd.daemon.wiring import Installation

As = Annotated[
    str | None,
    typer.Option("--as", metavar="LOGIN", help="Act as this user of the CRM, with that user's rights."),
]


class Listed(StrEnum):
    """What can be listed."""

    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    PROJECTS = "projects"
    DEALS = "deals"
    OPPORTUNITIES = "opportunities"
    EMAILS = "emails"
    ACTIVITIES = "activities"
    MAILBOXES = "mailboxes"
    QUARANTINE = "quarantine"
    RUNS = "runs"
    USERS = "users"
    EVENTS = "events"
    TASKS = "tasks"


class Sorted(StrEnum):
    """In which order contacts are listed."""

    NAME = "name"
    UPDATED = "updated"


class Shown(StrEnum):
    """What can be shown."""

    ACCOUNT = "account"
    CONTACT = "contact"
    OPPORTUNITY = "opportunity"
    EMAIL = "email"
    ACTIVITY = "activity"
    EVENT = "event"
    TASK = "task"


def list_(
    ctx: typer.Context,
    *,
    what: Annotated[Listed, typer.Argument(metavar="WHAT", help=f"One of: {', '.join(Listed)}.")],
    text: Annotated[
        str | None, typer.Option("--text", help="Part of a name, an address or a subject; case ignored.")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Of this account: its id, ext_id or exact name.")
    ] = None,
    contact_: Annotated[int | None, typer.Option("--contact", metavar="ID", help="Of this contact.")] = None,
    opportunity: Annotated[
        int | None, typer.Option("--opportunity", metavar="ID", help="Of this opportunity.")
    ] = None,
    mailbox: Annotated[str | None, typer.Option("--mailbox", metavar="NAME", help="Of this mailbox.")] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="LOGIN", help="Of this user (events, tasks).")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help='From a day or an age on: "2026-01-31" or "30d".')
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Events from that day or age on; by default 30d.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Events up to that day.")] = None,
    pending: Annotated[
        bool, typer.Option("--pending", help="Activities that wait for a report, and no others.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Also tasks that are done or cancelled.")] = False,
    video: Annotated[bool, typer.Option("--video", help="Only events that are held by video.")] = False,
    status: Annotated[
        str | None, typer.Option("--status", help="Accounts: active, prospect, neglected or inactive.")
    ] = None,
    sort: Annotated[
        Sorted | None, typer.Option("--sort", help="Contacts: by name, or the last updated first.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many rows.")] = 50,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Leave out the first ones.")] = 0,
    json: Annotated[bool, Json] = False,
) -> None:
    """List records of the CRM.

    \b
    Examples:
      syncd list accounts --status neglected
      syncd list contacts --account "Garage Dupont"
      syncd list contacts --text "04 72"
      syncd list contacts --sort updated
      syncd list deals --account "Garage Dupont"
      syncd list emails --since 7d --text devis
      syncd list quarantine --json
      syncd list activities --pending
      syncd list events --user claire --from 2026-12-01 --to 2026-12-31
      syncd list events --video
    """
    from store import references
    from store.report_rows import Query

    wanted = None if status is None else _status(what, status)
    if sort is not None and what is not Listed.CONTACTS:
        raise UsageError(f"--sort is for contacts: {what.value} have one order")
    with of(ctx).installation() as installation:
        zone = installation.settings.workspace.timezone
        moment = None if since is None else _since(since, installation)
        digits = _digits(installation, text) if what is Listed.CONTACTS else ()
        with installation.database.read() as session:
            query = Query(
                text=text,
                account=None if account is None else references.account(session, account),
                contact=contact_,
                opportunity=opportunity,
                mailbox=mailbox,
                pending=pending,
                status=wanted,
                since=moment,
                digits=digits,
                updated_first=sort is Sorted.UPDATED,
                limit=limit,
                offset=offset,
            )
            if what in (Listed.EVENTS, Listed.TASKS):
                _entries(
                    (installation, session),
                    what,
                    query,
                    (user, from_ or since, to, video),
                    every=every,
                    json=json,
                )
                return
            page = _read(session, what, query)
    if json:
        as_json(page)
        return
    _rows(page.rows, zone)
    if page.total > len(page.rows):
        warn(
            f"{len(page.rows)} of {page.total}, from {offset + 1 if page.rows else 0} on (--limit, --offset)"
        )


def _digits(installation: "Installation", text: str | None) -> tuple[str, ...]:
    """What to look for in telephone numbers, whose forms are there afterwards."""
    from syncd.engine import phones

    country = installation.settings.workspace.default_country
    digits = phones.sought(text, country)
    if digits:
        phones.settle_all(installation.database, country)
    return digits


def _status(what: Listed, text: str) -> "AccountStatus":
    from store.fields import account_status

    if what is not Listed.ACCOUNTS:
        raise UsageError(f"--status is for accounts: {what.value} have none that it could mean")
    try:
        return account_status(text)
    except ValueError as error:
        raise UsageError(f"--status: {error}") from None


def _read(session: "Transaction", what: Listed, query: "Query") -> "Page[object]":
    from store import reports, status
    from store.report_rows import Page

    if what is Listed.MAILBOXES:
        rows = status.mailboxes(session)
        return Page(tuple(rows[query.offset : query.offset + query.limit]), len(rows), query.offset)
    readers: dict[Listed, Callable[[Transaction, Query], Page[Any]]] = {
        Listed.ACCOUNTS: reports.accounts,
        Listed.CONTACTS: reports.contacts,
        Listed.PROJECTS: reports.projects,
        Listed.DEALS: reports.deals,
        Listed.OPPORTUNITIES: reports.opportunities,
        Listed.EMAILS: reports.emails,
        Listed.ACTIVITIES: reports.activities,
        Listed.QUARANTINE: reports.quarantine,
        Listed.RUNS: reports.runs,
        Listed.USERS: reports.users,
    }
    return readers[what](session, query)


def _entries(
    place: tuple["Installation", "Transaction"],
    what: Listed,
    query: "Query",
    narrowed: tuple[str | None, str | None, str | None, bool],
    *,
    every: bool,
    json: bool,
) -> None:
    """Events by their occurrences, or tasks."""
    from store import entries, scheduling
    from syncd.cli import entries as shown_entries
    from syncd.daemon.clock import now

    (installation, session), (user, from_, to, video) = place, narrowed
    zone = installation.settings.workspace.timezone
    start, end = shown_entries.period(from_, to, now(), zone)
    wanted = entries.Wanted(
        start=start,
        end=end,
        user_id=None if user is None else scheduling.user(session, user).id,
        account_id=query.account,
        contact_id=query.contact,
        opportunity_id=query.opportunity,
        text=query.text,
        video=video,
    )
    if what is Listed.EVENTS:
        shown_entries.list_events(session, wanted, query, zone, json=json)
    else:
        shown_entries.list_tasks(session, wanted, query, every=every, json=json)


def _since(text: str, installation: "Installation") -> "datetime":
    from datetime import datetime, timedelta

    from config.values import parse_since
    from syncd.daemon.clock import now

    try:
        value = parse_since(text)
    except ValueError as error:
        raise UsageError(f"--since: {error}") from None
    if isinstance(value, timedelta):
        return now() - value
    return datetime(value.year, value.month, value.day, tzinfo=installation.settings.workspace.timezone)


def _rows(rows: Sequence[object], zone: "tzinfo") -> None:
    """A table of records; fields that are tables themselves are left to JSON."""
    from dataclasses import fields

    if not rows:
        say("None.")
        return
    names = [
        one.name
        for one in fields(rows[0])  # type: ignore[arg-type]  # rows are dataclasses, of one kind
        if not isinstance(getattr(rows[0], one.name), dict) and one.name != "folders"
    ]
    table(
        [name.rstrip("_") for name in names],
        [[shown(getattr(row, name), zone) for name in names] for row in rows],
    )


def show(
    ctx: typer.Context,
    what: Annotated[Shown, typer.Argument(metavar="WHAT", help=f"One of: {', '.join(Shown)}.")],
    record: Annotated[
        str, typer.Argument(metavar="ID", help="Its id; for an account also ext_id or exact name.")
    ],
    json: Annotated[bool, Json] = False,
) -> None:
    """Show one record with what hangs on it.

    \b
    Examples:
      syncd show account "Garage Dupont"
      syncd show email 12
    """
    from store import details, references

    with of(ctx).installation() as installation, installation.database.read() as session:
        zone = installation.settings.workspace.timezone
        if what is Shown.ACCOUNT:
            id_ = references.account(session, record)
        elif record.isascii() and record.isdecimal() and len(record) < 10:  # noqa: PLR2004 - 32 bits
            id_ = int(record)
        else:
            raise UsageError(f'"{record}" is no id: `syncd list` shows them')
        if what in (Shown.EVENT, Shown.TASK):
            from syncd.cli import entries

            show_entry = entries.show_event if what is Shown.EVENT else entries.show_task
            show_entry(session, id_, zone, json=json)
            return
        readers = {
            Shown.ACCOUNT: details.account,
            Shown.CONTACT: details.contact,
            Shown.OPPORTUNITY: details.opportunity,
            Shown.EMAIL: details.email,
            Shown.ACTIVITY: details.activity,
        }
        detail = readers[what](session, id_)
    if json:
        as_json({what.value: detail.fields, **detail.lists})
    else:
        _print(detail, zone)


def _print(detail: "Detail", zone: "tzinfo") -> None:
    texts = {}
    for name, value in detail.fields.items():
        if isinstance(value, str) and ("\n" in value or name == "body_text"):
            texts[name] = value
        elif value is not None and value not in ([], ()):
            say(f"{name.rstrip('_')}: {shown(value, zone)}")
    for name, value in texts.items():
        say()
        say(f"{name}:")
        say(clean_lines(value))
    for name, rows in detail.lists.items():
        if rows:
            say()
            say(f"{name}:")
            _rows(rows, zone)
