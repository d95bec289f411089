"""How records are written from the command line."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from config.language import Phrase, plural, together
from syncd.cli import language
from syncd.cli.context import Cli, UsageError, actor
from syncd.cli.output import clean, say, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from store.actors import Actor
    from store.contacts import CreatedVia
    from store.csvfile import Fault, Line, Refused
    from store.database import Transaction
    from store.importing import Occasion, Options, Saved
    from store.removing import Removed
    from syncd.daemon.wiring import Installation

WARNINGS = 20  # more are only counted


class Removing(Protocol):
    """What deletes one record, or brings it back."""

    def __call__(
        self, session: "Transaction", id_: int, /, *, actor: "Actor", now: "datetime"
    ) -> "Removed": ...


def warnings(saved: "Saved") -> None:
    for warning in saved.warnings[:WARNINGS]:
        warn(Phrase("warning: {warning}", warning=clean(warning.told)))
    if len(saved.warnings) > WARNINGS:
        warn(
            Phrase("… and {count} more warnings (--json has them all)", count=len(saved.warnings) - WARNINGS)
        )


@contextmanager
def opened(place: "Cli | Installation") -> "Iterator[Installation]":
    """The installation that the options mean, for as long as it is needed; one that is open stays so."""
    if isinstance(place, Cli):
        with place.installation() as installation:
            yield installation
    else:
        yield place


def save(
    place: "Cli | Installation",
    kind: str,
    lines: "Sequence[Line]",
    *,
    source: str,
    login: str | None,
    dry_run: bool = False,
    options: "Options | None" = None,
    expected: int | None = None,
    also: "Callable[[Transaction, Saved, Occasion], None] | None" = None,
) -> "Saved":
    """Writes the rows, and `also` what belongs to them, together; tells of mail that stands because of
    addresses that nobody has any more."""
    from store.kinds import KINDS
    from syncd.daemon import offers
    from syncd.engine import records

    with opened(place) as installation:
        with installation.database.write() as session:
            said = occasion(installation, session, source, login)
            saved = records.save(
                session,
                KINDS[kind],
                lines,
                said,
                options,
                expected=expected,
                follows=installation.follows,
            )
            if also is not None:
                also(session, saved, said)
            if dry_run:
                session.rollback()
        offer(offers.freed(installation, saved.freed))
    return saved


def occasion(
    installation: "Installation",
    session: "Transaction",
    source: str,
    login: str | None,
    via: "CreatedVia | None" = None,
) -> "Occasion":
    """Who writes, now, by which command. `via` is how contacts come in; by default the command tells."""
    from store.contacts import CreatedVia
    from store.importing import Occasion
    from syncd.daemon.clock import now

    moment, who = now(), actor(session, login)
    return Occasion(
        actor=who,
        now=moment,
        today=moment.astimezone(installation.settings.workspace.timezone).date(),
        source=source,
        currency=installation.settings.workspace.currency,
        language=language.chosen(),
        via=via or (CreatedVia.MANUAL if source.startswith("contact ") else CreatedVia.IMPORT),
    )


def one(
    place: "Cli | Installation",
    kind: str,
    cells: "Mapping[str, str | None]",
    source: str,
    login: str | None,
    *,
    options: "Options | None" = None,
    expected: int | None = None,
    also: "Callable[[Transaction, Saved, Occasion], None] | None" = None,
) -> "Saved":
    """Writes one record: what is None is left as it is. Raises UsageError with the options that are wrong."""
    from store.csvfile import Line, Refused

    line = Line(1, given(cells))
    try:
        return save(
            place, kind, [line], source=source, login=login, options=options, expected=expected, also=also
        )
    except Refused as error:
        raise wrong(error) from None


def given(cells: "Mapping[str, str | None]") -> dict[str, str]:
    """The options that say something."""
    return {name: value.strip() for name, value in cells.items() if value is not None}


def wrong(error: "Refused") -> UsageError:
    """The faults of a row, named by the options that it was made of."""
    return UsageError(together(map(_told, error.faults)))


def _told(fault: "Fault") -> str:
    """On the command line there are no columns: what is missing is an option."""
    end = ": no such column"
    told = fault.message.removesuffix(end) if fault.message.endswith(end) else fault.message
    if isinstance(fault.message, Phrase) and told != fault.message:
        told = Phrase("is required for a new {entity}", **fault.message.values)
    if not fault.column:
        return told
    return Phrase("{option}: {message}", option=_option(fault.column), message=told)


def _option(column: str) -> str:
    """What the value of a column was given by."""
    return f"--set {column}" if column.startswith("z_") else f"--{column.replace('_', '-')}"


def delete(place: "Cli | Installation", remove: "Removing", id_: int, login: str | None, told: str) -> None:
    """Deletes one record by such a function of the store, with what follows from it, and says so; tells of
    mail that stands."""
    from syncd.daemon import offers

    with opened(place) as installation:
        removed = _remove(installation, remove, id_, login)
        say(told)
        offer(offers.freed(installation, removed.freed))


def restore(
    place: "Cli | Installation", bring_back: "Removing", id_: int, login: str | None, told: str
) -> None:
    """Brings one record back by such a function of the store, with what follows from it, and says so."""
    with opened(place) as installation:
        _remove(installation, bring_back, id_, login)
    say(told)


def _remove(installation: "Installation", remove: "Removing", id_: int, login: str | None) -> "Removed":
    from syncd.engine import records

    with installation.database.write() as session:
        said = occasion(installation, session, "", login)
        removed = remove(session, id_, actor=said.actor, now=said.now)
        records.settle(session, removed.accounts, said.today, said.now, installation.follows)
    return removed


def offer(freed: dict[str, int]) -> None:
    for address, number in freed.items():
        warn(
            plural(
                "{number} e-mail logged because of {address}, which nobody has any more: "
                "`syncd forget --address {address}` tells which",
                "{number} e-mails logged because of {address}, which nobody has any more: "
                "`syncd forget --address {address}` tells which",
                number,
                address=address,
            )
        )
