"""Value lists on the command line: what narrows a list, and what people read in place of codes."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from config.language import Phrase, said
from config.words import field_word, noun_word
from syncd.cli import language
from syncd.cli.context import UsageError

if TYPE_CHECKING:
    from store.database import Transaction
    from store.own_words import Words
    from store.readers import Value

OPTIONS = {  # by list: the option, and what it narrows
    "contact_role": ("--role", "contacts"),
    "account_segment": ("--segment", "accounts"),
    "opportunity_type": ("--type", "opportunities"),
}
PARTS = {
    "emails": ("email", "email2", "email3"),
    "phones": ("phone_landline", "phone_mobile"),
}  # of one column


class Reading:
    """How one person reads rows of a list: in which language, and without what is hidden."""

    def __init__(self, words: "Words | None" = None, language: str = "en") -> None:
        self._words, self._language = words, language

    def shows(self, column: str) -> bool:
        """Whether the column is shown; one made of several fields unless all of them are hidden."""
        parts = PARTS.get(column, (column.rstrip("_"),))
        return self._words is None or not set(parts) <= self._words.hidden

    def name(self, column: str) -> str:
        """What the column is called."""
        own = column if self._words is None else self._words.name(column, self._language)
        return field_word(column) if own == column else own

    def value(self, column: str, value: object) -> object:
        """What is read for the value."""
        return value if self._words is None else self._words.value(column, value, self._language)


def only_for(what: str, lists: Mapping[str, list[str] | None]) -> None:
    """Raises UsageError where an option is for other records."""
    for code, written in lists.items():
        option, plural = OPTIONS[code]
        if written and what != plural and option == "--type":
            raise UsageError(
                Phrase("--type is for accounts and opportunities: {what} have none", what=noun_word(what))
            )
        if written and what != plural:
            raise UsageError(
                Phrase(
                    "{option} is for {plural}, and not for {what}",
                    option=option,
                    plural=noun_word(plural),
                    what=noun_word(what),
                )
            )


def chosen(
    session: "Transaction", lists: Mapping[str, list[str] | None]
) -> "Iterator[tuple[str, tuple[Value, ...]]]":
    """The columns and ids that the options mean. Raises UsageError."""
    from store import value_lists
    from store.errors import Invalid

    for code, written in lists.items():
        if written:
            try:
                yield value_lists.wanted(session, code, written, OPTIONS[code][0])
            except Invalid as error:
                raise UsageError(said(error)) from None


def in_status(
    session: "Transaction", what: str, written: str | None
) -> "Iterator[tuple[str, tuple[Value, ...]]]":
    """What --status means of records that have one of their own. Raises UsageError."""
    from store import value_lists
    from store.kinds import KINDS

    if written is None:
        return
    if what not in KINDS:
        raise UsageError(Phrase("--status: {what} have none that it could mean", what=noun_word(what)))
    try:
        yield value_lists.status(session, KINDS[what], written)
    except ValueError as error:
        raise UsageError(Phrase("--status: {error}", error=error)) from None


def reading(session: "Transaction", what: str) -> Reading:
    """How this list is read, in the language that the command speaks."""
    from store.kinds import KINDS
    from store.own_words import own_words

    entity = "activity" if what == "activities" else KINDS[what].entity if what in KINDS else None
    return Reading() if entity is None else Reading(own_words(session, entity), language.chosen())
