"""A person at the CRM's side of a calendar: what `syncd event` does, without its words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from connectors.meetings import table
from store import actors, calendar_rows
from store.audit_log import Channel
from store.calendar_rows import EventRecord
from store.database import Transaction
from syncd.daemon.wiring import Installation
from syncd.engine.calendar import editing
from syncd.engine.calendar.occasion import EventFields, Occasion, Saved, instance_of
from syncd.engine.calendar.people import People


class Installed(Protocol):
    """A world that the service is installed in."""

    now: datetime

    def open(self) -> Installation: ...


class Desk:
    """What the user `login` does in the CRM at the time that it is in that world."""

    def __init__(self, world: Installed, login: str) -> None:
        self._world = world
        self._login = login

    def add(self, subject: str, start: str = "2026-11-25T10:00", **said: object) -> int:
        """A new event of an hour, unless told otherwise; returns its id."""
        if "T" in start:
            said.setdefault("end", f"{start[:11]}{int(start[11:13]) + 1:02}{start[13:]}")
        fields = EventFields(subject=subject, start=start, **said)  # type: ignore[arg-type]
        return self._do(lambda session, occasion: editing.add_event(session, fields, occasion)).id

    def edit(self, id_: int, *, occurrence: str | None = None, **said: object) -> Saved:
        """Changes what is said, and nothing else."""
        fields = EventFields(**said)  # type: ignore[arg-type]
        return self._do(
            lambda session, occasion: editing.edit_event(
                session, id_, fields, occasion, occurrence=occurrence
            )
        )

    def cancel(self, id_: int, *, occurrence: str | None = None) -> Saved:
        return self._do(
            lambda session, occasion: editing.cancel_event(session, id_, occasion, occurrence=occurrence)
        )

    def restore(self, id_: int) -> Saved:
        return self._do(lambda session, occasion: editing.restore_event(session, id_, occasion))

    def tell(self, id_: int) -> Saved:
        """Lets what waits of an event go, though its guests are told."""
        return self._do(lambda session, occasion: editing.tell_guests(session, id_, occasion))

    def record(self, id_: int) -> EventRecord:
        """The event as it is now."""
        with self._opened() as installation, installation.database.read() as session:
            return calendar_rows.events(session, [id_])[id_]

    def _do(self, work: Callable[[Transaction, Occasion], Saved]) -> Saved:
        with self._opened() as installation:
            settings, people = installation.settings, People(installation.mail.known.directory())
            with installation.database.write() as session:
                occasion = Occasion(
                    actor=actors.user(session, self._login),
                    channel=Channel.CLI,
                    now=self._world.now,
                    people=people,
                    floating=settings.workspace.timezone,
                    language=settings.workspace.language,
                    default_alarm=None,
                    instance=instance_of(installation.hashed),
                    providers=table(settings.video.places()),
                    rooms=settings.rooms(),
                )
                return work(session, occasion)

    @contextmanager
    def _opened(self) -> Iterator[Installation]:
        installation = self._world.open()
        try:
            yield installation
        finally:
            installation.close()
