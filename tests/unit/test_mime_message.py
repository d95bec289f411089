"""From the bytes of a mail to its text, its HTML and its files, whatever the sender made of them."""

import hashlib
from pathlib import Path

import pytest

from connectors.errors import ItemError
from connectors.mime import DEPTH_LIMIT, read_message
from connectors.model import Attachment, Message

CORPUS = Path(__file__).parent / "mime_corpus"


def sample(name: str) -> Message:
    return read_message((CORPUS / name).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def content(attachment: Attachment) -> bytes:
    return b"".join(attachment.chunks())


def names(message: Message) -> list[str]:
    return [each.name for each in message.attachments]


def mixed(*parts: bytes, kind: bytes = b"mixed") -> Message:
    head = b"From: a@b.fr\nDate: 4 Mar 2025 09:11:12 +0000\nMessage-ID: <1@x>\n"
    head += b"Content-Type: multipart/" + kind + b"; boundary=bb\n\n"
    return read_message(head + b"".join(b"--bb\n" + part + b"\n" for part in parts) + b"--bb--\n")


def single(header: bytes, body: bytes) -> Message:
    return read_message(
        b"From: a@b.fr\nDate: 4 Mar 2025 09:11:12 +0000\nMessage-ID: <1@x>\n" + header + b"\n\n" + body
    )


# --- what common clients send


def test_outlook_mail_gives_text_clean_html_its_logo_and_its_file() -> None:
    message = sample("outlook-related.eml")
    assert message.envelope.subject == "RE: devis 2025-017 – réponse attendue"
    assert [a.email for a in message.envelope.to] == ["jean.dupont@example.com", "marie@example.com"]
    assert message.envelope.cc[0].name == "Service achats"
    assert message.envelope.references == ("CAF+first@mail.example.com", "PAXP-second@example.net")
    assert message.body_text == (
        "Bonjour Jean,\n\nVoici le devis révisé – merci de me dire avant vendredi.\n\nHélène"
    )
    assert '<img width="120" src="cid:image001.png@01DB8D00" alt="logo">' in message.body_html
    assert "track.example.org" not in message.body_html
    assert "MsoNormal" not in message.body_html
    assert [(a.name, a.mime, a.inline) for a in message.attachments] == [
        ("image001.png", "image/png", True),
        ("devis révisé.pdf", "application/pdf", False),
    ]
    assert content(message.attachments[1]).startswith(b"%PDF-1.4")
    assert message.defects == ()


def test_apple_mail_alternative_of_text_and_html_around_a_picture() -> None:
    message = sample("apple-mail.eml")
    assert message.body_text == "Avant la photo.\nApres la photo.\n"
    assert message.body_html.index("Avant") < message.body_html.index("Apres")
    assert [(a.name, a.inline) for a in message.attachments] == [("photo du chantier été.jpg", True)]


def test_an_invitation_is_a_file_and_not_a_body() -> None:
    message = sample("invitation.eml")
    assert message.body_text == "Point projet jeudi."
    assert message.body_html == "<p>Point projet <i>jeudi</i>.</p>"
    assert [(a.name, a.mime) for a in message.attachments] == [("invite.ics", "text/calendar")]
    assert content(message.attachments[0]).startswith(b"BEGIN:VCALENDAR\r\n")


def test_a_returned_mail_is_kept_to_the_byte_under_its_subject() -> None:
    raw = (CORPUS / "bounce.eml").read_bytes()
    message = read_message(raw)
    assert message.body_text == "This is the mail system at host mx.example.net.\n"
    assert [(a.name, a.mime) for a in message.attachments] == [
        ("piece-jointe.bin", "message/delivery-status"),
        ("Devis - été.eml", "message/rfc822"),
    ]
    inner = content(message.attachments[1])
    assert inner in raw
    assert inner.startswith(b"From: jean.dupont@example.com\n")
    assert inner.endswith(b"--inner--\n")
    assert names(read_message(inner)) == ["a.bin"]


def test_a_signed_mail_has_its_text_and_its_signature() -> None:
    message = sample("signed.eml")
    assert message.body_text == "Signé, lu et approuvé.\n"
    assert [(a.name, a.mime) for a in message.attachments] == [("smime.p7s", "application/pkcs7-signature")]


def test_what_a_list_adds_after_base64_is_not_decoded() -> None:
    message = sample("list-footer.eml")
    assert message.body_text == "Bonjour à tous!"
    assert message.envelope.subject == "[liste] Été en avance"
    assert message.envelope.message_id == "l1@lists.example.org"


def test_old_mail_in_raw_latin_is_read() -> None:
    message = read_message((CORPUS / "raw-8bit.eml").read_bytes())
    assert message.envelope.subject == "Été – prêt"
    assert message.envelope.sender[0].name == "Jérôme"
    assert message.envelope.message_id == "old@example.fr"
    assert message.body_text == "Déjà vu € 100.\n"
    assert "lines in the header that are no header fields" in message.defects


# --- what becomes the body


def test_several_texts_are_joined_in_their_order() -> None:
    message = mixed(b"\nfirst", b"Content-Type: application/pdf; name=a.pdf\n\n%", b"\nsecond")
    assert (message.body_text, names(message)) == ("first\nsecond", ["a.pdf"])


def test_a_text_with_a_file_name_is_a_file() -> None:
    message = mixed(b"\nbody", b"Content-Type: text/plain; name=notes.txt\n\nnotes")
    assert (message.body_text, names(message)) == ("body", ["notes.txt"])


def test_a_text_that_is_to_be_saved_is_a_file_wherever_it_stands() -> None:
    message = mixed(b"Content-Type: text/html\nContent-Disposition: attachment\n\n<p>x", b"\nbody")
    assert (message.body_text, message.body_html, names(message)) == ("body", "", ["piece-jointe.html"])


def test_html_alone_is_rendered_to_text() -> None:
    message = single(b"Content-Type: text/html", b"<p>Bonjour<script>alert(1)</script></p><p>Paul</p>")
    assert message.body_text == "Bonjour\n\nPaul"
    assert message.body_html == "<p>Bonjour</p><p>Paul</p>"


def test_html_beside_text_keeps_both_in_both_bodies() -> None:
    message = mixed(b"Content-Type: text/html\n\n<p>one</p>", b"\n2 < 3\n")
    assert message.body_text == "one\n2 < 3\n"
    assert message.body_html == "<p>one</p>\n<pre>2 &lt; 3\n</pre>"


def test_the_charset_that_only_the_html_tells_is_used() -> None:
    page = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>привет</p>'
    assert single(b"Content-Type: text/html", page.encode("cp1251")).body_text == "привет"


def test_a_mail_of_a_rare_text_type_is_readable() -> None:
    assert single(b"Content-Type: text/markdown", b"# hi").body_text == "# hi"
    assert single(b"Content-Type: text", b"hi").body_text == "hi"
    assert single(b"Content-Type: /", b"hi").body_text == "hi"


def test_an_alternative_of_text_alone_is_in_the_html_too_where_there_is_some() -> None:
    alternative = b"Content-Type: multipart/alternative; boundary=cc\n\n--cc\n\ninner\n--cc--"
    message = mixed(b"Content-Type: text/html\n\n<p>one</p>", alternative)
    assert message.body_text == "one\ninner"
    assert message.body_html == "<p>one</p>\n<pre>inner</pre>"


def test_text_in_the_html_alternative_is_kept_though_neither_body_has_it() -> None:
    part = b"Content-Type: multipart/mixed; boundary=cc\n\n--cc\nContent-Type: text/html\n\n<p>one</p>\n"
    message = mixed(b"\none", part + b"--cc\n\nfooter\n--cc--", kind=b"alternative")
    assert (message.body_text, message.body_html) == ("one", "<p>one</p>")
    assert [content(each) for each in message.attachments] == [b"footer"]


def test_a_text_file_alone_keeps_its_type() -> None:
    message = single(b"Content-Type: text/markdown; name=notes.md", b"# hi")
    assert [(each.name, each.mime) for each in message.attachments] == [("notes.md", "text/markdown")]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"Content-Type: application/pdf", "piece-jointe.pdf"),
        (b"Content-Type: text/calendar", "invite.ics"),
        (b"Content-Type: application/ms-tnef", "winmail.dat"),
        (b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data", "smime.p7m"),
        (b"Content-Type: image/png", "piece-jointe.png"),
        (b"Content-Type: x-odd/thing", "piece-jointe.bin"),
        (b"Content-Type: text/plain\nContent-Disposition: attachment", "piece-jointe.txt"),
        (b"Content-Type: text/x-vcard", "piece-jointe.vcf"),
        (b"Content-Type: message/rfc822", "piece-jointe.eml"),
    ],
)
def test_a_mail_that_is_one_file_has_no_body(header: bytes, name: str) -> None:
    message = single(header, b"QUJD")
    assert (message.body_text, message.body_html, names(message)) == ("", "", [name])
    assert content(message.attachments[0]) == b"QUJD"


def test_winmail_dat_is_kept() -> None:
    message = mixed(
        b"\nhi",
        b"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+Ig==",
    )
    assert names(message) == ["winmail.dat"]
    assert content(message.attachments[0]) == b"x\x9f>\x22"


def test_an_encrypted_mail_has_no_body_and_keeps_its_parts() -> None:
    message = mixed(
        b"Content-Type: application/pgp-encrypted\n\nVersion: 1",
        b"Content-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----",
        kind=b"encrypted",
    )
    assert (message.body_text, message.body_html) == ("", "")
    assert names(message) == ["version.asc", "encrypted.asc"]


def test_a_digest_is_made_of_mails() -> None:
    message = mixed(b"\nSubject: one\n\n1", b"\nSubject: two\n\n2", kind=b"digest")
    assert names(message) == ["one.eml", "two.eml"]


def test_a_picture_is_inline_if_it_says_so_or_if_the_html_shows_it() -> None:
    picture = b"Content-Type: image/gif; name=%s\nContent-%s\n\nGIF"
    message = mixed(
        b'Content-Type: text/html\n\n<img src="cid:shown%40x">',
        picture % (b"1.gif", b"ID: <shown@x>"),
        picture % (b"2.gif", b"ID: <hidden@x>"),
        picture % (b"3.gif", b"Disposition: inline"),
        picture % (b"4.gif", b"Disposition: attachment"),
        b"Content-Type: application/pdf; name=5.pdf\nContent-Disposition: inline\n\n%",
        kind=b"related",
    )
    assert [each.inline for each in message.attachments] == [True, False, True, False, False]


# --- broken structure


def test_a_boundary_that_is_never_closed_ends_with_the_mail() -> None:
    message = read_message(b"Content-Type: multipart/mixed; boundary=bb\n\n--bb\n\none\n--bb\n\ntwo")
    assert message.body_text == "one\ntwo"
    assert "multipart without its closing delimiter" in message.defects


def test_a_boundary_parameter_that_is_missing_is_guessed() -> None:
    message = read_message(b"Content-Type: multipart/mixed\n\n--x1\n\none\n--x1\n\ntwo\n--x1--\n")
    assert message.body_text == "one\ntwo"
    assert "multipart without a boundary parameter" in message.defects


def test_a_multipart_without_parts_is_text() -> None:
    assert read_message(b"Content-Type: multipart/mixed; boundary=bb\n\njust text").body_text == "just text"


def test_a_boundary_used_again_inside_does_not_lose_what_follows() -> None:
    inner = b"Content-Type: multipart/alternative; boundary=bb\n\n"
    message = mixed(inner, b"\ninner", b"Content-Type: application/pdf; name=a.pdf\n\n%")
    assert message.body_text == "inner"
    assert names(message) == ["a.pdf"]


def test_an_outer_delimiter_ends_an_inner_multipart_that_is_not_closed() -> None:
    inner = b"Content-Type: multipart/alternative; boundary=cc\n\n--cc\n\ninner"
    message = mixed(inner, b"Content-Type: application/pdf; name=a.pdf\n\n%")
    assert (message.body_text, names(message)) == ("inner", ["a.pdf"])


def test_a_boundary_that_begins_another_is_not_mistaken_for_it() -> None:
    message = mixed(b"Content-Type: multipart/mixed; boundary=bbb\n\n--bbb\n\ninner\n--bbb--", b"\nouter")
    assert message.body_text == "inner\nouter"


def test_a_boundary_in_the_middle_of_a_line_is_text() -> None:
    assert mixed(b"\nsee --bb\nand --bb--\n").body_text == "see --bb\nand --bb--\n"


def test_empty_parts_and_white_space_after_delimiters_are_harmless() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=bb\n\n--bb \t\n--bb\n\n--bb  \n\nx\n--bb-- \nafter"
    assert read_message(raw).body_text == "x"


def test_a_body_that_begins_without_an_empty_line_is_not_lost() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=bb\n--bb\nContent-Type: text/plain\nhello\n--bb--\n"
    message = read_message(raw)
    assert message.body_text == "hello"
    assert read_message(raw.replace(b"hello", b"\nhello")).body_text == "hello"
    assert "lines in the header that are no header fields" in message.defects


@pytest.mark.parametrize("depth", [10, DEPTH_LIMIT - 1, DEPTH_LIMIT, 100, 3000])
def test_deep_nesting_gives_the_text_or_one_file_with_the_rest(depth: int) -> None:
    raw = b"From: a@b.fr\n"
    for level in range(depth):
        raw += b"Content-Type: multipart/mixed; boundary=b%d.\n\n--b%d.\n" % (level, level)
    raw += b"\nbottom\n" + b"".join(b"--b%d.--\n" % level for level in reversed(range(depth)))
    message = read_message(raw)
    if depth <= DEPTH_LIMIT:
        assert (message.body_text, message.attachments) == ("bottom", ())
    else:
        assert names(message) == ["piece-jointe.eml"]
        assert b"\nbottom\n" in content(message.attachments[0])
        assert "nested too deep: what lies deeper is one attachment" in message.defects


def test_garbage_is_text_with_a_defect() -> None:
    message = read_message(b"\x89PNG\r\n\x1a\n\0\0 not a mail")
    assert "not a mail" in message.body_text
    assert "no from field" in message.defects


@pytest.mark.parametrize("raw", [b"", b"\r\n", b" \n\n \n"])
def test_an_empty_mail_cannot_be_read(raw: bytes) -> None:
    with pytest.raises(ItemError, match="empty"):
        read_message(raw)


def test_a_header_without_a_body_is_a_mail() -> None:
    message = read_message(b"Subject: only this")
    assert (message.envelope.subject, message.body_text) == ("only this", "")


def test_fields_given_twice_are_said_and_the_first_counts() -> None:
    message = read_message(
        b"Subject: one\nSubject: two\nFrom: a@b.fr\nFrom: c@d.fr\nMessage-ID: <1@x>\nMessage-ID: <2@x>\n"
        b"Date: 4 Mar 2025 09:11:12 +0000\nDate: x\nContent-Type: text/html\nContent-Type: text/plain\n\n<p>x"
    )
    assert message.envelope.subject == "one"
    assert message.body_html == "<p>x</p>"
    for name in ("subject", "from", "message-id", "date"):
        assert f"more than one {name} field: the first one was taken" in message.defects


def test_defects_hold_nothing_of_the_mail() -> None:
    message = read_message(
        b"secret line\nSubject: secret\nContent-Type: text/plain; charset=secret\n\n\xffsecret"
    )
    assert message.defects
    assert "secret" not in " ".join(message.defects)


def test_a_memory_view_gives_the_same_message_as_bytes() -> None:
    raw = (CORPUS / "outlook-related.eml").read_bytes()
    one, other = read_message(raw), read_message(memoryview(raw))
    assert one == other
    assert [hashlib.sha256(content(a)).digest() for a in one.attachments] == [
        hashlib.sha256(content(a)).digest() for a in other.attachments
    ]
