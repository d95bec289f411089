"""The end of the demo: a video meeting is over and becomes an activity, and Claire reports on it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tools.demo_calendars import Client, Shell, lines

VIDEO = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Calendar client//FR
BEGIN:VEVENT
UID:{uid}
DTSTAMP:{start}
DTSTART:{start}
DTEND:{end}
SUMMARY:Visio sur le devis
CONFERENCE;VALUE=URI:https://meet.google.com/abc-defg-hij
ORGANIZER:mailto:claire@acme.example
ATTENDEE;CN={name}:mailto:{guest}
END:VEVENT
END:VCALENDAR
"""
UID = "demo-video@client.example"
REPORT = "D'accord sur le prix.\\nLivraison avant Noël.\\n\\n"


def held(demo: Shell, agenda: Client, guest: tuple[str, str], tell: Callable[[str, str], None]) -> None:
    """A meeting that ended ten minutes ago, and the report on it."""
    tell(
        "11. A video meeting is over",
        f"Claire has talked with {guest[0]}. The service looks every minute; here one cycle does.",
    )
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    stamps = {"start": f"{end - timedelta(minutes=45):%Y%m%dT%H%M%SZ}", "end": f"{end:%Y%m%dT%H%M%SZ}"}
    text = VIDEO.format(uid=UID, name=guest[0], guest=guest[1], **stamps)
    agenda.dav.put(f"{agenda.calendar}{UID}.ics", text.replace("\n", "\r\n").encode())
    before = set(agenda.items())
    demo.syncd("sync", "claire")
    demo.syncd("list", "activities", "--pending")
    demo.syncd("sync", "claire")
    (form,) = set(agenda.items()) - before
    print("\nIn Claire's task list there is now:")
    print(lines(agenda.text(form), "SUMMARY", "DUE", "DESCRIPTION", kind="VTODO"))
    tell("12. She writes her report into the task, in her own client, and finishes it", "")
    agenda.edit(form, _reported)
    demo.syncd("sync", "claire")
    demo.syncd("list", "activities", "--text", "Visio sur le devis")
    demo.syncd("status")


def _reported(task: str) -> str:
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    kept = [line for line in task.split("\n") if not line.startswith("STATUS")]
    done = f"STATUS:COMPLETED\nCOMPLETED:{now}\nEND:VTODO"
    return "\n".join(kept).replace("END:VTODO", done).replace("DESCRIPTION:", f"DESCRIPTION:{REPORT}", 1)
