"""Bytes of a mail to a Message, for every source of mail.

Whatever a stranger sends gives a message: what is broken is repaired and said in `defects`, what cannot
be shown is kept as an attachment, and nothing is lost. Time is linear and memory bounded (text is capped,
attachments are decoded piece by piece). Bodies are chosen as RFC 8621 §4.1.4 does.
"""

import html as markup
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from urllib.parse import unquote

from connectors.charsets import decode_text, keeps_ascii
from connectors.elide import (
    Block,
    Source,
    decoded,
    guess_boundary,
    read_block,
    split_parts,
)
from connectors.errors import ItemError
from connectors.filenames import NAMELESS, file_name, made_up_name
from connectors.headers import (
    decode_value,
    raw_text,
    read_addresses,
    read_date,
    read_message_id,
    read_message_ids,
)
from connectors.html import bounded, sanitise, sanitised_to_text, without_large_data
from connectors.model import Address, Attachment, Envelope, Message
from connectors.parameters import parameters

TEXT_LIMIT = 2 << 20  # octets of plain text that are kept as text
HTML_LIMIT = 1 << 20  # octets of HTML, images inside it left out
DEPTH_LIMIT = 50
PARTS_LIMIT = 25_000
_HEADERS_LIMIT = 500
_VALUE_LIMIT = 64 << 10


def read_envelope(header: bytes, keep: Container[str] | None = None) -> Envelope:
    """The decoded header fields of a header block, whole or only the lines that were asked for.

    `keep` names the fields, in lower case, that go into `Envelope.headers`; None = all of them.
    """
    return _envelope(read_block(Source(header), 0, len(header)).fields, keep)


def read_message(content: memoryview | bytes, envelope: Envelope | None = None) -> Message:
    """The mail. Its attachments read from `content`, which must live as long as they are used.

    An `envelope` that was read from the header before is taken as it is, instead of reading it again.
    Raises ItemError for an empty message, with an empty locator: the caller knows where it came from.
    """
    source = Source(content)
    block = read_block(source, 0, source.size)
    if not block.fields and not any(window.strip() for window in source.windows(0, source.size)):
        raise ItemError("the message is empty: look at it in the mailbox", locator="")
    if envelope is None:
        envelope = _envelope(block.fields, None)
    reader = _Reader(source)
    reader.note(*block.defects, *_header_defects(block.fields))
    return reader.message(envelope, _part(block, 0, source.size, "text/plain"))


# --- the envelope -------------------------------------------------------------------------------------


def _envelope(fields: list[tuple[str, bytes]], keep: Container[str] | None) -> Envelope:
    first = dict(reversed(fields))
    message_id = first.get("message-id")
    date = first.get("date")
    return Envelope(
        message_id=read_message_id(message_id) if message_id is not None else None,
        date=read_date(date) if date is not None else None,
        subject=decode_value(first.get("subject", b"")[:_VALUE_LIMIT]),
        sender=tuple(read_addresses(first["from"])) if "from" in first else (),
        reply_to=_all_addresses(fields, first, "reply-to"),
        to=_all_addresses(fields, first, "to"),
        cc=_all_addresses(fields, first, "cc"),
        bcc=_all_addresses(fields, first, "bcc"),
        in_reply_to=read_message_ids(first["in-reply-to"]) if "in-reply-to" in first else (),
        references=read_message_ids(first["references"]) if "references" in first else (),
        headers=tuple(
            [
                (n, decode_value(v[:_VALUE_LIMIT])[:_VALUE_LIMIT])
                for n, v in fields[:_HEADERS_LIMIT]
                if keep is None or n in keep
            ]
        ),
    )


def _all_addresses(
    fields: list[tuple[str, bytes]], first: Mapping[str, bytes], name: str
) -> tuple[Address, ...]:
    if name not in first:
        return ()
    return tuple([address for n, value in fields if n == name for address in read_addresses(value)])


_ONCE = ("message-id", "date", "from", "subject")


def _header_defects(fields: list[tuple[str, bytes]]) -> Iterator[str]:
    names = [name for name, _ in fields]
    for name in _ONCE:
        count = names.count(name)
        if count > 1:
            yield f"more than one {name} field: the first one was taken"
        elif not count and name != "subject":
            yield f"no {name} field"


# --- one part -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Part:
    """A part before it is decided what becomes of it."""

    mime: str
    charset: str
    boundary: bytes
    disposition: str
    name: str  # as declared
    encoding: str
    content_id: str
    start: int  # of its header
    body: int
    end: int

    @property
    def is_file(self) -> bool:
        return self.disposition == "attachment" or bool(self.name)


_MIME = re.compile(r"\s*([a-z0-9!#$&^_.+-]{1,80})\s*/\s*([a-z0-9!#$&^_.+-]{1,80})(?:$|[\s;(])", re.IGNORECASE)
_TOKEN = re.compile(r"[^\s;()\"']+")


def _part(block: Block, start: int, end: int, default: str) -> _Part:
    first = dict(reversed(block.fields))
    mime, charset, boundary, name = default, "", b"", ""
    if "content-type" in first:
        mime, charset, boundary, name = _content_type(first["content-type"][:_VALUE_LIMIT])
    disposition = ""
    if "content-disposition" in first:
        disposition, given = _disposition(first["content-disposition"][:_VALUE_LIMIT])
        name = given or name
    encoding = _TOKEN.search(raw_text(first.get("content-transfer-encoding", b"")[:100]))
    content_id = first.get("content-id")
    return _Part(
        mime=mime,
        charset=charset,
        boundary=boundary,
        disposition=disposition,
        name=name,
        encoding=encoding[0].lower() if encoding else "",
        content_id=(read_message_id(content_id) or "") if content_id else "",
        start=start,
        body=block.body,
        end=end,
    )


def _content_type(raw: bytes) -> tuple[str, str, bytes, str]:
    return _short_content_type(raw) if len(raw) < 512 else _read_content_type(raw)  # noqa: PLR2004


def _read_content_type(raw: bytes) -> tuple[str, str, bytes, str]:
    """Type, charset, boundary and name. What cannot be read is text/plain (RFC 2045 §5.2)."""
    value, given = parameters(raw_text(raw))
    found = _MIME.match(value + ";")
    mime = f"{found[1]}/{found[2]}".lower() if found else "text/plain"
    boundary = given.get("boundary", "").rstrip().encode("utf-8", "replace")
    return mime, given.get("charset", ""), boundary, given.get("name", "")


_short_content_type = lru_cache(maxsize=256)(_read_content_type)


def _disposition(raw: bytes) -> tuple[str, str]:
    value, given = parameters(raw_text(raw))
    return value.lower(), given.get("filename", "") or given.get("name", "")


# --- the whole ------------------------------------------------------------------------------------------


class _Reader:
    """Walks the parts of one message and decides what becomes of each."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._files: list[_Part] = []
        self._parts_left = PARTS_LIMIT
        self._left = {"text/plain": TEXT_LIMIT, "text/html": HTML_LIMIT}
        self._defects: dict[str, None] = {}

    def note(self, *defects: str) -> None:
        self._defects.update(dict.fromkeys(defects))

    def message(self, envelope: Envelope, root: _Part) -> Message:
        texts: list[_Part] = []
        htmls: list[_Part] = []
        if root.mime.startswith("text/") and not root.mime.endswith(_NOT_READ) and not root.is_file:
            root.mime = "text/plain"  # a mail that is text is to be read
        self._walk([root], "mixed", texts, htmls, in_alternative=False, depth=0)
        body_text, body_html, shown = self._bodies(texts, htmls)
        files = tuple([self._attachment(part, shown) for part in self._files])
        return Message(envelope, body_text, body_html, files, tuple(self._defects))

    def _walk(
        self,
        parts: Iterable[_Part],
        kind: str,
        texts: list[_Part] | None,
        htmls: list[_Part] | None,
        *,
        in_alternative: bool,
        depth: int,
    ) -> None:
        """RFC 8621 §4.1.4: `texts` and `htmls` are two ways to show the message, None where not wanted."""
        texts_before = len(texts) if texts is not None else 0
        htmls_before = len(htmls) if htmls is not None else 0
        for index, part in enumerate(parts):
            if part.mime.startswith("multipart/") and (ranges := self._ranges(part, depth)):
                subtype = part.mime.removeprefix("multipart/")
                self._walk(
                    self._children(ranges, subtype), subtype, texts, htmls,
                    in_alternative=in_alternative or subtype == "alternative", depth=depth + 1,
                )  # fmt: skip
                continue
            if not _is_body(part, index, kind):
                self._files.append(part)
                continue
            to_texts = to_htmls = True
            if kind == "alternative" or in_alternative:
                to_htmls = part.mime == "text/html"
                to_texts = not to_htmls
            if kind != "alternative":  # one of the ways to show the message consists of several parts
                texts = texts if to_texts else None
                htmls = htmls if to_htmls else None
            bodies = [b for b, wanted in ((texts, to_texts), (htmls, to_htmls)) if wanted and b is not None]
            for body in bodies:
                body.append(part)
            if not bodies and kind != "alternative":  # a mixture of both inside of one alternative
                self._files.append(part)
        if kind == "alternative" and texts is not None and htmls is not None:
            if len(texts) == texts_before:
                texts.extend(htmls[htmls_before:])
            elif len(htmls) == htmls_before:
                htmls.extend(texts[texts_before:])

    def _ranges(self, part: _Part, depth: int) -> list[tuple[int, int, bool]]:
        """Where the parts of a multipart lie; none where it has to stay whole."""
        source = self._source
        if depth >= DEPTH_LIMIT:
            self.note("nested too deep: what lies deeper is one attachment")
            part.mime, part.body, part.encoding, part.disposition = _MAIL, part.start, "", "attachment"
            return []
        boundary = part.boundary
        if not boundary:
            self.note("multipart without a boundary parameter")
            boundary = guess_boundary(source, part.body, part.end)
        ranges = list(islice(split_parts(source, part.body, part.end, boundary), self._parts_left + 1))
        if len(ranges) > self._parts_left:
            self.note("too many parts: the last ones are one attachment")
            rest = _Part(_UNKNOWN, "", b"", "attachment", "", "", "", ranges[-1][0], ranges[-1][0], part.end)
            self._files.append(rest)
            ranges.pop()
        self._parts_left -= len(ranges)
        if ranges and not ranges[-1][2]:
            self.note("multipart without its closing delimiter")
        if not ranges:
            self.note("multipart without parts")
            part.mime = "text/plain"
        return ranges

    def _children(self, ranges: list[tuple[int, int, bool]], subtype: str) -> Iterator[_Part]:
        default = _MAIL if subtype == "digest" else "text/plain"
        for start, end, _ in ranges:
            block = read_block(self._source, start, end)
            self.note(*block.defects)
            yield _part(block, start, end, default)

    def _bodies(self, texts: list[_Part], htmls: list[_Part]) -> tuple[str, str, frozenset[str]]:
        """The text, the sanitised HTML, and the Content-IDs that the HTML shows."""
        clean: dict[int, str] = {}  # by where the part begins, as `plain`
        plain: dict[int, str] = {}
        shown: set[str] = set()
        for part in htmls + texts:
            if part.start in clean or part.start in plain:
                continue
            if part.mime == "text/html":
                dirty = self._html(part)
                shown.update(unquote(each).strip("<>") for each in _CID.findall(dirty))
                clean[part.start] = sanitise(dirty)
            else:
                plain[part.start] = self._text(part)
        as_text = [plain[p.start] if p.start in plain else sanitised_to_text(clean[p.start]) for p in texts]
        as_html = [clean[p.start] if p.start in clean else _preformatted(plain[p.start]) for p in htmls]
        body_html = "\n".join(filter(None, as_html)) if any(p.start in clean for p in htmls) else ""
        return "\n".join(filter(None, as_text)), body_html, frozenset(shown - {""})

    def _html(self, part: _Part) -> str:
        html, complete = bounded(self._text(part))
        if not complete:
            self._keep_whole(part)
        return html

    def _text(self, part: _Part) -> str:
        raw, complete = self._octets(part)
        charset = part.charset
        if not charset and part.mime == "text/html" and (meta := _META.search(raw, 0, 2048)):
            charset = meta[1].decode("ascii")
        ascii_kept = keeps_ascii(charset)
        if not complete:
            self._keep_whole(part)
            raw = raw[: raw.rfind(b"\n") + 1 or None] if ascii_kept else raw
        if ascii_kept:
            raw = raw.translate(None, _CONTROLS).replace(b"\r\n", b"\n")
            text, faithful = decode_text(raw.replace(b"\r", b"\n"), charset)
        else:
            text, faithful = decode_text(raw, charset)
            text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_NO_CONTROLS)
        if not faithful:
            self.note("a charset that is missing, unknown or wrong")
        return text.removeprefix("\ufeff")

    def _octets(self, part: _Part) -> tuple[bytes, bool]:
        """What the part holds, up to what is left of the limit for its kind, and whether that is all."""
        left = self._left[part.mime]
        enough = 4 * left if part.mime == "text/html" else left  # images may be inside
        pieces: list[bytes] = []
        size = 0
        for piece in decoded(self._source, part.body, part.end, part.encoding):
            pieces.append(piece)
            size += len(piece)
            if size > enough:
                break
        raw = b"".join(pieces)
        if part.mime == "text/html":
            raw = without_large_data(raw)
        self._left[part.mime] -= min(len(raw), left)
        return raw[:left], size <= enough and len(raw) <= left

    def _keep_whole(self, part: _Part) -> None:
        self.note("text truncated: the whole of it is an attachment")
        if not any(part is each for each in self._files[-1:]):
            self._files.append(part)

    # What becomes a file

    def _attachment(self, part: _Part, shown: frozenset[str]) -> Attachment:
        picture = part.disposition == "inline" and part.mime.startswith("image/")
        return Attachment(
            name=file_name(part.name) or self._made_up_name(part),
            mime=part.mime,
            inline=picture or part.content_id in shown,
            chunks=partial(decoded, self._source, part.body, part.end, part.encoding),
        )

    def _made_up_name(self, part: _Part) -> str:
        if part.mime == _MAIL:
            head = b"".join(islice(decoded(self._source, part.body, part.end, part.encoding), 1))
            subject = dict(reversed(read_block(Source(head), 0, len(head)).fields)).get("subject", b"")
            text = decode_value(subject).replace("/", "-").replace("\\", "-")
            return file_name((text or NAMELESS) + ".eml")
        return made_up_name(part.mime)


_NOT_READ = ("html", "calendar", "vcard", "csv")
_UNKNOWN = "application/octet-stream"
_MAIL = "message/rfc822"
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r")) + b"\x7f"
_NO_CONTROLS = dict.fromkeys(_CONTROLS)
_CID = re.compile(r"cid:([^\"'\s>)]+)", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)


def _is_body(part: _Part, index: int, kind: str) -> bool:
    if part.mime not in {"text/plain", "text/html"} or part.disposition == "attachment":
        return False
    return index == 0 or (kind != "related" and not part.name)


def _preformatted(text: str) -> str:
    return f"<pre>{markup.escape(text, quote=False)}</pre>" if text else ""
