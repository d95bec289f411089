"""Verbs for setting up: init, check, doctor, db."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.context import Json, UsageError, chosen, of
from syncd.cli.output import as_json, count, progress, say, shown, table, warn

if TYPE_CHECKING:
    from syncd.daemon.doctor import Diagnosis

db = typer.Typer(help="The database's tables.", no_args_is_help=True, rich_markup_mode=None)

MailboxNames = Annotated[
    list[str] | None, typer.Argument(metavar="[MAILBOX]...", help="By default all of the config.")
]


def init(
    where: Annotated[
        Path, typer.Argument(metavar="[DIR|FILE]", help="Where to write it; by default ./syncd.toml.")
    ] = Path("syncd.toml"),
) -> None:
    """Write a commented config to start from.

    \b
    Examples:
      syncd init
      syncd init /etc/syncd
    """
    from config.load import default_text

    path = where / "syncd.toml" if where.is_dir() or where.suffix != ".toml" else where
    if path.exists():
        raise UsageError(f"{path} is there already and is not overwritten: name another file, or edit it")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(default_text())
    path.chmod(0o600)
    say(f"Wrote {path}. Next: edit it, then")
    for verb in ("check", "db upgrade", "doctor", "sync --dry-run"):
        say(f"  syncd --config {path} {verb}")


def check(
    ctx: typer.Context,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of the config, for editors.")
    ] = False,
    json: Annotated[bool, Json] = False,
) -> None:
    """Validate the config, offline.

    All mistakes at once, each with its file and line.

    \b
    Examples:
      syncd --config /etc/syncd/syncd.toml check
      syncd check --schema > syncd.schema.json
    """
    if schema:
        from config.schema import json_schema

        as_json(json_schema())
        return
    from config.load import load

    path = of(ctx).config_path()
    settings = load(path)
    facts = {
        "config": path,
        "workspace": settings.workspace.name,
        "users": [user.login for user in settings.users],
        "mailboxes": [mailbox.name for mailbox in settings.mailboxes],
        "push": [mailbox.name for mailbox in settings.mailboxes if settings.push_of(mailbox)],
        "exclusions": len(settings.mail.exclude),
        "state_dir": settings.store_dir(),
    }
    if json:
        as_json(facts)
        return
    say(f"{path}: no mistakes")
    boxes = len(settings.mailboxes)
    mailboxes = f"{boxes} mailbox{'' if boxes == 1 else 'es'}"
    users = count(len(settings.users), "user")
    say(f"{users}, {mailboxes}, {count(len(settings.mail.exclude), 'exclusion')}")
    off = sum(not settings.push_of(mailbox) for mailbox in settings.mailboxes)
    if off:
        say(f"push is off for {off} of {boxes}")
    if not settings.mailboxes:
        warn("no [[mailboxes]] yet: there is nothing to synchronise")


def doctor(ctx: typer.Context, mailboxes: MailboxNames = None, json: Annotated[bool, Json] = False) -> None:
    """Try each mailbox, and tell what to mend.

    Logs in, lists the folders and which are read, the calendars and which are kept in step: what they hold,
    whether they can be written, and whether the server mails invitations itself. Looks at the database and
    at the files of the service too. Changes nothing. Exit code 1 if something needs mending.

    \b
    Examples:
      syncd doctor
      syncd doctor claire
    """
    from config.load import load
    from syncd.daemon import doctor as checks
    from syncd.daemon import logs

    cli = of(ctx)
    logs.configure("debug" if cli.debug else "critical", "console")
    path = cli.config_path()
    names = chosen(load(path), mailboxes)
    house = checks.house(path)
    found = []
    with progress("trying mailboxes", len(names)) as step:
        for diagnosis in checks.mailboxes(path, names):
            found.append(diagnosis)
            step()
    good = all(one.good for one in house) and all(one.good for one in found)
    if json:
        as_json({"good": good, "installation": house, "mailboxes": found})
    else:
        for check_ in house:
            say(f"{'ok  ' if check_.good else 'MEND'}  {check_.what}: {check_.says}")
        for one in found:
            say()
            say(f"{'ok  ' if one.good else 'MEND'}  mailbox {one.mailbox}: {one.says}")
            _folders(one)
            _calendars(one)
    if not good:
        raise typer.Exit(1)


def _folders(diagnosis: "Diagnosis") -> None:
    from datetime import UTC

    if diagnosis.capabilities:
        say(f"      server: {', '.join(diagnosis.capabilities)}")
    if diagnosis.push:
        say(f"      tells of changes: {diagnosis.push}")
    if diagnosis.folders:
        table(
            ("      folder", "role", "read", "messages", "problem"),
            [
                (
                    f"      {shown(f.ref, UTC)}",
                    f.role,
                    shown(f.read, UTC),
                    shown(f.messages, UTC),
                    shown(f.problem, UTC),
                )
                for f in diagnosis.folders
            ],
        )


def _calendars(diagnosis: "Diagnosis") -> None:
    from datetime import UTC

    if diagnosis.calendars:
        table(
            ("      calendar", "holds", "synchronised", "writable", "mails invitations", "problem"),
            [
                (
                    f"      {shown(one.name or one.ref, UTC)}",
                    shown(one.kinds, UTC),
                    shown(one.chosen, UTC),
                    shown(one.writable, UTC),
                    shown(one.schedules, UTC),
                    shown(one.problem, UTC),
                )
                for one in diagnosis.calendars
            ],
        )


@db.command("upgrade")
def upgrade(ctx: typer.Context) -> None:
    """Make the tables, or bring them to what this version needs.

    \b
    Example:
      syncd db upgrade
    """
    from config.load import load
    from store.database import SCHEMA
    from syncd.daemon.doctor import database_of
    from syncd.engine import phones

    settings = load(of(ctx).config_path())
    with database_of(settings) as database:
        before, needed = database.revision(), SCHEMA
        if before == needed:
            say(f"The database is at schema {needed} already.")
            return
        database.upgrade()
        phones.settle_all(database, settings.workspace.default_country)
        say(f"The database is at schema {needed} now" + (f" (was {before})." if before else "."))


@db.command("check")
def check_database(ctx: typer.Context, json: Annotated[bool, Json] = False) -> None:
    """Tell whether the tables are those that this version needs; exit code 1 if not.

    \b
    Example:
      syncd db check
    """
    from config.load import load
    from store.database import SCHEMA
    from store.errors import SchemaMismatch
    from syncd.daemon.doctor import database_of

    settings = load(of(ctx).config_path())
    with database_of(settings) as database:
        problem = None
        try:
            database.check_schema()
        except SchemaMismatch as error:
            problem = str(error)
        facts = {"schema": database.revision(), "needed": SCHEMA, "problem": problem}
    if json:
        as_json(facts)
    else:
        say(problem or f"The database is at schema {facts['schema']}, as it should be.")
    if problem:
        raise typer.Exit(1)
