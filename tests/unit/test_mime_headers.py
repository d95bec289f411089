"""What header fields say, in every spelling that senders have come up with."""

import time
from datetime import UTC, datetime

import pytest

from connectors.headers import (
    MAX_ADDRESSES,
    decode_value,
    read_addresses,
    read_date,
    read_message_id,
    read_message_ids,
)
from connectors.mime import read_envelope, read_message
from connectors.model import Address


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"", ""),
        (b"=?utf-8?Q?caf=C3=A9_au_lait?=", "café au lait"),
        (b"=?UTF-8?b?w6l0w6k=?=", "été"),
        (b"a =?utf-8?q?b?= c", "a b c"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?=\r\n\t=?iso-8859-1?q?=E9?=", "aé"),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),
        (b"=?utf-8?B?w6k=?= =?utf-8?Q?_=C3?=\r\n =?UTF-8?B?qQ==?=", "é é"),
        (b"=?utf-8?b?w6l0w6k?=", "été"),  # padding missing
        (b"=?utf-8?b?w6l0w6k=====?=", "été"),
        (b"=?utf-8?b?!!!?=", "=?utf-8?b?!!!?="),
        (b"=?utf-8?b?w6l0w6kx?=", "été1"),
        (b"=?x-unknown?q?caf=C3=A9?=", "café"),
        (b"=?x-unknown?q?caf=E9?=", "café"),
        (b"=?utf-8?q?caf=E9?=", "café"),  # the charset is a lie
        (b"=?iso-8859-1?q?=80_100?=", "€ 100"),  # and so is this one
        (b"=?utf-8*fr?q?=C3=A9?=", "é"),  # RFC 2231 §5
        (b'"=?utf-8?q?=C3=A9?="', '"é"'),
        (b"x=?utf-8?q?=C3=A9?=y", "xéy"),
        (b"=?utf-8?q?Qui??=", "Qui?"),
        (b"=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        (b"=?utf-8?q?a b?=", "a b"),
        (b"=?gb2312?B?1tDOxA==?=", "中文"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?utf-8?q?a=0D=0ABcc:_evil=40x?=", "a Bcc: evil@x"),  # no second header field
        (b"=?utf-8?q?a=00b?=", "ab"),
        (b"=?utf-7?q?+2D0-x?=", "\ufffdx"),  # half a surrogate pair
        (b"raw \xc3\xa9", "raw é"),
        (b"raw \xe9 \x80", "raw é €"),
        (b"raw \x81\xe9", "raw  é"),  # not even Windows-1252
        (b"folded\r\n  twice\n\there", "folded twice here"),
        (b"bell\x07 tab\there\x00", "bell  tab here"),
        (b" spaces  inside ", "spaces  inside"),
    ],
)
def test_unstructured_fields_are_decoded_to_what_the_sender_meant(raw: bytes, text: str) -> None:
    assert decode_value(raw) == text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a@b.fr", [("a@b.fr", "")]),
        (b"Jean DUPONT <Jean.Dupont@B.FR>", [("jean.dupont@b.fr", "Jean DUPONT")]),
        (b'"Dupont, Jean" <a@b.fr>, c@d.fr', [("a@b.fr", "Dupont, Jean"), ("c@d.fr", "")]),
        (b"a@b.fr (Jean (le vrai) Dupont)", [("a@b.fr", "Jean (le vrai) Dupont")]),
        (b"a@b.fr (Jean \\) Dupont)", [("a@b.fr", "Jean ) Dupont")]),
        (b"a@b.fr; c@d.fr ;", [("a@b.fr", ""), ("c@d.fr", "")]),
        (b"undisclosed-recipients:;", []),
        (b"Equipe: a@b.fr, Paul <c@d.fr>;, e@f.fr", [("a@b.fr", ""), ("c@d.fr", "Paul"), ("e@f.fr", "")]),
        (b'"john doe"@b.fr', [('"john doe"@b.fr', "")]),
        (b'"john.doe"@b.fr', [("john.doe@b.fr", "")]),
        (b'N <"a@c"@b.fr>', [('"a@c"@b.fr', "N")]),
        (b"<@one.fr,@two.fr:a@b.fr>", [("a@b.fr", "")]),
        (b"Jean <a@b.fr, Paul <c@d.fr>", [("a@b.fr", "Jean"), ("c@d.fr", "Paul")]),
        (b"Jean <a@b.fr", [("a@b.fr", "Jean")]),
        (b"<mailto:a@b.fr>", [("a@b.fr", "")]),
        (b"a@b.fr.", [("a@b.fr", "")]),
        (b"A <a@b.fr.>", [("a@b.fr", "A")]),
        (b"foo.@docomo.ne.jp", [("foo.@docomo.ne.jp", "")]),
        (b"a @ b . fr", [("a@b.fr", "")]),
        (b"<a@\r\n b.fr>", [("a@b.fr", "")]),
        (b"Jean a@b.fr", [("a@b.fr", "")]),
        (b"a@b.fr c@d.fr", [("a@b.fr", ""), ("c@d.fr", "")]),
        (b"'a@b.fr' <a@b.fr>", [("a@b.fr", "a@b.fr")]),
        (b"'a@b.fr'", [("a@b.fr", "")]),
        (b"a@[192.0.2.1]", [("a@[192.0.2.1]", "")]),
        (b"Jean <jean>", []),
        (b"MAILER-DAEMON", []),
        (b"<>", []),
        (b"@b.fr, a@", []),
        (b",,, ,", []),
        (b"</o=ExchangeLabs/ou=Exchange/cn=Recipients/cn=1>", []),
        (b"=?utf-8?q?J=C3=A9r=C3=B4me?= <a@b.fr>", [("a@b.fr", "Jérôme")]),
        (b'"=?utf-8?q?J=C3=A9r=C3=B4me?=" <a@b.fr>', [("a@b.fr", "Jérôme")]),
        (b"=?utf-8?q?Dupont, Jean?= <a@b.fr>", [("a@b.fr", "Dupont, Jean")]),
        (b"=?utf-8?q?Jean_<a=40b.fr>?=", [("a@b.fr", "Jean")]),  # the whole field in one word
        (b"J\xe9r\xf4me <a@b.fr>", [("a@b.fr", "Jérôme")]),
        ("<a@bücher.example>".encode(), [("a@xn--bcher-kva.example", "")]),
        (b"<a@XN--BCHER-KVA.example>", [("a@xn--bcher-kva.example", "")]),
        ("<a@straße.example>".encode(), [("a@xn--strae-oqa.example", "")]),
        ("<É.B@b.fr>".encode(), [("é.b@b.fr", "")]),
        ("<\u200ba@b.fr\u202c>".encode(), [("a@b.fr", "")]),
        (b'"unclosed <a@b.fr>', [("a@b.fr", "unclosed")]),
        (b"(unclosed <a@b.fr>", [("a@b.fr", "unclosed")]),
        (b"a\x00@b.fr", [("a@b.fr", "")]),
        (b"a@b.fr\r\nBcc: c@d.fr", [("c@d.fr", "")]),  # one field, whatever it tries: a group called so
    ],
)
def test_address_fields_give_their_mailboxes(raw: bytes, expected: list[tuple[str, str]]) -> None:
    assert [(address.email, address.name) for address in read_addresses(raw)] == expected


@pytest.mark.parametrize(
    "raw",
    [
        b'"victim@x.fr" <evil@y.fr>',
        b"victim@x.fr <evil@y.fr>",
        b'"Victim <victim@x.fr>" <evil@y.fr>',
        b"<victim@x.fr> <evil@y.fr>",
        b"evil@y.fr (victim@x.fr)",
        b"(<victim@x.fr>) evil@y.fr",
        b'"victim@x.fr" evil@y.fr',
        b"=?utf-8?q?victim=40x.fr?= <evil@y.fr>",
        b"=?utf-8?q?=3Cvictim=40x.fr=3E=2C?= <evil@y.fr>",
        b"=?utf-8?q?Victim_<victim@x.fr>,?= <evil@y.fr>",
        b'"victim@x.fr\\" <victim@x.fr>" <evil@y.fr>',
        b"victim@x.fr: evil@y.fr;",
    ],
)
def test_an_address_in_a_display_name_is_only_a_name(raw: bytes) -> None:
    assert [address.email for address in read_addresses(raw)] == ["evil@y.fr"]


def test_an_invalid_address_does_not_give_way_to_the_one_in_its_name() -> None:
    assert read_addresses(b'"victim@x.fr" <nobody>') == []
    assert read_addresses(b"victim@x.fr <nobody>") == []


def test_ten_thousand_recipients_take_time_in_proportion_and_none_is_lost() -> None:
    raw = b",\r\n ".join(b'"Dupont, P%d" <P%d@example.org>' % (n, n) for n in range(10_000))
    begun = time.perf_counter()
    found = read_addresses(raw)
    assert time.perf_counter() - begun < 5
    assert found[9_999] == Address("p9999@example.org", "Dupont, P9999")
    assert len(found) == 10_000


def test_more_recipients_than_any_mail_has_are_cut_off() -> None:
    assert len(read_addresses(b"a@b.fr," * 50_000)) == MAX_ADDRESSES


@pytest.mark.parametrize(
    "unit", [b'"', b"(", b"<", b"=?u?q?", b'"\\', b"(\\", b"a@", b"<@a,", b". ", b"\r\n "]
)
def test_hostile_address_fields_take_time_in_proportion(unit: bytes) -> None:
    begun = time.perf_counter()
    read_addresses(unit * 100_000)
    assert time.perf_counter() - begun < 5


NINE = datetime(2025, 3, 4, 9, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        (b"Tue, 4 Mar 2025 10:11:12 +0100", NINE),
        (b"Tue, 04 Mar 2025 09:11:12 GMT", NINE),
        (b"4 Mar 2025 04:11:12 EST", NINE),
        (b"Tue, 4 Mar 2025 10:11:12 +0100 (CET)", NINE),
        (b"Tue, 4 Mar 2025 10:11:12 +0100 (heure (d'hiver))", NINE),
        (b"Tue (mardi), 4 Mar 2025 10:11:12 +0100", NINE),
        (b"\r\n Tue,  4 Mar\r\n 2025 10:11:12 +0100", NINE),
        (b"Tue, 4 Mar 2025 09:11:12", NINE),  # no zone: UTC
        (b"Tue, 4 Mar 2025 09:11:12 -0000", NINE),
        (b"Tue, 4 Mar 2025 09:11:12 XYZ", NINE),
        (b"Tue, 4 Mar 25 09:11:12 +0000", NINE),
        (b"Tue Mar  4 09:11:12 2025", NINE),  # asctime
        (b"2025-03-04T10:11:12+01:00", NINE),
        (b"2025-03-04 09:11:12Z", NINE),
        (b"3 Mar 97 10:00 EST", datetime(1997, 3, 3, 15, 0, tzinfo=UTC)),
        (b"31 Dec 2016 23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"Tue, 4 Mar 0025 10:11:12 +9999", None),
        (b"Tue, 4 Mar 1601 10:11:12 +0000", None),
        (b"Tue, 4 Mar 9999 10:11:12 +0000", None),
        (b"Tue, 31 Feb 2025 10:11:12 +0000", None),
        (b"Tue, 4 Mar 2025 25:11:12 +0000", None),
        (b"Tue, 4 Mar 2025 10:11:12 +9900", None),
        (b"tomorrow", None),
        (b"", None),
        (b"4 4 4 4 4 4 4 4", None),
        (b"\xff\xfe", None),
    ],
)
def test_dates_are_moments_in_utc_or_none(raw: bytes, moment: datetime | None) -> None:
    found = read_date(raw)
    assert found == moment
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    "raw",
    [
        b"<a@b>", b" <a@b> ", b"a@b", b"<a@b>\r\n", b"\r\n\t<a@b>", b"< a@b >", b"<a\r\n @b>", b"<a@ b>",
        b"<a@b> (added by relay)", b"(x) <a@b>", b"a@b (added)", b"<a@b> junk", b"=?utf-8?q?=3Ca=40b=3E?=",
        b"<a@b", b"a@b>", b"<a@\x00b>",
    ],
)  # fmt: skip
def test_every_spelling_of_a_message_id_is_the_same_id(raw: bytes) -> None:
    assert read_message_id(raw) == "a@b"


@pytest.mark.parametrize("raw", [b"", b" ", b"<>", b"< >", b"(only a comment)", b"<" + b"x" * 2000 + b"@b>"])
def test_a_message_id_that_is_none_is_missing(raw: bytes) -> None:
    assert read_message_id(raw) is None


def test_the_case_of_a_message_id_counts() -> None:
    assert read_message_id(b"<AbC@X>") == "AbC@X"


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        (b"<a@b> <c@d>", ("a@b", "c@d")),
        (b"<a@b><c@d>", ("a@b", "c@d")),
        (b"<a@b>,\r\n\t<c@d>, junk", ("a@b", "c@d")),
        (b"<a@b> <a@b> <c@d>", ("a@b", "c@d")),
        (b"a@b, c@d", ("a@b", "c@d")),
        (b'Your message of "Tue" <a@b>', ("a@b",)),
        (b"<a\r\n @b> <>", ("a@b",)),
        (b"nothing", ()),
        (b"", ()),
    ],
)
def test_references_give_their_ids_in_order_without_junk(raw: bytes, ids: tuple[str, ...]) -> None:
    assert read_message_ids(raw) == ids


def test_an_envelope_has_every_field_decoded_and_nothing_invented() -> None:
    envelope = read_envelope(
        b"Subject: =?utf-8?q?=C3=A9t=C3=A9?=\r\nFrom: a@b.fr\r\nTO: c@d.fr\r\nTo: e@f.fr\r\n"
        b"X-Custom:  one\r\n two\r\nDate: never\r\n\r\n"
    )
    assert envelope.subject == "été"
    assert envelope.sender == (Address("a@b.fr"),)
    assert envelope.to == (Address("c@d.fr"), Address("e@f.fr"))
    assert (envelope.message_id, envelope.date, envelope.cc, envelope.references) == (None, None, (), ())
    assert envelope.headers == (
        ("subject", "été"), ("from", "a@b.fr"), ("to", "c@d.fr"), ("to", "e@f.fr"),
        ("x-custom", "one two"), ("date", "never"),
    )  # fmt: skip


def test_the_first_of_two_fields_counts() -> None:
    envelope = read_envelope(
        b"Message-ID: <1@x>\nMessage-ID: <2@x>\nFrom: a@b.fr\nFrom: evil@y.fr\nSubject: one\nSubject: two\n"
        b"Date: 4 Mar 2025 09:11:12 +0000\nDate: 5 Mar 2025 09:11:12 +0000\n\n"
    )
    assert (envelope.message_id, envelope.subject, envelope.date) == ("1@x", "one", NINE)
    assert envelope.sender == (Address("a@b.fr"),)


@pytest.mark.parametrize("ending", [b"\r\n", b"\n", b"\r"])
def test_any_line_ending_ends_a_header_line(ending: bytes) -> None:
    raw = ending.join([b"Subject: a", b" b", b"From : c@d.fr", b"", b"X-Not-A-Header: of the body"])
    envelope = read_envelope(raw)
    assert (envelope.subject, envelope.sender) == ("a b", (Address("c@d.fr"),))
    assert len(envelope.headers) == 2


def test_fields_after_a_stray_line_still_count() -> None:
    envelope = read_envelope(b"From me 2025\r\nSubject: a\r\nbroken line\r\nFrom: a@b.fr\r\n\r\n")
    assert (envelope.subject, envelope.sender) == ("a", (Address("a@b.fr"),))


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"Subject: a\r\nbroken\r\nX-B: c\r\n\r\nbody", "broken\nX-B: c\n\nbody"),
        (b"Subject: a\nbroken\nX-B: c\n\nbody", "broken\nX-B: c\n\nbody"),
        (b"Subject: a\r\nbroken\r\nFrom: a@b.fr\r\n\r\nbody", "body"),
        (b"Subject: a\r\nbroken", "broken"),
        (b"Subject: a\r\n\rbody\r\n\r\nmore", "body\n\nmore"),
        (b"\r\nSubject: of the body", "Subject: of the body"),
        (b" starts with a fold\nSubject: a\n\nbody", "body"),
    ],
)
def test_where_the_header_ends_no_line_is_lost(raw: bytes, body: str) -> None:
    message = read_message(raw)
    assert message.body_text == body
    assert message.envelope.subject == ("a" if b"Subject: a" in raw else "")


def test_a_header_full_of_stray_lines_takes_time_in_proportion() -> None:
    begun = time.perf_counter()
    envelope = read_envelope(b"Subject: a\n" + b"x\n" * 400_000 + b"From: a@b.fr\n\n")
    assert time.perf_counter() - begun < 5
    assert envelope.subject == "a"


def test_too_many_and_too_long_fields_are_cut_off() -> None:
    many = read_envelope(b"X-A: b\r\n" * 2000 + b"Subject: last\r\n\r\n")
    assert (len(many.headers), many.subject) == (500, "last")
    long = read_envelope(b"X-A: " + b"b" * 100_000 + b"\r\n\r\n")
    assert len(long.headers[0][1]) == 64 * 1024
