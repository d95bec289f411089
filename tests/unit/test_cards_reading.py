"""Cards as telephones and mail programs export them."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cards import lines
from connectors.cards.lines import BadFile
from connectors.cards.reading import BadCard, Card, read


def one(text: str | bytes) -> Card:
    data = text.encode() if isinstance(text, str) else text
    (found,) = list(read(b"BEGIN:VCARD\r\n" + data.replace(b"\n", b"\r\n") + b"\r\nEND:VCARD\r\n"))
    assert isinstance(found, Card), found
    return found


def bad(data: bytes) -> BadCard:
    (found,) = list(read(data))
    assert isinstance(found, BadCard)
    return found


def test_a_card_of_version_3_is_read() -> None:
    card = one(
        "VERSION:3.0\nN:Martin;Anne;;Mme;\nFN:Anne Martin\nORG:Garage Dupont\\, SA;Atelier\nTITLE:Cheffe\n"
        "TEL;TYPE=WORK,VOICE:+33 4 72 11 22 33\nTEL;TYPE=CELL:06 12 34 56 78\n"
        "EMAIL;TYPE=INTERNET:Anne@Garage.example\nEMAIL;TYPE=INTERNET,pref:am@garage.example\n"
        "X-SOCIALPROFILE;TYPE=linkedin:https://www.linkedin.com/in/am\nIMPP:skype:anne.m?chat\n"
        "NOTE:Ligne 1\\nLigne\n  2"
    )
    assert (card.last_name, card.first_name) == ("Martin", "Anne")
    assert (card.organisation, card.position) == ("Garage Dupont, SA", "Cheffe")
    assert (card.landline, card.mobile) == ("+33 4 72 11 22 33", "06 12 34 56 78")
    assert card.emails == ("am@garage.example", "anne@garage.example")
    assert (card.skype, card.linkedin) == ("anne.m", "https://www.linkedin.com/in/am")
    assert card.comment == "Ligne 1\nLigne 2"
    assert card.left_out == ()


def test_a_card_of_version_4_is_read() -> None:
    card = one(
        'VERSION:4.0\nFN:Anne Martin\nORG;SORT-AS="Dupont":Garage\nGENDER:F;elle\n'
        'TEL;VALUE=uri;TYPE="work,voice";PREF=2:tel:+33-4-72-11-22-33;ext=12\n'
        "TEL;VALUE=uri;TYPE=work;PREF=1:tel:+33-4-72-00-00-00\nEMAIL;PREF=1:mailto:am@garage.example"
    )
    assert (card.full_name, card.last_name, card.gender) == ("Anne Martin", "", "FEMALE")
    assert (card.landline, card.other_phones) == ("+33-4-72-00-00-00", ("+33-4-72-11-22-33",))
    assert card.emails == ("am@garage.example",)


def test_quoted_printable_of_old_exports_is_read_over_its_soft_breaks() -> None:
    card = one(
        b"VERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:L=C3=A9vy;Zo=C3=\n=A9;;;\n"
        b"NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:d=E9but=0D=0Afin\nTEL;CELL;PREF:0612345678\n"
        b"ORG;CHARSET=Windows-1252:Soci\xe9t\xe9;"
    )
    assert (card.last_name, card.first_name) == ("Lévy", "Zoé")
    assert card.comment == "début\nfin"
    assert (card.mobile, card.organisation) == ("0612345678", "Société")


@pytest.mark.parametrize(
    ("encode", "name"),
    [("utf-8", "Désirée"), ("utf-8-sig", "Désirée"), ("utf-16", "Désirée"), ("cp1252", "Désirée")],
)
def test_every_usual_charset_of_a_file_is_read(encode: str, name: str) -> None:
    text = f"BEGIN:VCARD\nVERSION:3.0\nN:{name};;;;\nEND:VCARD\n"
    (card,) = list(read(text.encode(encode)))
    assert isinstance(card, Card)
    assert card.last_name == name


def test_a_charset_of_the_line_is_obeyed() -> None:
    card = one(b"VERSION:2.1\nN;CHARSET=SHIFT_JIS:" + "田中".encode("shift_jis") + b";;;;")
    assert card.last_name == "田中"


def test_what_is_typed_home_is_left_out_and_told() -> None:
    card = one(
        "VERSION:3.0\nN:Martin;Anne;;;\nTEL;TYPE=HOME:01 11 11 11 11\nTEL;TYPE=HOME,CELL:06 22 22 22 22\n"
        "ADR;TYPE=HOME:;;1 rue Privée;Lyon;;69001;\nEMAIL;TYPE=HOME:prive@x.example\n"
        "item1.TEL:02 33 33 33 33\nitem1.X-ABLabel:_$!<Home>!$_\nBDAY:1980-01-01\n"
        "PHOTO;ENCODING=b;TYPE=JPEG:AAAA\nTEL;TYPE=WORK:04 72 11 22 33"
    )
    assert (card.landline, card.mobile, card.emails, card.other_phones) == ("04 72 11 22 33", "", (), ())
    assert card.left_out == ("home telephone", "home address", "home e-mail")
    for private in (b"11 11", b"22 22", b"33 33", b"Priv", b"prive@", b"1980", b"PHOTO"):
        assert private not in card.raw
    (again,) = list(read(card.raw))
    assert isinstance(again, Card)
    assert (again.last_name, again.landline) == ("Martin", "04 72 11 22 33")


def test_a_fax_is_no_telephone() -> None:
    assert one("N:M;;;;\nTEL;TYPE=WORK,FAX:04 72 00 00 00").landline == ""


def test_a_base64_photo_that_is_not_folded_is_read() -> None:
    card = one("VERSION:2.1\nPHOTO;JPEG;ENCODING=BASE64:\nAAAA\nBBBB\n\nN:Martin;;;;\nAAAA")
    assert (card.last_name, card.photo) == ("Martin", b"\x00\x00\x00\x04\x10\x41")


@pytest.mark.parametrize(
    "line",
    [
        "PHOTO;ENCODING=b;TYPE=JPEG:AAAA\n BBBB",
        "PHOTO;TYPE=JPEG;ENCODING=BASE64:AAAA\n BBBB\n",
        "PHOTO;ENCODING=BASE64;JPEG:AAAABBBB",
        "PHOTO:data:image/jpeg;base64,AAAABBBB",
        "item1.PHOTO;PREF=1:data:image/png;base64\\,AAAA\n BBBB",
        "PHOTO;ENCODING=b:AAAABBBB\nPHOTO;ENCODING=b:CCCC",
    ],
)
def test_a_photo_is_read_in_every_version(line: str) -> None:
    card = one(f"N:Martin;;;;\n{line}\nTITLE:Chef")
    assert (card.photo, card.position) == (b"\x00\x00\x00\x04\x10\x41", "Chef")
    assert b"AAAA" not in card.raw
    assert card.left_out == ()


@pytest.mark.parametrize(
    "line",
    ["PHOTO;VALUE=URI:https://photo.example/anne.jpg", "PHOTO:data:text/html;base64,AAAA", "PHOTO:data:,x",
     "PHOTO;ENCODING=b:!!!!", "PHOTO;ENCODING=b:A"],
)  # fmt: skip
def test_a_photo_that_is_none_or_only_an_address_is_told(line: str) -> None:
    card = one(f"N:Martin;;;;\n{line}")
    assert (card.photo, card.left_out) == (b"", ("photo that cannot be read, or is only an address",))
    assert one("N:Martin;;;;\nPHOTO;ENCODING=b:").left_out == ()


def test_several_cards_are_read_whatever_stands_between_them() -> None:
    data = b"junk\nBEGIN:VCARD\rN:A;;;;\rEND:VCARD\r\rBegin:vCard\nN:B;;;;\nend:vcard\n"
    assert [(card.number, isinstance(card, Card) and card.last_name) for card in read(data)] == [
        (1, "A"), (2, "B"),
    ]  # fmt: skip


def test_a_card_without_an_end_does_not_hide_the_next() -> None:
    first, second = read(b"BEGIN:VCARD\nN:A;;;;\nBEGIN:VCARD\nN:B;;;;\nEND:VCARD\n")
    assert isinstance(first, BadCard)
    assert (first.line, first.reason) == (1, "the card has no END:VCARD")
    assert isinstance(second, Card)
    assert second.last_name == "B"
    assert "cut short" in bad(b"BEGIN:VCARD\nN:A;;;;\n").reason


def test_a_card_within_a_card_is_not_the_card() -> None:
    data = (
        b"BEGIN:VCARD\nN:A;;;;\nAGENT:\nBEGIN:VCARD\nN:B;;;;\nTEL;CELL:06\nEND:VCARD\nTITLE:Chef\nEND:VCARD\n"
    )
    (card,) = read(data)
    assert isinstance(card, Card)
    assert (card.last_name, card.mobile, card.position) == ("A", "", "Chef")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"BEGIN:VCARD\n" + b"AGENT:\nBEGIN:VCARD\n" * 9 + b"END:VCARD\n" * 10, "nested deeper than 4"),
        (b"BEGIN:VCARD\n" + b"X:1\n" * 3000 + b"N:A;;;;\nEND:VCARD\n", "more than 2000 lines"),
        (b"BEGIN:VCARD\nNOTE:" + b"x" * lines.MAX_CARD + b"\nEND:VCARD\n", "larger than 2 MiB"),
        (b"BEGIN:VCARD\nVERSION:9.9\nN:A;;;;\nEND:VCARD\n", "none of 2.1, 3.0 and 4.0"),
        (b"BEGIN:VCARD\nVERSION:3.0\nEND:VCARD\n", "names nobody"),
    ],
    ids=["depth", "lines", "size", "version", "nobody"],
)
def test_a_hostile_card_is_set_aside_with_a_reason(data: bytes, reason: str) -> None:
    found = bad(data)
    assert reason in found.reason
    assert len(found.raw) <= lines.KEPT + 1


def test_a_file_that_is_none_or_too_large_is_refused() -> None:
    with pytest.raises(BadFile, match="holds no card"):
        list(read(b"\x89PNG\r\n"))
    with pytest.raises(BadFile, match="larger than 32 MiB"):
        list(read(b" " * (lines.MAX_FILE + 1)))
    with pytest.raises(BadFile, match="more than 10000 cards"):
        list(read(b"BEGIN:VCARD\nEND:VCARD\n" * (lines.MAX_CARDS + 1)))


@pytest.mark.parametrize(
    "hostile",
    [
        b"BEGIN:VCARD\nN;ENCODING=QUOTED-PRINTABLE:" + b"=\n" * 500_000 + b"\nEND:VCARD\n",
        b"BEGIN:VCARD\nN:" + b"\n a" * 500_000 + b"\nEND:VCARD\n",
        b"BEGIN:VCARD\nN:" + b";" * 1_000_000 + b"\nEND:VCARD\n",
        b'BEGIN:VCARD\nN;X="' + b'":"' * 400_000 + b"\nEND:VCARD\n",
        b"\n" * 2_000_000 + b"BEGIN:VCARD\nN:A\nEND:VCARD\n",
        b"BEGIN:VCARD\nAGENT:\n" * 100_000,
    ],
    ids=["soft breaks", "folds", "components", "quotes", "blank lines", "agents"],
)  # fmt: skip
def test_hostile_files_take_no_longer_than_their_size(hostile: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(BadFile):
        assert all(len(card.raw) <= 2 * lines.MAX_CARD for card in read(hostile))
    assert time.process_time() - began < 5


PIECES = st.sampled_from(
    [b"BEGIN:VCARD\n", b"END:VCARD\n", b"N:", b"TEL;TYPE=HOME:", b"=", b"\n", b"\r", b" ", b";", b'"', b":",
     b"\\", b"ENCODING=QUOTED-PRINTABLE", b"CHARSET=utf-7", b"item1.", b"AGENT:\n", b"\xff\xfe", b"\0",
     b"\xc3"]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=60))
def test_no_bytes_make_the_reader_fail(pieces: list[bytes]) -> None:
    try:
        found = list(read(b"".join(pieces)))
    except BadFile:
        return
    assert [card.number for card in found] == list(range(1, len(found) + 1))
