"""Complaints about other systems, replayed: those of further projects."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import OutcomeUnknown, Unreachable
from tests.servers.calendar_world import event
from tests.servers.complaints import asked, only, only_of, populated, subjects
from tests.servers.memory_world import CALENDAR, MemoryWorld, unfolded

PAUL = "paul@client.example"


@pytest.fixture
def company(tmp_path: Path, sqlite_url: str) -> Iterator[MemoryWorld]:
    """Claire and Denis, whose servers mail."""
    world = MemoryWorld(tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.add_user("denis")
    yield world
    world.close()


def test_vdirsyncer_521_changes_of_both_sides_in_different_fields_are_both_kept(company: MemoryWorld) -> None:
    ref = company.put("claire", "one", event("one", "Avant", more=("LOCATION:Ici", "DESCRIPTION:Une\\nDeux")))
    company.settle()
    company.change(
        "claire", ref, lambda text: text.replace("SUMMARY:Avant", "SUMMARY:Après").replace("Une\\n", "Un\\n")
    )
    company.desk("claire").edit(only(company), location="Là", notes="Une\nDeux et demi")
    company.settle()
    values = company.desk("claire").record(only(company)).main.values
    assert (values["subject"], values["location"], values["notes"]) == ("Après", "Là", "Un\nDeux et demi")
    text = unfolded(company.servers["claire"].sources(CALENDAR)[ref])
    assert {"SUMMARY:Après", "LOCATION:Là", "DESCRIPTION:Un\\nDeux et demi"} <= set(text.splitlines())
    assert company.one("SELECT count(*) FROM conflict") == 0


@pytest.mark.parametrize("times", [2, 3])
def test_vdirsyncer_1093_and_1140_one_uid_in_several_resources_stops_nothing_else(
    company: MemoryWorld, times: int
) -> None:
    for number in range(times):
        company.put("claire", f"clash{number}", event("clash", f"Double {number}"))
    company.put("claire", "good", event("good", "Bon"))
    before = company.servers["claire"].sources(CALENDAR)
    company.settle()
    assert len([one for one in subjects(company) if str(one).startswith("Double")]) == 1
    assert "Bon" in subjects(company)
    assert company.servers["claire"].sources(CALENDAR) == before
    company.desk("claire").edit(only_of(company, "good"), subject="Meilleur")
    company.settle()
    assert "SUMMARY:Meilleur" in company.text("claire")
    assert len(company.servers["claire"].sources(CALENDAR)) == times + 1


def test_vdirsyncer_1092_another_order_of_time_zones_is_no_change(company: MemoryWorld) -> None:
    def zone(name: str, offset: str) -> str:
        return (
            f"BEGIN:VTIMEZONE\nTZID:{name}\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
            f"TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"
        )

    first, second = zone("Europe/Paris", "+0100"), zone("Custom One", "+0300")
    source = event(
        "one", "Fuseaux", more=("EXDATE;TZID=Custom One:20261125T090000", "RRULE:FREQ=DAILY;COUNT=4")
    )
    plain = source.decode().replace("\r\n", "\n")
    ref = company.put(
        "claire", "one", plain.replace("BEGIN:VEVENT", first + second + "BEGIN:VEVENT").encode()
    )
    company.settle()
    version = company.one("SELECT version FROM event")
    company.desk("claire").edit(only(company), subject="Du CRM")
    company.put("claire", "one", plain.replace("BEGIN:VEVENT", second + first + "BEGIN:VEVENT").encode())
    company.settle()
    assert company.one("SELECT version FROM event") == int(str(version)) + 1
    assert company.one("SELECT count(*) FROM conflict") == 0
    assert "SUMMARY:Du CRM" in unfolded(company.servers["claire"].sources(CALENDAR)[ref])


def test_vdirsyncer_1155_a_server_that_alters_what_it_is_given_stays_in_step(company: MemoryWorld) -> None:
    """Unchanged on both sides, and yet not the same: each later change still travels."""
    server = company.servers["claire"]
    server.rewrite = lambda source: b"\r\n".join(
        line for line in source.split(b"\r\n") if not line.startswith(b"LOCATION")
    )
    server.tells_rewrites = False
    id_ = company.desk("claire").add("Visite", location="Lyon")
    company.settle()
    company.desk("claire").edit(id_, subject="Visite longue")
    company.settle()
    (ref,) = server.sources(CALENDAR)
    assert "SUMMARY:Visite longue" in company.text("claire")
    company.change(
        "claire", ref, lambda text: text.replace("SUMMARY:Visite longue", "SUMMARY:Visite\nLOCATION:Nice")
    )
    company.settle()
    values = company.desk("claire").record(id_).main.values
    assert (values["subject"], values["location"]) == ("Visite", "Nice")
    assert company.one("SELECT count(*) FROM binding WHERE state = 'FROZEN'") == 0


def test_outlookcaldav_485_a_database_put_back_from_a_backup_doubles_nothing(
    company: MemoryWorld, tmp_path: Path
) -> None:
    populated(company)
    company.close()
    database = Path(company.database_url.removeprefix("sqlite:///"))
    backup = Path(shutil.copyfile(database, tmp_path / "backup.db"))
    for number in range(3):
        company.desk("claire").add(f"Perdu {number}")
        company.put("claire", f"late{number}", event(f"late{number}", f"Tardif {number}"))
    company.settle()
    before = company.servers["claire"].sources(CALENDAR)
    company.close()
    for name in (database.name, f"{database.name}-wal", f"{database.name}-shm"):
        database.with_name(name).unlink(missing_ok=True)
    shutil.copyfile(backup, database)
    company.settle()
    assert company.servers["claire"].sources(CALENDAR).keys() == before.keys()
    assert len(subjects(company)) == 18
    company.desk("claire").add("Après la panne")
    company.desk("claire").add("Et encore")
    company.settle()
    assert len(subjects(company)) == 20
    assert len(company.servers["claire"].items()) == 20
    assert company.mailed() == []


def test_outlookcaldav_485_what_is_made_before_the_lost_items_come_back_is_not_mixed_up_with_them(
    company: MemoryWorld, tmp_path: Path
) -> None:
    """A record made after the restore has the number of one that was lost."""
    company.desk("claire").add("Premier")
    company.settle()
    company.close()
    database = Path(company.database_url.removeprefix("sqlite:///"))
    backup = Path(shutil.copyfile(database, tmp_path / "backup.db"))
    company.desk("claire").add("Perdu")
    company.settle()
    company.close()
    for name in (database.name, f"{database.name}-wal", f"{database.name}-shm"):
        database.with_name(name).unlink(missing_ok=True)
    shutil.copyfile(backup, database)
    company.desk("claire").add("Autre chose", "2026-12-01T10:00")
    company.settle()
    assert subjects(company) == ["Autre chose", "Perdu", "Premier"]
    assert sorted(one.main.subject for one in company.servers["claire"].items().values()) == [
        "Autre chose", "Perdu", "Premier",
    ]  # fmt: skip


def test_outlookcaldav_442_a_client_that_is_quicker_loses_nothing(company: MemoryWorld) -> None:
    ref = company.put("claire", "one", event("one", "Avant"))
    company.settle()
    company.desk("claire").edit(only(company), location="Du CRM")
    company.servers["claire"].before(
        "update", lambda: company.change("claire", ref, lambda text: text.replace("Avant", "Du client"))
    )
    company.settle()
    text = unfolded(company.servers["claire"].sources(CALENDAR)[ref])
    assert {"SUMMARY:Du client", "LOCATION:Du CRM"} <= set(text.splitlines())
    assert subjects(company) == ["Du client"]


def test_outlookcaldav_390_a_server_that_denies_what_it_was_given_deletes_nothing_in_the_crm(
    company: MemoryWorld,
) -> None:
    ids = [company.desk("claire").add(f"CRM {number}") for number in range(5)]
    company.settle()
    for ref in company.servers["claire"].sources(CALENDAR):
        company.servers["claire"].vanish(ref)
        company.change("claire", ref, lambda text: text.replace("SUMMARY:", "SUMMARY:X "))
        company.servers["claire"].vanish(ref)
    for _ in range(3):
        company.sync()
    assert len(subjects(company)) == len(ids)


def test_outlookcaldav_457_an_occurrence_that_is_changed_twice(company: MemoryWorld) -> None:
    series = event(
        "s", "Point", more=("RRULE:FREQ=DAILY;COUNT=5", *asked(PAUL, "marc@other.example"))
    ).decode()
    place = "RECURRENCE-ID;TZID=Europe/Paris:20261126T090000"
    alone = event("s", "Point", "20261126T090000", more=(place, *asked(PAUL))).decode()
    body = alone[alone.index("BEGIN:VEVENT") : alone.index("END:VCALENDAR")]
    company.put("claire", "s", series.encode())
    company.settle()
    company.put("claire", "s", series.replace("END:VCALENDAR", body + "END:VCALENDAR").encode())
    company.settle()
    later = body.replace("20261126T090000\r\nDTEND", "20261126T160000\r\nDTEND").replace("T100000", "T170000")
    company.put("claire", "s", series.replace("END:VCALENDAR", later + "END:VCALENDAR").encode())
    company.settle()
    record = company.desk("claire").record(only(company))
    (changed,) = record.overrides
    assert str(changed.values["start"])[:16] == "2026-11-26 15:00"
    assert [one.email for one in changed.participants if one.attending] == [PAUL]
    assert company.mailed() == []


@pytest.mark.parametrize("fault", ["no answer", "the line breaks"])
def test_odoo_229646_an_insert_whose_answer_never_comes_doubles_nothing(
    company: MemoryWorld, fault: str
) -> None:
    make = None if fault == "no answer" else lambda: OutcomeUnknown("the line broke")
    id_ = company.desk("claire").add("Rendez-vous", participants=(PAUL,))
    for nth in (1, 2):
        company.servers["claire"].fail("create", make, nth=nth, after=True)
    company.servers["claire"].fail("find", lambda: Unreachable("still nothing"))
    for _ in range(3):
        company.restart()
        company.sync()
    company.settle()
    assert subjects(company) == ["Rendez-vous"]
    assert len(company.servers["claire"].items()) == 1
    assert [one.recipient for one in company.mailed()] == [PAUL]
    company.desk("claire").edit(id_, subject="Rendez-vous ferme")
    company.servers["claire"]._faults.clear()
    company.servers["claire"].fail("update", make, after=True)
    company.settle()
    assert [one.recipient for one in company.mailed()] == [PAUL, PAUL]
    assert len(company.servers["claire"].items()) == 1
