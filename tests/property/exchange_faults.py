"""What goes wrong between the connector and an Exchange server: there, on the way, or with the process."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Self
from xml.etree.ElementTree import Element

import pytest
import requests

from connectors.calendar import CalendarInfo, ChangeSet, Dress, Item, Missing, RemoteItem
from connectors.errors import ItemError
from connectors.ews.access import EwsAccess
from connectors.ews.calendar.client import EwsCalendarConnector
from connectors.ews.http import Session
from tests.property.agenda_weather import Killed
from tests.servers.ews.answers import failure
from tests.servers.ews.dispatch import Operation
from tests.servers.ews.errors import EwsError
from tests.servers.ews.faults import Fault
from tests.servers.ews.model import Item as Stored
from tests.servers.ews.requests import Request
from tests.servers.ews.server import EwsServer
from tests.servers.ews.syncing import refusal
from tests.servers.ews.xmlwork import children, m, make, typed

OPERATIONS = {
    "connect": "GetFolder", "calendars": "FindFolder", "changes": "SyncFolderItems", "read": "GetItem",
    "find": "FindItem", "create": "CreateItem", "update": "UpdateItem", "delete": "DeleteItem",
}  # fmt: skip
# What the answer of a refused one holds besides (messages.xsd).
HOLDING: dict[str, tuple[str, ...]] = {
    "CreateItem": ("Items",), "UpdateItem": ("Items",), "GetItem": ("Items",), "DeleteItem": (),
    "FindItem": (), "GetFolder": ("Folders",), "FindFolder": (),
}  # fmt: skip
# Discovery and listings change nothing on either side: what is killed there is as if it had not begun.
STEPS = ("GetItem", "FindItem", "CreateItem", "UpdateItem", "DeleteItem", "SyncFolderItems")
SENT = {
    "limited": (Fault.BUSY, Fault.TOO_MANY_OPEN),
    "gone": (Fault.UNAVAILABLE_BEFORE, Fault.INTERNAL),
    "cut": (Fault.TRUNCATED, Fault.GARBAGE),
}
DONE = {"gone": Fault.UNAVAILABLE_AFTER, "silence": Fault.RESET_AFTER}


class Breaking:
    """The faults of one server."""

    def __init__(self, server: EwsServer) -> None:
        self.server = server
        self.calls: Counter[str] = Counter()
        self.hooks: list[tuple[str, int, Callable[[], None]]] = []
        self.refused: set[str] = set()  # ids of folders that nobody may look into
        self.withheld: set[str] = set()  # ids of items
        self.vanished: set[str] = set()
        self.rubbish: set[int] = set()  # numbers of items
        self._plans: list[tuple[str, str, int, bool]] = []
        self._refusals: dict[str, str] = {}  # the code with which an operation is refused once
        self._kill: tuple[str, int] = ("", 0)  # the operation (any where empty), and how many steps are left
        for name in (*OPERATIONS.values(),):
            self._wrap(name)

    # --- planned ----------------------------------------------------------------------------------

    def plan(self, call: str, kind: str, *, nth: int, after: bool) -> None:
        """The nth such call from now on meets it."""
        self._plans.append((call, kind, nth, after))

    def kill_at(self, nth: int) -> None:
        """At the nth step from now on: before a request, or before its answer is looked at."""
        self._kill = "", nth

    def refuse(self, folders: Sequence[str], *, refused: bool) -> None:
        """Nobody may look into these folders; or everybody again."""
        self.refused = self.refused | set(folders) if refused else self.refused - set(folders)

    def spoil(self, item: Stored) -> None:
        """Nobody can make anything of it."""
        self.rubbish.add(item.number)
        item.put("StartTimeZoneId", "Customized Time Zone of Nowhere")

    def calm(self) -> None:
        """Nothing waits any more."""
        self._plans.clear()
        self._refusals.clear()
        self.hooks.clear()
        self._kill = "", 0
        self.server.faults.clear()

    # --- met --------------------------------------------------------------------------------------

    def enter(self, call: str) -> None:
        """The service calls the connector."""
        self.calls[call] += 1
        due = [action for name, nth, action in self.hooks if name == call and nth == 1]
        self.hooks = [
            (name, nth - (name == call), action)
            for name, nth, action in self.hooks
            if not (name == call and nth == 1)
        ]
        for action in due:
            action()
        plans, self._plans = self._plans, []
        for name, kind, nth, after in plans:
            if name == call and nth == 1:
                self._meet(OPERATIONS[call], kind, after=after)
            else:
                self._plans.append((name, kind, nth - (name == call), after))

    def _meet(self, operation: str, kind: str, *, after: bool) -> None:
        faults = self.server.faults
        if kind == "kill":
            self._kill = operation, 2 if after else 1
        elif kind == "refused" and operation not in {"GetFolder", "FindFolder"}:
            self._refusals[operation] = "ErrorAccessDenied"
        elif kind == "item" and operation in HOLDING:
            self._refusals[operation] = "ErrorInvalidOperation"
        elif kind == "conflict" and operation == "UpdateItem":
            faults.plan(Fault.STALE, operation)
        elif kind == "conflict" and operation == "SyncFolderItems":
            faults.plan(Fault.SYNC_STATE, operation)
        elif kind in SENT and not (after and kind in DONE):
            faults.plan(SENT[kind][after], operation)
        else:
            faults.plan(DONE.get(kind, Fault.RESET_AFTER) if after else Fault.RESET_BEFORE, operation)

    def step(self, operation: str) -> None:
        """A request is about to be sent, or was answered."""
        name, left = self._kill
        if not left or operation not in ((name,) if name else STEPS):
            return
        self._kill = name, left - 1
        if left == 1:
            raise Killed

    # --- the server's side --------------------------------------------------------------------------

    def _wrap(self, name: str) -> None:
        usual = self.server.dispatcher.operations[name]
        self.server.dispatcher.operations[name] = lambda request: self._answer(name, usual, request)

    def _answer(self, name: str, usual: Operation, request: Request) -> list[Element]:
        code = self._refusals.pop(name, "")
        if name == "SyncFolderItems":
            folder = request.body.find(m("SyncFolderId"))
            if code or (folder is not None and folder[0].get("Id", "") in self.refused):
                return [refusal(name, EwsError("ErrorAccessDenied", "Access is denied."))]
            return usual(request)
        if code:
            return [self._failed(name, code) for _ in range(len(self._asked(request)) or 1)]
        answers = usual(request)
        if name == "GetItem":
            ids = [one.get("Id", "") for one in self._asked(request)]
            answers = [self._given(ref, told) for ref, told in zip(ids, answers, strict=True)]
        if name == "GetFolder" and self.refused:
            ids = [one.get("Id", "") for one in children(request.body.find(m("FolderIds")))]
            answers = [
                self._failed(name, "ErrorAccessDenied")
                if ref in self.refused else told
                for ref, told in zip(ids, answers, strict=True)
            ]  # fmt: skip
        return answers

    def _given(self, ref: str, told: Element) -> Element:
        if ref in self.withheld:
            return self._failed("GetItem", "ErrorInternalServerError")
        return self._failed("GetItem", "ErrorItemNotFound") if ref in self.vanished else told

    @staticmethod
    def _asked(request: Request) -> list[Element]:
        return list(children(request.body.find(m("ItemIds"))))

    @staticmethod
    def _failed(name: str, code: str) -> Element:
        held = [make(m(one), ()) for one in HOLDING.get(name, ())]
        if name == "UpdateItem":
            held.append(make(m("ConflictResults"), [typed("Count", "0")]))
        return failure(name, EwsError(code, "It is so in this test."), held)


class Watched(EwsCalendarConnector):
    """The connector, with what happens before each of its calls and at each of its requests."""

    current: "list[Watched]" = []  # noqa: RUF012 - the one whose requests are sent just now, last

    def __init__(self, access: EwsAccess, breaking: Breaking, clock: Callable[[], datetime]) -> None:
        super().__init__(access, zone="Europe/Paris", clock=clock)
        self.breaking = breaking

    def __enter__(self) -> Self:
        self.breaking.enter("connect")
        Watched.current.append(self)
        try:
            return super().__enter__()
        except BaseException:
            Watched.current.remove(self)
            raise

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        Watched.current.remove(self)
        super().__exit__(kind, error, trace)

    def calendars(self) -> Sequence[CalendarInfo]:
        self.breaking.enter("calendars")
        return super().calendars()

    def changes(self, calendar: str, cursor: str) -> ChangeSet:
        self.breaking.enter("changes")
        return super().changes(calendar, cursor)

    def read(self, calendar: str, refs: Sequence[str]) -> Iterator[RemoteItem | Missing | ItemError]:
        self.breaking.enter("read")
        return super().read(calendar, refs)

    def find(self, calendar: str, uid: str) -> RemoteItem | None:
        self.breaking.enter("find")
        return super().find(calendar, uid)

    def create(self, calendar: str, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        self.breaking.enter("create")
        return super().create(calendar, item, dress, notify=notify)

    def update(self, current: RemoteItem, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        self.breaking.enter("update")
        return super().update(current, item, dress, notify=notify)

    def delete(self, current: RemoteItem, *, notify: bool) -> None:
        self.breaking.enter("delete")
        super().delete(current, notify=notify)


def watch_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a process can be killed at each request and each answer."""
    real = Session._sent

    def sent(session: Session, url: str, data: bytes, *arguments: Any, **named: Any) -> requests.Response:
        found = re.search(rb"<m:(\w+)", data)
        operation = found[1].decode() if found else ""
        watched = Watched.current[-1].breaking
        try:
            watched.step(operation)
            response = real(session, url, data, *arguments, **named)
            watched.step(operation)
        except Killed:
            session.close()  # as the end of a process does
            raise
        return response

    monkeypatch.setattr(Session, "_sent", sent)
