"""The table `[rights]`: how far the rights of users reach who are no admins.

The text below a field is its description in the JSON Schema and in messages. What a key left out means is
`store.rights`' and docs/rights.md's.
"""

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from config.types import Section


class Scope(StrEnum):
    """How far a right reaches, by the owner of the record or of its account."""

    NONE = "none"
    OWN = "own"  # one's own
    TEAM = "team"  # and those of the users whose manager one is, directly or not
    BRANCH = "branch"  # and those of one's branch, and of nobody
    ALL = "all"


class AccountRights(Section):
    """Rights on accounts."""

    read: Scope | None = None
    """Whose accounts one sees, with all that hangs on them; what one owns and what is public always."""
    create: Scope | None = None
    """For whom one creates accounts. Never the role standard's (R156)."""
    update: Scope | None = None
    """Whose one changes."""
    delete: Scope | None = None
    """Whose one deletes and restores."""


class RecordRights(Section):
    """Rights on records that belong to accounts. They are read where their account is."""

    create: Scope | None = None
    """On whose accounts one creates them."""
    update: Scope | None = None
    """Whose one changes."""
    delete: Scope | None = None
    """Whose one deletes and restores."""


class RoleRights(Section):
    """The rights of one role: "none", "own", "team", "branch" or "all"."""

    account: AccountRights = AccountRights()
    """Rights on accounts."""
    contact: RecordRights = RecordRights()
    """Rights on contacts."""
    project: RecordRights = RecordRights()
    """Rights on projects."""
    deal: RecordRights = RecordRights()
    """Rights on deals."""
    opportunity: RecordRights = RecordRights()
    """Rights on opportunities."""
    case_file: RecordRights = RecordRights()
    """Rights on dossiers."""
    sales_order: RecordRights = RecordRights()
    """Rights on orders and their lines."""


class Rights(Section):
    """What users may do; admins may do everything. The defaults are in docs/rights.md."""

    standard: RoleRights = RoleRights()
    """The role standard."""
    advanced: RoleRights = RoleRights()
    """The role advanced."""

    @model_validator(mode="after")
    def _standard_creates_no_accounts(self) -> Self:
        if self.standard.account.create not in (None, Scope.NONE):
            raise ValueError(
                'standard.account.create: only "none": accounts are created by users with the role advanced '
                "or admin (others make a draft)"
            )
        return self
