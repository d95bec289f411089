"""What the verbs on events and tasks share: one change, by one person, in one transaction."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from config.words import noun_word, outcome_word
from syncd.cli.context import Cli, UsageError, actor
from syncd.cli.output import as_json, say

if TYPE_CHECKING:
    from store.database import Transaction
    from syncd.engine.calendar.occasion import Occasion, Saved

Text = Annotated[str | None, typer.Option()]
Id = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1)]
Version = Annotated[
    int | None,
    typer.Option("--if-version", metavar="N", help="Only if the record is still at this version."),
]
Several = Annotated[list[str] | None, typer.Option()]
Categories = Annotated[
    list[str] | None, typer.Option("--category", help="A category; may be given several times, '' for none.")
]
Alarm = Annotated[int | None, typer.Option("--alarm", metavar="MINUTES", help="Alert so long before.")]
NoAlarm = Annotated[bool, typer.Option("--no-alarm", help="No alert.")]


def change(
    cli: Cli, login: str | None, kind: str, do: "Callable[[Transaction, Occasion], Saved]"
) -> tuple["Saved", dict[str, object]]:
    """Makes the change; returns what came of it, and the record as it is then."""
    from store.audit_log import Channel
    from syncd.cli.entries import fields_of
    from syncd.daemon.clock import now
    from syncd.daemon.occasions import occasion_of

    with cli.installation() as installation:
        with installation.database.read() as session:
            who = actor(session, login)
        occasion = occasion_of(installation, who, Channel.CLI, now())
        with installation.database.write() as session:
            saved = do(session, occasion)
        with installation.database.read() as session:
            record = fields_of(session, kind, saved.id)
    return saved, record


def tell(saved: "Saved", record: dict[str, object], kind: str, word: str, *, json: bool) -> None:
    """The record for a program; one line for a person."""
    if json:
        as_json({"changed": saved.changed, "created": saved.created, kind: record})
    elif saved.changed:
        say(
            Phrase(
                "{kind} {id} {word} (version {version}); the next cycle tells the calendars",
                kind=noun_word(kind),
                id=saved.id,
                word=outcome_word(word),
                version=saved.version,
            )
        )
    else:
        say(Phrase("{kind} {id}: nothing to change", kind=noun_word(kind), id=saved.id))


def minutes(alarm: int | None, *, no_alarm: bool) -> int | None:
    """The alert that was asked for. Raises UsageError."""
    if no_alarm and alarm is not None:
        raise UsageError(Phrase("--alarm and --no-alarm: only one of them"))
    if alarm is not None and alarm < 0:
        raise UsageError(Phrase("--alarm: a number of minutes before the start is expected"))
    return -1 if no_alarm else alarm


def several(texts: list[str] | None) -> tuple[str, ...]:
    """Values of an option that may be given several times, also separated by commas."""
    return tuple(part.strip() for text in texts or () for part in text.split(",") if part.strip())
