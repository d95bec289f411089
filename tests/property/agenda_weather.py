"""What can go wrong with a calendar server, and what it does to what it is given."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from connectors.errors import (
    CollectionRefused,
    Conflict,
    ItemError,
    RateLimited,
    Unreachable,
)
from connectors.testing_server import Rewrite, cut_short

Versions = Literal["always", "flaky", "never"]  # how a server tells them


class Killed(BaseException):
    """The process is gone, here and now."""


CALLS = ("connect", "calendars", "changes", "read", "find", "create", "update", "delete")
WRITES = ("create", "update", "delete")
KINDS_OF_FAULT = ("silence", "silence", "kill", "gone", "limited", "refused", "conflict", "item", "cut")


def make_error(call: str, kind: str) -> Callable[[], BaseException] | None:  # noqa: PLR0911 - a table
    """What the call fails with; None: it gets no answer, which is OutcomeUnknown for a write."""
    if kind == "kill":
        return Killed
    if kind == "limited":
        return lambda: RateLimited("wait", retry_after=timedelta(seconds=1))
    if kind == "refused" and call not in {"connect", "calendars"}:
        return lambda: CollectionRefused("it is refused just now", collection="")
    if kind == "conflict" and call in WRITES:
        return lambda: Conflict("somebody else wrote first")
    if kind == "item" and call in {*WRITES, "find"}:
        return lambda: ItemError("the server does not take it just now", locator="")
    if kind == "cut" and call == "changes":
        return cut_short
    if kind == "gone":
        return lambda: Unreachable("the connection broke")
    return None


def rewriting(how: str) -> Rewrite | None:
    """What a server does to what it is given."""
    if how == "location":
        return _shout
    return _with_alarm if how in {"alarm", "silent"} else None


def _shout(source: bytes) -> bytes:
    """Locations in capitals, and a property of its own."""
    source = re.sub(rb"\r\nX-SERVER:[^\r]*", b"", source)
    source = re.sub(rb"(?m)^LOCATION:[^\r]*", lambda found: found[0].upper(), source)
    return re.sub(rb"\r\nEND:(VEVENT|VTODO)", rb"\r\nX-SERVER:1\r\nEND:\1", source)


def _with_alarm(source: bytes) -> bytes:
    """An alarm in everything that has none."""
    if b"BEGIN:VALARM" in source:
        return source
    alarm = b"\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT10M\r\nDESCRIPTION:x\r\nEND:VALARM"
    return source.replace(b"\r\nEND:VEVENT", alarm + b"\r\nEND:VEVENT")
