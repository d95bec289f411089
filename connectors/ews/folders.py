"""The mail folders of an Exchange mailbox: names as paths, roles by what Exchange calls them itself.

A folder's `ref` is its path of display names, as a person sees it, with the Inbox always "INBOX"; a slash
inside a name is written %2F. Folders of appointments, contacts and the like are not listed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exchangelib.properties import FolderId

from connectors.errors import AuthFailed
from connectors.ews import failures
from connectors.ews.access import Entry
from connectors.ews.requests import FOLDER, Folders, FoldersBelow, text
from connectors.ews.session import EwsSession
from connectors.model import Folder, FolderRole

ROOT = "msgfolderroot"
ROLES = {
    "inbox": FolderRole.INBOX,
    "sentitems": FolderRole.SENT,
    "drafts": FolderRole.DRAFTS,
    "outbox": FolderRole.DRAFTS,  # on its way out: it will be in Sent
    "junkemail": FolderRole.JUNK,
    "deleteditems": FolderRole.TRASH,
}
MAIL = "IPF.NOTE"
DEEPEST = 100
NOT_THERE = "ErrorFolderNotFound"


@dataclass(frozen=True, slots=True)
class Listed:
    """A folder as the server tells of it."""

    id: str
    name: str
    parent: str
    kind: str


@dataclass(frozen=True)
class Tree:
    """The folders of a mailbox as they were listed."""

    folders: tuple[Folder, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)  # ref -> the server's id


def special(session: EwsSession) -> dict[str, Listed]:
    """The folders that every mailbox has, by Exchange's name; those that cannot be seen are left out.

    The first request of a session: it logs in. Raises AuthFailed where none can be seen.
    """
    names = [ROOT, *ROLES]
    found = session.call(
        Folders,
        collection=session.access.address,
        folders=[session.folder(name) for name in names],
        additional_fields=FOLDER,
        shape="IdOnly",
    )
    seen = {
        name: _listed(one) for name, one in zip(names, found, strict=False) if not isinstance(one, Exception)
    }
    if not seen:
        raise AuthFailed(
            f"No folder of {session.access.who} may be seen by this login. Have its owner or an administrator"
            f' give access to it (`access` is "{session.access.entry.value}").'
        )
    return seen


def tree(session: EwsSession, known: Mapping[str, Listed]) -> Tree:
    """Every mail folder. Where the root may not be seen (a delegate's), the ones that may be."""
    listed = list(known.values())
    if ROOT in known:
        below = session.call(FoldersBelow, collection=session.access.address, parent=session.folder(ROOT))
        listed += [_listed(one) for one in below if not isinstance(one, Exception)]
    return _tree(known, listed)


def gone(session: EwsSession, ids: Sequence[str]) -> list[str]:
    """Those of these folders of which the server says that they are not there. None of a delegate's, to whom
    it says the same of what may not be seen. Raises MailboxError for what is about more than one."""
    if not ids or session.access.entry is Entry.DELEGATE:
        return []
    with session.asking(collection=session.access.address):
        service = session.service(Folders)
        told = list(
            service.call(folders=[FolderId(id=one) for one in ids], additional_fields=FOLDER, shape="IdOnly")
        )
    return [
        one
        for one, answer in zip(ids, told, strict=False)
        if isinstance(answer, Exception) and failures.code_of(answer) == NOT_THERE
    ]


def _tree(known: Mapping[str, Listed], listed: Iterable[Listed]) -> Tree:
    by_id = {one.id: one for one in listed}
    roles = {one.id: ROLES[name] for name, one in known.items() if name in ROLES}
    root = known[ROOT].id if ROOT in known else ""
    folders: dict[str, Folder] = {}
    ids: dict[str, str] = {}
    for one in by_id.values():
        role = roles.get(one.id, FolderRole.OTHER)
        if one.id == root or not (one.kind.upper().startswith(MAIL) or role is not FolderRole.OTHER):
            continue
        ref = "/".join(reversed(list(_path(one, by_id, roles, root))))
        if ref not in folders:
            folders[ref], ids[ref] = Folder(ref, role), one.id
    return Tree(tuple(folders.values()), ids)


def _path(
    one: Listed, by_id: Mapping[str, Listed], roles: Mapping[str, FolderRole], root: str
) -> Iterator[str]:
    """The names from the folder up, without the root's."""
    current: Listed | None = one
    for _ in range(DEEPEST):
        if current is None or current.id == root:
            return
        if roles.get(current.id) is FolderRole.INBOX:
            yield "INBOX"
            return
        yield current.name.replace("/", "%2F")
        current = by_id.get(current.parent)


def _listed(element: Any) -> Listed:
    # A folder without a class holds mail; with another one, what the class says.
    return Listed(
        id=_id(element, "FolderId"),
        name=text(element, "DisplayName"),
        parent=_id(element, "ParentFolderId"),
        kind=text(element, "FolderClass") or MAIL,
    )


def _id(element: Any, name: str) -> str:
    namespace = element.tag.partition("}")[0] + "}"
    found = element.find(namespace + name)
    return "" if found is None else str(found.get("Id", ""))
