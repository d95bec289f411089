"""Answers by mail to the message of a form (R113).

Only what lies in Sent counts: its owner alone can put a message there, while anybody can send one into the
Inbox that claims to be from its owner. The token tells which form is meant. What is not taken changes
nothing, and is told in the log without a word of it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from connectors.mime import read_message
from connectors.model import Envelope, FolderRole
from connectors.protocol import MailConnector
from store import actors, report_mail
from store.audit_log import Channel
from store.database import Database, Transaction
from store.errors import Forbidden, Immutable, Invalid, NotFound
from store.mailboxes import FolderRow, MailboxView
from store.meetings import OPEN_REPORTS, ReportState
from store.report_mail import Addressed
from syncd.core.directory import Directory
from syncd.core.identity import fingerprint
from syncd.core.matching import DRAFT, Verdict
from syncd.core.meetings.tokens import MARK, hash_of, tokens_in
from syncd.engine.calendar.occasion import Occasion, Workplace
from syncd.engine.calendar.people import People
from syncd.engine.meetings import telling
from syncd.engine.meetings.messages import message_id
from syncd.engine.reading import Judged

ANSWERABLE = frozenset({*OPEN_REPORTS, ReportState.ANSWERED, ReportState.WAIVED})
BULK = frozenset({"bulk", "junk", "list", "auto_reply"})  # Precedence, as vacation programs write it
BY_ITSELF = ("x-autoreply", "x-autorespond", "x-auto-reply")

WRONG = (Forbidden, Immutable, Invalid, NotFound)
BROKEN = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
EVER = datetime.min.replace(tzinfo=UTC)
NOT_IN_SENT = "it does not lie in Sent"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that is an answer, if what is in it is one."""

    judged: Judged
    token: str
    in_all: bool  # it lies in All Mail, where received messages lie too


@dataclass(frozen=True, slots=True)
class Said:
    """What a reply says."""

    reply: Reply
    envelope: Envelope  # of the whole header
    text: str


def in_sent(reply: Reply, folder: FolderRow, connector: MailConnector) -> bool:
    """Whether the message lies in Sent: asked where its own folder does not say it. Raises as `holds`."""
    if not reply.in_all:
        return True
    sent = next((one.ref for one in connector.folders() if one.role is FolderRole.SENT), None)
    id_ = reply.judged.seen.envelope.message_id
    if sent is not None and id_ is not None and connector.holds(sent, id_, word=reply.token):
        return True
    _told(folder, reply.judged.uid, NOT_IN_SENT)
    return False


def said_in(reply: Reply, content: memoryview | bytes) -> Said:
    """Reads the message; of its attachments nothing. Raises ItemError."""
    message = read_message(content)
    return Said(reply, message.envelope, message.body_text)


class Replies:
    """Finds answers among judged messages, and takes them. One object serves all mailboxes and threads."""

    def __init__(self, database: Database, workplace: Workplace) -> None:
        self._database = database
        self._workplace = workplace

    def among(
        self,
        view: MailboxView,
        folder: FolderRow,
        judged: Sequence[Judged],
        directory: Directory,
        now: datetime,
    ) -> dict[int, Reply]:
        """The messages, by UID, whose bodies are worth reading. Costs a look at each subject."""
        marked = [one for one in judged if MARK in one.seen.envelope.subject.casefold()]
        tagged = {one.uid: found for one in marked if (found := tokens_in(one.seen.envelope.subject))}
        if not tagged:
            return {}
        with self._database.read() as session:
            hashes = {hash_of(one) for found in tagged.values() for one in found}
            forms = report_mail.addressed(session, hashes)
            taken = report_mail.taken(session, {_name(one) for one in marked})
        replies = {}
        for one in marked:
            if one.uid not in tagged or _name(one) in taken:
                continue
            token, *others = tagged[one.uid]
            form = None if others else forms.get(hash_of(token))
            if form is not None and one.seen.envelope.message_id == self._id_of(form):
                continue  # the form's own message
            why = _not_signed(one, view, folder, directory) or _not_due(form, one, view.user_id, now)
            if why:
                _told(folder, one.uid, why)
            else:
                in_all = FolderRole(folder.role) is FolderRole.ALL
                replies[one.uid] = Reply(one, token, in_all=in_all)
        return replies

    def take(
        self,
        session: Transaction,
        place: tuple[MailboxView, FolderRow],
        several: Sequence[Said],
        directory: Directory,
        now: datetime,
    ) -> int:
        """Answers the forms, in the caller's transaction, which was `alone` from its beginning. Returns how
        many messages were taken."""
        view, folder = place
        count = 0
        # In the order in which they came: a date says what its writer likes.
        for said in sorted(several, key=lambda one: one.reply.judged.uid):
            one, hashed = said.reply.judged, hash_of(said.reply.token)
            form = report_mail.addressed(session, [hashed]).get(hashed)
            why = _not_due(form, one, view.user_id, now) or _automatic(said.envelope)
            name = _name(one, said.text)
            if form is None or why:
                _told(folder, one.uid, why)
            elif _came(one, now) < (report_mail.newest_reply(session, form.report_id) or EVER):
                _told(folder, one.uid, "a later answer was taken before it")
            elif report_mail.taken(session, [name]):
                continue
            else:
                actor = actors.of_id(session, form.user_id)
                occasion = self._workplace.occasion(actor, Channel.SYNC, now, People(directory))
                count += self._taken(session, (form, said, name), folder, occasion)
        return count

    def _taken(
        self, session: Transaction, answer: tuple[Addressed, Said, str], folder: FolderRow, occasion: Occasion
    ) -> bool:
        """Whether this one was taken. What is wrong with it stops no mail: the verdict is stored."""
        form, said, name = answer
        try:
            with session.begin_nested():
                about = (form.block, form.language or occasion.language)
                done = telling.answer_by_mail(session, form.activity_id, said.text, about, occasion)
                if done:
                    came = _came(said.reply.judged, occasion.now)
                    report_mail.note_reply(session, form.report_id, name, came, occasion.now)
        except (*WRONG, *BROKEN):  # of this answer; what is wrong with the database is raised
            log.exception("an answer by mail cannot be taken", action="form-reply", report=form.report_id)
            return False
        if done:
            log.info("a form was answered by mail", action="form-reply", report=form.report_id)
        else:
            _told(folder, said.reply.judged.uid, "it has no text of its own")
        return done

    def _id_of(self, form: Addressed) -> str:
        return message_id(form.report_id, form.offered_at, self._workplace.instance)


def _name(one: Judged, text: str = "") -> str:
    """What a message is known by once it was taken: its Message-ID, so that nobody can give it another text;
    one without is known by all that is in it."""
    id_ = one.seen.envelope.message_id
    if id_ is None:
        return fingerprint(one.seen.envelope, body=text) or ""
    return hashlib.sha256(id_.encode("utf-8", "replace")).hexdigest()


def _not_signed(one: Judged, view: MailboxView, folder: FolderRow, directory: Directory) -> str:
    """Why it is not known that the mailbox's user wrote the message; empty where it is."""
    if not one.seen.envelope.sender or any(
        directory.own.get(address.email) != view.user_id for address in one.seen.envelope.sender
    ):
        return "it is not from the user of this mailbox"
    seen = one.seen.envelope
    if all(directory.own.get(address.email) != view.user_id for address in (*seen.to, *seen.cc)):
        return "it went to others: the form was passed on"
    if FolderRole(folder.role) not in {FolderRole.SENT, FolderRole.ALL}:
        return NOT_IN_SENT
    if any(keyword.lower() == DRAFT for keyword in one.seen.keywords):
        return "it is a draft"
    return "it is private" if one.decision.verdict is Verdict.PRIVATE else ""


def _not_due(form: Addressed | None, one: Judged, user_id: int, now: datetime) -> str:
    """Why the form takes no answer; empty where it does."""
    if form is None:
        return "its token is of no form"
    if form.user_id != user_id:
        return "the form is somebody else's"
    if form.expires_at <= _came(one, now):  # it may have waited for the service
        return "the token was older than 30 days"
    return "" if form.state in ANSWERABLE else "the form takes no answer any more"


def _came(one: Judged, now: datetime) -> datetime:
    """When the message came into Sent, as its mailbox says; a client may have said a time that is still to
    come (RFC 9051 section 6.3.12), and no later answer would ever be one."""
    return min(now, one.seen.received_at)


def _automatic(envelope: Envelope) -> str:
    """Why nobody wrote it (RFC 3834); empty where somebody did."""
    fields: Mapping[str, str] = {name: value.strip().lower() for name, value in envelope.headers}
    automatic = fields.get("auto-submitted", "no").partition(";")[0].strip() != "no"
    if automatic or fields.get("precedence") in BULK or any(name in fields for name in BY_ITSELF):
        return "no person wrote it"
    return ""


def _told(folder: FolderRow, uid: int, why: str) -> None:
    log.info("a message with a form's token is no answer", action="form-reply", folder=folder.ref, uid=uid,
             reason=why)  # fmt: skip
