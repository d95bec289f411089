"""What people get wrong: each time one clear message, exit code 1 or 2, and never a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.console import console, program

CONFIG = '[workspace]\nname = "Acme"\n[store]\nurl = "sqlite:///crm.db"\n'

REMOVED = [
    [noun, verb, "9"]
    for noun in ("project", "deal", "opportunity", "product", "order")
    for verb in ("delete", "restore")
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An installation without mailboxes, its database made."""
    (tmp_path / "syncd.toml").write_text(CONFIG)
    assert console(tmp_path / "syncd.toml", "db", "upgrade").code == 0
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["stats"], 2, "No such command 'stats'"),
        (["status", "--jsn"], 2, "No such option: --jsn"),
        (["list"], 2, "Missing argument"),
        (["list", "mails"], 2, "is not one of 'accounts'"),
        (["list", "emails", "--since", "yesterday"], 2, "--since: 'yesterday' is neither a date nor an age"),
        (["list", "emails", "--limit", "0"], 2, "--limit"),
        (["list", "contacts", "--account", "Nobody"], 1, 'there is no account "Nobody"'),
        (["show", "contact", "anne"], 2, '"anne" is no id'),
        (["show", "contact", "7"], 1, "there is no contact 7"),
        (["import", "contacts", "missing.csv"], 1, "missing.csv: No such file or directory"),
        (["import", "contacts", "."], 1, "Is a directory"),
        (["import", "contacts", "syncd.toml"], 1, "line 1:"),
        (["import", "contacts", "empty.csv"], 1, "the file is empty"),
        (["import", "contacts", "photo.csv"], 1, "save the sheet as CSV"),
        (["import", "contacts", "cut.xlsx"], 1, "it is no XLSX file, or was cut off"),
        (["import", "contacts", "locked.xlsx"], 1, "it is protected by a password"),
        (["template", "mails"], 2, "is not one of 'accounts'"),
        (["template", "calls"], 2, "calls come from a telephone system"),
        (["template", "contacts", "empty.csv"], 2, "is there already and is not overwritten"),
        (["export", "contacts", "nowhere/contacts.csv"], 1, "No such file or directory"),
        (["export", "contacts", "-", "--status", "open"], 1, "--status: contacts have none"),
        (["export", "deals", "-", "--status", "off"], 1, '"off" is not known; accepted: SIGNED'),
        (["export", "deals", "-", "--owner", "nobody"], 1, "nobody"),
        (["sync"], 2, "has no [[mailboxes]]"),
        (["sync", "claire"], 2, 'there is no mailbox "claire" in the config; known: -'),
        (["pause"], 2, "Missing argument"),
        (["forget"], 2, "name exactly one of --contact, --address, --number, --name and --excluded"),
        (["forget", "--contact", "9"], 1, "there is no contact 9"),
        (["forget", "contact"], 2, "Missing argument"),
        (["forget", "old", "--yes"], 1, "mail.retention is not set"),
        (["forget", "contact", "9"], 1, "there is no contact 9"),
        (["forget", "contact", "x\udcff@y.example", "--yes"], 2, "this is no text"),
        (["contact", "export", "x\0@y.example", "x.zip"], 2, "this is no text"),
        (["forget", "contact", "9", "--yes", "--dry-run"], 2, "exclude each other"),
        (["forget", "contact", "a@b.example", "--as", "nobody"], 1, "there is no user nobody"),
        (["explain", "1@nowhere.example"], 1, None),
        (["explain", "event:99"], 1, None),
        (["contact", "delete", "9"], 1, "there is no contact 9"),
        (["contact", "email", "9", "--subject", "x"], 1, "there is no contact 9"),
        (["contact", "restore", "9"], 1, "there is no contact 9"),
        (["contact", "export", "9", "nine.zip"], 1, "there is no contact 9"),
        (["contact", "export", "9", "empty.csv"], 2, "is there already and is not overwritten"),
        (["contact", "export", "9", "nowhere/nine.zip"], 1, "No such file or directory"),
        (["account", "add", "--name", "X"], 2, "Missing option '--type'"),
        (["account", "edit", "9", "--city", "X"], 2, "there is no account 9"),
        (["account", "delete", "9"], 1, "there is no account 9"),
        (["account", "restore", "9"], 1, "there is no account 9"),
        (["account", "drafts", "--as", "paul"], 1, "there is no user paul"),
        (["account", "approve", "9"], 1, "there is no draft 9"),
        (["account", "reject", "un"], 2, "valid integer"),
        *((verb, 1, f"there is no {verb[0]} 9") for verb in REMOVED),
        (["deal", "add", "--account-type", "client"], 2, "--account-type: is for --new-account NAME"),
        (["list", "contacts", "--type", "client"], 2, "--type is for accounts and opportunities: contacts"),
        (["list", "accounts", "--type", "kunde"], 2, '--type: "kunde" is not known; accepted: CUSTOMER'),
        (["contact", "complete", "9"], 1, "there is no draft 9"),
        (["contact", "scan", "empty.csv"], 2, "empty.csv is no picture of a kind that is read"),
        (["contact", "merge", "8", "9"], 1, "there is no contact 8"),
        (["contact", "unmerge", "8", "9"], 1, "no contact was merged into contact 8"),
        (["contact", "duplicates", "--limit", "0"], 2, "--limit"),
        (["contact", "timeline", "9"], 1, "there is no contact 9"),
        (["contact", "timeline", "9", "--planned"], 1, "there is no contact 9"),
        (["contact", "timeline", "9", "--after", "x"], 2, "--after: is no place in a timeline"),
        (["contact", "reject", "9"], 1, "there is no draft 9"),
        (["contact", "import-cards", "missing.vcf"], 1, "missing.vcf: No such file or directory"),
        (["contact", "import-cards", "photo.csv"], 2, "photo.csv holds no card"),
        (["contact", "add", "--last-name", "X"], 2, "Missing option '--account'"),
        (["checkin", "add", "--as", "claire"], 2, "name exactly one of --event and --account"),
        (["checkin", "add", "--event", "1"], 2, "--as LOGIN: name the user who is on site"),
        (["checkin", "add", "--event", "1", "--as", "nobody"], 1, "there is no user nobody"),
        (["checkin", "visit", "--event", "1", "--account", "X"], 2, "name exactly one of"),
        (["checkin", "edit", "9", "--at", "2026-11-01 10:00"], 1, "there is no check-in 9"),
        (["checkin", "delete", "9"], 1, "there is no check-in 9"),
        (["show", "checkin", "1"], 1, "there is no checkin 1"),
        (["show", "account", "X", "--from", "1"], 1, 'there is no account "X"'),
        (["show", "contact", "1", "--from", "1,2"], 2, "--from: no distance is told to a contact"),
        (["show", "event", "1", "--from", "91,2"], 2, '--from: "91" is no latitude'),
        (["contact", "photo", "9"], 1, "there is no contact 9"),
        (["contact", "photo", "9", "photo.csv"], 2, "photo.csv is no picture of a kind"),
        (["account", "logo", "9", "--remove"], 1, "there is no account 9"),
        (["recommendation", "set", "Nobody", "x"], 1, 'there is no account "Nobody"'),
        (["recommendation", "clear", "9"], 1, "there is no account"),
        (["recommendation", "show"], 2, "Missing argument"),
        (["recommendation", "list", "--limit", "0"], 2, "--limit"),
        (["recompute", "recommendations", "--as", "nobody"], 1, "there is no user nobody"),
        (["import", "recommendations", "empty.csv"], 1, "the file is empty"),
        (["import", "recommendations", "missing.csv"], 1, "No such file"),
        (["list", "accounts", "--where", "Z_x=1"], 1, "Z_x is no field of account; known: none"),
        (["list", "users", "--where", "Z_x=1"], 2, "--where is for accounts, contacts and opportunities"),
        (["contact", "edit", "9", "--set", "x=1"], 2, "is not of the form Z_field=value"),
        (["fields", "apply", "--as", "nobody"], 1, "there is no user nobody"),
        (["fields", "diff", "x"], 2, "unexpected extra argument"),
        (["init", "."], 2, "is there already and is not overwritten"),
        (["--config", "other.toml", "check"], 2, "other.toml"),
        (["--config", "broken.toml", "check"], 2, "broken.toml:2"),
        (["--config", "wrong.toml", "check"], 2, 'did you mean "name"?'),
        (["--config", "nodb.toml", "status"], 1, "cannot be"),
        (["--config", "garbage.toml", "status"], 1, "the database cannot be used: file is not a database"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_gets_a_clear_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str | None
) -> None:
    (folder / "empty.csv").touch()
    (folder / "photo.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (folder / "cut.xlsx").write_bytes(b"PK\x03\x04 and no more")
    (folder / "locked.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    (folder / "broken.toml").write_text("[workspace]\nname = \n")
    (folder / "wrong.toml").write_text(CONFIG.replace("name", "nam"))
    (folder / "nodb.toml").write_text(CONFIG.replace("crm.db", "/proc/nowhere/crm.db"))
    (folder / "garbage.toml").write_text(CONFIG.replace("crm.db", "garbage.db"))
    (folder / "garbage.db").write_bytes(b"this is no database at all" * 100)

    monkeypatch.chdir(folder)
    monkeypatch.delenv("SYNCD_CONFIG", raising=False)

    outcome = console(None, *arguments)

    assert outcome.code == code, outcome.err
    assert told is None or told in outcome.err
    assert "Traceback" not in outcome.err + outcome.out


def test_without_any_config_the_places_are_named(tmp_path: Path) -> None:
    outcome = program("status", cwd=tmp_path)

    assert outcome.code == 2
    assert "--config FILE" in outcome.err
    assert "/etc/syncd/syncd.toml" in outcome.err


def test_the_config_is_found_in_the_environment_and_here(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert program("status", cwd=folder).code == 0
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert program("status", cwd=elsewhere, SYNCD_CONFIG=str(folder / "syncd.toml")).code == 0


def test_init_writes_a_config_that_is_valid(tmp_path: Path) -> None:
    outcome = program("init", cwd=tmp_path)

    assert outcome.code == 0
    assert "syncd --config syncd.toml check" in outcome.out
    assert program("check", cwd=tmp_path).code == 0
    assert (tmp_path / "syncd.toml").stat().st_mode & 0o077 == 0


def test_help_of_every_verb_has_an_example_and_comes_quickly(tmp_path: Path) -> None:
    from syncd.cli.main import app

    names = [one.name for one in app.registered_commands]
    assert len(names) == 19
    for name in names:
        assert name is not None
        outcome = console(None, name, "--help")
        assert outcome.code == 0
        assert f"  syncd {'--config' if name in {'check', 'run'} else name}" in outcome.out
    for group in app.registered_groups:
        assert group.typer_instance is not None
        for one in group.typer_instance.registered_commands:
            outcome = console(None, str(group.name), str(one.name), "--help")
            assert outcome.code == 0
            assert f"  syncd {group.name} {one.name}" in outcome.out
    imported = program_modules(tmp_path)
    assert not {"sqlalchemy", "pydantic", "imapclient", "rich", "structlog"} & imported, (
        "help needs none of them"
    )


def test_an_installation_without_call_records_does_not_wait_for_the_numbers_of_every_country(
    folder: Path,
) -> None:
    assert "phonenumbers" not in program_modules(folder, "status")


def program_modules(folder: Path, verb: str = "--help") -> set[str]:
    """What `syncd --help`, or another verb, imports."""
    code = (
        f"import sys\nfrom syncd.cli.main import run\nrun([{verb!r}])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    return set(done.stderr.split())


def test_a_reader_who_stops_reading_gets_no_traceback(folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m syncd check --schema | head -1"],
        capture_output=True,
        check=False,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )

    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_an_interrupt_ends_a_command_with_130(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "syncd", "import", "contacts", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdin is not None
    # It reads until the end of its input: what is larger than a pipe's buffer is taken only by a reader.
    process.stdin.write(b"x" * 1_000_000)
    process.stdin.flush()

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert err.decode().startswith("syncd: interrupted")


def test_a_defect_is_told_in_one_line_and_its_report_is_private(folder: Path) -> None:
    code = (
        "import sys, config.load\n"
        "def broken(*_, **__): raise RuntimeError('the secret')\n"
        "config.load.load = broken\n"
        "from syncd.cli.main import run\nsys.exit(run(['check']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(folder)},
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "the secret" not in done.stderr
    (report,) = folder.glob("syncd-defect-*.txt")
    assert "RuntimeError" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0
