"""The occasion on which a person changes the calendar, made of what the installation knows."""

from datetime import datetime

from connectors.meetings import table
from store.actors import Actor
from store.audit_log import Channel
from syncd.daemon.wiring import Installation
from syncd.engine.calendar.occasion import Occasion, instance_of
from syncd.engine.calendar.people import People


def occasion_of(installation: Installation, actor: Actor, channel: Channel, now: datetime) -> Occasion:
    """Who acts, when and through which door."""
    settings = installation.settings
    return Occasion(
        actor=actor,
        channel=channel,
        now=now,
        people=People(installation.mail.known.directory()),
        floating=settings.workspace.timezone,
        language=settings.workspace.language,
        default_alarm=settings.calendar.default_alarm,
        instance=instance_of(installation.hashed),
        providers=table(settings.video.places()),
        rooms=settings.rooms(),
    )
