"""A contact made of a participant on the command line (R098)."""

from pathlib import Path

import pytest

from tests.servers.office import Office

GUEST = "anne.martin@garage.example"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """An account with a web site, and an event with somebody from there."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    made.add_account("Garage", website="https://www.garage.example/")
    made.add_account("Banque")
    for subject in ("Un", "Deux"):
        made.done(
            "event", "add", "--as", "claire", "--subject", subject, "--start", "2026-12-01", "--participant",
            GUEST, "--participant", "marc", "--participant", "zoe@far.example",
        )  # fmt: skip
    return made


def test_name_and_account_are_found_and_participants_relinked(office: Office) -> None:
    made = office.done("contact", "from-email", GUEST.upper(), "--event", "1", "--json").json
    assert (made["first_name"], made["last_name"], made["participants_relinked"]) == ("Anne", "Martin", 2)
    shown = office.done("show", "event", "2", "--json").json["event"]["participants"]
    assert [(one["kind"], one["contact_id"]) for one in shown if one["email"] == GUEST] == [("contact", 1)]
    assert office.rows("SELECT account_id, email FROM contact") == [(1, GUEST)]
    again = office.run("contact", "from-email", GUEST, "--event", "1")
    assert (again.code, "is the address of contact 1" in again.err) == (1, True)


def test_an_account_is_named_where_none_can_be_found(office: Office) -> None:
    lost = office.run("contact", "from-email", "zoe@far.example", "--event", "1")
    assert (lost.code, "--account: no account has the web domain" in lost.err) == (2, True)
    office.done("contact", "from-email", "zoe@far.example", "--event", "1", "--account", "Banque",
                "--last-name", "Roi")  # fmt: skip
    assert office.rows("SELECT account_id, last_name FROM contact") == [(2, "Roi")]


@pytest.mark.parametrize(
    ("address", "event", "problem"),
    [
        ("marc@acme.example", "1", "is the address of a user"),
        ("nobody@far.example", "1", "nobody with the address nobody@far.example takes part"),
        (GUEST, "9", "there is no event 9"),
    ],
)
def test_who_is_no_stranger_is_refused(office: Office, address: str, event: str, problem: str) -> None:
    outcome = office.run("contact", "from-email", address, "--event", event)
    assert (outcome.code, problem in outcome.err) == (1, True), outcome.err
    assert office.one("SELECT count(*) FROM contact") == 0
