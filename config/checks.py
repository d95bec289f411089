"""The rules between tables: names that must exist, and names that must not exist twice.

They are applied to the tables as written, not to the typed settings, so that a mistake elsewhere hides
none of these. What has the wrong type is passed over here: `config.settings` reports it.
"""

from collections.abc import Iterator, Mapping

from config import advice, own_fields
from config.errors import Problem
from config.lines import KeyPath
from config.near import nearest
from config.sources import Tree
from config.status_rules import OWNER

NEEDS = {"mail": "imap", "calendar": "caldav"}  # what is synchronised, and the table it takes
INSTEAD = "ews"  # serves for either


def check(tree: Tree) -> list[Problem]:
    """Every broken rule, in no particular order."""
    return [
        *_twice(tree, "users", "login"),
        *_twice(tree, "mailboxes", "name"),
        *_shared_addresses(tree),
        *_strangers(tree),
        *_managers(tree),
        *_twice(tree, advice.RULES, "name"),
        *_twice(tree, "value_lists", "code"),
        *own_fields.check(tree),
        *advice.check(tree, own_fields.sorts(tree, "account")),
    ]


def _twice(tree: Tree, table: str, key: str) -> Iterator[Problem]:
    first: dict[str, KeyPath] = {}
    for path, item in tree.tables(table):
        name = item.get(key)
        if isinstance(name, str) and first.setdefault(name.casefold(), (*path, key)) != (*path, key):
            yield tree.problem(
                (*path, key), f'"{name}" is taken already, at {tree.place(first[name.casefold()])}'
            )


def _shared_addresses(tree: Tree) -> Iterator[Problem]:
    first: dict[str, KeyPath] = {}
    for path, user in tree.tables("users"):
        for place, address in _addresses(path, user):
            if first.setdefault(address.lower(), place) != place:
                other = tree.place(first[address.lower()])
                yield tree.problem(place, f'"{address}" is already the address of a user, at {other}')


def _addresses(path: KeyPath, user: Mapping[str, object]) -> Iterator[tuple[KeyPath, str]]:
    email, aliases = user.get("email"), user.get("aliases")
    if isinstance(email, str):
        yield (*path, "email"), email
    for index, alias in enumerate(aliases if isinstance(aliases, list) else []):
        if isinstance(alias, str):
            yield (*path, "aliases", index), alias


def _strangers(tree: Tree) -> Iterator[Problem]:
    """Mailboxes whose user or server is not there. Says nothing while a file is unread: it may be in it."""
    if not tree.complete:
        return
    logins = [login for _, user in tree.tables("users") if isinstance(login := user.get("login"), str)]
    yield from _lines_of_nobody(tree, logins)
    for path, rule in tree.tables("status_rules"):
        login = rule.get("assignee")
        if isinstance(login, str) and login not in (OWNER, *logins):
            yield tree.problem(
                (*path, "assignee"), f'no user has the login "{login}"{nearest(login, logins)}'
            )
    servers = tree.table("servers")
    for path, mailbox in tree.tables("mailboxes"):
        user, server = mailbox.get("user"), mailbox.get("server")
        if isinstance(user, str) and user not in logins:
            yield tree.problem((*path, "user"), f'no user has the login "{user}"{nearest(user, logins)}')
        if not isinstance(server, str):
            continue
        if server not in servers:
            message = f"there is no table [servers.{server}]{nearest(server, servers)}"
            yield tree.problem((*path, "server"), message)
            continue
        table = servers[server]
        for wanted, needed in NEEDS.items():
            if _wants(mailbox, wanted) and isinstance(table, dict) and not {needed, INSTEAD} & set(table):
                message = (
                    f"has no table [servers.{server}.{needed}], which {wanted} needs; an Exchange server has"
                    f" [servers.{server}.{INSTEAD}] instead"
                )
                yield tree.problem((*path, "server"), message)
        if isinstance(table, dict):
            yield from _exchange(tree, path, mailbox, exchange=INSTEAD in table)


def _lines_of_nobody(tree: Tree, logins: list[str]) -> Iterator[Problem]:
    """Telephone lines whose user is not there."""
    lines = tree.table("calls").get("lines")
    for index, line in enumerate(lines if isinstance(lines, list) else ()):
        login = line.get("user") if isinstance(line, dict) else None
        if isinstance(login, str) and login not in logins:
            message = f'no user has the login "{login}"{nearest(login, logins)}'
            yield tree.problem(("calls", "lines", index, "user"), message)


def _managers(tree: Tree) -> Iterator[Problem]:
    """Managers who are not there, or who are led by those whom they lead."""
    led: dict[str, tuple[KeyPath, object]] = {}
    for path, user in tree.tables("users"):
        if isinstance(login := user.get("login"), str):
            led[login] = (path, user.get("manager"))
    for login, (path, manager) in led.items():
        if not isinstance(manager, str):
            continue
        if manager not in led:
            if tree.complete:
                yield tree.problem(
                    (*path, "manager"), f'no user has the login "{manager}"{nearest(manager, list(led))}'
                )
            continue
        seen = {login}
        above: object = manager
        while isinstance(above, str) and above in led and above not in seen:
            seen.add(above)
            above = led[above][1]
        if above == login:
            yield tree.problem((*path, "manager"), f'"{manager}" is led by "{login}", directly or not')


def _exchange(
    tree: Tree, path: KeyPath, mailbox: Mapping[str, object], *, exchange: bool
) -> Iterator[Problem]:
    """What only mailboxes at an Exchange server have, and what those with an application's token need."""
    for key in ("access", "address"):
        if key in mailbox and not exchange:
            message = f"is for mailboxes at an Exchange server ([servers.{mailbox['server']}.{INSTEAD}])"
            yield tree.problem((*path, key), message)
    oauth2 = mailbox.get("oauth2")
    flow = oauth2.get("flow") if isinstance(oauth2, dict) else None
    if exchange and flow == "client-credentials" and mailbox.get("access", "own") != "impersonate":
        message = (
            'client credentials have no mailbox of their own at Exchange: set access = "impersonate" and let'
            " the application impersonate the users"
        )
        yield tree.problem((*path, "oauth2", "flow"), message)


def _wants(mailbox: Mapping[str, object], what: str) -> bool:
    sync = mailbox.get("sync", ["mail"])
    return isinstance(sync, list) and what in sync
