"""The tables `[[status_rules]]`: what is to be done when an account gets another status (R155).

The text below a field is its description in the JSON Schema and in messages.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from config.types import Section, Text

OWNER = "owner"
PLACES = ("account", "from", "to")  # what a template may have in braces
LONGEST = 120  # characters of a template: the account's name comes to it, and a subject has 255


class AccountState(StrEnum):
    """A status of accounts."""

    ACTIVE = "active"
    PROSPECT = "prospect"
    NEGLECTED = "neglected"
    INACTIVE = "inactive"


class StatusAction(StrEnum):
    """What a rule makes."""

    TASK = "task"
    EVENT = "event"
    EMAIL_DRAFT = "email_draft"


def _template(value: str) -> str:
    if len(value) > LONGEST:
        raise ValueError(f"has {len(value)} characters, at most {LONGEST} are accepted")
    plain = value
    for place in PLACES:
        plain = plain.replace(f"{{{place}}}", "")
    if "{" in plain or "}" in plain:
        raise ValueError(f"only {', '.join(f'{{{place}}}' for place in PLACES)} may stand in braces")
    return value


Template = Annotated[Text, AfterValidator(_template)]


class StatusRule(Section):
    """One rule. It acts once on each change of a status, and never on an account's first one."""

    from_: AccountState | None = Field(default=None, alias="from")
    """The status before; left out: any."""
    to: AccountState
    """The status from now on."""
    action: StatusAction = StatusAction.TASK
    """task, or event (a whole day in the calendar). email_draft is not offered by this version."""
    template: Template
    """The subject; {account}, {from} and {to} stand for the account's name and its statuses."""
    assignee: Text = OWNER
    """"owner" for the account's, or the login of a user. Where an account has no owner nothing is made."""
    due_in_days: int = Field(default=7, ge=0, le=365)
    """How many days after the change it is due."""

    @field_validator("action")
    @classmethod
    def _can_be_done(cls, value: StatusAction) -> StatusAction:
        if value is StatusAction.EMAIL_DRAFT:
            raise ValueError(
                "this version writes no e-mail drafts: use "
                '"task" with a template such as "Écrire à {account}"'
            )
        return value
