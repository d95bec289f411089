"""From what goes wrong over HTTP to one of our errors.

The condition named in the body decides, where there is one, not the status alone (RFC 4791 section 1.3,
RFC 4918 section 16). No message quotes a body: servers repeat there what they were sent.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from caldav.lib.http_sync import requests
from niquests.packages.urllib3.exceptions import HTTPError

from connectors.dav import xml
from connectors.dav.access import DavAccess
from connectors.errors import (
    CollectionError,
    CollectionGone,
    CollectionRefused,
    Conflict,
    ItemError,
    MailboxError,
    OutcomeUnknown,
    ProtocolViolation,
    RateLimited,
    SyncdError,
    Unreachable,
)
from connectors.http_failures import lost
from connectors.oauth_http import retry_after

THROTTLED = timedelta(minutes=5)  # where a server asks to wait and does not say how long

FORBIDDEN, NOT_FOUND, CONFLICT, GONE, FAILED = 403, 404, 409, 410, 412
LOCKED, TOO_MANY, SERVER_ERROR, UNAVAILABLE, FULL = 423, 429, 500, 503, 507
ABSENT = frozenset({NOT_FOUND, GONE})

UID_TAKEN = f"{xml.C}no-uid-conflict"
NEED_PRIVILEGES = f"{xml.D}need-privileges"
QUOTA = frozenset({f"{xml.D}quota-not-exceeded", f"{xml.D}sufficient-disk-space"})
BAD_TOKEN = f"{xml.D}valid-sync-token"


class TooLong(ProtocolViolation):
    """An answer beyond all bounds."""


@contextmanager
def translated(access: DavAccess, *, writes: bool) -> Iterator[None]:
    """The errors of the HTTP library and of sockets become ours."""
    try:
        yield
    except SyncdError:
        raise
    except (requests.exceptions.RequestException, HTTPError, OSError, ValueError) as error:
        # Without its cause: the library's errors hold the request, and that holds secrets and events.
        raise lost(error, host=access.host, who=access.who, silence=access.timeout, writes=writes) from None


def raise_for_mailbox(status: int, headers: Mapping[str, str], who: str, *, writes: bool) -> None:
    """Raises where the status is about the whole mailbox: wait, or the server is broken.

    A write that met a broken server may have happened all the same.
    """
    wait = retry_after(headers.get("retry-after"), datetime.now(UTC))
    if status == TOO_MANY or (status == UNAVAILABLE and wait is not None):
        raise RateLimited(
            f"The server of {who} asks to be left alone for now.", retry_after=wait or THROTTLED
        )
    if status == UNAVAILABLE:
        raise Unreachable(f"The server of {who} cannot serve now (HTTP {status}). It is asked again later.")
    if status >= SERVER_ERROR and status != FULL and writes:
        raise OutcomeUnknown(
            f"The server of {who} failed over a change (HTTP {status}): it may have happened all the same."
        )


def for_collection(status: int, body: bytes, who: str, ref: str) -> CollectionError | MailboxError:
    """The error for a calendar that could not be read."""
    named = _named(body)
    if status in ABSENT:
        return CollectionGone(
            f"The calendar {ref} of {who} does not exist any more (HTTP {status}).", collection=ref
        )
    if status == FORBIDDEN:
        return CollectionRefused(
            f"The server denies access to the calendar {ref} of {who}{named}. Check its access rights.",
            collection=ref,
        )
    if status >= SERVER_ERROR:
        return Unreachable(f"The server of {who} cannot serve now (HTTP {status}). It is asked again later.")
    return CollectionError(
        f"The server refuses to list the calendar {ref} of {who} (HTTP {status}{named}). It is asked again in"
        " the next cycle.",
        collection=ref,
    )


def garbled(error: xml.Garbled, who: str, ref: str) -> CollectionError:
    """The error for an answer that cannot be read. It is never an empty calendar."""
    return CollectionError(
        f"The server's answer about the calendar {ref} of {who} cannot be read: {error}. It is asked again in"
        " the next cycle.",
        collection=ref,
    )


def for_write(status: int, body: bytes, who: str, ref: str, calendar: str, *, create: bool) -> SyncdError:
    """The error for a PUT or DELETE that the server refused.

    A lock is one item's own: it is tried again with it, and the mailbox goes on. A bare 403 is the
    calendar's where something was to be created in it, else the item's, since servers answer so for an
    event that only its organizer may change.
    """
    conditions = xml.preconditions(body)
    named = _named(body)
    if status == FAILED or (UID_TAKEN in conditions and status in {FORBIDDEN, CONFLICT}):
        what = "is there already" if create else "was changed by somebody else"
        return Conflict(f"The item {ref} of {who} {what} (HTTP {status}{named}). It is read again.")
    if status == FULL or QUOTA & set(conditions):
        return CollectionError(
            f"The quota of {who} is full: the calendar {calendar} takes no more (HTTP {status}). Make room"
            " there.",
            collection=calendar,
        )
    if NEED_PRIVILEGES in conditions or (status == FORBIDDEN and create and not conditions):
        return CollectionRefused(
            f"The server lets {who} write nothing to the calendar {calendar} (HTTP {status}{named}). Check"
            " its access rights.",
            collection=calendar,
        )
    if create and (status in ABSENT or (status == CONFLICT and not conditions)):
        return CollectionGone(
            f"The calendar {calendar} of {who} does not exist any more (HTTP {status}).", collection=calendar
        )
    if status == LOCKED:
        return ItemError(
            f"The item {ref} of {who} is locked by another client. It is tried again later.", locator=ref
        )
    return ItemError(f"The server of {who} refuses the item {ref} (HTTP {status}{named}).", locator=ref)


def _named(body: bytes) -> str:
    """The conditions that the body names, as the end of a sentence of ours."""
    names = [name.rpartition("}")[2] for name in xml.preconditions(body)]
    fit = [name for name in names if name.replace("-", "").isalnum() and len(name) < 60]  # noqa: PLR2004
    return ", " + ", ".join(fit[:3]) if fit else ""
