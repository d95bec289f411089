"""Words that stand for a type of activity in CATEGORIES (R083): those of the program, and those of the
company's list `activity_type` (R054).

What a category names is the type of an event. So a category that the program or the list has a word for is
never a plain category, and a label that the list gave up is one from then on.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from config.built_in_lists import meaning
from store.activities import ActivityType
from store.database import Transaction
from store.value_lists import ACTIVITY_TYPE, branch_of, choices

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
LANGUAGES = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Type:
    """A type of events: what it means, and which item of the list it is where that is the company's own."""

    kind: ActivityType
    item: int | None = None


MEETING, VIDEO_CALL = Type(ActivityType.MEETING), Type(ActivityType.VIDEO_CALL)


def _plain(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in folded if not unicodedata.combining(char)).strip()


BY_LABEL = {_plain(label): Type(kind) for labels in LABELS.values() for kind, label in labels.items()}
CHOICES = {
    **{kind.name.casefold(): Type(kind) for kind in LABELS["en"]},
    **{label.casefold(): Type(kind) for labels in LABELS.values() for kind, label in labels.items()},
}


@dataclass(frozen=True, slots=True)
class Types:
    """The types that events may have."""

    by_word: Mapping[str, Type] = field(default_factory=lambda: BY_LABEL)  # in categories; without accents
    choices: Mapping[str, Type] = field(default_factory=lambda: CHOICES)  # codes and labels; case folded
    labels: Mapping[Type, Mapping[str, str]] = field(default_factory=dict)  # by language, where they differ
    default: str | None = None  # the code of what a new event is; None: a meeting

    def named(self, categories: Iterable[str]) -> Type | None:
        """The type that a category names; the first one by its letters where several do."""
        return next(
            (self.by_word[word] for one in sorted(categories) if (word := _plain(one)) in self.by_word), None
        )

    def of(self, categories: Iterable[str], *, online: bool) -> Type:
        """The type that a category names, else a video call of what is held by video, or a meeting (R083)."""
        return self.named(categories) or (VIDEO_CALL if online else MEETING)

    def put(self, categories: Iterable[str], type_: Type, language: str) -> list[str]:
        """The categories with the name of another type in place of the former one."""
        others = [one for one in categories if _plain(one) not in self.by_word]
        known = self.labels.get(type_, {})
        label = known.get(language) or LABELS[language].get(type_.kind)
        if type_.item is not None:
            label = known.get(language) or next(iter(known.values()))
        return sorted([*others, label] if label else others)


BUILT_IN = Types()


def types_of(session: Transaction, user_id: int | None = None) -> Types:
    """The types as the list has them now, and as that user can choose them; None: as an admin does."""
    branch = branch_of(session, user_id)
    items = [
        (one, Type(kind, None if one.code == kind.value else one.id))
        for one in choices(session, [ACTIVITY_TYPE])[ACTIVITY_TYPE].items
        if (kind := ActivityType(meaning(ACTIVITY_TYPE, one.code, one.flag))) in LABELS["en"]
    ]  # no event is an e-mail or a comment
    labels = {type_: one.label or {LANGUAGES[0]: one.code} for one, type_ in items}
    by_word = dict(BY_LABEL)
    # What can be chosen takes its words last: a label that was given again is that one's.
    for _, type_ in sorted(items, key=lambda pair: pair[0].active):
        by_word |= {_plain(label): type_ for label in labels[type_].values()}
    offered = [(one, type_) for one, type_ in items if one.active and one.open_to(branch)]
    chosen = {one.code.casefold(): type_ for one, type_ in offered}
    for language in LANGUAGES:
        for _, type_ in offered:
            if language in labels[type_]:
                chosen.setdefault(labels[type_][language].casefold(), type_)
    default = next((one.code for one, type_ in offered if one.default and type_ != MEETING), None)
    return Types(by_word, chosen, labels, default)
