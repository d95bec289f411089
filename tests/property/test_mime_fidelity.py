"""Message by message, the parts are those that the standard library finds when it reads everything.

The library's parser is slow and needs the whole mail in memory, but it is read by many eyes. The mails are
generated with random structures, charsets, encodings and line ends.
"""

import base64
import binascii
import hashlib
import quopri
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message as LibraryMessage
from email.utils import collapse_rfc2231_value
from functools import reduce
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from connectors.headers import decode_value
from connectors.html import bounded, sanitise, sanitised_to_text
from connectors.mime import read_message

CHARSETS = {
    "us-ascii": "bonjour merci devis\n",
    "utf-8": "été à l'œuvre – 中文 😀\n",
    "iso-8859-1": "été à l'hôtel\n",
    "iso-8859-15": "été € œuvre\n",
    "windows-1252": "été – œuvre €\n",
    "windows-1251": "привет мир\n",
    "koi8-r": "привет мир\n",
    "gb18030": "中文 abc €\n",
    "shift_jis": "日本語 abc\n",
    "iso-2022-jp": "日本語 abc\n",
    "utf-16": "été 中文\n",
}
MULTIPARTS = ["mixed", "alternative", "related", "signed", "report", "parallel", "x-unknown"]
FILE_TYPES = [
    "application/pdf",
    "image/png",
    "text/csv",
    "application/octet-stream",
    "text/calendar",
    "audio/wav",
]


@dataclass
class Written:
    """A part as generated: header lines and body, with LF for a line end."""

    header: list[bytes]
    body: bytes


@st.composite
def text_parts(draw: st.DrawFn) -> Written:
    charset = draw(st.sampled_from(sorted(CHARSETS)))
    words = CHARSETS[charset]
    html = draw(st.booleans())
    pieces = draw(st.lists(st.text(words + " -=.", max_size=30), max_size=12))
    text = "".join(f"<p>{piece}</p>\n" if html else piece + "\n" for piece in pieces)
    wide = charset == "utf-16"
    encodings = ["base64"] if wide else ["8bit", "quoted-printable", "base64", ""]
    encoding = draw(st.sampled_from(encodings))
    octets = text.encode(charset)
    kind = b"text/html" if html else b"text/plain"
    header = [draw(st.sampled_from([b"Content-Type", b"content-type"])) + b": " + kind]
    header[0] += (
        draw(st.sampled_from([b"; charset=%s", b';\n charset="%s"', b";charset=%s;x=y"])) % charset.encode()
    )
    if draw(st.integers(0, 5)) == 0:
        header.append(b"Content-Disposition: inline")
    return with_encoding(header, octets, encoding)


def with_encoding(header: list[bytes], octets: bytes, encoding: str) -> Written:
    body = octets
    if encoding == "base64":
        body = base64.encodebytes(octets)
    elif encoding == "quoted-printable":
        body = quopri.encodestring(octets)
    if encoding:
        header.append(b"Content-Transfer-Encoding: " + encoding.encode())
    return Written(header, body.removesuffix(b"\n"))


@st.composite
def files(draw: st.DrawFn) -> Written:
    octets = draw(
        st.one_of(st.binary(max_size=300), st.binary(min_size=1, max_size=8).map(lambda b: b * 700))
    )
    name = draw(st.text("abcé中 -_;'", min_size=1, max_size=20)).strip() + ".bin"
    header = [b"Content-Type: " + draw(st.sampled_from(FILE_TYPES)).encode()]
    disposition = draw(st.sampled_from([b"attachment", b"inline", b"ATTACHMENT"]))
    style = draw(st.integers(0, 3))
    if style == 0 and name.isascii():
        header.append(b'Content-Disposition: %s; filename="%s"' % (disposition, name.encode()))
    elif style <= 1:
        encoded = quote(name, safe="").encode()
        header.append(b"Content-Disposition: %s;\n filename*=utf-8''%s" % (disposition, encoded))
    elif style == 2:
        encoded = quote(name, safe="").encode()
        cut = draw(st.integers(0, len(name)))
        first, second = quote(name[:cut], safe="").encode(), quote(name[cut:], safe="").encode()
        continued = b"filename*0*=utf-8''%s;\n filename*1*=%s" % (first, second)
        header.append(b"Content-Disposition: %s; " % disposition + continued)
    else:
        word = b"=?utf-8?b?" + base64.b64encode(name.encode()) + b"?="
        header[0] += b'; name="%s"' % word
        header.append(b"Content-Disposition: " + disposition)
    if draw(st.booleans()):
        return with_encoding(header, octets, "base64")
    return with_encoding(
        header, binascii.hexlify(octets), draw(st.sampled_from(["7bit", "quoted-printable"]))
    )


@st.composite
def mails_inside(draw: st.DrawFn) -> Written:
    inner = draw(text_parts())
    body = b"Subject: inner\n" + b"\n".join(inner.header) + b"\n\n" + inner.body
    return Written(
        [b"Content-Type: message/rfc822", b"Content-Disposition: attachment; filename=inner.eml"], body
    )


@st.composite
def multiparts(draw: st.DrawFn, children: st.SearchStrategy[Written]) -> Written:
    boundary = draw(st.text("ab=_-+'./:?0", min_size=1, max_size=12)).encode() + b"%d" % draw(
        st.integers(0, 10**6)
    )
    parts = draw(st.lists(children, min_size=1, max_size=4))
    delimiters = {b"--" + boundary, b"--" + boundary + b"--"}
    assume(not any(line.rstrip() in delimiters for part in parts for line in part.body.split(b"\n")))
    kind = draw(st.sampled_from(MULTIPARTS)).encode()
    preamble = draw(st.sampled_from([b"", b"This is a MIME message.\n", b"\n", b"--\n", b"--x\n--y--\n"]))
    body = preamble
    for part in parts:
        body += b"--" + boundary + draw(st.sampled_from([b"", b" ", b"\t "])) + b"\n"
        body += b"".join(line + b"\n" for line in part.header) + b"\n" + part.body + b"\n"
    if draw(st.integers(0, 4)):
        body += b"--" + boundary + b"--\n" + draw(st.sampled_from([b"", b"epilogue", b"-- \n"]))
    return Written([b'Content-Type: multipart/%s;\n\tboundary="%s"' % (kind, boundary)], body)


LEAVES = st.one_of(text_parts(), text_parts(), files(), mails_inside())
ENTITIES = st.recursive(LEAVES, multiparts, max_leaves=8)


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    part = draw(ENTITIES)
    header = [b"From: a@b.fr", b"Date: 4 Mar 2025 09:11:12 +0000", b"Message-ID: <1@x>", *part.header]
    raw = b"\n".join(header) + b"\n\n" + part.body
    ending = draw(st.sampled_from([b"\r\n", b"\r\n", b"\n"]))
    if ending == b"\n" or b"\r" in raw:
        return raw
    return raw.replace(b"\n", b"\r\n")


# --- the same mail as the standard library reads it


@dataclass
class Shown:
    """The three lists of RFC 8621 §4.1.4; None as in the algorithm given there."""

    text: list[LibraryMessage] | None
    html: list[LibraryMessage] | None
    files: list[LibraryMessage]


def put(part: LibraryMessage, *lists: list[LibraryMessage] | None) -> None:
    for each in lists:
        if each is not None:
            each.append(part)


def structure(parts: list[LibraryMessage], kind: str, in_alternative: bool, shown: Shown) -> None:
    """The algorithm of RFC 8621 §4.1.4, transcribed; pictures are always files here."""
    text, html, files_ = shown.text, shown.html, shown.files
    text_length = -1 if text is None else len(text)
    html_length = -1 if html is None else len(html)
    for index, part in enumerate(parts):
        mime = part.get_content_type()
        inner = part.get_payload()
        named = part.get_filename() is not None
        inline = part.get_content_disposition() != "attachment" and mime in {"text/plain", "text/html"}
        inline = inline and (index == 0 or (kind != "related" and not named))
        if mime.startswith("multipart/") and isinstance(inner, list):
            subtype = part.get_content_subtype()
            children = [child for child in inner if isinstance(child, LibraryMessage)]
            structure(
                children, subtype, in_alternative or subtype == "alternative", Shown(text, html, files_)
            )
        elif not inline:
            files_.append(part)
        elif kind == "alternative":
            put(part, text if mime == "text/plain" else html)
        else:
            if in_alternative:
                html = None if mime == "text/plain" else html
                text = None if mime == "text/html" else text
            put(part, text, html)
            put(part, files_ if text is None and html is None else None)  # the RFC loses it
    if kind == "alternative" and text is not None and html is not None:
        if text_length == len(text) and html_length != len(html):
            text.extend(html[html_length:])
        elif html_length == len(html) and text_length != len(text):
            html.extend(text[text_length:])


def octets_of(part: LibraryMessage) -> bytes:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


def text_of(part: LibraryMessage) -> str:
    text = octets_of(part).decode(part.get_content_charset() or "utf-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def name_of(part: LibraryMessage) -> str:
    declared = part.get_filename()
    assert declared is not None
    return str(make_header(decode_header(collapse_rfc2231_value(declared))))


def rendered(part: LibraryMessage) -> str:
    return (
        sanitised_to_text(sanitise(text_of(part)))
        if part.get_content_type() == "text/html"
        else text_of(part)
    )


def as_html(part: LibraryMessage) -> str:
    if part.get_content_type() == "text/html":
        return sanitise(bounded(text_of(part))[0])
    escaped = reduce(
        lambda text, each: text.replace(*each), [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")], text_of(part)
    )
    return f"<pre>{escaped}</pre>" if escaped else ""


def last_breaks(cut: bool) -> Callable[[str], str]:
    """Where the closing delimiter is missing, how many line breaks belong to the part is anyone's guess."""
    return (lambda text: text.replace("\n", "").replace("<pre></pre>", "")) if cut else (lambda text: text)


@given(mails())
def test_text_html_and_files_are_those_of_the_standard_library(raw: bytes) -> None:
    library = message_from_bytes(raw)
    text: list[LibraryMessage] = []
    html: list[LibraryMessage] = []
    shown = Shown(text, html, [])
    structure([library], "mixed", False, shown)
    message = read_message(raw)
    cut = "multipart without its closing delimiter" in message.defects
    event(f"files: {min(len(shown.files), 3)}, texts: {min(len(text), 3)}, cut: {cut}")
    same = last_breaks(cut)
    assert same(message.body_text) == same("\n".join(filter(None, map(rendered, text))))
    if any(part.get_content_type() == "text/html" for part in html):
        assert same(message.body_html) == same("\n".join(filter(None, map(as_html, html))))
    else:
        assert message.body_html == ""
    assert [each.mime for each in message.attachments] == [part.get_content_type() for part in shown.files]
    for attachment, part in zip(message.attachments, shown.files, strict=True):
        if part.get_filename() is not None:
            assert attachment.name == name_of(part)
        if attachment.mime == "message/rfc822":  # the library takes those apart
            continue
        found, expected = b"".join(attachment.chunks()), octets_of(part)
        if cut:
            found, expected = found.rstrip(b"\r\n"), expected.rstrip(b"\r\n")
        assert hashlib.sha256(found).digest() == hashlib.sha256(expected).digest()


@given(mails())
def test_a_mail_that_is_attached_is_kept_to_the_byte(raw: bytes) -> None:
    message = read_message(raw)
    for attachment in message.attachments:
        if attachment.mime == "message/rfc822":
            content = b"".join(attachment.chunks())
            assert content in raw
            assert content.startswith(b"Subject: inner")


SAMPLES = sorted((Path(__file__).parents[1] / "unit" / "mime_corpus").glob("*.eml"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_have_the_files_that_the_standard_library_finds(path: Path) -> None:
    raw = path.read_bytes()
    shown = Shown([], [], [])
    structure([message_from_bytes(raw)], "mixed", False, shown)
    assert [each.mime for each in read_message(raw).attachments] == [
        p.get_content_type() for p in shown.files
    ]


WORDS = st.lists(
    st.tuples(
        st.text("été œ中a _?=", min_size=1, max_size=12),
        st.sampled_from(["utf-8", "utf-16-be", "gb18030"]),
        st.sampled_from("bq"),
    ),
    min_size=1,
    max_size=5,
)


@given(WORDS, st.sampled_from(["", "plain ", "a b "]), st.sampled_from([b" ", b"\r\n ", b"\t"]))
def test_encoded_words_are_decoded_as_the_standard_library_does(
    words: list[tuple[str, str, str]], before: str, gap: bytes
) -> None:
    encoded = []
    for text, charset, how in words:
        octets = text.encode(charset)
        body = base64.b64encode(octets) if how == "b" else b"".join(b"=%02X" % octet for octet in octets)
        encoded.append(b"=?%s?%s?%s?=" % (charset.encode(), how.encode(), body))
    raw = before.encode() + gap.join(encoded)
    expected = str(make_header(decode_header(raw.decode().replace("\r\n", ""))))
    assert " ".join(decode_value(raw).split()) == " ".join(expected.split())
