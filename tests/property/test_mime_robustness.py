"""Whatever the bytes are, there is a message, and any database takes its text."""

import hashlib
from email.utils import getaddresses
from pathlib import Path

from hypothesis import assume, example, given
from hypothesis import strategies as st

from connectors.errors import ItemError
from connectors.filenames import file_name
from connectors.headers import (
    decode_value,
    parse_addresses,
    parse_date,
    read_addresses,
    read_date,
    read_message_id,
    read_message_ids,
)
from connectors.mime import read_envelope, read_message
from connectors.model import Envelope, Message

SAMPLES = [
    path.read_bytes() for path in sorted((Path(__file__).parents[1] / "unit" / "mime_corpus").glob("*.eml"))
]
SNIPPETS = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b"\0", b"--", b"--inv", b"--bb--", b"\r\n\r\n", b"=?utf-8?q?", b"?=", b"=",
        b"Content-Type: multipart/mixed; boundary=inv\r\n", b"Content-Type: text/plain; charset=utf-7\r\n",
        b"Content-Type: text/html\r\n", b"Content-Transfer-Encoding: base64\r\n", b"charset=idna", b"==",
        b"Content-Transfer-Encoding: x-uuencode\r\n", b"begin 644 x\r\n", b"<", b">", b'"', b"(", b"\\", b";",
        b"Content-Type: message/rfc822\r\n", b"filename*0*=utf-16''%D8", b"+2D0-", b"\xed\xa0\x80", b":",
        b"From \r\n", b"\xff\xfe",
    ]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A mail as clients send them, damaged."""
    raw = bytearray(draw(st.sampled_from(SAMPLES)))
    if draw(st.booleans()):
        raw = bytearray(bytes(raw).replace(b"\n", b"\r\n"))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(raw)))
        length = draw(st.integers(0, 40))
        raw[start : start + length] = draw(st.one_of(SNIPPETS, st.binary(max_size=12)))
    return bytes(raw)


def texts(message: Message) -> list[str]:
    return [message.body_text, message.body_html, *message.defects, *envelope_texts(message.envelope)] + [
        text for each in message.attachments for text in (each.name, each.mime)
    ]


def envelope_texts(envelope: Envelope) -> list[str]:
    boxes = envelope.sender + envelope.reply_to + envelope.to + envelope.cc + envelope.bcc
    return [
        envelope.message_id or "",
        envelope.subject,
        *envelope.in_reply_to,
        *envelope.references,
        *[text for box in boxes for text in (box.email, box.name)],
        *[text for header in envelope.headers for text in header],
    ]


def check(raw: bytes) -> None:
    try:
        message = read_message(raw)
    except ItemError:
        assert not raw.strip()
        return
    for text in texts(message):
        text.encode("utf-8")
        assert "\0" not in text
    for text in envelope_texts(message.envelope):
        assert "\r" not in text
        assert "\n" not in text
    for attachment in message.attachments:
        assert attachment.name
        assert len(attachment.name) <= 150
        assert not set(attachment.name) & set("/\\\r\n")
        first = hashlib.sha256(b"".join(attachment.chunks()))
        assert hashlib.sha256(b"".join(attachment.chunks())).digest() == first.digest()
    assert read_message(memoryview(raw)) == message


@given(st.binary(max_size=2000))
@example(b"")
@example(b":")
def test_arbitrary_bytes_are_a_message_or_empty(raw: bytes) -> None:
    check(raw)


@given(mutated())
def test_a_damaged_mail_is_still_a_message(raw: bytes) -> None:
    check(raw)


@given(st.lists(SNIPPETS, max_size=60))
def test_a_heap_of_mail_syntax_is_still_a_message(pieces: list[bytes]) -> None:
    check(b"".join(pieces))


@given(st.lists(st.one_of(SNIPPETS, st.binary(max_size=8)), max_size=30).map(b"".join))
def test_no_field_value_is_too_strange(raw: bytes) -> None:
    for text in (decode_value(raw), read_message_id(raw) or "", *read_message_ids(raw)):
        text.encode("utf-8")
        assert "\0" not in text
    for address in read_addresses(raw):
        assert address.email == address.email.lower()
        assert address.email.isprintable()
        assert address.email.count("@") >= 1
        (address.email + address.name).encode("utf-8")
    moment = read_date(raw)
    assert moment is None or moment.utcoffset() is not None


@given(st.text(max_size=300))
def test_a_file_name_is_plain_whatever_was_declared(declared: str) -> None:
    name = file_name(declared)
    assert not set(name) & set("/\\\0\r\n\u202e")
    assert name.strip(". ") or not name
    assert len(name) <= 150
    assert file_name(name) == name


# --- the short ways give what the long ways give

LOCAL = st.text("abcXYZ09._+-=", min_size=1, max_size=12)
DOMAIN = st.lists(st.text("abcXYZ09-", min_size=1, max_size=8), min_size=1, max_size=3).map(".".join)
NAME = st.text("Jean Dupont'._-,()\"\\<@:;=?", max_size=14)
SHAPES = st.sampled_from(
    ["{e}", "<{e}>", "{n} <{e}>", '"{n}" <{e}>', " {e} ", "{n}<{e}>", "{e} ({n})", "{n} {e}"]
)
LISTS = st.lists(
    st.builds(
        lambda shape, name, local, domain: shape.format(n=name, e=f"{local}@{domain}"),
        SHAPES,
        NAME,
        LOCAL,
        DOMAIN,
    ),
    min_size=1,
    max_size=4,
).map(", ".join)


@given(LISTS)
def test_the_short_way_to_addresses_gives_what_the_long_way_gives(text: str) -> None:
    assert read_addresses(text.encode()) == parse_addresses(text)


@given(
    st.lists(
        st.tuples(st.text("Jean Dupont-", max_size=14), LOCAL, DOMAIN, st.integers(0, 3)),
        min_size=1,
        max_size=5,
    )
)
def test_well_formed_addresses_are_those_of_the_standard_library(
    boxes: list[tuple[str, str, str, int]],
) -> None:
    written = []
    for name, local, domain, shape in boxes:
        assume(not local.startswith(".") and not local.endswith(".") and ".." not in local)
        email = f"{local}@{domain}"
        written.append([email, f"<{email}>", f"{name} <{email}>", f'"{name}" <{email}>'][shape])
    field = ", ".join(written)
    expected = [(email.lower(), " ".join(name.split())) for name, email in getaddresses([field])]
    assert [(a.email, a.name) for a in read_addresses(field.encode())] == expected


NUMBERS = st.integers(0, 69).map("{:02}".format)
DATES = st.tuples(
    st.sampled_from(["", "Mon, ", "xxx,", "Mon "]),
    st.one_of(NUMBERS, st.sampled_from("0149")),
    st.sampled_from(["Jan", "Feb", "Mar", "Dec", "Foo", "jan"]),
    st.sampled_from(["1969", "1970", "1999", "2024", "2025", "2101", "0025", "25"]),
    st.tuples(NUMBERS, NUMBERS, NUMBERS).map(":".join),
    st.builds("{}{}{}".format, st.sampled_from("+-"), NUMBERS, NUMBERS),
    st.sampled_from(["", " (CET)", " (x y)", " ()", " "]),
).map(lambda each: "{}{} {} {} {} {}{}".format(*each))


@given(DATES)
def test_the_short_way_to_dates_gives_what_the_long_way_gives(text: str) -> None:
    assert read_date(text.encode()) == parse_date(text)


@given(st.text("abc<>@. \t()", min_size=1, max_size=20))
def test_white_space_around_a_message_id_never_makes_another_id(text: str) -> None:
    raw = text.encode()
    assert read_message_id(raw) == read_message_id(b" " + raw + b"\r\n ")


@given(
    st.lists(
        st.tuples(st.sampled_from(["Subject", "X-A", "To"]), st.text("ab =?<>@,\t", max_size=30)), max_size=6
    )
)
def test_an_envelope_is_the_same_with_any_line_ending(fields: list[tuple[str, str]]) -> None:
    lines = [f"{name}: {value}x".encode() for name, value in fields]
    read = [read_envelope(ending.join([*lines, b"", b""])) for ending in (b"\r\n", b"\n", b"\r")]
    assert read[0] == read[1] == read[2]
