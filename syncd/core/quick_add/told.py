"""What was understood, told to a person in French or in English."""

from datetime import date

from syncd.core.quick_add.result import Activity, Kind, QuickAdd

_DAYS = {
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
}
_MONTHS = {
    "fr": ("janvier février mars avril mai juin juillet août septembre octobre novembre décembre").split(),
    "en": ("January February March April May June July August September October November December").split(),
}
_TYPES = {
    "fr": {
        Activity.MEETING: "rendez-vous", Activity.VISIT: "visite", Activity.VIDEO_CALL: "visioconférence",
        Activity.CALL: "appel",
    },
    "en": {
        Activity.MEETING: "meeting", Activity.VISIT: "visit", Activity.VIDEO_CALL: "video call",
        Activity.CALL: "call",
    },
}  # fmt: skip
_WORDS = {
    "fr": {
        "event": "événement",
        "task": "tâche",
        "from": "{day} de {start} à {end}",
        "whole": "{day} toute la journée",
        "days": "du {day} au {last} compris",
        "undated": "sans échéance",
        "place": "lieu : {place}",
        "opportunity": "opportunité {opportunity}",
        "alarm": "alerte {minutes} min avant",
        "contact": "contact {name}",
        "account": "compte {name}",
        "several": "« {words} » : {number} fiches portent ce nom, aucune n'est liée",
    },
    "en": {
        "event": "event",
        "task": "task",
        "from": "{day} from {start} to {end}",
        "whole": "{day} all day",
        "days": "from {day} to {last} inclusive",
        "undated": "without a day",
        "place": "place: {place}",
        "opportunity": "opportunity {opportunity}",
        "alarm": "alert {minutes} min before",
        "contact": "contact {name}",
        "account": "account {name}",
        "several": "« {words} »: {number} records have that name, none is linked",
    },
}


def in_words(found: QuickAdd, language: str) -> str:
    """One line: all that was understood, the year of the day included. French unless `language` is "en"."""
    language = "en" if language == "en" else "fr"
    words = _WORDS[language]
    kind = words[found.kind.value] if found.activity is None else _TYPES[language][found.activity]
    parts = [f"{kind} « {found.subject} »", _when(found, language)]
    if found.place is not None:
        parts.append(words["place"].format(place=found.place))
    if found.opportunity is not None:
        parts.append(words["opportunity"].format(opportunity=found.opportunity))
    if found.alarm is not None:
        parts.append(words["alarm"].format(minutes=found.alarm))
    parts += [words[one.match.kind.value].format(name=one.match.name) for one in found.links]
    parts += [words["several"].format(words=one.words, number=len(one.matches)) for one in found.unlinked]
    return ", ".join(parts)


def _when(found: QuickAdd, language: str) -> str:
    words = _WORDS[language]
    if found.day is None or found.last_day is None:
        return words["undated"]
    day, last = _day(found.day, language), _day(found.last_day, language)
    if found.start is None or found.end is None:
        if found.kind is Kind.TASK:
            return day
        return words["whole" if found.days == 1 else "days"].format(day=day, last=last)
    if found.kind is Kind.TASK:
        return f"{day} {found.start:%H:%M}"
    next_day = "" if found.end.date() == found.day else f" ({_day(found.end.date(), language)})"
    return words["from"].format(day=day, start=f"{found.start:%H:%M}", end=f"{found.end:%H:%M}{next_day}")


def _day(day: date, language: str) -> str:
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{_DAYS[language][day.weekday()]} {number} {_MONTHS[language][day.month - 1]} {day.year}"
