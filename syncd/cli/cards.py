"""The verbs of contacts that come from cards: import-cards, scan, drafts, complete, reject."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from syncd.cli.context import Json, UsageError, actor, of
from syncd.cli.editing import Text
from syncd.cli.output import as_json, clean, count, heads, say, shown, table, warn, warn_of_more
from syncd.cli.records import As
from syncd.cli.saving import given, occasion, offer, warnings, wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.contacts import CreatedVia
    from syncd.daemon.wiring import Installation
    from syncd.engine.cards import Proposal, Taken

Draft = Annotated[int, typer.Argument(metavar="DRAFT", help="Its id, as `contact drafts` lists it.")]
FOR_NAMELESS = "For cards that name no account of the CRM: exact name, id or ext_id."


def import_cards(
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .vcf file, of one or many cards.")],
    card: Annotated[
        list[int] | None, typer.Option("--card", metavar="N", help="Only the Nth card; may be repeated.")
    ] = None,
    account: Annotated[str | None, typer.Option("--account", help=FOR_NAMELESS)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would become of each card.")] = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Make contacts of the cards (vCard) that a telephone or a mail program exported.

    A card whose company is exactly the name of an account becomes a contact of it; another one, or one
    without a last name, becomes a draft to be completed. Where the account has a contact with that e-mail
    address, an update of that one is offered. What is typed HOME is never taken.

    \b
    Examples:
      syncd contact import-cards contacts.vcf --dry-run
      syncd contact import-cards contacts.vcf --card 3 --card 7 --as claire
    """
    from connectors.cards.lines import MAX_FILE, BadFile
    from store.contacts import CreatedVia
    from syncd.engine.card_files import proposals

    with file.open("rb") as stream:
        data = stream.read(MAX_FILE + 1)
    with of(ctx).installation() as installation:
        try:
            found = list(proposals(data, installation.settings.workspace.default_country, card or ()))
        except BadFile as error:
            raise UsageError(f"{file.name} {error}") from None
        source = f"contact import-cards {file.name}"[:200]
        taken = _take(installation, found, (source, as_, CreatedVia.PHONEBOOK), account, dry_run=dry_run)
    _tell(taken, dry_run=dry_run, json=json)


def _take(
    installation: "Installation",
    found: "Sequence[Proposal]",
    how: "tuple[str, str | None, CreatedVia]",
    account: str | None,
    *,
    dry_run: bool,
) -> "list[Taken]":
    from store import references
    from syncd.daemon import offers
    from syncd.engine import cards

    source, login, via = how
    with installation.database.write() as session:
        where = None if account is None else references.account(session, account)
        who = occasion(installation, session, source, login, via)
        taken, saved = cards.take(session, found, who, installation.follows, account=where)
        if dry_run:
            session.rollback()
    warnings(saved)
    offer(offers.freed(installation, saved.freed))
    return taken


def _tell(taken: "Sequence[Taken]", *, dry_run: bool, json: bool) -> None:
    if json:
        as_json({"dry_run": dry_run, "cards": taken})
        return
    for one in taken:
        where = [f"contact {one.contact_id}"] if one.contact_id is not None and not dry_run else []
        where += [f"draft {one.draft_id}"] if one.draft_id is not None and not dry_run else []
        told = [", ".join(where)] if where else []
        told += [f"missing: {', '.join(one.missing)}"] if one.missing else []
        told += [f"left out: {', '.join(one.left_out)}"] if one.left_out else []
        told += [one.problem] if one.problem else []
        say(clean(f"card {one.number} {one.name}".rstrip() + ": " + "; ".join([one.outcome.value, *told])))
    numbers: dict[str, int] = {}
    for one in taken:
        numbers[one.outcome.value] = numbers.get(one.outcome.value, 0) + 1
    what = ", ".join(f"{number} {outcome}" for outcome, number in numbers.items())
    say(f"{count(len(taken), 'card')}" + (f": {what}" if what else "") + (" (dry run)" if dry_run else ""))


def scan(
    ctx: typer.Context,
    *,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="PNG, JPEG or PDF, at most 10 MiB.")],
    account: Annotated[str | None, typer.Option("--account", help=FOR_NAMELESS)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would become of it.")] = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Make a contact of the picture of a business card.

    A card in its QR code wins over the letters. It becomes a contact where its account, a last name and an
    e-mail address or a telephone number are found, else a draft. Needs Debian's tesseract-ocr and zbar-tools.

    \b
    Example:
      syncd contact scan card.jpg --as claire
    """
    from connectors.cards.scanning import MAX_BYTES, CannotScan
    from store.contacts import CreatedVia
    from syncd.engine.card_files import scanned

    with image.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    with of(ctx).installation() as installation:
        try:
            found = scanned(data, installation.settings.workspace.default_country)
        except CannotScan as error:
            raise UsageError(f"{image.name} {error}") from None
        source = f"contact scan {image.name}"[:200]
        taken = _take(installation, [found], (source, as_, CreatedVia.CARD_SCAN), account, dry_run=dry_run)
    _tell(taken, dry_run=dry_run, json=json)


def drafts(
    ctx: typer.Context,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also completed and rejected ones.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Leave out the first ones.")] = 0,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """List the contacts that wait to be completed, and updates that are offered.

    \b
    Example:
      syncd contact drafts --as claire
    """
    from store import drafts as kept

    with of(ctx).installation() as installation, installation.database.read() as session:
        zone = installation.settings.workspace.timezone
        rows, total = kept.listed(session, actor(session, as_), every=every, limit=limit, offset=offset)
    if json:
        as_json({"rows": rows, "total": total, "offset": offset})
        return
    if not rows:
        say(Phrase("None."))
        return
    lines = []
    for one in rows:
        values = ", ".join(
            f"{name}: {_sure(value, one.confidence.get(name))}" for name, value in one.parsed.items()
        )
        waits = f"updates contact {one.updates_contact}" if one.updates_contact else ", ".join(one.missing)
        lines.append([str(one.id), one.source.value, one.state.value, one.user or "-", clean(values),
                      clean(one.problem or waits), shown(one.created_at, zone)])  # fmt: skip
    table(heads("id", "source", "state", "user", "values", "waits for", "created_at"), lines)
    warn_of_more(len(rows), total, offset + 1)


def _sure(value: object, confidence: object) -> str:
    """The value, and how sure it is where it is a guess."""
    text = str(value)[:60]
    return f"{text} ({confidence:.0%})" if isinstance(confidence, float) and confidence < 1 else text


def complete(
    ctx: typer.Context,
    draft: Draft,
    *,
    account: Annotated[
        str | None, typer.Option("--account", help="Its account: exact name, id or ext_id.")
    ] = None,
    last_name: Annotated[str | None, typer.Option("--last-name")] = None,
    first_name: Text = None,
    email: Text = None,
    phone_landline: Text = None,
    phone_mobile: Text = None,
    position: Text = None,
    role: Text = None,
    as_: As = None,
) -> None:
    """Make a contact of a draft, with what it lacks; or update the contact that it is offered for.

    What is given stands instead of what the card says; an empty text ('') leaves a value of the card out.

    \b
    Example:
      syncd contact complete 3 --account "Garage Dupont" --last-name Martin
    """
    from store import drafts as kept
    from store.contacts import CreatedVia
    from store.csvfile import Refused
    from store.drafts import DraftSource
    from syncd.daemon import offers
    from syncd.engine import cards

    cells = given({"account": account, "last_name": last_name, "first_name": first_name, "email": email,
             "phone_landline": phone_landline, "phone_mobile": phone_mobile,
             "position": position, "role": role})  # fmt: skip
    with of(ctx).installation() as installation:
        try:
            with installation.database.write() as session:
                found = kept.waiting(session, draft, actor(session, as_))
                scanned = found.source is DraftSource.CARD_SCAN
                via = CreatedVia.CARD_SCAN if scanned else CreatedVia.PHONEBOOK
                who = occasion(installation, session, "contact complete", as_, via)
                updates = found.contact_id is not None
                outcome, contact, saved = cards.complete(session, found, cells, who, installation.follows)
        except Refused as error:
            raise wrong(error) from None
        warnings(saved)
        offer(offers.freed(installation, saved.freed))
    if outcome is cards.Outcome.UPDATE_OFFERED:
        warn(
            Phrase(
                "contact {contact} of that account has that address already: draft {draft} would "
                "update it now",
                contact=contact,
                draft=draft,
            )
        )
        warn(
            Phrase(
                "`syncd contact complete {draft}` does, `syncd contact reject {draft}` does not", draft=draft
            )
        )
        raise typer.Exit(1)
    say(Phrase("contact {id} updated", id=contact) if updates else Phrase("contact {id} added", id=contact))


def reject(ctx: typer.Context, draft: Draft, as_: As = None) -> None:
    """Leave a draft be: what it held of the person is removed.

    \b
    Example:
      syncd contact reject 3
    """
    from store import drafts as kept
    from store.drafts import DraftState
    from syncd.daemon.clock import now

    with of(ctx).installation() as installation, installation.database.write() as session:
        who = actor(session, as_)
        kept.end(session, kept.waiting(session, draft, who), DraftState.REJECTED, actor=who, now=now())
    say(Phrase("draft {draft} rejected", draft=draft))


def add_to(group: typer.Typer) -> None:
    """Adds these verbs to those of a contact."""
    group.command("import-cards")(import_cards)
    group.command("scan")(scan)
    group.command("drafts")(drafts)
    group.command("complete")(complete)
    group.command("reject")(reject)
