"""What every verb needs: the config file that was meant, the installation behind it, who acts."""

import getpass
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from config.language import Phrase
from syncd.cli import language

if TYPE_CHECKING:
    from config.settings import Settings
    from store.actors import Actor
    from store.database import Transaction
    from syncd.daemon.wiring import Installation

PLACES = (Path("syncd.toml"), Path("/etc/syncd/syncd.toml"))

Json = typer.Option("--json", help="Print JSON for programs: stable keys, dates in UTC.")


class UsageError(Exception):
    """The command was given something it cannot mean: exit code 2."""


@dataclass(frozen=True)
class Cli:
    """The options before the verb."""

    config: Path | None
    debug: bool

    def config_path(self, environ: Mapping[str, str] = os.environ) -> Path:
        """The file that was named, else the first of the usual ones. Raises UsageError if there is none."""
        if self.config is not None:
            return self.config
        if environ.get("SYNCD_CONFIG"):
            return Path(environ["SYNCD_CONFIG"])
        for path in PLACES:
            if path.is_file():
                return path
        raise UsageError(
            Phrase(
                "there is no config: name it with --config FILE or $SYNCD_CONFIG (looked for {map}); "
                "`syncd init` writes one to start from",
                map=" and ".join(map(str, PLACES)),
            )
        )

    @contextmanager
    def installation(self) -> Iterator["Installation"]:
        """The installation, opened, and closed at the end."""
        from syncd.daemon import logs
        from syncd.daemon.wiring import Installation

        # Whoever runs a verb reads its answer: the log's lines would only repeat it.
        logs.configure("debug" if self.debug else "critical", "console")
        installation = Installation.open(self.config_path())
        language.of_workspace(installation.settings.workspace.language)
        try:
            yield installation
        finally:
            installation.close()


def of(ctx: typer.Context) -> Cli:
    """The options before the verb."""
    found = ctx.find_object(Cli)
    if found is None:
        raise AssertionError("the options are read before any verb")
    return found


def chosen(settings: "Settings", names: Sequence[str] | None) -> list[str]:
    """The mailboxes that were named, each once; all of them where none was. Raises UsageError."""
    known = [mailbox.name for mailbox in settings.mailboxes]
    for name in names or ():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise UsageError(
                Phrase(
                    'there is no mailbox "{name}" in the config; did you mean "{near}"?',
                    name=name,
                    near=near[0],
                )
                if near
                else Phrase(
                    'there is no mailbox "{name}" in the config; known: {known}',
                    name=name,
                    known=", ".join(known) or "-",
                )
            )
    return list(dict.fromkeys(names)) if names else known


def operator() -> str:
    """The login of whoever sits at the machine, for the audit log."""
    try:
        return getpass.getuser()[:80]
    except (OSError, KeyError):
        return "admin"


def reader_of(session: "Transaction", login: str | None) -> "Actor | None":
    """Who reads: the CRM user that --as names; None, the admin at the machine, who reads everything."""
    return None if login is None else actor(session, login)


def account_of(session: "Transaction", text: str, reader: "Actor | None") -> int:
    """The account with that id, ext_id or exact name. Raises NotFound, also for what may not be seen."""
    from store import references, visible

    found = references.account(session, text)
    visible.require(session, reader, "account", found)
    return found


def actor(session: "Transaction", login: str | None) -> "Actor":
    """The CRM user who acts; without one, the admin at the machine."""
    from store import actors

    if login is None:
        return actors.admin_at_machine(operator())
    found = actors.user(session, login)
    language.of_user(found.language)
    return found
