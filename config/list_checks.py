"""What must hold within one [[value_lists]] table, beyond its single items."""

from collections.abc import Iterator, Mapping

from config.built_in_lists import FLAGGED, STARTS_WITH
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
    open. Items of other lists mean nothing."""
    code = table.get("code")
    needed = FLAGGED.get(code, ()) if isinstance(code, str) else ()
    found: set[object] = set()
    for place, item in items_of(path, table):
        flag = item.get("flag")
        if flag is not None and not needed:
            yield tree.problem((*place, "flag"), f"is for the list {', '.join(FLAGGED)} only")
        elif needed and flag is None:
            yield tree.problem((*place, "flag"), f"is required in this list: {', '.join(needed)}")
        if item.get("active") is not False:
            found.add(flag if isinstance(flag, str) else None)
        first = STARTS_WITH.get(code) if isinstance(code, str) else None
        if first is not None and item.get("default") is True and flag != first:
            yield tree.problem((*place, "default"), f'the default of this list has the flag "{first}"')
    missing = [one for one in needed if one not in found]
    if missing and found:
        message = f"no item that can be chosen has the flag {', '.join(missing)}: the CRM needs one of each"
        yield tree.problem((*path, "items"), message)


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
