"""Restrictions of FindItem and FindFolder: a search expression as a test of one item or folder."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cmp_to_key
from typing import Generic, TypeVar
from xml.etree.ElementTree import Element

from tests.servers.ews import mail, mapi, properties
from tests.servers.ews.errors import EwsError, SoapFault
from tests.servers.ews.fields import ORDER, field_name
from tests.servers.ews.model import ExtendedPath, Folder
from tests.servers.ews.requests import Request
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import children, local, t

Subject = TypeVar("Subject")
_PATHS = {"FieldURI", "ExtendedFieldURI", "IndexedFieldURI"}
# Exchange has no column for these; a UID is looked for by its GlobalObjectId, an extended property.
_NO_COLUMN = {
    "UID",
    "Body",
    "Recurrence",
    "RequiredAttendees",
    "OptionalAttendees",
    "MimeContent",
    "StartTimeZone",
}
_COMPARE: dict[str, Callable[[int], bool]] = {
    "IsEqualTo": lambda sign: sign == 0,
    "IsNotEqualTo": lambda sign: sign != 0,
    "IsGreaterThan": lambda sign: sign > 0,
    "IsGreaterThanOrEqualTo": lambda sign: sign >= 0,
    "IsLessThan": lambda sign: sign < 0,
    "IsLessThanOrEqualTo": lambda sign: sign <= 0,
}


class Search(ABC, Generic[Subject]):
    """Reads expressions for one request."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def test(self, expression: Element) -> Callable[[Subject], bool]:
        """The expression as a test."""
        kind = local(expression)
        if kind in {"And", "Or"}:
            tests = [self.test(child) for child in expression]
            every = all if kind == "And" else any
            return lambda subject: every(test(subject) for test in tests)
        if kind == "Not":
            inner = self.test(expression[0])
            return lambda subject: not inner(subject)
        if kind == "Exists":
            path = expression[0]
            return lambda subject: self.values(subject, path) != []
        if kind == "Contains":
            return self._contains(expression)
        if kind in _COMPARE:
            return self._comparison(expression, _COMPARE[kind])
        raise EwsError("ErrorUnsupportedQueryFilter", f"{kind} is not served here.")

    def _contains(self, expression: Element) -> Callable[[Subject], bool]:
        path, constant = expression[0], expression[1].get("Value", "")
        mode = expression.get("ContainmentMode", "FullString")
        loose = "IgnoreCase" in expression.get("ContainmentComparison", "IgnoreCase")
        wanted = constant.casefold() if loose else constant

        def test(subject: Subject) -> bool:
            values = [value.casefold() if loose else value for value in self.values(subject, path)]
            if mode == "FullString":
                return wanted in values
            if mode in {"Prefixed", "PrefixOnWords"}:
                return any(value.startswith(wanted) for value in values)
            return any(wanted in value for value in values)

        return test

    def _comparison(self, expression: Element, accept: Callable[[int], bool]) -> Callable[[Subject], bool]:
        path, other = expression[0], expression[1][0]

        def test(subject: Subject) -> bool:
            left = self.values(subject, path)
            right = self.values(subject, other) if local(other) in _PATHS else [other.get("Value", "")]
            if not left or not right:
                return False
            return any(accept(self.compare(value, right[0])) for value in left)

        return test

    def compare(self, left: str, right: str) -> int:
        """-1, 0 or 1. Moments and numbers count as such, text without regard to case."""
        for reading in (self._moment, _number, str.casefold):
            first, second = reading(left), reading(right)
            if first is None or second is None:
                continue
            if isinstance(first, str) and isinstance(second, str):
                return (first > second) - (first < second)
            if isinstance(first, float) and isinstance(second, float):
                return (first > second) - (first < second)
        return 0

    def _moment(self, text: str) -> float | None:
        if len(text) < 10 or text[4:5] != "-":
            return None
        try:
            return self._request.moment(text).timestamp()
        except SoapFault:
            return None

    @abstractmethod
    def values(self, subject: Subject, path: Element) -> list[str]:
        """The texts a path has in a subject; none where it has no such property."""


class FolderSearch(Search[Folder]):
    """Searches among folders."""

    def values(self, subject: Folder, path: Element) -> list[str]:
        if local(path) == "ExtendedFieldURI":
            found = mapi.of_folder(subject, ExtendedPath.of(path))
            return [] if found is None else [found[-1].text or ""]
        known = {
            "DisplayName": subject.name,
            "FolderClass": subject.folder_class,
            "TotalCount": str(len(subject.items)),
            "ChildFolderCount": str(len(subject.children)),
        }
        name = field_name(path.get("FieldURI", ""))
        if name not in known:
            text = f"The property {name} can not be used with this type of restriction."
            raise EwsError("ErrorUnsupportedPathForQuery", text)
        return [known[name]]


class ItemSearch(Search[Target]):
    """Searches among items."""

    def values(self, subject: Target, path: Element) -> list[str]:
        if local(path) == "ExtendedFieldURI":
            found = properties.extended(subject, ExtendedPath.of(path))
            if found is None:
                return []
            many = found.find(t("Values"))
            return [(value.text or "") for value in (children(many) if many is not None else [found[-1]])]
        name = field_name(path.get("FieldURI", ""))
        if name in _NO_COLUMN:
            text = f"The property {path.get('FieldURI')} can not be used with this type of restriction."
            raise EwsError("ErrorUnsupportedPathForQuery", text)
        if name not in ORDER[subject.kind]:
            return []
        known = {} if subject.mime is None else mail.derived(subject.mime, {name}, "Text")
        request = self._request
        element = properties.read(request.store, request.caller, subject, name, known, "Text")
        if element is None:
            return []
        return [text for text in (part.strip() for part in element.itertext()) if text]

    def sort(self, targets: list[Target], order: Element) -> list[Target]:
        """Sorted by the fields of a SortOrder element."""
        for field in reversed(list(order)):
            path = field[0]

            def compare(one: Target, two: Target, path: Element = path) -> int:
                left, right = self.values(one, path), self.values(two, path)
                if not left or not right:
                    return bool(left) - bool(right)
                return self.compare(left[0], right[0])

            targets = sorted(targets, key=cmp_to_key(compare), reverse=field.get("Order") == "Descending")
        return targets


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
