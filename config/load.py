"""From the files an admin wrote to valid settings, or to the list of everything that is wrong in them.

Reads files and nothing else: no network, no secret, no environment but for ${VARIABLE} in store.url.
"""

import json
import math
import os
from collections.abc import Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config import store_url
from config.checks import check
from config.errors import ConfigError, Problem
from config.lines import KeyPath
from config.near import nearest
from config.settings import Section, Settings
from config.sources import Tree, read_tree

_URL: KeyPath = ("store", "url")
_SINCE: KeyPath = ("mail", "since")

# What pydantic finds, in the words of someone who writes TOML.
_WORDS = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "tuple_type": "must be a list, in square brackets",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "is not of the accepted form",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "missing": "is required",
}


def load(path: Path, *, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in the file `path` and in the files `conf.d/*.toml` beside it.

    Relative paths in them are made absolute, from the file they stand in. `environ` is the process's
    environment if not given. Raises ConfigError, with all mistakes of all files, and nothing else.
    """
    tree = read_tree(path)
    problems = [*tree.problems, *_expand_url(tree, os.environ if environ is None else environ)]
    settings, invalid = _validate(tree)
    told = {(problem.file, problem.line, problem.key) for problem in problems}
    for problem in (*check(tree), *invalid):
        if (problem.file, problem.line, problem.key) not in told:
            told.add((problem.file, problem.line, problem.key))
            problems.append(problem)
    if settings is None or problems:
        order = [path, *sorted({problem.file for problem in problems} - {path})]
        problems.sort(key=lambda problem: (order.index(problem.file), problem.line or 0))
        raise ConfigError(problems)
    return settings


def default_text() -> str:
    """The commented default configuration, to be written where an admin starts from."""
    return resources.files("config").joinpath("syncd.toml").read_text(encoding="utf-8")


def _expand_url(tree: Tree, environ: Mapping[str, str]) -> list[Problem]:
    store = tree.data.get("store")
    if not isinstance(store, dict) or not isinstance(url := store.get("url"), str):
        return []
    source, _ = tree.origins[_URL]
    try:
        store["url"] = store_url.resolve(url, folder=source.path.parent, environ=environ)
    except ValueError as error:
        return [tree.problem(_URL, str(error))]
    return []


def _validate(tree: Tree) -> tuple[Settings | None, list[Problem]]:
    """The settings, or what is wrong with the tables one by one."""
    # JSON is the one input for which pydantic's strict mode takes text for a path, an enum or a secret.
    text = json.dumps(_as_json(tree.data, ()))
    try:
        return Settings.model_validate_json(text), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    problems = []
    for detail in details:
        path = detail["loc"]
        # Another file can add a key to a table, but not to an element of a list.
        if tree.complete or detail["type"] != "missing" or any(isinstance(part, int) for part in path):
            problems.append(tree.problem(path, _message(detail)))
    return None, problems


def _as_json(value: object, path: KeyPath) -> object:
    if isinstance(value, dict):
        return {key: _as_json(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item, (*path, index)) for index, item in enumerate(value)]
    if isinstance(value, date) and path == _SINCE:
        return value.isoformat()
    if isinstance(value, str | bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    return math.nan  # a date, a time or a giant number: like this one, no other setting accepts it


def _message(detail: ErrorDetails) -> str:
    kind, path, context = detail["type"], detail["loc"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    table = _section(Settings, path[:-1])
    if kind == "extra_forbidden":
        known = list(table.model_fields) if table else []
        return f"is not a known key{nearest(str(path[-1]), known)}"
    words = _WORDS.get(kind, detail["msg"]).format_map(context).replace("'", '"')
    field = table.model_fields.get(str(path[-1])) if table else None
    if field is None or not field.description:
        return words
    return f"{words}: {field.description.splitlines()[0]}"


def _section(annotation: object, path: KeyPath) -> type[Section] | None:
    """The kind of table at `path` within a value of that annotation."""
    arguments = get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        return next((found for one in arguments if (found := _section(one, path))), None)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        if not path:
            return annotation
        field = annotation.model_fields.get(str(path[0]))
        return _section(field.annotation, path[1:]) if field else None
    if path and get_origin(annotation) in (tuple, dict):
        return _section(arguments[0 if get_origin(annotation) is tuple else 1], path[1:])
    return None
