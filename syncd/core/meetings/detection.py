"""Whether an event is a meeting by video, and where it is joined (table T8). Pure.

A link that somebody *said* is the meeting's (a property of its own: CONFERENCE, what Exchange tells) is kept
as it stands. A link that is only *found* in a text says what it says there: it is never written anywhere
else, and never compared with anything (decision 019).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from connectors.calendar import Component, Hints
from connectors.links import links_in
from connectors.meetings import STANDARD, Provider, Providers
from syncd.core.meetings.wrappers import unwrapped

NO_HINTS = Hints()


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where it is joined, and whose it is."""

    url: str  # without what a guard of mail put around it; empty: it is online, and nobody knows where
    provider: Provider | None
    said: bool  # a property of the event's own, not found in a text


def meeting_in(component: Component, providers: Providers = STANDARD) -> Meeting | None:
    """The meeting by video that an event is, first hit of T8; None where nothing tells of one.

    That a person called the event a video call (T8 row 1) is said by its category, not here.
    """
    if component.video_url:
        link = unwrapped(component.video_url, providers) or component.video_url
        return Meeting(component.video_url, providers.owner(link), said=True)
    hints = component.hints or NO_HINTS
    found = found_in(_candidates(component, hints), providers)
    if found is None and hints.online:
        return Meeting("", None, said=False)
    return found


def found_in(links: Iterable[str], providers: Providers) -> Meeting | None:
    """The first of these links that leads into a meeting."""
    for one in links:
        link = unwrapped(one, providers)
        if link:
            return Meeting(link, providers.meeting(link), said=False)
    return None


def _candidates(component: Component, hints: Hints) -> Iterator[str]:
    """The order of T8: URL, LOCATION, DESCRIPTION, and the second form of that in HTML."""
    texts = (hints.url, component.location, component.notes)
    return chain(chain.from_iterable(links_in(text) for text in texts if "://" in text), hints.links)
