"""The files of a configuration, joined into one tree that remembers where each key was written.

The main file comes first, then `conf.d/*.toml` beside it in the order of their names. Tables merge and
lists of tables append; nothing overrides anything: the same key twice is a mistake. What a key means is
not known here, except which ones hold paths: those are relative to the file they stand in.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from config.errors import Problem
from config.lines import KeyPath, TooDeep, format_path, locate

MAX_FILE = 8 * 1024 * 1024  # a thousand mailboxes take a third of a MiB
PATH_KEYS = frozenset({"file", "ca_file", "state_dir", "directory", "attendance"})

_TOMLLIB_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its tables and the line of each key."""

    path: Path
    data: dict[str, object]
    lines: dict[KeyPath, int]


@dataclass(slots=True)
class Tree:
    """The merged tables. `origins` says for each key of `data` where it stands, under which key there."""

    main: Path
    data: dict[str, object] = field(default_factory=dict)
    origins: dict[KeyPath, tuple[Source, KeyPath]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True  # False when a file could not be read: what is missing may be in it

    def problem(self, path: KeyPath, message: str) -> Problem:
        """A mistake at `path`; where that key is not written, at the nearest table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                source, local = self.origins[path[:length]]
                return Problem(source.path, source.lines[local], format_path(local + path[length:]), message)
        return Problem(self.main, None, format_path(path), message)

    def place(self, path: KeyPath) -> str:
        """ "FILE:LINE" of a key that is written."""
        source, local = self.origins[path]
        return f"{source.path}:{source.lines[local]}"

    def table(self, *path: str) -> Mapping[str, object]:
        """The table at `path`; empty when there is none or something else stands there."""
        found: object = self.data
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def tables(self, name: str) -> list[tuple[KeyPath, Mapping[str, object]]]:
        """The elements of the list of tables `name`, with their paths; others are left out."""
        found = self.data.get(name)
        if not isinstance(found, list):
            return []
        return [((name, index), item) for index, item in enumerate(found) if isinstance(item, dict)]


def read_tree(main: Path) -> Tree:
    """All files that belong to `main`; what cannot be read or parsed is in `problems`."""
    tree = Tree(main)
    files = [main, *_drop_ins(main.parent / "conf.d", tree.problems)]
    tree.complete = not tree.problems
    for path in files:
        source = _read(path, tree.problems)
        if source is None:
            tree.complete = False
        else:
            _merge(tree, source, source.data, into=tree.data, at=())
    return tree


def _drop_ins(folder: Path, problems: list[Problem]) -> list[Path]:
    try:
        if not folder.is_dir():
            return []
        return sorted(
            entry for entry in folder.iterdir() if entry.suffix == ".toml" and not entry.name.startswith(".")
        )
    except (OSError, ValueError) as error:
        problems.append(Problem(folder, None, "", f"cannot be listed: {_reason(error)}"))
        return []


def _read(path: Path, problems: list[Problem]) -> Source | None:
    line: int | None = None
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        problems.append(Problem(path, None, "", f"cannot be read: {_reason(error)}"))
        return None
    if len(raw) > MAX_FILE:
        message = f"is larger than {MAX_FILE // 2**20} MiB: this is no config file"
        problems.append(Problem(path, None, "", message))
        return None
    text = ""
    try:
        text = raw.decode("utf-8-sig")
        data = tomllib.loads(text)
        return Source(path, data, locate(text))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = "is not UTF-8 text; save it in that encoding"
    except TooDeep as error:
        line, message = error.line, str(error)
    except tomllib.TOMLDecodeError as error:
        message, line = _syntax_error(str(error), text)
    except RecursionError:
        message = "is no valid TOML: lists or tables are nested too deep"
    except ValueError:  # tomllib lets through int's refusal of more than 4300 digits
        message = "is no valid TOML: a number has too many digits"
    problems.append(Problem(path, line, "", message))
    return None


def _syntax_error(message: str, text: str) -> tuple[str, int]:
    match = _TOMLLIB_PLACE.search(message)
    end = len(text.rstrip().splitlines()) or 1
    line = int(match.group(1)) if match and match.group(1) else end
    return f"is no valid TOML: {_TOMLLIB_PLACE.sub('', message)}", line


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _merge(
    tree: Tree, source: Source, table: Mapping[str, object], *, into: dict[str, object], at: KeyPath
) -> None:
    """Adds `table` to `into`. A table that is not an element of a list has the same path everywhere."""
    for key, value in table.items():
        path, old = (*at, key), into.get(key)
        if key not in into:
            into[key] = _adopt(tree, source, value, here=path, there=path)
        elif isinstance(old, dict) and isinstance(value, dict):
            _merge(tree, source, value, into=old, at=path)
        elif _is_list_of_tables(old) and _is_list_of_tables(value):
            for index, item in enumerate(value):
                old.append(_adopt(tree, source, item, here=(*path, len(old)), there=(*path, index)))
        else:
            message = f"is set already, at {tree.place(path)}; a key is set in one file only"
            tree.problems.append(Problem(source.path, source.lines[path], format_path(path), message))


def _is_list_of_tables(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _adopt(tree: Tree, source: Source, value: object, *, here: KeyPath, there: KeyPath) -> object:
    """A copy of `value` with its paths made absolute; every key in it is entered in the origins."""
    tree.origins[here] = (source, there)
    if isinstance(value, dict):
        return {
            key: _adopt(tree, source, item, here=(*here, key), there=(*there, key))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _adopt(tree, source, item, here=(*here, index), there=(*there, index))
            for index, item in enumerate(value)
        ]
    if here[-1] in PATH_KEYS and isinstance(value, str) and value:
        return str(source.path.parent.absolute() / value)
    return value
