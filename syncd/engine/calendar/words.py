"""Words that stand for a type of activity in CATEGORIES (R083)."""

import unicodedata
from collections.abc import Iterable

from store.activities import ActivityType

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


def type_of(categories: Iterable[str], *, online: bool) -> ActivityType:
    """The type that a category names, else VIDEO_CALL of what is held by video, else MEETING (R083)."""
    named = [BY_LABEL[word] for one in sorted(categories) if (word := _plain(one)) in BY_LABEL]
    if named:
        return named[0]
    return ActivityType.VIDEO_CALL if online else ActivityType.MEETING


def with_type(categories: Iterable[str], kind: ActivityType, language: str) -> list[str]:
    """The categories with the name of another type in place of the former one."""
    others = [one for one in categories if _plain(one) not in BY_LABEL]
    label = LABELS[language].get(kind)
    return sorted([*others, label] if label else others)
