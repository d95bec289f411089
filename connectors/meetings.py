"""Which links lead into a video meeting, and whose: the one table of providers. Pure, no I/O.

A provider's host alone does not make a meeting: its help, its downloads and its dial-in numbers stand in
every invitation beside the link to join. So each host has the paths that lead into a meeting (table T8). An
admin adds hosts to the table (`[video]` of the config), nobody takes any away.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

LONGEST_LINK = 8192  # characters; what is longer is none that a client opens
LONGEST_HOST = 253  # characters (RFC 1035 section 2.3.4)


class Provider(StrEnum):
    """Who runs the meeting (R084)."""

    TEAMS = "teams"
    ZOOM = "zoom"
    MEET = "meet"
    WEBEX = "webex"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Place:
    """A host where meetings are held. `path` matches the beginning of path, query and fragment together."""

    host: str  # lower-cased, as in the DNS; "*." in front: its subdomains, and itself
    provider: Provider
    path: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a web link that tell where it leads."""

    host: str  # lower-cased, as in the DNS
    rest: str  # path, query and fragment as they were written; begins with "/", or empty


_LINK = re.compile(r"https?://([^/?#\\\s]*+)([^\s\\]*+)\Z", re.IGNORECASE)
_AUTHORITY = re.compile(r"([^@:\[\]]++)(?::[0-9]{0,5})?\Z")
_PLAIN = re.compile(r"[a-z0-9._-]+\Z")


def address_of(link: str) -> Address | None:
    """Where a link leads; None for what is no link of the web, or hides where it leads.

    A name before the host (`https://zoom.us@evil.example/`) and a backslash, which browsers take for a slash
    and other programs do not, are such disguises (RFC 3986 section 7.6).
    """
    found = _LINK.match(link) if len(link) <= LONGEST_LINK else None
    authority = _AUTHORITY.match(found[1]) if found else None
    if found is None or authority is None:
        return None
    host = dns_name(authority[1])
    rest = found[2]
    return Address(host, rest if rest[:1] in {"", "/"} else "/" + rest) if host else None


def dns_name(host: str) -> str:
    """A host as the DNS knows it, lower-cased, without a dot at its end; empty for what is none."""
    name = host.lower().removesuffix(".")
    if _PLAIN.match(name):
        return name if len(name) <= LONGEST_HOST else ""
    if len(name) > LONGEST_HOST:
        return ""  # the codec takes its time over long ones
    try:
        name = name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    return name if _PLAIN.match(name) else ""


# --- where a link stands --------------------------------------------------------------------------


def without_link(place: str, link: str) -> str:
    """The place without the link to join, which stands there so that clients show a button: alone, or after
    the place as Outlook separates places."""
    if not link or link not in place:
        return place
    if place.strip() == link:
        return ""
    tail, end = "; " + link, len(place)
    while place.endswith(tail, 0, end):
        end -= len(tail)
    return place[:end]


# --- the table ------------------------------------------------------------------------------------


def _paths(*patterns: str) -> re.Pattern[str]:
    return re.compile("/(?:" + "|".join(patterns) + ")", re.IGNORECASE)


_END = r"(?:[/?#]|\Z)"
# Long and short links, what the launcher makes of them, what the web client shows; not /meetingOptions/.
_TEAMS = _paths(
    r"l/(?:meetup-join|meeting)/.", r"meet/.", r"meeting/.", r"join/.", r"_?#/?(?:l|pre-join-calling)/.",
    r"_#/(?:l/)?meetup-join/.", r"dl/launcher/.*meet", r"light-meetings/launch.", r"v2/\?.*meetingjoin",
    r"convene/townhalls\?.",
)  # fmt: skip
# Meetings, personal rooms, webinars, the web client; not /u/ (numbers to dial), /rec/, /download, /register/.
_ZOOM = _paths(
    r"[jsw]/[0-9]", r"my/[^/?#]", r"wc/(?:join/)?[0-9]", r"wc/join/.", r"join\?confno=.", r"ejl?/.",
    r"launch/[a-z]+/[0-9]", r"meeting/[0-9]",
)  # fmt: skip
_MEET = _paths(rf"(?:_meet/)?[a-z]{{3,4}}-[a-z]{{4}}-[a-z]{{3,4}}{_END}", r"(?:_meet/)?lookup/[^/?#]")
_HANGOUTS = _paths(r"hangouts/_/.", r"call/.")
_WEBEX = _paths(
    r"(?:meet|join|m|start)/[^/?#]", r"[^/?#]+/(?:j|e|m)\.php\?.", r"wbxmjs/joinservice/.",
    r"webappng/sites/[^/?#]+/meeting/.", r"wc/join/.", r"meetings?/.*join",
    r"[^/?#]+/(?:meet|join)/[^/?#]",
)  # fmt: skip
_NO_ROOM = (
    r"(?!(?:about|api|assets|blog|business|careers|contact|customers|developers?|docs|download|downloads|faq|"
    r"features|help|home|images|information|install|integrations|legal|login|org|press|pricing|privacy|product|"
    r"security|sign-?in|sign-?up|signup|static|status|support|terms|tos|user|videos?)"
    rf"{_END})"
)
ROOM = _paths(_NO_ROOM + r"[^/?#]")  # any path, but for what every site has beside its rooms
ANY_ROOM = re.compile(r"/(?:[^/?#]|[?#].)")
_JOIN = _paths(r"(?:meeting|webinar)?/?join/.", r"meeting/.", r"\?meetingid=.")
_RINGCENTRAL = _paths(r"(?:join|conf)/.")
_LYNC = _paths(r"[^/?#]+/[^/?#]+/[^/?#]", r"meet/.")

TEAMS_HOSTS = (
    "teams.microsoft.com", "teams.live.com", "teams.cloud.microsoft", "gov.teams.microsoft.us",
    "dod.teams.microsoft.us", "teams.microsoft.us", "teams.microsoftonline.cn",
)  # fmt: skip
ZOOM_HOSTS = ("*.zoom.us", "*.zoomgov.com", "*.zoom.com", "*.zoom.com.cn", "*.zoom-x.de")
_OTHERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("whereby.com", ROOM),
    ("meet.goto.com", ROOM),
    ("gotomeet.me", ROOM),
    ("www.gotomeet.me", ROOM),
    ("*.gotomeeting.com", _JOIN),
    ("*.gotowebinar.com", _JOIN),
    ("app.goto.com", _JOIN),
    ("meet.jit.si", ROOM),
    ("8x8.vc", _paths(r"[^/?#]+/[^/?#]")),
    ("meet.lync.com", _LYNC),
    ("join.skype.com", _paths(_NO_ROOM + r"[^/?#]")),
    ("v.ringcentral.com", _RINGCENTRAL),
    ("chime.aws", _paths(r"[0-9]{6}", r"meetings/.")),
    ("facetime.apple.com", _paths("join[?#/].")),
    ("kmeet.infomaniak.com", ROOM),
    ("webconf.numerique.gouv.fr", ROOM),
    ("visio.numerique.gouv.fr", ROOM),
)
STANDARD_PLACES: tuple[Place, ...] = (
    *(Place(host, Provider.TEAMS, _TEAMS) for host in TEAMS_HOSTS),
    *(Place(host, Provider.ZOOM, _ZOOM) for host in ZOOM_HOSTS),
    Place("meet.google.com", Provider.MEET, _MEET),
    Place("g.co", Provider.MEET, _paths("meet/.")),
    Place("hangouts.google.com", Provider.MEET, _HANGOUTS),
    Place("*.webex.com", Provider.WEBEX, _WEBEX),
    *(Place(host, Provider.OTHER, path) for host, path in _OTHERS),
)
# Rooms of the customers of Whereby are on a subdomain each; these are its own.
_OF_THEIRS = re.compile(
    r"(?!(?:www|help|docs|support|status|api|blog|sdk|developers?)\.)[^.]+\.whereby\.com\Z"
)


# --- what it is asked -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Providers:
    """The table, with what an admin added. What was added counts first."""

    added: tuple[Place, ...] = ()
    _by_host: Mapping[str, Sequence[Place]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Sorts the places by their hosts."""
        found: dict[str, list[Place]] = {}
        for place in (*self.added, *STANDARD_PLACES):
            found.setdefault(place.host, []).append(place)
        object.__setattr__(self, "_by_host", found)

    def meeting(self, link: str) -> Provider | None:
        """Whose meeting a link leads into; None where it leads into none that is known."""
        address = address_of(link)
        if address is None:
            return None
        for place in self._places(address.host):
            if place.path.match(address.rest):
                return place.provider
        if _OF_THEIRS.match(address.host) and ROOM.match(address.rest):
            return Provider.OTHER
        return None

    def owner(self, link: str) -> Provider:
        """Whose a link is that somebody said leads into a meeting: by its host, whatever its path."""
        address = address_of(link)
        places = () if address is None else self._places(address.host)
        return next((one.provider for one in places), Provider.OTHER)

    def _places(self, host: str) -> list[Place]:
        labels = host.split(".")
        found = [*self._by_host.get(host, ())]
        for start in range(len(labels)):
            found += self._by_host.get("*." + ".".join(labels[start:]), ())
        return found


STANDARD = Providers()


@lru_cache(maxsize=8)
def table(added: tuple[tuple[str, str], ...]) -> Providers:
    """The table with places of an admin's: a host, maybe "*." before and a path behind it, and a provider.

    Raises ValueError where a host is none.
    """
    return Providers(tuple(_place(text, Provider(provider)) for text, provider in added))


def _place(text: str, provider: Provider) -> Place:
    host, slash, path = text.strip().partition("/")
    wild = host.startswith("*.")
    name = dns_name(host.removeprefix("*."))
    if not name or not _PLAIN.match(name) or ".." in name or name.startswith("."):
        raise ValueError(f"{text[:80]!r} is no host")
    inside = path.strip("/")
    pattern = re.compile(f"/{re.escape(inside)}[/?#]+[^/?#]") if slash and inside else ANY_ROOM
    return Place("*." + name if wild else name, provider, pattern)
