"""The message of a form: put into the Inbox of the one whom the form is for, and nowhere else (R113).

It is from its user to its user, so that an answer goes nowhere else either. Announced before it is put; what
was announced is looked for before it is put again, so that a kill at any step leaves one. Where there are
two all the same, since the first was moved out of the Inbox before it was looked for, both have one token:
whoever answers either has answered.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import structlog

from connectors.errors import CollectionError, ItemError
from connectors.model import FolderRole
from connectors.protocol import MailConnector
from store import report_mail
from store.database import Database
from store.report_mail import Letter
from syncd.core.identity import KeyedHash
from syncd.core.meetings.tokens import hash_of, tagged, token_of
from syncd.engine.meetings import texts
from syncd.engine.meetings.forms import FormRules

INBOX = "INBOX"  # what every connector calls it
VALID = timedelta(days=30)  # of a token (R113)
MOST_TRIES = 5  # with an outcome that stays unknown
LONGEST_SUBJECT = 150  # characters before the token, which no client may cut off

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Messages:
    """Puts messages. One object serves all mailboxes and threads."""

    def __init__(self, database: Database, rules: FormRules, hashed: KeyedHash) -> None:
        self._database = database
        self._rules = rules
        self._hashed = hashed

    def due(self, mailbox_id: int) -> int:
        """How many messages wait for the mailbox."""
        with self._database.read() as session:
            if not _answerable(report_mail.roles_read(session, mailbox_id)):
                return 0
            return len(report_mail.letters(session, mailbox_id))

    def put(self, mailbox_id: int, connector: MailConnector, now: datetime) -> Iterator[int]:
        """Everything that waits for the mailbox, which nobody else works on; gives the form of each message
        that is there now.

        Raises MailboxError, and OutcomeUnknown: the next cycle looks what became of it.
        """
        with self._database.write() as session:
            report_mail.drop_closed(session, mailbox_id)
            letters = report_mail.letters(session, mailbox_id)
            answerable = _answerable(report_mail.roles_read(session, mailbox_id))
        for letter in letters:
            if not letter.address.isascii():
                self._given_up(letter, "no answer would reach an address with letters that are not ASCII")
            elif not answerable:
                self._given_up(letter, "no folder Sent of the mailbox is read, so that no answer would count")
            elif self._put(letter, connector, now):
                yield letter.report_id

    def _put(self, letter: Letter, connector: MailConnector, now: datetime) -> bool:
        id_ = message_id(letter.report_id, letter.offered_at, self._rules.instance)
        try:
            if not (letter.announced and connector.holds(INBOX, id_)):
                if letter.announced >= MOST_TRIES:
                    self._given_up(letter, "whether the server takes it stays unknown")
                    return False
                token = token_of(bytes.fromhex(self._hashed.text(f"form:{id_}")))
                content = compose(letter, id_, token, now, letter.language or self._rules.language)
                with self._database.write() as session:
                    report_mail.announce(session, letter.report_id, hash_of(token), now + VALID)
                connector.put(INBOX, content)
        except (CollectionError, ItemError) as error:
            self._given_up(letter, str(error))
            return False
        self._settle(letter)
        log.info("the form of a meeting lies in the Inbox", action="form-mail", report=letter.report_id)
        return True

    def _given_up(self, letter: Letter, reason: str) -> None:
        """The form is in the task list all the same."""
        self._settle(letter)
        log.warning("the form of a meeting is not put into the Inbox: its task remains", action="form-mail",
                    report=letter.report_id, error=reason)  # fmt: skip

    def _settle(self, letter: Letter) -> None:
        with self._database.write() as session:
            report_mail.settle(session, letter.report_id)


def _answerable(roles: Collection[str]) -> bool:
    """Whether an answer would be read; true where it is not known yet which folders are."""
    return not roles or not {FolderRole.SENT.value, FolderRole.ALL.value}.isdisjoint(roles)


def message_id(report_id: int, offered_at: datetime, instance: str) -> str:
    """The Message-ID of a form's message, without angle brackets. The moment is in it, since a database that
    was put back from a backup gives the same numbers again."""
    return f"form-{report_id}-{offered_at:%Y%m%dT%H%M%S}@{instance}.syncd"


def compose(letter: Letter, id_: str, token: str, now: datetime, language: str) -> bytes:
    """The message (RFC 5322, with CRLF)."""
    message = EmailMessage(policy=SMTP)
    message["From"] = message["Reply-To"] = message["To"] = letter.address
    named = " ".join(letter.subject.split())
    subject = texts.subject_of(named, language, call=letter.call)[:LONGEST_SUBJECT]
    message["Subject"] = tagged(subject.rstrip(), token)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{id_}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice answers it
    message.set_content(texts.letter_of(letter.block, language), cte="quoted-printable")
    return message.as_bytes()
