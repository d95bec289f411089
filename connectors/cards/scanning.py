"""Pictures of business cards to text, by programs of Debian's: tesseract reads letters, zbarimg QR codes.

Neither is needed unless a card is scanned. Each runs on a copy in a directory of its own, with limits of time
and memory, and sees nothing but the picture. zbarimg spoils UTF-8 unless it is told `-Sbinary`.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from connectors.charsets import decode_text

MAX_BYTES = 10 * 1024 * 1024  # of a picture
SECONDS = 60  # for each program
MEMORY = 2 * 1024 * 1024  # KiB of address space for each program
MOST_TEXT = 100_000  # octets of text that are looked at
LANGUAGES = ("fra", "nld", "eng")
PACKAGES = {
    "tesseract": "tesseract-ocr tesseract-ocr-fra tesseract-ocr-nld",
    "zbarimg": "zbar-tools",
    "pdftoppm": "poppler-utils",
}
_KINDS = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"%PDF-", "pdf"))
_NO_SYMBOL = 4  # exit code of zbarimg
_LIMITED = 'ulimit -v "$1" && ulimit -t "$2" || exit 125; shift 2; exec "$@"'


class CannotScan(ValueError):
    """The picture cannot be read here. The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """What is on a card."""

    code: str  # of its QR codes; empty without any, or where zbarimg is missing
    text: str  # recognised letters; empty where the code holds a card


def kind_of(data: bytes) -> str:
    """png, jpg or pdf. Raises CannotScan."""
    if len(data) > MAX_BYTES:
        raise CannotScan(f"is larger than {MAX_BYTES // 1024 // 1024} MiB: take a smaller picture")
    for mark, kind in _KINDS:
        if data.startswith(mark):
            return kind
    raise CannotScan("is no picture of a kind that is read: PNG, JPEG or PDF")


def missing(*programs: str) -> list[str]:
    """Those of these programs that are not installed."""
    return [name for name in programs if shutil.which(name) is None]


def scan(data: bytes) -> Scanned:
    """Reads a picture: its QR code, and its letters unless the code holds a card. Raises CannotScan."""
    kind = kind_of(data)
    if len(missing("tesseract", "zbarimg")) == 2:  # noqa: PLR2004 - both
        raise _not_there("tesseract", "zbarimg")
    with tempfile.TemporaryDirectory(prefix="syncd-card-") as name:
        folder = Path(name)
        picture = folder / f"card.{kind}"
        picture.write_bytes(data)
        if kind == "pdf":
            if missing("pdftoppm"):
                raise _not_there("pdftoppm")
            _run(
                folder,
                "pdftoppm",
                "-r",
                "300",
                "-f",
                "1",
                "-l",
                "1",
                "-png",
                "-singlefile",
                picture.name,
                "page",
            )
            picture = folder / "page.png"
            if not picture.exists():
                raise CannotScan("has no page that can be drawn")
        code = "" if missing("zbarimg") else _run(folder, "zbarimg", "-q", "--raw", "-Sbinary", picture.name)
        if "BEGIN:VCARD" in code.upper():
            return Scanned(code, "")
        if missing("tesseract"):
            raise _not_there("tesseract")
        return Scanned(code, _run(folder, "tesseract", picture.name, "stdout", "-l", _languages(folder)))


def _languages(folder: Path) -> str:
    """Those of ours that are installed, as tesseract's option has them."""
    there = _run(folder, "tesseract", "--list-langs").split()
    found = [one for one in LANGUAGES if one in there]
    if not found:
        raise CannotScan(f"needs a language of tesseract: apt-get install {PACKAGES['tesseract']}")
    return "+".join(found)


def _not_there(*programs: str) -> CannotScan:
    packages = " ".join(PACKAGES[name] for name in programs)
    names = " and ".join(programs)
    verb = "is" if len(programs) == 1 else "are"
    return CannotScan(
        f"cannot be read: {names} {verb} not installed here. On Debian: apt-get install {packages}"
    )


def _run(folder: Path, *command: str) -> str:
    """What a program prints. Raises CannotScan where it fails or takes too long."""
    program = shutil.which(command[0])
    if program is None:
        raise _not_there(command[0])
    limited = ["sh", "-c", _LIMITED, "sh", str(MEMORY), str(SECONDS), program, *command[1:]]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "OMP_THREAD_LIMIT": "1", "HOME": str(folder)}
    output = folder / f"{command[0]}.out"
    try:
        with output.open("wb") as stream:
            done = subprocess.run(  # noqa: S603 - a program that was looked up, and a file name of our own
                limited, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.DEVNULL, timeout=SECONDS, check=False,
            )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise CannotScan(f"cannot be read: {command[0]} took longer than {SECONDS} seconds") from None
    if done.returncode not in {0, _NO_SYMBOL if command[0] == "zbarimg" else 0}:
        raise CannotScan(f"cannot be read: {command[0]} failed with exit code {done.returncode}")
    with output.open("rb") as stream:
        text, _ = decode_text(stream.read(MOST_TEXT), "utf-8")
    return text
