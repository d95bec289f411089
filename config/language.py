"""What people read, in their language: phrases in English, and gettext's catalogue with the others.

A `Phrase` is the English sentence, and can be used wherever a text can; it also keeps the template and the
values that it was made of, so that the edge (the command line, later the pages) can say it in the language of
whoever reads it. Nothing below the edge knows that language. This room is the lowest one because every room
has something to say. New phrases: `make messages`, and docs/language.md.
"""

import gettext
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Self

ENGLISH = "en"
LANGUAGES = ("fr", ENGLISH)
DOMAIN = "syncd"
CATALOGUES = Path(__file__).parent / "locale"


class Phrase(str):
    """A sentence in English, and what it was made of.

    `Phrase("there is no account {name}", name=name)`: the template is a literal with named places only, as
    `make messages` must find it. Values are shown as they are, braces included; one that is a phrase, or an
    error with one, is said in the reader's language too. A brace of the template itself is doubled.
    """

    __slots__ = ("context", "several", "template", "values")

    template: str
    values: Mapping[str, object]
    context: str | None  # what the template means where it is a single word
    several: tuple[str, int] | None  # the template for several things, and how many they are

    def __new__(cls, template: str, /, **values: object) -> Self:
        kept = {name: said(one) if isinstance(one, Exception) else one for name, one in values.items()}
        return cls.made(template.format(**kept), template, kept)

    @classmethod
    def made(
        cls,
        text: str,
        template: str,
        values: Mapping[str, object],
        context: str | None = None,
        several: tuple[str, int] | None = None,
    ) -> Self:
        """A phrase by its parts: for this room, and for pickle."""
        phrase = super().__new__(cls, text)
        phrase.template, phrase.values, phrase.context, phrase.several = template, values, context, several
        return phrase

    def __reduce__(self) -> tuple[object, ...]:
        return Phrase.made, (str(self), self.template, dict(self.values), self.context, self.several)


def plural(one: str, many: str, number: int, /, **values: object) -> Phrase:
    """A phrase about a number of things, which both templates may name as {number}."""
    kept = {**values, "number": number}
    return Phrase.made((one if number == 1 else many).format(**kept), one, kept, several=(many, number))


def term(context: str, word: str) -> Phrase:
    """A single word, which may mean several things: the context tells which. In English it is itself."""
    return Phrase.made(word, word, {}, context)


def together(parts: Iterable[str], between: str = "; ") -> Phrase:
    """Several texts as one; those that are phrases are said in the reader's language."""
    kept = {f"part{n}": one for n, one in enumerate(parts)}
    template = between.replace("{", "{{").replace("}", "}}").join("{" + name + "}" for name in kept)
    return Phrase(template, **kept)


def said(error: BaseException) -> str:
    """What the error says: the phrase that it was raised with, if it was one."""
    first = error.args[0] if len(error.args) == 1 else None
    return first if isinstance(first, Phrase) else str(error)


def translated(text: str, language: str) -> str:
    """The text in that language; in English where the catalogue lacks it, and what is no phrase as it is."""
    if not isinstance(text, Phrase) or language == ENGLISH:
        return str(text)
    values = {
        name: translated(one, language) if isinstance(one, Phrase) else one
        for name, one in text.values.items()
    }
    template = _template(text, _catalogue(language))
    if text.context is not None:
        return template
    try:
        return template.format(**values)
    except (LookupError, ValueError, AttributeError):  # a mistake in a catalogue is no reason to fail
        return str(text)


def _template(text: Phrase, catalogue: gettext.NullTranslations) -> str:
    if text.context is not None:
        return catalogue.pgettext(text.context, text.template)
    if text.several is not None:
        return catalogue.ngettext(text.template, *text.several)
    return catalogue.gettext(text.template) if text.template else ""  # gettext("") is the catalogue's head


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """Compiled, from beside this module; an empty one for a language that has none."""
    languages = [language] if language in LANGUAGES else []
    return gettext.translation(DOMAIN, CATALOGUES, languages, fallback=True) if languages else _NONE


_NONE = gettext.NullTranslations()
