"""Memory stays bounded whatever a mail holds: it may be larger than the machine."""

import base64
import hashlib
import mmap
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from connectors.mime import PARTS_LIMIT, TEXT_LIMIT, read_message
from connectors.model import Message

MIB = 1 << 20
SIZE = 50 * MIB
HEADER = b"From: a@b.fr\r\nDate: 4 Mar 2025 09:11:12 +0000\r\nMessage-ID: <1@x>\r\n"
TRUNCATED = "text truncated: the whole of it is an attachment"


def fill(unit: bytes) -> bytes:
    return unit * (SIZE // len(unit))


def mixed(*parts: bytes) -> bytes:
    return (
        HEADER
        + b"Content-Type: multipart/mixed; boundary=bb\r\n\r\n"
        + b"".join(b"--bb\r\n" + part + b"\r\n" for part in parts)
        + b"--bb--\r\n"
    )


def file(encoding: bytes, body: bytes) -> bytes:
    return (
        b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: "
        + encoding
        + b"\r\n\r\n"
        + body
    )


def text(kind: bytes, body: bytes, encoding: bytes = b"8bit") -> bytes:
    head = b"Content-Type: text/" + kind + b"; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding
    return HEADER + head + b"\r\n\r\n" + body


BASE64_LINE = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWkFC\r\n"
QP_LINE = b"caf=C3=A9 au lait tous les matins =F0=9F=98=80 du monde et encore une fois=\r\n"
MANY = 20_000
EMPTY = b"\r\n\r\n"

CASES: dict[str, Callable[[], bytes]] = {
    "a base64 file": lambda: mixed(b"\r\nhi", file(b"base64", fill(BASE64_LINE))),
    "a base64 file in one line": lambda: mixed(file(b"base64", fill(b"QUJD"))),
    "a quoted-printable file": lambda: mixed(file(b"quoted-printable", fill(QP_LINE))),
    "quoted-printable text": lambda: text(b"plain", fill(QP_LINE), b"quoted-printable"),
    "quoted-printable html": lambda: text(b"html", b"<p>" + fill(QP_LINE), b"quoted-printable"),
    "html of tags": lambda: text(b"html", "\U0001f600".encode() + fill(b"<b>x</b>\r\n")),
    "html of entities": lambda: text(b"html", "\U0001f600".encode() + fill(b"fish &amp; chips\r\n")),
    "binary without line breaks": lambda: mixed(file(b"binary", fill(b"\xff\x00abc"))),
    "8bit text without line breaks": lambda: text(b"plain", fill(b"\xff\xfeabc")),
    "delimiter lines": lambda: mixed(fill(b"--bb\r\n")),
    "lines that begin like delimiters": lambda: mixed(b"\r\n" + fill(b"--b\r\n")),
    "recipients": lambda: HEADER + b"To: " + b",\r\n ".join([b"<%d@b.fr>" % n for n in range(MANY)]) + EMPTY,
    "tiny files": lambda: mixed(*[file(b"7bit", b"x")] * MANY),
    "tiny texts": lambda: mixed(*[b"\r\nx"] * MANY),
    "header fields": lambda: HEADER + fill(b"X-A: b\r\n") + b"\r\nbody",
    "one header field": lambda: HEADER + b"X-A: " + fill(b"\r\n bbbbbbbb") + b"\r\n\r\nbody",
    "addresses": lambda: HEADER + b"To: " + fill(b"a@b,") + b"\r\n\r\nbody",
    "references": lambda: HEADER + b"References: " + fill(b"<a@b>") + b"\r\n\r\nbody",
    "an attached mail": lambda: mixed(b"Content-Type: message/rfc822\r\n\r\nA: b\r\n" + fill(b"\r\nabc")),
}  # fmt: skip


def read_all(view: memoryview) -> tuple[Message, int]:
    message = read_message(view)
    return message, sum(len(chunk) for each in message.attachments for chunk in each.chunks())


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Callable[[bytes], memoryview]]:
    """Puts a mail into a file and gives a map of it, as connectors do for what is too large to hold."""
    with ExitStack() as stack:

        def mapped(content: bytes) -> memoryview:
            path = tmp_path / "mail"
            path.write_bytes(content)
            opened = stack.enter_context(path.open("rb"))
            pages = stack.enter_context(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
            return stack.enter_context(memoryview(pages))

        yield mapped


@pytest.mark.parametrize("case", CASES)
def test_the_memory_a_mail_takes_is_bounded(case: str, spool: Callable[[bytes], memoryview]) -> None:
    view = spool(CASES[case]())
    tracemalloc.start()
    try:
        begun = time.perf_counter()
        read_all(view)
        took = time.perf_counter() - begun
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 * MIB
    assert took < 60


def test_a_large_file_is_decoded_to_the_byte(spool: Callable[[bytes], memoryview]) -> None:
    octets = random.Random(1).randbytes(6 * MIB + 1)
    encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    message = read_message(spool(mixed(b"\r\nhi", file(b"base64", encoded), b"\r\nthere")))
    assert message.body_text == "hi\nthere"
    digest = hashlib.sha256()
    for chunk in message.attachments[0].chunks():
        assert len(chunk) <= MIB
        digest.update(chunk)
    assert digest.digest() == hashlib.sha256(octets).digest()


@pytest.mark.parametrize("shift", range(0, 90, 7))
def test_delimiters_are_found_wherever_the_search_windows_end(
    shift: int, spool: Callable[[bytes], memoryview]
) -> None:
    """A mail too large to hold is searched window by window."""
    filler = b"x" * (MIB - len(b"Content-Type: a/b\r\n\r\n") - shift) + b"\r\n"
    head = HEADER + b"Content-Type: multipart/mixed; boundary=" + b"b" * 70 + b"\r\n\r\n"
    raw = head + b"".join(b"--" + b"b" * 70 + b"\r\nContent-Type: a/b\r\n\r\n" + filler for _ in range(6))
    raw += b"--" + b"b" * 70 + b"--\r\n"
    message, total = read_all(spool(raw))
    assert (len(message.attachments), message.defects) == (6, ())
    assert total == 6 * (len(filler) - 2)


@pytest.mark.parametrize("shift", range(6))
@pytest.mark.parametrize(
    ("encoding", "unit", "ending", "decoded"),
    [
        (b"base64", b"QUJD", b"RA==", b"ABC"),
        (b"base64", b"QUJD", b"RA==\n-- \na footer.", b"ABC"),
        (b"quoted-printable", b"=41b", b"=44", b"Ab"),
        (b"quoted-printable", b"=41\n", b"=44", b"A\n"),
    ],
)
def test_no_encoding_is_broken_where_the_pieces_end(
    shift: int, encoding: bytes, unit: bytes, ending: bytes, decoded: bytes
) -> None:
    """Files are decoded in pieces of 128 KiB."""
    count = (1 << 17) // len(unit) - 1
    body = b" " * shift + unit * count + ending
    attachment = read_message(mixed(file(encoding, body))).attachments[0]
    assert b"".join(attachment.chunks()).lstrip(b" ") == decoded * count + b"D"


def test_a_map_can_be_closed_although_the_message_lives_on(spool: Callable[[bytes], memoryview]) -> None:
    view = spool(mixed(file(b"base64", BASE64_LINE * 100_000)))
    message, _ = read_all(view)
    view.release()
    with pytest.raises(ValueError, match="released"):
        next(message.attachments[0].chunks())


def test_text_beyond_the_limit_is_cut_at_a_line_and_kept_whole_as_a_file() -> None:
    body = "une ligne de texte répétée\n".encode() * 100_000
    message = read_message(text(b"plain", body))
    assert TEXT_LIMIT - 100 < len(message.body_text.encode()) <= TEXT_LIMIT
    assert body.decode().startswith(message.body_text)
    assert message.body_text.endswith("\n")
    assert [each.name for each in message.attachments] == ["piece-jointe.txt"]
    assert b"".join(message.attachments[0].chunks()) == body
    assert message.defects == (TRUNCATED,)


def test_parts_beyond_the_limit_are_one_file() -> None:
    raw = mixed(*[b"Content-Type: a/b; name=%d\r\n\r\nx" % number for number in range(PARTS_LIMIT + 10)])
    message = read_message(raw)
    assert len(message.attachments) == PARTS_LIMIT + 1
    rest = b"".join(message.attachments[0].chunks())
    assert rest.startswith(b"Content-Type: a/b; name=%d\r\n" % PARTS_LIMIT)
    assert b"name=%d\r\n" % (PARTS_LIMIT + 9) in rest
    assert message.defects == ("too many parts: the last ones are one attachment",)


@pytest.mark.parametrize("field", [b"X-A: b\r\n", b"X-A: b\r\n c\r\n"])
def test_a_header_beyond_the_limit_does_not_hide_the_body(field: bytes) -> None:
    message = read_message(HEADER + field * (3 * MIB // len(field)) + b"\r\nbody")
    assert message.envelope.message_id == "1@x"
    assert message.body_text == "body"
    assert "header longer than 1 MiB: only its beginning was read" in message.defects
