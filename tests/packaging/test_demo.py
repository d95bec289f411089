"""`make demo`, as a new user runs it: it ends by itself and leaves what it says it leaves."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.load import load
from tests.packaging.tree import ROOT
from tests.servers.ports import end, listening, wait_until


@dataclass(frozen=True)
class Played:
    """A demo that has ended."""

    folder: Path
    said: str

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "SYNCD_DEMO": str(self.folder)}

    @property
    def port(self) -> int:
        return load(self.folder / "syncd.toml").servers["demo"].imap.effective_port  # type: ignore[union-attr]

    @property
    def calendars(self) -> int:
        return urlsplit(load(self.folder / "syncd.toml").servers["demo"].caldav.url).port or 0  # type: ignore[union-attr]

    def syncd(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command on what the demo left."""
        command = "from syncd.cli.main import main; main()"
        config = str(self.folder / "syncd.toml")
        return subprocess.run(
            [sys.executable, "-c", command, "--config", config, *arguments],
            check=False,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.folder / "crm.db")
        try:
            return list(connection.execute(sql))
        finally:
            connection.close()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        check=False,
        cwd=ROOT,
        env={**os.environ, "SYNCD_DEMO": str(folder)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Played(folder, done.stdout)


def test_it_logs_what_concerns_contacts_and_finds_older_mail_of_a_new_one(played: Played) -> None:
    ((emails,),) = played.rows("SELECT count(*) FROM email_message")
    assert emails == 15
    late = played.rows("""SELECT "from" FROM email_message WHERE subject LIKE '%tarifs%'""")
    assert len(late) == 3


def test_it_shows_every_reason_to_skip_a_message(played: Played) -> None:
    kinds = {kind for (kind,) in played.rows("SELECT DISTINCT verdict FROM verdict")}
    assert kinds == {1, 2, 3, 4, 5, 6}
    for reason in ("no address in it", "excluded", "older than mail.since", "private", "user of the CRM"):
        assert reason in played.said


def test_its_audits_are_green(played: Played) -> None:
    assert played.said.count("Green: every message on the servers is accounted for.") == 2


def test_its_folders_of_drafts_and_junk_were_not_read(played: Played) -> None:
    read = {
        ref
        for (ref,) in played.rows("SELECT remote_ref FROM collection WHERE selected AND kind = 'MAIL_FOLDER'")
    }
    assert read == {"INBOX", "Sent"}


def test_its_secrets_are_readable_by_their_owner_only_and_in_no_other_file(played: Played) -> None:
    for name in ("claire", "marc"):
        secret = played.folder / f"{name}.secret"
        assert secret.stat().st_mode & 0o077 == 0
        holders = [
            path
            for path in played.folder.rglob("*")
            if path.is_file() and secret.read_bytes() in path.read_bytes()
        ]
        assert holders == [secret]
        assert secret.read_text() not in played.said


def test_its_servers_have_ended(played: Played) -> None:
    assert not listening(played.port)
    assert not listening(played.calendars)


def test_an_event_travels_each_way_and_what_lost_comes_back(played: Played) -> None:
    meetings = "SELECT subject, location FROM event WHERE video_url = ''"
    assert set(played.rows(meetings)) == {
        ("Visite de l'atelier", "Lyon"),
        ("Point chantier (Claire)", "Lyon"),
    }
    assert played.rows("SELECT notes FROM event WHERE uid LIKE 'demo-1@%'") == [
        ("Apporter les plans signés\nSalle B",)
    ]
    assert played.rows("SELECT unit, state FROM conflict") == [("subject", "TAKEN_BACK")]
    (item,) = (
        path for path in (played.folder / "calendars").rglob("demo-1@*.ics") if "cache" not in str(path)
    )
    text = item.read_text("utf-8")
    assert "SUMMARY:Point chantier (Claire)" in text
    assert "X-CLIENT-COLOUR:turquoise" in text
    steps = ("SUMMARY:Réunion de chantier", "merge (T4 row 4)", "1 change put back")
    assert [step for step in steps if step not in played.said] == []


def test_a_meeting_that_is_over_is_reported_on_from_the_user_s_own_client(played: Played) -> None:
    assert played.rows("SELECT type, state, duration_min, comments FROM activity WHERE event_id > 0") == [
        ("VIDEO_CALL", "VALIDATED", 45, "D'accord sur le prix.\nLivraison avant Noël.")
    ]
    assert "SUMMARY:Compte rendu : Visio sur le devis" in played.said


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "show account C-001",
        "show email 1",
        "list emails --text devis",
        "list runs",
        "list events",
        "list activities --pending",
        "conflicts --all",
    ],
)
def test_afterwards_the_commands_it_names_work_without_the_server(played: Played, command: str) -> None:
    done = played.syncd(*command.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.fixture
def served(played: Played) -> Iterator[Played]:
    """The demo with its mail server started again."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.demo", "serve"],
        cwd=ROOT,
        env=played.environ,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: listening(played.port), "the mail server listens again", 30)
        yield played
        process.terminate()
        process.wait(30)
    finally:
        end(process)
    wait_until(lambda: not listening(played.port), "the mail server ends with its demo")


def test_with_its_server_started_again_a_second_synchronisation_finds_nothing_new(served: Played) -> None:
    done = served.syncd("sync", "--json")
    assert done.returncode == 0, done
    assert [report["seen"] for report in json.loads(done.stdout)] == [0, 0]
