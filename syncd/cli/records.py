"""Verbs on the CRM's records: list and show."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.context import Json, UsageError, actor, of
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
    mine: Annotated[
        bool, typer.Option("--mine", help="Accounts that --as owns, or contacts of them.")
    ] = False,
    tag: Annotated[str | None, typer.Option("--tag", help="Accounts with this tag.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="CONDITION", help="On a field of the company's own: Z_x=5, Z_x>=5."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many rows.")] = 50,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Leave out the first ones.")] = 0,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """List records of the CRM.

    \b
    Examples:
      syncd list accounts --status neglected --tag bâtiment
      syncd list contacts --account "Garage Dupont"
      syncd list contacts --as claire --mine
      syncd list contacts --text "04 72"
      syncd list accounts --where "Z_overdue_days>30" --where Z_sector=retail
      syncd list deals --account "Garage Dupont"
      syncd list emails --since 7d --text devis
      syncd list quarantine --json
      syncd list activities --pending
      syncd list events --user claire --from 2026-12-01 --to 2026-12-31
      syncd list events --video
    """
    from store import references, visible
    from store.report_rows import Query

    wanted = None if status is None else _status(what, status)
    if tag is not None and what is not Listed.ACCOUNTS:
        raise UsageError(f"--tag is for accounts: {what.value} have none")
    if mine and (as_ is None or what not in {Listed.ACCOUNTS, Listed.CONTACTS}):
        raise UsageError("--mine is for accounts and contacts, and needs --as: whose")
    if where and what not in (Listed.ACCOUNTS, Listed.CONTACTS, Listed.OPPORTUNITIES):
        raise UsageError(f"--where is for accounts, contacts and opportunities, and not for {what.value}")
    with of(ctx).installation() as installation:
        zone = installation.settings.workspace.timezone
        moment = None if since is None else _since(since, installation)
        digits = _digits(installation, text) if what is Listed.CONTACTS else ()
        with installation.database.read() as session:
            reader = None if as_ is None else actor(session, as_)
            of_account = None if account is None else references.account(session, account)
            if of_account is not None:
                visible.require(session, reader, "account", of_account)
            query = Query(
                text=text,
                account=of_account,
                contact=contact_,
                opportunity=opportunity,
                mailbox=mailbox,
                pending=pending,
                status=wanted,
                tag=tag,
                reader=reader,
                owner=reader.user_id if mine and reader is not None else None,
                since=moment,
                digits=digits,
                where=tuple(where or ()),
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
    rows(page.rows, zone)
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
        rows = status.mailboxes(session, reader=query.reader)
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
        reader=query.reader,
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


def rows(found: Sequence[object], zone: "tzinfo") -> None:
    """A table of records; fields that are tables themselves are left to JSON."""
    from dataclasses import fields

    if not found:
        say("None.")
        return
    names = [
        one.name
        for one in fields(found[0])  # type: ignore[arg-type]  # rows are dataclasses, of one kind
        if not isinstance(getattr(found[0], one.name), dict) and one.name != "folders"
    ]
    table(
        [name.rstrip("_") for name in names],
        [[shown(getattr(row, name), zone) for name in names] for row in found],
    )


def show(
    ctx: typer.Context,
    what: Annotated[Shown, typer.Argument(metavar="WHAT", help=f"One of: {', '.join(Shown)}.")],
    record: Annotated[
        str, typer.Argument(metavar="ID", help="Its id; for an account also ext_id or exact name.")
    ],
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Show one record with what hangs on it.

    \b
    Examples:
      syncd show account "Garage Dupont"
      syncd show email 12
    """
    from store import details, references, visible

    with of(ctx).installation() as installation, installation.database.read() as session:
        zone = installation.settings.workspace.timezone
        reader = None if as_ is None else actor(session, as_)
        if what is Shown.ACCOUNT:
            id_ = references.account(session, record)
        elif record.isascii() and record.isdecimal() and len(record) < 10:  # noqa: PLR2004 - 32 bits
            id_ = int(record)
        else:
            raise UsageError(f'"{record}" is no id: `syncd list` shows them')
        if what in (Shown.EVENT, Shown.TASK):
            from syncd.cli import entries

            show_entry = entries.show_event if what is Shown.EVENT else entries.show_task
            visible.require(session, reader, what.value, id_)
            show_entry(session, id_, zone, json=json)
            return
        readers = {
            Shown.ACCOUNT: details.account,
            Shown.CONTACT: details.contact,
            Shown.OPPORTUNITY: details.opportunity,
            Shown.EMAIL: details.email,
            Shown.ACTIVITY: details.activity,
        }
        detail = readers[what](session, id_, reader)
    if json:
        first = {"recommendation": detail.recommendation} if what is Shown.ACCOUNT else {}
        as_json({**first, what.value: detail.fields, **detail.lists})
    else:
        if detail.recommendation is not None:
            from syncd.cli import recommendations

            recommendations.frame(detail.recommendation, installation.settings.workspace)
        _print(detail, zone, installation.settings.workspace.language)


def _print(detail: "Detail", zone: "tzinfo", language: str) -> None:
    texts = {}
    for field, stored in detail.fields.items():
        if field in detail.words.hidden:
            continue
        name, value = detail.words.name(field, language), detail.words.value(field, stored, language)
        if isinstance(value, str) and ("\n" in value or name == "body_text"):
            texts[name] = value
        elif value is not None and value not in ([], ()):
            say(f"{name.rstrip('_')}: {shown(value, zone)}")
    for name, value in texts.items():
        say()
        say(f"{name}:")
        say(clean_lines(value))
    for name, listed in detail.lists.items():
        if listed:
            say()
            say(f"{name}:")
            rows(listed, zone)
