"""Drafts of mails in the folder Drafts of their user's mailbox (R155, R048). Nobody is mailed.

Announced before one is put; what was announced is looked for before it is put again, in Drafts and in Sent,
where it lies if its user was quick. So a kill at any step leaves one. Where that cannot be looked up, the
draft is held back for some hours, as what lies in quarantine is.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import structlog

from connectors.errors import CollectionError, ItemError, SyncdError
from connectors.model import FolderRole
from connectors.protocol import MailConnector
from store import outbound
from store.database import Database
from store.outbound import Waiting
from syncd.engine.report import is_news

MOST_TRIES = 5
RETRY_AFTER = timedelta(hours=6)  # of what is held back, as of what lies in quarantine

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Drafting:
    """Puts drafts. One object serves all mailboxes and threads."""

    def __init__(self, database: Database, instance: str) -> None:
        """`instance` tells this installation's ids of messages from those of others."""
        self._database = database
        self._instance = instance

    def due(self, mailbox_id: int) -> int:
        """How many drafts wait for the mailbox."""
        with self._database.read() as session:
            return len(outbound.waiting(session, mailbox_id))

    def put(self, mailbox_id: int, connector: MailConnector, now: datetime) -> Iterator[int]:
        """Everything that waits for the mailbox, which nobody else works on; gives each draft that is there.

        Raises MailboxError, and OutcomeUnknown: the next cycle looks what became of it.
        """
        with self._database.read() as session:
            waiting = outbound.waiting(session, mailbox_id, now - RETRY_AFTER)
        if not waiting:
            return
        folders = connector.folders()
        drafts = [one.ref for one in folders if one.role is FolderRole.DRAFTS][:1]
        sent = [one.ref for one in folders if one.role is FolderRole.SENT]
        closed: CollectionError | None = None  # one folder that cannot be looked into is asked once
        for one in waiting:
            if not drafts:
                self._not_taken(one, "the mailbox has no folder for drafts")
                continue
            if one.announced and closed is not None:
                self._held(one, closed, now, told=True)
                continue
            try:
                lies = one.announced and self._lies(one, connector, (drafts[0], *sent))
            except (CollectionError, ItemError) as error:
                closed = error if isinstance(error, CollectionError) else None
                self._held(one, error, now)
                continue
            if lies:
                self._settled(one)
            elif not self._put(one, connector, drafts[0], now):
                continue
            yield one.id

    def _lies(self, one: Waiting, connector: MailConnector, places: Sequence[str]) -> bool:
        """Whether it is in Drafts, or where it may be by now. Raises CollectionError, ItemError."""
        id_ = message_id(one, self._instance)
        return any(connector.holds(ref, id_) for ref in places)

    def _put(self, one: Waiting, connector: MailConnector, drafts: str, now: datetime) -> bool:
        if one.announced >= MOST_TRIES:
            self._given_up(one, "the server has not taken it so far")
            return False
        content = compose(one, message_id(one, self._instance), now)
        with self._database.write() as session:
            outbound.announce(session, one.id)
        try:
            connector.put(drafts, content, draft=True)
        except (CollectionError, ItemError) as error:
            log.warning("a draft is not taken: it is tried again", action="draft", draft=one.id,
                        error=str(error))  # fmt: skip
            return False
        self._settled(one)
        return True

    def _settled(self, one: Waiting) -> None:
        with self._database.write() as session:
            outbound.settle(session, [one.id])
        log.info("a draft lies in Drafts", action="draft", draft=one.id)

    def _held(self, one: Waiting, error: SyncdError, now: datetime, *, told: bool = False) -> None:
        """It may be there: it is neither put again nor given up, but looked for later. Told once."""
        with self._database.write() as session:
            outbound.hold(session, one.id, str(error), now)
        if not told and is_news(str(error), one.error or None):
            log.warning("whether a draft is there cannot be looked up: it waits", action="draft",
                        draft=one.id, error=str(error))  # fmt: skip

    def _not_taken(self, one: Waiting, reason: str) -> None:
        """Counts the try; gives up after some."""
        if one.announced >= MOST_TRIES:
            self._given_up(one, reason)
            return
        with self._database.write() as session:
            outbound.announce(session, one.id)
        log.warning("a draft is not taken: it is tried again", action="draft", draft=one.id, error=reason)

    def _given_up(self, one: Waiting, reason: str) -> None:
        with self._database.write() as session:
            outbound.settle(session, [one.id])
        log.error("a draft was given up: nothing lies in Drafts", action="draft", draft=one.id, error=reason)


def message_id(one: Waiting, instance: str) -> str:
    """Without angle brackets. The moment is in it, since a database that was put back from a backup gives the
    same numbers again."""
    return f"draft-{one.id}-{one.made_at:%Y%m%dT%H%M%S}@{instance}.syncd"


def compose(one: Waiting, id_: str, now: datetime) -> bytes:
    """The message (RFC 5322, with CRLF)."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(one.sender, one.sender_name) or one.sender
    to = _address(one.to, one.to_name) if one.to else None
    if to is not None:
        message["To"] = to
    message["Subject"] = " ".join(one.subject.split())
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{id_}>"
    message.set_content(one.body, cte="quoted-printable")
    return message.as_bytes()


def _address(email: str, name: str) -> Address | None:
    """None for what no mail can be addressed to, though the CRM takes it ("anne@client.example."), and for
    what would be read as an encoded word (RFC 2047): the user completes it."""
    if not email.isascii() or "=?" in email:
        return None
    try:
        return Address(" ".join(name.split()), addr_spec=email)
    except (ValueError, MessageError):
        return None
