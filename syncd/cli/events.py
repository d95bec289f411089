"""The verbs of one event: add, edit, cancel, restore."""

from typing import Annotated

import typer

from config.language import Phrase
from syncd.cli.context import Json, UsageError, of
from syncd.cli.editing import (
    Alarm,
    Categories,
    Id,
    NoAlarm,
    Several,
    Text,
    Version,
    change,
    minutes,
    several,
    tell,
)
from syncd.cli.records import As

event = typer.Typer(help="Add, change, cancel one event.", no_args_is_help=True, rich_markup_mode=None)

Start = Annotated[
    str | None, typer.Option("--start", help='A day (then it lasts all day), or "2026-12-01 14:30".')
]
End = Annotated[
    str | None,
    typer.Option("--end", help="Exclusive: of whole days, the day after. By default an hour, or a day."),
]
AllDay = Annotated[bool | None, typer.Option("--all-day/--timed", help="Whole days, or with a time.")]
Zone = Annotated[str | None, typer.Option("--tz", help="Its time zone; by default its owner's.")]
Rule = Annotated[str | None, typer.Option("--rrule", help="A series: FREQ=WEEKLY;COUNT=5. '' ends it.")]
Location = Annotated[str | None, typer.Option("--location", help="By default the account's address.")]
AltPosition = Annotated[
    str | None,
    typer.Option("--alt-position", metavar="LAT,LON", help="Where that location is: 45.764043,4.835659."),
]
Internal = Annotated[str | None, typer.Option("--internal-notes", help="Notes that stay in the CRM.")]
Type = Annotated[str | None, typer.Option("--type", help="meeting, visit, call or video_call.")]
Provider = Annotated[str | None, typer.Option("--video-provider", help="teams, zoom, meet, webex or other.")]
Owner = Annotated[str | None, typer.Option("--owner", metavar="LOGIN", help="By default who acts.")]
Account = Annotated[str | None, typer.Option("--account", help="Its id, ext_id or exact name.")]
Opportunity = Annotated[str | None, typer.Option("--opportunity", help="Its reference or id.")]
CaseFile = Annotated[str | None, typer.Option("--case-file", help="Its code or id.")]
Participants = Annotated[
    list[str] | None,
    typer.Option("--participant", help="A login, an e-mail address or contact:ID; several times."),
]
Privacy = Annotated[str | None, typer.Option("--privacy", help="public, private or confidential.")]
Status = Annotated[str | None, typer.Option("--status", help="confirmed or tentative.")]
Free = Annotated[bool | None, typer.Option("--free/--busy", help="Whether its time stays free.")]
Occurrence = Annotated[
    str | None,
    typer.Option("--occurrence", metavar="DATE", help="Only that one of the series, by its day."),
]


@event.command("add")
def add(
    ctx: typer.Context,
    *,
    subject: Annotated[str, typer.Option("--subject")],
    start: Annotated[str, typer.Option("--start", help='A day, or "2026-12-01 14:30".')],
    end: End = None,
    all_day: AllDay = None,
    tz: Zone = None,
    rrule: Rule = None,
    location: Location = None,
    alt_position: AltPosition = None,
    notes: Text = None,
    internal_notes: Internal = None,
    type_: Type = None,
    video_provider: Provider = None,
    video_url: Text = None,
    owner: Owner = None,
    account: Account = None,
    opportunity: Opportunity = None,
    case_file: CaseFile = None,
    participant: Participants = None,
    alarm: Alarm = None,
    no_alarm: NoAlarm = False,
    category: Categories = None,
    privacy: Privacy = None,
    status: Status = None,
    free: Free = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Add an event. Without a time it lasts all day.

    Guests are invited by the owner's calendar server, in the next cycle.

    \b
    Examples:
      syncd event add --as claire --subject "Point chantier" --start "2026-12-01 14:30"
      syncd event add --as claire --subject Salon --start 2026-12-03 --end 2026-12-05
      syncd event add --owner marc --subject Revue --start "2026-12-01 09:00" \\
        --participant claire --participant anne@dupont.example --rrule "FREQ=WEEKLY;COUNT=5"
    """
    from syncd.engine.calendar import editing
    from syncd.engine.calendar.occasion import EventFields

    said = EventFields(
        subject=subject, start=start, end=end, all_day=all_day, tz=tz, rrule=rrule, location=location,
        alt_position=alt_position, notes=notes, internal_notes=internal_notes, type=type_,
        video_provider=video_provider, video_url=video_url, owner=owner, account=account,
        opportunity=opportunity, case_file=case_file,
        participants=several(participant), alarm=minutes(alarm, no_alarm=no_alarm),
        categories=_categories(category), privacy=privacy, status=status,
        busy=None if free is None else not free,
    )  # fmt: skip
    saved, record = change(of(ctx), as_, "event", lambda s, o: editing.add_event(s, said, o))
    tell(saved, record, "event", "added", json=json)


@event.command("edit")
def edit(
    ctx: typer.Context,
    id_: Id,
    *,
    occurrence: Occurrence = None,
    subject: Text = None,
    start: Start = None,
    end: End = None,
    all_day: AllDay = None,
    tz: Zone = None,
    rrule: Rule = None,
    location: Location = None,
    alt_position: AltPosition = None,
    notes: Text = None,
    internal_notes: Internal = None,
    type_: Type = None,
    video_provider: Provider = None,
    video_url: Text = None,
    owner: Owner = None,
    account: Account = None,
    opportunity: Opportunity = None,
    case_file: CaseFile = None,
    participant: Participants = None,
    remove_participant: Several = None,
    alarm: Alarm = None,
    no_alarm: NoAlarm = False,
    category: Categories = None,
    privacy: Privacy = None,
    status: Status = None,
    free: Free = None,
    if_version: Version = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Change an event: only what is given. An empty text ('') empties a field.

    With --occurrence only one of a series changes, else the whole series. Another start moves the end
    along. Participants are added; --remove-participant takes one out. What somebody else organises keeps
    its content: account, opportunity, case file and internal notes can be changed.

    \b
    Examples:
      syncd event edit 12 --start "2026-12-02 10:00"
      syncd event edit 12 --occurrence 2026-12-08 --location "Salle B"
      syncd event edit 12 --participant marc --remove-participant anne@dupont.example
    """
    from syncd.engine.calendar import editing
    from syncd.engine.calendar.occasion import EventFields

    said = EventFields(
        subject=subject, start=start, end=end, all_day=all_day, tz=tz, rrule=rrule, location=location,
        alt_position=alt_position, notes=notes, internal_notes=internal_notes, type=type_,
        video_provider=video_provider, video_url=video_url, owner=owner, account=account,
        opportunity=opportunity, case_file=case_file,
        participants=several(participant), remove_participants=several(remove_participant),
        alarm=minutes(alarm, no_alarm=no_alarm), categories=_categories(category), privacy=privacy,
        status=status, busy=None if free is None else not free,
    )  # fmt: skip
    if not said.given():
        raise UsageError(Phrase("nothing is given that could change: see `syncd event edit --help`"))
    saved, record = change(
        of(ctx),
        as_,
        "event",
        lambda s, o: editing.edit_event(s, id_, said, o, occurrence=occurrence, expected=if_version),
    )
    tell(saved, record, "event", "changed", json=json)


@event.command("cancel")
def cancel(
    ctx: typer.Context,
    id_: Id,
    *,
    occurrence: Occurrence = None,
    if_version: Version = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Cancel an event, or one of a series.

    It leaves all calendars in the next cycle, and guests are told by the calendar server. The CRM keeps it
    as history. What somebody else organises is only taken out of sight in the CRM.

    \b
    Examples:
      syncd event cancel 12
      syncd event cancel 12 --occurrence 2026-12-08
    """
    from syncd.engine.calendar.editing import cancel_event

    saved, record = change(
        of(ctx),
        as_,
        "event",
        lambda s, o: cancel_event(s, id_, o, occurrence=occurrence, expected=if_version),
    )
    tell(saved, record, "event", "cancelled" if occurrence is None else "changed", json=json)


@event.command("restore")
def restore(
    ctx: typer.Context,
    id_: Id,
    *,
    occurrence: Occurrence = None,
    if_version: Version = None,
    as_: As = None,
    json: Annotated[bool, Json] = False,
) -> None:
    """Bring back a cancelled event, or put one of a series back to what the series says.

    \b
    Examples:
      syncd event restore 12
      syncd event restore 12 --occurrence 2026-12-08
    """
    from syncd.engine.calendar.editing import restore_event

    saved, record = change(
        of(ctx),
        as_,
        "event",
        lambda s, o: restore_event(s, id_, o, occurrence=occurrence, expected=if_version),
    )
    tell(saved, record, "event", "restored", json=json)


@event.command("tell")
def tell_guests(ctx: typer.Context, id_: Id, as_: As = None, json: Annotated[bool, Json] = False) -> None:
    """Write what waits of an event, though its server tells the guests.

    What nobody is to be mailed of (an undo, what came from another calendar) waits where a calendar server
    mails by itself: `syncd list quarantine` lists it. This lets it go, in the next cycle.

    \b
    Examples:
      syncd event tell 12
    """
    from syncd.engine.calendar.editing import tell_guests

    saved, record = change(of(ctx), as_, "event", lambda s, o: tell_guests(s, id_, o))
    tell(saved, record, "event", "told", json=json)


def _categories(texts: list[str] | None) -> tuple[str, ...] | None:
    return None if texts is None else tuple(texts)
