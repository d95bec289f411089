"""The quick-add grammar on generated texts: parts in any order, there and back, and on hostile text."""

import re
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from syncd.core.quick_add.errors import QuickAddError, Reason
from syncd.core.quick_add.parser import parse
from syncd.core.quick_add.result import Activity, Kind, QuickAdd
from syncd.core.quick_add.tokens import LONGEST
from syncd.core.quick_add.words import NUMBERS

MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
WEEKDAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()
TYPES = {
    "RDV": Activity.MEETING, "réunion": Activity.MEETING, "Visite": Activity.VISIT,
    "visio": Activity.VIDEO_CALL, "Appeler": Activity.CALL,
}  # fmt: skip
SPELLED = {number: word.replace("-", " ") for word, number in NUMBERS.items() if not word.startswith("d'")}
NAMES = ("Dupont", "Anne Martin", "Café Müller", "O'Brien", "chantier Nord", "Société d'Étude")

now_s = st.datetimes(datetime(2020, 1, 1), datetime(2060, 12, 31)).map(  # noqa: DTZ001 - the clock of a zone
    lambda moment: moment.replace(second=0, microsecond=0)
)


@dataclass(frozen=True)
class Wanted:
    """What a text is to say, and its parts."""

    now: datetime
    kind: Activity
    subject: str
    start: datetime
    length: timedelta
    place: str | None
    alarm: int | None
    parts: tuple[str, ...]

    def check(self, found: QuickAdd) -> None:
        assert (found.kind, found.activity, found.subject) == (Kind.EVENT, self.kind, self.subject)
        assert (found.start, found.end) == (self.start, self.start + self.length)
        assert (found.place, found.alarm) == (self.place, self.alarm)


def days(now: datetime, day: date, year: bool) -> list[str]:
    """The ways to say a day to come."""
    ahead = (day - now.date()).days
    year = year or (day.replace(year=2000) < now.date().replace(year=2000)) != (day.year > now.year)
    year = year or day.year > now.year + 1
    tail = f" {day.year}" if year else ""
    slash = f"/{day.year}" if year else ""
    first = "1er" if day.day == 1 else str(day.day)
    said = [
        day.isoformat(),
        f"{first} {MONTHS[day.month - 1]}{tail}",
        f"le {WEEKDAYS[day.weekday()]} {first} {MONTHS[day.month - 1]}{tail}",
        f"{SPELLED[day.day]} {MONTHS[day.month - 1].upper()}{tail}",
        f"{day.day}/{day.month}{slash}",
        f"{day.day:02}/{day.month:02}{slash}",
        f"dans {ahead} jours",
    ]
    if ahead < 60:
        said.append(f"dans {SPELLED[ahead]} jours")
    if ahead % 7 == 0:
        said.append(f"dans {ahead // 7} semaines")
    if 1 <= ahead <= 7:
        said += [WEEKDAYS[day.weekday()], f"{WEEKDAYS[day.weekday()]} prochain"]
    near = {0: "aujourd'hui", 1: "demain", 2: "après-demain"}
    return [*said, near[ahead]] if ahead in near else said


def clocks(hour: int, minute: int) -> list[str]:
    """The ways to say a time of day."""
    said = [f"{hour}h{minute:02}", f"{hour:02}:{minute:02}", f"à {hour}h{minute:02}", f"{hour} h {minute:02}"]
    spoken = f"{SPELLED[hour]} heures"
    if minute == 0:
        return [*said, f"{hour}h", f"à {hour} heures", spoken]
    if minute > 1:
        said.append(f"{spoken} {SPELLED[minute]}")
    return said


def lengths(start: datetime, minutes: int) -> list[str]:
    """The ways to say a duration right after a time, or an end."""
    hours, rest = divmod(minutes, 60)
    end = start + timedelta(minutes=minutes)
    said = [f"{minutes}min", f"{minutes} minutes", f"pendant {minutes} min", f"jusqu'à {end:%H:%M}"]
    if hours:
        said += [f"pendant {hours}h{rest:02}", f"durée {hours} h {rest:02}"]
        if minutes < start.hour * 60 + start.minute:
            said.append(f"{hours}h{rest:02}")
    return said


@st.composite
def wanted(draw: st.DrawFn) -> Wanted:
    now = draw(now_s)
    start = now + timedelta(minutes=draw(st.integers(0, 60 * 24 * 300)))
    minutes = draw(st.one_of(st.none(), st.integers(1, 11 * 60)))
    place = draw(st.sampled_from([None, "Paris", "rue du 3 mai 14h"]))
    alarm = draw(st.sampled_from([None, 0, 15, 60, 1440]))
    word = draw(st.sampled_from(list(TYPES)))
    subject = draw(st.sampled_from(NAMES))
    when = draw(st.sampled_from(clocks(start.hour, start.minute)))
    how_long = "" if minutes is None else draw(st.sampled_from(lengths(start, minutes)))
    parts = [word, subject, draw(st.sampled_from(days(now, start.date(), draw(st.booleans()))))]
    parts.append(f"{when} {how_long}".strip())
    if place is not None:
        parts.append(f'@"{place}"' if " " in place else f"@{place}")
    if alarm is not None:
        parts.append({0: "!0", 15: "!15min", 60: "!1h", 1440: "!1j"}[alarm])
    length = timedelta(minutes=60 if minutes is None else minutes)
    return Wanted(now, TYPES[word], subject, start, length, place, alarm, tuple(parts))


@settings(deadline=None, max_examples=400)
@given(wanted(), st.randoms(use_true_random=False))
def test_parts_in_any_order_say_what_they_were_made_of(one: Wanted, random: Random) -> None:
    parts = list(one.parts)
    random.shuffle(parts)
    one.check(parse(" ".join(parts), one.now))
    one.check(parse(", ".join(parts), one.now))


WORDS = """
    rdv rappel penser à demain lundi prochain le du au de dans 3 14h 14h30 25h 1h 45min min heures quatorze
    vingt et un une décembre 31 avril 3/12 29/2 2026-12-03 @Paris @ # #A !15 ! !x " « » ( ) , ; . - – pendant
    durée jusqu'à midi minuit moins quart demie semaines jours mois avant entre soir visio https://x.example
    Dupont 9999 d'une demi-heure en huit premier
    """.split()
texts = st.one_of(
    st.text(max_size=200),
    st.text(st.characters(categories=["L", "N", "P", "S", "Z", "C"]), max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join),
    st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), max_size=25).map("".join),
)


def outcome(text: str, now: datetime) -> QuickAdd | QuickAddError:
    """What comes of a text; any other error goes on."""
    try:
        return parse(text, now)
    except QuickAddError as error:
        return error


@settings(deadline=None, max_examples=1500)
@given(texts, now_s)
def test_any_text_is_understood_or_refused_by_its_own_error(text: str, now: datetime) -> None:
    found = outcome(text, now)
    if isinstance(found, QuickAddError):
        event(found.reason.name)
        assert 0 <= found.start <= found.end
        assert found.told("fr") != found.told("en")
        return
    event("understood")
    assert found.subject.strip()
    assert found.day is not None or found.kind is Kind.TASK
    assert found.day is None or found.day >= now.date()
    assert found.days >= 1
    if found.start is not None:
        assert found.end is not None
        assert now <= found.start < found.end
        assert found.start.date() == found.day


edges = st.sampled_from("bfgkxzBÇÀŒ")
strange = st.builds("{}{}{}".format, edges, st.text("bcfgklnpqrvwxyzBÇÉÀŒ&'-0", max_size=6), edges)


@settings(deadline=None, max_examples=300)
@given(st.lists(strange, min_size=1, max_size=6), wanted(), st.randoms(use_true_random=False))
def test_what_is_not_understood_stays_in_the_subject(words: list[str], one: Wanted, random: Random) -> None:
    parts = [part for part in one.parts if part not in (one.subject, *TYPES)]
    places = sorted(random.randrange(len(parts) + 1) for _ in words)
    for place, word in reversed(list(zip(places, words, strict=True))):
        parts.insert(place, word)
    found = parse(" ".join(parts), one.now)
    assert found.subject == " ".join(words)
    assert found.start == one.start


def test_the_time_is_linear_in_the_text() -> None:
    for word in ("de 14 à ", "« ", "(", "!", "@ ", "vingt et ", "rappel une heure ", ",", "x ", "1h", '" '):
        spent = []
        for size in (LONGEST // 4, LONGEST):
            text = (word * size)[:size]
            times = []
            for _ in range(3):
                begun = time.process_time()
                found = outcome(text, datetime(2026, 11, 22, 12))  # noqa: DTZ001 - the clock of a zone
                assert not isinstance(found, QuickAddError) or found.reason is not Reason.TOO_LONG
                times.append(time.process_time() - begun)
            spent.append(min(times))
        assert all(later < 12 * max(earlier, 0.002) for earlier, later in pairwise(spent)), word


def test_the_forms_of_numbers_are_all_there() -> None:
    assert set(NUMBERS.values()) == set(range(60))
    assert all(re.fullmatch(r"[a-z'-]+", word) for word in NUMBERS)
