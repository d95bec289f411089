"""Messages at the edge of what a mailbox may hold, for the memory limit; and the smallest, by thousands."""

import random
from base64 import encodebytes
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from benchmarks.corpus import file_name

START = datetime(2025, 1, 1, tzinfo=UTC)
MB = 1_000_000


def extremes(user: str, contact: str, *, much: float = 1) -> Iterator[bytes]:
    """Messages from the contact to the user, each too much of something. Lines end in LF.

    `much` scales the largest of them: 1 is 50 MB on the wire.
    """
    head = f"From: {contact}\nMIME-Version: 1.0\n"
    to = f"To: {user}\n"
    crowd = ",\n ".join(f"Person {number} <person{number}@crowd.example>" for number in range(10_000))
    noise = encodebytes(random.Random(0).randbytes(int(37 * MB * much)))
    part = (
        b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; "
    )
    # 50 MB of attachment on the wire, three times, since the second shows whether the first was let go.
    for number in range(3):
        yield _message(
            f'{head}{to}Content-Type: multipart/mixed; boundary="b"\n',
            f"50-{number}",
            b"--b\nContent-Type: text/plain\n\nSee the file.\n--b\n"
            + part
            + b'filename="plan.pdf"\n\n'
            + noise
            + b"--b--\n",
        )
    yield _message(f"{head}To: {user},\n {crowd}\n", "crowd", b"Hello everyone.\n")
    yield _message(
        f"{head}{to}", "text", b"A line of text, one of very many of them.\n" * int(500_000 * much)
    )
    yield _message(
        f"{head}{to}Content-Type: text/html; charset=utf-8\n",
        "html",
        b"<html><body>" + b"<p>A <b>paragraph</b> of many.</p>\n" * int(300_000 * much) + b"</body></html>\n",
    )
    yield _message(
        f'{head}{to}Content-Type: multipart/mixed; boundary="b"\n',
        "parts",
        b"".join(b"--b\n" + part + b'filename="%d.pdf"\n\nQQ==\n' % number for number in range(3000))
        + b"--b--\n",
    )
    nested = b"".join(
        b'--b%d\nContent-Type: multipart/mixed; boundary="b%d"\n\n' % (n, n + 1) for n in range(500)
    )
    yield _message(f'{head}{to}Content-Type: multipart/mixed; boundary="b0"\n', "nested", nested)
    yield _message(f"{head}{to}Subject: {'a long subject ' * 60_000}\n", "subject", b"Short.\n")
    references = "\n ".join(f"<{number}@thread.example>" for number in range(20_000))
    yield _message(f"{head}{to}References: {references}\n", "references", b"Short.\n")


def small(count: int, user: str) -> Iterator[bytes]:
    """The smallest messages that still say who wrote them: strangers, each with an address of its own."""
    for number in range(count):
        date = format_datetime(START + timedelta(seconds=number))
        yield (
            f"From: s{number}@strangers.example\nTo: {user}\nDate: {date}\nMessage-ID: <{number}@small>\n\n."
        ).encode()


def write(maildir: Path, inbox: Iterable[bytes], sent: Iterable[bytes] = ()) -> int:
    """Writes a new maildir with an Inbox and a Sent of these; returns how many there are."""
    total = 0
    for folder, messages in ((maildir, inbox), (maildir / ".Sent", sent)):
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True)
        for number, content in enumerate(messages, 1):
            name = file_name(int(START.timestamp()) + number, number, content)
            (folder / "cur" / name).write_bytes(content)
            total += 1
    return total


def _message(head: str, name: str, body: bytes) -> bytes:
    date = format_datetime(START)
    return f"{head}Date: {date}\nMessage-ID: <{name}@extremes.example>\n\n".encode() + body
