"""A session speaks to its own server, whatever a name of an item looks like."""

from datetime import timedelta
from pathlib import Path

import pytest

from connectors.calendar import Missing
from connectors.dav.access import DavAccess, Password
from connectors.dav.client import DavConnector
from connectors.dav.session import DavSession
from connectors.errors import ProtocolViolation
from store import reconciling
from tests.servers.calendar_world import CalendarWorld
from tests.servers.dav_answers import calendar, multistatus
from tests.servers.radicale import RadicaleServer
from tests.servers.scripted_dav import ScriptedDav


def test_a_uid_that_names_another_host_is_not_asked_there() -> None:
    """What a server refuses to take lies in quarantine under its UID, and strangers choose UIDs."""
    with (
        ScriptedDav() as foreign,
        ScriptedDav({"PROPFIND /cal/ 0": calendar(), "REPORT .*": multistatus()}) as own,
    ):
        uid = f"meeting@127.0.0.1:{foreign.port}"
        with DavConnector(_access(own)) as connector:
            assert list(connector.read("/cal/", [uid])) == [Missing(uid)]
        assert foreign.requests == []


@pytest.mark.parametrize("path", ["meeting@127.0.0.1:{port}", "@127.0.0.1:{port}/a.ics"])
def test_nothing_but_a_path_is_asked_for(path: str) -> None:
    with ScriptedDav() as foreign, ScriptedDav() as own, DavSession(_access(own)) as session:
        with pytest.raises(ProtocolViolation):
            session.request("GET", path.format(port=foreign.port))
        assert (foreign.requests, own.requests) == ([], [])


def _access(server: ScriptedDav) -> DavAccess:
    return DavAccess(
        f"http://127.0.0.1:{server.port}/cal/",
        "claire",
        Password(lambda: "made up", "basic"),
        timeout=timedelta(seconds=1),
    )


def test_what_was_refused_when_it_was_to_be_made_is_tried_again(
    radicale: RadicaleServer, sqlite_url: str, tmp_path: Path
) -> None:
    """It lies in quarantine under its UID, which no server knows; the mailbox goes on all the same."""
    world = CalendarWorld(radicale, tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.sync()
    id_ = world.desk("claire").add("Point")
    uid = str(world.one("SELECT uid FROM event WHERE id = :id", id=id_))
    assert "@" in uid
    database = world.database()
    with database.write() as session:
        (calendar,) = reconciling.calendars(session, 1)
        reconciling.quarantine(session, calendar.id, uid, "locked by another client", world.now)
    database.close()
    world.sync()
    assert world.items("claire") == {}  # it rests
    world.now += timedelta(hours=7)
    report = world.sync()["claire"]
    assert (report.error, report.folder_errors) == (None, {})
    assert ["SUMMARY:Point" in text for text in world.items("claire").values()] == [True]
    assert world.rows("SELECT * FROM quarantine") == []
