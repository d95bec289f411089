"""Verbs on logged mail: explain, audit, forget."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.context import Json, UsageError, chosen, of, operator
from syncd.cli.output import as_json, count, octets, progress, say, shown, table, warn

if TYPE_CHECKING:
    from datetime import tzinfo

    from config.settings import ExcludeRule
    from store.evidence import MailEvidence
    from store.forget import Place
    from syncd.daemon.wiring import Installation
    from syncd.engine.audit import MailboxAudit
    from syncd.engine.explain import Explanation
    from syncd.engine.forget import Preview, Selection

SHOWN = 50  # e-mails that a preview lists


def explain(
    ctx: typer.Context,
    item: Annotated[
        str,
        typer.Argument(
            metavar="ITEM",
            help="A Message-ID, email:12, activity:5, FOLDER:UID or MAILBOX:FOLDER:UID; event:12, task:5 or "
            "the UID of one.",
        ),
    ],
    mailbox: Annotated[
        str | None, typer.Option("--mailbox", metavar="NAME", help="The mailbox that FOLDER:UID is in.")
    ] = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Tell why a message was logged, or why not; or why an event or task is as it is.

    Names the rule and the evidence; of an event its copies with their versions, each decision with its run
    and who was mailed, conflicts, and writes that are not confirmed. Exit code 1 if nothing is known of it.

    \b
    Examples:
      syncd explain '<CAF+abc@mail.example>'
      syncd explain activity:5
      syncd explain claire:INBOX:1234
      syncd explain event:12
    """
    from syncd.cli import explained
    from syncd.engine.explain import explain as ask

    with of(ctx).installation() as installation:
        if mailbox is not None:
            chosen(installation.settings, [mailbox])
        with installation.database.read() as session:
            story = explained.story(session, item)
        if story is not None:
            explained.tell(story, installation.settings.workspace.timezone, json=json)
            return
        rules = [_rule(rule) for rule in installation.settings.mail.exclude]
        found = ask(installation.database, installation.hashed, item, rules=rules, mailbox=mailbox)
        zone = installation.settings.workspace.timezone
    if json:
        as_json({"known": found.known, "item": found.item, "findings": found.findings, "mails": found.mails,
                 "notes": found.notes})  # fmt: skip
    else:
        _print(found, zone)
    if not found.known:
        raise typer.Exit(1)


def _rule(rule: "ExcludeRule") -> str:
    """An exclusion as the config has it."""
    given = {name: getattr(rule, name) for name in type(rule).model_fields}
    return ", ".join(f'{name} = "{value}"' for name, value in given.items() if value is not None)


def _print(found: "Explanation", zone: "tzinfo") -> None:
    for finding in found.findings:
        place = finding.sighting
        where = f"{place.mailbox}, folder {shown(place.folder, zone)}, UID {place.uid}"
        say(f"{where}: {shown(finding.meaning, zone)}")
        if finding.rule:
            say(f"  the rule in the config now: {shown(finding.rule, zone)}")
    for mail in found.mails:
        _evidence(mail, zone)
    for note in found.notes:
        say(shown(note, zone))


def _evidence(mail: "MailEvidence", zone: "tzinfo") -> None:
    say(f"e-mail {mail.id}: {shown(mail.subject, zone)}")
    run = f" in run {', '.join(mail.runs)}" if mail.runs else ""
    facts = {
        "sent" if mail.direction == "sent" else "received": shown(mail.date, zone),
        "logged": shown(mail.logged_at, zone) + run,
        "from": shown(mail.from_, zone),
        "to": shown(mail.to, zone),
        "cc": shown(mail.cc, zone),
        "users": shown(mail.users, zone),
        "Message-ID": shown(mail.message_id, zone),
        "thread": f"{shown(mail.thread, zone)} ({mail.thread_mails} logged)",
        "fingerprint": mail.fingerprint,
        "repaired": shown(mail.defects, zone),
    }
    for name, value in facts.items():
        if value != "-":
            say(f"  {name}: {value}")
    for match in mail.matches:
        who = f"contact {match.contact_id} {shown(match.contact, zone)} of " if match.contact_id else ""
        because = f" by {match.address}" if match.address else ""
        account = f"account {match.account_id} {shown(match.account, zone)}"
        say(f"  matched {match.rule}{shown(because, zone) if because else ''}: {who}{account}")
    for activity in mail.activities:
        for_ = f", opportunity {shown(activity.opportunity, zone)}" if activity.opportunity else ""
        say(f"  activity {activity.id} at {shown(activity.account, zone)}{for_}")
    for file in mail.attachments:
        kept = "kept" if file.kept else "not kept: larger than mail.max_attachment, name and size only"
        say(f"  attachment {shown(file.name, zone)} ({file.mime}, {octets(file.size)}): {kept}")


def audit(
    ctx: typer.Context,
    mailboxes: Annotated[
        list[str] | None, typer.Argument(metavar="[MAILBOX]...", help="By default all of the config.")
    ] = None,
    mend: Annotated[
        bool, typer.Option("--mend", help="Put missed messages down for the next cycle.")
    ] = False,
    json: Annotated[bool, Json] = False,
) -> None:
    """Prove that no message was missed.

    Compares what is on the servers with the verdicts. Exit code 1 unless every message is accounted for.

    \b
    Examples:
      syncd audit
      syncd audit claire --mend
    """
    with of(ctx).installation() as installation:
        settings = installation.settings
        names = [name for name in chosen(settings, mailboxes) if "mail" in settings.mailbox(name).sync]
        if mailboxes and not names:
            raise UsageError("the mailboxes that are named synchronise no mail: there is nothing to audit")
        found = []
        with progress("auditing", len(names)) as step:
            for name in names:
                found.append(_audit(installation, name, mend=mend))
                step()
        zone = installation.settings.workspace.timezone
    if json:
        as_json([{"mailbox": one.mailbox, "green": one.green, "error": one.error, "folders": one.folders}
                 for one in found])  # fmt: skip
    else:
        _print_audit(found, zone)
    if not all(one.green for one in found):
        raise typer.Exit(1)


def _audit(installation: "Installation", name: str, *, mend: bool) -> "MailboxAudit":
    from config.errors import SecretError
    from syncd.daemon.doctor import refused_login
    from syncd.engine.audit import MailboxAudit
    from syncd.engine.audit import audit as compare

    mailbox = installation.settings.mailbox(name)
    refused = refused_login(installation, name)
    if refused is not None:
        return MailboxAudit(name, error=refused)  # a refused password is not tried again: accounts get locked
    try:
        connector = installation.connector(mailbox)
        return compare(installation.database, connector, name, wanted=mailbox.mail_folders, mend=mend)
    except SecretError as error:
        return MailboxAudit(name, error=str(error))


def _print_audit(found: "Sequence[MailboxAudit]", zone: "tzinfo") -> None:
    from syncd.engine.audit import LISTED

    table(
        ("mailbox", "folder", "", "on server", "verdicts", "missed", "new since", "quarantined", "gone"),
        [
            (
                one.mailbox,
                shown(folder.ref, zone),
                "green" if folder.green else "RED",
                *map(
                    str,
                    (
                        folder.on_server,
                        folder.verdicts,
                        len(folder.missing),
                        folder.fresh,
                        folder.quarantined,
                        folder.gone,
                    ),
                ),
            )
            for one in found
            for folder in one.folders
        ],
    )
    for one in found:
        if one.error:
            warn(f"{one.mailbox}: {shown(one.error, zone)}")
        for folder in one.folders:
            name = f"{one.mailbox}: folder {shown(folder.ref, zone)}"
            if folder.error:
                warn(f"{name}: {shown(folder.error, zone)}")
            if folder.missing:
                uids = ", ".join(map(str, folder.missing[:LISTED]))
                more = " …" if len(folder.missing) > LISTED else ""
                next_ = (
                    f"{folder.queued} are put down for the next cycle"
                    if folder.queued
                    else f"`syncd audit {one.mailbox} --mend` puts them down for the next cycle"
                )
                warn(f"{name}: no verdict for UID {uids}{more}; {next_}")
    if all(one.green for one in found):
        say("Green: every message on the servers is accounted for.")


def forget(
    ctx: typer.Context,
    *,
    contact: Annotated[
        int | None, typer.Option("--contact", metavar="ID", help="What stands only because of this contact.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="ADDR", help="What stands only because of this address."),
    ] = None,
    excluded: Annotated[
        bool,
        typer.Option("--excluded", help="What exclusions and users' own addresses keep out now."),
    ] = False,
    number: Annotated[
        str | None,
        typer.Option("--number", metavar="NUMBER", help="Calls with a number that nobody has any more."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME", help="Who was in meetings and has no address, as shown there."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without this, only show what would go.")] = False,
    json: Annotated[bool, Json] = False,
) -> None:
    """Remove mail that should not be logged any more, and calls.

    Attachments and reports on the calls included, and the person from who was in meetings. Only shows what
    would go, unless --yes is given. What another contact or address is a reason for stays. Nothing changes
    in any mailbox.

    \b
    Examples:
      syncd forget --address anne@old.example
      syncd forget --contact 12 --yes
      syncd forget --number +33145678901
      syncd forget --excluded
      syncd forget contact 12 --dry-run
    """
    if ctx.invoked_subcommand is not None:
        return
    from syncd.daemon import offers
    from syncd.daemon.clock import now
    from syncd.engine.forget import Selection

    asked = [one for one in (address, number, name) if one is not None]
    if (contact is not None) + len(asked) + excluded != 1 or not all(one.strip() for one in asked):
        raise UsageError("name exactly one of --contact, --address, --number, --name and --excluded")
    selection = Selection(
        addresses=() if address is None else (address.strip().lower(),),
        contact_id=contact,
        excluded=excluded,
        number=(number or "").strip(),
        name=(name or "").strip(),
    )
    with of(ctx).installation() as installation:
        zone = installation.settings.workspace.timezone
        preview = offers.forgetting(installation).preview(selection)
        if not (preview.mails or preview.losing or preview.reports or preview.calls):
            _nothing(installation, selection, json=json)
            return
        done = None
        if yes:
            done = offers.forgetting(installation).carry_out(selection, now(), actor=operator())
    if json:
        as_json({"done": done is not None, "forgotten": done, **_plain(preview)})
        return
    if done is None:
        _print_preview(preview, zone)
        say("Nothing was removed: add --yes to do it.")
    else:
        amounts = (count(done.mails, "e-mail"), count(done.activities, "activity"))
        say(f"{', '.join(amounts)} and {count(done.attachments, 'attachment')} removed")
        if done.calls:
            say(f"{count(done.calls, 'call')} removed, with what was reported on them")
        if done.reports:
            say(f"{count(done.reports, 'attendance report')} names them no more")


def _plain(preview: "Preview") -> dict[str, object]:
    return {
        "mails": [
            {
                "id": mail.id,
                "date": mail.date,
                "subject": mail.subject,
                "verdicts": sorted({preview.verdicts[place][0].name.lower() for place in mail.places}),
            }
            for mail in preview.mails
        ],
        "staying": [{"id": mail.id, "date": mail.date, "subject": mail.subject} for mail in preview.losing],
        "attendance_reports": preview.reports,
        "calls": preview.calls,
    }


def _nothing(installation: "Installation", selection: "Selection", *, json: bool) -> None:
    """Says why there is nothing to forget, where that can be told."""
    from store.accounts import Account
    from store.contacts import Contact
    from store.errors import NotFound
    from store.forget import holder_of

    why = ""
    with installation.database.read() as session:
        if selection.contact_id is not None:
            found = session.get(Contact, selection.contact_id)
            if found is None:
                raise NotFound(f"there is no contact {selection.contact_id}")
            if found.deleted_at is None:
                why = (
                    f"contact {found.id} is there and its mail belongs to it: "
                    f"`syncd contact delete {found.id}` first"
                )
        if selection.number:
            from syncd.engine.forget_calls import holder_of as numbered

            has = numbered(session, selection.number, installation.settings.workspace.default_country)
            if has is not None:
                contact = has.contact_id
                record = f"account {has.account_id}" if contact is None else f"contact {contact}"
                why = f"{selection.number} is a number of {record}: take it away there first"
        for address in selection.addresses:
            holder = holder_of(session, address)
            if holder is not None:
                record = "account" if isinstance(holder, Account) else "contact"
                why = (
                    f"{address} is an address of {record} {holder.id}, its mail would be logged again: "
                    f"take it away there, or exclude it in [mail]"
                )
    if json:
        as_json({"done": False, "forgotten": None, "mails": [], "staying": [], "why": why or None})
    else:
        say("Nothing to forget" + (f": {why}" if why else "."))


def _print_preview(preview: "Preview", zone: "tzinfo") -> None:
    rows = [
        (
            str(mail.id),
            shown(mail.date, zone),
            shown(mail.subject, zone),
            shown(sorted({_verdict(preview, place) for place in mail.places}), zone),
        )
        for mail in preview.mails[:SHOWN]
    ]
    if rows:
        table(("e-mail", "date", "subject", "would be"), rows)
    if len(preview.mails) > SHOWN:
        say(f"… and {len(preview.mails) - SHOWN} more (--json has them all)")
    staying = f"{len(preview.losing)} would stay for another reason"
    say(f"{count(len(preview.mails), 'e-mail')} would go, {staying}.")
    if preview.reports:
        say(f"{count(preview.reports, 'attendance report')} would name them no more.")
    if preview.calls:
        say(f"{count(preview.calls, 'call')} would go, with what was reported on them.")


def _verdict(preview: "Preview", place: "Place") -> str:
    kind, reason = preview.verdicts[place]
    name = kind.name.lower().replace("_", " ")
    return f"{name} ({reason})" if reason else name
