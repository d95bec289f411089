"""A company whose video meetings come to their end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from syncd.engine.meetings.dropping import DroppedReport
from syncd.engine.meetings.sync import MeetingsReport
from tests.servers.calendar_world import event
from tests.servers.memory_world import CALENDAR, MemoryWorld

LINK = "https://meet.google.com/abc-defg-hij"
ANNE = "anne@client.example"
MEETING = "20261123T100000"  # 10:00 in Paris, an hour long unless told otherwise
OVER = datetime(2026, 11, 23, 10, 6, tzinfo=UTC)  # and the grace of five minutes


def video(uid: str, subject: str = "Visio", start: str = MEETING, hours: int = 1, more: str = "") -> bytes:
    """A video meeting of Claire's with Anne, who is a contact."""
    lines = (
        f"CONFERENCE;VALUE=URI:{LINK}",
        "ORGANIZER:mailto:claire@acme.example",
        f"ATTENDEE;CN=Anne Martin:mailto:{ANNE}",
        *more.split("\n"),
    )
    return event(uid, subject, start, hours, [line for line in lines if line])


def whole_day(uid: str) -> bytes:
    """The same, all day long."""
    text = video(uid).decode()
    text = text.replace(f"DTSTART;TZID=Europe/Paris:{MEETING}", "DTSTART;VALUE=DATE:20261122")
    return text.replace("DTEND;TZID=Europe/Paris:20261123T110000", "DTEND;VALUE=DATE:20261123").encode()


def together(series: bytes, *overrides: bytes) -> bytes:
    """One resource of a series and its changed occurrences."""
    parts = [one.partition(b"BEGIN:VEVENT")[2].partition(b"END:VEVENT")[0] for one in overrides]
    added = b"".join(b"BEGIN:VEVENT" + part + b"END:VEVENT" + CRLF for part in parts)
    return series.replace(b"END:VCALENDAR", added + b"END:VCALENDAR")


def moment(day: int, hour: int = 9) -> datetime:
    """A moment of November 2026."""
    return datetime(2026, 11, day, hour, tzinfo=UTC)


CRLF = b"\r\n"


@dataclass
class MeetingWorld(MemoryWorld):
    """Claire and, where wanted, others; one account with one contact."""

    account: int = 0
    contact: int = 0

    def begin(self) -> None:
        """Claire's calendar, and the client's account."""
        self.account = self.add_account("Client SA")
        self.contact = self.add_contact(self.account, ANNE)
        self.add_user("claire", auto_schedule=False)

    def held(self, source: bytes, name: str = "m") -> None:
        """The meeting is in Claire's calendar, and over."""
        self.put("claire", name, source)
        self.settle()
        self.follow_up(OVER)

    def follow_up(self, at: datetime | None = None) -> MeetingsReport:
        """What the service does each minute; the clock stands at that moment from then on."""
        if at is not None:
            self.now = at
        return self.open().meetings.run(self.now)

    def later(self, **by: float) -> MeetingsReport:
        """The same so much later."""
        return self.follow_up(self.now + timedelta(**by))

    def drop(self, folder: str, name: str, content: bytes | str) -> Path:
        """Somebody drops a file into a folder beside the config."""
        place = self.folder / folder
        place.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        (place / name).write_bytes(data)
        return place / name

    def take_in(self, at: datetime | None = None) -> DroppedReport:
        """Two looks of the service at its folders, and what came of the second one."""
        if at is not None:
            self.now = at
        dropping = self.open().dropping
        dropping.look()
        return dropping.run(self.now)

    def lying(self, folder: str) -> list[str]:
        """What is in a folder, and in those for what was put away; no half-written reason of a process that
        was killed."""
        found = (self.folder / folder).rglob("[!.]*")
        return sorted(str(one.relative_to(self.folder / folder)) for one in found if one.is_file())

    def reason(self, folder: str, name: str) -> str:
        """Why a file was put into failed/."""
        return (self.folder / folder / "failed" / f"{name}.txt").read_text()

    def activities(self, columns: str = "subject, state") -> list[tuple[object, ...]]:
        """What was recorded and is not withdrawn."""
        found = self.rows(f"SELECT {columns} FROM activity WHERE deleted_at IS NULL ORDER BY occurred_at, id")
        return [tuple(_aware(value) for value in row) for row in found]

    def forms(self, columns: str = "state") -> list[tuple[object, ...]]:
        return self.rows(f"SELECT {columns} FROM meeting_report ORDER BY id")

    def task(self, login: str = "claire") -> tuple[str, str]:
        """The only form in the user's list: its ref and text."""
        found = self.servers[login].sources(CALENDAR)
        ((ref, text),) = [
            (ref, text.decode().replace("\r\n ", "").replace("\r\n", "\n"))
            for ref, text in found.items()
            if b"VTODO" in text
        ]
        return ref, text

    def answer(self, text: str, login: str = "claire") -> None:
        """The user writes above the block, and finishes the task."""
        ref, before = self.task(login)
        lines = text.replace("\n", "\\n")

        def finish(task: str) -> str:
            task = task.replace("DESCRIPTION:", f"DESCRIPTION:{lines}\\n\\n", 1)
            done = "STATUS:COMPLETED\nCOMPLETED:20261123T120000Z\nPERCENT-COMPLETE:100\n"
            task = "".join(line + "\n" for line in task.splitlines() if not line.startswith("STATUS"))
            return task.replace("END:VTODO", f"{done}END:VTODO")

        assert "DESCRIPTION:" in before
        self.change(login, ref, finish)

    @contextmanager
    def session(self) -> Iterator[Any]:
        """A writing transaction."""
        database = self.database()
        try:
            with database.write() as session:
                yield session
        finally:
            database.close()


def _aware(value: object) -> object:
    """A moment as both databases give it."""
    if isinstance(value, str) and value[:2] == "20" and value[10:11] == " ":
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC) if isinstance(value, datetime) else value
