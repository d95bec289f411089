"""The CRM's block in a description: put after a person's notes, taken off again. Plain text only.

What the CRM adds stands between two marker lines. Whatever else a person or a server did to the text is
the person's: it is never lost, even where a marker is.
"""

import re
from collections import Counter

OPENING = "--- CRM ---"
CLOSING = "--- fin CRM ---"

# RFC 5545 section 3.1: CONTROL is no part of TEXT; XML 1.0, which carries it, knows no such characters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """The text as both sides can hold it: "\\n" ends its lines, no control character but tabs, no NUL, no
    lone surrogate."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isprintable() else _FORBIDDEN.sub("", text)


def attach(notes: str, block: str) -> str:
    """The notes, an empty line, and the block between its markers. Without a block, the notes alone."""
    lines = [line for line in clean(block).split("\n") if line.strip() not in {OPENING, CLOSING}]
    if not any(lines):
        return notes
    text = "\n".join([OPENING, *lines, CLOSING])
    return f"{notes}\n\n{text}" if notes else text


def strip(text: str, last_block: str = "") -> str:
    """The notes without any complete block, and without the empty line that stood before it.

    Where a marker is missing nothing is taken off, but for the lines of `last_block`, the one written last.
    """
    if OPENING not in text and CLOSING not in text and not last_block:
        return text
    kept, blocks = _split(text)
    stray = any(line.strip() in {OPENING, CLOSING} for line in kept)
    if last_block and (stray or not blocks):
        return _without(kept, last_block)
    return "\n".join(kept)


def find(text: str) -> list[str]:
    """What is inside the complete blocks, one text a block."""
    return _split(text)[1] if OPENING in text else []


def _split(text: str) -> tuple[list[str], list[str]]:
    kept: list[str] = []
    blocks: list[str] = []
    opened: list[int] = []  # where a marker stands that may begin a block: they nest where a text was pasted
    for line in text.split("\n"):
        bare = line.strip()
        if bare == OPENING:
            opened.append(len(kept))
        elif bare == CLOSING and opened:
            start = opened.pop()
            blocks.append("\n".join(kept[start + 1 :]))
            del kept[start:]
            if kept and not kept[-1].strip("\r"):
                kept.pop()
            continue
        kept.append(line)
    return kept, blocks


def _without(lines: list[str], block: str) -> str:
    left = Counter(line.strip() for line in [OPENING, *block.split("\n"), CLOSING] if line.strip())
    kept: list[str] = []
    for line in lines:
        bare = line.strip()
        if left[bare] > 0:
            if bare == OPENING and kept and not kept[-1].strip():
                kept.pop()
            left[bare] -= 1
        else:
            kept.append(line)
    return "\n".join(kept)
