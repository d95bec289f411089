"""The verbs of check-ins on site: add, and visit for one without a position."""

from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase, term, together
from syncd.cli import language
from syncd.cli.context import Cli, Json, UsageError, actor, of
from syncd.cli.output import as_json, clean, say
from syncd.cli.records import As

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings
    from store.database import Transaction
    from syncd.engine.calendar.occasion import Occasion
    from syncd.engine.checkins import Asked, Done

checkin = typer.Typer(help="Tell that one is on site.", no_args_is_help=True, rich_markup_mode=None)

Event = Annotated[
    int | None, typer.Option("--event", metavar="ID", min=1, max=2**31 - 1, help="At this event, on its day.")
]
Account = Annotated[
    str | None, typer.Option("--account", help="At this account: its id, ext_id or exact name.")
]
At = Annotated[
    str | None,
    typer.Option("--at", help='When: "2026-12-01 14:30", on the user\'s clock. By default now; never later.'),
]
Contacts = Annotated[
    list[int] | None,
    typer.Option(
        "--contact", metavar="ID", min=1, max=2**31 - 1, help="Who was met, with --account; several times."
    ),
]
NOTES = {
    "far": term("check-in", "far"),
    "low_accuracy": term("check-in", "low accuracy"),
    "first_location": term("check-in", "first location"),
}


@checkin.command("add")
def add(
    ctx: typer.Context,
    *,
    event: Event = None,
    account: Account = None,
    position: Annotated[
        str | None, typer.Option("--position", metavar="LAT,LON", help="Degrees: 45.764043,4.835659.")
    ] = None,
    accuracy: Annotated[
        float | None, typer.Option("--accuracy", metavar="M", help="How accurate it is, in metres.")
    ] = None,
    at: At = None,
    contact_: Contacts = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Check in on site: a visit with the position that proves it.

    One is near enough within [checkin] radius_m of the event's other address, else of the account. The first
    check-in at an account that is not located yet tells where it is. Once an event and user, on its day.

    \b
    Examples:
      syncd checkin add --as claire --event 12 --position 45.764043,4.835659 --accuracy 15
      syncd checkin add --as claire --account "Garage Dupont" --position 45.76,4.83 --accuracy 40 --contact 3
    """
    from syncd.core.checkins import Limits
    from syncd.engine import checkins

    asked = _asked(event, account, at, contact_, position=position, accuracy=accuracy)

    def do(session: "Transaction", occasion: "Occasion", settings: "Settings") -> "Done":
        said = settings.checkin
        limits = Limits(said.radius_m, said.alert_m, said.accuracy_m)
        return checkins.check_in(session, asked, limits, occasion)

    _tell(of(ctx), as_, do, json=json)


@checkin.command("visit")
def visit(
    ctx: typer.Context,
    *,
    event: Event = None,
    account: Account = None,
    at: At = None,
    contact_: Contacts = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Record a visit without a position, as where a check-in was refused.

    \b
    Example:
      syncd checkin visit --as claire --event 12
    """
    from syncd.engine import checkins

    asked = _asked(event, account, at, contact_)
    _tell(of(ctx), as_, lambda session, occasion, _: checkins.visit(session, asked, occasion), json=json)


def _asked(
    event: int | None,
    account: str | None,
    at: str | None,
    contacts: list[int] | None,
    *,
    position: str | None = None,
    accuracy: float | None = None,
) -> "Asked":
    from syncd.engine.checkins import Asked

    if (event is None) == (account is None):
        raise UsageError(Phrase("name exactly one of --event and --account"))
    return Asked(event, account, position, accuracy, at, tuple(contacts or ()))


def _tell(
    cli: Cli,
    login: str | None,
    do: "Callable[[Transaction, Occasion, Settings], Done]",
    *,
    json: bool,
) -> None:
    """Does it, and says what came of it."""
    from store.audit_log import Channel
    from syncd.core.distance import told
    from syncd.daemon.clock import now
    from syncd.daemon.occasions import occasion_of

    if login is None:
        raise UsageError(Phrase("--as LOGIN: name the user who is on site"))
    with cli.installation() as installation:
        with installation.database.read() as session:
            occasion = occasion_of(installation, actor(session, login), Channel.CLI, now())
        with installation.database.write() as session:
            done = do(session, occasion, installation.settings)
    if json:
        as_json(done)
        return
    name = clean(done.account)
    if done.checkin_id is None:
        say(Phrase("visit of {name} recorded: activity {activity}", name=name, activity=done.activity_id))
        return
    far = (
        ""
        if done.distance_m is None
        else Phrase(", {distance} away", distance=told(done.distance_m, language.chosen()))
    )
    note = NOTES.get(done.flag.value)
    say(
        Phrase(
            "check-in {id} at {name}{far}{note}: activity {activity}",
            id=done.checkin_id,
            name=name,
            far=far,
            note=together([" (", note, ")"], "") if note else "",
            activity=done.activity_id,
        )
    )
