"""What the config says of video meetings and calls, as the engine wants it."""

from collections.abc import Callable

from config.settings import Settings
from connectors.calls import board
from connectors.meetings import table
from store.database import Database
from syncd.core.identity import KeyedHash
from syncd.core.meetings.ended import Rules
from syncd.engine.calendar.occasion import instance_of
from syncd.engine.calendar.people import People
from syncd.engine.meetings.attending import Attending
from syncd.engine.meetings.calling import Calling, CallRules
from syncd.engine.meetings.dropping import Dropping
from syncd.engine.meetings.forms import FormRules
from syncd.engine.meetings.sync import MeetingRules


def meeting_rules(settings: Settings, hashed: KeyedHash) -> MeetingRules:
    """The `[video]` section as the engine wants it."""
    video = settings.video
    return MeetingRules(
        ended=Rules(video.grace, video.lookback, video.record_unlinked),
        past=max(settings.calendar.window.past, video.lookback),
        forms=form_rules(settings, hashed),
        auto_validate=video.auto_validate,
        default_alarm=settings.calendar.default_alarm,
        providers=table(video.places()),
        rooms=settings.rooms(),
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
) -> Calling:
    """The means to record calls, as the `[calls]` section says."""
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
    settings: Settings, hashed: KeyedHash, database: Database, people: Callable[[], People]
) -> Dropping:
    """The folders that the config names, each with what takes its files."""
    video, calls = settings.video, settings.calls
    attending = Attending(
        database, people, settings.workspace.timezone, record_unlinked=video.record_unlinked
    )
    folders = ((video.attendance, attending), (calls.directory, calling(settings, hashed, database, people)))
    return Dropping([(folder, taker) for folder, taker in folders if folder is not None])
