"""The table `[checkin]`: how near to the place of a meeting one must be to say that one is there (table T7).

The text below a field is its description in the JSON Schema and in messages.
"""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from config.types import Keep, Section

FARTHEST_M = 100_000
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]  # degrees to the north, WGS 84
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]  # degrees to the east


class Checkin(Section):
    """Check-ins on site. All limits are included: who is exactly at one is within it."""

    radius_m: int = Field(default=500, ge=1, le=FARTHEST_M)
    """Farther away than so many metres a check-in is refused."""
    alert_m: int = Field(default=350, ge=0, le=FARTHEST_M, validate_default=True)
    """Farther away than so many metres it is marked as far; at most radius_m."""
    accuracy_m: int = Field(default=200, ge=1, le=FARTHEST_M)
    """A position that is less accurate than so many metres marks a check-in, and locates no account."""

    retention: Keep | None = None
    """Where somebody was longer ago than this is erased every night; by default it is kept. Check-ins stay,
    with how far it was."""

    @field_validator("alert_m")
    @classmethod
    def _is_within_the_radius(cls, value: int, info: ValidationInfo) -> int:
        radius = info.data.get("radius_m")
        if isinstance(radius, int) and value > radius:
            raise ValueError(f"must be at most radius_m, which is {radius}: farther away nobody checks in")
        return value
