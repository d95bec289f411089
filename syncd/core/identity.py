"""What makes a message the same message, and how a stranger's address is remembered without keeping it.

Pure: the secret of the keyed hash comes in as an argument.
"""

import hashlib
from datetime import UTC
from hashlib import blake2b

from connectors.model import Envelope

MIN_SECRET = 16  # bytes
MAX_REFERENCE_KEYS = 5  # the nearest references: enough to find a thread, and bounded


class KeyedHash:
    """64-bit keyed hashes (BLAKE2b, RFC 7693) as signed integers, so that any database takes them.

    Without the secret nobody can tell from the database who wrote. A collision of two addresses costs
    one needless look at a message: what is found by hash is always judged again by its real header.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET:
            raise ValueError("the secret of the ledger must have at least 16 bytes")
        self._secret = secret[:64]

    def address(self, email: str) -> int:
        """The key of a lower-cased address."""
        return self._key("a:" + email)

    def domain(self, domain: str) -> int:
        """The key of a lower-cased mail domain."""
        return self._key("d:" + domain)

    def message_id(self, message_id: str) -> int:
        """The key of a Message-ID without brackets, as the message's own or as one it answers to."""
        return self._key("m:" + message_id)

    def erased(self, fingerprint: str) -> int:
        """The key of a message that is not to be logged again, by its fingerprint."""
        return self._key("e:" + fingerprint)

    def target(self, email: str, account_id: int, contact_id: int | None) -> int:
        """The key of an address as one record's."""
        return self._key(f"t:{account_id}:{contact_id}:{email}")

    def text(self, text: str) -> str:
        """32 hexadecimal digits that tell one text from another without telling the text."""
        return blake2b(text.encode("utf-8", "replace"), key=self._secret, digest_size=16).hexdigest()

    def check(self) -> str:
        """Tells one secret from another without telling the secret."""
        return self.text("check")

    def _key(self, text: str) -> int:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)


def fingerprint(envelope: Envelope, *, body: str | None = None) -> str | None:
    """The identity of a message over all mailboxes (table T5, row 2): 64 hexadecimal digits.

    Made of Message-ID, Date, From and Subject. A message without Message-ID needs its `body` too;
    None is returned while that is not known.
    """
    if envelope.message_id is None and body is None:
        return None
    moment = "" if envelope.date is None else envelope.date.astimezone(UTC).isoformat(timespec="seconds")
    parts = [
        envelope.message_id or "",
        moment,
        ",".join(address.email for address in envelope.sender),
        " ".join(envelope.subject.split()),
    ]
    if envelope.message_id is None and body is not None:
        parts.append(body)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def thread_ids(envelope: Envelope) -> tuple[str, ...]:
    """The ids that a message answers to, oldest first, without duplicates and without its own."""
    ordered = dict.fromkeys(envelope.references + envelope.in_reply_to)
    return tuple(one for one in ordered if one != envelope.message_id)


def thread_names(envelope: Envelope) -> tuple[str, ...]:
    """The ids that tell a message's thread: those that it answers to, and its own."""
    own = () if envelope.message_id is None else (envelope.message_id,)
    return thread_ids(envelope) + own


def ledger_keys(envelope: Envelope, counterparts: tuple[str, ...], hashed: KeyedHash) -> tuple[int, ...]:
    """The keys under which a message's verdict is found again, without duplicates.

    By its counterparts' addresses and domains, by its own id, and by the nearest ids it answers to.
    """
    keys = {hashed.address(email): None for email in counterparts}
    for domain in {email.rpartition("@")[2] for email in counterparts}:
        keys[hashed.domain(domain)] = None
    if envelope.message_id is not None:
        keys[hashed.message_id(envelope.message_id)] = None
    for one in thread_ids(envelope)[-MAX_REFERENCE_KEYS:]:
        keys[hashed.message_id(one)] = None
    return tuple(keys)
