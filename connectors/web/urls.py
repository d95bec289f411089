"""The addresses of pages and pictures: read strictly, since whoever wrote them is a stranger. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import idna

from connectors.web import addresses
from connectors.web.errors import Refused

LONGEST = 2048  # characters
PORTS = {"http": 80, "https": 443}

_BLANK = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
# What some systems read as an IPv4 address though it is no dotted quad (WHATWG URL, "ends in a number").
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_SAFE = "/%:=&?~+!$,;'@()*[]-._"


@dataclass(frozen=True, slots=True)
class Url:
    """Where to ask for something. `host` is a name in ASCII, or an address without brackets."""

    scheme: str  # http or https
    host: str
    port: int
    target: str  # path and query, as they stand in the request

    @property
    def place(self) -> str:
        """Host and port as in the Host header (RFC 9112, 3.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}{self.target}"


def website(text: str) -> tuple[Url, ...]:
    """Where to look for what a person typed in as a website, one after the other: without a scheme, first
    over TLS. Raises Refused."""
    text = text.strip()
    if "://" in text:
        return (parse(text),)
    return parse(f"https://{text}"), parse(f"http://{text}")


def join(base: Url, reference: str) -> Url:
    """What a reference on a page, or in a redirect, means there. Raises Refused."""
    reference = reference.strip()
    _check(reference)
    try:
        return parse(urljoin(str(base), reference))
    except ValueError:
        raise Refused("it refers to what is no web address") from None


def parse(text: str) -> Url:
    """Raises Refused for what is no plain address of the web, and for one with a user name or password."""
    _check(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Refused("it is no web address") from None
    if parts.scheme not in PORTS:
        raise Refused("it is no address of the web: http or https is expected")
    if "@" in parts.netloc:
        raise Refused("it names a user or a password, which are never sent")
    target = quote(parts.path or "/", safe=_SAFE) + (
        f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    )
    return Url(
        parts.scheme, _host(parts.hostname or ""), PORTS[parts.scheme] if port is None else port, target
    )


def _check(text: str) -> None:
    if len(text) > LONGEST:
        raise Refused(f"its address has more than {LONGEST} characters")
    if _BLANK.search(text):
        raise Refused("its address holds blanks or control characters")


def _host(host: str) -> str:
    if addresses.read(host) is not None and "%" not in host:
        return host
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise Refused("its host has no valid name") from None
    host = host.lower()
    labels = host.removesuffix(".").split(".")
    if not _HOST.fullmatch(host) or len(host) > 253 or _NUMBER.fullmatch(labels[-1]):  # noqa: PLR2004 - RFC 1035
        raise Refused("its host has no valid name")
    return host
