"""The tables `[[status_rules]]`: what is to be done when an account gets another status (R155).

The text below a field is its description in the JSON Schema and in messages.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from config.types import Section, Text

OWNER = "owner"
PLACES = ("account", "from", "to")  # what a template may have in braces
LONGEST = 120  # characters of a template: the account's name comes to it, and a subject has 255
LONGEST_BODY = 5000  # of the text of a mail


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
    return _places(value, LONGEST)


def _body(value: str) -> str:
    return _places(value, LONGEST_BODY)


def _places(value: str, most: int) -> str:
    if len(value) > most:
        raise ValueError(f"has {len(value)} characters, at most {most} are accepted")
    plain = value
    for place in PLACES:
        plain = plain.replace(f"{{{place}}}", "")
    if "{" in plain or "}" in plain:
        raise ValueError(f"only {', '.join(f'{{{place}}}' for place in PLACES)} may stand in braces")
    return value


Template = Annotated[Text, AfterValidator(_template)]
Body = Annotated[str, AfterValidator(_body)]


class StatusRule(Section):
    """One rule. It acts once on each change of a status, and never on an account's first one."""

    from_: AccountState | None = Field(default=None, alias="from")
    """The status before; left out: any."""
    to: AccountState
    """The status from now on."""
    action: StatusAction = StatusAction.TASK
    """task, event (a whole day in the calendar), or email_draft: a mail in the folder Drafts of the
    assignee's mailbox, to the account's address or else its first contact's. Nothing is sent."""
    template: Template
    """The subject; {account}, {from} and {to} stand for the account's name and its statuses."""
    body: Body = ""
    """Of an email_draft: its text, with the same places as the subject."""
    assignee: Text = OWNER
    """"owner" for the account's, or the login of a user. Where an account has no owner nothing is made."""
    due_in_days: int = Field(default=7, ge=0, le=365)
    """How many days after the change it is due."""

    @model_validator(mode="after")
    def _body_of_a_mail(self) -> Self:
        if self.body and self.action is not StatusAction.EMAIL_DRAFT:
            raise ValueError('body: only action = "email_draft" has a text')
        return self
