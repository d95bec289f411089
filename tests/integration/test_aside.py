"""Bodies read in a process beside this one: the same as here, and no worse where that process dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from store.blobs import Part
from syncd.engine import aside
from syncd.engine.aside import HERE, Aside
from syncd.engine.content import Content, Limits
from syncd.engine.reader import Outcome
from tests.servers.world import PDF, World, mail, picture

LIMITS = Limits(max_attachment=5_000, min_inline_image=100)
CLAIRE = "claire@acme.example"
PAUL = "paul@client.example"
MESSAGES = [
    mail(1, PAUL, CLAIRE, attachments={"a.pdf": PDF, "b.pdf": b"%PDF small"}),
    b"",  # cannot be read
    mail(2, PAUL, CLAIRE, text="Été\n"),
]


@pytest.fixture
def beside() -> Iterator[Aside]:
    other = Aside()
    yield other
    other.close()


def without_names(outcomes: list[Outcome]) -> list[Outcome]:
    """Names of temporary files are random; their contents are taken instead."""
    return [
        replace(one, files=tuple(replace(file, part=_named_by_content(file.part)) for file in one.files))
        if isinstance(one, Content)
        else one
        for one in outcomes
    ]


def _named_by_content(part: Part) -> Part:
    return part if part.path is None else replace(part, path=Path(part.path.read_bytes().hex()))


def gone(pid: int) -> bool:
    """Whether the process ends before a deadline."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_what_is_read_aside_is_what_is_read_here(beside: Aside, tmp_path: Path) -> None:
    here = HERE.read(MESSAGES, tmp_path, LIMITS).result()
    assert [type(one) for one in here] == [Content, str, Content]
    several = [beside.read(MESSAGES, tmp_path, LIMITS) for _ in range(3)]
    assert all(without_names(future.result()) == without_names(here) for future in several)


def test_a_process_that_dies_is_done_without(beside: Aside, tmp_path: Path) -> None:
    expected = without_names(HERE.read(MESSAGES, tmp_path, LIMITS).result())
    beside.read(MESSAGES, tmp_path, LIMITS).result()
    os.kill(beside.pid, signal.SIGKILL)
    several = [beside.read(MESSAGES, tmp_path, LIMITS) for _ in range(20)]
    assert all(without_names(future.result()) == expected for future in several)


def test_a_disk_that_takes_nothing_is_told(beside: Aside, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        beside.read(MESSAGES, tmp_path / "missing", LIMITS).result()
    assert len(beside.read(MESSAGES, tmp_path, LIMITS).result()) == len(MESSAGES)  # and it goes on


def test_a_signal_for_the_service_is_not_for_the_other_process(beside: Aside, tmp_path: Path) -> None:
    beside.read(MESSAGES, tmp_path, LIMITS).result()  # it has begun
    os.kill(beside.pid, signal.SIGTERM)
    os.kill(beside.pid, signal.SIGINT)
    beside.read(MESSAGES, tmp_path, LIMITS).result()
    assert Path(f"/proc/{beside.pid}").exists()


def test_the_other_process_ends_when_it_is_closed_and_leaves_nothing() -> None:
    beside = Aside()
    beside.close()
    assert gone(beside.pid)


@pytest.mark.parametrize("busy", [False, True])
def test_the_other_process_does_not_outlive_a_kill(tmp_path: Path, *, busy: bool) -> None:
    script = (
        "import sys, time; from pathlib import Path; from syncd.engine.aside import Aside\n"
        "from syncd.engine.content import Limits\n"
        "beside = Aside(); print(beside.pid, flush=True)\n"
        f"for _ in range({200 if busy else 0}):\n"
        "    beside.read([b'A: b\\r\\n\\r\\n' + b'text ' * 50_000], Path(sys.argv[1]), Limits(1, 1))\n"
        "print('asked', flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline() == "asked\n"
        parent.kill()
    assert gone(pid)


def test_a_mailbox_that_is_read_aside_is_logged_as_one_that_is_read_here(
    lite_world: World,
    clone_database: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    lite_world.add_user("claire")
    account = lite_world.add_account("Client SA")
    lite_world.add_contact(account, PAUL)
    lite_world.deliver(
        "claire",
        "INBOX",
        *(mail(n, PAUL, CLAIRE, attachments={f"{n % 7}.pdf": PDF + bytes([n % 7])}) for n in range(30)),
        mail(3, PAUL, CLAIRE, attachments={"3.pdf": PDF + bytes([3])}),  # a copy
        b"\r\n",
        mail(31, PAUL, CLAIRE, message_id="", text="Sans identifiant\n"),
    )
    lite_world.open().close()
    other_world = lite_world.copy(tmp_path / "aside", clone_database(lite_world.database_url))
    lite_world.sync()

    started: list[int] = []

    class Counted(Aside):
        def __init__(self) -> None:
            super().__init__()
            started.append(self.pid)

    monkeypatch.setattr(aside, "MANY", 0)
    monkeypatch.setattr(aside, "Aside", Counted)
    monkeypatch.setattr(aside, "cores", lambda: 2)
    monkeypatch.setattr("syncd.engine.mail.GROUP", 4)
    monkeypatch.setattr("syncd.engine.mail.HEADS", 10)
    report = other_world.sync()["claire"]
    assert (report.error, report.folder_errors) == (None, {})
    assert len(started) == 1
    assert gone(started[0])
    assert picture(other_world) == picture(lite_world)
