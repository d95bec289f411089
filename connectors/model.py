"""The neutral vocabulary between the protocols and the CRM. Plain frozen records, no I/O.

Date-times are aware. Addresses carry a lower-cased `email`; the display name is kept apart.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class FolderRole(Enum):
    """What a mail folder is for (RFC 6154 SPECIAL-USE, or a known name)."""

    INBOX = "inbox"
    SENT = "sent"
    ALL = "all"
    ARCHIVE = "archive"
    DRAFTS = "drafts"
    JUNK = "junk"
    TRASH = "trash"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox address of RFC 5322, without its display name in the way of comparing."""

    email: str  # lower-cased, without angle brackets
    name: str = ""  # decoded display name, may be empty


@dataclass(frozen=True, slots=True)
class Folder:
    """A mail folder as the server lists it."""

    ref: str  # the path, decoded (not modified UTF-7), with the server's own separator
    role: FolderRole
    selectable: bool = True


@dataclass(frozen=True, slots=True)
class FolderState:
    """What a server tells of a folder without listing it (IMAP STATUS)."""

    epoch: str  # UIDVALIDITY: under another one, every UID known so far means nothing
    next_uid: int  # every message to come has this UID or a higher one; 0 = the server does not say
    count: int  # messages in the folder


@dataclass(frozen=True, slots=True)
class MessageHead:
    """The header fields of one message, and what the server knows of it without its body."""

    uid: int
    size: int  # octets, RFC822.SIZE
    received_at: datetime  # INTERNALDATE
    keywords: frozenset[str]  # IMAP keywords and flags, decoded; system flags keep their backslash
    header: bytes  # the raw header lines that were asked for, CRLF, with the closing empty line


@dataclass(frozen=True, slots=True)
class Envelope:
    """The header fields that matching needs, decoded."""

    message_id: str | None  # without angle brackets and white space; None where missing
    date: datetime | None  # aware; None where missing or unreadable
    subject: str  # decoded, unfolded; may be empty
    sender: tuple[Address, ...]  # From (usually one)
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    in_reply_to: tuple[str, ...]  # message ids, as `message_id`
    references: tuple[str, ...]  # message ids, oldest first
    headers: tuple[tuple[str, str], ...] = ()  # every field read: (lower-cased name, decoded value)


@dataclass(frozen=True, slots=True)
class RawMessage:
    """One message as the server holds it. `content` is bytes, or a read-only memory map of a spool file
    for messages too large to hold; it is valid until the iterator that gave it moves on."""

    uid: int
    content: memoryview


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part kept as a file. `chunks()` decodes it piece by piece, each time from the start."""

    name: str  # a plain file name: no path, no control characters, never empty
    mime: str  # type/subtype, lower-cased
    inline: bool  # shown inside the body (Content-Disposition inline, or referred to by Content-ID)
    chunks: Callable[[], Iterator[bytes]] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A whole mail, read. Text has neither NUL nor lone surrogates, so that any database takes it."""

    envelope: Envelope
    body_text: str  # the plain text, or the HTML rendered to text where there is no plain text
    body_html: str  # sanitised; empty where there is none
    attachments: tuple[Attachment, ...]
    defects: tuple[str, ...] = ()  # what was repaired on the way, for `explain`; no content in it
