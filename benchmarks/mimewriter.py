"""Bytes of a MIME message from its pieces, the way the usual mail programs write them.

Not the standard library's generator: that one takes a minute for 20,000 messages, and would write each
of them in the same hand. Lines end in LF, as a maildir keeps them.
"""

import binascii
import io
import random
import struct
import zipfile
import zlib
from base64 import encodebytes
from dataclasses import dataclass

from benchmarks.phrases import slug

_LATIN1 = str.maketrans({"’": "'", "€": "EUR", "œ": "oe", "–": "-", "…": "..."})
_MIME = {
    "pdf": "application/pdf",
    "png": "image/png",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A file to attach."""

    name: str
    mime: str
    data: bytes


def encode_text(text: str, charset: str) -> bytes:
    """The text in the charset, typographic signs simplified where it has none."""
    if charset == "iso-8859-1":
        text = text.translate(_LATIN1)
    return text.encode(charset)


def encoded_words(text: str, charset: str, encoding: str) -> str:
    """A header value of RFC 2047: encoded words of at most 75 characters, or the text if it is ASCII.

    `encoding` is "q" or "b". A character never straddles two words (section 5).
    """
    if text.isascii():
        return text
    words = []
    for start in range(0, len(text), 12):
        data = encode_text(text[start : start + 12], charset)
        if encoding == "b":
            body = binascii.b2a_base64(data, newline=False).decode("ascii")
        else:
            body = "".join(
                chr(c) if chr(c).isalnum() and c < 128 else "_" if c == 32 else f"={c:02X}" for c in data
            )
        words.append(f"=?{charset}?{encoding}?{body}?=")
    return "\n ".join(words)


def folded_base64(data: bytes) -> str:
    """Base64 over several header lines."""
    return encodebytes(data).decode("ascii").rstrip().replace("\n", "\n\t ")


def text_part(text: str, subtype: str, charset: str, encoding: str) -> bytes:
    """A text part with its own header. `encoding` is a Content-Transfer-Encoding; 7bit needs ASCII."""
    data = encode_text(text, charset)
    if encoding == "base64":
        data = encodebytes(data)
    elif encoding == "quoted-printable":
        data = binascii.b2a_qp(data)
    header = f'Content-Type: text/{subtype}; charset="{charset}"\nContent-Transfer-Encoding: {encoding}\n'
    return header.encode() + b"\n" + data


def file_part(document: Document, content_id: str | None = None) -> bytes:
    """A part that holds a file: inline if it has a Content-ID, else attached. RFC 2231 for accents."""
    disposition = "inline" if content_id else "attachment"
    if document.name.isascii():
        name = f'filename="{document.name}"'
    else:
        quoted = "".join(
            chr(c) if c < 128 and chr(c).isalnum() else f"%{c:02X}" for c in document.name.encode()
        )
        name = f"filename*=utf-8''{quoted}"
    header = f"Content-Type: {document.mime}\nContent-Transfer-Encoding: base64\n"
    header += f"Content-Disposition: {disposition}; {name}\n"
    if content_id:
        header += f"Content-ID: <{content_id}>\n"
    return header.encode() + b"\n" + encodebytes(document.data)


def multipart(subtype: str, boundary: str, parts: list[bytes]) -> bytes:
    """The parts as one multipart entity with its own header."""
    head = f'Content-Type: multipart/{subtype};\n boundary="{boundary}"\n\n'.encode()
    mark = f"--{boundary}".encode()
    return head + b"".join(mark + b"\n" + part.rstrip(b"\n") + b"\n\n" for part in parts) + mark + b"--\n"


def document(rng: random.Random, title: str, kind: str, size: int) -> Document:
    """A file of about that many octets: a PDF, PNG or DOCX by its structure, noise by its content."""
    noise = rng.randbytes(max(size - 200, 16))
    if kind == "png":
        side = max(1, int((size / 3) ** 0.5))
        data = (
            b"\x89PNG\r\n\x1a\n"
            + _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + _chunk(b"IDAT", noise)
            + _chunk(b"IEND", b"")
        )
    elif kind == "docx":
        box = io.BytesIO()
        with zipfile.ZipFile(box, "w") as archive:
            archive.writestr(zipfile.ZipInfo("word/document.xml", (2024, 1, 1, 0, 0, 0)), noise)
        data = box.getvalue()
    else:
        data = b"%%PDF-1.5\n1 0 obj\n<</Length %d>>\nstream\n%s\nendstream\nendobj\n%%%%EOF\n" % (
            len(noise),
            noise,
        )
    # Some names keep their accents, as people type them.
    name = title if rng.random() < 0.3 else slug(title)
    return Document(f"{name}.{kind}", _MIME[kind], data)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
