"""Names of contacts and accounts among the words that are left: linked where exactly one record has it."""

from collections.abc import Sequence

from syncd.core.quick_add.result import Link, Lookup, Match, Named, Unlinked
from syncd.core.quick_add.tokens import Text

LONGEST_NAME = 5  # words
# Words that no name is without others.
SMALL = frozenset(
    "a au aux avec ce ces cette chez d dans de des du en et la le les mon notre nous ou par pour sans "
    "son sur un une vers votre".split()
)


def named(text: Text, lookup: Lookup) -> tuple[tuple[Link, ...], tuple[Unlinked, ...]]:
    """The names that the remaining words hold, longer ones first, and each word in one name at most.

    A name goes over words that stand side by side once what was understood is taken away.
    """
    left = [token for token, used in zip(text.tokens, text.used, strict=True) if not used and token.core]
    cores = [token.core for token in left]
    small = [not token.word or token.word in SMALL for token in left]
    taken = [False] * len(left)
    links: list[tuple[int, Link]] = []
    unlinked: list[tuple[int, Unlinked]] = []
    for size in range(min(LONGEST_NAME, len(left)), 0, -1):
        for start in range(len(left) - size + 1):
            if any(taken[start : start + size]) or all(small[start : start + size]):
                continue
            found = _one(lookup(cores[start : start + size]))
            if not found:
                continue
            taken[start : start + size] = [True] * size
            words = " ".join(cores[start : start + size])
            if len(found) == 1:
                links.append((start, Link(words, found[0])))
            else:
                unlinked.append((start, Unlinked(words, found)))
    links.sort(key=lambda pair: pair[0])
    unlinked.sort(key=lambda pair: pair[0])
    once: dict[Match, Link] = {}
    for _, link in links:
        once.setdefault(link.match, link)
    return tuple(once.values()), tuple(one for _, one in unlinked)


def _one(matches: Sequence[Match]) -> tuple[Match, ...]:
    """The matches; a contact whose own account has the same name stands for both."""
    found = tuple(dict.fromkeys(matches))
    contacts = [one for one in found if one.kind is Named.CONTACT]
    accounts = {one.account_id for one in found}
    return (contacts[0],) if len(contacts) == 1 and len(accounts) == 1 else found
