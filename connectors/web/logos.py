"""The logo of a website: one of the icons that its page names, else its favicon.ico."""

from dataclasses import dataclass
from typing import Final

from connectors import pictures
from connectors.pictures import BadPicture, Picture
from connectors.web import fetch, icons, urls
from connectors.web.errors import Distrusted, Refused, WebError
from connectors.web.fetch import Answer, Budget, Policy
from connectors.web.urls import Url

MOST_PAGE = 512 * 1024  # octets of a page that are read; icons stand at its beginning
INLINE: Final = "data:"
_FINE = 200


@dataclass(frozen=True, slots=True)
class FoundLogo:
    """A logo, and where it was."""

    picture: Picture
    source: str  # an address; of a picture within the page, that of the page


def find(website: str, policy: Policy) -> FoundLogo:
    """The logo of what a person typed in as a website. Raises WebError, which tells why there is none."""
    budget = Budget(policy)
    page = _page(website, budget)
    named = icons.links(page.content) if page.status == _FINE else icons.Links((), None)
    base = _base(page.url, named.base)
    problem: WebError | None = None
    for reference in (*named.icons, str(urls.join(page.url, "/favicon.ico"))):
        budget.left()
        try:
            return _tried(reference, base, page.url, budget)
        except WebError as error:
            problem = problem or error
    if named.icons and problem is not None:
        raise problem
    if page.status != _FINE:
        raise WebError(f"{page.url.host}: its page answers {page.status}")
    raise WebError(f"{page.url.host}: the page names no icon that can be had, and there is no favicon.ico")


def _page(website: str, budget: Budget) -> Answer:
    """Without a scheme, TLS comes first; a site that has none is asked without."""
    first, *others = urls.website(website)
    for another in others:
        try:
            return fetch.get(first, budget, MOST_PAGE)
        except (Refused, Distrusted):
            raise
        except WebError:
            first = another
    return fetch.get(first, budget, MOST_PAGE)


def _base(page: Url, said: str | None) -> Url:
    try:
        return page if said is None else urls.join(page, said)
    except Refused:
        return page


def _tried(reference: str, base: Url, page: Url, budget: Budget) -> FoundLogo:
    if reference[: len(INLINE)].lower() == INLINE:
        content = icons.inline(reference, pictures.MOST_LOGO)
        if content is None:
            raise WebError("the icon within the page cannot be read")
        return FoundLogo(_read(content, page.host), str(page))
    answer = fetch.get(urls.join(base, reference), budget, pictures.MOST_LOGO)
    if answer.status != _FINE:
        raise WebError(f"{answer.url.host}: its icon answers {answer.status}")
    if not answer.whole:
        raise WebError(f"{answer.url.host}: its icon is larger than {pictures.MOST_LOGO // 1024} KiB")
    return FoundLogo(_read(answer.content, answer.url.host), str(answer.url))


def _read(content: bytes, host: str) -> Picture:
    try:
        return pictures.logo(content)
    except BadPicture as error:
        raise WebError(f"{host}: its icon {error}") from None
