"""Files that people drop into a folder."""

import errno
import os
from pathlib import Path

import pytest

from connectors.dropped import Dropped, StillGrowing, look, put_away, read
from connectors.errors import BadFile, CollectionError


def complete(folder: Path) -> tuple[Dropped, ...]:
    before, _ = look(folder)
    return look(folder, before)[1]


def drop(folder: Path, name: str = "report.csv", text: str = "Name\n") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_complete_once_two_looks_saw_it_the_same(tmp_path: Path) -> None:
    file = drop(tmp_path)
    first, ready = look(tmp_path)
    assert ready == ()
    with file.open("a") as stream:
        stream.write("more\n")
    second, ready = look(tmp_path, first)
    assert ready == ()
    _, ready = look(tmp_path, second)
    assert [one.name for one in ready] == ["report.csv"]
    assert read(ready[0]) == b"Name\nmore\n"


def test_a_file_written_anew_with_the_same_length_is_another(tmp_path: Path) -> None:
    file = drop(tmp_path)
    first, _ = look(tmp_path)
    file.write_text("eman\n")
    os.utime(file, ns=(1, 1))
    assert look(tmp_path, first)[1] == ()


@pytest.mark.parametrize(
    "name",
    [".hidden", "~$report.xlsx", "report.csv~", "report.csv.part", "report.CRDOWNLOAD", "a.tmp", "Thumbs.db",
     ".~lock.report.csv#"],
)  # fmt: skip
def test_names_of_unfinished_files_are_left_alone(tmp_path: Path, name: str) -> None:
    drop(tmp_path, name)
    assert complete(tmp_path) == ()


def test_only_plain_files_are_offered(tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    drop(tmp_path, "secret")
    (folder / "link.csv").symlink_to(tmp_path / "secret")
    (folder / "done").mkdir()
    drop(folder / "done", "old.csv")
    os.mkfifo(folder / "pipe.csv")
    assert complete(folder) == ()


def test_a_file_that_became_a_link_or_a_pipe_is_not_read(tmp_path: Path) -> None:
    secret = drop(tmp_path, ".secret")
    file = drop(tmp_path)
    (found,) = complete(tmp_path)
    file.unlink()
    file.symlink_to(secret)
    with pytest.raises(BadFile, match="cannot be read"):
        read(found)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(BadFile, match="no plain file"):
        read(found)


def test_a_file_that_grew_since_is_not_bad(tmp_path: Path) -> None:
    file = drop(tmp_path)
    (found,) = complete(tmp_path)
    file.write_text("Name\nBob\n")
    with pytest.raises(StillGrowing):
        read(found)


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    file = drop(tmp_path)
    os.truncate(file, 11 * 2**20)
    (found,) = complete(tmp_path)
    with pytest.raises(BadFile, match="larger than 10 MiB"):
        read(found)


def test_a_file_that_was_taken_goes_to_done(tmp_path: Path) -> None:
    drop(tmp_path)
    (found,) = complete(tmp_path)
    assert put_away(found) == tmp_path / "done" / "report.csv"
    assert (tmp_path / "done" / "report.csv").read_text() == "Name\n"
    assert os.listdir(tmp_path) == ["done"]  # noqa: PTH208
    assert complete(tmp_path) == ()


def test_a_file_that_was_not_goes_to_failed_with_the_reason_beside_it(tmp_path: Path) -> None:
    drop(tmp_path)
    (found,) = complete(tmp_path)
    put_away(found, "report.csv: line 3: no")
    assert {path.name: path.read_text() for path in (tmp_path / "failed").iterdir()} == {
        "report.csv": "Name\n",
        "report.csv.txt": "report.csv: line 3: no\n",
    }


@pytest.mark.parametrize("restricted", [False, True])
def test_whoever_may_drop_a_file_may_read_why_it_was_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, restricted: bool
) -> None:
    folder = tmp_path / "attendance"
    folder.mkdir()
    folder.chmod(0o2770)
    drop(folder)
    (file,) = complete(folder)
    chmod = Path.chmod

    def refusing(path: Path, mode: int) -> None:
        if mode & 0o7000:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        chmod(path, mode)

    if restricted:  # as RestrictSUIDSGID of systemd does
        monkeypatch.setattr(Path, "chmod", refusing)
    before = os.umask(0o077)
    try:
        target = put_away(file, "why")
    finally:
        os.umask(before)
    assert target.parent.stat().st_mode & 0o777 == 0o770
    text = target.with_name(target.name + ".txt").stat()
    assert (text.st_mode & 0o777, text.st_gid) == (0o660, folder.stat().st_gid)


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    for text in ("one", "two", "three"):
        drop(tmp_path, text=text)
        (found,) = complete(tmp_path)
        put_away(found, "why")
    texts = {path.name: path.read_text() for path in (tmp_path / "failed").glob("*.csv")}
    assert texts == {"report.csv": "one", "report (2).csv": "two", "report (3).csv": "three"}
    assert (tmp_path / "failed" / "report (3).csv.txt").exists()


@pytest.mark.parametrize(
    "name", ["x" * 255, "é" * 120 + ".csv", "no ending", "a." + "b" * 250, "caf\udce9.csv"]
)
def test_any_name_can_be_put_away(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    (found,) = complete(tmp_path)
    found.shown.encode()
    assert put_away(found, "why").read_bytes() == b"x"
    (tmp_path / name).write_bytes(b"y")
    (again,) = complete(tmp_path)
    assert put_away(again, "why").read_bytes() == b"y"
    assert len(list((tmp_path / "failed").iterdir())) == 4


def test_a_reason_never_takes_the_place_of_a_file_of_its_name(tmp_path: Path) -> None:
    for name in ("a.csv.txt", "a.csv"):
        drop(tmp_path, name, text=f"content of {name}")
        (found,) = complete(tmp_path)
        put_away(found, "why")
    failed = {path.name: path.read_text() for path in (tmp_path / "failed").iterdir()}
    assert failed == {
        "a.csv.txt": "content of a.csv.txt",
        "a.csv.txt.txt": "why\n",
        "a (2).csv": "content of a.csv",
        "a (2).csv.txt": "why\n",
    }


def test_a_crash_between_two_names_leaves_one_file(tmp_path: Path) -> None:
    file = drop(tmp_path)
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "report.csv").hardlink_to(file)  # the first half of the move
    (found,) = complete(tmp_path)
    assert put_away(found) == tmp_path / "done" / "report.csv"
    assert not file.exists()
    assert len(list((tmp_path / "done").iterdir())) == 1


def test_a_crash_before_the_move_leaves_a_reason_that_is_written_anew(tmp_path: Path) -> None:
    drop(tmp_path)
    (tmp_path / "failed").mkdir()
    drop(tmp_path / "failed", "report.csv.txt", "an older reason")
    (found,) = complete(tmp_path)
    put_away(found, "why")
    assert sorted(path.name for path in (tmp_path / "failed").iterdir()) == ["report.csv", "report.csv.txt"]
    assert (tmp_path / "failed" / "report.csv.txt").read_text() == "why\n"


class Crash(BaseException):
    """The power goes."""


@pytest.mark.parametrize("step", ["mkdir", "open", "replace", "hardlink_to", "unlink"])
def test_a_crash_at_any_step_loses_nothing_and_leaves_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    drop(tmp_path)
    (found,) = complete(tmp_path)
    reached = []

    def crash(*_: object, **__: object) -> None:
        reached.append(step)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Path, step, crash)
        with pytest.raises(Crash):
            put_away(found, "why")
    assert reached
    (again,) = complete(tmp_path)
    put_away(again, "why")
    left = {path.name: path.read_text() for path in (tmp_path / "failed").iterdir() if path.name[0] != "."}
    assert left == {"report.csv": "Name\n", "report.csv.txt": "why\n"}
    assert complete(tmp_path) == ()


def test_a_file_system_without_links_takes_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    for text in ("one", "two"):
        drop(tmp_path, text=text)
        (found,) = complete(tmp_path)
        put_away(found)
    assert {path.name: path.read_text() for path in (tmp_path / "done").iterdir()} == {
        "report.csv": "one",
        "report (2).csv": "two",
    }


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="it must exist"):
        look(tmp_path / "drop")


def test_a_place_that_is_a_link_takes_nothing(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "done").symlink_to(elsewhere)
    drop(folder)
    (found,) = complete(folder)
    with pytest.raises(CollectionError, match="done"):
        put_away(found)
    assert list(elsewhere.iterdir()) == []
    assert (folder / "report.csv").exists()


def test_a_file_that_somebody_took_away_meanwhile_is_told(tmp_path: Path) -> None:
    file = drop(tmp_path)
    (found,) = complete(tmp_path)
    file.unlink()
    with pytest.raises(BadFile, match="cannot be read"):
        read(found)
    with pytest.raises(CollectionError):
        put_away(found, "why")
    assert not (tmp_path / "failed" / "report.csv").exists()


def test_a_link_that_lies_where_the_reason_is_written_leads_nowhere(tmp_path: Path) -> None:
    """Whoever may drop files may write into failed/: what the service alone may write stays as it is."""
    own = tmp_path / "hash.key"
    own.write_text("secret")
    own.chmod(0o600)
    folder = tmp_path / "drop"
    (folder / "failed").mkdir(parents=True)
    drop(folder)
    for name in (f".{os.getpid()}.reason.tmp", "report.csv.txt"):
        (folder / "failed" / name).symlink_to(own)
    target = put_away(complete(folder)[0], "report.csv: is none")
    assert own.read_text() == "secret"
    assert own.stat().st_mode & 0o777 == 0o600
    assert target.with_name(f"{target.name}.txt").read_text() == "report.csv: is none\n"
