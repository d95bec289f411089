"""What the config says of calendars, as the engine wants it."""

from config.settings import Mailbox, Settings
from connectors.meetings import table
from syncd.core.canonical import Unit
from syncd.core.conflicts import Rules, Winner
from syncd.core.decision import Direction
from syncd.core.guards import Limits, Policy
from syncd.core.identity import KeyedHash
from syncd.engine.calendar.context import CalendarRules, MailboxRules
from syncd.engine.calendar.occasion import Workplace, instance_of


def calendar_rules(settings: Settings, hashed: KeyedHash) -> CalendarRules:
    """The `[calendar]` section as the engine wants it."""
    calendar = settings.calendar
    by_unit = {Unit(name): Winner(winner) for name, winner in calendar.conflict.by_unit().items()}
    return CalendarRules(
        merge=Rules(Winner(calendar.conflict.default), by_unit),
        past=calendar.window.past,
        future=calendar.window.future,
        limits=Limits(calendar.brake.count, calendar.brake.percent),
        floating=settings.workspace.timezone,
        language=settings.workspace.language,
        instance=instance_of(hashed),
        providers=table(settings.video.places()),
    )


def workplace(settings: Settings, hashed: KeyedHash) -> Workplace:
    """What the config says of the place where people change calendars."""
    return Workplace(
        floating=settings.workspace.timezone,
        language=settings.workspace.language,
        default_alarm=settings.calendar.default_alarm,
        instance=instance_of(hashed),
        providers=table(settings.video.places()),
        rooms=settings.rooms(),
    )


def calendars_of(mailbox: Mailbox) -> MailboxRules | None:
    """What the config says of a mailbox's calendars; None where they are not synchronised."""
    if "calendar" not in mailbox.sync:
        return None
    chosen = None
    if mailbox.calendars is not None:
        chosen = [
            (one.text(), None if one.direction is None else Direction(one.direction.value))
            for one in mailbox.calendars
        ]
    return MailboxRules(Direction(mailbox.direction.value), chosen, Policy(mailbox.invitations))
