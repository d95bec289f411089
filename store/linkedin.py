"""LinkedIn profiles as people write them, and their addresses (R031)."""

import re

_SITE = re.compile(r"(?i)(?:https?://)?(?:[a-z]{2,3}\.)?linkedin\.com/([^\s?#]+)(?:[?#]\S*)?")
# A person's page, an old public one, a company's; the name as it stands in an address, escaped or not.
_PAGE = re.compile(r"(?i)(in|pub|company|school|showcase|profile)/([\w.%~+-]{1,100})(?:/[\w.%~+/-]*)?")
_NAME = re.compile(r"@?([\w.%-]{3,100})")


def address(written: str) -> str | None:
    """The address of a profile that is written as one or by its name alone; None for what is neither."""
    site = _SITE.fullmatch(written)
    page = _PAGE.fullmatch(site[1] if site else written)
    if page is not None:
        return f"https://www.linkedin.com/{page[1].lower()}/{page[2]}"
    name = None if site else _NAME.fullmatch(written)
    return None if name is None else f"https://www.linkedin.com/in/{name[1]}"
