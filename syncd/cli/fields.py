"""The verbs of fields: diff and apply what the config says of own fields, value lists and labels."""

from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase, plural
from syncd.cli.context import Json, UsageError, actor, of
from syncd.cli.output import as_json, clean, say, table, warn
from syncd.cli.records import As

if TYPE_CHECKING:
    from store.field_config import FieldChange

fields = typer.Typer(
    help="Own fields, value lists and labels: from the config into the CRM.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@fields.command("diff")
def diff(ctx: typer.Context, json: Annotated[bool, Json] = False) -> None:
    """Tell what `syncd fields apply` would change. Exit code 1 if something cannot be applied.

    \b
    Example:
      syncd fields diff
    """
    from store import field_config

    with of(ctx).installation() as installation, installation.database.read() as session:
        changes = field_config.diff(session, installation.settings)
    if json:
        as_json({"changes": changes})
    else:
        _tell(changes)
    if any(one.problem for one in changes):
        raise typer.Exit(1)


@fields.command("apply")
def apply(
    ctx: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="As `syncd fields diff`.")] = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Make the CRM's fields and lists what the config says. Needs the role admin.

    Nothing that records hold is lost: what is no longer in the config is put out of use where they have it.

    \b
    Example:
      syncd fields apply
    """
    from store import field_config
    from syncd.daemon.clock import now

    with of(ctx).installation() as installation, installation.database.write() as session:
        changes = field_config.apply(session, installation.settings, actor(session, as_), now())
        if dry_run:
            session.rollback()
    if json:
        as_json({"dry_run": dry_run, "changes": changes})
        return
    _tell(changes)
    if changes:
        number = len(changes)
        say(
            plural("{number} change would be applied", "{number} changes would be applied", number)
            if dry_run
            else plural("{number} change applied", "{number} changes applied", number)
        )


def _tell(changes: "tuple[FieldChange, ...]") -> None:
    if not changes:
        say(Phrase("the CRM has the fields and lists of the config: nothing to change"))
        return
    table([Phrase("what"), Phrase("change")], [[clean(one.what), clean(one.does)] for one in changes])
    for one in changes:
        if one.problem:
            warn(Phrase("{name}: {value}", name=clean(one.what), value=clean(one.problem)))


def cells(given: list[str] | None) -> dict[str, str | None]:
    """What --set gives: `Z_x=5`, by header. Raises UsageError."""
    found: dict[str, str | None] = {}
    for one in given or ():
        key, equals, value = one.partition("=")
        if not equals or not key.strip().upper().startswith("Z_"):
            raise UsageError(Phrase('--set: "{value}" is not of the form Z_field=value', value=one[:60]))
        found[key.strip().lower()] = value.strip()
    return found
