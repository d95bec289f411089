"""Whose number a call was with, however it is spelled. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import phonenumbers

LONGEST = 40  # characters of a number: that of the CRM's columns


@dataclass(frozen=True, slots=True)
class PhoneBook:
    """Records by their numbers in the international form (E.164)."""

    country: str  # of numbers that name none: two capitals (ISO 3166-1)
    records: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def whose(self, number: str) -> tuple[int, ...]:
        """The records that have this number: none, one, or several that share it."""
        key = international(number, self.country)
        return self.records.get(key, ()) if key else ()


def phone_book(entries: Iterable[tuple[int, Iterable[str | None]]], country: str) -> PhoneBook:
    """A book of `(record, its numbers)`. What is no number is left out."""
    records: dict[str, tuple[int, ...]] = {}
    for record, numbers in entries:
        keys = {key for number in numbers if number and (key := international(number, country))}
        for key in keys:
            records[key] = (*records.get(key, ()), record)
    return PhoneBook(country, records)


def international(number: str, country: str) -> str:
    """A number as +33123456789 (E.164), from any way to write it; empty where it is none.

    "01 23 45 67 89", "0033123456789" and "+33 (0)1.23.45.67.89" are one number in France, and so is
    33123456789, as SIP trunks give it.
    """
    if len(number) > LONGEST:
        return ""
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return ""
    if number.isdecimal() and number[0] != "0" and not _national(number, parsed, country):
        parsed = _without_plus(number) or parsed
    if not phonenumbers.is_possible_number(parsed):
        return ""
    parsed.extension = None  # the switchboard of a company is one number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def is_mobile(number: str, country: str) -> bool:
    """Whether it is surely a mobile telephone's number."""
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number[:LONGEST], country))
    except phonenumbers.NumberParseException:
        return False
    return bool(kind == phonenumbers.PhoneNumberType.MOBILE)


def _national(number: str, parsed: phonenumbers.PhoneNumber, country: str) -> bool:
    """Whether digits that do not begin with 0 are a number as it is written in the country: not where one
    would begin with 0, and these begin with the country's own code."""
    code = str(phonenumbers.country_code_for_region(country))
    trunk = phonenumbers.ndd_prefix_for_region(country, True)
    return not (trunk == "0" and number.startswith(code)) and phonenumbers.is_valid_number(parsed)


def _without_plus(number: str) -> phonenumbers.PhoneNumber | None:
    """The number of E.164 that these digits are; None where they are none that is in use."""
    try:
        parsed = phonenumbers.parse(f"+{number}", None)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None
