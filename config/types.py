"""The kinds of value a setting can have, each with its rule and its JSON Schema."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from config import rules, values

_DURATION_SCHEMA = {
    "type": "string",
    "pattern": values.DURATION_PATTERN,
    "examples": ["30s", "15m", "2h30m", "90d"],
}
_DATE_SCHEMA = {"type": "string", "pattern": values.DATE_PATTERN, "examples": ["2026-01-31"]}
_SINCE_SCHEMA = {"anyOf": [_DURATION_SCHEMA, _DATE_SCHEMA]}
_SIZE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": values.SIZE_PATTERN, "examples": ["10 KB", "25MiB"]},
        {"type": "integer", "minimum": 0},
    ]
}
_ZONE_SCHEMA = {"type": "string", "examples": ["Europe/Paris", "UTC"]}

Duration = Annotated[
    timedelta, BeforeValidator(values.parse_duration), WithJsonSchema(_DURATION_SCHEMA)
]  # "90d", "15m", "2h30m"
Period = Annotated[Duration, AfterValidator(rules.longer_than_nothing)]  # a Duration above zero
Keep = Annotated[Duration, AfterValidator(rules.a_day_at_least)]  # a Duration of a day or more
Size = Annotated[
    int, BeforeValidator(values.parse_size), Field(ge=0), WithJsonSchema(_SIZE_SCHEMA)
]  # octets; "25MiB"
Since = Annotated[
    date | timedelta,
    BeforeValidator(values.parse_since),
    WithJsonSchema(_SINCE_SCHEMA),
]  # "2026-01-31" or "90d"
TimeZone = Annotated[
    ZoneInfo, BeforeValidator(values.parse_timezone), WithJsonSchema(_ZONE_SCHEMA)
]  # an IANA name
Text = Annotated[str, Field(min_length=1), AfterValidator(rules.one_line)]
Address = Annotated[str, AfterValidator(rules.mail_address)]
Host = Annotated[str, AfterValidator(rules.host_name)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
LocalPath = Annotated[Path, AfterValidator(rules.usable_path)]


class Section(BaseModel):
    """A table of the config file. Unknown keys are errors; nothing changes after loading."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        strict=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # what was written may be a password in the wrong place
    )
