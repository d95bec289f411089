"""Which folders of a mailbox are read, and when a folder that is not there is an error."""

import pytest

from connectors.model import Folder, FolderRole
from syncd.engine.folders import Choice, choose

INBOX = Folder("INBOX", FolderRole.INBOX)
SENT = Folder("Sent", FolderRole.SENT)
ENVOYES = Folder("Éléments envoyés", FolderRole.SENT)
ALL = Folder("[Gmail]/Tous les messages", FolderRole.ALL)
ARCHIVE = Folder("Archive", FolderRole.ARCHIVE)
CRM = Folder("CRM", FolderRole.OTHER)
TRASH = Folder("Corbeille", FolderRole.TRASH)
DRAFTS = Folder("Brouillons", FolderRole.DRAFTS)
JUNK = Folder("Indésirables", FolderRole.JUNK)
EVERYTHING = [INBOX, SENT, ARCHIVE, CRM, TRASH, DRAFTS, JUNK]

BOTH = (("INBOX", "inbox"), ("Sent", "sent"))


def read(choice: Choice) -> set[str]:
    return {ref for ref, _ in choice.folders}


def calm(choice: Choice) -> bool:
    return not choice.missing and not choice.unknown


# --- the usual ones -----------------------------------------------------------------------------------


def test_inbox_and_sent_are_read_unless_the_config_says_otherwise() -> None:
    choice = choose(EVERYTHING, None, [])
    assert choice.folders == BOTH
    assert calm(choice)


def test_where_there_is_an_all_mail_folder_it_is_the_only_one() -> None:
    choice = choose([*EVERYTHING, ALL], None, [])
    assert choice.folders == ((ALL.ref, "all"),)
    assert calm(choice)


def test_the_sent_folder_is_found_by_its_role_whatever_its_name() -> None:
    assert read(choose([INBOX, ENVOYES], None, [])) == {"INBOX", ENVOYES.ref}


def test_the_inbox_keeps_the_servers_own_spelling() -> None:
    assert choose([Folder("Inbox", FolderRole.INBOX)], None, []).folders == (("Inbox", "inbox"),)


def test_of_two_folders_with_one_role_the_first_is_read() -> None:
    assert read(choose([INBOX, SENT, ENVOYES], None, [])) == {"INBOX", "Sent"}


def test_a_folder_that_cannot_be_selected_is_not_read() -> None:
    unusable = Folder("Sent", FolderRole.SENT, selectable=False)
    assert read(choose([INBOX, unusable, ENVOYES], None, [])) == {"INBOX", ENVOYES.ref}


def test_a_mailbox_without_a_sent_folder_is_in_order() -> None:
    choice = choose([INBOX], None, [])
    assert (read(choice), calm(choice)) == ({"INBOX"}, True)


@pytest.mark.parametrize("listed", [[], [TRASH, DRAFTS], [SENT]])
def test_a_mailbox_that_shows_no_inbox_is_not_in_order(listed: list[Folder]) -> None:
    assert not calm(choose(listed, None, []))


# --- as configured ------------------------------------------------------------------------------------


def test_folders_are_read_by_their_names() -> None:
    choice = choose(EVERYTHING, ["CRM", "Archive"], [])
    assert choice.folders == (("CRM", "other"), ("Archive", "archive"))
    assert calm(choice)


@pytest.mark.parametrize("name", ["INBOX", "inbox", "Inbox", "\\Inbox"])
@pytest.mark.parametrize("ref", ["INBOX", "Inbox"])
def test_the_inbox_is_named_in_any_case(name: str, ref: str) -> None:
    choice = choose([Folder(ref, FolderRole.INBOX)], [name], [])
    assert (read(choice), calm(choice)) == ({ref}, True)


def test_only_the_inbox_is_named_in_any_case() -> None:
    choice = choose(EVERYTHING, ["crm"], [])
    assert (choice.folders, choice.unknown) == ((), ("crm",))


@pytest.mark.parametrize("name", ["\\Sent", "\\sent", "\\SENT"])
def test_a_role_stands_for_the_folder_that_has_it(name: str) -> None:
    assert read(choose([INBOX, ENVOYES], [name], [])) == {ENVOYES.ref}


def test_a_folder_named_twice_is_read_once() -> None:
    assert choose(EVERYTHING, ["Sent", "\\Sent", "Sent"], []).folders == (("Sent", "sent"),)


def test_a_configured_folder_that_is_not_there_is_told() -> None:
    choice = choose(EVERYTHING, ["INBOX", "Clients"], [])
    assert (read(choice), choice.unknown) == ({"INBOX"}, ("Clients",))


@pytest.mark.parametrize("folder", [TRASH, DRAFTS, JUNK])
def test_drafts_junk_and_trash_are_never_read_and_whoever_names_them_is_told(folder: Folder) -> None:
    for name in (folder.ref, f"\\{folder.role.value}"):
        choice = choose(EVERYTHING, ["INBOX", name], [])
        assert read(choice) == {"INBOX"}
        assert choice.never == (name,)


# --- as it was ----------------------------------------------------------------------------------------


def test_a_role_that_moved_to_another_folder_takes_that_one() -> None:
    choice = choose([INBOX, ENVOYES], None, BOTH)
    assert (read(choice), calm(choice)) == ({"INBOX", ENVOYES.ref}, True)


def test_a_role_that_moved_while_its_old_folder_stays_takes_the_new_one() -> None:
    plain = Folder("Sent", FolderRole.OTHER)
    choice = choose([INBOX, plain, ENVOYES], None, BOTH)
    assert (read(choice), calm(choice)) == ({"INBOX", ENVOYES.ref}, True)


def test_a_folder_that_nothing_replaces_is_missing_and_stays_chosen() -> None:
    choice = choose([INBOX], None, BOTH)
    assert (choice.folders, choice.missing) == (BOTH, frozenset({"Sent"}))


def test_a_folder_that_is_back_is_not_missing() -> None:
    choice = choose([INBOX, SENT], None, choose([INBOX], None, BOTH).folders)
    assert (choice.folders, calm(choice)) == (BOTH, True)


def test_a_folder_that_became_unselectable_is_missing() -> None:
    choice = choose([INBOX, Folder("Sent", FolderRole.SENT, selectable=False)], None, BOTH)
    assert choice.missing == {"Sent"}


def test_a_configured_folder_that_was_renamed_is_missing_once() -> None:
    choice = choose([INBOX, Folder("Clients", FolderRole.OTHER)], ["CRM"], [("CRM", "other")])
    assert (choice.folders, choice.unknown) == ((("CRM", "other"),), ())
    assert choice.missing == {"CRM"}


def test_a_folder_without_a_role_is_not_replaced_by_another_without_one() -> None:
    other = Folder("Projets", FolderRole.OTHER)
    choice = choose([INBOX, other], ["CRM", "Projets"], [("CRM", "other"), ("Projets", "other")])
    assert choice.missing == {"CRM"}


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("wanted", [["INBOX"], None])
def test_a_folder_that_the_config_does_not_name_any_more_is_left_without_an_error(
    wanted: list[str] | None, gone: bool
) -> None:
    listed = [INBOX, SENT] if gone else [INBOX, SENT, CRM]
    choice = choose(listed, wanted, [("INBOX", "inbox"), ("CRM", "other")])
    assert "CRM" not in read(choice)
    assert calm(choice)


def test_an_all_mail_folder_that_appears_replaces_inbox_and_sent() -> None:
    for listed in ([INBOX, SENT, ALL], [ALL]):
        choice = choose(listed, None, BOTH)
        assert (read(choice), calm(choice)) == ({ALL.ref}, True)


def test_an_all_mail_folder_that_is_hidden_is_missing_and_the_others_are_read() -> None:
    choice = choose([INBOX, SENT], None, [(ALL.ref, "all")])
    assert read(choice) == {"INBOX", "Sent", ALL.ref}
    assert choice.missing == {ALL.ref}


def test_the_folder_of_a_configured_role_that_vanishes_is_missing() -> None:
    choice = choose([INBOX], ["INBOX", "\\Sent"], BOTH)
    assert choice.missing == {"Sent"}


def test_an_inbox_that_vanishes_is_an_error_however_the_config_spells_it() -> None:
    for wanted in (None, ["INBOX"], ["inbox"], ["\\Inbox"]):
        assert not calm(choose([CRM], wanted, [("INBOX", "inbox")]))
