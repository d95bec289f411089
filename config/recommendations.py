"""The tables that say what writes recommendations by itself. `config.settings` offers them on.

The text below a field is its description in the JSON Schema and in messages. Conditions and templates are
checked by `config.advice`, which knows the fields that there are.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from config.types import LocalPath, Section, Text

RuleName = Annotated[Text, Field(max_length=80)]


class Plan(StrEnum):
    """What the company has bought; automatic recommendations need more than ESSENTIAL (R002)."""

    ESSENTIAL = "essential"
    PROFESSIONAL = "professional"
    PERFORMANCE = "performance"


class Product(Section):
    """The product."""

    plan: Plan = Plan.PERFORMANCE
    """essential, professional or performance: essential has no recommendations by rules."""


class RecommendationRule(Section):
    """What writes a recommendation by itself, at accounts that a condition holds for (table T3)."""

    name: RuleName
    """A name, unique; it is shown as the author."""
    enabled: bool = True
    """Whether it is applied."""
    priority: int = Field(default=100, ge=0, le=1000)
    """Of several that match, the one with the lowest number writes; then file before field, then name."""
    source: Literal["field", "file"] = "field"
    """field: of the account's fields; file: of what dropped files say of the account, too."""
    condition: Text | None = None
    """When it matches: 'status == "neglected"'; a file rule without one, whenever a file says something."""
    template: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    """The text, with fields in braces; by default, for file rules only, what the file says."""
    category: Literal["payment_delay", "payment_notice", "account_info", "other"] = "other"
    """What it is about: payment_delay, payment_notice, account_info or other."""
    severity: Literal["info", "warning"] = "warning"
    """How loud it is: info or warning."""
    overwrite_manual: bool = False
    """Whether it replaces what a person wrote, too."""
    clear_when_false: bool = True
    """Whether its text goes once no rule matches any more."""


class Recommendations(Section):
    """Recommendations that come in as files."""

    directory: LocalPath | None = None
    """Where the files are dropped; without it none are read. Relative to the config file."""
