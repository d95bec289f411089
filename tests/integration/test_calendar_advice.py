"""What stands at an account stands in its events too, for whoever may read it there (R005, R010, §4.2)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.calendar_world import CalendarWorld
from tests.servers.databases import NewDatabase
from tests.servers.memory_world import CALENDAR, MemoryWorld, unfolded
from tests.servers.radicale import RadicaleServer

GUEST = "paul@client.example"
OWN_ONLY = '[rights.standard.account]\nread = "own"\n'
WAITING = "SELECT count(*) FROM pending"


@pytest.fixture
def company(radicale: RadicaleServer, new_database: NewDatabase, tmp_path: Path) -> Iterator[CalendarWorld]:
    """Claire, with an account, on a real server."""
    world = CalendarWorld(radicale, tmp_path / "syncd", new_database("sqlite"))
    world.add_user("claire")
    world.sync()
    world.add_account("Garage")
    yield world
    world.close()


@pytest.fixture(params=["the server mails", "the server mails nobody"])
def office(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire and Denis, with an account of Claire's, on both kinds of servers."""
    world = MemoryWorld(tmp_path / "syncd", database_url)
    for login in ("claire", "denis"):
        world.add_user(login, auto_schedule=request.param == "the server mails")
    world.settle()
    world.add_account("Garage", owner_id=world.one('SELECT id FROM "user" WHERE login = :l', l="claire"))
    yield world
    world.close()


def only(world: CalendarWorld) -> str:
    (text,) = world.items("claire").values()
    return text


def quiet(world: CalendarWorld) -> None:
    """The next cycle writes nothing."""
    world.sync()
    for report in world.sync().values():
        assert (report.error, report.folder_errors, report.wrote) == (None, {}, False)


def test_it_stands_first_in_the_block_is_replaced_and_goes(company: CalendarWorld) -> None:
    company.advise(1, "Acompte de 30 % exigé\nVoir avec Anne")
    id_ = company.desk("claire").add("Visite", account="Garage", notes="Apporter le devis")
    company.sync()
    block = "Avis de règlement : Acompte de 30 % exigé\\nVoir avec Anne\\nCompte : Garage\\n"
    assert f"DESCRIPTION:Apporter le devis\\n\\n--- CRM ---\\n{block}--- fin CRM ---\n" in only(company)
    quiet(company)
    before = company.desk("claire").record(id_)
    company.advise(1, "Payé")
    assert company.sync()["claire"].calendar.pushed == 1
    assert "\\nAvis de règlement : Payé\\nCompte : Garage\\n" in only(company)
    assert "Acompte" not in only(company)
    quiet(company)
    company.advise(1, None)
    company.sync()
    assert "\\n--- CRM ---\\nCompte : Garage\\n--- fin CRM ---\n" in only(company)
    quiet(company)
    after = company.desk("claire").record(id_)
    assert (after.version, after.updated_at) == (before.version, before.updated_at), "nobody changed it"
    assert company.one("SELECT count(*) FROM conflict") == 0


def test_what_a_client_writes_into_it_changes_nothing_in_the_crm(company: CalendarWorld) -> None:
    company.advise(1, "Acompte exigé")
    id_ = company.desk("claire").add("Visite", account="Garage", notes="Devis")
    company.sync()
    ((path, text),) = company.items("claire").items()
    changed = text.replace("Acompte exigé", "Rien du tout").replace("SUMMARY:Visite", "SUMMARY:Visite 2")
    company.put("claire", path.rpartition("/")[2].removesuffix(".ics"), changed.encode())
    company.sync()
    quiet(company)
    values = company.desk("claire").record(id_).main.values
    assert (values["subject"], values["notes"]) == ("Visite 2", "Devis")
    assert company.rows("SELECT message FROM account_recommendation") == [("Acompte exigé",)]


def test_a_client_s_change_at_the_same_time_stays(company: CalendarWorld) -> None:
    id_ = company.desk("claire").add("Visite", account="Garage")
    company.sync()
    quiet(company)
    ((path, text),) = company.items("claire").items()
    company.advise(1, "Acompte exigé")
    changed = text.replace("SUMMARY:Visite", "SUMMARY:Visite 2")
    company.put("claire", path.rpartition("/")[2].removesuffix(".ics"), changed.encode())
    company.sync()
    quiet(company)
    assert company.desk("claire").record(id_).main.values["subject"] == "Visite 2"
    assert "SUMMARY:Visite 2\n" in only(company)
    assert "Acompte exigé" in only(company)


def test_a_meeting_that_is_over_stays_as_it_was(company: CalendarWorld) -> None:
    company.desk("claire").add("Visite", account="Garage")
    company.sync()
    quiet(company)
    before = only(company)
    company.now += timedelta(days=5)
    company.advise(1, "Acompte exigé")
    assert company.one(WAITING) == 0
    company.sync()
    assert only(company) == before


def test_a_series_that_is_over_stays_as_it_was_and_waits_for_nothing(company: CalendarWorld) -> None:
    company.advise(1, "Acompte exigé")
    company.desk("claire").add("Visite", account="Garage", rrule="FREQ=DAILY;COUNT=3")
    company.sync()
    before = only(company)
    company.now += timedelta(days=9)
    company.advise(1, "Payé")
    quiet(company)
    assert only(company) == before
    assert company.one(WAITING) == 0


def test_many_changes_go_out_a_few_at_a_time_without_the_brake(company: CalendarWorld) -> None:
    for number in range(5):
        company.desk("claire").add(f"Avec {number}", account="Garage", participants=(GUEST,))
    for number in range(25):
        company.desk("claire").add(f"Seule {number}", account="Garage")
    company.sync()
    company.release("claire")
    company.sync()
    quiet(company)
    company.advise(1, "Acompte exigé")
    pushed = []
    for _ in range(4):
        report = company.sync()["claire"]
        assert report.calendar.braked is None
        pushed.append(report.calendar.pushed)
    assert pushed == [20, 10, 0, 0]
    assert sum("Acompte exigé" in text for text in company.items("claire").values()) == 30
    assert company.one(WAITING) == 0
    quiet(company)


def test_a_change_before_the_first_write_is_not_lost(company: CalendarWorld) -> None:
    company.desk("claire").add("Visite", account="Garage")
    company.advise(1, "Acompte exigé")
    company.advise(1, "Payé")
    company.sync()
    assert "Payé" in only(company)


def test_whoever_may_not_read_the_account_reads_nothing_of_it(office: MemoryWorld) -> None:
    office.more = OWN_ONLY
    office.advise(1, "Acompte exigé")
    office.desk("claire").add("Visite", account="1", participants=("denis",))
    office.settle()
    assert "Acompte exigé" in office.text("claire"), "its owner reads it beside the meeting"
    for source in office.servers["claire"].sources(CALENDAR).values():
        assert ("X-CRM-COMPANION" in unfolded(source)) == ("Acompte exigé" in unfolded(source))
    assert "Acompte exigé" not in office.text("denis")
    office.more = ""
    office.advise(1, "Payé")
    office.settle()
    (shared,) = map(unfolded, office.servers["claire"].sources(CALENDAR).values())
    assert "Payé" in shared, "now everybody who takes part may read it"


def test_an_owner_who_may_not_read_the_account_does_not_either(office: MemoryWorld) -> None:
    office.more = OWN_ONLY
    office.advise(1, "Acompte exigé")
    office.desk("denis").add("Visite")
    office.settle()
    database = office.database()
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE event SET account_id = 1")
    database.close()
    office.desk("denis").edit(1, location="Lyon")
    office.advise(1, "Payé")
    office.settle()
    assert "Compte : Garage" in office.text("denis")
    assert [one for one in ("Acompte", "Payé") if one in office.text("denis")] == []


def test_colleagues_are_not_mailed_because_of_it(office: MemoryWorld) -> None:
    office.desk("claire").add("Visite", account="Garage", participants=("denis",))
    office.settle()
    mailed, versions = office.mailed(), office.rows("SELECT id, version FROM event")
    office.advise(1, "Acompte exigé")
    office.settle()
    assert "Acompte exigé" in office.text("claire")
    assert (office.mailed(), office.rows("SELECT id, version FROM event")) == (mailed, versions)
    assert office.rows("SELECT * FROM quarantine") == []


def test_a_text_that_goes_to_and_fro_freezes_nothing(office: MemoryWorld) -> None:
    office.desk("claire").add("Visite", account="Garage")
    office.settle()
    for _ in range(8):
        for text in ("Acompte exigé", "Payé"):
            office.advise(1, text)
            office.settle()
            assert text in office.text("claire")
    assert office.rows("SELECT DISTINCT state FROM binding") == [("BOUND",)]


def test_it_is_no_change_that_an_undo_or_the_server_has_to_be_told_of(office: MemoryWorld) -> None:
    """A calendar from which everything is only taken in is not written to, and waits for nothing."""
    office.desk("claire").add("Visite", account="Garage")
    office.settle()
    before = office.text("claire")
    office.mailbox_keys["claire"] = 'direction = "to-crm"'
    office.advise(1, "Acompte exigé")
    office.settle()
    assert office.text("claire") == before
    assert office.one(WAITING) == 0
