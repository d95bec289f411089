"""From a connection that failed to one of our errors: the same for every protocol over HTTP.

An error of a library is told by the names in its chain of causes, since each wraps the others' in its own
way. No message quotes it: it may hold the request.
"""

import ssl
from collections.abc import Iterator
from datetime import timedelta

from connectors import tls
from connectors.errors import OutcomeUnknown, ProtocolViolation, SyncdError, Unreachable


def lost(error: BaseException, *, host: str, who: str, silence: timedelta, writes: bool) -> SyncdError:
    """The error for a request that got no whole answer. After a write was sent, nobody knows its outcome.

    `who` names the mailbox, `silence` is how long the server had between two octets.
    """
    causes = list(_causes(error))
    found = next((one for one in causes if isinstance(one, ssl.SSLCertVerificationError)), None)
    if found is not None:
        return tls.refused(found, host, no_tls="check `url`")
    names = {type(one).__name__ for one in causes}
    if names & {"InvalidURL", "InvalidSchema", "LocationParseError", "InvalidHeader"}:
        return ProtocolViolation(f"The address of {who} is none that HTTP knows. Check `url`.")
    if names & {"NameResolutionError", "gaierror"}:
        return Unreachable(
            f"The address of {host} cannot be found: check `url` and the DNS. It is tried again later."
        )
    if names & {"NewConnectionError", "ConnectTimeoutError", "ConnectTimeout"}:
        return Unreachable(f"{host} takes no connection for {who}. It is tried again later.")
    if writes:
        return OutcomeUnknown(f"The server of {who} gave no answer to a change: it may have happened.")
    return _lost(causes, names, host, who, silence)


def _lost(
    causes: list[BaseException], names: set[str], host: str, who: str, silence: timedelta
) -> SyncdError:
    if isinstance(causes[0], ValueError) and not isinstance(causes[0], OSError):
        return ProtocolViolation(f"The answer of {host} for {who} is no HTTP. Check `url`.")
    secure = next((one for one in causes if isinstance(one, ssl.SSLError)), None)
    if secure is not None and not isinstance(secure, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return tls.refused(secure, host, no_tls="check `url`")
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        what = f"stayed silent or answered too slowly ({silence.total_seconds():g} s)"
    else:
        what = "broke off the connection"
    return Unreachable(f"The server of {who} {what}. It is tried again later.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made from, however the library keeps it."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting and len(seen) < 50:  # noqa: PLR2004 - more is a circle
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
