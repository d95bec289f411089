"""The verbs of contacts that are there twice: duplicates, merge, unmerge."""

from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from syncd.cli.context import Json, actor, of, reader_of
from syncd.cli.output import as_json, clean, heads, say, shown, table, warn
from syncd.cli.records import As
from syncd.cli.saving import offer

if TYPE_CHECKING:
    from store.merging import Merged

Keep = Annotated[int, typer.Argument(metavar="KEEP", help="The contact that stays.")]
Other = Annotated[int, typer.Argument(metavar="OTHER", help="The one that becomes a part of it.")]


def duplicates(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many groups.")] = 50,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Leave out the first ones.")] = 0,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """List contacts that may be the same person: by e-mail address, by name at one account, by telephone.

    \b
    Example:
      syncd contact duplicates
    """
    from store import contact_rows
    from syncd.engine import phones
    from syncd.engine.duplicates import groups

    with of(ctx).installation() as installation:
        phones.settle_all(installation.database, installation.settings.workspace.default_country)
        with installation.database.read() as session:
            reader = reader_of(session, as_)
            found = groups(contact_rows.keys(session, reader))
            page = found[offset : offset + limit]
            names = contact_rows.names(session, (id_ for group in page for id_ in group.contacts))
    if json:
        rows = [
            {"why": group.why, "value": group.value,
             "contacts": [{"id": id_, "name": names[id_]} for id_ in group.contacts]}
            for group in page
        ]  # fmt: skip
        as_json({"rows": rows, "total": len(found), "offset": offset})
        return
    if not page:
        say(Phrase("None."))
        return
    table(
        heads("why", "value", "contacts"),
        [
            [one.why.value, clean(one.value), clean(", ".join(f"{id_} {names[id_]}" for id_ in one.contacts))]
            for one in page
        ],
    )
    if len(found) > len(page):
        warn(
            Phrase(
                "{count} of {count2}, from {offset} on (--limit, --offset)",
                count=len(page),
                count2=len(found),
                offset=offset + 1,
            )
        )


def merge(
    ctx: typer.Context, *, keep: Keep, other: Other, as_: As = None, json: Annotated[bool, Json] = False
) -> None:
    """Make one contact of two. What is empty in KEEP is filled from OTHER; e-mails, activities, events, tasks
    and drafts of OTHER become KEEP's. `unmerge` takes it back.

    \b
    Example:
      syncd contact merge 12 34
    """
    done = _do(ctx, keep, other, as_, back=False)
    if json:
        as_json(_plain(done))
        return
    say(
        Phrase("contact {other} merged into contact {keep}: {told}", other=other, keep=keep, told=_told(done))
    )
    for name, mine, theirs in done.conflicts:
        kept = f'stays "{shown(mine, UTC)}"' if mine is not None else "has no room"
        warn(clean(f'{name}: {kept}; contact {other} had "{shown(theirs, UTC)}"'))


def unmerge(
    ctx: typer.Context, *, keep: Keep, other: Other, as_: As = None, json: Annotated[bool, Json] = False
) -> None:
    """Make two contacts again of one, each with what was its own.

    \b
    Example:
      syncd contact unmerge 12 34
    """
    done = _do(ctx, keep, other, as_, back=True)
    if json:
        as_json(_plain(done))
        return
    say(Phrase("contact {other} is a contact of its own again: {told}", other=other, told=_told(done)))
    for name in done.left:
        warn(Phrase("{name} was changed since the merge, and stays as it is", name=name))


def _do(ctx: typer.Context, keep: int, other: int, login: str | None, *, back: bool) -> "Merged":
    from store import merging
    from syncd.daemon import offers
    from syncd.daemon.clock import now
    from syncd.engine import phones

    with of(ctx).installation() as installation:
        country = installation.settings.workspace.default_country
        with installation.database.write() as session:
            phones.settle(session, country)
            change = merging.unmerge if back else merging.merge
            done = change(session, keep, other, actor=actor(session, login), now=now())
            phones.settle(session, country)
        offer(offers.freed(installation, done.freed))
    return done


def _told(done: "Merged") -> str:
    moved = ", ".join(f"{number} {name}" for name, number in done.moved.items() if number)
    filled = ", ".join(done.filled)
    told = Phrase("{moved} moved", moved=moved or Phrase("no references"))
    return Phrase("{told}; changed: {filled}", told=told, filled=filled) if filled else told


def _plain(done: "Merged") -> dict[str, object]:
    return {
        "moved": done.moved,
        "changed": done.filled,
        "conflicts": [
            {"field": name, "kept": mine, "other": theirs} for name, mine, theirs in done.conflicts
        ],
        "left": done.left,
    }


def add_to(group: typer.Typer) -> None:
    """Adds these verbs to those of a contact."""
    group.command("duplicates")(duplicates)
    group.command("merge")(merge)
    group.command("unmerge")(unmerge)
