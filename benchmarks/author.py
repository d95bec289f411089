"""Who writes what to whom in the benchmark's mailbox. Pure: gives messages, writes no file.

Oldest first, over two and a half years. The share of each kind of message, of replies, files, charsets
and transfer encodings stands in the constants below.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import Enum
from typing import TypeVar

from benchmarks import mimewriter, phrases
from benchmarks.mimewriter import Document
from benchmarks.phrases import Language, Person

START = datetime(2024, 1, 2, 7, tzinfo=UTC)
END = datetime(2026, 6, 30, 18, tzinfo=UTC)
OWN_DOMAIN = "acme.example"

_SENT = 0.38  # of the mail with customers and colleagues
_REPLY = 0.6
_FILES = 0.2  # of what is no newsletter: 15 % of all
_SHARED = 0.15  # of the files: a document that goes out to everyone
_LOGO = 0.3  # of the mails with files: the company's logo as an inline image, if they have HTML
_FILE_MEDIAN, _FILE_SIGMA, _FILE_LARGEST = 40_000, 1.2, 7_000_000  # octets, log-normal
_STYLE = "".join(
    f"p.Mso{kind}, li.Mso{kind}, div.Mso{kind}\n\t{{margin:0cm;\n\tfont-size:11.0pt;\n\t"
    f'font-family:"Calibri",sans-serif;\n\tmso-fareast-language:EN-US;}}\n'
    for kind in ("Normal", "PlainText", "ListParagraph", "Footer", "Header", "Title", "Quote", "Caption")
)
_CELL = (
    'style="padding:12px 24px 12px 24px;font-family:Arial,Helvetica,sans-serif;font-size:15px;'
    'line-height:22px;color:#333333;mso-line-height-rule:exactly;"'
)


T = TypeVar("T")


class Kind(Enum):
    """Who is on the other side."""

    CUSTOMER = "customer"
    COLLEAGUE = "colleague"
    NEWSLETTER = "newsletter"
    STRANGER = "stranger"


_KINDS = {Kind.CUSTOMER: 45, Kind.COLLEAGUE: 20, Kind.NEWSLETTER: 25, Kind.STRANGER: 10}
_CHARSETS = {"utf-8": 60, "iso-8859-1": 20, "windows-1252": 20}
_ENCODINGS = {"quoted-printable": 50, "8bit": 25, "base64": 15, "7bit": 10}
_FORMS = {"plain": 35, "alternative": 50, "html": 15}
_FILE_KINDS = {"pdf": 50, "docx": 25, "png": 25}
_HEADER_ENCODINGS = {"q": 55, "b": 42, "raw": 3}


@dataclass(slots=True)
class Draft:
    """What is known of a message when its bytes are ready."""

    kind: Kind
    sent: bool
    other: Person
    date: datetime
    message_id: str  # without angle brackets
    charset: str
    encoding: str  # Content-Transfer-Encoding of its texts
    header_encoding: str  # "q", "b", or "raw": accents as they are, which RFC 5322 forbids
    subject: str = ""
    cc: list[Person] = field(default_factory=list)
    reply_to: str = ""
    references: list[str] = field(default_factory=list)
    files: int = 0

    @property
    def counterparts(self) -> tuple[str, ...]:
        """The addresses that decide whether it is logged: table T5, rows 3 and 4."""
        if self.sent:
            addresses = [self.other.email, *(person.email for person in self.cc)]
        else:
            addresses = [self.other.email, self.reply_to]
        return tuple(dict.fromkeys(address for address in addresses if address))


@dataclass(slots=True)
class _Thread:
    subject: str
    references: list[str] = field(default_factory=list)
    quote: list[str] = field(default_factory=list)  # paragraphs said so far, newest first, with their ">"


class Author:
    """Writes `count` messages of the mailbox of `user`."""

    def __init__(self, count: int, seed: int, user: str) -> None:
        self._count = count
        self._rng = random.Random(seed)
        self._user = Person("Claire", "Dupont-Noël", user, "Acme", Language.FRENCH)
        self._library = phrases.Library(self._rng)
        self._cast = _cast(self._rng, count)
        self._threads: dict[str, _Thread] = {}
        self._logo = mimewriter.document(self._rng, "image001", "png", 11_000)
        self._shared = [
            mimewriter.document(self._rng, title, "pdf", size)
            for title, size in (
                ("Liste de prix 2026", 310_000),
                ("Conditions générales", 92_000),
                ("Plaquette", 540_000),
            )
        ]

    def people(self) -> dict[str, Person]:
        """Everyone by address: customers, strangers, newsletters, colleagues, busy and quiet ones mixed."""
        order = (Kind.CUSTOMER, Kind.STRANGER, Kind.NEWSLETTER, Kind.COLLEAGUE)
        shuffled = {
            kind: random.Random(kind.value).sample(cast, len(cast)) for kind, cast in self._cast.items()
        }
        return {person.email: person for kind in order for person in shuffled[kind]}

    def messages(self) -> Iterator[tuple[Draft, bytes]]:
        """The messages, oldest first, each with its bytes (lines end in LF)."""
        step = (END - START) / max(self._count, 1)
        for number in range(self._count):
            draft = self._draft(number, (START + number * step).replace(microsecond=0))
            body = self._newsletter(draft) if draft.kind is Kind.NEWSLETTER else self._letter(draft)
            yield draft, self._header(draft) + body

    def _pick(self, weights: dict[T, int]) -> T:
        return self._rng.choices(list(weights), list(weights.values()))[0]

    def _draft(self, number: int, date: datetime) -> Draft:
        kind = self._pick(_KINDS)
        cast = self._cast[kind]
        # A few correspondents write much, most write little.
        other = cast[int(len(cast) * self._rng.random() ** (1 if kind is Kind.STRANGER else 2))]
        sent = kind in (Kind.CUSTOMER, Kind.COLLEAGUE) and self._rng.random() < _SENT
        domain = OWN_DOMAIN if sent else other.email.rpartition("@")[2]
        draft = Draft(
            kind=kind,
            sent=sent,
            other=other,
            date=date,
            message_id=f"{number:06d}.{self._rng.getrandbits(48):012x}@{domain}",
            charset=self._pick(_CHARSETS),
            encoding=self._pick(_ENCODINGS),
            header_encoding=self._pick(_HEADER_ENCODINGS),
        )
        if sent and self._rng.random() < 0.25:
            beside = self._rng.choice([Kind.COLLEAGUE, Kind.CUSTOMER])
            draft.cc.append(self._rng.choice(self._cast[beside]))
        if kind is Kind.NEWSLETTER and self._rng.random() < 0.3:
            draft.reply_to = other.email.replace("news@", "reply@", 1)
        return draft

    def _letter(self, draft: Draft) -> bytes:
        """A mail that a person wrote: the next of its thread, or the first of a new one."""
        rng, language = self._rng, draft.other.language
        thread = self._threads.get(draft.other.email)
        if thread is None or rng.random() > _REPLY:
            thread = self._threads[draft.other.email] = _Thread(phrases.subject(rng, language))
        draft.subject = "Re: " + thread.subject if thread.references else thread.subject
        draft.references = thread.references[-12:]
        writer, reader = (self._user, draft.other) if draft.sent else (draft.other, self._user)
        said = [
            phrases.GREETING[language].format(name=reader.first),
            *self._library.paragraphs(language, min(1 + int(rng.expovariate(0.5)), 12)),
            f"{phrases.CLOSING[language]}\n{writer.first} {writer.last}\n{writer.company} - {writer.email}",
        ]
        said_by = phrases.REPLY_LINE[language].format(day=draft.date.date(), name=reader.first)
        quote = [said_by, *thread.quote] if thread.quote else []
        files = self._files() if rng.random() < _FILES else []
        body = self._body(draft, said, quote, files)
        thread.references.append(draft.message_id)
        thread.quote = ["> " + part.replace("\n", "\n> ") for part in (*said, *thread.quote)][:11]
        return body

    def _body(self, draft: Draft, said: list[str], quote: list[str], files: list[Document]) -> bytes:
        form = self._pick(_FORMS)
        logo = bool(files) and form != "plain" and self._rng.random() < _LOGO
        if logo and self._rng.random() < 0.5:
            files = files[1:]  # the logo is all there is
        draft.files = len(files) + logo
        mark = f"{self._rng.getrandbits(64):016x}"
        texts = []
        if form != "html":
            texts.append(self._text(draft, "\n\n".join((*said, *quote)) + "\n", "plain"))
        if form != "plain":
            page = self._text(draft, _page(said, quote, mark if logo else ""), "html")
            if logo:
                picture = mimewriter.file_part(self._logo, content_id=f"logo@{mark}")
                page = mimewriter.multipart("related", f"=_rel_{mark}", [page, picture])
            texts.append(page)
        body = texts[0] if len(texts) == 1 else mimewriter.multipart("alternative", f"=_alt_{mark}", texts)
        if files:
            parts = [body, *(mimewriter.file_part(file) for file in files)]
            body = mimewriter.multipart("mixed", f"----=_NextPart_{mark}", parts)
        return body

    def _text(self, draft: Draft, text: str, subtype: str) -> bytes:
        if draft.encoding == "7bit":
            return mimewriter.text_part(phrases.fold(text), subtype, "us-ascii", "7bit")
        return mimewriter.text_part(text, subtype, draft.charset, draft.encoding)

    def _files(self) -> list[Document]:
        rng = self._rng
        files = []
        for _ in range(rng.choices([1, 2, 3], [75, 18, 7])[0]):
            if rng.random() < _SHARED:
                files.append(rng.choice(self._shared))
            else:
                size = min(int(_FILE_MEDIAN * rng.lognormvariate(0, _FILE_SIGMA)), _FILE_LARGEST)
                title = phrases.subject(rng, rng.choice(list(Language)))
                files.append(mimewriter.document(rng, title, self._pick(_FILE_KINDS), size))
        return files

    def _newsletter(self, draft: Draft) -> bytes:
        rng, language = self._rng, draft.other.language
        draft.subject = phrases.subject(rng, language)
        blocks = self._library.paragraphs(language, rng.randint(6, 34))
        link = f"https://click.{draft.other.email.rpartition('@')[2]}/c"
        rows = "\n".join(
            f"<tr><td {_CELL}><h2 {_CELL}>{block.partition(' ')[0]}</h2>{block}<br>\n"
            f'<a href="{link}/{rng.getrandbits(320):080x}" {_CELL}>&rarr; {draft.other.company}</a></td></tr>'
            for block in blocks
        )
        table = f'<table width="600" align="center" role="presentation">\n{rows}\n</table>'
        page = f"<html><body>{table}</body></html>\n"
        html = self._text(draft, page, "html")
        if rng.random() < 0.6:
            return html
        plain = self._text(draft, "\n\n".join(blocks) + "\n", "plain")
        return mimewriter.multipart("alternative", f"_{rng.getrandbits(64):016x}_", [plain, html])

    def _header(self, draft: Draft) -> bytes:
        other, user = self._name(draft, draft.other), self._name(draft, self._user)
        lines = self._trace(draft) if not draft.sent else []
        lines += [f"From: {user if draft.sent else other}", f"To: {other if draft.sent else user}"]
        if draft.cc:
            lines.append("Cc: " + ",\n ".join(self._name(draft, person) for person in draft.cc))
        lines += [f"Subject: {self._words(draft, draft.subject)}", f"Date: {format_datetime(draft.date)}"]
        lines.append(f"Message-ID: <{draft.message_id}>")
        if draft.references:
            lines.append(f"In-Reply-To: <{draft.references[-1]}>")
            lines.append("References: " + "\n ".join(f"<{reference}>" for reference in draft.references))
        if draft.kind is Kind.NEWSLETTER:
            domain = draft.other.email.rpartition("@")[2]
            lines.append(f"List-Unsubscribe: <https://{domain}/u/{self._rng.getrandbits(128):032x}>")
            lines += ["List-Unsubscribe-Post: List-Unsubscribe=One-Click", "Precedence: bulk"]
        if draft.reply_to:
            lines.append(f"Reply-To: {draft.reply_to}")
        lines += ["MIME-Version: 1.0", "X-Mailer: Courier des affaires 16.0", ""]
        return mimewriter.encode_text("\n".join(lines), draft.charset)

    def _trace(self, draft: Draft) -> list[str]:
        """What servers put on top on the way in."""
        domain, date, rng = draft.other.email.rpartition("@")[2], format_datetime(draft.date), self._rng
        lines = [f"Return-Path: <{draft.other.email}>", f"Delivered-To: {self._user.email}"]
        lines += [
            f"Received: from mail{hop}.{domain} (mail{hop}.{domain} [192.0.2.{rng.randrange(1, 255)}])\n"
            f"\tby mx{hop}.{OWN_DOMAIN} (Postfix) with ESMTPS id {rng.getrandbits(48):012X}\n"
            f"\tfor <{self._user.email}>; {date}"
            for hop in range(rng.randint(1, 3))
        ]
        if draft.kind is not Kind.COLLEAGUE:
            signature = mimewriter.folded_base64(rng.randbytes(256))
            lines.append(
                f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=mail;\n"
                f"\th=From:To:Subject:Date:Message-ID:MIME-Version:Content-Type;\n\tb={signature}"
            )
        return lines

    def _name(self, draft: Draft, person: Person) -> str:
        return f"{self._words(draft, f'{person.first} {person.last}')} <{person.email}>"

    def _words(self, draft: Draft, text: str) -> str:
        if draft.header_encoding == "raw":
            return text
        return mimewriter.encoded_words(text, draft.charset, draft.header_encoding)


def _page(said: list[str], quote: list[str], logo: str) -> str:
    """The HTML that a word processor makes of a letter."""

    def paragraphs(parts: list[str]) -> str:
        return "".join(
            "<p class=MsoNormal><span style='font-family:\"Calibri\",sans-serif;color:#1F497D'>"
            f"{part.lstrip('> ').replace(chr(10) + '> ', '<br>' + chr(10))}<o:p></o:p></span></p>\n"
            for part in parts
        )

    image = f'<img width=120 height=40 src="cid:logo@{logo}" alt="Acme">\n' if logo else ""
    cited = f'<blockquote type="cite">\n{paragraphs(quote)}</blockquote>\n' if quote else ""
    return (
        f"<html>\n<head>\n<style><!--\n{_STYLE}--></style>\n</head>\n<body lang=FR>\n"
        f"{paragraphs(said)}{image}{cited}</body>\n</html>\n"
    )


def _cast(rng: random.Random, count: int) -> dict[Kind, list[Person]]:
    """Everyone who writes or is written to, by kind, addresses unique."""
    companies = [
        f"{rng.choice(phrases.TRADE)} {rng.choice(phrases.PLACE)} {number}"
        for number in range(count // 100 + 3)
    ]
    taken: set[str] = set()

    def person(company: str, domain: str) -> Person:
        language = rng.choice(list(Language))
        first, last = rng.choice(phrases.FIRST[language]), rng.choice(phrases.LAST[language])
        local = f"{phrases.slug(first)}.{phrases.slug(last)}"
        while f"{local}@{domain}" in taken:
            local += str(rng.randrange(10))
        taken.add(f"{local}@{domain}")
        return Person(first, last, f"{local}@{domain}", company, language)

    def customer() -> Person:
        company = rng.choice(companies)
        return person(company, f"{phrases.slug(company)}.example")

    def newsletter(number: int) -> Person:
        name = f"{rng.choice(phrases.TRADE)} Infos {number}"
        return Person(
            "La Lettre", name, f"news@{phrases.slug(name)}.example", name, rng.choice(list(Language))
        )

    return {
        Kind.CUSTOMER: [customer() for _ in range(count // 30 + 3)],
        Kind.COLLEAGUE: [person("Acme", OWN_DOMAIN) for _ in range(count // 500 + 3)],
        Kind.NEWSLETTER: [newsletter(number) for number in range(count // 330 + 3)],
        Kind.STRANGER: [person("", f"poste{rng.randrange(9)}.example") for _ in range(count // 12 + 8)],
    }
