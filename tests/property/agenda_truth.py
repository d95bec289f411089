"""What people wrote, and what must be left of it.

Each value that a person writes is one of its own. It lives until a person on some side overwrites or deletes
it where it is shown. Whatever lives must be on both sides in the end, or in the table of conflicts.
"""

from collections import Counter, defaultdict

from connectors.calendar import Component, Item
from syncd.core.canonical import is_private

Value = tuple[str, str]  # the key of a component, and what stands in it


def values_in(item: Item | None) -> set[Value]:
    """What of an item cannot be there by chance."""
    if item is None:
        return set()
    return {(component.key, one) for component in item.components for one in _values(component)}


def _values(one: Component) -> set[str]:
    start = one.timing.start or one.timing.end
    if start is not None and start == one.recurrence_id:
        start = None  # where the series has it: nobody wrote that
    found = {one.subject.strip(), one.location, one.video_url, *one.categories}
    found |= {line.strip() for line in one.notes.split("\n")}
    found |= {alarm for alarm in one.alarms if alarm.startswith("-PT")}
    found |= {attendee.email for attendee in one.attendees}
    found |= {start.local.isoformat()} if start else set()
    return {each.casefold() for each in found if any(char.isdigit() for char in each)}


class Truth:
    """What lives, by UID."""

    def __init__(self) -> None:
        self.living: dict[str, set[Value]] = defaultdict(set)
        self.deleted: set[str] = set()  # by a person, on whichever side
        self.edits: Counter[str] = Counter()  # of a person in the CRM
        self.secret: set[str] = set()  # texts that were written while private, and never were public
        self.concealed: set[str] = set()  # made private by a client: from then on the server's alone
        self.out_of_sight: set[str] = set()  # somebody else's meetings that the CRM hides
        self.left_alone: set[str] = set()  # made in a calendar that the CRM takes nothing from
        self.vendor: dict[str, set[str]] = defaultdict(set)  # lines of no concern to anybody
        self.created: set[str] = set()

    def edited(self, uid: str, before: Item | None, after: Item | None) -> None:
        """A person made of one side's item another one; None: there is none."""
        old, new = values_in(before), values_in(after)
        self.living[uid] = (self.living[uid] - (old - new)) | (new - old)
        self.created.add(uid)
        if after is None:
            self.deleted.add(uid)
            self.vendor[uid] = set()

    def written_by_client(self, uid: str, before: Item | None, after: Item | None, lines: set[str]) -> None:
        """The same, at the server."""
        self.edited(uid, before, after)
        self.vendor[uid] = set(lines)
        if after is not None:
            texts, known = ({text for _, text in values_in(one)} for one in (after, before))
            if is_private(after):
                self.secret |= {text for text in texts - known if not text.startswith(("2026", "-pt"))}
            else:
                self.secret -= texts

    def forgotten(self, uid: str, remote: Item) -> None:
        """The CRM holds no text of it any more: what had not reached the server is gone, as it must be."""
        self.living[uid] &= values_in(remote)

    def missing(self, uid: str, item: Item | None, conflicts: str) -> set[Value]:
        """What lives, and is neither there nor in a conflict."""
        there = values_in(item)
        return {(key, text) for key, text in self.living[uid] - there if text not in conflicts}
