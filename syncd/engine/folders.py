"""Which folders of a mailbox are read. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.model import Folder, FolderRole

NEVER = frozenset({FolderRole.DRAFTS, FolderRole.JUNK, FolderRole.TRASH})  # table T5, row 1
USUAL = frozenset({FolderRole.INBOX, FolderRole.SENT, FolderRole.ALL})  # read where the config names none


@dataclass(frozen=True, slots=True)
class Choice:
    """The folders to read, as (ref, role), and those that should be there but are not."""

    folders: tuple[tuple[str, str], ...]
    missing: frozenset[str]  # read so far, gone now: an error state, never an emptiness
    unknown: tuple[str, ...] = ()  # configured (or the Inbox), but not on the server
    never: tuple[str, ...] = ()  # configured, but of a kind that is never read


def choose(
    listed: Sequence[Folder], wanted: Sequence[str] | None, before: Sequence[tuple[str, str]]
) -> Choice:
    """Chooses among the folders that the server lists.

    `wanted` names folders, or roles as `\\Sent`; None means Inbox and Sent, or All Mail where the server
    has one (Gmail: each message once). A role that moved to another folder takes that one; a folder that
    was read before and that nothing replaces stays chosen, and is told as missing.
    """
    usable = [folder for folder in listed if folder.selectable]
    picked: dict[str, FolderRole] = {}
    unknown: list[str] = []
    never: list[str] = []
    for name in wanted if wanted is not None else _usual(usable):
        found = _find(usable, name)
        picked.update((folder.ref, folder.role) for folder in found if folder.role not in NEVER)
        if wanted is not None and not found:
            unknown.append(name)
        elif wanted is not None and all(folder.role in NEVER for folder in found):
            never.append(name)
    missing = _missing(usable, wanted, before, picked)
    picked.update(missing)
    if wanted is None and not {FolderRole.INBOX, FolderRole.ALL} & set(picked.values()):
        unknown.append("INBOX")  # a mailbox of which nothing can be seen is not an empty one
    still_unknown = (name for name in unknown if not any(_names(name, *one) for one in missing.items()))
    return Choice(
        tuple((ref, role.value) for ref, role in picked.items()),
        frozenset(missing),
        tuple(still_unknown),
        tuple(never),
    )


def _missing(
    usable: Sequence[Folder],
    wanted: Sequence[str] | None,
    before: Sequence[tuple[str, str]],
    picked: Mapping[str, FolderRole],
) -> dict[str, FolderRole]:
    """The folders read so far that are gone, that nothing replaces and that are still asked for."""
    roles = set(picked.values())
    if wanted is None and FolderRole.ALL in roles:
        return {}  # it holds what the others held
    names = {folder.ref for folder in usable}
    missing = {}
    for ref, value in before:
        role = FolderRole(value)
        replaced = role in roles and role is not FolderRole.OTHER
        asked_for = role in USUAL if wanted is None else any(_names(name, ref, role) for name in wanted)
        if ref not in names and not replaced and asked_for:
            missing[ref] = role
    return missing


def _usual(usable: Sequence[Folder]) -> list[str]:
    if any(folder.role is FolderRole.ALL for folder in usable):
        return ["\\All"]
    return ["\\Inbox", "\\Sent"]


def _names(name: str, ref: str, role: FolderRole) -> bool:
    """Whether a name of the config means this folder."""
    if name.startswith("\\"):
        return name[1:].lower() == role.value
    return name == ref or (name.upper() == "INBOX" and role is FolderRole.INBOX)


def _find(usable: Sequence[Folder], name: str) -> list[Folder]:
    if name.startswith("\\"):
        return [folder for folder in usable if folder.role.value == name[1:].lower()][:1]
    if name.upper() == "INBOX":
        return [folder for folder in usable if folder.role is FolderRole.INBOX]
    return [folder for folder in usable if folder.ref == name]
