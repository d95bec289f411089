"""What a person orders while a cycle is under way stands, whatever the cycle finds out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.testing import MemoryMailbox
from store import mailboxes as store_mailboxes
from store.sync_state import MailboxState
from syncd.engine import mail as engine_mail
from tests.property.office import CLAIRE, LOGINS, PAUL, Office
from tests.servers.world import NOW, mail

RUNNING, PAUSED, STOPPED = MailboxState.RUNNING, MailboxState.PAUSED, MailboxState.STOPPED
ATTENTION = MailboxState.NEEDS_ATTENTION


@pytest.fixture
def mailboxes() -> dict[str, MemoryMailbox]:
    return {login: MemoryMailbox(login) for login in LOGINS}


@pytest.fixture
def office(sqlite_template: Path, tmp_path: Path, mailboxes: dict[str, MemoryMailbox]) -> Iterator[Office]:
    made = Office(tmp_path / "office", sqlite_template, mailboxes)
    made.add_contact(PAUL)
    yield made
    made.close()


def order(office: Office, state: MailboxState) -> None:
    """As `syncd pause`, `resume` and `stop` do."""
    with office.database.write() as session:
        store_mailboxes.change_state(session, "claire", state, NOW, actor="root")


def state(office: Office) -> tuple[object, ...]:
    """The state, and whether anything is said that a person should do."""
    (row,) = office.rows("SELECT state, attention IS NULL FROM mailbox WHERE name = 'claire'")
    return row


@pytest.mark.parametrize("ordered", [None, PAUSED, STOPPED])
def test_a_mailbox_that_is_paused_or_stopped_while_its_login_is_refused_stays_so(
    office: Office, mailboxes: dict[str, MemoryMailbox], ordered: MailboxState | None
) -> None:
    mailboxes["claire"].login_refused = True
    if ordered is not None:
        mailboxes["claire"].before("connect", lambda: order(office, ordered))

    assert "refused" in str(office.cycle("claire").error)

    expected = (ATTENTION.name, False) if ordered is None else (ordered.name, True)
    assert state(office) == expected


@pytest.mark.parametrize("ordered", [None, PAUSED, STOPPED])
def test_a_mailbox_that_is_paused_or_stopped_while_new_credentials_are_accepted_stays_so(
    office: Office, mailboxes: dict[str, MemoryMailbox], ordered: MailboxState | None
) -> None:
    needs_attention(office)
    mailboxes["claire"].deliver("INBOX", mail(1, PAUL, CLAIRE), received_at=NOW)
    if ordered is not None:
        mailboxes["claire"].before("connect", lambda: order(office, ordered))

    assert office.cycle("claire").error is None

    assert state(office) == ((ordered or RUNNING).name, True)
    assert len(office.rows("SELECT * FROM verdict")) == (ordered is None)


def test_a_mailbox_that_is_resumed_while_other_credentials_are_refused_is_tried_again(
    office: Office, mailboxes: dict[str, MemoryMailbox]
) -> None:
    needs_attention(office)
    mailboxes["claire"].login_refused = True
    mailboxes["claire"].before("connect", lambda: order(office, RUNNING))

    assert office.cycle("claire").error is not None
    assert state(office) == (RUNNING.name, True)

    mailboxes["claire"].login_refused = False
    assert office.cycle("claire").error is None


def test_a_cycle_ends_after_the_batch_in_which_its_mailbox_is_paused(
    office: Office, mailboxes: dict[str, MemoryMailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_mail, "HEADS", 1)
    for number in range(3):
        mailboxes["claire"].deliver("INBOX", mail(number, PAUL, CLAIRE), received_at=NOW)
    mailboxes["claire"].before("bodies", lambda: order(office, PAUSED))

    assert not office.cycle("claire").failed
    assert state(office) == (PAUSED.name, True)
    assert office.rows("SELECT uid FROM verdict") == [(1,)]

    order(office, RUNNING)
    assert not office.cycle("claire").failed
    assert office.rows("SELECT uid FROM verdict") == [(1,), (2,), (3,)]


def needs_attention(office: Office) -> None:
    """The credentials were refused, and are other ones now."""
    with office.database.write() as session:
        store_mailboxes.set_state(
            session, "claire", ATTENTION, NOW, attention="The login was refused.", refused_with="the old ones"
        )
