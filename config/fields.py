"""The tables that change which fields the records of the CRM have. `config.settings` offers them on.

The text below a field is its description in the JSON Schema and in messages. They take effect with
`syncd fields apply`: what is stored is never changed silently.
"""

from typing import Annotated, Literal

from pydantic import Field

from config.types import Section, Text

Entity = Literal["account", "contact", "opportunity", "case_file"]
Flag = Literal["open", "won", "lost", "visit", "meeting", "call", "email", "comment", "video_call"]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]


class Label(Section):
    """What people read, by language."""

    fr: Text | None = None
    """In French."""
    en: Text | None = None
    """In English."""

    def words(self) -> dict[str, str]:
        """Those that are given, by language."""
        return {name: one for name, one in (("en", self.en), ("fr", self.fr)) if one is not None}


class ValueListItem(Section):
    """One value of a list."""

    code: Code
    """What is stored and what files hold; it never changes."""
    label: Label = Label()
    """What people read, by language: { fr = "…", en = "…" }; by default the code."""
    active: bool = True
    """Whether it can be chosen; old records keep it in any case."""
    default: bool = False
    """Whether new records have it that are given no other."""
    flag: Flag | None = None
    """What it means to the CRM: open, won or lost for items of opportunity_status, which need it; visit,
    meeting, call, email, comment or video_call for those of activity_type (by default what the code says,
    else meeting)."""
    branches: tuple[Text, ...] = ()
    """The branches of users ([[users]] branch) that can choose it; by default all of them."""


class ValueList(Section):
    """The values of a field, in the order in which they are shown."""

    code: Code
    """The list's name; contact_role, account_segment, opportunity_type, opportunity_status, order_status,
    activity_type, report_outcome, case_file_type and case_file_status are those of fields that there are
    anyway, action_type and action_status will be."""
    items: tuple[ValueListItem, ...] = Field(min_length=1)
    """Its values."""


class CustomField(Section):
    """A field of the company's own."""

    entity: Entity
    """account, contact, opportunity or case_file."""
    key: str = Field(pattern=r"^Z_[a-z0-9_]{1,38}$")
    """Its name: Z_ and small letters, digits and _."""
    type: Literal["text", "integer", "decimal", "percentage", "date", "checkbox", "value_list", "multi_list"]
    """What it holds; it cannot change while there are values."""
    label: Label = Label()
    """What people read, by language: { fr = "…", en = "…" }; by default the key."""
    list: Code | None = None
    """The code of the [[value_lists]] table (or of a list that there is anyway) whose values it has; for
    value_list and multi_list only."""
    required: bool = False
    """Whether new records need it, and nobody may empty it."""
    tab: Text | None = None
    """Under which heading pages show it."""


class FieldSetting(Section):
    """What is different about a field that there is anyway."""

    label: Label = Label()
    """What people read instead of its usual name, by language."""
    hidden: bool = False
    """Whether it is left out where records are shown."""
    required: bool = False
    """Whether new records need it, and nobody may empty it."""
