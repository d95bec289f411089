"""Counts the steps of a process and kills it at one of them.

A step is whatever reaches the world outside the process: each SQL statement that writes, each commit, each
file opened for writing, locked, synced, renamed or deleted, each IMAP command, each request to a calendar
server or an Exchange server, and its answer. They are counted as they happen, so the tests enumerate them
and nobody chooses. Between two steps nothing outside changes, so a kill anywhere between them is a kill at
the second.
"""

import gc
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, event

from connectors.dav.session import DavSession
from connectors.ews.http import Session as EwsHttp
from connectors.imap.wire import Wire
from syncd.daemon.wiring import Installation

FILES = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.truncate", "os.utime", "fcntl.flock"}
WRITES = os.O_WRONLY | os.O_RDWR
READS = {"SELECT", "PRAGMA", "BEGIN"}


class Steps:
    """Counts, and dies by SIGKILL at step `kill_at` (1 is the first; 0 = never)."""

    def __init__(self, folder: Path, kill_at: int) -> None:
        self.names: list[str] = []
        self._folder = str(folder)
        self._kill_at = kill_at
        self._lock = threading.Lock()
        self._on = False

    def watch(self) -> None:
        """Begins to count, for the rest of this process's life."""
        self._on = True
        sys.addaudithook(self._audited)
        event.listen(Engine, "before_cursor_execute", self._sql)
        event.listen(Engine, "commit", self._commit)
        self._wrap_fsync()
        self._wrap_send()
        self._wrap_requests()
        self._wrap_exchange()

    def stop(self) -> None:
        self._on = False

    def _step(self, name: str) -> None:
        if not self._on:
            return
        with self._lock:
            self.names.append(name)
            if len(self.names) == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def _audited(self, name: str, arguments: tuple[object, ...]) -> None:
        if name == "socket.connect":
            self._step(name)
        elif name in FILES and any(self._folder in str(argument) for argument in arguments[:2]):
            flags = arguments[2] if name == "open" else WRITES
            if not isinstance(flags, int) or flags & WRITES:
                self._step(name)

    def _sql(self, _connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        verb = statement.split(maxsplit=1)[0].upper()
        if verb not in READS:
            self._step("sql " + verb)

    def _commit(self, _connection: Connection) -> None:
        self._step("sql COMMIT")

    def _wrap_fsync(self) -> None:
        real: Callable[[int], None] = os.fsync

        def fsync(handle: int) -> None:
            self._step("os.fsync")
            real(handle)

        os.fsync = fsync  # type: ignore[assignment]  # this process only, which dies soon

    def _wrap_send(self) -> None:
        real = Wire.send

        def send(wire: Wire, data: bytes) -> None:
            tagged = re.match(rb"[A-Z]{4}\d+ (\S{1,12})", data)
            self._step("imap " + (tagged[1].decode("ascii") if tagged else "literal"))
            real(wire, data)

        Wire.send = send  # type: ignore[method-assign,assignment]  # as above

    def _wrap_requests(self) -> None:
        real = DavSession._send

        def send(session: DavSession, method: str, *arguments: Any, **named: Any) -> Any:
            self._step("dav " + method)
            answer = real(session, method, *arguments, **named)
            self._step("dav answered")
            return answer

        DavSession._send = send  # type: ignore[method-assign,assignment]  # as above

    def _wrap_exchange(self) -> None:
        real = EwsHttp._sent

        def sent(http: EwsHttp, url: str, data: bytes, *arguments: Any, **named: Any) -> Any:
            operation = re.search(rb"<m:(\w+)", data)
            self._step("ews " + (operation[1].decode() if operation else "?"))
            answer = real(http, url, data, *arguments, **named)
            self._step("ews answered")
            return answer

        EwsHttp._sent = sent  # type: ignore[method-assign,assignment]  # as above


def telling(names: Sequence[str]) -> list[int]:
    """The numbers of the steps at which a kill leaves another world than a kill at the step before.

    What a transaction wrote is nothing until its commit, a question changes nothing at a server, and neither
    does its answer. So of these, in a row, the first one stands for all; the commit is always among them,
    with all of its transaction behind it, and so is the first step of each name.
    """
    found = []
    for number, name in enumerate(names, start=1):
        before = names[number - 2] if number > 1 else ""
        silent = _silent(before) or (before.endswith(" answered") and _silent(names[number - 3]))
        if not silent or number == 1 or name == "sql COMMIT" or name not in names[: number - 1]:
            found.append(number)
    return found


def _silent(step: str) -> bool:
    """Whether nothing is left of a step, once its process is dead."""
    protocol, _, name = step.partition(" ")
    match protocol:
        case "sql":
            return name != "COMMIT"
        case "imap":
            return name not in {"APPEND", "literal"}  # UID is FETCH or SEARCH: the tests see to that
        case "dav":
            return name in {"REPORT", "PROPFIND", "OPTIONS", "GET"}
        case "ews":
            return name.startswith(("Get", "Find", "Sync", "Resolve"))
    return step in {"socket.connect", "fcntl.flock"}


class Installed(Protocol):
    """An installation with its servers, as the tests have them."""

    folder: Path
    now: datetime

    def open(self) -> Installation: ...


def ready(world: Installed) -> None:
    """A cycle in this process, on a world that nobody needs any more: see `in_child`."""
    installation = world.open()
    try:
        installation.supervisor.run("claire", lambda: world.now)
    finally:
        installation.close()


def in_child(work: Callable[[], None]) -> int:
    """Runs `work` in a forked process; returns its exit status: 0, or -SIGKILL.

    What the process begins with it has from this one. Whoever starts hundreds does the work once before, on
    a copy: modules are loaded then and statements compiled, and not by each of them anew.
    """
    return _ended(_forked(work))


def at_once(works: Sequence[Callable[[], None]]) -> list[int]:
    """Runs each in a forked process of its own, all from the same moment on; returns their exit statuses."""
    start, begin = os.pipe()

    def begun(work: Callable[[], None]) -> None:
        os.close(begin)
        os.read(start, 1)  # ends when the last writer is gone
        work()

    children = [_forked(partial(begun, work)) for work in works]
    os.close(start)
    os.close(begin)
    return [_ended(child) for child in children]


def _forked(work: Callable[[], None]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        gc.freeze()  # what was there before is never looked through, and so not copied either
        code = 70
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def _ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
