"""Tasks made and changed on the command line (R058)."""

from pathlib import Path
from typing import Any

import pytest

from tests.servers.office import Office


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Users and a CRM, once on SQLite and once on PostgreSQL."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    return made


def add(office: Office, *options: str) -> dict[str, Any]:
    outcome = office.done("task", "add", "--as", "claire", "--json", "--subject", "Rappeler", *options)
    record: dict[str, Any] = outcome.json["task"]
    return record


def step(office: Office, verb: str, task: dict[str, Any], *options: str) -> dict[str, Any]:
    fresh: dict[str, Any] = office.done("task", verb, str(task["id"]), "--json", *options).json["task"]
    return fresh


def refused(office: Office, *arguments: str) -> str:
    outcome = office.run(*arguments)
    assert outcome.code in (1, 2), outcome.out
    assert "Traceback" not in outcome.err
    assert "defect" not in outcome.err
    return outcome.err


def test_a_task_needs_a_subject_only(office: Office) -> None:
    task = add(office)
    assert (task["due_date"], task["state"], task["assignee"]) == (None, "open", "claire")
    assert (task["origin"], task["version"]) == ("crm", 1)
    assert task["uid"].startswith(f"{task['id']}-")
    assert "--subject" in refused(office, "task", "add", "--as", "claire")


def test_a_task_names_what_it_is_about(office: Office) -> None:
    garage = office.add_account("Garage")
    contact = office.add_contact(garage, "anna@garage.example")
    office.add_opportunity(garage, "R1")
    office.done("event", "add", "--as", "claire", "--subject", "Visite", "--start", "2026-12-01")
    task = add(
        office, "--due", "2026-12-02", "--contact", "Anna@garage.example", "--opportunity", "R1",
        "--event", "1", "--category", "Devis", "--alarm", "30",
    )  # fmt: skip
    assert (task["contact_id"], task["account_id"], task["opportunity_id"], task["event_id"]) == (
        contact, garage, 1, 1,
    )  # fmt: skip
    assert (task["due_date"], task["categories"], task["alarms"]) == ("2026-12-02", ["Devis"], ["-PT30M"])
    emptied = step(office, "edit", task, "--contact", "", "--event", "", "--due", "")
    assert (emptied["contact_id"], emptied["event_id"], emptied["due_date"]) == (None, None, None)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--due", "2026-12-02 10:00"), "due: a day without a time is expected"),
        (("--due", "bientôt"), "due:"),
        (("--contact", "nobody@far.example"), 'contact: "nobody@far.example" is no contact'),
        (("--contact", "99"), "contact: there is no contact 99"),
        (("--event", "99"), 'event: there is no event "99"'),
        (("--account", "Nobody"), "account:"),
        (("--assignee", "nobody"), 'assignee: there is no user "nobody"'),
        (("--assignee", "marc"), "claire may not give it to marc"),
        (("--subject", " "), "subject"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    sqlite_url: str, tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    office = Office(tmp_path / "syncd", sqlite_url)
    found = refused(office, "task", "add", "--as", "claire", "--subject", "Rappeler", *options)
    assert problem in found
    assert office.one("SELECT count(*) FROM task") == 0


def test_a_task_is_done_reopened_and_cancelled(office: Office) -> None:
    task = add(office, "--due", "2026-12-02")
    id_ = str(task["id"])
    done = step(office, "done", task)
    assert (done["state"], done["done_at"] is not None, done["version"]) == ("done", True, 2)
    assert step(office, "done", task)["version"] == 2
    assert office.done("list", "tasks").out == "None.\n"
    assert "Rappeler" in office.done("list", "tasks", "--all").out
    again = step(office, "reopen", task)
    assert (again["state"], again["done_at"]) == ("open", None)
    gone = step(office, "cancel", task)
    assert (gone["state"], gone["hidden"]) == ("cancelled", True)
    assert "is cancelled" in refused(office, "task", "edit", id_, "--notes", "x")
    back = step(office, "reopen", task)
    assert (back["state"], back["hidden"]) == ("open", False)


def test_others_tasks_take_more_than_a_standard_user(office: Office) -> None:
    task = add(office)
    assert "marc may not change task" in refused(office, "task", "done", str(task["id"]), "--as", "marc")
    assert step(office, "edit", task, "--as", "anne", "--assignee", "marc")["assignee"] == "marc"
    assert "is at version 2, not 1" in refused(
        office, "task", "done", str(task["id"]), "--as", "marc", "--if-version", "1"
    )
    assert "nothing to change" in office.done("task", "edit", str(task["id"]), "--subject", "Rappeler").out
    assert [
        row["assignee"] for row in office.done("list", "tasks", "--json", "--user", "marc").json["rows"]
    ] == ["marc"]
