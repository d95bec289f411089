"""Who may do what to whose records: the matrix of rights, and how far each right reaches (reading 15 of the
domain requirements).

A right is an action on a kind of record, such as `account.update`. How far it reaches is told by the owners
of the record: its own, and those of the accounts that it belongs to. Reading follows the account (R021,
R041), so `account.read` is the only right to read. An admin may do everything, so that nobody is locked out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from config.rights import Scope
from store.users import UserRole

RIGHTS = "rights"  # where a session carries the company's matrix (Session.info)
TRUSTED = frozenset({UserRole.ADVANCED, UserRole.WORKSPACE_ADMIN})
ENTITIES = ("account", "contact", "project", "deal", "opportunity", "case_file", "sales_order")


class Verb(Enum):
    """What is done to a record."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


Right = tuple[str, Verb]  # ("account", Verb.UPDATE)

_ACTIONS = tuple((entity, verb) for entity in ENTITIES for verb in (Verb.CREATE, Verb.UPDATE, Verb.DELETE))
_STANDARD: dict[Right, Scope] = {
    **{right: Scope.NONE if right[1] is Verb.DELETE else Scope.OWN for right in _ACTIONS},
    ("account", Verb.READ): Scope.BRANCH,
    ("account", Verb.CREATE): Scope.NONE,
    ("contact", Verb.CREATE): Scope.ALL,
}
_ADVANCED: dict[Right, Scope] = {
    **{right: Scope.NONE if right[1] is Verb.DELETE else Scope.ALL for right in _ACTIONS},
    ("account", Verb.READ): Scope.ALL,
}


@dataclass(frozen=True)
class Matrix:
    """How far each right of each role reaches: what the config says, else the default."""

    changed: Mapping[tuple[UserRole, Right], Scope] = field(default_factory=dict)

    def scope(self, role: UserRole, entity: str, verb: Verb) -> Scope:
        """How far it reaches. Only users with the role advanced or admin create accounts (R156)."""
        if role is UserRole.WORKSPACE_ADMIN:
            return Scope.ALL
        right = ("account" if verb is Verb.READ else entity, verb)
        if right == ("account", Verb.CREATE) and role not in TRUSTED:
            return Scope.NONE
        default = (_ADVANCED if role is UserRole.ADVANCED else _STANDARD)[right]
        return self.changed.get((role, right), default)


DEFAULT = Matrix()
