"""Words that stand for a type of activity in CATEGORIES, and hosts that stand for a video provider (T8)."""

import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from store.activities import ActivityType
from store.calendar import VideoProvider

LABELS = {
    "fr": {
        ActivityType.VISIT: "Visite",
        ActivityType.MEETING: "Réunion",
        ActivityType.CALL: "Appel",
        ActivityType.VIDEO_CALL: "Visioconférence",
    },
    "en": {
        ActivityType.VISIT: "Visit",
        ActivityType.MEETING: "Meeting",
        ActivityType.CALL: "Call",
        ActivityType.VIDEO_CALL: "Video call",
    },
}


def _plain(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in folded if not unicodedata.combining(char)).strip()


BY_LABEL = {_plain(label): kind for labels in LABELS.values() for kind, label in labels.items()}

HOSTS = {
    "teams.microsoft.com": VideoProvider.TEAMS,
    "teams.live.com": VideoProvider.TEAMS,
    "meet.google.com": VideoProvider.MEET,
    "zoom.us": VideoProvider.ZOOM,
    "webex.com": VideoProvider.WEBEX,
}


def type_of(categories: Iterable[str], video_url: str) -> ActivityType:
    """The type that a category names, else VIDEO_CALL where there is a link, else MEETING (R083)."""
    named = [BY_LABEL[word] for one in sorted(categories) if (word := _plain(one)) in BY_LABEL]
    if named:
        return named[0]
    return ActivityType.VIDEO_CALL if video_url else ActivityType.MEETING


def with_type(categories: Iterable[str], kind: ActivityType, language: str) -> list[str]:
    """The categories with the name of another type in place of the former one."""
    others = [one for one in categories if _plain(one) not in BY_LABEL]
    label = LABELS[language].get(kind)
    return sorted([*others, label] if label else others)


def provider_of(url: str) -> VideoProvider | None:
    """Whose link it is; OTHER for a host that nobody knows, None without a link (R084)."""
    if not url:
        return None
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        host = ""
    parts = host.split(".")
    for start in range(len(parts)):
        provider = HOSTS.get(".".join(parts[start:]))
        if provider is not None:
            return provider
    return VideoProvider.OTHER
