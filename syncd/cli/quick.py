"""The verb that makes an event or a task of a few words."""

from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from config.language import said as said_by
from syncd.cli.context import Json, UsageError, actor, of
from syncd.cli.language import chosen
from syncd.cli.output import as_json, clean, say
from syncd.cli.records import As

if TYPE_CHECKING:
    from syncd.core.quick_add.result import Match, QuickAdd

NOTHING = {"fr": "(--dry-run : rien n'est créé)", "en": "(--dry-run: nothing is made)"}
KINDS = {
    "fr": {"event": "événement {id} : ", "task": "tâche {id} : "},
    "en": {"event": "event {id}: ", "task": "task {id}: "},
}

Words = Annotated[
    str,
    typer.Argument(metavar="TEXT", help="Type, who or what, day, time, @place, #opportunity, !alarm."),
]
Invite = Annotated[bool, typer.Option("--invite", help="A contact that is named takes part: it is invited.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what was understood, write nothing.")]


def quick_add(
    ctx: typer.Context,
    text: Words,
    *,
    invite: Invite = False,
    dry_run: DryRun = False,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Make an event or a task of a few French words, typed or dictated.

    \b
    Examples:
      syncd quick-add --as claire "RDV Dupont demain 14h"
      syncd quick-add --as claire 'Visite chantier jeudi de 14h à 15h30 @Namur !30'
      syncd quick-add --as claire "penser à relancer Dupont dans deux semaines"
    """
    from store.audit_log import Channel
    from store.errors import Invalid
    from syncd.cli.entries import fields_of
    from syncd.core.quick_add.errors import QuickAddError
    from syncd.core.quick_add.told import in_words
    from syncd.daemon.clock import now
    from syncd.daemon.occasions import occasion_of
    from syncd.engine.calendar import quick

    if as_ is None:
        raise UsageError(Phrase("--as LOGIN: name the user whose calendar it is for"))
    with of(ctx).installation() as installation:
        try:
            with installation.database.read() as session:
                occasion = occasion_of(installation, actor(session, as_), Channel.CLI, now())
                found = quick.understand(session, text, occasion)
            with installation.database.write() as session:
                saved = quick.make(session, found, occasion, invite=invite)
                record = fields_of(session, found.kind.value, saved.id)
                if dry_run:
                    session.rollback()
        except QuickAddError as error:
            raise UsageError(error.told(chosen())) from None
        except Invalid as error:
            raise UsageError(said_by(error)) from None
    if json:
        made = {} if dry_run else {"created": True, found.kind.value: record}
        as_json({"dry_run": dry_run, "understood": _plain(found), **made})
    elif dry_run:
        say(f"{clean(in_words(found, chosen()))}\n{NOTHING[chosen()]}")
    else:
        say(KINDS[chosen()][found.kind.value].format(id=saved.id) + clean(in_words(found, chosen())))


def _plain(found: "QuickAdd") -> dict[str, object]:
    """What was understood; its times on the clock of the user's zone, without a zone."""
    return {
        "kind": found.kind,
        "type": found.activity,
        "subject": found.subject,
        "day": found.day,
        "days": found.days,
        "all_day": found.all_day,
        "start": found.start and found.start.isoformat(timespec="minutes"),
        "end": found.end and found.end.isoformat(timespec="minutes"),
        "place": found.place,
        "opportunity": found.opportunity,
        "alarm_minutes": found.alarm,
        "video_url": found.url,
        "links": [{"words": one.words, **_match(one.match)} for one in found.links],
        "unlinked": [
            {"words": one.words, "matches": [_match(match) for match in one.matches]}
            for one in found.unlinked
        ],
    }


def _match(match: "Match") -> dict[str, object]:
    return {"kind": match.kind, "id": match.id, "name": match.name}
