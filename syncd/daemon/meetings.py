"""What the config says of video meetings and calls, as the engine wants it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from config.settings import Settings
from store.database import Database
from syncd.core.identity import KeyedHash
from syncd.core.meetings.ended import Rules
from syncd.daemon.calendars import workplace
from syncd.engine.calendar.occasion import instance_of
from syncd.engine.calendar.people import People
from syncd.engine.meetings.dropping import Dropping, Taker
from syncd.engine.meetings.forms import FormRules
from syncd.engine.meetings.sync import MeetingRules

if TYPE_CHECKING:
    from syncd.engine.meetings.calling import Calling


def meeting_rules(settings: Settings, hashed: KeyedHash) -> MeetingRules:
    """The `[video]` section as the engine wants it."""
    video = settings.video
    return MeetingRules(
        ended=Rules(video.grace, video.lookback, video.record_unlinked),
        past=max(settings.calendar.window.past, video.lookback),
        forms=form_rules(settings, hashed),
        auto_validate=video.auto_validate,
        workplace=workplace(settings, hashed),
    )


def form_rules(settings: Settings, hashed: KeyedHash) -> FormRules:
    """The same section, as far as forms need it."""
    video, workspace = settings.video, settings.workspace
    return FormRules(
        offered=video.form,
        due=video.due,
        remind=video.remind,
        language=workspace.language,
        floating=workspace.timezone,
        instance=instance_of(hashed),
        by_mail=video.form and video.form_mail,
    )


def calling(
    settings: Settings, hashed: KeyedHash, database: Database, people: Callable[[], People]
) -> "Calling":
    """The means to record calls, as the `[calls]` section says."""
    from connectors.calls import board
    from syncd.engine.meetings.calling import Calling, CallRules  # brings every country's numbers with it

    workspace = settings.workspace
    rules = CallRules(
        switchboard=board.switchboard(settings.calls, workspace.timezone),
        lines=board.users(settings.calls),
        country=workspace.default_country,
        record_unlinked=settings.calls.record_unlinked,
        lookback=settings.video.lookback,
        language=workspace.language,
    )
    return Calling(database, people, rules, form_rules(settings, hashed))


def dropping(
    settings: Settings,
    hashed: KeyedHash,
    database: Database,
    people: Callable[[], People],
    further: Sequence[tuple[Path, Taker]] = (),
) -> Dropping:
    """The folders that the config names, each with what takes its files; and `further` ones."""
    video, calls = settings.video, settings.calls
    folders: list[tuple[Path, Taker]] = []
    if video.attendance is not None:
        from syncd.engine.meetings.attending import Attending

        taker = Attending(
            database, people, settings.workspace.timezone, record_unlinked=video.record_unlinked
        )
        folders.append((video.attendance, taker))
    if calls.directory is not None:
        folders.append((calls.directory, calling(settings, hashed, database, people)))
    return Dropping([*folders, *further])
