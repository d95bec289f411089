"""While the service runs, somebody works in the same calendar with programs of others: khal on files, and
vdirsyncer that keeps the files in step with the server. When all are quiet, all three hold the same."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from connectors.calendar import Item
from connectors.ical.reading import read
from store import calendar_rows
from store.database import Database
from syncd.daemon.clock import now
from syncd.engine.calendar.items import item_of
from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.desk import Desk
from tests.servers.fixtures import missing
from tests.servers.manager import ServiceManager
from tests.servers.radicale import RadicaleServer

TRIES = 10
KHAL = """[calendars]
[[agenda]]
path = {files}
[locale]
local_timezone = Europe/Paris
default_timezone = Europe/Paris
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[default]
default_calendar = agenda
"""
VDIRSYNCER = """[general]
status_path = "{folder}/status/"
[pair agenda]
a = "files"
b = "server"
collections = null
conflict_resolution = "b wins"
[storage files]
type = "filesystem"
path = "{files}"
fileext = ".ics"
[storage server]
type = "caldav"
url = "{url}"
username = "{username}"
password = "{password}"
"""


@dataclass
class OtherClient:
    """khal and vdirsyncer of the user."""

    folder: Path
    world: CalendarWorld
    login: str

    def __post_init__(self) -> None:
        self.files.mkdir(parents=True)
        account = self.world.users[self.login]
        url = self.world.server.url.rstrip("/") + self.world.calendars[self.login]
        texts = {"khal.conf": KHAL, "vdirsyncer.conf": VDIRSYNCER}
        for name, template in texts.items():
            text = template.format(
                folder=self.folder,
                files=self.files,
                url=url,
                username=account.username,
                password=account.password,
            )
            (self.folder / name).write_text(text)

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def khal(self, *arguments: str) -> str:
        return self._run("khal", "-c", str(self.folder / "khal.conf"), *arguments) or ""

    def sync(self, *, first: bool = False) -> None:
        """Brings files and server together. Where the service is quicker, vdirsyncer gives up and is to be
        called again: it does not try a second time by itself."""
        config = ("-c", str(self.folder / "vdirsyncer.conf"))
        if first:
            self._run("vdirsyncer", *config, "discover", answer="y\n")
        for _ in range(TRIES):
            if self._run("vdirsyncer", *config, "sync", overtaken="Precondition Failed") is not None:
                return
        raise AssertionError("the service is always quicker")

    def edit(self, subject: str, change: Callable[[str], str]) -> None:
        """Changes the file of the item of that subject, as an editor does."""
        (path,) = (one for one in self.files.glob("*.ics") if f"SUMMARY:{subject}" in one.read_text())
        before = path.read_text()
        after = change(before)
        assert after != before
        path.write_text(after)

    def delete(self, subject: str) -> None:
        (path,) = (one for one in self.files.glob("*.ics") if f"SUMMARY:{subject}" in one.read_text())
        path.unlink()

    def items(self) -> dict[str, Item]:
        return {item.uid: item for item in (read(path.read_bytes()) for path in self.files.glob("*.ics"))}

    def _run(
        self, program: str, *arguments: str, answer: str = "", overtaken: str | None = None
    ) -> str | None:
        """What it printed; None where it was overtaken, which it says in those words."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name(program)), *arguments],
            input=answer,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.folder),
                "LC_ALL": "C.UTF-8",
                "TZ": "Europe/Paris",
            },
        )
        if done.returncode and overtaken is not None and overtaken in done.stderr:
            return None
        assert done.returncode == 0, (program, arguments, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture
def world(radicale: RadicaleServer, sqlite_url: str, tmp_path: Path) -> CalendarWorld:
    """Claire, whose calendar is on a Radicale; the service looks at it every second."""
    for name in ("khal", "vdirsyncer"):
        if find_spec(name) is None:
            missing(name, f"pip install {name}")
    made = CalendarWorld(radicale, tmp_path / "syncd", sqlite_url)
    made.now = now()
    made.add_user("claire")
    made.calendar_section = 'brake = { count = 500 }\n[schedule]\ninterval = "1s"\njitter = "0s"\n'
    made.write_config()
    return made


def of_crm(world: CalendarWorld) -> dict[str, Item]:
    """What the CRM holds, by UID."""
    database = Database(world.database_url)
    try:
        with database.read() as session:
            ids = [
                id_ for (id_,) in world.rows("SELECT id FROM event WHERE series_id IS NULL AND NOT hidden")
            ]
            found = calendar_rows.events(session, [int(str(id_)) for id_ in ids])
            return {one.main.values["uid"]: item_of(one) for one in found.values()}
    finally:
        database.close()


def of_server(world: CalendarWorld) -> dict[str, Item]:
    """What the server holds, by UID."""
    found = (read(text.encode()) for text in world.items("claire").values())
    return {item.uid: item for item in found}


def differences(world: CalendarWorld, other: OtherClient) -> str:
    """What the three do not agree on."""
    sides = {"CRM": of_crm(world), "server": of_server(world), "files": other.items()}
    uids = {uid for side in sides.values() for uid in side}
    found = {uid: {name: side.get(uid) for name, side in sides.items()} for uid in sorted(uids)}
    lines = [f"{uid}: {one}" for uid, one in found.items() if len(set(map(repr, one.values()))) > 1]
    return "\n".join([*lines, f"pending: {world.rows('SELECT * FROM pending')}"])


def day(offset: int, hour: int = 9) -> datetime:
    """A wall-clock time in the days to come."""
    return (datetime.now(UTC) + timedelta(days=offset)).replace(hour=hour, minute=0, second=0, tzinfo=None)


def test_khal_and_vdirsyncer_beside_the_service_agree_with_it_in_the_end(
    world: CalendarWorld, tmp_path: Path
) -> None:
    for number in range(3):
        start = f"{day(number + 2):%Y%m%dT%H%M%S}"
        world.put("claire", f"seed{number}", event(f"seed{number}", f"Semé {number}", start))
    rule = ("RRULE:FREQ=DAILY;COUNT=6",)
    world.put("claire", "series", event("series", "Tous les jours", f"{day(3):%Y%m%dT140000}", more=rule))
    other, desk = OtherClient(tmp_path / "other", world, "claire"), Desk(world, "claire")
    other.sync(first=True)
    assert len(other.items()) == 4

    with ServiceManager(world.config) as manager:
        manager.await_that(lambda: len(of_crm(world)) == 4, "everything is in the CRM")
        ids = {str(uid): int(str(id_)) for uid, id_ in world.rows("SELECT uid, id FROM event")}

        # Everybody works at the same time, each on something of their own or on the same event.
        other.khal("new", f"{day(4):%Y-%m-%d}", "10:00", "11:00", "De khal", "::", "Une note")
        other.khal("new", f"{day(5):%Y-%m-%d}", "Journée de khal")
        other.khal("new", f"{day(1):%Y-%m-%d}", "08:00", "08:30", "Répété", "--repeat", "weekly")
        imported = tmp_path / "imported.ics"
        imported.write_bytes(
            event("imported", "Importé", f"{day(6):%Y%m%dT%H%M%S}", more=("LOCATION:Lille",))
        )
        other.khal("import", "--batch", str(imported))
        crm = desk.add("Du CRM", f"{day(7):%Y-%m-%dT10:00}", location="Paris", alarm=10)
        other.edit("Semé 0", lambda text: text.replace("SUMMARY:Semé 0", "SUMMARY:Semé 0 (khal)"))
        other.sync()
        desk.edit(ids["seed0"], location="Salle du CRM", notes="Vu au CRM")
        desk.edit(ids["series"], occurrence=f"{day(5):%Y-%m-%d}", subject="Un jour autrement")
        desk.edit(crm, subject="Du CRM, deux fois")
        other.delete("Semé 1")
        other.sync()
        desk.cancel(ids["seed2"])

        def quiet() -> bool:
            other.sync()
            crm_side, server, files = of_crm(world), of_server(world), other.items()
            return crm_side == server == files and not world.one("SELECT count(*) FROM pending")

        try:
            manager.await_that(quiet, "CRM, server and files hold the same", 120)
        except TimeoutError:
            raise AssertionError(differences(world, other)) from None
        assert not [line for line in manager.log() if line["level"] in {"error", "critical"}]

    found = {item.main.subject: item for item in of_server(world).values()}
    assert found.keys() == {
        "Semé 0 (khal)", "Tous les jours", "De khal", "Journée de khal", "Répété", "Importé",
        "Du CRM, deux fois",
    }  # fmt: skip
    assert found["Semé 0 (khal)"].main.location == "Salle du CRM"
    assert found["Semé 0 (khal)"].main.notes == "Vu au CRM"
    assert found["De khal"].main.notes == "Une note"
    assert [one.subject for one in found["Tous les jours"].components[1:]] == ["Un jour autrement"]
    assert found["Journée de khal"].main.timing.all_day
    assert found["Importé"].main.location == "Lille"
    assert "Du CRM, deux fois" in other.khal("list", f"{day(7):%Y-%m-%d}", "1d")
    assert world.one("SELECT count(*) FROM conflict") == 0
