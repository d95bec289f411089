"""From what goes wrong over EWS to one of our errors.

The response code of Exchange decides, by its name (MS-OXWSCDATA section 2.2.5.24, ResponseCodeType). No
message quotes the server's text and no error keeps its cause: exchangelib's hold requests and answers, and
those hold mail and secrets.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import requests
from exchangelib import errors as library
from exchangelib.errors import CASError, EWSError, ResponseMessageError

from connectors.errors import (
    AuthFailed,
    CollectionError,
    CollectionGone,
    CollectionRefused,
    Conflict,
    ItemError,
    OutcomeUnknown,
    ProtocolViolation,
    RateLimited,
    SyncdError,
    Unreachable,
)
from connectors.ews.access import EwsAccess
from connectors.http_failures import lost

THROTTLED = timedelta(minutes=5)  # where a server asks to wait and does not say how long
LONGEST_WAIT = timedelta(days=1)

BUSY = frozenset({
    "ErrorServerBusy", "ErrorTooManyObjectsOpened", "ErrorExceededConnectionCount",
    "ErrorExceededSubscriptionCount", "ErrorExceededFindCountLimit",
})  # fmt: skip
# The operation may have been done all the same.
BROKEN = frozenset({
    "ErrorInternalServerError", "ErrorInternalServerTransientError", "ErrorTimeoutExpired",
    "ErrorBatchProcessingStopped",
})  # fmt: skip
AWAY = frozenset({
    "ErrorMailboxStoreUnavailable", "ErrorMailboxMoveInProgress", "ErrorMailboxFailover",
    "ErrorConnectionFailed", "ErrorADUnavailable", "ErrorADOperation", "ErrorConnectionFailedTransientError",
    "ErrorNoRespondingCASInDestinationSite", "ErrorProxyServiceDiscoveryFailed",
    "ErrorProxyRequestProcessingFailed", "ErrorInsufficientResources", "ErrorDataSourceOperation",
    "ErrorCrossSiteRequest",
})  # fmt: skip
# A person must act: rights, the account, the mailbox's address.
LOCKED_OUT = frozenset({
    "ErrorImpersonateUserDenied", "ErrorImpersonationDenied", "ErrorImpersonationFailed",
    "ErrorMailboxLogonFailed", "ErrorAccountDisabled", "ErrorNonExistentMailbox",
    "ErrorMissingEmailAddress", "ErrorPasswordExpired", "ErrorPasswordChangeRequired",
    "ErrorTokenSerializationDenied", "ErrorInvalidUserSid", "ErrorInvalidUserPrincipalName",
    "ErrorUserNotAllowedByPolicy", "ErrorInvalidExchangeImpersonationHeaderData",
    "ErrorMissingInformationEmailAddress", "ErrorInvalidSmtpAddress", "ErrorCallerIsInvalidADAccount",
})  # fmt: skip
# Of a write, these are about a participant's address, not about the mailbox's.
OF_A_GUEST = frozenset({"ErrorInvalidSmtpAddress", "ErrorMissingInformationEmailAddress"})
GONE = frozenset({
    "ErrorFolderNotFound", "ErrorItemNotFound", "ErrorSyncFolderNotFound", "ErrorParentFolderNotFound",
    "ErrorInvalidFolderId", "ErrorToFolderNotFound", "ErrorFolderCorrupt",
})  # fmt: skip
DENIED = frozenset({
    "ErrorAccessDenied", "ErrorAccessModeSpecified", "ErrorCreateItemAccessDenied",
    "ErrorCannotDeleteObject",
})  # fmt: skip
STALE = frozenset({
    "ErrorIrresolvableConflict", "ErrorStaleObject", "ErrorInvalidChangeKey", "ErrorChangeKeyRequired",
    "ErrorChangeKeyRequiredForWriteOperations",
})  # fmt: skip
ABSENT = frozenset({"ErrorItemNotFound", "ErrorObjectTypeChanged"})  # of an item
FULL = frozenset({"ErrorQuotaExceeded"})
NEW_SYNC_STATE = frozenset({"ErrorInvalidSyncStateData"})


class SyncStateInvalidError(Exception):
    """The server knows the sync state no more: list afresh and match anew, delete nothing."""


@contextmanager
def translated(
    access: EwsAccess,
    *,
    writes: bool = False,
    collection: str = "",
    item: str = "",
    sent: Callable[[], bool] = lambda: True,
) -> Iterator[None]:
    """The errors of exchangelib, of HTTP and of sockets become ours.

    `collection` and `item` say what was asked about: a refusal is then an error of that alone. `sent` tells
    whether anything reached the server: what goes wrong before is a defect of ours, and stays what it is.
    Raises SyncStateInvalidError where that is what the server says.
    """
    try:
        yield
    except EWSError as error:
        raise of(error, access, writes=writes, collection=collection, item=item) from None
    except (requests.exceptions.RequestException, OSError) as error:
        raise lost(error, host=access.host, who=access.who, silence=access.timeout, writes=writes) from None
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, AssertionError) as error:
        if not sent():
            raise
        # exchangelib trusts answers to have every element that it looks into.
        what = f"The answer of the server of {access.who} is not what EWS says ({type(error).__name__})."
        raise (OutcomeUnknown(what) if writes else ProtocolViolation(what)) from None


def of(
    error: BaseException, access: EwsAccess, *, writes: bool = False, collection: str = "", item: str = ""
) -> SyncdError | SyncStateInvalidError:
    """The error of ours for one of exchangelib's, raised or handed over as a value."""
    code = code_of(error)
    if code in NEW_SYNC_STATE:
        return SyncStateInvalidError(code)
    return _of_mailbox(error, code, access, writes=writes) or _of_thing(
        code, access, writes=writes, collection=collection, item=item
    )


def named(code: str) -> Exception:
    """The exception of exchangelib's for a response code."""
    known = vars(library).get(code)
    if isinstance(known, type) and issubclass(known, ResponseMessageError):
        made: Exception = known(code)
        return made
    unknown: Exception = ResponseMessageError("unknown")
    return unknown


def code_of(error: BaseException) -> str:
    """The response code of Exchange, such as ErrorItemNotFound."""
    name = type(error).__name__
    return "ErrorUnknown" if name == ResponseMessageError.__name__ else name


def _of_mailbox(  # noqa: PLR0911 - one for each kind
    error: BaseException, code: str, access: EwsAccess, *, writes: bool
) -> SyncdError | None:
    if code in BUSY:
        return RateLimited(
            f"The server of {access.who} asks to be left alone for now ({code}).",
            retry_after=_wait(getattr(error, "back_off", None) or getattr(error, "wait", None)),
        )
    if code in LOCKED_OUT and not (writes and code in OF_A_GUEST):
        return AuthFailed(
            f"The server does not let {access.who} be opened ({code}). Check the address, the account, and"
            f' what `access` needs ("{access.entry.value}"). It is not tried again until then.'
        )
    if code in BROKEN or isinstance(error, CASError):
        what = f"The server of {access.who} failed over a request ({code})"
        if writes:
            return OutcomeUnknown(f"{what}: the change may have happened all the same.")
        return Unreachable(f"{what}. It is asked again later.")
    if code in AWAY:
        away = Unreachable(f"The server of {access.who} cannot serve now ({code}). It is asked again later.")
        # It may have gone away over the request, after it was done.
        return OutcomeUnknown(str(away), then=away) if writes else away
    if not code.startswith("Error"):
        what = f"The answer of the server of {access.who} is not what EWS says ({code})."
        return OutcomeUnknown(what) if writes else ProtocolViolation(f"{what} Check `url`.")
    return None


def _of_thing(  # noqa: PLR0911 - one for each kind
    code: str, access: EwsAccess, *, writes: bool, collection: str, item: str
) -> SyncdError:
    if code in STALE or (writes and item and code in ABSENT):
        return Conflict(
            f"The item {item or '?'} of {access.who} was changed by somebody else ({code}). It is read again."
        )
    if code in FULL and collection:
        return CollectionError(
            f"The quota of {access.who} is full: {collection} takes no more ({code}). Make room there.",
            collection=collection,
        )
    if item:
        return ItemError(f"The server of {access.who} refuses the item {item} ({code}).", locator=item)
    if not collection:
        return ProtocolViolation(f"The server of {access.who} refuses a request ({code}).")
    if code in GONE:
        return CollectionGone(
            f"{collection} of {access.who} does not exist any more ({code}).", collection=collection
        )
    if code in DENIED:
        return CollectionRefused(
            f"The server denies {access.who} access to {collection} ({code}). Check its rights.",
            collection=collection,
        )
    return CollectionError(
        f"The server refuses to work on {collection} of {access.who} ({code}). It is asked again in the next"
        " cycle.",
        collection=collection,
    )


def _wait(seconds: object) -> timedelta:
    if isinstance(seconds, int | float) and seconds > 0:
        return min(timedelta(seconds=seconds), LONGEST_WAIT)
    return THROTTLED
