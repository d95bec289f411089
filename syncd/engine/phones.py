"""Telephone numbers of contacts, whatever way they are written in: kept in one form, and found by it."""

import re
from functools import partial

from store import phones
from store.database import Database, Transaction

_LOOKS_LIKE_ONE = re.compile(r"[\s0-9+().\-/\u00a0\u202f]{3,40}")
NUMBERS = tuple(phones.NUMBERS)  # the fields
_FEWEST = 3  # digits that are worth looking for


def settle(session: Transaction, country: str) -> None:
    """Works out the forms that are missing, in the caller's transaction."""
    if phones.settled(session, country):
        return
    from syncd.core.calls import international  # brings every country's numbers with it

    phones.settle(session, country, partial(international, country=country))


def settle_all(database: Database, country: str) -> None:
    """The same, in a transaction of its own where there is anything to do."""
    with database.read() as session:
        if phones.settled(session, country):
            return
    with database.write() as session:
        settle(session, country)


def sought(text: str | None, country: str) -> tuple[str, ...]:
    """What to look for in the international forms; empty where the text is no number, nor a part of one.

    "04 72", "0472" and "(0)4 72" are part of +33472112233; "+33 4.72.11.22.33" is all of it.
    """
    if text is None or _LOOKS_LIKE_ONE.fullmatch(text.strip()) is None:
        return ()
    bare = re.sub("[^0-9+]", "", text.replace("(0)", ""))
    digits = bare.lstrip("+")
    if len(digits) < _FEWEST:
        return ()
    from syncd.core.calls import international

    whole = international(text, country)
    if bare.startswith("+"):
        part = f"+{digits}"
    elif digits.startswith("00"):
        part = f"+{digits[2:]}"
    else:
        part = digits.removeprefix("0")
    return tuple(dict.fromkeys(one for one in (whole, part) if len(one) >= _FEWEST - 1))
