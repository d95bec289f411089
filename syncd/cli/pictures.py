"""The verbs of pictures: `contact photo` and `account logo`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from syncd.cli.context import Json, UsageError, actor, of, reader_of
from syncd.cli.editing import Id, Version
from syncd.cli.output import as_json, clean, say, warn
from syncd.cli.records import As

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.pictures import Picture
    from store.photos import Drawn

SAVE = "Write it to this file instead."


def add_to(contact: typer.Typer, account: typer.Typer) -> None:
    """Puts the verbs where they belong."""
    contact.command("photo")(photo)
    account.command("logo")(logo)


def photo(
    ctx: typer.Context,
    id_: Id,
    *,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="JPEG or PNG, at most 1 MiB.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the photo away.")] = False,
    save: Annotated[Path | None, typer.Option("--save", metavar="FILE", help=SAVE)] = None,
    if_version: Version = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Tell of a contact's photo, or change it.

    It is made small (512 points) and upright; where and when it was taken is not kept.

    \b
    Examples:
      syncd contact photo 12 anne.jpg
      syncd contact photo 12 --save anne-now.jpg
      syncd contact photo 12 --remove
    """
    from store import details, photos, visible
    from store.contacts import Contact
    from syncd.daemon.clock import now

    _one_of(file is not None, remove, save is not None)
    drawn = None if file is None else handed_in(file, _photo)
    with of(ctx).installation() as installation:
        if file is not None or remove:
            with installation.database.write() as session:
                who = actor(session, as_)
                changed = photos.put(session, id_, drawn, actor=who, now=now(), expected=if_version)
            if not json:
                removed = Phrase("photo of contact {id} removed", id=id_)
                _told(changed, removed if remove else Phrase("photo of contact {id} changed", id=id_))
                return
        with installation.database.read() as session:
            if save is not None:
                written(save, photos.content(session, id_, reader_of(session, as_)))
            visible.require(session, reader_of(session, as_), "contact", id_)
            details.get(session, Contact, id_, "contact")
            told = photos.row(session, id_)
    if json:
        as_json({"contact": id_, "photo": told})
    elif save is None:
        say(Phrase("no photo") if told is None else str(told))


def logo(
    ctx: typer.Context,
    id_: Id,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="PNG, JPEG, GIF, WebP or ICO, at most 512 KiB."),
    ] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Look at the account's website now.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the logo away; none is fetched.")] = False,
    save: Annotated[Path | None, typer.Option("--save", metavar="FILE", help=SAVE)] = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Tell of an account's logo, or change it.

    \b
    Examples:
      syncd account logo 12 --fetch
      syncd account logo 12 --file dupont.png
      syncd account logo 12 --save dupont-now.png
      syncd account logo 12 --remove
    """
    from store import logos, visible
    from store.audit_log import Channel
    from syncd.daemon.clock import now

    _one_of(file is not None, remove, save is not None, fetch)
    drawn = None if file is None else handed_in(file, _logo)
    fetched = True
    with of(ctx).installation() as installation:
        if fetch:
            with installation.database.read() as session:
                who = actor(session, as_)
            fetched = installation.logos.asked(id_, who, Channel.CLI, now())
        if file is not None or remove:
            with installation.database.write() as session:
                changed = logos.put(session, id_, drawn, actor=actor(session, as_), now=now())
            if not json:
                removed = Phrase("logo of account {id} removed", id=id_)
                _told(changed, removed if remove else Phrase("logo of account {id} changed", id=id_))
                return
        with installation.database.read() as session:
            if save is not None:
                written(save, logos.content(session, id_, reader_of(session, as_)))
            visible.require(session, reader_of(session, as_), "account", id_)
            told = logos.of_account(session, id_)
    if json:
        as_json({"account": id_, **told})
    elif save is None:
        tell(told)
    if not fetched:
        problem = told["logo_problem"]
        why = clean(str(problem)) if problem else Phrase("the account was changed meanwhile")
        warn(Phrase("no logo was found: {why}", why=why))
        raise typer.Exit(1)


def _told(changed: object, done: str) -> None:
    """What became of a picture that was given or taken away."""
    say(done if changed else Phrase("nothing to change"))


def tell(told: "Mapping[str, object]") -> None:
    """A line a fact."""
    for name, value in told.items():
        if value is not None:
            say(f"{name}: {clean(str(value))}")


def _logo(data: bytes) -> "Picture":
    from connectors import pictures

    return pictures.logo(data)


def _photo(data: bytes) -> "Picture":
    from connectors import pictures

    return pictures.photo(data)


def handed_in(file: Path, read: "Callable[[bytes], Picture]") -> "Drawn":
    """A picture as it is stored. Raises UsageError for what is none."""
    from connectors.pictures import MOST_PHOTO, BadPicture
    from syncd.engine.pictures import drawn

    with file.open("rb") as stream:
        data = stream.read(MOST_PHOTO + 1)
    try:
        return drawn(read(data))
    except BadPicture as error:
        raise UsageError(Phrase("{file} {error}", file=file.name, error=error)) from None


def written(file: Path, picture: "Drawn") -> None:
    """Writes it to a new file. Raises UsageError."""
    try:
        with file.open("xb") as stream:
            stream.write(picture.content)
    except FileExistsError:
        raise UsageError(Phrase("{file} is there already and is not overwritten", file=file)) from None
    say(Phrase("{file}: {mime}, {size} octets", file=file, mime=picture.mime, size=len(picture.content)))


def _one_of(*given: bool) -> None:
    if sum(given) > 1:
        raise UsageError(Phrase("only one thing at a time: a file, --fetch, --remove or --save"))
