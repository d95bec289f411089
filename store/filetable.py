"""Rows of a file in any format that is imported: told by its content, not by its name."""

from collections.abc import Sequence

from store import csvfile
from store.csvfile import Sheet


def scan(content: bytes, known: Sequence[str]) -> Sheet:
    """The rows of a CSV or XLSX file. `known` are the headers that it may have. Raises Refused."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
        from store import xlsxfile

        return xlsxfile.scan(content)
    return csvfile.scan(content, known)
