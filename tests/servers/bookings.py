"""Events that a person makes and changes on the command line."""

from typing import Any

from tests.servers.office import Office

ADD = ("event", "add", "--as", "claire", "--json")
TUESDAY = "2026-12-01 14:30"


def add(office: Office, *options: str) -> dict[str, Any]:
    record: dict[str, Any] = office.done(*ADD, "--subject", "Point", *options).json["event"]
    return record


def edit(office: Office, record: dict[str, Any], *options: str) -> dict[str, Any]:
    fresh: dict[str, Any] = office.done("event", "edit", str(record["id"]), "--json", *options).json["event"]
    return fresh


def refused(office: Office, *arguments: str) -> str:
    outcome = office.run(*arguments)
    assert outcome.code in (1, 2), outcome.out
    assert "Traceback" not in outcome.err
    assert "defect" not in outcome.err
    return outcome.err


def weekly(office: Office, *options: str) -> dict[str, Any]:
    return add(office, "--start", TUESDAY, "--rrule", "FREQ=WEEKLY;COUNT=5", *options)
