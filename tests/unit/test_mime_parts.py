"""Names, charsets and transfer encodings: what a part is called and what it holds."""

import pytest

from connectors.mime import read_message
from connectors.model import Attachment, Message


def content(attachment: Attachment) -> bytes:
    return b"".join(attachment.chunks())


def names(message: Message) -> list[str]:
    return [each.name for each in message.attachments]


def single(header: bytes, body: bytes) -> Message:
    return read_message(
        b"From: a@b.fr\nDate: 4 Mar 2025 09:11:12 +0000\nMessage-ID: <1@x>\n" + header + b"\n\n" + body
    )


# --- names of files


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b"filename=plain.pdf", "plain.pdf"),
        (b'filename="with space.pdf"', "with space.pdf"),
        (b"filename=bare space.pdf; size=3", "bare space.pdf"),
        (b'filename="a;b.pdf"', "a;b.pdf"),
        (b'filename="a\\"b.pdf"', 'a"b.pdf'),
        (b"filename=\"=?utf-8?q?=C3=A9t=C3=A9.pdf?=\"", "été.pdf"),
        (b"filename==?utf-8?q?=C3=A9t=C3=A9.pdf?=", "été.pdf"),
        (b"filename*=utf-8'fr'%C3%A9t%C3%A9.pdf", "été.pdf"),
        (b"filename*=iso-8859-1''%E9t%E9.pdf", "été.pdf"),
        (b"filename*=x-none''%E9t%E9.pdf", "été.pdf"),
        (b"filename*=%C3%A9.pdf", "é.pdf"),
        (b"filename*0=one; filename*1=two.pdf", "onetwo.pdf"),
        (b"filename*1=two.pdf; filename*0=one", "onetwo.pdf"),
        (b"filename*0*=utf-8''%C3; filename*1*=%A9; filename*2=\"%41.pdf\"", "é%41.pdf"),
        (b"filename*0==?utf-8?q?=C3=A9t; filename*1==C3=A9?=.pdf", "été.pdf"),
        (b"filename=wrong.pdf; filename*=utf-8''right.pdf", "right.pdf"),
        ("filename=\"été.pdf\"".encode(), "été.pdf"),
        ("filename=\"été.pdf\"".encode("latin-1"), "été.pdf"),
        (b"filename=../../etc/passwd", "passwd"),
        (b'filename="C:\\\\Users\\\\me\\\\a.pdf"', "a.pdf"),
        (b"filename*=utf-8''..%2F..%2Fa.pdf", "a.pdf"),
        (b"filename=\"=?utf-8?q?=2E=2E=2Fa.pdf?=\"", "a.pdf"),
        (b"filename=..", "piece-jointe.pdf"),
        (b'filename=" . .. "', "piece-jointe.pdf"),
        (b'filename=""', "piece-jointe.pdf"),
        (b"filename=/", "piece-jointe.pdf"),
        (b"filename*=utf-8''a%0D%0Ab%00c.pdf", "a bc.pdf"),
        (b"filename*=utf-8''gpj.%E2%80%AEfdp.exe", "gpj.fdp.exe"),
        (b"filename=CON", "CON"),
        (b'filename="unclosed.pdf', "unclosed.pdf"),
        (b"filename=" + b"x" * 300 + b".pdf", "x" * 146 + ".pdf"),
        (b"filename=" + b"x" * 300, "x" * 150),
        (b"filename=a." + b"x" * 300, "a." + "x" * 148),
    ],
)  # fmt: skip
def test_names_of_files_are_plain_and_what_the_sender_meant(disposition: bytes, name: str) -> None:
    header = b"Content-Type: application/pdf\nContent-Disposition: attachment; " + disposition
    assert names(single(header, b"%")) == [name]


def test_the_name_in_the_content_type_counts_where_the_disposition_has_none() -> None:
    header = b"Content-Disposition: attachment\nContent-Type: application/pdf; name*=utf-8''%C3%A9.pdf"
    assert names(single(header, b"%")) == ["é.pdf"]


# --- charsets and transfer encodings


@pytest.mark.parametrize(
    ("charset", "octets", "text", "faithful"),
    [
        (b"utf-8", "é €".encode(), "é €", True),
        (b"UTF8", "é €".encode(), "é €", True),
        (b"utf8mb4", "é €".encode(), "é €", True),
        (b"iso-8859-1", b"\xe9 \x80", "é €", True),  # Windows-1252 under another name
        (b"iso-8859-15", b"\xe9 \xa4", "é €", True),
        (b"cp-850", b"\x82", "é", True),
        (b"windows1252", b"\xe9 \x80", "é €", True),
        (b"Windows-1251", "привет".encode("cp1251"), "привет", True),
        (b"koi8-r", "привет".encode("koi8-r"), "привет", True),
        (b"iso-8859-8-i", "שלום".encode("iso8859-8"), "שלום", True),
        (b"gb2312", "中文€".encode("gb18030"), "中文€", True),
        (b"ks_c_5601-1987", "한국".encode("cp949"), "한국", True),
        (b"shift_jis", "日本".encode("cp932"), "日本", True),
        (b"iso-2022-jp", "日本".encode("iso-2022-jp"), "日本", True),
        (b"utf-16", "é\r\nx\0".encode("utf-16"), "é\nx", True),
        (b"utf-7", b"caf+AOk-", "café", True),
        (b"us-ascii", "é €".encode(), "é €", False),
        (b"us-ascii", b"\xe9 \x80", "é €", False),
        (b"utf-8", b"\xe9 \x80", "é €", False),
        (b"utf-8", "été à".encode() + b"\xc3", "été à\ufffd", False),  # cut in the middle of a character
        (b"x-unknown", "é €".encode(), "é €", False),
        (b"x-unknown", b"\xe9 \x80", "é €", False),
        (b"unknown-8bit", b"\xe9\x81", "é\x81", False),
        (b"ansi_x3.110-1983", b"\xe9", "é", True),
        (b"zlib", b"x\x9c", "xœ", False),
        (b"idna", b"xn--bcher-kva", "xn--bcher-kva", False),
        (b'"', b"hi", "hi", True),
        (b"", "é".encode(), "é", False),
    ],
)
def test_every_charset_is_read_and_a_wrong_one_is_said(
    charset: bytes, octets: bytes, text: str, faithful: bool
) -> None:
    message = single(b"Content-Type: text/plain; charset=" + charset, octets)
    assert message.body_text == text
    assert ("a charset that is missing, unknown or wrong" not in message.defects) is faithful


@pytest.mark.parametrize(
    ("encoding", "encoded", "octets"),
    [
        (b"base64", b"QUJDRA==", b"ABCD"),
        (b"BASE64 ", b"QUJD\r\nRA==\r\n", b"ABCD"),
        (b"base64", b"QUJDRA", b"ABCD"),
        (b"base64", b"QUJDR", b"ABC"),
        (b"base64", b"Q U.J-D", b"ABC"),
        (b"base64", b"QUJDRA==\n\n-- \nfooter text", b"ABCD"),
        (b"base64", b"QUJDRA==\nQUJDRA==\n", b"ABCDABCD"),
        (b"base64", b"=QUJD=", b"ABC"),
        (b"base64", b"", b""),
        (b"quoted-printable", b"a=3Db=\r\nc=\nd", b"a=bcd"),
        (b"quoted-printable", b"a= \t\r\nb", b"ab"),
        (b"quoted-printable", b"a=\rb\rc", b"ab\rc"),
        (b"quoted-printable", b"100 = =ZZ=c3=A9=", "100 = =ZZé".encode()),
        (b"x-uuencode", b"begin 644 a\n#04)#\n`\nend\n", b"ABC"),
        (b"x-uuencode", b"#04)#", b""),
        (b"x-uuencode", b"begin 644 a\n#04)#", b"ABC"),
        (b"8bit (comment)", b"\xff\x00", b"\xff\x00"),
        (b"7-bit", b"=41", b"=41"),
    ],
)
def test_files_are_decoded_as_far_as_they_can_be(encoding: bytes, encoded: bytes, octets: bytes) -> None:
    header = b"Content-Type: image/png\nContent-Transfer-Encoding: " + encoding
    file = single(header, encoded).attachments[0]
    assert content(file) == octets
    assert content(file) == octets  # each time from the start


def test_line_ends_and_control_characters_of_the_text_are_made_plain() -> None:
    assert single(b"X: y", b"a\r\nb\rc\nd\0\x07\x1be\tf").body_text == "a\nb\nc\nde\tf"
