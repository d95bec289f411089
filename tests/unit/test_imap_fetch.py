"""FETCH answers to records: the quick way, the thorough way, and what neither can read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from connectors.imap.fetch import (
    Fetched,
    Part,
    internaldate,
    keywords,
    parse,
    parse_quickly,
    parse_thoroughly,
)

HEADER = b"From: a@example.org\r\n\r\n"
TAIL: Part = (b")", None)


def with_header(line: bytes, tail: Part = TAIL) -> list[Part]:
    return [(line % len(HEADER), HEADER), tail]


def test_the_usual_answer_is_read_quickly() -> None:
    parts = with_header(
        b'(UID 12 FLAGS (\\Seen $Private) INTERNALDATE "04-Mar-2026 05:06:07 +0100" RFC822.SIZE 345'
        b" BODY[HEADER.FIELDS (FROM)] {%d}"
    )
    expected = Fetched(
        uid=12,
        size=345,
        received_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=1))),
        keywords=frozenset({"\\Seen", "$Private"}),
        content=HEADER,
    )
    assert parse_quickly(parts) == expected
    assert parse_thoroughly(parts) == expected


def test_items_may_come_in_any_order_and_case() -> None:
    parts = with_header(
        b"(body[header.fields (From)] {%d}", (b" rfc822.size 5 uid 7 flags () modseq (9))", None)
    )
    found = parse_quickly(parts)
    assert found == Fetched(uid=7, size=5, keywords=frozenset(), content=HEADER)
    assert parse_thoroughly(parts) == found


@pytest.mark.parametrize(
    ("line", "content"),
    [
        (b'(UID 1 BODY[HEADER.FIELDS (FROM)] "From: x")', b"From: x"),
        (b'(UID 1 BODY[HEADER.FIELDS (FROM)] "")', b""),
        (b"(UID 1 BODY[HEADER.FIELDS (FROM)] NIL)", b""),
        (b'(UID 1 BODY[HEADER.FIELDS ("FROM" "TO")] "x")', b"x"),
        (b"(UID 1 BODY[] 123)", b"123"),
    ],
)
def test_content_that_is_no_literal_is_read_thoroughly(line: bytes, content: bytes) -> None:
    parts: list[Part] = [(line, None)]
    assert parse_quickly(parts) is None
    assert parse(parts) == Fetched(uid=1, content=content)


def test_items_nobody_asked_for_are_passed_over() -> None:
    parts: list[Part] = [(b'(UID 1 X-GM-LABELS ("a b" \\Inbox) RFC822.SIZE 3 ENVELOPE (NIL "x"))', None)]
    assert parse(parts) == Fetched(uid=1, size=3)


def test_changed_flags_alone_are_no_message() -> None:
    found = parse([(b"(FLAGS (\\Seen))", None)])
    assert found == Fetched(keywords=frozenset({"\\Seen"}))
    assert found is not None
    assert found.head() is None


@pytest.mark.parametrize("line", [b"", b"(", b"()", b"(UID)", b"(UID x", b"UID 1", b"(UID 1 BODY[] {3})"])
def test_garbage_is_no_message(line: bytes) -> None:
    found = parse([(line, None)])
    assert found is None or found.uid is None or found.content is None


def test_a_dropped_literal_leaves_the_rest_readable() -> None:
    parts: list[Part] = [(b"(UID 3 BODY[] {99}", None), TAIL]
    found = parse(parts)
    assert found is not None
    assert (found.uid, found.content) == (3, None)


def test_answers_about_one_message_are_put_together() -> None:
    first = Fetched(uid=1, size=5, keywords=frozenset())
    first.update(Fetched(uid=1, content=b"", received_at=datetime(2026, 1, 1, tzinfo=UTC)))
    head = first.head()
    assert head is not None
    assert (head.size, head.header, head.keywords) == (5, b"", frozenset())


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (b"\\Seen \\Recent", {"\\Seen", "\\Recent"}),
        (b"Priv&AOk-", {"Privé"}),
        (b"R&D", {"R&D"}),
        ("Privé".encode(), {"Privé"}),
        (b"", set()),
    ],
)
def test_keywords_are_decoded(flags: bytes, words: set[str]) -> None:
    assert keywords(flags) == words


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b"04-Mar-2026 05:06:07 +0000", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        (b" 4-mar-2026 05:06:07 -0330", datetime(2026, 3, 4, 8, 36, 7, tzinfo=UTC)),
        (b"4-Mar-2026 05:06:07 +0000", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        (b"31-Dec-2016 23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"04-Mar-2026 05:06:07 +9999", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
    ],
)
def test_internal_dates_are_read(text: bytes, moment: datetime) -> None:
    assert internaldate(text) == moment


@pytest.mark.parametrize(
    "text",
    [b"", b"00-Mar-2026 05:06:07 +0000", b"31-Feb-2026 05:06:07 +0000", b"04-Foo-2026 05:06:07 +0000", b"x"],
)
def test_what_is_no_date_is_none(text: bytes) -> None:
    assert internaldate(text) is None
