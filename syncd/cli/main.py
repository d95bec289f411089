"""The command `syncd`: its verbs, and what becomes of an error.

0    done
1    something failed, or needs a person
2    wrong usage, or a wrong config
130  interrupted
"""

import io
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import (
    accounts,
    cards,
    checkins,
    contact_mail,
    contacts,
    cycles,
    duplicates,
    events,
    fields,
    importing,
    language,
    mail,
    meetings,
    persons,
    pictures,
    quick,
    recommendations,
    reconciled,
    records,
    selling,
    setup,
    sheets,
    showing,
    status,
    statuses,
    tasks,
    timeline,
)
from syncd.cli.context import Cli, UsageError
from syncd.engine import garbage

FAILED, WRONG, INTERRUPTED, NOBODY_READS = 1, 2, 130, 141

app = typer.Typer(
    name="syncd",
    help="Keeps a company's mailboxes and its CRM in step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: quick, and the same in a pipe
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"syncd {version('crm-syncd')}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="The config file. By default $SYNCD_CONFIG, ./syncd.toml or /etc/syncd/syncd.toml.",
        ),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Log everything to stderr, and show defects with their traceback.")
    ] = False,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Keeps a company's mailboxes and its CRM in step: e-mail logged exactly once, none missed."""
    ctx.obj = Cli(config, debug)


for _verb, _function in (
    ("init", setup.init),
    ("check", setup.check),
    ("doctor", setup.doctor),
    ("run", cycles.run),
    ("sync", cycles.sync),
    ("status", status.status),
    ("pause", cycles.pause),
    ("resume", cycles.resume),
    ("stop", cycles.stop),
    ("release", reconciled.release),
    ("explain", mail.explain),
    ("undo", reconciled.undo),
    ("audit", mail.audit),
    ("quick-add", quick.quick_add),
    ("list", records.list_),
    ("show", showing.show),
    ("import", importing.import_),
    ("template", sheets.template),
    ("export", sheets.export),
):
    app.command(_verb)(_function)
pictures.add_to(contacts.contact, accounts.account)
app.add_typer(persons.forget, name="forget")
app.add_typer(accounts.account, name="account")
cards.add_to(contacts.contact)
duplicates.add_to(contacts.contact)
persons.add_to(contacts.contact)
timeline.add_to(contacts.contact)
contact_mail.add_to(contacts.contact)
app.add_typer(contacts.contact, name="contact")
for _noun, _group in selling.GROUPS.items():
    app.add_typer(_group, name=_noun)
app.add_typer(reconciled.conflicts, name="conflicts")
app.add_typer(events.event, name="event")
app.add_typer(tasks.task, name="task")
app.add_typer(meetings.meeting, name="meeting")
app.add_typer(checkins.checkin, name="checkin")
app.add_typer(fields.fields, name="fields")
app.add_typer(recommendations.recommendation, name="recommendation")
app.add_typer(statuses.recompute, name="recompute")
app.add_typer(setup.db, name="db")


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script. Ends the process."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    garbage.look_seldom()
    sys.exit(run(given))


# All verbs with their options are put together once: it takes longer than most commands.
_command = cache(typer.main.get_command)


def run(arguments: Sequence[str]) -> int:
    """Runs one command; returns its exit code. Whatever goes wrong becomes one clear message."""
    debug = "--debug" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 is no reason to fail
    try:
        _begin()
        code = _command(app).main(list(arguments), prog_name="syncd", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except BrokenPipeError:
        # Whoever read our output has seen enough (`syncd list emails | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except Exception as error:  # noqa: BLE001 - the one handler: a person never sees a traceback
        if debug:
            traceback.print_exc()
        return _explain(error)
    if code == INTERRUPTED:  # typer has caught it
        return _interrupted()
    return code if isinstance(code, int) else 0


def _begin() -> None:
    try:
        language.begin(os.environ.get(language.VARIABLE))
    except ValueError as error:
        raise UsageError(str(error)) from None


def _interrupted() -> int:
    _tell("interrupted: what was not finished is done again next time")
    _leave_threads(INTERRUPTED)
    return INTERRUPTED


def _explain(error: Exception) -> int:
    """Says what went wrong; returns the exit code."""
    from config.errors import ConfigError, SecretError
    from connectors.errors import SyncdError
    from store.errors import StoreError

    usage = typer.BadParameter.__mro__[1]  # typer has no public name for the errors of usage
    if isinstance(error, usage):
        getattr(error, "show")()  # noqa: B009 - see above
        return WRONG
    if isinstance(error, UsageError):
        _tell(language.told_of(error))
        return WRONG
    if isinstance(error, ConfigError):
        _tell("the config cannot be used:", *str(error).splitlines())
        return WRONG
    if isinstance(error, SecretError | StoreError | SyncdError):
        _tell(*language.told_of(error).splitlines())
        return FAILED
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        _tell(f"{name}{error.strerror or error}")
        return FAILED
    _tell(f"this is a defect of syncd ({type(error).__name__}); a report is in {_report(error)}")
    return FAILED


def _tell(*lines: str) -> None:
    from syncd.cli.output import clean

    for number, line in enumerate(lines or ("something failed",)):
        sys.stderr.write(("syncd: " if number == 0 else "  ") + clean(line) + "\n")


def _report(error: Exception) -> str:
    """Where the traceback was written: a file that only its owner can read."""
    text = "".join(traceback.format_exception(error))
    handle, name = tempfile.mkstemp(prefix="syncd-defect-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return name


def _leave_threads(code: int) -> None:
    """Does not wait for cycles under way: a kill at any moment loses nothing and repeats nothing."""
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
