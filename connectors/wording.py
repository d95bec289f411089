"""What two spellings of a word have in common: headings and names of months are compared by it. Pure."""

import re
import unicodedata

_APART = re.compile(r"[^a-z0-9]+")


def plain(text: str) -> str:
    """Lower case, without accents, with simple spaces."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(one for one in parts if not unicodedata.combining(one)).split())


def words(text: str) -> str:
    """The words of a heading in `plain` letters, with a space between them and nothing else."""
    return _APART.sub(" ", plain(text)).strip()
