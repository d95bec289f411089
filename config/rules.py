"""What makes a single value acceptable: hosts, addresses, URLs, paths.

Each rule returns the value it was given or raises ValueError with a text for the admin. The text never
holds a value that may contain a secret.
"""

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

WHERE_SECRETS_ARE = (
    'write exactly one of { file = "NAME.secret" }, { env = "VARIABLE" }, '
    '{ credential = "NAME" } (systemd) or { keyring = "service/username" }'
)

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
# dot-atom (RFC 5322 section 3.2.3), and UTF-8 where RFC 6531 allows it
_ADDRESS = re.compile(r"[^\s@<>()\[\],:;\"\\.]+(?:\.[^\s@<>()\[\],:;\"\\.]+)*@[^\s@<>()\[\],:;\"\\]+")
_LONGEST_NAME = 253  # RFC 1035 section 2.3.4
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def longer_than_nothing(value: timedelta) -> timedelta:
    """Above zero: a daemon that waits for no time at all never rests."""
    if value <= timedelta(0):
        raise ValueError('must be longer than zero: "30s", "15m", "2h"')
    return value


def a_day_at_least(value: timedelta) -> timedelta:
    """A day or more: what is erased sooner was hardly worth logging, and is mostly a slip of the pen."""
    if value < timedelta(days=1):
        raise ValueError('must be a day at least: "365d", "730d"')
    return value


def one_line(value: str) -> str:
    """Without line breaks and other control characters: it may become part of a protocol's command."""
    if _CONTROL.search(value):
        raise ValueError("must be one line of text without control characters")
    if value != value.strip():
        raise ValueError("must not begin or end with a space")
    return value


def usable_path(value: Path) -> Path:
    """A path that can be opened; whether it exists is not looked at."""
    if str(value) == "." or _CONTROL.search(str(value)):
        raise ValueError("must be the path of a file or directory, on one line")
    return value


def host_name(value: str) -> str:
    """A DNS name (RFC 1123 section 2.1) or an address, and nothing around it."""
    if _is_ip(value) or _is_dns_name(value):
        return value
    raise ValueError(
        "must be a host name such as imap.acme.example or an IP address, without scheme, port or path"
    )


def mail_address(value: str) -> str:
    """An addr-spec (RFC 5322 section 3.4.1) without display name, comment or quoted local part."""
    domain = value.rpartition("@")[2]
    if not _ADDRESS.fullmatch(value) or _CONTROL.search(value) or not _is_dns_name(domain):
        raise ValueError("must be a bare e-mail address such as claire@acme.example")
    return value


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine: 127.0.0.0/8, ::1 or localhost."""
    if _is_ip(host):
        return ipaddress.ip_address(host).is_loopback
    return host.lower().rstrip(".") == "localhost"


def protected_url(value: str) -> str:
    """An https URL, or an http one to loopback: tokens travel on it (RFC 6749 section 3.2)."""
    try:
        url = urlsplit(value)
        host, _ = url.hostname or "", url.port
    except ValueError:
        host, url = "", urlsplit("")
    if not host or _CONTROL.search(value) or " " in value or url.username is not None:
        raise ValueError("must be a full address such as https://login.example/token, without a password")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
        raise ValueError("must begin with https:// (http:// is accepted to this machine only)")
    return value


def _is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_dns_name(value: str) -> bool:
    """Whether `value` is a DNS name, once internationalised labels are encoded (RFC 5890)."""
    if len(value) > _LONGEST_NAME:
        return False
    try:
        return _HOST.fullmatch(value.encode("idna").decode("ascii")) is not None
    except UnicodeError:
        return False
