"""A company with branches and a manager, and records of several owners: who may do what with them.

Paul and Lea are of the branch Lyon and led by Mia, Max is of Paris; all four are standard users. Vera is
advanced, Odile admin.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from store import actors, csvfile
from store.activities import Activity, ActivityState, ActivityType
from store.actors import Actor, admin_at_machine
from store.database import Database
from store.importing import Occasion, Saved
from store.kinds import KINDS
from store.mail import EmailDirection, EmailMatch, EmailMessage, EmailUser, MatchRule
from store.mailboxes import MailboxRow, apply_config
from store.sync_state import Collection, CollectionKind, Mailbox, Quarantine, Run
from store.user_rows import UserRow
from store.users import UserRole
from syncd.engine import records

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
ADMIN = admin_at_machine("root")
USERS = {
    "mia": (UserRole.STANDARD, None, "Lille"),
    "paul": (UserRole.STANDARD, "mia", "Lyon"),
    "lea": (UserRole.STANDARD, "mia", "Lyon"),
    "max": (UserRole.STANDARD, None, "Paris"),
    "vera": (UserRole.ADVANCED, None, None),
    "odile": (UserRole.WORKSPACE_ADMIN, None, None),
}
FILES = {
    "accounts": (
        "ext_id,name,type,owner,public\nA1,Garage,client,paul,\nA2,Banque,client,max,\nA3,Libre,client,,\n"
        "A4,Ouvert,client,max,oui\n"
    ),
    "contacts": "ext_id,account,last_name\nC1,A1,Un\nC2,A2,Deux\nC3,A3,Trois\nC4,A4,Quatre\n",
    "projects": "ext_id,account,name\nP1,A1,Un\nP2,A2,Deux\nP3,A3,Trois\nP4,A4,Quatre\n",
    "deals": (
        "ext_id,project,title,status\nD1,P1,Un,SIGNED\nD2,P2,Deux,SIGNED\nD3,P3,Trois,SIGNED\n"
        "D4,P4,Quatre,SIGNED\n"
    ),
    "opportunities": "ext_id,account,title\nO1,A1,Un\nO2,A2,Deux\nO3,A3,Trois\nO4,A4,Quatre\n",
    "case_files": "ext_id,account,code,title\nF1,A1,1,Un\nF2,A2,2,Deux\n",
}


def load(database: Database, kind: str, rows: str, actor: Actor = ADMIN, now: datetime = NOW) -> Saved:
    """Writes rows as if they came in a file."""
    lines = csvfile.read(rows.encode(), KINDS[kind].headers)
    occasion = Occasion(actor, now, now.astimezone(PARIS).date(), "test.csv")
    with database.write() as session:
        return records.save(session, KINDS[kind], lines, occasion)


def user(database: Database, login: str) -> Actor:
    """That user, with the rights of the database's matrix."""
    with database.read() as session:
        return actors.user(session, login)


def settle(database: Database) -> None:
    """The users, a mailbox each, and the records: of each kind one on each of the four accounts."""
    users = [
        UserRow(login, login.title(), f"{login}@acme.example", (), role, None, None,
                manager=manager, branch=branch)
        for login, (role, manager, branch) in USERS.items()
    ]  # fmt: skip
    boxes = [
        MailboxRow(login, login, f"{login}@acme.example", "corp", sync_mail=True, sync_calendar=False,
                   direction="BOTH")
        for login in ("paul", "max")
    ]  # fmt: skip
    with database.write() as session:
        apply_config(session, users, boxes, NOW)
    for kind, rows in FILES.items():
        load(database, kind, rows)
    _mail(database)


def _mail(database: Database) -> None:
    """An e-mail and its activity on each account, seen in max's mailbox; a run and a message set aside in
    paul's and max's."""
    max_ = user(database, "max").user_id
    assert max_ is not None
    with database.write() as session:
        for id_ in (1, 2, 3, 4):
            session.add(
                EmailMessage(
                    id=id_, fingerprint=str(id_), thread_key="", direction=EmailDirection.SENT, from_=[],
                    to=[], cc=[], bcc=[], reply_to=[], in_reply_to=[], references=[], date=NOW,
                    subject=f"M{id_}", body_text="", body_html="", size=1, defects=[], created_at=NOW,
                    updated_at=NOW,
                )
            )  # fmt: skip
            session.flush()
            if id_ > 1:
                session.add(EmailUser(email_id=id_, user_id=max_))
            session.add(
                EmailMatch(email_id=id_, account_id=id_, rule=MatchRule.CONTACT, address="x@y.example")
            )
            session.add(
                Activity(
                    id=id_, type=ActivityType.CALL, account_id=id_, user_id=max_ if id_ == 4 else None,
                    occurred_at=NOW, subject=f"A{id_}", automatic=False, state=ActivityState.VALIDATED,
                    created_at=NOW, updated_at=NOW,
                )
            )  # fmt: skip
        for box in session.query(Mailbox).order_by(Mailbox.name):
            session.add(Run(ref=f"run-{box.name}", mailbox_id=box.id, started_at=NOW))
            folder = Collection(
                mailbox_id=box.id, kind=CollectionKind.MAIL_FOLDER, remote_ref="INBOX", role="inbox",
                selected=True, epoch="1", cursor=1,
            )  # fmt: skip
            session.add(folder)
            session.flush()
            session.add(
                Quarantine(
                    collection_id=folder.id, remote_ref="7", error="x", first_at=NOW, last_at=NOW, tries=1
                )
            )
