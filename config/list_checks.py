"""What must hold within one [[value_lists]] table, beyond its single items."""

from collections.abc import Iterator, Mapping

from config.built_in_lists import FLAGGED, MEANT, NO_DEFAULT, STARTS_WITH, meaning
from config.errors import Problem
from config.lines import KeyPath
from config.near import nearest
from config.sources import Tree


def items_of(path: KeyPath, table: Mapping[str, object]) -> Iterator[tuple[KeyPath, Mapping[str, object]]]:
    """The items of a list, with their paths; what is no table is left out."""
    items = table.get("items")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield (*path, "items", index), item


def flags(tree: Tree, path: KeyPath, table: Mapping[str, object]) -> Iterator[Problem]:
    """Every item of a list of statuses says what it means, each meaning can be chosen, and what is new is
    open. Items of most other lists mean nothing."""
    code = table.get("code")
    needed = FLAGGED.get(code, ()) if isinstance(code, str) else ()
    may = needed or (MEANT.get(code, ()) if isinstance(code, str) else ())
    found: set[object] = set()
    for place, item in items_of(path, table):
        flag = item.get("flag")
        if flag is not None and not may:
            yield tree.problem((*place, "flag"), f"is for the lists {', '.join((*FLAGGED, *MEANT))} only")
        elif needed and flag is None:
            yield tree.problem((*place, "flag"), f"is required in this list: {', '.join(needed)}")
        elif flag is not None and flag not in may:
            yield tree.problem((*place, "flag"), f"is one of {', '.join(may)} in this list")
        elif flag is not None and item.get("code") in may and flag != item.get("code"):
            yield tree.problem((*place, "flag"), f'"{item["code"]}" means what it says: leave this out')
        if item.get("active") is not False:
            found.add(flag if isinstance(flag, str) else None)
        yield from _default(tree, place, item, code if isinstance(code, str) else "")
    missing = [one for one in needed if one not in found]
    if missing and found:
        message = f"no item that can be chosen has the flag {', '.join(missing)}: the CRM needs one of each"
        yield tree.problem((*path, "items"), message)


def _default(tree: Tree, place: KeyPath, item: Mapping[str, object], code: str) -> Iterator[Problem]:
    if item.get("default") is not True:
        return
    flag, own = item.get("flag"), item.get("code")
    first = STARTS_WITH.get(code)
    if first is not None and flag != first:
        yield tree.problem((*place, "default"), f'the default of this list has the flag "{first}"')
    never = NO_DEFAULT.get(code, frozenset())
    means = meaning(code, str(own), flag if isinstance(flag, str) else None)
    if means in never:
        yield tree.problem((*place, "default"), f"a new event is no {means} unless somebody says so")


def branches(tree: Tree, path: KeyPath, table: Mapping[str, object]) -> Iterator[Problem]:
    """A branch is one that a user works in."""
    if not tree.complete:
        return
    known = {one: None for _, user in tree.tables("users") if isinstance(one := user.get("branch"), str)}
    for place, item in items_of(path, table):
        named = item.get("branches")
        for index, branch in enumerate(named if isinstance(named, list) else ()):
            if isinstance(branch, str) and branch not in known:
                message = f'no [[users]] has the branch "{branch}"{nearest(branch, list(known))}'
                yield tree.problem((*place, "branches", index), message)
