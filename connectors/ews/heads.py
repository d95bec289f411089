"""From what Exchange tells of a message to the header lines that matching reads.

A message that came from outside has its header as it came (PidTagTransportMessageHeaders). One that was
written here, in Sent, has none: its lines are made of Exchange's own fields, in the words of RFC 5322.
"""

import re
from collections.abc import Sequence
from email.header import Header
from email.utils import format_datetime, formataddr
from typing import Any

from exchangelib.util import TNS

from connectors.ews.requests import moment, size_of, text
from connectors.model import MessageHead

LARGEST_HEADER = 1024 * 1024  # characters; what comes after is not looked at
SENSITIVITY = {"Personal": "Personal", "Private": "Private", "Confidential": "Company-Confidential"}
ADDRESSES = {
    "From": "From",
    "Reply-To": "ReplyTo",
    "To": "ToRecipients",
    "Cc": "CcRecipients",
    "Bcc": "BccRecipients",
}
TEXTS = {"Message-ID": "InternetMessageId", "In-Reply-To": "InReplyTo", "References": "References"}

_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:")
_BREAK = re.compile(r"\r?\n|\r")


def raw_header(element: Any) -> str:
    """The header as it came; empty where the message was never on its way."""
    for one in element.iterfind(f"{{{TNS}}}ExtendedProperty"):
        return text(one, "Value")[:LARGEST_HEADER]
    return ""


def head(uid: int, element: Any, lines: bytes) -> MessageHead | None:
    """The record for the engine; None where Exchange does not say when the message came.

    The owner's own mark (Sensitivity) counts like the sender's.
    """
    received = moment(text(element, "DateTimeReceived")) or moment(text(element, "DateTimeCreated"))
    if received is None:
        return None
    sensitivity = SENSITIVITY.get(text(element, "Sensitivity"))
    if sensitivity is not None:
        lines += b"Sensitivity: %s\r\n" % sensitivity.encode()
    categories = element.iterfind(f"{{{TNS}}}Categories/{{{TNS}}}String")
    return MessageHead(
        uid=uid,
        size=size_of(element),
        received_at=received,
        keywords=frozenset(one.text for one in categories if one.text),
        header=lines + b"\r\n",
    )


def picked(header: str, fields: Sequence[str]) -> bytes:
    """The lines of the named fields, as they are, each with its folded lines."""
    wanted = {name.lower() for name in fields}
    kept: list[str] = []
    keeps = False
    for line in _BREAK.split(header):
        if line[:1] not in {" ", "\t"}:
            name = _FIELD.match(line)
            keeps = name is not None and name[1].lower() in wanted
        if keeps and line.strip():
            kept.append(line + "\r\n")
    return "".join(kept).encode("utf-8", "replace")


def composed(element: Any, fields: Sequence[str], own: str) -> bytes:
    """The lines of the named fields, of what Exchange knows of a message. Unknown fields are left out.

    `own` is the mailbox's address: it stands for an author whom Exchange tells by an X.500 name only, since
    what was never on its way was written here.
    """
    wanted = {name.lower() for name in fields}
    lines: list[str] = []
    for name, source in ADDRESSES.items():
        boxes = [_address(box) for box in element.iterfind(f"{{{TNS}}}{source}/{{{TNS}}}Mailbox")]
        if name == "From" and boxes and not any(boxes):
            boxes = [f"<{own}>"]
        lines.append(f"{name}: {', '.join(box for box in boxes if box)}" if any(boxes) else "")
    sent = moment(text(element, "DateTimeSent"))
    lines.append("" if sent is None else f"Date: {format_datetime(sent)}")
    subject = _one_line(text(element, "Subject"))
    lines.append(f"Subject: {_encoded(subject)}" if subject else "")
    for name, source in TEXTS.items():
        value = _one_line(text(element, source))
        lines.append(f"{name}: {value}" if value else "")
    kept = [line for line in lines if line and line.partition(":")[0].lower() in wanted]
    return "".join(f"{line}\r\n" for line in kept).encode("utf-8", "replace")


def _address(box: Any) -> str:
    """The mailbox in RFC 5322; empty where Exchange gives no address of the outside world (X.500)."""
    email, kind = _one_line(text(box, "EmailAddress")), text(box, "RoutingType")
    if "@" not in email or kind.upper() not in {"", "SMTP"}:
        return ""
    name = _one_line(text(box, "Name"))
    if not email.isascii():
        return f"<{email}>"
    return formataddr((name if name != email else "", email))


def _encoded(value: str) -> str:
    return value if value.isascii() else Header(value, "utf-8", maxlinelen=10_000).encode(linesep="")


def _one_line(value: str) -> str:
    return " ".join(value.split())
