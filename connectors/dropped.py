"""A folder into which people drop files: which of them are complete, their bytes, and where they go then.

Nothing is decided from one look: a file counts as complete once two looks saw the same size and the same
time of change. A file is read only if it is a plain one, and is moved to `done/` or `failed/` beside it, the
latter with a text that says why. A crash at any step leaves the file in one place at least, and never half of
it anywhere; it may then be offered again, so what is made of it must tell that it was there before.

Whoever may drop a file may read why it was not taken: `done/`, `failed/` and the texts have the rights of the
folder itself, whatever the service's umask is.
"""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.errors import BadFile, CollectionError, ItemError
from connectors.sheet import MAX_BYTES

DONE, FAILED = "done", "failed"
MOST_NAMES = 10_000  # files of one name that were put away
LONGEST_NAME = 240  # octets; a file system takes 255, a number and an ending may come to it
MOST_FILES = 10_000  # offered at a time; the others come next time

# What programs call a file while they still write it, and what systems leave about.
_TEMPORARY = re.compile(
    r"^(?:[.~].*|.*(?:~|\.(?:tmp|temp|part|partial|crdownload|download|filepart|swp|lock))|thumbs\.db|desktop\.ini)$",
    re.IGNORECASE | re.DOTALL,
)
_RIGHTS, _READ_AND_WRITE = 0o777, 0o666
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL})


class StillGrowing(ItemError):
    """The file changed since it was looked at: nothing is wrong with it, its time has not come."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """By what a change of a file shows."""

    size: int  # octets
    changed: int  # nanoseconds
    inode: int


@dataclass(frozen=True, slots=True)
class Look:
    """The files of a folder at one moment, by name."""

    files: Mapping[str, Stamp]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A complete file."""

    folder: Path
    name: str
    stamp: Stamp

    @property
    def shown(self) -> str:
        """The name as it can be printed and stored: names on a disk may be no text at all."""
        return self.name.encode("utf-8", "backslashreplace").decode("utf-8")


def look(folder: Path, before: Look | None = None) -> tuple[Look, tuple[Dropped, ...]]:
    """The folder now, and the files that are as they were at the look `before`, in the order of their names.

    Left out are directories (`done/`, `failed/`), links, devices, and names of unfinished files. Raises
    CollectionError where the folder cannot be read.
    """
    files: dict[str, Stamp] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _TEMPORARY.match(entry.name):
                    continue
                with contextlib.suppress(FileNotFoundError):  # moved away meanwhile
                    if entry.is_file(follow_symlinks=False):
                        files[entry.name] = _stamp(entry.stat(follow_symlinks=False))
    except OSError as error:
        raise _unusable(folder, "cannot be read", error) from error
    known = before.files if before is not None else {}
    same = sorted(name for name, stamp in files.items() if known.get(name) == stamp)
    return Look(files), tuple(Dropped(folder, name, files[name]) for name in same[:MOST_FILES])


def read(file: Dropped, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file. Raises BadFile where it is larger than `limit`, is no plain file any more, or
    may not be read; StillGrowing where it changed since it was looked at."""
    try:
        handle = os.open(file.folder / file.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        message = f"cannot be read ({error.strerror}): give the service the right to read it, or remove it"
        raise BadFile(message, locator=file.shown) from error
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise BadFile("is no plain file: remove it", locator=file.shown)
        if status.st_size > limit:
            message = f"is larger than {limit // 2**20} MiB; drop one report at a time"
            raise BadFile(message, locator=file.shown)
        try:
            content = stream.read(limit + 1)
            after = _stamp(os.fstat(handle))
        except OSError as error:
            message = f"cannot be read ({error.strerror}): drop it again"
            raise BadFile(message, locator=file.shown) from error
    if after != file.stamp or len(content) != file.stamp.size:
        raise StillGrowing("is still being written: it is taken at a later look", locator=file.shown)
    return content


def unchanged(file: Dropped) -> bool:
    """Whether the file is where it was, and the one that was looked at."""
    try:
        return _stamp((file.folder / file.name).lstat()) == file.stamp
    except OSError:
        return False


def put_away(file: Dropped, why: str = "") -> Path:
    """Moves a file to `done/`; to `failed/` with a text beside it where `why` says what was wrong.

    Answers where it is now. A name that is taken there gets a number. Raises CollectionError where the
    folder does not let it.
    """
    place = file.folder / (FAILED if why else DONE)
    source = file.folder / file.name
    try:
        _made(place, file.folder)
        if place.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, "is a link")
        target = _free(place, file.name, source, told=bool(why))
        if why:
            _write(_reason_of(target), why, file.folder.stat())
        _move(source, target)
        _flush(place)
        _flush(file.folder)
    except OSError as error:
        raise _unusable(place, "cannot take the file", error) from error
    return target


def _made(place: Path, folder: Path) -> None:
    """The place, with the rights of its folder when it is made."""
    try:
        place.mkdir(mode=0o770)
    except FileExistsError:
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(handle, mode)
    except PermissionError:  # a unit with RestrictSUIDSGID lets nobody set the bit of 2770
        os.fchmod(handle, mode & _RIGHTS)
    finally:
        os.close(handle)


def _free(place: Path, name: str, source: Path, *, told: bool) -> Path:
    """A name in `place` that no file has, or that has this very file already, from before a crash.

    A text without its file is such a remainder too, and is written anew; a file that only has the name of
    such a text has one of its own beside it, and stays.
    """
    stem, ending = Path(name).stem, Path(name).suffix
    while len(os.fsencode(stem + ending)) > LONGEST_NAME:
        stem, ending = (stem[:-1], ending) if stem else (ending[:LONGEST_NAME], "")
    for number in range(1, MOST_NAMES):
        target = place / (f"{stem} ({number}){ending}" if number > 1 else stem + ending)
        if told and _reason_of(_reason_of(target)).exists():
            continue
        try:
            if os.path.samestat(target.lstat(), source.lstat()):
                return target
        except FileNotFoundError:
            source.lstat()  # raises where it is the source that is not there
            return target
    raise FileExistsError(errno.EEXIST, "has too many files of that name: empty it")


def _reason_of(target: Path) -> Path:
    return target.with_name(target.name + ".txt")


def _move(source: Path, target: Path) -> None:
    """Never writes over anything: a second name first, then the first one goes."""
    try:
        target.hardlink_to(source)
    except FileExistsError:
        if not os.path.samestat(target.lstat(), source.lstat()):
            raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        source.rename(target)  # a file system without links, such as FAT or a share
        return
    source.unlink()


def _write(target: Path, text: str, like: os.stat_result) -> None:
    """The whole text or none of it, readable for those who may read the folder. They may write there as
    well: what lies under the name is never written to, since a link may lead to the service's own files."""
    part = target.with_name(f".{os.getpid()}.reason.tmp")
    if os.path.lexists(part):
        part.unlink()
    with part.open("x", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text.rstrip() + "\n")
        stream.flush()
        with contextlib.suppress(PermissionError):  # of a group that the service is not in
            os.fchown(stream.fileno(), -1, like.st_gid)
        os.fchmod(stream.fileno(), stat.S_IMODE(like.st_mode) & _READ_AND_WRITE)
        os.fsync(stream.fileno())
    part.replace(target)


def _flush(folder: Path) -> None:
    """Makes the names in a folder lasting, where the file system knows of that."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ino)


def _unusable(folder: Path, what: str, error: OSError) -> CollectionError:
    message = f"the folder {folder} {what} ({error.strerror}): it must exist, and the service may write there"
    return CollectionError(message, collection=str(folder))
