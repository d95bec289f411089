"""An Item into the iCalendar resource that a server holds, in place: what is equal stays, to the byte."""

from datetime import datetime

from connectors.block import attach, find, strip
from connectors.calendar import Component, Dress, Item, Kind, Privacy, Status
from connectors.ical.canonical import canonical
from connectors.ical.clocks import Clocks
from connectors.ical.draft import Draft, component
from connectors.ical.lines import Document, Line, Node, parse
from connectors.ical.parts import (
    as_utc,
    identity_of,
    read_alarm,
    read_categories,
)
from connectors.ical.people import edit_people, mark_quiet
from connectors.ical.reading import item_nodes, read_component, read_components, read_sequence, zones_of
from connectors.ical.timing import edit_timing
from connectors.ical.values import escape, unescape
from connectors.ical.video import HTML, edit_place, edit_video

_STATUS = {
    Status.CONFIRMED: "CONFIRMED",
    Status.TENTATIVE: "TENTATIVE",
    Status.CANCELLED: "CANCELLED",
    Status.OPEN: "NEEDS-ACTION",
    Status.DONE: "COMPLETED",
}
_PRIVACY = {Privacy.PUBLIC: "PUBLIC", Privacy.PRIVATE: "PRIVATE", Privacy.CONFIDENTIAL: "CONFIDENTIAL"}
_OF_SERIES = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"})


def edit(
    source: bytes, item: Item, dress: Dress, *, stamp: datetime, quiet: bool, last_block: str = ""
) -> bytes:
    """The resource with `item` in it: only lines whose meaning changed are written anew.

    If `source` says the same as `item` and has the dress on, it is returned as it is. `stamp` is now,
    aware. `quiet` asks the server to mail no attendee who is new (RFC 6638 section 7.1; those who are there
    keep what they have, since a change of that is itself mailed); otherwise our own marks are taken away.
    `last_block` is what the CRM last wrote into the description. Raises Unreadable, and ValueError where
    `item` is not the one in `source` or has a rule that is none.
    """
    document = parse(source)
    editor = _Editor(document, canonical(item), dress, as_utc(stamp), last_block)
    invited = {identity_of(line) for node in editor.nodes() for line in node.lines if line.name == "ATTENDEE"}
    if not editor.run():
        return source
    for node in editor.nodes():
        mark_quiet(node, editor.end, quiet=quiet, invited=invited)
    editor.clocks.define(document.root, editor.end, item)
    return document.write()


class _Editor:
    def __init__(self, document: Document, item: Item, dress: Dress, stamp: str, last_block: str) -> None:
        self.root = document.root
        self.item = item
        self.dress = dress
        self.stamp = stamp
        self.last_block = last_block
        self.end = b"\r\n" if document.root.begin.raw.endswith(b"\r\n") else b"\n"
        self.zones = zones_of(document)
        self.clocks = Clocks(document, self.zones)
        self.fresh = not any(node.name in {"VEVENT", "VTODO"} for node in document.root.children)
        self.found = [] if self.fresh else read_components(document, self.zones, last_block)
        self.start = item.main.timing.start if item.main.recurrence_id is None else None

    def nodes(self) -> list[Node]:
        return [node for node in self.root.children if node.name in {"VEVENT", "VTODO"}]

    def run(self) -> bool:
        """Whether anything changed."""
        self._check()
        there = {each.key: node for node, each in self.found}
        wanted = self.item.by_key
        master = there.get("")
        template = master.write() if master is not None else b""
        changed = False
        made: list[Node] = []
        for each in self.item.components:
            node = there.get(each.key)
            if node is None:
                node = self._made(template)
                made.append(node)
                self._apply(node, each, fresh=True)
                changed = True
            elif self._apply(node, each, fresh=False):
                changed = True
        gone = {id(node) for key, node in there.items() if key not in wanted}
        if gone or made:
            self._replace(gone, made)
        return changed or bool(gone)

    def _check(self) -> None:
        if not self.found:
            return
        node = self.found[0][0]
        uid = node.first("UID")
        if node.name != self.item.kind.value or uid is None or unescape(uid.value).strip() != self.item.uid:
            raise ValueError("another item than the one to be edited")

    def _made(self, template: bytes) -> Node:
        """A new component: like the series where there is one."""
        if not template:
            lines = [("UID", "", escape(self.item.uid)), ("DTSTAMP", "", self.stamp)]
            return component(self.item.kind.value, lines, self.end)
        wrapped = parse(b"BEGIN:VCALENDAR\n" + template + b"END:VCALENDAR\n")
        node = item_nodes(wrapped)[0]
        node.entries = [
            entry for entry in node.entries if not (isinstance(entry, Line) and entry.name in _OF_SERIES)
        ]
        return node

    def _replace(self, gone: set[int], made: list[Node]) -> None:
        entries = self.root.entries
        nodes = [at for at, each in enumerate(entries) if not isinstance(each, Line)]
        after = nodes[-1] + 1 if nodes else len(entries)
        entries[after:after] = made
        self.root.entries = [entry for entry in entries if id(entry) not in gone]

    def _apply(self, node: Node, target: Component, *, fresh: bool) -> bool:
        draft = Draft(node, self.end)
        event = self.item.kind is Kind.EVENT
        heavy = edit_timing(draft, target, self.item.kind, self.clocks, self.start)
        if _value(draft, "SUMMARY") != target.subject:
            draft.set("SUMMARY", escape(target.subject) if target.subject else None)
        edit_place(draft, target)
        self._notes(draft, target, fresh=fresh)
        heavy |= _event_state(draft, target) if event else self._task_state(draft, target)
        _privacy(draft, target)
        _categories(draft, target)
        edit_people(draft, target)
        edit_video(draft, target)
        self._alarms(draft, target)
        self._dress(draft, target, fresh=fresh)
        if not draft.changed:
            return False
        draft.set("DTSTAMP", self.stamp)
        if not fresh or draft.lines("LAST-MODIFIED"):
            draft.set("LAST-MODIFIED", self.stamp)
        self._sequence(draft, heavy=heavy, fresh=fresh)
        draft.finish()
        return True

    def _sequence(self, draft: Draft, *, heavy: bool, fresh: bool) -> None:
        if fresh:
            if not draft.lines("SEQUENCE"):
                draft.add("SEQUENCE", str(self.item.sequence))
        elif heavy:
            draft.set("SEQUENCE", str(read_sequence(draft.fields) + 1))

    def _notes(self, draft: Draft, target: Component, *, fresh: bool) -> None:
        lines = draft.lines("DESCRIPTION")
        text = unescape(lines[0].value) if lines else ""
        notes, blocks = strip(text, self.last_block), find(text)
        dressed = target is self.item.main or fresh or bool(blocks)
        wanted = [self.dress.block] if self.dress.block and dressed else []
        inside = find(attach("", wanted[0])) if wanted else []
        if notes == target.notes and blocks == inside:
            return
        text = attach(target.notes, self.dress.block if dressed else "")
        draft.set("DESCRIPTION", escape(text) if text else None)
        if notes != target.notes:  # a second form of the same text, now stale
            for name in HTML:
                draft.set(name, None)

    def _dress(self, draft: Draft, target: Component, *, fresh: bool) -> None:
        main = target is self.item.main
        values = {"X-CRM-ACCOUNT": self.dress.account, "X-CRM-OPPORTUNITY": self.dress.opportunity}
        for name, value in values.items():
            if (main or fresh or draft.lines(name)) and _value(draft, name) != value:
                draft.set(name, escape(value) if value else None)
        crm_id = self.dress.crm_id
        if crm_id and (main or fresh or draft.lines("X-CRM-ID")) and _value(draft, "X-CRM-ID") != crm_id:
            draft.set("X-CRM-ID", escape(crm_id))
        if main and self.item.companion and not draft.lines("X-CRM-COMPANION"):
            draft.add("X-CRM-COMPANION", "T")
        elif not self.item.companion:
            draft.set("X-CRM-COMPANION", None)

    def _task_state(self, draft: Draft, target: Component) -> bool:
        was = read_component(draft.node, draft.fields, Kind.TASK, self.zones)
        if (was.status, was.completed) == (target.status, target.completed):
            return False
        done = target.status is Status.DONE
        draft.set("STATUS", _STATUS[target.status])
        draft.set("COMPLETED", as_utc(target.completed) if done and target.completed else None)
        if done:
            draft.set("PERCENT-COMPLETE", "100")
        elif _value(draft, "PERCENT-COMPLETE").strip() == "100":
            draft.set("PERCENT-COMPLETE", None)
        return was.status is not target.status

    def _alarms(self, draft: Draft, target: Component) -> None:
        there: set[str] = set()
        for child in draft.node.children:
            trigger = read_alarm(child, self.zones)
            if trigger:
                there.add(trigger)
                if trigger not in target.alarms:
                    draft.drop_child(child)
        for trigger in sorted(target.alarms - there):
            draft.add_child(_alarm(trigger, target, self.end))


def _value(draft: Draft, name: str) -> str:
    lines = draft.lines(name)
    return unescape(lines[0].value) if lines else ""


def _event_state(draft: Draft, target: Component) -> bool:
    fields = draft.fields
    transparent = bool(fields.get("TRANSP")) and _value(draft, "TRANSP").strip().upper() == "TRANSPARENT"
    if transparent == target.busy:
        draft.set("TRANSP", "OPAQUE" if target.busy else "TRANSPARENT")
    word = _value(draft, "STATUS").strip().upper()
    was = (
        word.replace("CANCELED", "CANCELLED")
        if word in {"TENTATIVE", "CANCELLED", "CANCELED"}
        else "CONFIRMED"
    )
    if was == _STATUS[target.status]:
        return False
    draft.set("STATUS", _STATUS[target.status])
    return True


def _privacy(draft: Draft, target: Component) -> None:
    word = _value(draft, "CLASS").strip().upper() or "PUBLIC"
    if word not in {"PUBLIC", "CONFIDENTIAL"}:
        word = "PRIVATE"
    if word != _PRIVACY[target.privacy]:
        draft.set("CLASS", _PRIVACY[target.privacy])


def _categories(draft: Draft, target: Component) -> None:
    there: set[str] = set()
    for line in draft.lines("CATEGORIES"):
        names = read_categories(line)
        kept = [name for name in names if name in target.categories]
        there.update(kept)
        if not kept and names:
            draft.drop(line)
        elif kept != names:
            draft.swap(line, ",".join(map(escape, kept)))
    added = sorted(target.categories - there)
    if added:
        draft.add("CATEGORIES", ",".join(map(escape, added)))


def _alarm(trigger: str, target: Component, end: bytes) -> Node:
    action, colon, when = trigger.rpartition(":")
    when, _, related = when.partition(";")
    params = "RELATED=END" if related else ("VALUE=DATE-TIME" if when[:1].isdigit() else "")
    text = escape(target.subject) or "Rappel"
    lines = [
        ("ACTION", "", action if colon else "DISPLAY"),
        ("TRIGGER", params, when),
        ("DESCRIPTION", "", text),
    ]
    if action == "EMAIL":  # RFC 5545 section 3.6.6
        lines.append(("SUMMARY", "", text))
        if target.organizer:
            lines.append(("ATTENDEE", "", f"mailto:{target.organizer}"))
    return component("VALARM", lines, end)
