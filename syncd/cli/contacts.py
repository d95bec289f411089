"""The verbs of one contact: add, edit, delete."""

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.context import Cli, UsageError, actor, of
from syncd.cli.output import say
from syncd.cli.records import As, offer, save, warnings

if TYPE_CHECKING:
    from store.importing import Saved

contact = typer.Typer(help="Add, change or delete one contact.", no_args_is_help=True, rich_markup_mode=None)

Text = Annotated[str | None, typer.Option()]


@contact.command("add")
def add(
    ctx: typer.Context,
    *,
    account: Annotated[str, typer.Option("--account", help="Its account: exact name or ext_id.")],
    last_name: Annotated[str, typer.Option("--last-name")],
    first_name: Text = None,
    email: Text = None,
    email2: Text = None,
    email3: Text = None,
    phone_landline: Text = None,
    phone_mobile: Text = None,
    position: Text = None,
    ext_id: Text = None,
    as_: As = None,
) -> None:
    """Add a contact. Older mail with its addresses is found and logged by the next cycle.

    \b
    Example:
      syncd contact add --account "Garage Dupont" --last-name Martin --email anne@dupont.example
    """
    cells = {
        "account": account, "last_name": last_name, "first_name": first_name, "email": email,
        "email2": email2, "email3": email3, "phone_landline": phone_landline,
        "phone_mobile": phone_mobile, "position": position, "ext_id": ext_id,
    }  # fmt: skip
    saved = _one(of(ctx), cells, "contact add", as_)
    warnings(saved)
    if saved.created:
        say(f"contact {saved.created[0]} added; the next cycle looks for older mail with its addresses")
    else:
        say("nothing to change")


@contact.command("edit")
def edit(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID")],
    *,
    account: Text = None,
    last_name: Text = None,
    first_name: Text = None,
    email: Text = None,
    email2: Text = None,
    email3: Text = None,
    phone_landline: Text = None,
    phone_mobile: Text = None,
    position: Text = None,
    as_: As = None,
) -> None:
    """Change a contact: only what is given. An empty text ('') empties a field.

    \b
    Examples:
      syncd contact edit 12 --email anne.martin@dupont.example
      syncd contact edit 12 --email2 ''
    """
    cells = {
        "id": str(id_), "account": account, "last_name": last_name, "first_name": first_name,
        "email": email, "email2": email2, "email3": email3, "phone_landline": phone_landline,
        "phone_mobile": phone_mobile, "position": position,
    }  # fmt: skip
    saved = _one(of(ctx), cells, "contact edit", as_)
    warnings(saved)
    say(f"contact {id_} changed" if saved.updated else "nothing to change")


@contact.command("delete")
def delete(ctx: typer.Context, id_: Annotated[int, typer.Argument(metavar="ID")], as_: As = None) -> None:
    """Delete a contact. What was logged stays: `syncd forget` removes it.

    \b
    Example:
      syncd contact delete 12
    """
    from store import removing
    from syncd.daemon import offers
    from syncd.daemon.clock import now

    with of(ctx).installation() as installation:
        with installation.database.write() as session:
            freed = removing.delete_contact(session, id_, actor=actor(session, as_), now=now())
        say(f"contact {id_} deleted")
        offer(offers.freed(installation, freed))


def _one(cli: Cli, cells: dict[str, str | None], source: str, login: str | None) -> "Saved":
    from store.csvfile import Fault, Line, Refused

    given = {name: value.strip() for name, value in cells.items() if value is not None}
    try:
        return save(cli, "contacts", [Line(1, given)], source=source, login=login)
    except Refused as error:
        faults = [Fault(0, f.column and f"--{f.column.replace('_', '-')}", f.message) for f in error.faults]
        raise UsageError(
            "; ".join(f"{f.column}: {f.message}" if f.column else f.message for f in faults)
        ) from None
