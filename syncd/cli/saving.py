"""How records are written from the command line."""

from typing import TYPE_CHECKING

from syncd.cli.context import Cli, actor
from syncd.cli.output import clean, count, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from store.csvfile import Line
    from store.database import Transaction
    from store.importing import Occasion, Options, Saved

WARNINGS = 20  # more are only counted


def warnings(saved: "Saved") -> None:
    for warning in saved.warnings[:WARNINGS]:
        warn(f"warning: {clean(str(warning))}")
    if len(saved.warnings) > WARNINGS:
        warn(f"… and {len(saved.warnings) - WARNINGS} more warnings (--json has them all)")


def save(
    cli: Cli,
    kind: str,
    lines: "Sequence[Line]",
    *,
    source: str,
    login: str | None,
    dry_run: bool = False,
    options: "Options | None" = None,
    also: "Callable[[Transaction, Saved, Occasion], None] | None" = None,
) -> "Saved":
    """Writes the rows, and `also` what belongs to them, together; tells of mail that stands because of
    addresses that nobody has any more."""
    from store.contacts import CreatedVia
    from store.importing import Occasion
    from store.kinds import KINDS
    from syncd.daemon import offers
    from syncd.daemon.clock import now
    from syncd.engine import records

    with cli.installation() as installation:
        moment = now()
        zone = installation.settings.workspace.timezone
        with installation.database.write() as session:
            occasion = Occasion(
                actor=actor(session, login),
                now=moment,
                today=moment.astimezone(zone).date(),
                source=source,
                currency=installation.settings.workspace.currency,
                via=CreatedVia.MANUAL if source.startswith("contact ") else CreatedVia.IMPORT,
            )
            stale = installation.statuses.stale
            saved = records.save(session, KINDS[kind], lines, occasion, options, stale=stale)
            if also is not None:
                also(session, saved, occasion)
            if dry_run:
                session.rollback()
        offer(offers.freed(installation, saved.freed))
    return saved


def offer(freed: dict[str, int]) -> None:
    for address, number in freed.items():
        warn(
            f"{count(number, 'e-mail')} logged because of {address}, which nobody has any more: "
            f"`syncd forget --address {address}` tells which"
        )
