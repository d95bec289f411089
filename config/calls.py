"""The table that says where call records come from and how to read them. `config.settings` offers it on.

The text below a field is its description in the JSON Schema and in messages.
"""

from typing import Annotated, Literal

from pydantic import Field

from config.types import LocalPath, Section, Text, TimeZone

Number = Annotated[str, Field(pattern=r"^\+?[0-9*#]{1,20}$")]


class CallColumns(Section):
    """The headings of a file of call records, where they are not found by themselves."""

    started: Text | None = None
    """When the call began: date and time, or the date only."""
    time: Text | None = None
    """The time of day, where it stands apart from the date."""
    caller: Text | None = None
    """The number that called."""
    called: Text | None = None
    """The number that was called."""
    seconds: Text | None = None
    """How long was talked: seconds, or as 00:01:12."""
    status: Text | None = None
    """Whether somebody answered."""
    direction: Text | None = None
    """Inbound, outbound or internal."""
    extension: Text | None = None
    """Whose telephone it was."""
    id: Text | None = None
    """What makes the call unique."""


class CallLine(Section):
    """A telephone of a user."""

    number: Number
    """The extension, or a direct number as it is recorded: digits, with + and country if it has them."""
    user: str
    """The login of its user."""


class Calls(Section):
    """Call records of a telephone system, dropped as CSV files into a directory."""

    directory: LocalPath | None = None
    """Where the files are dropped; without it no calls are read. Relative to the config file."""
    timezone: TimeZone | None = None
    """The time zone of the telephone system's clock; by default the workspace's."""
    dates: Literal["day-first", "month-first"] | None = None
    """How it writes dates such as 03/04/2026; by default its files must tell."""
    prefix: str = Field(default="", pattern=r"^[0-9*#]{0,4}$")
    """What is dialled to get a line to the outside; it is taken off the numbers called."""
    lines: tuple[CallLine, ...] = ()
    """Extensions and direct numbers, each with its user."""
    numbers: tuple[Number, ...] = ()
    """The company's other numbers, such as the switchboard's: digits, with + and country if so recorded."""
    record_unlinked: bool = False
    """Record calls with numbers that are no contact's and no account's, too."""
    columns: CallColumns = CallColumns()
    """Headings other than the usual ones; those of Asterisk, FreePBX and 3CX are known."""
