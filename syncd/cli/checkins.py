"""The verbs of check-ins on site: add, edit, delete, and visit for one without a position."""

from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase, term, together
from syncd.cli import language
from syncd.cli.context import Cli, Json, UsageError, actor, of
from syncd.cli.editing import Version
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
Position = Annotated[
    str | None, typer.Option("--position", metavar="LAT,LON", help="Degrees: 45.764043,4.835659.")
]
Accuracy = Annotated[
    float | None, typer.Option("--accuracy", metavar="M", help="How accurate it is, in metres.")
]
Id = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1)]
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
    position: Position = None,
    accuracy: Accuracy = None,
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


@checkin.command("edit")
def edit(
    ctx: typer.Context,
    id_: Id,
    *,
    position: Position = None,
    accuracy: Accuracy = None,
    at: At = None,
    contact_: Contacts = None,
    if_version: Version = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Correct a check-in and its visit: one's own; advanced users that of those whom they lead, admins every.

    Another position comes with its accuracy, and is accepted or refused as that of a new check-in. --at stays
    on the day of the event. --contact names all who were met, of a check-in without an event.

    \b
    Examples:
      syncd checkin edit 3 --as claire --position 45.764043,4.835659 --accuracy 15
      syncd checkin edit 3 --as claire --at "2026-12-01 14:30"
    """
    from syncd.core.checkins import Limits
    from syncd.engine import checkins

    contacts = None if contact_ is None else tuple(contact_)
    said = checkins.Correction(position, accuracy, at, contacts)

    def do(session: "Transaction", occasion: "Occasion", settings: "Settings") -> "Done":
        keys = settings.checkin
        limits = Limits(keys.radius_m, keys.alert_m, keys.accuracy_m)
        return checkins.edit(session, id_, said, limits, occasion, expected=if_version)

    done = _do(of(ctx), as_, do)
    if json:
        as_json(done)
    elif not done.changed:
        say(Phrase("check-in {id}: nothing to change", id=id_))
    else:
        say(Phrase("check-in {id} at {name} is corrected{far}{note}", **_words(done)))


@checkin.command("delete")
def delete(
    ctx: typer.Context,
    id_: Id,
    *,
    if_version: Version = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Take a check-in away with its position, and its visit out of the history; as edit for whose it may be.

    Its user may check in at that meeting again. An account that it located stays where it is.

    \b
    Example:
      syncd checkin delete 3 --as claire
    """
    from syncd.engine import checkins

    done = _do(of(ctx), as_, lambda session, occasion, _: checkins.delete(
        session, id_, occasion, expected=if_version
    ))  # fmt: skip
    if json:
        as_json(done)
        return
    say(Phrase("check-in {id} at {name} is deleted, and its visit", id=id_, name=clean(done.account)))
    if done.flag.value == "first_location":
        say(Phrase("{name} stays where it was located: change that too if need be", name=clean(done.account)))


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
    if login is None:
        raise UsageError(Phrase("--as LOGIN: name the user who is on site"))
    done = _do(cli, login, do)
    if json:
        as_json(done)
    elif done.checkin_id is None:
        name = clean(done.account)
        say(Phrase("visit of {name} recorded: activity {activity}", name=name, activity=done.activity_id))
    else:
        words = _words(done)
        say(Phrase("check-in {id} at {name}{far}{note}: activity {activity}", **words))


def _do(cli: Cli, login: str | None, do: "Callable[[Transaction, Occasion, Settings], Done]") -> "Done":
    from store.audit_log import Channel
    from syncd.daemon.clock import now
    from syncd.daemon.occasions import occasion_of

    with cli.installation() as installation:
        with installation.database.read() as session:
            occasion = occasion_of(installation, actor(session, login), Channel.CLI, now())
        with installation.database.write() as session:
            return do(session, occasion, installation.settings)


def _words(done: "Done") -> dict[str, object]:
    from syncd.core.distance import told

    far = (
        ""
        if done.distance_m is None
        else Phrase(", {distance} away", distance=told(done.distance_m, language.chosen()))
    )
    note = NOTES.get(done.flag.value)
    return {
        "id": done.checkin_id,
        "name": clean(done.account),
        "far": far,
        "note": together([" (", note, ")"], "") if note else "",
        "activity": done.activity_id,
    }
