"""The parameters of a header field, as senders write them (RFC 2045 §5.1, RFC 2231, and mixtures)."""

import re
from urllib.parse import unquote_to_bytes

from connectors.charsets import decode_text
from connectors.headers import decode_words, one_line

_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;]*))?', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SECTION = re.compile(r"([^*]+)\*(?:(\d{1,4})(\*)?)?", re.ASCII)


def parameters(text: str) -> tuple[str, dict[str, str]]:
    """The value before the first `;` and its parameters, by lower-cased name, decoded."""
    head, semicolon, _ = text.partition(";")
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    if not semicolon:
        return head.strip(), plain
    for found in _PARAMETER.finditer(text, len(head)):
        name, value = found[1].lower(), (found[2] or "").strip()
        if value.startswith('"'):
            closed = len(value) > 1 and value.endswith('"')
            value = _ESCAPE.sub(r"\1", value[1:-1] if closed else value[1:])
        section = _SECTION.fullmatch(name)
        if section is None:
            plain.setdefault(name, decode_words(value) if "=?" in value else value)
        else:
            encoded = section[2] is None or section[3] is not None
            sections.setdefault(section[1], {}).setdefault(int(section[2] or 0), (value, encoded))
    for name, pieces in sections.items():
        plain[name] = _join_sections(pieces)  # RFC 6266 §4.3 prefers the extended spelling
    return head.strip(), plain


def _join_sections(pieces: dict[int, tuple[str, bool]]) -> str:
    charset = ""
    octets = b""
    for index in sorted(pieces):
        value, encoded = pieces[index]
        if encoded and not octets and value.count("'") >= 2:  # noqa: PLR2004 - charset'language'value
            charset, _, value = value.split("'", 2)
        octets += unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace")
    text = one_line(decode_text(octets, charset)[0])
    return decode_words(text) if "=?" in text and not charset else text  # some mix both ways
