"""What is left of a person in texts: found, and taken out of every column that can hold a text.

Columns are looked through by the tables' own description, so that a new table is not forgotten. What is left
out of it stands in `KEPT`, with its reason. Known are the spellings that people use: any case, first name
first or last, numbers with spaces, dots and dashes, with the country's code or without.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, String, Table, Text, and_, cast, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from store.ledger import chunked

MARK = "[erased]"
PAGE = 200  # rows changed together
SHORTEST = 6  # digits of a number; fewer are any number
PREFIX = r"(?:\+|00)?(?:\d{1,3})?[\s.\-/]*(?:\(0\)|0)?"
BETWEEN = r"[\s.\-/()]*"
NO_DIGITS = bytes(one for one in range(256) if not 48 <= one <= 57)  # noqa: PLR2004 - "0" to "9"
TWO_IN_ONE = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS",
                            "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"})  # fmt: skip
SPACE = r"(?:\s|&nbsp;|,)+"

IDENTIFIERS = frozenset({
    "uid", "remote_ref", "remote_id", "recurrence_key", "ext_id", "token", "token_hash", "version", "sha256",
    "digest", "fingerprint", "thread_key", "message_id", "in_reply_to", "references", "source", "dress",
    "history", "came_as", "precondition", "run_ref", "ref", "epoch", "state", "key", "path", "login",
})  # fmt: skip
"""Columns that identify a thing at a server or in a file; changed, they would not any more."""

KEPT: Mapping[str, tuple[frozenset[str], str]] = {
    "user": (frozenset(), "colleagues; an address or a name of theirs is not the person's"),
    "account": (frozenset({"comment"}), "a company's own name, addresses and numbers"),
    "contact": (frozenset({"comment"}), "others' own names, addresses and numbers"),
    "account_recommendation": (frozenset(), "advice on accounts"),
    "recommendation_declined": (frozenset(), "advice on accounts"),
    "recommendation_file": (frozenset(), "advice on accounts"),
    "recommendation_import": (frozenset(), "names of files"),
    "product": (frozenset(), "the catalogue"),
    "branch": (frozenset(), "from the config"),
    "tag": (frozenset(), "words for accounts"),
    "custom_field_def": (frozenset(), "from the config"),
    "field_setting": (frozenset(), "from the config"),
    "value_list_item": (frozenset(), "from the config"),
    "collection": (frozenset({"error"}), "folders and calendars of colleagues"),
    "mailbox": (frozenset({"brake", "attention", "last_error"}), "mailboxes of colleagues"),
}
"""Tables that are left out but for some columns, and why."""


@dataclass(frozen=True)
class Traces:
    """What a person is found by."""

    addresses: Collection[str]
    names: Collection[str]
    numbers: Collection[str]
    _pattern: re.Pattern[str] = field(init=False, repr=False)
    # What a text has that the pattern finds something in: the words of one of these,
    _words: tuple[frozenset[str], ...] = field(init=False, repr=False)
    # or one of these among its digits.
    _digits: frozenset[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = [rf"(?<![\w.+-]){re.escape(one)}(?![\w-]|\.\w)" for one in sorted(self.addresses)]
        for name in sorted(self.names):
            words = [_either(word) for word in _words(name)]
            turned = [words[-1], *words[:-1]]
            parts += [rf"(?<!\w){SPACE.join(order)}(?!\w)" for order in (words, turned)]
        for core in sorted(self.cores()):
            parts.append(rf"(?<![\w+]){PREFIX}{BETWEEN.join(core)}(?!\d)")
        object.__setattr__(self, "_pattern", re.compile("|".join(parts) or r"(?!)", re.IGNORECASE))
        called = [[one] for one in self.addresses] + [_words(one) for one in self.names]
        plain = tuple(frozenset(_folded(_rare(word)) for word in one) for one in called)
        object.__setattr__(self, "_words", plain)
        digits = frozenset(one.encode() if one.isascii() else b"" for one in self.cores())
        object.__setattr__(self, "_digits", digits)

    def _may_be_in(self, text: str) -> bool:
        """False only where the pattern finds nothing: it takes thirty times as long over a long text."""
        folded = _folded(text)
        if any(all(word in folded for word in words) for words in self._words):
            return True
        digits = folded.encode("utf-8", "surrogatepass").translate(None, NO_DIGITS) if self._digits else b""
        return any(one in digits for one in self._digits)

    def cores(self) -> set[str]:
        """The digits that every spelling of a number has: those without the country's code and the 0."""
        found = set()
        for one in self.numbers:
            digits = "".join(ch for ch in one if ch.isdecimal())
            if one.startswith("+"):
                digits = national(one) or digits
            digits = digits.removeprefix("00").lstrip("0")
            if len(digits) >= SHORTEST:
                found.add(digits)
        # Of "33612345678" and "612345678" the shorter one finds both.
        return {one for one in found if not any(one != other and one.endswith(other) for other in found)}

    def inside(self, text: str) -> bool:
        """Whether the text names the person."""
        return self._may_be_in(text) and self._pattern.search(text) is not None

    def clean(self, text: str) -> str:
        """The text without the person."""
        return self._pattern.sub(MARK, text) if self._may_be_in(text) else text

    def clean_json(self, value: Any) -> Any:
        """The same of what JSON holds."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, list):
            return [self.clean_json(one) for one in value]
        if isinstance(value, dict):
            return {self.clean(str(key)): self.clean_json(one) for key, one in value.items()}
        return value

    def clean_written(self, text: str) -> str:
        """The same of a text that may be JSON, where letters may stand as \\u00e9."""
        if "\\u" in text and text[:1] in "{[":
            try:
                loaded = json.loads(text)
            except ValueError:
                return self.clean(text)
            left = self.clean_json(loaded)
            return text if left == loaded else json.dumps(left, sort_keys=True, separators=(",", ":"))
        return self.clean(text)

    def likes(self) -> list[str]:
        """Patterns of LIKE, one of which is met by every text that names the person. They may meet others."""
        found: dict[str, None] = {}
        for one in self.addresses:
            found[f"%{_rare(one)}%"] = None
        for name in self.names:
            words = _words(name)
            if not any(map(_rare, words)):
                found.update((f"%{one}%", None) for one in _spelt(max(words, key=len)))
                continue
            found["%" + "%".join(_rare(word) for word in words) + "%"] = None
            found["%" + "%".join(_rare(word) for word in (words[-1], *words[:-1])) + "%"] = None
        for core in self.cores():
            found["%" + "%".join(core) + "%"] = None
        return [one for one in found if one.strip("%")]


def national(number: str) -> str:
    """The digits of an international number behind the country's code; empty where it is none."""
    import phonenumbers  # brings every country's numbers with it

    try:
        return str(phonenumbers.parse(number, None).national_number)
    except phonenumbers.NumberParseException:
        return ""


def _words(name: str) -> list[str]:
    return unicodedata.normalize("NFC", name).replace(",", " ").split()


def _either(word: str) -> str:
    """A pattern for the word with its accents, however they are put, or without: QUEVREUX for Quévreux."""
    return "".join(
        re.escape(one) if one == (bare := plain(one))
        else f"(?:{re.escape(unicodedata.normalize('NFD', one))}|{re.escape(one)}|{re.escape(bare)})"
        for one in word
    )  # fmt: skip


def plain(text: str) -> str:
    """The text without accents and without letters that are two in one."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text.translate(TWO_IN_ONE))
    return unicodedata.normalize("NFC", "".join(one for one in decomposed if not unicodedata.combining(one)))


def _rare(word: str) -> str:
    """The longest run of plain letters: LIKE knows the case of no other, and JSON may escape them."""
    runs = re.findall(r"[A-Za-z0-9@.+-]+", word)
    return max(runs, key=len, default="")


def _folded(text: str) -> str:
    """The text so that what `re.IGNORECASE` takes for the same letter is one."""
    return text.casefold().replace("\u0131", "i").replace("\u0307", "")


def _spelt(word: str) -> list[str]:
    """A word without plain letters as texts and JSON may have it, since LIKE does not know its case."""
    forms = [*(unicodedata.normalize(form, word) for form in ("NFC", "NFD")), plain(word)]
    cased = [one for form in forms for one in (form, form.lower(), form.upper(), form.capitalize())]
    return [one.replace("\\", "_") for plain in cased for one in (plain, json.dumps(plain)[1:-1])]


@cache
def columns(table: Table) -> list[Column[Any]]:
    """The columns of a table that are looked through."""
    but, _ = KEPT.get(table.name, (None, ""))
    return [
        one
        for one in table.columns
        if _holds_text(one) and not one.primary_key and one.computed is None
        and (one.name in but if but is not None else one.name not in IDENTIFIERS)
    ]  # fmt: skip


def _holds_text(column: Column[Any]) -> bool:
    kind = column.type
    if isinstance(kind, TypeDecorator):
        return False  # enums, exact numbers
    return isinstance(kind, String | JSON) and not column.foreign_keys


def condition(column: Column[Any], traces: Traces) -> ColumnElement[bool]:
    """Rows whose column may name the person."""
    text = cast(column, Text) if isinstance(column.type, JSON) else column
    return or_(*(text.ilike(one) for one in traces.likes()))


def found(session: Session, table: Table, traces: Traces) -> Iterator[list[Mapping[str, Any]]]:
    """The rows of a table that may name the person, by pages: primary key and looked-through columns."""
    own = columns(table)
    if not own or not traces.likes():
        return
    keys = list(table.primary_key.columns)
    which = select(*keys).where(or_(*(condition(one, traces) for one in own)))
    every = [tuple(row) for row in session.execute(which)]
    for part in chunked(every, PAGE):
        here = (
            keys[0].in_([row[0] for row in part])
            if len(keys) == 1
            else or_(*(and_(*(k == v for k, v in zip(keys, row, strict=True))) for row in part))
        )
        yield [dict(row) for row in session.execute(select(*keys, *own).where(here)).mappings()]


def sweep(session: Session, traces: Traces, tables: Sequence[Table]) -> dict[str, list[tuple[Any, ...]]]:
    """Takes the person out of all texts; returns the primary keys of the rows that changed, by table."""
    changed: dict[str, list[tuple[Any, ...]]] = {}
    for table in tables:
        keys = list(table.primary_key.columns)
        for page in found(session, table, traces):
            for row in page:
                values = cleaned(table, row, traces)
                if not values:
                    continue
                if {"version", "updated_at"} <= set(table.columns.keys()) and table.name != "mailbox":
                    values["version"] = table.c.version + 1
                mine = and_(*(key == row[key.name] for key in keys))
                session.execute(update(table).where(mine).values(values))
                changed.setdefault(table.name, []).append(tuple(row[key.name] for key in keys))
    return changed


def cleaned(table: Table, row: Mapping[str, Any], traces: Traces) -> dict[str, Any]:
    """The columns that name the person, without it."""
    values: dict[str, Any] = {}
    for column in columns(table):
        before = row[column.name]
        if before is None:
            continue
        if isinstance(column.type, JSON):
            after = traces.clean_json(before)
        else:
            after = traces.clean_written(before)[: getattr(column.type, "length", None)]
        if after != before:
            values[column.name] = after
    return values
