"""From the headers of messages to decisions: table T5 applied with what the CRM knows at that moment.

No body is read here, and nothing is written.
"""

from collections.abc import Sequence
from dataclasses import replace

from connectors.errors import ItemError
from connectors.mime import read_envelope
from connectors.model import FolderRole, MessageHead
from store import mail_log
from store.database import Database
from store.mailboxes import FolderRow
from syncd.core.directory import Directory
from syncd.core.identity import KeyedHash, fingerprint, thread_names
from syncd.core.matching import Policy, Seen, decide
from syncd.engine.batch import Failure
from syncd.engine.kept_out import without_erased
from syncd.engine.known import Known
from syncd.engine.reading import Judged

FIELDS = (
    "From",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Date",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Sensitivity",
)


class Judge:
    """Decides for one cycle: by one policy, and by the newest directory each time."""

    def __init__(self, *, database: Database, known: Known, hashed: KeyedHash, policy: Policy) -> None:
        self._database = database
        self._known = known
        self._hashed = hashed
        self._policy = policy
        extra = policy.header_fields()
        self._kept = frozenset({"sensitivity", *(name.lower() for name in extra)})
        self.fields = FIELDS + tuple(name for name in extra if name not in FIELDS)
        """The header fields to ask the server for."""

    def judge(
        self, folder: FolderRow, heads: Sequence[MessageHead]
    ) -> tuple[list[Judged], list[Failure], Directory]:
        """The decisions, what cannot be read, and the directory that they were made by."""
        read: list[tuple[MessageHead, Seen]] = []
        failures: list[Failure] = []
        role = FolderRole(folder.role)
        for head in heads:
            try:
                envelope = read_envelope(head.header, self._kept)
            except ItemError as error:
                failures.append(Failure(head.uid, str(error)))
                continue
            read.append((head, Seen(envelope, folder.ref, role, head.received_at, head.keywords)))
        several = self._with_threads([seen for _, seen in read])
        directory = self._known.directory()
        judged = [
            Judged(
                head.uid, head.size, seen, decide(seen, directory, self._policy), fingerprint(seen.envelope)
            )
            for (head, _), seen in zip(read, several, strict=True)
        ]
        return without_erased(self._database, self._hashed, judged), failures, directory

    def again(self, judged: Sequence[Judged]) -> tuple[list[Judged], Directory]:
        """The same messages by what the CRM knows now."""
        directory = self._known.directory()
        several = self._with_threads([one.seen for one in judged])
        fresh = [
            replace(one, seen=seen, decision=decide(seen, directory, self._policy))
            for one, seen in zip(judged, several, strict=True)
        ]
        return without_erased(self._database, self._hashed, fresh), directory

    def _with_threads(self, several: list[Seen]) -> list[Seen]:
        """The same messages; where threads are followed, with the accounts at which each one's is logged."""
        if not self._policy.follow_threads:
            return several
        named = [thread_names(seen.envelope) for seen in several]
        with self._database.read() as session:
            logged = mail_log.thread_accounts(
                session, {self._hashed.message_id(one): one for names in named for one in names}
            )
        return [
            replace(
                seen,
                thread_accounts=tuple(
                    dict.fromkeys(account for one in names for account in logged.get(one, ()))
                ),
            )
            for seen, names in zip(several, named, strict=True)
        ]
