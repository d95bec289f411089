"""What is left of a person: every cell of every table, and every octet of every file, looked through.

It knows no table by name: a new one that keeps personal data is looked through too.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, text

from store.database import Database


@dataclass(frozen=True)
class Needles:
    """What nothing may hold any more: words in any case, digits however spaced, numbers of hashes."""

    words: tuple[str, ...]
    digits: tuple[str, ...]
    hashes: Collection[int] = ()

    def inside(self, value: object) -> bool:
        """Whether the value holds one of them."""
        if isinstance(value, int) and not isinstance(value, bool):
            return value in self.hashes
        if isinstance(value, memoryview):
            value = bytes(value)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        told = str(value).encode().decode("unicode_escape", "ignore") + str(value)
        folded = told.casefold()
        bare = re.sub(r"[\s./()+-]", "", told)
        return any(word.casefold() in folded for word in self.words) or any(
            one in bare for one in self.digits
        )


def in_tables(url: str, needles: Needles) -> Iterator[str]:
    """The columns that hold one of them, as table.column: value."""
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            for table in sorted(inspect(connection).get_table_names()):
                for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                    for column, value in row.items():
                        if value is not None and needles.inside(value):
                            yield f"{table}.{column}: {str(value)[:200]}"
    finally:
        database.close()


def in_files(folders: Collection[Path], needles: Needles) -> Iterator[str]:
    """The files that hold one of the words, in their content or their name."""
    for folder in folders:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            content = path.read_bytes().lower()
            for word in needles.words:
                if word.lower().encode() in content or word.lower() in path.name.lower():
                    yield f"{path.name}: {word}"
