"""A realistic mailbox, the same to the byte for the same seed: what the mail benchmarks read.

Twenty thousand messages make about 780 MB, mean 39 KB, median 8 KB: conversations in French and English
with customers and colleagues, newsletters, strangers; plain, HTML and both; a message in seven with
files. Written as a Maildir++ with the names that Dovecot gives, sizes included, so that the server has
none to compute.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.author import Author, Kind
from benchmarks.phrases import Person

INBOX, SENT = "INBOX", "Sent"
TOLERANCE = 0.002  # of `contacts_for`: two messages in a thousand


@dataclass(frozen=True, slots=True)
class Mail:
    """One message of the corpus."""

    folder: str  # INBOX or SENT
    path: Path
    message_id: str  # without angle brackets
    size: int  # octets on disk, lines ending in LF
    kind: Kind
    counterparts: tuple[str, ...]  # From and Reply-To of received, To and Cc of sent mail
    files: int  # attachments and inline images


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was written where, and who takes part."""

    directory: Path
    user: str
    mails: tuple[Mail, ...]
    people: dict[str, Person]  # everyone but the user, by address, in the order they become contacts

    @property
    def octets(self) -> int:
        """The size of all messages together."""
        return sum(mail.size for mail in self.mails)


def generate(directory: Path, *, messages: int, seed: int, user: str) -> Corpus:
    """Writes that many messages into a new Maildir++ and returns what they are.

    `user` is the address the mailbox belongs to. File times are the messages' dates (a server's
    INTERNALDATE). Raises FileExistsError if there is a mailbox already.
    """
    folders = {INBOX: directory, SENT: directory / ".Sent"}
    for path in folders.values():
        for part in ("cur", "new", "tmp"):
            (path / part).mkdir(parents=True)
    author = Author(messages, seed, user)
    mails: list[Mail] = []
    for draft, content in author.messages():
        moment = int(draft.date.timestamp())
        name = file_name(moment, len(mails), content)
        folder = SENT if draft.sent else INBOX
        path = folders[folder] / "cur" / name
        path.write_bytes(content)
        os.utime(path, (moment, moment))
        mails.append(
            Mail(folder, path, draft.message_id, len(content), draft.kind, draft.counterparts, draft.files)
        )
    return Corpus(directory, user, tuple(mails), author.people())


def file_name(moment: int, number: int, content: bytes) -> str:
    """A seen message's name in `cur`, with its size (S) and its size with CRLF lines (W)."""
    size = len(content)
    lines = content.count(b"\n")
    return f"{moment}.M{number:06d}P1.mx,S={size},W={size + lines}:2,S"


def contacts_for(corpus: Corpus, share: float) -> list[str]:
    """Addresses such that this share of the messages (0 to 1) is from or to one of them.

    Customers come first, then strangers, newsletters and colleagues, as far as they are needed. Raises
    ValueError if the share cannot be met within TOLERANCE.
    """
    wanted = round(share * len(corpus.mails))
    by_address = defaultdict(list)
    for number, mail in enumerate(corpus.mails):
        for address in mail.counterparts:
            by_address[address].append(number)
    covered: set[int] = set()
    chosen = []
    for address in corpus.people:
        fresh = [number for number in by_address[address] if number not in covered]
        if fresh and len(covered) + len(fresh) <= wanted:
            covered.update(fresh)
            chosen.append(address)
    if abs(len(covered) - wanted) > TOLERANCE * len(corpus.mails):
        raise ValueError(f"{len(covered)} messages match, {wanted} were wanted")
    return chosen


def matching(corpus: Corpus, contacts: Sequence[str]) -> list[Mail]:
    """The messages from or to one of the addresses: those that a CRM with these contacts logs."""
    known = frozenset(contacts)
    return [mail for mail in corpus.mails if not known.isdisjoint(mail.counterparts)]
