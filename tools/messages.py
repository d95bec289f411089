"""`make messages`: what the code says, brought into the catalogues, and these compiled. `--check` only looks.

Phrases are found in the code by Babel; the names of fields and values, which English says as they are, in the
records themselves. A catalogue is sorted and names no places, so that two people who add to it rarely meet.
"""

import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from importlib import import_module
from io import BytesIO
from pathlib import Path
from pkgutil import iter_modules

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from config.language import CATALOGUES, DOMAIN, ENGLISH, LANGUAGES
from config.words import FIELD, NOUN, OUTCOME

ROOT = Path(__file__).parents[1]
ROOMS = ("config", "connectors", "store", "syncd")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "Phrase": None,
    "plural": (1, 2),
    "term": ((1, "c"), 2),
}
SHOWN = frozenset(  # models whose fields are shown one by one
    {
        "Account",
        "Contact",
        "Project",
        "Deal",
        "Opportunity",
        "Product",
        "SalesOrder",
        "EmailMessage",
        "Activity",
    }
    | {"Event", "Task", "ImportRun"}
)
ROWS = frozenset(  # what lists show
    {
        "AccountRow",
        "ContactRow",
        "ProjectRow",
        "DealRow",
        "OpportunityRow",
        "ProductRow",
        "OrderRow",
        "LineRow",
    }
    | {"UserRow", "EmailRow", "ActivityRow", "StatusRow", "AncestorRow", "MatchRow", "AttachmentRow"}
    | {"PlaceRow", "AttendanceRow", "DraftRow", "ImportRunRow", "ImportedRow", "RecommendationRow"}
)
BESIDE = frozenset(  # what is shown beside the columns, and the heads of lists below a record
    {"parent", "project", "converted_deal", "case_file", "weighted", "held", "further_unplanned", "is_video"}
    | {"ancestors", "children", "status_history", "deals", "opportunities", "activities", "emails", "matches"}
    | {"places", "attendance", "lines", "rows", "local_start", "local_end", "cancelled_occurrences"}
    | {"assignee", "account", "contact", "opportunity", "owner", "user"}
)
HEADS = frozenset(  # of tables that are no rows of one kind
    {"place", "video", "e-mail", "kind", "answer", "participants", "due", "until", "value", "values", "why"}
    | {"waits for", "source", "state", "cleared", "rule", "body"}
)
NOUNS = frozenset(
    {
        "event",
        "events",
        "task",
        "tasks",
        "email",
        "emails",
        "activity",
        "activities",
        "order",
        "user",
        "users",
    }
    | {"opportunitys", "case file", "import", "imports", "accounts below it", "order_line", "calls"}
    | {"recommendations", "mailboxes", "quarantine", "runs", "dossier", "users"}
)
OUTCOMES = frozenset(
    {"added", "changed", "cancelled", "restored", "told", "done", "reopened", "won", "lost", "confirmed"}
)
HIDDEN = frozenset({"created_by", "updated_by", "body_html", "search"})
WITHOUT_WORDS = frozenset(  # for admins
    {"Channel", "Verb", "BoundEntity", "IntentKind", "CollectionKind", "VerdictKind"}
    | {"BindingState", "CopyRole", "Side", "ConflictState", "Grade", "FieldType", "Source", "Provenance"}
)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)  # no date that changes: git knows when


def wanted() -> Catalog:
    """Everything that the code can say, without any language."""
    found = Catalog(project="syncd", version="", creation_date=SINCE, fuzzy=False)
    for path in sources():
        for _line, message, _comments, context in extract_from_file("python", path, keywords=KEYWORDS):
            found.add(message, context=context)
    for context, word in words():
        found.add(word, context=context)
    return found


def sources() -> Iterator[Path]:
    """The code that is installed."""
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def words() -> Iterator[tuple[str, str]]:
    """The names of what records hold, with their context."""
    from store.base import Base
    from store.kinds import KINDS

    names, kinds = set(BESIDE | HEADS), set[type[Enum]]()
    for module in iter_modules([str(ROOT / "store")], "store."):
        for one in vars(import_module(module.name)).values():
            if not isinstance(one, type):
                continue
            if is_dataclass(one) and one.__name__ in ROWS:
                names |= {field.name.rstrip("_") for field in fields(one)}
            if issubclass(one, Enum) and one.__module__.startswith("store."):
                kinds.add(one)
    for mapper in Base.registry.mappers:
        if mapper.class_.__name__ in SHOWN:
            names |= {column.key for column in mapper.column_attrs}
    yield from ((FIELD, name) for name in names - HIDDEN)
    nouns = {*NOUNS, *KINDS, *(kind.entity for kind in KINDS.values())}
    yield from ((NOUN, name) for name in nouns | {f"{kind.entity}s" for kind in KINDS.values()})
    yield from ((OUTCOME, word) for word in OUTCOMES)
    for kind in kinds:
        if kind.__name__ not in WITHOUT_WORDS:
            yield from ((kind.__name__, one.name.lower()) for one in kind)


def place(language: str) -> Path:
    """The catalogue of that language, as people write it."""
    return CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: str) -> Catalog:
    """The catalogue as it is now; an empty one where there is none."""
    path = place(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as source:
        return read_po(source, locale=language, abort_invalid=True)


def brought_up(language: str) -> Catalog:
    """The catalogue with what is new, which is empty, and without what is not said any more."""
    catalog = read(language)
    catalog.update(wanted(), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    catalog.header_comment = (
        f"# {language}: what people read. Written by people; brought up by `make messages`."
    )
    catalog.revision_date = catalog.creation_date = SINCE
    catalog.fuzzy, catalog.project, catalog.version = False, "syncd", "1"
    catalog.last_translator, catalog.language_team = "The syncd developers", language
    return catalog


def lacking(catalog: Catalog) -> list[Message]:
    """What has no words yet, or words that nobody has looked at."""
    return [one for one in catalog if one.id and (one.fuzzy or not all(_several(one)))]


def _several(one: Message) -> tuple[str, ...]:
    return (one.string,) if isinstance(one.string, str) else tuple(one.string or ("",))


def text_of(catalog: Catalog) -> bytes:
    """The catalogue as it is written."""
    out = BytesIO()
    write_po(out, catalog, width=110, no_location=True, sort_output=True)
    return out.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """The catalogue as gettext reads it."""
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def main() -> int:
    """Writes the catalogues, or only tells whether they are current."""
    only_look, wrong = "--check" in sys.argv[1:], False
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        catalog, path = brought_up(language), place(language)
        written = {path: text_of(catalog), path.with_suffix(".mo"): compiled(catalog)}
        for one, content in written.items():
            if not one.exists() or one.read_bytes() != content:
                wrong = wrong or only_look
                print(f"{one.relative_to(ROOT)}: {'old: run make messages' if only_look else 'written'}")
                if not only_look:
                    one.parent.mkdir(parents=True, exist_ok=True)
                    one.write_bytes(content)
        for message in lacking(catalog):
            wrong = True
            print(f"{path.relative_to(ROOT)}: no words for {message.context or ''} {message.id!r}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
