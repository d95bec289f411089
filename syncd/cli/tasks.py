"""The verbs of one task: add, edit, done, reopen, cancel."""

from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from syncd.cli.context import Json, UsageError, of
from syncd.cli.editing import Alarm, Categories, Id, NoAlarm, Text, Version, change, minutes, tell
from syncd.cli.records import As

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.database import Transaction
    from syncd.engine.calendar.occasion import Occasion, Saved

task = typer.Typer(help="Add, change, finish one task.", no_args_is_help=True, rich_markup_mode=None)

Due = Annotated[str | None, typer.Option("--due", metavar="DATE", help="The day it is due; '' for none.")]
Assignee = Annotated[str | None, typer.Option("--assignee", metavar="LOGIN", help="By default who acts.")]
Account = Annotated[str | None, typer.Option("--account", help="Its id, ext_id or exact name.")]
Contact = Annotated[str | None, typer.Option("--contact", help="Its id or e-mail address.")]
Opportunity = Annotated[str | None, typer.Option("--opportunity", help="Its reference or id.")]
Event = Annotated[str | None, typer.Option("--event", metavar="ID", help="The event that it belongs to.")]
Privacy = Annotated[str | None, typer.Option("--privacy", help="public, private or confidential.")]


@task.command("add")
def add(
    ctx: typer.Context,
    *,
    subject: Annotated[str, typer.Option("--subject")],
    due: Due = None,
    notes: Text = None,
    location: Text = None,
    assignee: Assignee = None,
    account: Account = None,
    contact: Contact = None,
    opportunity: Opportunity = None,
    event: Event = None,
    alarm: Alarm = None,
    no_alarm: NoAlarm = False,
    category: Categories = None,
    privacy: Privacy = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Add a task. It has no time of day.

    \b
    Examples:
      syncd task add --as claire --subject "Envoyer le devis" --due 2026-12-01
      syncd task add --assignee marc --subject "Rappeler" --contact anne@dupont.example
    """
    from syncd.engine.calendar.occasion import TaskFields
    from syncd.engine.calendar.task_editing import add_task

    said = TaskFields(
        subject=subject, due=due, notes=notes, location=location, assignee=assignee, account=account,
        contact=contact, opportunity=opportunity, event=event, alarm=minutes(alarm, no_alarm=no_alarm),
        categories=None if category is None else tuple(category), privacy=privacy,
    )  # fmt: skip
    saved, record = change(of(ctx), as_, "task", lambda s, o: add_task(s, said, o))
    tell(saved, record, "task", "added", json=json)


@task.command("edit")
def edit(
    ctx: typer.Context,
    id_: Id,
    *,
    subject: Text = None,
    due: Due = None,
    notes: Text = None,
    location: Text = None,
    assignee: Assignee = None,
    account: Account = None,
    contact: Contact = None,
    opportunity: Opportunity = None,
    event: Event = None,
    alarm: Alarm = None,
    no_alarm: NoAlarm = False,
    category: Categories = None,
    privacy: Privacy = None,
    if_version: Version = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Change a task: only what is given. An empty text ('') empties a field.

    \b
    Example:
      syncd task edit 5 --due 2026-12-08 --assignee marc
    """
    from syncd.engine.calendar.occasion import TaskFields
    from syncd.engine.calendar.task_editing import edit_task

    said = TaskFields(
        subject=subject, due=due, notes=notes, location=location, assignee=assignee, account=account,
        contact=contact, opportunity=opportunity, event=event, alarm=minutes(alarm, no_alarm=no_alarm),
        categories=None if category is None else tuple(category), privacy=privacy,
    )  # fmt: skip
    if not said.given():
        raise UsageError(Phrase("nothing is given that could change: see `syncd task edit --help`"))
    saved, record = change(of(ctx), as_, "task", lambda s, o: edit_task(s, id_, said, o, expected=if_version))
    tell(saved, record, "task", "changed", json=json)


@task.command("done")
def done(
    ctx: typer.Context,
    id_: Id,
    if_version: Version = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Finish a task.

    \b
    Example:
      syncd task done 5 --as claire
    """
    from syncd.engine.calendar.task_editing import finish_task

    _step(ctx, as_, "done", lambda s, o: finish_task(s, id_, o, expected=if_version), json=json)


@task.command("reopen")
def reopen(
    ctx: typer.Context,
    id_: Id,
    if_version: Version = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Open a task again that is done or cancelled.

    \b
    Example:
      syncd task reopen 5
    """
    from syncd.engine.calendar.task_editing import reopen_task

    _step(ctx, as_, "reopened", lambda s, o: reopen_task(s, id_, o, expected=if_version), json=json)


@task.command("cancel")
def cancel(
    ctx: typer.Context,
    id_: Id,
    if_version: Version = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Cancel a task: it leaves the task lists, the CRM keeps it as history.

    \b
    Example:
      syncd task cancel 5
    """
    from syncd.engine.calendar.task_editing import cancel_task

    _step(ctx, as_, "cancelled", lambda s, o: cancel_task(s, id_, o, expected=if_version), json=json)


def _step(
    ctx: typer.Context,
    login: str | None,
    word: str,
    do: "Callable[[Transaction, Occasion], Saved]",
    *,
    json: bool,
) -> None:
    saved, record = change(of(ctx), login, "task", do)
    tell(saved, record, "task", word, json=json)
