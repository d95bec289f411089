"""The tables that say how calendars are kept in step. `config.settings` offers them on.

The text below a field is its description in the JSON Schema and in messages.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field, GetJsonSchemaHandler, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from config import rules
from config.types import Duration, LocalPath, Period, Section, Text


class Direction(StrEnum):
    """Which side's changes count."""

    BOTH = "both"
    TO_CRM = "to-crm"
    TO_REMOTE = "to-remote"


Winner = Literal["remote", "crm", "newest", "manual"]


class Window(Section):
    """Which events are taken into the CRM, by their distance from now."""

    past: Duration = timedelta(days=30)
    """Events that ended longer ago stay out."""
    future: Duration = timedelta(days=365)
    """Events that begin later stay out until then."""


class Conflict(Section):
    """Who wins where both sides changed the same unit (table T4, row 6)."""

    default: Winner = "remote"
    """remote (what the user sees in their own client), crm, newest, or manual (both wait for a person)."""
    timing: Winner | None = None
    """Start, end, time zone and recurrence together."""
    subject: Winner | None = None
    """The subject."""
    location: Winner | None = None
    """The place."""
    notes: Winner | None = None
    """The notes; they are merged line by line first."""
    status: Winner | None = None
    """Confirmed, tentative or cancelled; open or done."""
    privacy: Winner | None = None
    """Public or private."""
    busy: Winner | None = None
    """Whether it blocks time."""
    alarms: Winner | None = None
    """The alerts; they are merged one by one first."""
    categories: Winner | None = None
    """The categories; they are merged one by one first."""
    attendees: Winner | None = None
    """The participants; they are merged by address first, and answers are always the server's."""
    video: Winner | None = None
    """The link of a video conference."""

    def by_unit(self) -> dict[str, Winner]:
        """The units that have a rule of their own."""
        return {name: winner for name, winner in self if name != "default" and winner is not None}


class Brake(Section):
    """How much may change in one cycle of a mailbox before a person is asked (table T4, row 18)."""

    count: int = Field(default=10, ge=1)
    """At least this many."""
    percent: int = Field(default=30, ge=0, le=100)
    """And more than this share of what is synchronised."""


class Calendar(Section):
    """How calendars and task lists are kept in step."""

    window: Window = Window()
    """Which events are taken into the CRM."""
    conflict: Conflict = Conflict()
    """Who wins where both sides changed the same."""
    brake: Brake = Brake()
    """How much may change at once."""
    default_alarm: int | None = Field(default=15, ge=0, le=40320)
    """Minutes before an event made in the CRM at which it alerts, where nobody says otherwise."""


class CaldavServer(Section):
    """A CalDAV server (RFC 4791)."""

    url: Text
    """https://… (http only to this machine): the server's root, a principal, or a home of calendars."""
    ca_file: LocalPath | None = None
    """A PEM file of certificates; trusted in place of the system's. Relative to the config file."""
    timeout: Period = timedelta(seconds=60)
    """Silence after which a connection is given up."""
    auth: Literal["auto", "basic", "digest"] = "auto"
    """How a password is sent; auto: what the server asks for. A mailbox with oauth2 sends a bearer token."""

    @field_validator("url")
    @classmethod
    def _is_protected(cls, value: str) -> str:
        return rules.protected_url(value)


class CalendarChoice(Section):
    """One calendar or task list that is synchronised."""

    name: Text | None = None
    """The name its owner gave it; this or url."""
    url: Text | None = Field(default=None, validate_default=True)
    """Its URL, or the path of it; this or name."""
    direction: Direction | None = None
    """By default that of the mailbox."""

    @field_validator("url")
    @classmethod
    def _is_one_of_two(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "name" in info.data and (value is None) == (info.data["name"] is None):
            raise ValueError("a calendar is chosen by exactly one of name and url")
        return value

    @model_validator(mode="before")
    @classmethod
    def _may_be_a_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        table = handler.resolve_ref_schema(handler(core))
        as_table = {**table}
        table.clear()
        table |= {
            "description": as_table.pop("description", ""),
            "anyOf": [{"type": "string", "minLength": 1, "description": "Its name."}, as_table],
        }
        return table

    def text(self) -> str:
        """What the admin wrote to name it."""
        return self.name or self.url or ""
