"""Links that a guard of incoming mail put its own address around, and what they were before. Pure.

Each such service writes the link it guards into its own in a way of its own. Mimecast's says nothing of the
former link (`https://protect-eu.mimecast.com/s/TOKEN?domain=zoom.us`): it cannot be undone without asking it.
"""

import base64
import binascii
import re
import string
from collections.abc import Callable
from urllib.parse import unquote

from connectors.meetings import Address, Providers, address_of

DEEPEST = 5  # wrappers around each other: a mail that passed several companies
MOST_PARTS = 100  # of a query
_WEB = re.compile(r"https?://[^\s<>\"]+\Z", re.IGNORECASE)
_GOOGLE = re.compile(r"(?:www\.)?google\.(?:com?\.)?[a-z]{2,3}\Z")
_RUN = re.compile(r"\*(?:\*([A-Za-z0-9_-]))?")
_RUNS = {char: 2 + at for at, char in enumerate(string.ascii_letters.swapcase() + string.digits + "-_")}
_ONE_SLASH = re.compile(r"(https?:/)(?!/)", re.IGNORECASE)


def unwrapped(link: str, providers: Providers) -> str:
    """The link if it leads into a meeting, else the one inside of it that does; empty where none does."""
    for _ in range(DEEPEST + 1):
        if providers.meeting(link) is not None:
            return link
        link = inner(link)
        if not link:
            break
    return ""


def inner(link: str) -> str:
    """What a guard's link had been; empty where it is none, or none that can be undone."""
    address = address_of(link)
    undo = None if address is None else _undoing(address.host)
    if address is None or undo is None:
        return ""
    found = undo(address).strip()
    return found if _WEB.match(found) else ""


def _undoing(host: str) -> Callable[[Address], str] | None:
    for suffix, undo in _BY_HOST:
        if host == suffix.removeprefix(".") or (suffix.startswith(".") and host.endswith(suffix)):
            return undo
    return _google if _GOOGLE.match(host) else None


def _parameter(address: Address, *names: str) -> str:
    """The first of these parameters of the query, decoded; a plus sign is a plus sign of the link meant."""
    query = address.rest.partition("?")[2].partition("#")[0].replace("&amp;", "&")
    given: dict[str, str] = {}
    for part in query.split("&", MOST_PARTS)[:MOST_PARTS]:
        name, _, value = part.partition("=")
        given.setdefault(name.lower(), value)
    return next((unquote(given[name]) for name in names if given.get(name)), "")


def _named(*names: str) -> Callable[[Address], str]:
    return lambda address: _parameter(address, *names)


def _google(address: Address) -> str:
    """`https://www.google.com/url?q=…`, which Google Calendar makes of every link in a description."""
    return _parameter(address, "q", "url") if address.rest.lower().startswith("/url?") else ""


def _proofpoint(address: Address) -> str:
    """Three ways in turn: percent signs, percent signs disguised as hyphens, and asterisks that stand for
    characters which follow in base64 (Proofpoint, "URL Defense: decode rewritten URLs")."""
    rest = address.rest.lower()
    if rest.startswith("/v1/"):
        return _parameter(address, "u")
    if rest.startswith("/v2/"):
        query = address.rest.partition("?")[2]
        given = next((part[2:] for part in query.split("&", 1) if part[:2] == "u="), "")
        return unquote(given.replace("-", "%").replace("_", "/"))
    masked, _, tail = address.rest.removeprefix("/v3/__").partition("__;")
    encoded, mark, _ = tail.partition("!")
    return _restored(masked, encoded) if mark and rest.startswith("/v3/__") else ""


def _restored(masked: str, encoded: str) -> str:
    try:
        kept = base64.urlsafe_b64decode(encoded + "==").decode()
    except (binascii.Error, ValueError):
        return ""
    at = 0

    def put_back(run: re.Match[str]) -> str:
        nonlocal at
        first, at = at, at + (_RUNS[run[1]] if run[1] else 1)
        return kept[first:at]

    return _ONE_SLASH.sub(r"\1/", _RUN.sub(put_back, unquote(masked)), count=1)


def _cisco(address: Address) -> str:
    """`https://secure-web.cisco.com/TOKEN/https%3A%2F%2F…`."""
    return unquote(address.rest.removeprefix("/").partition("/")[2])


def _sophos(address: Address) -> str:
    """`https://eu-west-1.protection.sophos.com/?d=HOST&u=BASE64&…`."""
    try:
        return base64.urlsafe_b64decode(_parameter(address, "u") + "==").decode()
    except (binascii.Error, ValueError):
        return ""


_BY_HOST: tuple[tuple[str, Callable[[Address], str]], ...] = (
    (".safelinks.protection.outlook.com", _named("url")),  # "eur03." and other regions in front
    (".safelinks.protection.office365.us", _named("url")),
    (".safelinks.protection.partner.outlook.cn", _named("url")),
    ("statics.teams.cdn.office.net", _named("url")),  # safe links inside of Teams
    ("urldefense.proofpoint.com", _proofpoint),
    ("urldefense.com", _proofpoint),
    ("urldefense.us", _proofpoint),
    ("linkprotect.cudasvc.com", _named("a")),  # Barracuda
    ("secure-web.cisco.com", _cisco),
    (".protection.sophos.com", _sophos),
    (".trendmicro.com", _named("url")),  # "…-ctp.trendmicro.com/wis/clicktime/v1/query?url="
    (".fireeye.com", _named("u")),  # "protect2.fireeye.com/v1/url?k=…&u="
    ("clicktime.symantec.com", _named("u")),
)
