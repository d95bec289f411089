"""What changed in a folder: SyncFolderItems, ids only, page by page until the last one.

A listing is whole or it is an error. Only an explicit Delete makes a tombstone; a sync state that the server
knows no more means that everything is listed anew, never that anything is gone.
"""

import json
from xml.etree.ElementTree import Element

from connectors.calendar import ChangeSet, Listed
from connectors.errors import CollectionError, CollectionGone, ProtocolViolation
from connectors.ews.calendar import requests
from connectors.ews.calendar.parsing import KINDS
from connectors.ews.calendar.wire import Refusal, Wire
from connectors.ews.calendar.xml import M, T, local
from connectors.ews.failures import SyncStateInvalidError

MOST_PAGES = 10_000
_MARK = "ews"  # begins a cursor of ours


def cursor(state: str) -> str:
    """The sync state for keeping."""
    return json.dumps([_MARK, state], separators=(",", ":"))


def state_of(text: str) -> str | None:
    """The sync state in a cursor, empty at the start; None where it is none of ours."""
    if not text:
        return ""
    try:
        read: object = json.loads(text)
    except ValueError:
        return None
    match read:
        case [str(mark), str(state)] if mark == _MARK and state:
            return state
    return None


def changes(wire: Wire, calendar: str, since: str) -> ChangeSet:
    """What changed. Raises CollectionGone, CollectionRefused, CollectionError."""
    state = state_of(since)
    reset = state is None
    if state:
        try:
            return _pages(wire, calendar, state, reset=False)
        except SyncStateInvalidError:
            reset = True
    try:
        return _pages(wire, calendar, "", reset=reset)
    except SyncStateInvalidError:
        raise _broken(wire, calendar, "it refuses its own sync state") from None


def _pages(wire: Wire, calendar: str, state: str, *, reset: bool) -> ChangeSet:
    known: dict[str, str | None] = {}  # the version by ref, None for a tombstone: the last word counts
    complete = not state
    seen = {state}
    for _ in range(MOST_PAGES):
        (answer,) = wire.ask(requests.sync_items(calendar, state), collection=calendar)
        if isinstance(answer, Refusal):
            raise _refused(wire, calendar, answer)
        _take(answer, known)
        state = answer.findtext(f"{M}SyncState") or ""
        last = answer.findtext(f"{M}IncludesLastItemInRange")
        if not state or last not in {"true", "false", "1", "0"}:
            raise _broken(wire, calendar, "it does not say whether it is all")
        if last in {"true", "1"}:
            return ChangeSet(
                listed=tuple(Listed(ref, key) for ref, key in known.items() if key is not None),
                removed=() if complete else tuple(ref for ref, key in known.items() if key is None),
                complete=complete,
                reset=reset,
                cursor=cursor(state),
            )
        if state in seen:
            break
        seen.add(state)
    raise _broken(wire, calendar, "its pages have no end")


def _take(answer: Element, known: dict[str, str | None]) -> None:
    """Notes what a page tells."""
    found = answer.find(f"{M}Changes")
    for change in () if found is None else found:
        kind = local(change)
        if kind == "Delete":
            identity = change.find(f"{T}ItemId")
            if identity is not None:
                known[identity.get("Id", "")] = None
        elif kind in {"Create", "Update"}:
            item = next(iter(change), None)
            identity = None if item is None else item.find(f"{T}ItemId")
            # Requests and notes that a client put among the events are none.
            if item is not None and identity is not None and local(item) in KINDS:
                known[identity.get("Id", "")] = identity.get("ChangeKey", "")


def _refused(wire: Wire, calendar: str, refusal: Refusal) -> Exception:
    error = wire.error(refusal, collection=calendar)
    if isinstance(error, ProtocolViolation):
        return CollectionGone(f"{calendar} of {wire.who} is no folder ({refusal.code}).", collection=calendar)
    return error


def _broken(wire: Wire, calendar: str, why: str) -> CollectionError:
    return CollectionError(
        f"The server's list of the calendar {calendar} of {wire.who} cannot be used: {why}. It is asked"
        " again in the next cycle.",
        collection=calendar,
    )
