"""The lines that say when: DTSTART, DTEND or DUE or DURATION, RRULE, RDATE, EXDATE, RECURRENCE-ID."""

from connectors.calendar import Component, Kind, When
from connectors.ical.clocks import Clocks
from connectors.ical.draft import Draft, with_parameter
from connectors.ical.lines import Line, Unreadable
from connectors.ical.reading import dates_of, read_end, rule_of, when_of
from connectors.ical.values import align, write_when


def edit_timing(draft: Draft, target: Component, kind: Kind, clocks: Clocks, series: When | None) -> bool:
    """Whether it happens at another time now. `series` is the new start of the series."""
    timing = target.timing
    writer = _Writer(draft, clocks)
    changed = writer.one("DTSTART", timing.start)
    changed |= writer.end(kind, timing.start, timing.end)
    rules = "\n".join(sorted({_rule(line, timing.start) for line in draft.lines("RRULE")}))
    if rules != timing.rrule:
        first, *others = timing.rrule.split("\n")
        draft.set("RRULE", first or None)
        for rule in others:
            draft.add("RRULE", rule)
        changed = True
    changed |= writer.many("RDATE", timing.rdates, timing.start)
    changed |= writer.many("EXDATE", timing.exdates, timing.start)
    writer.identity(target, series)
    return changed


def _rule(line: Line, start: When | None) -> str:
    try:
        return rule_of(line, start)
    except Unreadable:
        return line.value


class _Writer:
    def __init__(self, draft: Draft, clocks: Clocks) -> None:
        self.draft = draft
        self.zones = clocks.zones
        self.clocks = clocks

    def one(self, name: str, when: When | None) -> bool:
        """A property that holds one time."""
        lines = self.draft.lines(name)
        if (when_of(lines[0], self.zones) if lines else None) == when:
            return False
        if when is None:
            self.draft.set(name, None)
        else:
            self.draft.set(name, write_when(when), self._params(when, lines[0].params if lines else ""))
        return True

    def end(self, kind: Kind, start: When | None, end: When | None) -> bool:
        """DTEND or DUE, unless what is there, or its absence, says the same with the new start."""
        if read_end(self.draft.fields, kind, self.zones, start) == end:
            return False
        self.draft.set("DURATION", None)
        self.one("DTEND" if kind is Kind.EVENT else "DUE", end)
        return True

    def many(self, name: str, wanted: tuple[When, ...], start: When | None) -> bool:
        """A property that holds lists of dates: what is gone is taken out, what is new gets new lines."""
        values = {when.key(): when for when in wanted}
        read = [(line, dates_of(line, self.zones, start)) for line in self.draft.lines(name)]
        there: dict[str, When] = {}
        for _, dates in read:
            for _, when in dates:
                there.setdefault(when.key(), when)
        right = {key for key, when in there.items() if values.get(key) == when}
        for line, dates in read:
            kept = [text for text, when in dates if when.key() in right]
            if not kept and dates:
                self.draft.drop(line)
            elif len(kept) < len(dates):
                self.draft.swap(line, ",".join(kept))
        forms: dict[str, list[str]] = {}
        for when in wanted:
            if when.key() not in right:
                forms.setdefault(self._params(when, ""), []).append(write_when(when))
        for params, texts in forms.items():
            self.draft.add(name, ",".join(texts), params)
        return bool(forms) or len(right) < len(there)

    def identity(self, target: Component, series: When | None) -> None:
        """RECURRENCE-ID. RANGE is kept where it was, never asked for anew."""
        lines = self.draft.lines("RECURRENCE-ID")
        when = target.recurrence_id
        if when is None:
            return
        future = bool(lines) and "THISANDFUTURE" in lines[0].params.upper()
        there = align(when_of(lines[0], self.zones), series) if lines else None
        if there == when and future == target.this_and_future:
            return
        params = self._params(when, lines[0].params if lines else "")
        params = with_parameter(params, "RANGE", "THISANDFUTURE" if target.this_and_future else None)
        self.draft.set("RECURRENCE-ID", write_when(when), params)

    def _params(self, when: When, params: str) -> str:
        tzid = self.clocks.tzid(when)
        params = with_parameter(params, "TZID", tzid or None)
        return with_parameter(params, "VALUE", "DATE" if when.is_date else None)
