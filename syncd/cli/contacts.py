"""The verbs of one contact: add, edit, delete."""

from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from syncd.cli import fields, saving
from syncd.cli.context import Json, UsageError, of, reader_of
from syncd.cli.editing import Version
from syncd.cli.output import as_json, say
from syncd.cli.records import As
from syncd.cli.saving import one, warnings

if TYPE_CHECKING:
    from store.database import Transaction
    from store.importing import Occasion, Saved

contact = typer.Typer(help="Add, change or delete one contact.", no_args_is_help=True, rich_markup_mode=None)

Text = Annotated[str | None, typer.Option()]
Role = Annotated[str | None, typer.Option("--role", help="A value of the list contact_role: code or label.")]
Own = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="Z_FIELD=VALUE", help="A field of the company's own; several times."),
]


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
    role: Role = None,
    linkedin: Text = None,
    ext_id: Text = None,
    own: Own = None,
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
        "phone_mobile": phone_mobile, "position": position, "role": role,
        "linkedin": linkedin, "ext_id": ext_id,
    }  # fmt: skip
    saved = one(of(ctx), "contacts", cells | fields.cells(own), "contact add", as_)
    warnings(saved)
    if saved.created:
        say(
            Phrase(
                "contact {created} added; the next cycle looks for older mail with its addresses",
                created=saved.created[0],
            )
        )
    else:
        say(Phrase("nothing to change"))


@contact.command("edit")
def edit(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1)],
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
    role: Role = None,
    linkedin: Text = None,
    if_version: Version = None,
    own: Own = None,
    as_: As = None,
) -> None:
    """Change a contact: only what is given. An empty text ('') empties a field.

    \b
    Examples:
      syncd contact edit 12 --email anne.martin@dupont.example
      syncd contact edit 12 --email2 ''
      syncd contact edit 12 --role buyer
      syncd contact edit 12 --set Z_newsletter=oui
    """
    cells = {
        "id": str(id_), "account": account, "last_name": last_name, "first_name": first_name,
        "email": email, "email2": email2, "email3": email3, "phone_landline": phone_landline,
        "phone_mobile": phone_mobile, "position": position, "role": role, "linkedin": linkedin,
    }  # fmt: skip
    saved = one(of(ctx), "contacts", cells | fields.cells(own), "contact edit", as_, expected=if_version)
    warnings(saved)
    say(Phrase("contact {id} changed", id=id_) if saved.updated else Phrase("nothing to change"))


@contact.command("delete")
def delete(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1)],
    as_: As = None,
) -> None:
    """Delete a contact. What was logged stays: `syncd forget` removes it.

    \b
    Example:
      syncd contact delete 12
    """
    from store import removing

    saving.delete(of(ctx), removing.delete_contact, id_, as_, Phrase("contact {id} deleted", id=id_))


@contact.command("restore")
def restore(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1)],
    as_: As = None,
) -> None:
    """Bring a deleted contact back.

    \b
    Example:
      syncd contact restore 12
    """
    from store import removing

    told = Phrase("contact {id} is back; the next cycle looks for older mail with its addresses", id=id_)
    saving.restore(of(ctx), removing.restore_contact, id_, as_, told)


@contact.command("from-email")
def from_email(
    ctx: typer.Context,
    email: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="Of a participant, or of who came unplanned.")
    ],
    *,
    event: Annotated[int, typer.Option("--event", metavar="ID", help="The event it takes part in.")],
    account: Annotated[
        str | None, typer.Option("--account", help="By default the one whose web domain the address has.")
    ] = None,
    last_name: Annotated[str | None, typer.Option("--last-name", help="By default from its name.")] = None,
    first_name: Text = None,
    phone_mobile: Text = None,
    position: Text = None,
    role: Role = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Make a contact of a participant whose address the CRM does not know yet.

    Also of somebody who came to the meeting unplanned, as its attendance report tells. The name is what the
    invitation or the report says, and every event with that address names the contact from now on;
    the next cycle looks for older mail with it.

    \b
    Example:
      syncd contact from-email anne@dupont.example --event 12
    """
    from store import attendance_rows, scheduling, visible
    from store.errors import Invalid, NotFound
    from syncd.core.names import split_name

    address = email.strip().lower()
    with of(ctx).installation() as installation:
        known = installation.mail.known.directory()
        with installation.database.read() as session:
            visible.require(session, reader_of(session, as_), "event", event)
            name = scheduling.participant_name(session, event, address)
            if name is None:
                name = attendance_rows.stranger_name(session, event, address)
            if not scheduling.event_exists(session, event):
                raise NotFound(Phrase("there is no event {event}", event=event))
            if name is None:
                raise NotFound(
                    Phrase(
                        "nobody with the address {address} takes part in event {event}, or came to it",
                        address=address,
                        event=event,
                    )
                )
            if address in known.own:
                raise Invalid(Phrase("{address} is the address of a user of the CRM", address=address))
            there = scheduling.contact_by_address(session, address)
            if there is not None:
                raise Invalid(
                    Phrase(
                        "{address} is the address of contact {id} ({there}) already",
                        address=address,
                        id=there.id,
                        there=there.name,
                    )
                )
            if account is None:
                found = known.domains.get(address.rpartition("@")[2])
                if found is None:
                    raise UsageError(
                        Phrase("--account: no account has the web domain of that address: name one")
                    )
                cells = {"account_id": str(found)}
            else:
                cells = {"account": account}
    first, last = split_name(name, address)
    cells |= {"last_name": last_name or last, "first_name": first if first_name is None else first_name,
              "email": address}  # fmt: skip
    given = {"phone_mobile": phone_mobile, "position": position, "role": role}
    cells |= {header: value for header, value in given.items() if value is not None}
    relinked = 0

    def relink(session: "Transaction", saved: "Saved", _: "Occasion") -> None:
        nonlocal relinked
        relinked = scheduling.relink(session, address, saved.created[0])
        attendance_rows.relink(session, address, saved.created[0])

    saved = one(of(ctx), "contacts", dict(cells), "contact from-email", as_, also=relink)
    (id_,) = saved.created
    warnings(saved)
    if json:
        as_json({"contact": id_, "first_name": cells["first_name"], "last_name": cells["last_name"],
                 "participants_relinked": relinked})  # fmt: skip
    else:
        say(Phrase("contact {id} added; the next cycle looks for older mail with its addresses", id=id_))
