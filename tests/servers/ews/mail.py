"""What Exchange derives from the bytes of a message, on demand: nothing of it is kept in memory."""

import base64
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from xml.etree.ElementTree import Element

from tests.servers.ews.xmlwork import stamp, typed, yes_no

DERIVED = {
    "MimeContent", "Subject", "Body", "TextBody", "Attachments", "Size", "InReplyTo",
    "InternetMessageHeaders",
    "DateTimeSent", "DisplayTo", "DisplayCc", "HasAttachments", "Sensitivity", "Importance", "Sender",
    "ToRecipients", "CcRecipients", "BccRecipients", "From", "InternetMessageId", "References", "ReplyTo",
    "ConversationTopic",
}  # fmt: skip
_SENSITIVITY = {"personal": "Personal", "private": "Private", "company-confidential": "Confidential"}


def derived(mime: bytes, names: set[str], body_type: str) -> dict[str, Element]:
    """The wanted properties that the message has. `body_type` is Best, HTML or Text."""
    found: dict[str, Element] = {}
    headers = headers_of(mime)
    if "MimeContent" in names:
        found["MimeContent"] = typed("MimeContent", base64.b64encode(mime).decode(), CharacterSet="UTF-8")
    if "Size" in names:
        found["Size"] = typed("Size", str(len(mime)))
    simple = {
        "Subject": "Subject", "InReplyTo": "In-Reply-To", "InternetMessageId": "Message-ID",
        "References": "References", "ConversationTopic": "Subject",
    }  # fmt: skip
    for name, header in simple.items():
        if name in names and header in headers:
            found[name] = typed(name, read(headers[header]))
    if names & _ADDRESSED:
        _addresses(headers, names, found)
    if "InternetMessageHeaders" in names and headers.items():
        lines = [typed("InternetMessageHeader", read(v), HeaderName=k) for k, v in headers.items()]
        found["InternetMessageHeaders"] = typed("InternetMessageHeaders", lines)
    if "DateTimeSent" in names:
        sent = sent_at(headers)
        if sent is not None:
            found["DateTimeSent"] = typed("DateTimeSent", stamp(sent))
    if "Sensitivity" in names:
        told = str(headers.get("Sensitivity", "")).strip().lower()
        found["Sensitivity"] = typed("Sensitivity", _SENSITIVITY.get(told, "Normal"))
    if "Importance" in names:
        told = str(headers.get("Importance", "normal")).strip().capitalize()
        found["Importance"] = typed("Importance", told if told in {"Low", "High"} else "Normal")
    if names & {"Body", "TextBody", "HasAttachments", "Attachments"}:
        _parts(mime, names, body_type, found)
    return found


_ADDRESSED = {
    "Sender", "From", "ToRecipients", "CcRecipients", "BccRecipients", "ReplyTo", "DisplayTo", "DisplayCc",
}  # fmt: skip


def headers_of(mime: bytes) -> Message:
    """The headers alone; the rest is not looked at."""
    ends = [end for end in (mime.find(b"\r\n\r\n"), mime.find(b"\n\n")) if end >= 0]
    head = mime[: min(ends)] if ends else mime
    return BytesHeaderParser(policy=policy.compat32).parsebytes(head + b"\r\n\r\n")


def _addresses(headers: Message, names: set[str], found: dict[str, Element]) -> None:
    for name, header in {"From": "From", "Sender": "Sender"}.items():
        boxes = _mailboxes(headers, header) or (_mailboxes(headers, "From") if name == "Sender" else [])
        if name in names and boxes:
            found[name] = typed(name, boxes[:1])
    for name, header in {
        "ToRecipients": "To",
        "CcRecipients": "Cc",
        "BccRecipients": "Bcc",
        "ReplyTo": "Reply-To",
    }.items():
        boxes = _mailboxes(headers, header) if name in names else []
        if boxes:
            found[name] = typed(name, boxes)
    for name, header in {"DisplayTo": "To", "DisplayCc": "Cc"}.items():
        if name in names:
            shown = [box[0].text or "" for box in _mailboxes(headers, header)]
            found[name] = typed(name, "; ".join(shown))


def _mailboxes(headers: Message, header: str) -> list[Element]:
    values = [read(value) for value in headers.get_all(header, [])]
    return [mailbox(name, address) for name, address in getaddresses(values) if address]


def mailbox(name: str, address: str) -> Element:
    """A Mailbox element."""
    parts = [typed("Name", name or address), typed("EmailAddress", address), typed("RoutingType", "SMTP")]
    return typed("Mailbox", parts)


def read(value: object) -> str:
    """A header as text, unfolded and decoded."""
    text = str(value).replace("\r", "").replace("\n", "")
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, UnicodeError, MessageError, ValueError):
        return text.encode("ascii", "replace").decode()


def sent_at(headers: Message) -> datetime | None:
    """The message's date in UTC, None where it has none that can be read."""
    try:
        sent = parsedate_to_datetime(str(headers.get("Date", "")))
        return (sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _parts(mime: bytes, names: set[str], body_type: str, found: dict[str, Element]) -> None:
    message = BytesParser(policy=policy.compat32).parsebytes(mime)
    attachments = [part for part in message.walk() if _is_attachment(part)]
    if "HasAttachments" in names:
        found["HasAttachments"] = typed("HasAttachments", yes_no(bool(attachments)))
    if "Attachments" in names and attachments:
        listed = [_attachment(number, part) for number, part in enumerate(attachments)]
        found["Attachments"] = typed("Attachments", listed)
    texts = {
        part.get_content_type(): part
        for part in reversed(list(message.walk()))
        if not part.is_multipart() and part.get_content_maintype() == "text" and not _is_attachment(part)
    }
    plain, html = texts.get("text/plain"), texts.get("text/html")
    if "Body" in names:
        wanted = html if html is not None and body_type != "Text" else plain
        shown = wanted if wanted is not None else html
        kind = "HTML" if shown is html and html is not None and body_type != "Text" else "Text"
        found["Body"] = typed("Body", _decoded(shown), BodyType=kind)
    if "TextBody" in names:
        found["TextBody"] = typed("TextBody", _decoded(plain if plain is not None else html), BodyType="Text")


def _is_attachment(part: Message) -> bool:
    if part.is_multipart():
        return False
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def _attachment(number: int, part: Message) -> Element:
    content = part.get_payload(decode=True)
    size = len(content) if isinstance(content, bytes) else 0
    return typed(
        "FileAttachment",
        [
            typed("AttachmentId", Id=f"attachment-{number}"),
            typed("Name", read(part.get_filename() or f"attachment-{number}")),
            typed("ContentType", part.get_content_type()),
            typed("Size", str(size)),
            typed("IsInline", yes_no(part.get_content_disposition() == "inline")),
        ],
    )


def _decoded(part: Message | None) -> str:
    if part is None:
        return ""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    charset = part.get_content_charset() or "utf-8"
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return content.decode("latin-1")
