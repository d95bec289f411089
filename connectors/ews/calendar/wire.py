"""Requests of our own over exchangelib's session: the XML of an operation there, its answers back.

The library's models of calendar items lose what they do not know and hide what they cannot read; its
connection, login, errors and throttling are what is used of it here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from exchangelib.services.common import EWSAccountService
from lxml import etree

from connectors.errors import OutcomeUnknown, ProtocolViolation, SyncdError
from connectors.ews import failures
from connectors.ews.calendar.xml import M
from connectors.ews.session import EwsSession


class _Raw(EWSAccountService):  # type: ignore[misc]  # exchangelib has no types
    """An operation whose answer is one element a message, as it came."""

    def call(self, payload: Any) -> Iterator[Any]:
        return self._get_elements(payload)  # type: ignore[no-any-return]

    @classmethod
    def _get_elements_in_container(cls, container: Any) -> list[Any]:
        return [container]


class _GetItem(_Raw):
    SERVICE_NAME = "GetItem"


class _FindItem(_Raw):
    SERVICE_NAME = "FindItem"


class _CreateItem(_Raw):
    SERVICE_NAME = "CreateItem"


class _UpdateItem(_Raw):
    SERVICE_NAME = "UpdateItem"


class _DeleteItem(_Raw):
    SERVICE_NAME = "DeleteItem"


class _SyncFolderItems(_Raw):
    SERVICE_NAME = "SyncFolderItems"


class _GetFolder(_Raw):
    SERVICE_NAME = "GetFolder"


class _FindFolder(_Raw):
    SERVICE_NAME = "FindFolder"


_OPERATIONS: dict[str, type[_Raw]] = {
    each.SERVICE_NAME: each
    for each in (
        _GetItem, _FindItem, _CreateItem, _UpdateItem, _DeleteItem, _SyncFolderItems, _GetFolder, _FindFolder
    )
}  # fmt: skip

_SEVERAL = ("ItemIds", "FolderIds")  # what holds several things, each with an answer of its own


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server's word that one thing cannot be done."""

    code: str  # ResponseCodeType, such as ErrorItemNotFound
    error: Exception  # exchangelib's; of ours, where there was no answer


class Wire:
    """The operations of one session."""

    def __init__(self, session: EwsSession) -> None:
        self.session = session

    @property
    def who(self) -> str:
        """The mailbox in a message to a person."""
        return self.session.access.who

    def ask(
        self,
        payload: Element,
        *,
        writes: bool = False,
        collection: str = "",
        item: str = "",
        each_alone: bool = False,
    ) -> list[Element | Refusal]:
        """The response messages, in the order of what was asked for.

        Raises MailboxError, and OutcomeUnknown where a request that `writes` got no answer; of a request that
        is refused as a whole, what `failures` says of the collection or item. `each_alone`: that the server
        fails over one of the things that were asked for says nothing of the others, nor of the mailbox.
        There are as many messages as things that were asked for: else it is no answer.
        """
        kind = _OPERATIONS[payload.tag.removeprefix(M)]
        sent = etree.fromstring(ET.tostring(payload))
        with self.session.asking(writes=writes, collection=collection, item=item):
            service = self.session.service(kind)
            answers = [
                Refusal(failures.code_of(one), one) if isinstance(one, Exception) else _element(one)
                for one in service.call(payload=sent)
            ]
        self._must_be_all(answers, payload, writes=writes)
        for one in answers:
            if isinstance(one, Refusal) and not (each_alone and one.code in failures.BROKEN):
                self._check(one, writes=writes)
        return answers

    def error(
        self, refusal: Refusal, *, writes: bool = False, collection: str = "", item: str = ""
    ) -> Exception:
        """The error of ours for a refusal of one thing."""
        return failures.of(
            refusal.error, self.session.access, writes=writes, collection=collection, item=item
        )

    def _must_be_all(self, answers: list[Element | Refusal], payload: Element, *, writes: bool) -> None:
        asked = next((len(found) for name in _SEVERAL if (found := payload.find(M + name)) is not None), 1)
        if len(answers) != asked:
            what = f"The server of {self.who} gives {len(answers)} answers to {asked} questions."
            raise OutcomeUnknown(f"{what} It is looked up.") if writes else ProtocolViolation(what)

    def _check(self, refusal: Refusal, *, writes: bool) -> None:
        """Raises what is about the whole mailbox."""
        found = self.session.sorted_out(refusal.error, writes=writes, item="?")
        if not isinstance(found, SyncdError):
            raise TypeError("an error of exchangelib is sorted out into one of ours")  # unreachable


def _element(found: Any) -> Element:
    return ET.fromstring(etree.tostring(found))  # noqa: S314 - parsed before, by `connectors.ews.answers`
