"""What a server said, made fit for a message of ours: for the eyes of a person and for the log."""

import re
from collections.abc import Iterable

LONGEST = 200  # characters

_BLOB = re.compile(r"[A-Za-z0-9+/=_.\-]{32,}")  # a token or an encoded password that a server repeats


def readable(text: bytes | str, secrets: Iterable[str] = ()) -> str:
    """What the server said, fit for a log: printable, short, without secrets it may have repeated."""
    clear = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    for secret in secrets:
        if secret:
            clear = clear.replace(secret, "***")
    clear = " ".join("".join(c if c.isprintable() else " " for c in clear[: 20 * LONGEST]).split())
    clear = _BLOB.sub("***", clear)
    return clear if len(clear) <= LONGEST else clear[: LONGEST - 1] + "…"
