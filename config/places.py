"""What a person writes for a place on earth: degrees of WGS 84, north and east positive.

Pure functions that raise ValueError whose text names the accepted forms. Degrees are kept with six decimals
(11 cm); what is written finer, as telephones and maps do, is rounded.
"""

import re
from decimal import ROUND_HALF_EVEN, Decimal

from config.language import Phrase
from config.words import field_word

SIX_DECIMALS = Decimal("0.000001")
LARGEST_LATITUDE, LARGEST_LONGITUDE = 90, 180
_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(?:[.,][0-9]{1,30})?")
_SHOWN = 20  # characters of a value in a message


def latitude(text: str) -> Decimal:
    """Degrees to the north, as 45.764043 or 45,764043."""
    return degrees(text, "latitude", LARGEST_LATITUDE, "45.764043")


def longitude(text: str) -> Decimal:
    """Degrees to the east, as 4.835659 or 4,835659."""
    return degrees(text, "longitude", LARGEST_LONGITUDE, "4.835659")


def position(text: str) -> tuple[Decimal, Decimal]:
    """Latitude and longitude: "45.764043,4.835659"; with a semicolon between them also decimal commas."""
    apart = ";" if ";" in text else ","
    parts = text.split(apart)
    if len(parts) != 2:  # noqa: PLR2004 - latitude and longitude
        raise ValueError(
            Phrase(
                '"{text}" is no position: write latitude and longitude, "45.764043,4.835659"',
                text=text[: 2 * _SHOWN],
            )
        )
    return latitude(parts[0].strip()), longitude(parts[1].strip())


def kept(north: float | None, east: float | None) -> tuple[Decimal, Decimal] | None:
    """A place as it is kept; None unless both are known."""
    if north is None or east is None:
        return None
    return _rounded(Decimal(str(north))), _rounded(Decimal(str(east)))


def degrees(text: str, name: str, largest: int, example: str) -> Decimal:
    """Degrees from -largest to largest, rounded to six decimals."""
    if _DEGREES.fullmatch(text) is None or abs(value := Decimal(text.replace(",", "."))) > largest:
        raise ValueError(
            Phrase(
                '"{text}" is no {name}: write degrees from -{largest} to {largest}, such as {example}',
                text=text[:_SHOWN],
                name=field_word(name),
                largest=largest,
                example=example,
            )
        )
    return _rounded(value)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(SIX_DECIMALS, ROUND_HALF_EVEN) + 0  # no -0
