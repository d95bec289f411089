"""The verbs of one account: add, edit, delete, restore; drafts, approve, reject."""

from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from syncd.cli import saving
from syncd.cli.context import Cli, Json, actor, of, reader_of
from syncd.cli.editing import Id, Version
from syncd.cli.options import with_fields
from syncd.cli.output import as_json, say
from syncd.cli.records import As
from syncd.cli.saving import given, occasion, one, warnings, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

account = typer.Typer(
    help="Add, change or delete one account; decide on drafts.", no_args_is_help=True, rich_markup_mode=None
)

FIELDS = (
    "name", "type", "owner", "parent", "tags", "public", "website", "email", "phone", "phone2", "fax",
    "vat_number", "address1", "address2", "postcode", "city", "region", "country", "latitude",
    "longitude", "segment", "comment", "ext_id",
)  # fmt: skip
HELP = {
    "type": "customer, competitor, group, internal or partner.",
    "owner": "Whose account it is: a login.",
    "parent": "The account it belongs to: exact name or ext_id.",
    "tags": "All its tags, separated by commas; '' for none.",
    "public": "yes: everybody may read it.",
    "country": 'Two letters such as "FR" (ISO 3166-1).',
    "latitude": "Degrees to the north: 45.764043.",
    "longitude": "Degrees to the east: 4.835659.",
    "segment": "A value of the list account_segment: code or label.",
    "created_on": "A day: 2026-12-31; by default today.",
}


@account.command("add")
@with_fields((*FIELDS, "created_on"), HELP, required=("name", "type"))
def add(ctx: typer.Context, *, as_: As = None, **fields: str | None) -> None:
    """Add an account. Who has the role standard adds a draft of one, for others to approve.

    Whoever is named by --as is its owner unless --owner names another.

    \b
    Example:
      syncd account add --name "Garage Dupont" --type customer --city Lyon --tags "auto, à suivre"
    """
    cells = {**fields, "owner": as_ if fields["owner"] is None else fields["owner"]}
    if as_ is not None and not _creates(of(ctx), as_):
        _ask(of(ctx), given(cells), as_)
        return
    saved = one(of(ctx), "accounts", cells, "account add", as_)
    warnings(saved)
    say(
        Phrase("account {created} added", created=saved.created[0])
        if saved.created
        else Phrase("nothing to change")
    )


@account.command("edit")
@with_fields(FIELDS, HELP)
def edit(
    ctx: typer.Context, id_: Id, *, if_version: Version = None, as_: As = None, **fields: str | None
) -> None:
    """Change an account: only what is given. An empty text ('') empties a field.

    \b
    Examples:
      syncd account edit 12 --parent "Groupe Dupont" --tags ''
      syncd account edit 12 --type internal --if-version 3
    """
    saved = one(of(ctx), "accounts", {"id": str(id_), **fields}, "account edit", as_, expected=if_version)
    warnings(saved)
    say(Phrase("account {id} changed", id=id_) if saved.updated else Phrase("nothing to change"))


@account.command("delete")
def delete(ctx: typer.Context, id_: Id, as_: As = None) -> None:
    """Delete an account on which nothing hangs any more: contacts, projects, opportunities, orders, accounts.

    \b
    Example:
      syncd account delete 12
    """
    from store import removing

    told = Phrase("account {id} deleted; `syncd account restore {id}` brings it back", id=id_)
    saving.delete(of(ctx), removing.delete_account, id_, as_, told)


@account.command("restore")
def restore(ctx: typer.Context, id_: Id, as_: As = None) -> None:
    """Bring a deleted account back.

    \b
    Example:
      syncd account restore 12
    """
    from store import removing

    saving.restore(of(ctx), removing.restore_account, id_, as_, Phrase("account {id} is back", id=id_))


@account.command("drafts")
def drafts(
    ctx: typer.Context,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many rows.")] = 50,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Leave out the first ones.")] = 0,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """List the accounts that somebody asked for who may not create them.

    \b
    Example:
      syncd account drafts --as vera
    """
    from store import account_drafts
    from store.report_rows import Query
    from syncd.cli.records import rows

    with of(ctx).installation() as installation:
        with installation.database.read() as session:
            reader = reader_of(session, as_)
            state = None if every else account_drafts.DraftState.NEW
            page = account_drafts.page(session, Query(limit=limit, offset=offset, reader=reader), state)
        if json:
            as_json(page)
        else:
            rows(page.rows, installation.settings.workspace.timezone)


@account.command("approve")
def approve(
    ctx: typer.Context, id_: Annotated[int, typer.Argument(metavar="DRAFT", min=1)], as_: As = None
) -> None:
    """Make an account of a draft. Its owner is whoever asked for it, unless the draft names another.

    \b
    Example:
      syncd account approve 3 --as vera
    """
    from store.csvfile import Refused
    from store.errors import Invalid
    from syncd.engine import account_drafts

    with of(ctx).installation() as installation, installation.database.write() as session:
        try:
            who = occasion(installation, session, "account approve", as_)
            saved = account_drafts.approve(session, id_, who, installation.follows)
        except Refused as error:
            raise Invalid(
                Phrase("draft {id} cannot be an account any more: {wrong}", id=id_, wrong=wrong(error))
            ) from None
    warnings(saved)
    say(Phrase("account {created} added", created=saved.created[0]))


@account.command("reject")
def reject(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="DRAFT", min=1)],
    *,
    reason: Annotated[str | None, typer.Option("--reason", help="One line, for whoever asked.")] = None,
    as_: As = None,
) -> None:
    """Reject a draft of an account.

    \b
    Example:
      syncd account reject 3 --reason "est le compte 12" --as vera
    """
    from syncd.engine import account_drafts

    with of(ctx).installation() as installation, installation.database.write() as session:
        account_drafts.reject(session, id_, reason, occasion(installation, session, "account reject", as_))
    say(Phrase("draft {id} rejected", id=id_))


def _creates(cli: Cli, login: str) -> bool:
    """Whether that user may create accounts at all."""
    from config.rights import Scope
    from store.rights import Verb

    with cli.installation() as installation, installation.database.read() as session:
        return actor(session, login).scope("account", Verb.CREATE) is not Scope.NONE


def _ask(cli: Cli, cells: "Mapping[str, str]", login: str) -> None:
    from store.csvfile import Refused
    from store.importing import Saved
    from syncd.engine import account_drafts

    with cli.installation() as installation, installation.database.write() as session:
        try:
            id_, odd = account_drafts.ask(
                session, cells, occasion(installation, session, "account add", login)
            )
        except Refused as error:
            raise wrong(error) from None
    warnings(Saved(warnings=odd))
    say(
        Phrase(
            "draft {id} of an account added: {login} may not create accounts, others decide on it",
            id=id_,
            login=login,
        )
    )
