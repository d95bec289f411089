"""Octets to text, whatever charset a mail says they are in."""

import codecs
import re
from functools import lru_cache

# What senders write, and the superset that reads it (as the WHATWG encoding standard does).
_ALIASES = {
    "iso8859-1": "cp1252", "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252",
    "ansi": "cp1252", "ansi-x3.110": "cp1252", "ansi-x3.110-1983": "cp1252", "macintosh": "mac-roman",
    "utf8mb4": "utf-8", "unicode-1-1-utf-8": "utf-8", "unicode-1-1-utf-7": "utf-7", "x-sjis": "cp932",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "ks-c-5601-1987": "cp949",
    "shift-jis": "cp932", "sjis": "cp932", "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6", "iso-8859-6-e": "iso8859-6", "iso-8859-9": "cp1254", "tis-620": "cp874",
}  # fmt: skip
_CHARSET = re.compile(r"[\w.:+-]{1,40}", re.ASCII)
_VENDOR = re.compile(r"(?:x-)?(?:cp|win|windows|ibm|dos|msdos)-?(\d{3,4})")
# Not character sets of mail; some of them take quadratic time or never fail.
_NOT_A_CHARSET = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"})
_MULTIBYTE = frozenset({"utf-8", "gb18030", "cp932", "cp949", "euc_jp", "euc_kr", "big5"})
_NO_SURROGATES = frozenset({"utf-8", "cp1252", "ascii"})
_SURROGATE = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=256)
def codec(charset: str) -> str | None:
    """The name of the Python codec for what a mail calls its charset; None where there is none."""
    found = _CHARSET.search(charset[:200].lower())
    if found is None:
        return None
    name = found[0].replace("_", "-")
    vendor = _VENDOR.fullmatch(name)
    name = _ALIASES.get(name, "cp" + vendor[1] if vendor else name)
    try:
        b"x".decode(name, "replace")  # refuses codecs that are not of text, such as zlib
    except UnicodeError:
        pass
    except LookupError:
        return None
    name = codecs.lookup(name).name
    return None if name in _NOT_A_CHARSET else _ALIASES.get(name, name)


def decode_text(raw: bytes, charset: str = "") -> tuple[str, bool]:
    """The text of `raw`, and whether the declared charset could read it.

    A charset that is missing, unknown or wrong gives way to UTF-8, then to Windows-1252, then to Latin-1,
    which reads everything. Text never holds a lone surrogate.
    """
    declared = codec(charset) if charset else None
    if raw.isascii() and (declared is None or declared in _NO_SURROGATES):
        return raw.decode("ascii"), declared is not None or not charset
    first = "utf-8" if declared is None or declared == "ascii" else declared
    for name in (first, "utf-8", "cp1252"):
        try:
            text = raw.decode(name)
        except (UnicodeError, ValueError):
            if name == declared and (repaired := _barely_damaged(raw, name)) is not None:
                return repaired, False
            continue
        if name not in _NO_SURROGATES:
            text = _SURROGATE.sub("\ufffd", text)
        return text, declared in {name, "cp1252"}
    return raw.decode("latin-1"), declared == "cp1252"


def _barely_damaged(raw: bytes, name: str) -> str | None:
    """The text with marks where a gateway cut a character, unless so much is wrong that the charset is."""
    if name not in _MULTIBYTE:
        return None
    text = raw.decode(name, "replace")
    wide = len(raw) - len(text)  # octets that only make sense as this charset
    return _SURROGATE.sub("\ufffd", text) if wide > 2 * text.count("\ufffd") else None


@lru_cache(maxsize=256)
def keeps_ascii(charset: str) -> bool:
    """Whether octets below 128 are ASCII wherever they stand, so that text can be cleaned undecoded."""
    name = codec(charset) or "utf-8"
    if name.startswith(("iso2022", "hz", "utf-7")):  # escape sequences give it another meaning
        return False
    return _ASCII.decode(name, "replace") == _ASCII.decode("ascii")


_ASCII = bytes(range(ord(" "), ord("Z")))  # Japanese charsets have a yen sign for the backslash
