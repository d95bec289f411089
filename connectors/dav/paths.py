"""Paths of resources: one spelling for each, whatever a server writes. Pure."""

import hashlib
import re
from urllib.parse import quote, unquote_to_bytes, urlsplit

SAFE = "!$&'()*+,;=:@-._~"  # RFC 3986 section 3.3: what a segment need not encode
_PLAIN = re.compile(
    r"(?:/[A-Za-z0-9_@+~-][A-Za-z0-9._@+~-]*)+/?\Z"
)  # spelled as it should be: nearly every href
# What is in that one spelling already; no host, no segment that begins with a dot.
PLAIN = re.compile(r"(?!//)(?:/(?:[A-Za-z0-9!$&'()*+,;=:@_~-][A-Za-z0-9!$&'()*+,;=:@._~-]*)?)+\Z")
FIT = re.compile(r"[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,199}\Z")  # a UID that makes a file name anywhere


def canonical(href: str) -> str:
    """The absolute path of a href in one spelling: no host, no query, percent-encoded as little as may be.

    A server behind a proxy often names itself by another host: only the path counts. Raises ValueError
    where it is no absolute path.
    """
    if _PLAIN.match(href):
        return href
    if PLAIN.match(href):
        return href
    path = urlsplit(href.strip()).path
    if not path.startswith("/"):
        raise ValueError("a href that is no absolute path")
    segments = [quote(unquote_to_bytes(segment), safe=SAFE) for segment in path.split("/")]
    if any(segment in {".", ".."} for segment in segments):
        raise ValueError("a href with dot segments")
    return "/".join(segments)


def collection(href: str) -> str:
    """As `canonical`, of a collection: with the slash at the end that some servers leave out."""
    path = canonical(href)
    return path if path.endswith("/") else path + "/"


def parent(ref: str) -> str:
    """The collection of a resource."""
    return ref.rstrip("/").rsplit("/", 1)[0] + "/"


def for_uid(calendar: str, uid: str) -> str:
    """Where an item of that UID is created: always the same place, so that a create is idempotent.

    A UID that would not do as a file name on every server is replaced by its SHA-256.
    """
    name = uid if FIT.match(uid) else hashlib.sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{calendar}{quote(name, safe=SAFE)}.ics"
