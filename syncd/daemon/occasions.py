"""The occasion on which a person changes the calendar, made of what the installation knows."""

from datetime import datetime

from store.actors import Actor
from store.audit_log import Channel
from syncd.daemon.calendars import workplace
from syncd.daemon.wiring import Installation
from syncd.engine.calendar.occasion import Occasion


def occasion_of(installation: Installation, actor: Actor, channel: Channel, now: datetime) -> Occasion:
    """Who acts, when and through which door."""
    place = workplace(installation.settings, installation.hashed)
    return place.occasion(actor, channel, now, installation.people())
