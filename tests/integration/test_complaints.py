"""What users of other systems complain about, replayed. Each test bears the number of its thread."""

from datetime import timedelta
from pathlib import Path

import pytest

from connectors.errors import Unreachable
from store.sync_state import MailboxState
from syncd.engine.audit import audit
from tests.servers.proxy import CuttingProxy
from tests.servers.world import NOW, PDF, World, mail
from tests.servers.worlds import on_both

CLAIRE = "claire@acme.example"
PAUL = "Paul <paul@client.example>"


@pytest.fixture
def company(lite_world: World) -> World:
    """Claire, and her customer Paul."""
    lite_world.add_user("claire")
    lite_world.add_contact(lite_world.add_account("Client SA"), "paul@client.example")
    return lite_world


def subjects(world: World) -> list[str]:
    return [str(subject) for (subject,) in world.rows("SELECT subject FROM email_message ORDER BY subject")]


@on_both
def test_thread_1_no_message_is_missing_without_the_audit_saying_so(company: World) -> None:
    ugly = [
        b"\r\n",
        b"no header at all",
        b"From: \xff\xfe\r\n\r\n\x00",
        b"Subject: =?x?b?\r\nFrom: paul@client.example\r\n\r\nx",
    ]
    company.deliver("claire", "INBOX", *ugly, *(mail(i, PAUL, CLAIRE, f"S{i}") for i in range(20)))
    company.sync()
    installation = company.open()
    try:
        assert audit(installation.database, installation.connect("claire"), "claire", wanted=None).green
        with installation.database.write() as session:
            session.connection().exec_driver_sql("DELETE FROM verdict WHERE uid = 7")
        report = audit(
            installation.database, installation.connect("claire"), "claire", wanted=None, mend=True
        )
        assert [(folder.ref, folder.missing) for folder in report.folders if not folder.green] == [
            ("INBOX", [7])
        ]
    finally:
        installation.close()
    company.sync()
    assert company.one("SELECT count(*) FROM verdict") == 24


def test_thread_2_the_cursor_never_passes_a_message_that_was_not_read(company: World) -> None:
    company.deliver(
        "claire",
        "INBOX",
        *(mail(i, PAUL, CLAIRE, f"S{i:02}", attachments={"a.pdf": PDF * 9}) for i in range(12)),
    )
    seen = []
    for cut in (30_000, 60_000, 90_000, 200_000):
        with CuttingProxy(company.server.port) as proxy:
            proxy.cut_after = cut
            company.port = proxy.port
            company.sync()
        cursor = company.one("SELECT coalesce(max(cursor), 0) FROM collection WHERE role = 'inbox'")
        verdicts = company.one("SELECT count(*) FROM verdict")
        assert cursor == verdicts
        seen.append(verdicts)
    company.port = None
    company.sync()
    assert subjects(company) == [f"S{i:02}" for i in range(12)]
    assert seen[0] == 0


def test_thread_3_what_was_logged_stays_when_the_mailbox_loses_it(company: World) -> None:
    names = company.server.deliver(
        company.users["claire"], "INBOX", [mail(i, PAUL, CLAIRE, f"S{i}") for i in range(4)]
    )
    company.deliver("claire", "Sent", mail(9, CLAIRE, PAUL, "Envoyé"))
    company.sync()
    for name in names[:3]:
        company.server.expunge(company.users["claire"], "INBOX", name)
    company.server.delete_folder(company.users["claire"], "Sent")
    company.sync()
    assert subjects(company) == ["Envoyé", "S0", "S1", "S2", "S3"]
    assert company.one("SELECT count(*) FROM activity") == 5


@on_both
def test_thread_4_a_mailbox_that_reads_nothing_is_not_called_in_order(company: World) -> None:
    company.mailbox_keys["claire"] = 'mail_folders = ["Dossier absent"]'
    report = company.sync()["claire"]
    assert report.failed
    assert "Dossier absent" in report.folder_errors


@on_both
def test_thread_6_private_mail_and_folders_outside_the_choice_are_left_alone(company: World) -> None:
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "Marqué"), flags=("$Private",))
    company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Sensible", headers={"Sensitivity": "Private"}))
    company.deliver("claire", "INBOX", mail(3, PAUL, CLAIRE, "Ordinaire"))
    company.deliver("claire", "Perso", mail(4, PAUL, CLAIRE, "Dans un autre dossier"))
    company.sync()
    assert subjects(company) == ["Ordinaire"]
    assert company.one("SELECT count(*) FROM verdict WHERE verdict = 5") == 2


@on_both
def test_thread_6_only_what_the_user_files_into_a_chosen_folder(company: World) -> None:
    company.mailbox_keys["claire"] = 'mail_folders = ["CRM"]'
    company.deliver("claire", "CRM", mail(1, PAUL, CLAIRE, "Choisi"))
    company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Pas choisi"))
    company.sync()
    assert subjects(company) == ["Choisi"]


@on_both
def test_thread_7_an_own_address_as_a_contact_exposes_nothing(company: World) -> None:
    company.add_contact(company.add_account("Moi-même"), CLAIRE)
    company.deliver(
        "claire",
        "INBOX",
        mail(1, "denis@elsewhere.example", CLAIRE, "Privé"),
        mail(2, CLAIRE, CLAIRE, "Note à moi"),
        mail(3, CLAIRE, "denis@elsewhere.example", "Réponse"),
    )
    company.sync()
    assert subjects(company) == []
    assert company.one("SELECT count(*) FROM activity") == 0


@pytest.mark.parametrize(
    "spelling", ["<1@mail.example>", "1@mail.example", " <1@mail.example> ", "<1@mail.example> (comment)"]
)
@on_both
def test_thread_8_a_message_id_spelt_otherwise_is_the_same_message(company: World, spelling: str) -> None:
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE), mail(2, PAUL, CLAIRE, message_id=spelling))
    company.sync()
    assert company.one("SELECT count(*) FROM email_message") == 1


@on_both
def test_thread_9_a_failure_in_the_middle_of_a_mail_leaves_no_half_of_it(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, attachments={"a.pdf": PDF, "b.pdf": PDF + b"2"}))
    real = Path.replace

    def fails(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise Unreachable("the disk is gone")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    assert company.sync()["claire"].error is not None
    monkeypatch.undo()
    for table in ("email_message", "email_attachment", "activity", "verdict"):
        assert company.one(f"SELECT count(*) FROM {table}") == 0
    company.sync()
    assert company.one("SELECT count(*) FROM email_attachment") == 2
    assert len(company.files()) == 2


@on_both
def test_thread_11_sent_mail_is_logged(company: World) -> None:
    company.deliver("claire", "Sent", mail(1, CLAIRE, PAUL, "De moi"))
    company.sync()
    assert company.rows("SELECT subject, direction FROM email_message") == [("De moi", "SENT")]


@on_both
def test_thread_19_a_thread_survives_a_changed_subject(company: World) -> None:
    (account,) = [row[0] for row in company.rows("SELECT id FROM account")]
    assert isinstance(account, int)
    company.add_opportunity(account, "OPP-1")
    wanted = company.add_opportunity(account, "OPP-2")
    company.deliver(
        "claire",
        "INBOX",
        mail(1, PAUL, CLAIRE, "OPP-2 : devis", at=NOW - timedelta(days=3)),
        mail(2, PAUL, CLAIRE, "Tout autre chose", reply_to=["1"], at=NOW - timedelta(days=2)),
    )
    company.deliver(
        "claire",
        "Sent",
        mail(3, CLAIRE, PAUL, "Encore autre", reply_to=["1", "2"], at=NOW - timedelta(days=1)),
    )
    company.sync()
    assert company.rows("SELECT DISTINCT thread_key FROM email_message") == [("1@mail.example",)]
    assert company.rows("SELECT DISTINCT opportunity_id FROM activity") == [(wanted,)]


@on_both
def test_thread_20_a_colleagues_copy_is_linked_and_not_dropped(company: World) -> None:
    company.add_user("denis")
    message = mail(1, PAUL, [CLAIRE, "denis@acme.example"], "À vous deux")
    company.deliver("claire", "INBOX", message)
    company.sync("claire")
    company.deliver("denis", "INBOX", b"Received: from relay.example\r\n" + message)
    company.sync("denis")
    assert company.one("SELECT count(*) FROM email_message") == 1
    assert company.one("SELECT count(*) FROM email_user") == 2
    assert company.rows("SELECT verdict FROM verdict") == [(1,), (1,)]


@on_both
def test_thread_5_a_refused_login_is_told_and_nothing_is_lost(company: World) -> None:
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "Avant"))
    company.sync()
    good = company.users["claire"]
    company.users["claire"] = type(good)(good.username, "wrong")
    assert company.sync()["claire"].error is not None
    (state, attention) = company.rows("SELECT state, attention FROM mailbox")[0]
    assert state == MailboxState.NEEDS_ATTENTION.name
    assert "syncd resume claire" in str(attention)
    tries = company.server.refused()
    assert company.sync()["claire"].skipped is not None
    assert company.server.refused() == tries
    company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Pendant"))
    company.users["claire"] = good
    company.sync()
    assert subjects(company) == ["Avant", "Pendant"]
    assert company.one("SELECT state FROM mailbox") == MailboxState.RUNNING.name
