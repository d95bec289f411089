"""Calendars of real servers, further: one that may only be read, tasks of the CRM, the rule `newest`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.console import Outcome, console
from tests.servers.databases import NewDatabase
from tests.servers.radicale import RadicaleServer

DAY = (datetime.now(UTC) + timedelta(days=7)).date()
UID = "1@client.example"


@pytest.fixture(params=["radicale", "xandikos"])
def company(
    request: pytest.FixtureRequest, new_database: NewDatabase, tmp_path: Path
) -> Iterator[CalendarWorld]:
    """One user, whose calendar is empty."""
    server = request.getfixturevalue(request.param)
    world = CalendarWorld(server, tmp_path / "syncd", new_database("sqlite"))
    world.add_user("claire")
    yield world
    world.close()


def done(world: CalendarWorld, *arguments: str) -> Outcome:
    outcome = console(world.write_config(), *arguments)
    assert outcome.code == 0, outcome.err + outcome.out
    return outcome


def synced(world: CalendarWorld) -> None:
    """Cycles until the last one writes nothing."""
    for _ in range(4):
        reports = world.sync().values()
        assert [(one.error, one.folder_errors) for one in reports] == [(None, {})]
        if not any(one.wrote for one in reports):
            return
    raise AssertionError("it does not come to rest")


def only(world: CalendarWorld) -> str:
    (text,) = world.items("claire").values()
    return text


# --- a calendar that may only be read ---------------------------------------------------------------


def test_a_calendar_that_may_only_be_read_is_taken_in_and_never_written(
    sqlite_url: str, tmp_path: Path
) -> None:
    with RadicaleServer() as server:
        world = CalendarWorld(server, tmp_path / "syncd", sqlite_url)
        client = world.add_user("claire")
        holidays = world.add_calendar("claire", "Jours fériés")
        client.put(f"{holidays}1.ics", event(UID, "Toussaint"))
        server.forbid_writing(holidays)
        assert client.request("PUT", f"{holidays}2.ics", event("2")).status == 403
        synced(world)
        assert world.rows("SELECT uid, subject FROM event") == [(UID, "Toussaint")]

        world.desk("claire").edit(world.id_of(UID), subject="Férié", location="Lyon")
        world.desk("claire").add("Nouveau")
        synced(world)
        held = client.get(f"{holidays}1.ics")
        assert held is not None
        assert b"SUMMARY:Toussaint" in held
        assert b"LOCATION" not in held
        assert client.members(holidays) == {f"{holidays}1.ics"}
        assert "SUMMARY:Nouveau" in only(world)

        world.desk("claire").cancel(world.id_of(UID))
        synced(world)
        assert client.members(holidays) == {f"{holidays}1.ics"}
        assert world.one("SELECT count(*) FROM quarantine") == 0

        folder = server.base / "collections" / "collection-root" / holidays.strip("/")
        (folder / "3.ics").write_bytes(event("3@client.example", "Noël"))  # whoever may write it
        synced(world)
        assert world.one("SELECT subject FROM event WHERE uid = '3@client.example'") == "Noël"


# --- tasks of the CRM -------------------------------------------------------------------------------


def test_a_task_of_the_crm_is_written_changed_done_reopened_and_taken_out(company: CalendarWorld) -> None:
    company.now = datetime.now(UTC)
    synced(company)
    done(company, "task", "add", "--as", "claire", "--subject", "Rappeler", "--due", f"{DAY}",
         "--notes", "Devis", "--alarm", "30")  # fmt: skip
    synced(company)
    text = only(company)
    for line in ("BEGIN:VTODO", "SUMMARY:Rappeler", f"DUE;VALUE=DATE:{DAY:%Y%m%d}", "DESCRIPTION:Devis"):
        assert f"{line}\n" in text, line
    assert "BEGIN:VALARM" in text

    later = DAY + timedelta(days=1)
    done(company, "task", "edit", "1", "--as", "claire", "--subject", "Relancer", "--due", f"{later}")
    synced(company)
    assert "SUMMARY:Relancer\n" in only(company)
    assert f"DUE;VALUE=DATE:{later:%Y%m%d}\n" in only(company)

    done(company, "task", "done", "1", "--as", "claire")
    synced(company)
    assert "STATUS:COMPLETED\n" in only(company)
    assert "PERCENT-COMPLETE:100\n" in only(company)
    done(company, "task", "reopen", "1", "--as", "claire")
    synced(company)
    assert "STATUS:NEEDS-ACTION\n" in only(company)
    assert "COMPLETED:" not in only(company)

    done(company, "task", "cancel", "1", "--as", "claire")
    synced(company)
    assert company.items("claire") == {}
    assert company.rows("SELECT uid FROM binding") == []


def test_a_task_that_both_sides_change_is_merged(company: CalendarWorld) -> None:
    company.now = datetime.now(UTC)
    done(company, "task", "add", "--as", "claire", "--subject", "Rappeler", "--due", f"{DAY}")
    synced(company)
    ((path, text),) = company.items("claire").items()
    marked = text.replace("SUMMARY:Rappeler", "PRIORITY:1\nX-VENDOR:kept\nSUMMARY:Rappeler Paul")
    company.client("claire").put(path, marked.replace("\n", "\r\n").encode())
    done(company, "task", "edit", "1", "--as", "claire", "--notes", "Devis")
    synced(company)
    for line in ("SUMMARY:Rappeler Paul", "DESCRIPTION:Devis", "PRIORITY:1", "X-VENDOR:kept"):
        assert f"{line}\n" in only(company), line
    assert company.rows("SELECT subject, notes FROM task") == [("Rappeler Paul", "Devis")]
    assert company.rows("SELECT * FROM conflict") == []


# --- the rule `newest` ------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "winner"), [(-5, "CRM"), (5, "Client")])
def test_the_later_change_of_the_same_field_wins_where_the_rule_says_so(
    company: CalendarWorld, minutes: int, winner: str
) -> None:
    company.calendar_section = 'conflict = { default = "remote", subject = "newest" }'
    company.put("claire", "1", event(UID, "Avant"))
    synced(company)
    company.now += timedelta(hours=1)
    stamp = f"{company.now + timedelta(minutes=minutes):%Y%m%dT%H%M%SZ}"
    path = company.put("claire", "1", event(UID, "Client", more=[f"LAST-MODIFIED:{stamp}", "LOCATION:Lyon"]))
    company.desk("claire").edit(company.id_of(UID), subject="CRM", location="Nice")
    synced(company)
    assert company.rows("SELECT subject, location FROM event") == [(winner, "Lyon")]
    text = company.get(path)
    assert f"SUMMARY:{winner}\n" in text
    assert "LOCATION:Lyon\n" in text
    lost = sorted(company.rows("SELECT unit, winner FROM conflict"))
    assert lost == [("location", "REMOTE"), ("subject", "CRM" if winner == "CRM" else "REMOTE")]
