"""Names of attachments: what a mail declares, made fit for any file system, or one made up."""

import re
from functools import lru_cache
from mimetypes import MimeTypes

from connectors.headers import one_line

_NAME_LIMIT = 150
NAMELESS = "piece-jointe"
_NAMES = {
    "text/calendar": "invite.ics",
    "application/ics": "invite.ics",
    "application/ms-tnef": "winmail.dat",
    "application/vnd.ms-tnef": "winmail.dat",
    "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pgp-signature": "signature.asc",
    "application/pgp-encrypted": "version.asc",
}
_SEPARATOR = re.compile(r"[/\\]")
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")  # "fdp.exe" shown as "exe.pdf"
_TYPES = MimeTypes(filenames=())  # of the library alone: the same on every machine


def file_name(declared: str) -> str:
    """A plain file name for what a mail declares: no path, nothing invisible; empty where none is left."""
    name = _SEPARATOR.split(one_line(declared))[-1]
    name = _DIRECTION.sub("", name).strip()
    if not name.strip(". "):
        return ""
    if len(name) <= _NAME_LIMIT:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 16:  # noqa: PLR2004 - that is no extension
        return name[:_NAME_LIMIT]
    return stem[: _NAME_LIMIT - len(extension) - 1] + dot + extension


def made_up_name(mime: str) -> str:
    """A name for a file that the mail gives none."""
    return _NAMES.get(mime) or NAMELESS + _extension(mime)


@lru_cache(maxsize=256)
def _extension(mime: str) -> str:
    return _TYPES.guess_extension(mime) or ".bin"
