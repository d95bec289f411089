"""From a message's bytes to what is kept of it. Attachments go to files; no database here.

The process that reads aside (`syncd.engine.aside`) imports nothing beyond this module and what it needs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from connectors.mime import read_message
from connectors.model import Attachment, Envelope
from store.blobs import Part, write_part

_KNOWN = Envelope(None, None, "", (), (), (), (), (), (), ())  # the true one was read from the header before


@dataclass(frozen=True, slots=True)
class Limits:
    """What of a message is kept."""

    max_attachment: int  # octets; larger ones: name and size only
    min_inline_image: int  # octets; smaller inline images are signatures


@dataclass(frozen=True, slots=True)
class File:
    """An attachment whose content was written down."""

    name: str
    mime: str
    inline: bool
    part: Part


@dataclass(frozen=True, slots=True)
class Content:
    """What a message holds beside its header."""

    body_text: str
    body_html: str
    defects: tuple[str, ...]
    files: tuple[File, ...]


def read_content(raw: memoryview | bytes, parts: Path, limits: Limits) -> Content:
    """Reads the message, its attachments into files in the folder `parts`.

    Raises ItemError where it cannot be read, OSError where the disk does not take a file.
    """
    message = read_message(raw, _KNOWN)
    files = tuple(
        File(one.name, one.mime, one.inline, write_part(parts, chunks, limit=limits.max_attachment))
        for one, chunks in ((one, _chunks(one, limits)) for one in message.attachments)
        if chunks is not None
    )
    return Content(message.body_text, message.body_html, message.defects, files)


def _chunks(attachment: Attachment, limits: Limits) -> Iterator[bytes] | None:
    """The attachment's content; None for a signature image, which is not kept (R100)."""
    chunks = attachment.chunks()
    if not (attachment.inline and attachment.mime.startswith("image/")):
        return chunks
    head: list[bytes] = []
    size = 0
    for chunk in chunks:
        head.append(chunk)
        size += len(chunk)
        if size >= limits.min_inline_image:
            return chain(head, chunks)
    return None
