"""Folder names and roles, from the lines of LIST and NAMESPACE answers."""

import pytest

from connectors.imap.folders import (
    Listed,
    Namespaces,
    decode_name,
    encode_name,
    folders,
    parse_list,
    parse_namespaces,
    references,
)
from connectors.model import Folder, FolderRole


def listed(*lines: bytes | tuple[bytes, bytes]) -> list[Listed]:
    return list(parse_list(lines))


def roles(*lines: bytes, namespaces: Namespaces | None = None) -> dict[str, FolderRole]:
    found = folders(listed(*lines), namespaces or Namespaces())
    return {folder.ref: folder.role for folder in found}


def test_a_usual_line_is_read() -> None:
    assert folders(listed(b'(\\HasNoChildren) "/" INBOX'), Namespaces()) == [
        Folder("INBOX", FolderRole.INBOX, selectable=True)
    ]


def test_the_inbox_has_no_case() -> None:
    assert roles(b'() "/" inbox') == {"INBOX": FolderRole.INBOX}
    assert roles(b'() "/" "Inbox"') == {"INBOX": FolderRole.INBOX}


def test_special_use_attributes_have_no_case_and_decide() -> None:
    assert roles(b'(\\HasNoChildren \\SENT) "/" "Gone out"', b'(\\Trash) "/" "Sent"') == {
        "Gone out": FolderRole.SENT,
        "Sent": FolderRole.TRASH,
    }


def test_xlist_attributes_count() -> None:
    assert roles(b'(\\AllMail) "/" x', b'(\\Spam) "/" y', b'(\\Inbox) "/" z') == {
        "x": FolderRole.ALL,
        "y": FolderRole.JUNK,
        "z": FolderRole.INBOX,
    }


@pytest.mark.parametrize(
    "name",
    [
        *("Sent", "SENT", "Sent Items", "Sent Messages", "Sent Mail", "Envoyés", "Éléments envoyés"),
        *("Messages envoyés", "Gesendet", "Gesendete Elemente", "Gesendete Objekte", "Enviados"),
        *("Elementos enviados", "Inviati", "Posta inviata", "Verzonden items", "Itens Enviados", "Wysłane"),
        *("Elementy wysłane", "INBOX/Sent", "INBOX/Envoyés", "INBOX/OUTBOX", "[Gmail]/Messages envoyés"),
        *("[Google Mail]/Gesendet", "E\u0301le\u0301ments envoye\u0301s"),
    ],
)
def test_sent_folders_of_many_clients_are_known_by_name(name: str) -> None:
    line = b'() "/" "%s"' % encode_name(name)
    assert list(roles(line).values()) == [FolderRole.SENT]


def test_separator_and_personal_prefix_are_respected() -> None:
    courier = Namespaces(personal=("INBOX.",))
    assert roles(b'() "." INBOX.Sent', b'() "." "INBOX.Brouillons"', namespaces=courier) == {
        "INBOX.Sent": FolderRole.SENT,
        "INBOX.Brouillons": FolderRole.DRAFTS,
    }


def test_other_roles_are_known_by_name() -> None:
    assert roles(
        b'() "/" Corbeille',
        b'() "/" "Courrier ind&AOk-sirable"',
        b'() "/" "Papierkorb"',
        b'() "/" Archives',
        b'() "/" "[Gmail]/Tous les messages"',
    ) == {
        "Corbeille": FolderRole.TRASH,
        "Courrier indésirable": FolderRole.JUNK,
        "Papierkorb": FolderRole.TRASH,
        "Archives": FolderRole.ARCHIVE,
        "[Gmail]/Tous les messages": FolderRole.ALL,
    }


@pytest.mark.parametrize("name", ["Customers/Sent", "INBOX/Customers/Sent", "Sentinel", "Not sent", "Notes"])
def test_a_users_own_folder_has_no_role(name: str) -> None:
    assert roles(b'() "/" "%s"' % name.encode()) == {name: FolderRole.OTHER}


def test_folders_of_others_have_no_role() -> None:
    namespaces = Namespaces(personal=("",), foreign=("user/", "Shared/"))
    assert roles(b'(\\Sent) "/" "user/bob/Sent"', b'() "/" "Shared/Sent"', namespaces=namespaces) == {
        "user/bob/Sent": FolderRole.OTHER,
        "Shared/Sent": FolderRole.OTHER,
    }


def test_what_cannot_be_opened_is_marked() -> None:
    found = folders(listed(b'(\\Noselect) "/" "[Gmail]"', b'(\\NonExistent) "/" x'), Namespaces())
    assert [folder.selectable for folder in found] == [False, False]


def test_names_come_quoted_bare_numeric_and_as_literals() -> None:
    names = [
        item.name
        for item in listed(
            b'() "/" "a \\"b\\" \\\\c"',
            b'() "/" 2024',
            (b'() "/" {9}', b'odd "name'),
            b"",
            b"() NIL flat",
            b'() "/" NIL',
        )
    ]
    assert names == [b'a "b" \\c', b"2024", b'odd "name', b"flat", b"NIL"]


def test_a_backslash_may_separate() -> None:
    assert listed(b'() "\\\\" "a\\\\b"') == [Listed(b"a\\b", "\\", frozenset())]


def test_a_name_that_would_be_a_command_is_passed_over() -> None:
    assert listed((b'() "/" {15}', b'x"\r\nA1 DELETE y'), b"", b'() "/" ok') == [
        Listed(b"ok", "/", frozenset())
    ]


def test_lines_that_are_none_are_passed_over() -> None:
    assert listed(b"", b"nonsense", b'() "/" ok') == [Listed(b"ok", "/", frozenset())]


@pytest.mark.parametrize("name", ["Envoyés", "R&D", "日本語", "a😀b", 'quo"te', "back\\slash", "~peter/mail"])
def test_names_survive_modified_utf_7(name: str) -> None:
    assert decode_name(encode_name(name)) == name


@pytest.mark.parametrize(
    ("raw", "clear"),
    [
        (b"R&D", "R&D"),
        (b"broken &AO", "broken &AO"),
        (b"&2D0-", "&2D0-"),  # half of a surrogate pair
        ("Envoyés".encode(), "Envoyés"),
        (b"Envoy\xe9s", "Envoyés"),
    ],
)
def test_a_broken_name_is_shown_as_well_as_can_be(raw: bytes, clear: str) -> None:
    assert decode_name(raw) == clear


def test_a_broken_name_keeps_its_way_back() -> None:
    found = references(listed(b'() "/" "R&D"', b'() "/" "Plain"'))
    assert {ref: item.name for ref, item in found.items()} == {"R&D": b"R&D", "Plain": b"Plain"}


def test_two_names_that_read_alike_stay_two_folders() -> None:
    found = references(listed(b'() "/" "Envoy\xe9s"', b'() "/" "Envoy&AOk-s"'))
    assert sorted(item.name for item in found.values()) == [b"Envoy&AOk-s", b"Envoy\xe9s"]
    assert found["Envoyés"].name == b"Envoy&AOk-s"


@pytest.mark.parametrize(
    ("line", "personal", "foreign"),
    [
        (b'(("" "/")) NIL NIL', ("",), ()),
        (b'(("INBOX." ".")) NIL (("#shared." ".")("#public." "."))', ("INBOX.",), ("#shared.", "#public.")),
        (b'(("" "/")) (("user/" "/")) (("" "/"))', ("",), ("user/",)),
        (b'(("" "/" "X-PARAM" ("FLAG1" "FLAG2"))) NIL NIL', ("",), ()),
        (b'(("a)b" "/")) NIL NIL', ("a)b",), ()),
        (b"NIL NIL NIL", ("",), ()),
        (b"", ("",), ()),
    ],
)
def test_namespaces_are_read(line: bytes, personal: tuple[str, ...], foreign: tuple[str, ...]) -> None:
    assert parse_namespaces(line) == Namespaces(personal, foreign)
