"""What tests assert on: what the server did, and what left it as mail."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Sent = Literal["request", "update", "cancellation", "response", "mail"]


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail that left a mailbox, to one recipient."""

    kind: Sent
    sender: str
    recipient: str
    subject: str
    uid: str = ""
    answer: str = ""  # Accept, Tentative or Decline, of a response
    occurrence: str = ""  # the original start (UTC), where one occurrence is meant
    bytes: bytes = b""  # of an ordinary mail


@dataclass
class Counts:
    """`operations` counts requests by name, `sent` lists what was mailed, in order."""

    operations: Counter[str] = field(default_factory=Counter)
    sent: list[SentMail] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def operation(self, name: str) -> None:
        """One more request of an operation."""
        with self._lock:
            self.operations[name] += 1

    def mailed(self, mail: SentMail) -> None:
        """One more mail."""
        with self._lock:
            self.sent.append(mail)

    def of(self, kind: Sent) -> list[SentMail]:
        """The mails of one kind."""
        with self._lock:
            return [mail for mail in self.sent if mail.kind == kind]

    @property
    def invitations(self) -> int:
        """Meeting requests sent, one a recipient; updates not counted."""
        return len(self.of("request"))

    @property
    def updates(self) -> int:
        """Meeting updates sent, one a recipient."""
        return len(self.of("update"))

    @property
    def cancellations(self) -> int:
        """Meeting cancellations sent, one a recipient."""
        return len(self.of("cancellation"))

    @property
    def responses(self) -> int:
        """Answers of attendees sent to organizers."""
        return len(self.of("response"))
