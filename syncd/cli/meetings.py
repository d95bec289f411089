"""The verbs on meetings that are over: report, answer, waive."""

import sys
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from config.language import Phrase
from config.language import said as said_by
from syncd.cli.context import Json, UsageError, actor, of
from syncd.cli.editing import Id
from syncd.cli.output import as_json, clean, say, warn
from syncd.cli.records import As

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from store.database import Transaction
    from syncd.cli.context import Cli
    from syncd.engine.calendar.occasion import Occasion

T = TypeVar("T")

meeting = typer.Typer(help="Tell of a meeting that is over.", no_args_is_help=True, rich_markup_mode=None)


@meeting.command("report")
def report(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="EVENT", min=1, max=2**31 - 1)],
    *,
    start: Annotated[str, typer.Option("--start", metavar="TIME", help="Day and time.")],
    end: Annotated[str, typer.Option("--end", metavar="TIME", help="Day and time, or the time alone.")],
    occurrence: Annotated[
        str | None, typer.Option("--occurrence", metavar="DAY", help="Of a series: which one.")
    ] = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Tell when a video meeting really began and ended.

    Its activity has that duration then, in place of what the calendar says. A provider's list of who was
    there counts more, and stays.

    \b
    Examples:
      syncd meeting report 12 --start "2026-11-24 09:04" --end 09:51
      syncd meeting report 12 --occurrence 2026-11-24 --start "2026-11-24 09:04" --end 09:51
    """
    from syncd.engine.meetings import telling

    told = _do(
        of(ctx),
        as_,
        lambda s, o: telling.times(
            s, id_, occurrence, (_moment("--start", start, o), _end(start, end, o)), o
        ),
    )
    if json:
        as_json({"activity_id": told.activity_id, "duration_min": told.minutes, "changed": told.changed})
    elif told.activity_id is None:
        say(Phrase("kept: the activity gets this duration as soon as the meeting is recorded"))
    else:
        say(
            Phrase(
                "activity {activity_id}: {minutes} minutes",
                activity_id=told.activity_id,
                minutes=told.minutes,
            )
        )


@meeting.command("answer")
def answer(
    ctx: typer.Context,
    id_: Id,
    *,
    text: Annotated[str, typer.Option("--text", help="The report; - reads standard input.")],
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Report on the activity ID: it enters the history. A later report replaces the text of the former.

    The lines « Résultat : … » and « Suite : appel Dupont mardi 14h » are understood in it; the next step is
    made for who acts (--as).

    \b
    Example:
      syncd meeting answer 31 --as claire --text "Offre à envoyer."
    """
    from store.meetings import ReportChannel
    from syncd.engine.meetings import telling

    given = sys.stdin.read() if text == "-" else text
    done = _do(of(ctx), as_, lambda s, o: telling.answer(s, id_, given, o, ReportChannel.CLI))
    said = done.said
    if json:
        as_json({"activity_id": id_, "first": done.first, "outcome": said.outcome, "problems": said.problems,
                 "next_task_id": said.next_task_id, "next_event_id": said.next_event_id})  # fmt: skip
        return
    say(
        Phrase("activity {id} is in the history", id=id_)
        if done.first
        else Phrase("activity {id}: the report is changed", id=id_)
    )
    for kind, made in (("task", said.next_task_id), ("event", said.next_event_id)):
        if made is not None:
            say(Phrase("next step: {kind} {made}", kind=kind, made=made))
    for problem in said.problems:
        warn(clean(problem))


@meeting.command("waive")
def waive(ctx: typer.Context, id_: Id, as_: As = None, json: Annotated[bool, Json] = False) -> None:
    """Ask nobody for a report on the activity ID any more.

    \b
    Example:
      syncd meeting waive 31
    """
    from syncd.engine.meetings import telling

    waived = _do(of(ctx), as_, lambda s, o: telling.waive(s, id_, o))
    if json:
        as_json({"activity_id": id_, "waived": waived})
    else:
        say(
            Phrase("activity {id}: nobody is asked any more", id=id_)
            if waived
            else Phrase("activity {id}: nobody was asked", id=id_)
        )


def _do(cli: "Cli", login: str | None, work: "Callable[[Transaction, Occasion], T]") -> T:
    from store.audit_log import Channel
    from syncd.daemon.clock import now
    from syncd.daemon.occasions import occasion_of

    with cli.installation() as installation:
        with installation.database.read() as session:
            who = actor(session, login)
        occasion = occasion_of(installation, who, Channel.CLI, now())
        with installation.database.write() as session:
            return work(session, occasion)


def _moment(option: str, text: str, occasion: "Occasion") -> "datetime":
    from store.errors import Invalid
    from syncd.engine.calendar.clocks import read_when

    try:
        when = read_when(option, text, occasion.floating.key)
    except Invalid as error:
        raise UsageError(said_by(error)) from None
    if when.is_date:
        raise UsageError(
            Phrase('{option}: a time of day is needed, such as "2026-11-24 09:04"', option=option)
        )
    return when.instant(occasion.floating)


def _end(start: str, end: str, occasion: "Occasion") -> "datetime":
    """The end; a time alone is on the day of the start, or the next one after midnight."""
    from datetime import timedelta

    if "-" in end or "/" in end:
        return _moment("--end", end, occasion)
    first = _moment("--start", start, occasion)
    day = start.strip().replace("T", " ").partition(" ")[0]
    last = _moment("--end", f"{day} {end.strip()}", occasion)
    return last if last >= first else last + timedelta(days=1)
