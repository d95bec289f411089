"""From a server's refusal to one of our errors. Pure: texts in, errors out.

What decides is the response code of RFC 5530 where there is one, else words that servers are known to use.
In doubt a refused login counts as refused: trying again by itself could lock the account.
"""

import re
from collections.abc import Iterable
from datetime import timedelta

from connectors.errors import (
    AuthFailed,
    CollectionError,
    CollectionGone,
    CollectionRefused,
    MailboxError,
    RateLimited,
    Unreachable,
)
from connectors.redact import readable

BUSY = timedelta(minutes=5)
THROTTLED = timedelta(minutes=15)

_CODE = re.compile(rb"\s*\[([A-Za-z0-9.\-/]+)(?: [^\]]*)?\]")

_REFUSED_CODES = {"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED", "NOPERM"}
_BUSY_CODES = {"INUSE", "LIMIT", "OVERQUOTA"}
_THROTTLED_CODES = {"THROTTLED"}
_BUG_CODES = {"SERVERBUG", "CORRUPTION"}
_DOWN_CODES = {"UNAVAILABLE", *_BUG_CODES}

_BUSY = re.compile(
    r"too many|maximum (?:number of )?connections|connection limit|limit exceeded|exceeded .*limit"
    r"|rate.?limit|throttl|slow down|already in use|locked by another|\bbusy\b|quota exceeded|bandwidth",
    re.IGNORECASE,
)
_BUG = re.compile(r"internal (?:server )?error|server error", re.IGNORECASE)
_DOWN = re.compile(
    r"temporar|try (?:again|later)|unavailable|internal (?:server )?error|server error|maintenance"
    r"|not connected|timed? ?out|backend|overload|shutting down|starting up|cannot connect",
    re.IGNORECASE,
)


def code_of(text: bytes) -> str:
    """The response code in front of the text, upper-cased; empty where there is none."""
    found = _CODE.match(text)
    return found[1].decode("ascii").upper() if found else ""


def said(text: bytes, secrets: Iterable[str] = ()) -> str:
    """The server's text as the end of a sentence of ours."""
    words = readable(text, secrets)
    return f'The server said: "{words}"' if words else "The server gave no reason"


def waiting(text: bytes, who: str, secrets: Iterable[str] = ()) -> MailboxError | None:
    """RateLimited or Unreachable where the text asks for patience, else None."""
    code, words = code_of(text), text.decode("utf-8", "replace")
    if code in _REFUSED_CODES:
        return None
    if code in _THROTTLED_CODES or "throttl" in words.casefold():
        return _limited(text, who, THROTTLED, secrets)
    if code in _BUSY_CODES or (code not in _DOWN_CODES and _BUSY.search(words)):
        return _limited(text, who, BUSY, secrets)
    if code in _DOWN_CODES or _DOWN.search(words):
        return Unreachable(
            f"The server of {who} cannot serve now. {said(text, secrets)}. It is asked again later."
        )
    return None


def waiting_for_message(text: bytes, who: str) -> MailboxError | None:
    """As `waiting`, in answer to a FETCH of one message: there an internal error is that message's own."""
    code, words = code_of(text), text.decode("utf-8", "replace")
    if code in _BUG_CODES or (not code and _BUG.search(words)):
        return None
    return waiting(text, who)


def login(text: bytes, who: str, secrets: Iterable[str], advice: str) -> MailboxError:
    """The error for a NO, BAD or BYE in answer to a login."""
    secrets = tuple(secrets)
    if patience := waiting(text, who, secrets):
        return patience
    reason = "has expired" if code_of(text) == "EXPIRED" else "was refused"
    return AuthFailed(f"The login of {who} {reason}. {said(text, secrets)}. {advice}")


def goodbye(text: bytes, who: str) -> MailboxError:
    """The error for a BYE that nobody asked for."""
    return waiting(text, who) or Unreachable(
        f"The server ended the connection of {who}. {said(text)}. It is tried again later."
    )


def folder(text: bytes, who: str, ref: str, *, listed: bool) -> CollectionError:
    """The error for a folder that could not be opened; `listed`: the server still shows it in its list."""
    if not listed:
        return CollectionGone(
            f'The folder "{readable(ref)}" of {who} does not exist any more. {said(text)}.', collection=ref
        )
    return CollectionRefused(
        f'The folder "{readable(ref)}" of {who} cannot be opened. {said(text)}. Check its access rights.',
        collection=ref,
    )


def _limited(text: bytes, who: str, wait: timedelta, secrets: Iterable[str]) -> RateLimited:
    minutes = int(wait.total_seconds() // 60)
    return RateLimited(
        f"The server of {who} asks to be left alone for now. {said(text, secrets)}."
        f" It is asked again in {minutes} minutes.",
        retry_after=wait,
    )
