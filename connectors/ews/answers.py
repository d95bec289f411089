"""Answers of an Exchange server before anybody reads them: whole, bounded and well-formed.

exchangelib parses with recovery: of an answer that was cut it would take what is there, and a list that
was cut would look like a shorter list. So each answer is checked first. Exchange itself sends characters
that no XML may hold (control characters of a subject, as `&#x1F;`), and those alone are mended.
"""

import io
import re
from collections.abc import Iterator
from xml.parsers import expat

import requests

PIECE = 64 * 1024

_BAD_OCTETS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BAD_REFERENCE = re.compile(rb"&#(?:0*([0-9]{1,7})|[xX]0*([0-9A-Fa-f]{1,6}));")


class GarbledError(Exception):
    """The answer is no XML, or not all of it. The text says why, without quoting it."""


class Answer(requests.Response):
    """A whole answer in memory, as exchangelib takes it."""

    def __init__(self, response: requests.Response, body: bytes) -> None:
        super().__init__()
        self.status_code = response.status_code
        self.headers = response.headers
        self.url = response.url
        self.request = response.request
        self.raw = io.BytesIO()
        self.body = body

    @property
    def content(self) -> bytes:
        """The body."""
        return self.body

    @property
    def text(self) -> str:
        """Nothing: exchangelib would put it into messages and the log."""
        return ""

    def iter_content(  # exchangelib asks for one octet at a time: it gets more
        self, chunk_size: int | None = 1, decode_unicode: bool = False
    ) -> Iterator[bytes]:
        """The body in pieces, whatever size is asked for."""
        for start in range(0, len(self.body), PIECE):
            yield self.body[start : start + PIECE]


def well_formed(body: bytes) -> bytes:
    """The body as well-formed XML without a document type. Raises GarbledError."""
    try:
        _check(body)
    except expat.ExpatError:
        mended = mend(body)
        try:
            _check(mended)
        except expat.ExpatError as error:
            raise GarbledError(expat.ErrorString(error.code)) from None
        return mended
    return body


def mend(body: bytes) -> bytes:
    """Without octets and references that stand for no character of XML 1.0 (section 2.2)."""
    text = body.decode("utf-8", "replace").encode() if not _is_utf8(body) else body
    return _BAD_REFERENCE.sub(_allowed, _BAD_OCTETS.sub(b"?", text))


def _allowed(found: re.Match[bytes]) -> bytes:
    code = int(found[1]) if found[1] else int(found[2], 16)
    good = code in {9, 10, 13} or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000  # noqa: PLR2004
    return found[0] if good and code <= 0x10FFFF else b"?"  # noqa: PLR2004


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check(body: bytes) -> None:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.Parse(body, True)


def _no_doctype(*_: object) -> None:
    raise GarbledError("it declares a document type")
