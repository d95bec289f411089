"""The token in the subject of a form's message: 128 bits that only the installation's secret gives, by which
the answer is known. Pure.

Whoever has it, and the user's mailbox, can answer the form: so only its hash is kept. 128 bits cannot be
guessed, so that the hash needs neither salt nor key.
"""

import base64
import hashlib
import re

TOKEN_BYTES = 16
MARK = "[cr-"  # what every subject with a token holds, in lower case

_TOKEN = re.compile(r"\[CR-([A-Z2-7]{26})\]", re.IGNORECASE | re.ASCII)


def token_of(octets: bytes) -> str:
    """The token of 16 secret octets: 26 letters and digits (RFC 4648 section 6), whose case means nothing."""
    if len(octets) != TOKEN_BYTES:
        raise ValueError("a token is made of 16 octets")
    return base64.b32encode(octets).decode("ascii").rstrip("=")


def tagged(subject: str, token: str) -> str:
    """The subject with its token."""
    return f"{subject} [CR-{token}]"


def tokens_in(subject: str) -> tuple[str, ...]:
    """The tokens in a subject, in capitals, each once."""
    return tuple(dict.fromkeys(found[1].upper() for found in _TOKEN.finditer(subject)))


def hash_of(token: str) -> str:
    """What is kept of a token: 64 hexadecimal digits."""
    return hashlib.sha256(token.upper().encode("ascii")).hexdigest()
