"""Faults on demand: what the server does instead of, or after, what it was asked."""

import threading
from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """What goes wrong."""

    BUSY = "ErrorServerBusy with BackOffMilliseconds, nothing done"
    UNAVAILABLE_BEFORE = "HTTP 503, nothing done"
    UNAVAILABLE_AFTER = "HTTP 503, though all was done"
    RESET_BEFORE = "the connection is reset, nothing done"
    RESET_AFTER = "the connection is reset, though all was done"
    SLOW = "the answer comes late"
    LATE = "the connection is reset, and what was asked is done only when `EwsServer.catch_up` is called"
    GARBAGE = "HTTP 200 with something that is no XML"
    TRUNCATED = "HTTP 200 with half of the answer"
    AWAY = "ErrorMailboxStoreUnavailable, though all was done"
    TOO_MANY_OPEN = "ErrorTooManyObjectsOpened, nothing done"
    INTERNAL = "ErrorInternalServerError, nothing done"
    SYNC_STATE = "ErrorInvalidSyncStateData, for SyncFolderItems and SyncFolderHierarchy"
    STALE = "ErrorIrresolvableConflict, for UpdateItem"
    UNAUTHORIZED = "HTTP 401, nothing done"


@dataclass(slots=True)
class Plan:
    """One fault that waits for its request."""

    fault: Fault
    operation: str | None
    skip: int
    times: int
    seconds: float


class Faults:
    """The faults that wait, taken in the order in which they were planned."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plans: list[Plan] = []
        self.done: list[tuple[str, Fault]] = []

    def plan(
        self,
        fault: Fault,
        operation: str | None = None,
        *,
        skip: int = 0,
        times: int = 1,
        seconds: float = 1.0,
    ) -> None:
        """The next `times` requests of an operation (of any, where None) go wrong, after `skip` that do not.

        `seconds`: the delay of SLOW, the back-off that BUSY asks for.
        """
        with self._lock:
            self._plans.append(Plan(fault, operation, skip, times, seconds))

    def take(self, operation: str) -> Plan | None:
        """The fault for this request."""
        with self._lock:
            for plan in self._plans:
                if plan.operation not in {None, operation}:
                    continue
                if plan.skip:
                    plan.skip -= 1
                    continue
                plan.times -= 1
                if plan.times <= 0:
                    self._plans.remove(plan)
                self.done.append((operation, plan.fault))
                return plan
        return None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._plans.clear()
