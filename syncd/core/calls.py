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

    "01 23 45 67 89", "0033123456789" and "+33 (0)1.23.45.67.89" are one number in France.
    """
    if len(number) > LONGEST:
        return ""
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return ""
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
