"""Complaints about other systems, replayed: nothing is wiped, and nobody is mailed unasked."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.testing_calendar import cut_short
from store.sync_state import MailboxState
from tests.servers.calendar_world import event
from tests.servers.complaints import asked, only, only_of_subject, populated, release, state, subjects
from tests.servers.memory_world import CALENDAR, MemoryWorld


@pytest.fixture
def company(tmp_path: Path, sqlite_url: str) -> Iterator[MemoryWorld]:
    """Claire and Denis, whose servers mail."""
    world = MemoryWorld(tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.add_user("denis")
    yield world
    world.close()


# --- nothing is wiped -----------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["connect", "calendars", "changes", "read", "update", "create", "find"])
@pytest.mark.parametrize("after", [False, True])
def test_thread_21_a_sync_that_is_interrupted_deletes_nothing_on_either_side(
    company: MemoryWorld, call: str, after: bool
) -> None:
    before = populated(company)
    for nth in (1, 2):
        refs = sorted(before)
        company.change("claire", refs[nth], lambda text: text.replace("SUMMARY:", "SUMMARY:Changé "))
        company.put("claire", f"new{nth}", event(f"new{nth}", f"Nouveau {nth}"))
        company.desk("claire").add(f"Encore {nth}")
        company.desk("claire").edit(only_of_subject(company, f"CRM {nth}"), location=f"Salle {nth}")
        company.servers["claire"].fail(call, nth=1, after=after)
        company.servers["claire"].fail("changes", cut_short, nth=2)
        company.restart()
        company.sync("claire")
        company.sync("claire")
    company.servers["claire"]._faults.clear()
    company.settle()
    assert len(subjects(company)) == 16
    assert len(company.servers["claire"].items()) == 16
    assert company.one("SELECT count(*) FROM event WHERE hidden") == 0


@pytest.mark.parametrize("how", ["emptied", "made anew", "removed", "refused", "no calendars at all"])
def test_thread_22_a_calendar_that_loses_everything_wipes_nothing_and_cancels_nobodys_meeting(
    company: MemoryWorld, how: str
) -> None:
    before = populated(company)
    server = company.servers["claire"]
    if how == "emptied":
        for ref in before:
            server.remove(ref)
    elif how == "made anew":
        server.remake_calendar(CALENDAR)
    elif how in {"removed", "no calendars at all"}:
        server.remove_calendar(CALENDAR)
    else:
        server.refuse_calendar(CALENDAR)
    for _ in range(4):
        company.now += timedelta(minutes=30)
        company.restart()
        company.sync()
    assert len(subjects(company)) == 12
    assert company.mailed() == []


def test_thread_22_a_wipe_that_a_person_lets_go_still_tells_no_guest(company: MemoryWorld) -> None:
    for ref in populated(company):
        company.servers["claire"].remove(ref)
    company.sync("claire")
    assert state(company, "claire") == MailboxState.BRAKED.name
    release(company, "claire")
    company.settle()
    assert subjects(company) == []
    assert company.mailed() == []


def test_thread_22_a_wipe_in_the_crm_waits_for_a_person_before_any_guest_hears_of_it(
    company: MemoryWorld,
) -> None:
    before = populated(company)
    for (id_,) in company.rows("SELECT id FROM event"):
        assert isinstance(id_, int)
        company.desk("claire").cancel(id_)
    company.sync()
    assert state(company, "claire") == MailboxState.BRAKED.name
    assert company.servers["claire"].sources(CALENDAR) == before
    assert company.mailed() == []


# --- who is mailed --------------------------------------------------------------------------------


def test_thread_24_a_meeting_of_a_whole_department_is_synchronised_without_a_mail(
    company: MemoryWorld,
) -> None:
    department = tuple(f"person{number}@client.example" for number in range(60))
    ref = company.put("claire", "all", event("all", "Assemblée", more=asked(*department)))
    company.settle()
    id_ = only(company)
    account = company.add_account("Client SA")
    desk = company.desk("claire")
    desk.edit(id_, account="Client SA")
    desk.edit(id_, internal_notes="À surveiller")
    desk.edit(id_, alarm=30)
    desk.edit(id_, categories=("Direction",))
    company.settle()
    company.change("claire", ref, lambda text: text.replace("Assemblée", "Assemblée générale"))
    company.settle()
    assert company.one("SELECT account_id FROM event") == account
    assert "TRIGGER:-PT30M" in company.text("claire")
    assert company.mailed() == []
    desk.edit(id_, start="2026-11-24T14:00", end="2026-11-24T15:00")
    company.sync("claire")
    assert state(company, "claire") == MailboxState.BRAKED.name
    assert company.mailed() == []
    release(company, "claire")
    company.settle()
    assert sorted(one.recipient for one in company.mailed()) == sorted(department)
