"""What the config says of video meetings, as the engine wants it."""

from config.settings import Settings
from connectors.meetings import table
from syncd.core.identity import KeyedHash
from syncd.core.meetings.ended import Rules
from syncd.engine.calendar.occasion import instance_of
from syncd.engine.meetings.forms import FormRules
from syncd.engine.meetings.sync import MeetingRules


def meeting_rules(settings: Settings, hashed: KeyedHash) -> MeetingRules:
    """The `[video]` section as the engine wants it."""
    video, workspace = settings.video, settings.workspace
    return MeetingRules(
        ended=Rules(video.grace, video.lookback, video.record_unlinked),
        past=max(settings.calendar.window.past, video.lookback),
        forms=FormRules(
            offered=video.form,
            due=video.due,
            remind=video.remind,
            language=workspace.language,
            floating=workspace.timezone,
            instance=instance_of(hashed),
            by_mail=video.form and video.form_mail,
        ),
        auto_validate=video.auto_validate,
        default_alarm=settings.calendar.default_alarm,
        providers=table(video.places()),
        rooms=settings.rooms(),
    )
