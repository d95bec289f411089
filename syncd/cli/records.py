"""The verb list: records of the CRM, a page at a time."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from config.language import Phrase
from syncd.cli import listed_values
from syncd.cli.context import Json, UsageError, account_of, of, reader_of
from syncd.cli.output import as_json, say, shown, table, warn_of_more

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from store.accounts import AccountStatus, AccountType
    from store.database import Transaction
    from store.report_rows import Page, Query, Sort
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
    PRODUCTS = "products"
    ORDERS = "orders"
    EMAILS = "emails"
    ACTIVITIES = "activities"
    MAILBOXES = "mailboxes"
    QUARANTINE = "quarantine"
    RUNS = "runs"
    USERS = "users"
    EVENTS = "events"
    TASKS = "tasks"
    IMPORTS = "imports"
    CHECKINS = "checkins"


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
        str | None, typer.Option("--user", metavar="LOGIN", help="Of this user (events, tasks, checkins).")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", help='From a day or an age on, of records changed since: "2026-01-31" or "30d".'
        ),
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
        str | None,
        typer.Option(
            "--status", help="Accounts: active, prospect, neglected or inactive; others: their own."
        ),
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", metavar="LOGIN", help="Of this owner.")] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="FIELD", help="By this field; -FIELD the other way round.")
    ] = None,
    mine: Annotated[
        bool, typer.Option("--mine", help="Accounts that --as owns, or contacts of them.")
    ] = False,
    tag: Annotated[str | None, typer.Option("--tag", help="Accounts with this tag.")] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role", help="Contacts in this role, by code or label; several times: in one of them."
        ),
    ] = None,
    segment: Annotated[
        list[str] | None, typer.Option("--segment", help="Accounts of this segment; as --role.")
    ] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            help="Accounts: customer, competitor, group, internal or partner. Opportunities: as --role.",
        ),
    ] = None,
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
      syncd list accounts --status neglected --type customer --owner claire --tag bâtiment
      syncd list opportunities --status open --sort -total
      syncd list contacts --account "Garage Dupont"
      syncd list contacts --as claire --mine
      syncd list contacts --text "04 72"
      syncd list contacts --role buyer --role Décideur --sort -updated_at
      syncd list accounts --where "Z_overdue_days>30" --where Z_sector=retail
      syncd list deals --account "Garage Dupont"
      syncd list emails --since 7d --text devis
      syncd list quarantine --json
      syncd list activities --pending
      syncd list events --user claire --from 2026-12-01 --to 2026-12-31
      syncd list events --video
    """
    from store import scheduling
    from store.report_rows import Query

    wanted = account_status_of(status) if status is not None and what is Listed.ACCOUNTS else None
    account_type = _type(type_) if type_ and what is Listed.ACCOUNTS else None
    lists = {
        "contact_role": role,
        "account_segment": segment,
        "opportunity_type": None if account_type else type_,
    }
    listed_values.only_for(what.value, lists)
    if tag is not None and what is not Listed.ACCOUNTS:
        raise UsageError(Phrase("--tag is for accounts: {what} have none", what=what.value))
    if mine and (as_ is None or what not in {Listed.ACCOUNTS, Listed.CONTACTS}):
        raise UsageError(Phrase("--mine is for accounts and contacts, and needs --as: whose"))
    if what is Listed.CHECKINS:
        owner = user or owner
    if where and what not in (Listed.ACCOUNTS, Listed.CONTACTS, Listed.OPPORTUNITIES):
        raise UsageError(
            Phrase("--where is for accounts, contacts and opportunities, and not for {what}", what=what.value)
        )
    with of(ctx).installation() as installation:
        zone = installation.settings.workspace.timezone
        moment = None if since is None else since_when(since, installation)
        digits = _digits(installation, text) if what is Listed.CONTACTS else ()
        with installation.database.read() as session:
            reader = reader_of(session, as_)
            query = Query(
                text=text,
                account=None if account is None else account_of(session, account, reader),
                contact=contact_,
                opportunity=opportunity,
                mailbox=mailbox,
                pending=pending,
                status=wanted,
                type=account_type,
                tag=tag,
                reader=reader,
                mine=reader.user_id if mine and reader is not None else None,
                since=moment,
                digits=digits,
                where=tuple(where or ()),
                changed_since=moment,
                owner=None if owner is None else scheduling.user(session, owner).id,
                items=(
                    *listed_values.chosen(session, lists),
                    *listed_values.in_status(session, what.value, None if wanted else status),
                ),
                sort=None if sort is None else _sort(what, sort),
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
            reading = listed_values.reading(session, what.value)
    if json:
        as_json(page)
        return
    rows(page.rows, zone, reading)
    warn_of_more(len(page.rows), page.total, offset + 1 if page.rows else 0)


def _digits(installation: "Installation", text: str | None) -> tuple[str, ...]:
    """What to look for in telephone numbers, whose forms are there afterwards."""
    from syncd.engine import phones

    country = installation.settings.workspace.default_country
    digits = phones.sought(text, country)
    if digits:
        phones.settle_all(installation.database, country)
    return digits


def account_status_of(text: str) -> "AccountStatus":
    """The status of accounts that is meant. Raises UsageError."""
    from store.readers import account_status

    try:
        return account_status(text)
    except ValueError as error:
        raise UsageError(Phrase("--status: {error}", error=error)) from None


def _type(texts: list[str]) -> "AccountType":
    """A type of accounts, in English or French."""
    from store.accounts import AccountType
    from store.fields import ACCOUNTS

    if len(texts) > 1:
        raise UsageError(Phrase("--type: accounts are listed of one type at a time"))
    try:
        found = ACCOUNTS.by_header["type"].read(texts[0].strip())
    except ValueError as error:
        raise UsageError(Phrase("--type: {error}", error=error)) from None
    return AccountType(found)


def _sort(what: Listed, text: str) -> "Sort":
    from store.kinds import KINDS
    from store.narrowing import SORTED
    from store.report_rows import Sort

    known = SORTED.get(KINDS[what.value].entity, ()) if what.value in KINDS else ()
    column = text.removeprefix("-")
    if column not in known:
        raise UsageError(
            Phrase(
                "--sort: {what} can be sorted by {known}",
                what=what.value,
                known=", ".join(known) or Phrase("nothing else"),
            )
        )
    return Sort(column, descending=text.startswith("-"))


def _read(session: "Transaction", what: Listed, query: "Query") -> "Page[object]":
    from store import checkin_rows, contact_list, import_runs, reports, selling_reports, status
    from store.report_rows import Page

    if what is Listed.MAILBOXES:
        rows = status.mailboxes(session, reader=query.reader)
        return Page(tuple(rows[query.offset : query.offset + query.limit]), len(rows), query.offset)
    readers: dict[Listed, Callable[[Transaction, Query], Page[Any]]] = {
        Listed.ACCOUNTS: reports.accounts,
        Listed.CONTACTS: contact_list.contacts,
        Listed.PROJECTS: reports.projects,
        Listed.DEALS: reports.deals,
        Listed.OPPORTUNITIES: reports.opportunities,
        Listed.EMAILS: reports.emails,
        Listed.ACTIVITIES: reports.activities,
        Listed.QUARANTINE: reports.quarantine,
        Listed.RUNS: reports.runs,
        Listed.USERS: reports.users,
        Listed.IMPORTS: import_runs.page,
        Listed.CHECKINS: checkin_rows.page,
        Listed.PRODUCTS: selling_reports.products,
        Listed.ORDERS: selling_reports.orders,
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


def since_when(text: str, installation: "Installation") -> "datetime":
    """The moment that a day or an age means. Raises UsageError."""
    from datetime import datetime, timedelta

    from config.values import parse_since
    from syncd.daemon.clock import now

    try:
        value = parse_since(text)
    except ValueError as error:
        raise UsageError(Phrase("--since: {error}", error=error)) from None
    if isinstance(value, timedelta):
        return now() - value
    return datetime(value.year, value.month, value.day, tzinfo=installation.settings.workspace.timezone)


def rows(found: Sequence[object], zone: "tzinfo", reading: "listed_values.Reading | None" = None) -> None:
    """A table of records; fields that are tables themselves are left to JSON. `reading` tells what people
    call fields and values, and what is hidden."""
    from dataclasses import fields

    if not found:
        say(Phrase("None."))
        return
    names = [
        one.name
        for one in fields(found[0])  # type: ignore[arg-type]  # rows are dataclasses, of one kind
        if not isinstance(getattr(found[0], one.name), dict) and one.name not in {"folders", "sync"}
    ]
    seen = reading or listed_values.Reading()
    names = [name for name in names if seen.shows(name)]
    table(
        [seen.name(name.rstrip("_")) for name in names],
        [[shown(seen.value(name, getattr(row, name)), zone) for name in names] for row in found],
    )
