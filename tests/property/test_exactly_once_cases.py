"""What the state machine of `test_exactly_once` found, each case by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import CollectionRefused, Unreachable
from connectors.testing import MemoryMailbox
from syncd.engine import mail as engine_mail
from syncd.engine.report import CycleReport
from tests.property.office import (
    CLAIRE,
    CONTACTS,
    DENIS,
    LOGINS,
    MARTHA,
    MESSAGES,
    PAUL,
    Office,
    Rows,
    fast,
    number_anew,
)
from tests.servers.world import NOW, PDF, mail

in_a_hurry = pytest.fixture(autouse=True)(fast)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches and several commits, with few messages."""
    monkeypatch.setattr(engine_mail, "HEADS", 3)
    monkeypatch.setattr(engine_mail, "GROUP", 2)


@pytest.fixture
def mailboxes() -> dict[str, MemoryMailbox]:
    return {login: MemoryMailbox(login) for login in LOGINS}


@pytest.fixture
def office(sqlite_template: Path, tmp_path: Path, mailboxes: dict[str, MemoryMailbox]) -> Iterator[Office]:
    """An installation that knows every contact."""
    made = Office(tmp_path / "office", sqlite_template, mailboxes)
    for email in CONTACTS:
        made.add_contact(email)
    yield made
    made.close()


def audited(office: Office) -> Rows:
    return office.rows(
        "SELECT c.remote_ref, v.uid, v.verdict FROM verdict v JOIN collection c ON c.id = v.collection_id"
    )


@pytest.mark.parametrize("how", ["broken", "withheld later"])
def test_a_matching_message_that_cannot_be_read_is_quarantined_and_the_folder_goes_on(
    office: Office, mailboxes: dict[str, MemoryMailbox], how: str
) -> None:
    box = mailboxes["claire"]
    for number in (0, 1, 9):
        box.deliver("INBOX", MESSAGES[number], received_at=NOW)
    if how == "broken":
        box.break_body("INBOX", 2)
    else:
        box.before("bodies", lambda: box.withhold("INBOX", 2))  # its header was there a moment ago
    report = office.cycle("claire")
    assert report.folder_errors == {}
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 7), ("INBOX", 3, 1)]
    box._folders["INBOX"].messages[2].withheld = box._folders["INBOX"].messages[2].broken = False
    office.cycle("claire", quarantined=True)
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 1), ("INBOX", 3, 1)]
    assert office.rows("SELECT * FROM quarantine") == []


def test_a_message_that_is_listed_and_not_returned_is_quarantined_and_the_folder_goes_on(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    box = mailboxes["claire"]
    for number in (0, 4, 9):
        box.deliver("INBOX", MESSAGES[number], received_at=NOW)
    box.withhold("INBOX", 2)
    assert office.cycle("claire").folder_errors == {}
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 7), ("INBOX", 3, 1)]
    box._folders["INBOX"].messages[2].withheld = False
    assert not office.cycle("claire").wrote
    office.cycle("claire", quarantined=True)
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 2), ("INBOX", 3, 1)]


def test_under_a_new_epoch_no_verdict_stands_at_another_message(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    for number in (0, 4):
        mailboxes["claire"].deliver("INBOX", MESSAGES[number], received_at=NOW)
    office.cycle("claire")
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 2)]
    number_anew(mailboxes["claire"], "INBOX")
    office.cycle("claire")
    assert audited(office) == [("INBOX", 1, 2), ("INBOX", 2, 1)]
    assert len(office.rows("SELECT * FROM activity")) == 1


def test_a_cycle_that_breaks_off_between_two_groups_passes_no_message(
    office: Office, mailboxes: dict[str, MemoryMailbox], small_batches: None
) -> None:
    """One look at headers, two groups: the cursor stands after the first group only."""
    box = mailboxes["claire"]
    for number in (0, 4, 9):
        box.deliver("INBOX", MESSAGES[number], received_at=NOW)
    box.fail("bodies", nth=2)
    assert office.cycle("claire").error is not None
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 2)]
    assert office.rows("SELECT cursor FROM collection WHERE role = 'inbox'") == [(2,)]
    office.cycle("claire")
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 2, 2), ("INBOX", 3, 1)]


def test_what_a_batch_that_died_left_of_attachments_goes_with_the_next_cycle(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    office.cycle("claire")
    with office.blobs.batch() as batch:
        batch.add([b"of a mail that is gone"], limit=1000)
        batch.publish()
    assert office.files() != set()
    assert not office.cycle("claire").wrote  # not even where there is nothing else to do
    assert office.files() == set()


def test_a_matching_message_that_vanishes_before_its_body_is_read_has_no_verdict(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    box = mailboxes["claire"]
    for number in (0, 1, 9):
        box.deliver("INBOX", MESSAGES[number], received_at=NOW)
    box.before("bodies", lambda: box.expunge("INBOX", 2))
    assert office.cycle("claire").folder_errors == {}
    assert audited(office) == [("INBOX", 1, 1), ("INBOX", 3, 1)]
    assert not office.cycle("claire").wrote


@pytest.mark.parametrize("before", ["heads", "bodies"])
def test_a_quarantined_message_that_is_deleted_leaves_the_quarantine(
    office: Office, mailboxes: dict[str, MemoryMailbox], before: str
) -> None:
    box = mailboxes["claire"]
    box.deliver("INBOX", MESSAGES[0], received_at=NOW)
    box.break_body("INBOX", 1)
    office.cycle("claire")
    assert len(office.rows("SELECT * FROM quarantine")) == 1
    box._folders["INBOX"].messages[1].broken = False
    box.before(before, lambda: box.expunge("INBOX", 1))
    office.cycle("claire", quarantined=True)
    assert office.rows("SELECT * FROM quarantine") == []


@pytest.mark.parametrize("message_id", ["<8@mail.example>", ""])
def test_of_two_copies_with_other_attachments_those_of_the_one_not_kept_leave_no_file(
    office: Office, mailboxes: dict[str, MemoryMailbox], message_id: str
) -> None:
    for content in (PDF + b"6", PDF + b"7"):
        raw = mail(8, MARTHA, CLAIRE, attachments={"e.pdf": content}, message_id=message_id)
        mailboxes["claire"].deliver("INBOX", raw, received_at=NOW)
    office.cycle("claire")
    office.cycle("claire")
    kept = {sha for (sha,) in office.rows("SELECT sha256 FROM email_attachment")}
    assert len(kept) == 1
    assert office.files() == kept


def test_a_thread_that_is_logged_while_a_strangers_answer_is_judged_takes_it_in(
    sqlite_template: Path, tmp_path: Path, mailboxes: dict[str, MemoryMailbox]
) -> None:
    office = Office(tmp_path / "office", sqlite_template, mailboxes, follow_threads=True)

    def denis_is_read() -> None:
        assert not office.cycle("denis").failed

    try:
        office.add_contact(PAUL)
        answer = mail(21, "someone@stranger.example", CLAIRE, "Re: Projet", reply_to=["20"])
        for raw in (answer, mail(22, PAUL, CLAIRE, "Autre chose")):
            mailboxes["claire"].deliver("INBOX", raw, received_at=NOW)
        mailboxes["denis"].deliver("INBOX", mail(20, PAUL, DENIS, "Projet"), received_at=NOW)
        mailboxes["claire"].before("bodies", denis_is_read)
        for login in ("claire", "denis", "claire"):
            assert not office.cycle(login).failed
        assert [subject for (subject,) in office.rows("SELECT subject FROM email_message")] == [
            "Autre chose",
            "Projet",
            "Re: Projet",
        ]
        assert not office.cycle("claire").wrote
    finally:
        office.close()


def test_an_error_that_differs_in_its_numbers_only_is_said_once(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    """Servers add the time of day and how long it took them."""
    box = mailboxes["claire"]
    office.cycle("claire")

    def refused(at: int) -> CycleReport:
        box.fail(
            "state",
            lambda: CollectionRefused(
                f"Internal error [12:00:0{at}] ({' + '.join(['0.001'] * at)} secs)", collection=""
            ),
        )
        return office.cycle("claire")

    def unreachable(at: int) -> CycleReport:
        box.fail("connect", lambda: Unreachable(f"Try again, queue id {at}"))
        return office.cycle("claire")

    assert refused(1).wrote
    reports = [refused(2), refused(3)]
    assert [(list(report.folder_errors), report.wrote) for report in reports] == [(["INBOX"], False)] * 2
    assert office.cycle("claire").wrote  # it is over
    unreachable(1)
    before = office.everything()
    assert unreachable(2).error == "Try again, queue id 2"
    assert office.everything() == before
    box.fail("connect", lambda: Unreachable("Something else"))
    office.cycle("claire")
    assert office.everything() != before
