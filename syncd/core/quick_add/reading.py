"""What the words of a text say, gathered in one pass from left to right; each rule looks at a few words from
where it stands, so the time is linear."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncd.core.quick_add.days import Said, day_at, refuse_vague, span_at
from syncd.core.quick_add.errors import Reason
from syncd.core.quick_add.result import Activity
from syncd.core.quick_add.times import Clock, Length, clock_at, half_at, length_at, range_at
from syncd.core.quick_add.tokens import MARKS, Text
from syncd.core.quick_add.words import ARTICLES, DAY, DURING, HOUR, MINUTE, REMIND, TASKS, TYPES

LONGEST_ALARM = timedelta(weeks=4)  # R080

_ALARM = re.compile(r"!(?:(\d{1,5})(?:min|mn|m)?|(\d{1,3})h(\d{1,2})?|(\d{1,2})j)", re.ASCII)
_TRIES_ALARM = re.compile(r"!\d", re.ASCII)
_URL = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass
class Reading:
    """What has been understood so far."""

    text: Text
    now: datetime
    activity: Activity | None = None
    task: bool = False
    label: str = ""  # the word that told the type, as typed
    days: list[Said] = field(default_factory=list)
    half: tuple[int, int, int] | None = None  # « demain soir »: its tokens, and the hours that it adds
    begin: Clock | None = None
    ahead: Length | None = None  # « dans deux heures »
    finish: Clock | None = None
    length: Length | None = None
    alarm: Length | None = None
    place: str | None = None
    opportunity: str | None = None
    url: str | None = None

    def take(self) -> None:
        """Reads all tokens."""
        self._links()
        index = 0
        while index < len(self.text.tokens):
            index = self._one(index) if not self.text.used[index] else index + 1
        self._in_half()

    def _one(self, index: int) -> int:
        """What begins at this token; returns the token after it."""
        token = self.text.tokens[index]
        mark = token.core[0] if token.word else token.mark
        if mark and mark in MARKS:
            end = self._marked(index, mark)
        elif mark == "!":
            end = self._bang(index)
        elif not token.word:
            end = None
        else:
            end = self._alarm_before(index) or self._day(index) or self._time(index) or self._type(index)
        if end is None:
            return index + 1
        self.text.use(index, end)
        return end

    # --- marks ------------------------------------------------------------------------------------

    def _links(self) -> None:
        """The link of a video call stands for its place there; in anything else it is a part of the text."""
        kinds = [TYPES[one.word] for one in self.text.tokens if one.word in TYPES]
        if kinds[:1] != [Activity.VIDEO_CALL]:
            return
        for index, token in enumerate(self.text.tokens):
            if _URL.fullmatch(token.core) and token.word:
                self.url = token.core
                self.text.use(index, index + 1)
                return

    def _marked(self, index: int, mark: str) -> int | None:
        token = self.text.tokens[index]
        value = token.core if token.mark else token.core[1:]
        if not value.strip(MARKS):
            return None
        known = self.place if mark == "@" else self.opportunity
        if known not in (None, value):
            reason = Reason.TWO_PLACES if mark == "@" else Reason.TWO_OPPORTUNITIES
            raise self.text.error(reason, index, index + 1, known or "")
        if mark == "@":
            self.place = value
        else:
            self.opportunity = value
        return index + 1

    def _bang(self, index: int) -> int | None:
        words = self.text.words(index)
        if not _TRIES_ALARM.match(words[0]):
            return None
        end = index + 1
        if words[0][1:].isdecimal() and len(words) > 1 and words[1] in HOUR | MINUTE | DAY:
            words[0] += words[1][0]  # « !10 minutes »
            end += 1
        found = _ALARM.fullmatch(words[0])
        if found is None:
            raise self.text.error(Reason.BAD_ALARM, index, end)
        minutes, hours, rest, days = (int(part or 0) for part in found.groups())
        self._alert(Length(timedelta(days=days, hours=hours, minutes=minutes + rest), index, end))
        return end

    def _alert(self, said: Length) -> None:
        if said.length > LONGEST_ALARM:
            raise self.text.error(Reason.BAD_ALARM, said.start, said.end)
        if self.alarm is not None and self.alarm.length != said.length:
            raise self.text.error(Reason.TWO_ALARMS, said.start, said.end, self.typed(self.alarm))
        self.alarm = said

    def _alarm_before(self, index: int) -> int | None:
        """« rappel 15 minutes avant »: who dictates says no exclamation mark."""
        start = index
        if self.text.tokens[index].word in REMIND:
            index += 1
        said = length_at(self.text, index) if index < len(self.text.tokens) else None
        if said is None or self.text.words(said.end)[:1] != ["avant"] or self._stops(said.end):
            return None
        self._alert(Length(said.length, start, said.end + 1))
        return said.end + 1

    # --- day and time -----------------------------------------------------------------------------

    def _day(self, index: int) -> int | None:
        if self.text.tokens[index].word == "dans" and (end := self._from_now(index)) is not None:
            return end
        refuse_vague(self.text, index)
        said = span_at(self.text, index, self.now.date()) or day_at(self.text, index, self.now.date())
        if said is None:
            if self.text.tokens[index].word in ("ce", "cet") and half_at(self.text, index + 1) is not None:
                self.days.append(Said(self.now.date(), index, index + 2))
                self._half(index + 1, index)
            return None
        self.days.append(said)
        self._half(said.end, said.end)
        return said.end

    def _half(self, index: int, start: int) -> None:
        """« demain soir », « ce soir »: what it says of a time, wherever that stands."""
        if self.half is None and not self._stops(index) and (hours := half_at(self.text, index)) is not None:
            self.half = (start, index + 1, hours)

    def _in_half(self) -> None:
        """Without a time, « soir » stays in the subject."""
        if self.half is None or self.begin is None:
            return
        start, end, hours = self.half
        self.text.use(start, end)
        self.begin = self.begin.in_half(hours)
        self.finish = None if self.finish is None else self.finish.in_half(hours)

    def _from_now(self, index: int) -> int | None:
        """« dans deux heures »."""
        said = None if self._stops(index + 1) else length_at(self.text, index + 1)
        if said is None or said.whole_days:
            return None
        self._no_time_yet(index, said.end)
        self.ahead = Length(said.length, index, said.end)
        return said.end

    def _time(self, index: int) -> int | None:
        return self._during(index) or self._until(index) or self._range(index) or self._clock(index)

    def _range(self, index: int) -> int | None:
        both = range_at(self.text, index)
        if both is None:
            return None
        self._no_time_yet(index, both[1].end)
        self.begin = both[0]
        self._end(both[1])
        return both[1].end

    def _until(self, index: int) -> int | None:
        """« jusqu'à 16h », after a time."""
        if self.text.tokens[index].word != "jusqu'a" or self._stops(index + 1) or not self.timed:
            return None
        said = clock_at(self.text, index + 1)
        if said is None:
            return None
        self._end(said)
        return said.end

    def _clock(self, index: int) -> int | None:
        if self.timed and (said := self._length_after(index)) is not None:
            self._lasts(said)
            return said.end
        clock = clock_at(self.text, index)
        if clock is None:
            return None
        self._no_time_yet(clock.start, clock.end)
        self.begin = clock
        return clock.end

    def _length_after(self, index: int) -> Length | None:
        """A duration that follows a time. « 14h 1h » lasts an hour; « 9h 10h » may mean either."""
        said = length_at(self.text, index)
        if said is None or said.whole_days:
            return None
        clock = clock_at(self.text, index) if said.length >= timedelta(hours=1) else None
        begin = self.begin
        if clock is None or not clock.bare or begin is None:
            return said
        return said if said.length < timedelta(minutes=begin.minutes) else None

    def _during(self, index: int) -> int | None:
        """« pendant 1h30 », « durée 45 min », « d'une heure », « de 45 minutes »."""
        word = self.text.tokens[index].word
        if word in DURING:
            colon = [one.text for one in self.text.tokens[index + 1 : index + 2]] == [":"]
            after = index + 1 + colon
            said = None if self._stops(after) else length_at(self.text, after)
        elif word == "pour":
            said = None if self._stops(index + 1) else self._length_after(index + 1)
            if said is None or not (self.timed or clock_at(self.text, index + 1) is None):
                return None  # « pour 14h » is a time
        elif word in ("d'une", "d'un"):
            said = self._of_one(index)
        elif word == "de" and not self._stops(index + 1):
            said = length_at(self.text, index + 1)
            if said is not None and (said.whole_days or clock_at(self.text, index + 1) is not None):
                return None  # « de 14h » is a time
        else:
            return None
        if said is None:
            return None
        self._lasts(Length(said.length, index, said.end, whole_days=said.whole_days))
        return said.end

    def _of_one(self, index: int) -> Length | None:
        """« d'une heure trente », « d'une demi-heure », « d'une durée de 2h »."""
        words = self.text.words(index)
        if words[1:3] == ["duree", "de"] and not self._stops(index + 3):
            return length_at(self.text, index + 3)
        return length_at(self.text, index)

    def _end(self, clock: Clock) -> None:
        self._no_end_yet(clock.start, clock.end)
        self.finish = clock

    def _lasts(self, said: Length) -> None:
        self._no_end_yet(said.start, said.end)
        if not said.length:
            raise self.text.error(Reason.NO_LENGTH, said.start, said.end)
        self.length = said

    def _no_time_yet(self, start: int, end: int) -> None:
        known = self.begin or self.ahead
        if known is not None:
            raise self.text.error(Reason.TWO_TIMES, start, end, self.typed(known))

    def _no_end_yet(self, start: int, end: int) -> None:
        known = self.finish or self.length
        if known is not None:
            raise self.text.error(Reason.TWO_ENDS, start, end, self.typed(known))

    @property
    def timed(self) -> bool:
        """Whether a time to begin at was said."""
        return self.begin is not None or self.ahead is not None

    def _stops(self, index: int) -> bool:
        """Whether no form reaches this token from the one before it."""
        return index >= len(self.text.tokens) or self.text.tokens[index - 1].stop

    def typed(self, said: Clock | Length | Said) -> str:
        """What was typed for it."""
        return self.text.typed(said.start, said.end)

    # --- type -------------------------------------------------------------------------------------

    def _type(self, index: int) -> int | None:
        """The first word that tells a type; others stay in the subject."""
        if self.label:
            return None
        words = self.text.words(index)
        end = index + 1
        if words[0] in TASKS:
            self.task = True
        elif words[:2] in (["penser", "a"], ["rappelle", "moi"]):
            self.task, end = True, index + 2
        elif words[:2] == ["rendez", "vous"]:
            self.activity, end = Activity.MEETING, index + 2
        elif words[0] in TYPES and not (
            words[0] == "appel" and words[1:2] and words[1].startswith("d'offre")
        ):
            self.activity = TYPES[words[0]]
        else:
            return None
        self.label = self.text.typed(index, end)
        if index and self.text.tokens[index - 1].word in ARTICLES:
            self.text.use(index - 1, index)
        return end
