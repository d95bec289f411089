"""TLS: verified always, TLS 1.2 or later, one context for all connections that trust alike.

Nothing here can switch verification off. A company's own authority is named with `ca_file`, which is then
trusted alone.
"""

import ipaddress
import ssl
from functools import lru_cache
from pathlib import Path

from connectors.errors import Untrusted

# OpenSSL's verification results (x509_vfy.h) that deserve a plainer word, and what to do about them.
_REASONS = {
    9: ("is not valid yet", "check the clock of this machine and of the server"),
    10: ("has expired", "ask the server's operator to renew it"),
    18: ("is self-signed", "name its authority in ca_file if it is yours"),
    19: ("is signed by an unknown authority", "name that authority in ca_file if it is yours"),
    20: ("is signed by an unknown authority", "name that authority in ca_file if it is yours"),
    21: ("is signed by an unknown authority", "name that authority in ca_file if it is yours"),
    62: ("is for another host name", "check `host`, or ask the server's operator"),
    64: ("is for another IP address", "use the host name as `host`, or ask the server's operator"),
}


def context(ca_file: Path | None) -> ssl.SSLContext:
    """The context to connect with. Making one costs tens of milliseconds, so alike ones are shared.

    Raises Untrusted where `ca_file` cannot be read. A file that changed is read again.
    """
    if ca_file is None:
        return _system_context()
    try:
        return _own_context(ca_file, ca_file.stat().st_mtime_ns)
    except (OSError, ssl.SSLError) as error:  # SSLError first is an OSError too: its text is OpenSSL's
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise Untrusted(
            f"The trusted certificates in {ca_file} cannot be read: {reason}. Put the PEM file of the"
            " authority there, readable by the service."
        ) from error


@lru_cache(maxsize=1)
def _system_context() -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


@lru_cache(maxsize=64)
def _own_context(ca_file: Path, _changed: int) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(ca_file))
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def refused(error: ssl.SSLError, where: str, *, no_tls: str) -> Untrusted:
    """The error for a handshake that failed: what is wrong and what to do.

    `no_tls` is the advice where the other side does not speak TLS at all.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        reason, advice = _REASONS.get(
            error.verify_code, (f"cannot be verified ({error.verify_message})", "ask the server's operator")
        )
        return Untrusted(f"The certificate of {where} {reason}: {advice}. Nothing was sent.")
    if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"}:
        return Untrusted(f"{where} does not speak TLS on this port: {no_tls}. Nothing was sent.")
    reason = (error.reason or "handshake failed").replace("_", " ").lower()
    return Untrusted(
        f"No trustworthy TLS connection to {where}: {reason}. TLS 1.2 or later is needed. Nothing was sent."
    )


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its very name or address, without asking anyone."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
