"""The documents of a stream of notifications, read while they arrive. No socket in sight.

To GetStreamingEvents, Exchange sends one SOAP envelope after the other, each a document of its own:
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/notification-subscriptions-mailbox-events-and-ews-in-exchange
What an event is about is not read: the next cycle finds that out. Only of which subscription it is.
"""

from dataclasses import dataclass
from xml.parsers import expat

from connectors.ews.answers import GarbledError

LARGEST_DOCUMENT = 4 * 1024 * 1024  # octets: some ten thousand events
DEEPEST = 40

_WHITE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_EVENTS = frozenset({
    "CopiedEvent", "CreatedEvent", "DeletedEvent", "ModifiedEvent", "MovedEvent", "NewMailEvent",
    "FreeBusyChangedEvent",
})  # fmt: skip
_TEXTS = frozenset({"ResponseCode", "ConnectionStatus", "Value", "SubscriptionId"})
MOST_CODES = 100  # remembered of one document
LONGEST_TEXT = 2000  # characters of a code, a status, an id or a number


@dataclass(frozen=True, slots=True)
class Told:
    """What one document says."""

    heard: frozenset[str] = frozenset()  # the subscriptions with events; a heartbeat is none
    codes: tuple[str, ...] = ()  # response codes other than NoError
    closed: bool = False  # ConnectionStatus Closed: nothing follows
    back_off: float | None = None  # seconds, from BackOffMilliseconds


class Documents:
    """Fed with octets, gives what each document that is whole by then says."""

    def __init__(self) -> None:
        self._reader: _Reader | None = None
        self._waiting = bytearray()  # what no ">" has come behind yet
        self._octets = 0  # of the document so far

    def feed(self, data: bytes) -> list[Told]:
        """Raises GarbledError for what is no XML, too long, too deep, or declares a document type."""
        told = []
        # A document ends with a ">": after each one it is asked whether that was the last.
        pieces = data.split(b">")
        for piece in pieces[:-1]:
            self._take(piece + b">")
            one = self._parse()
            if one is not None:
                told.append(one)
        self._take(pieces[-1])
        if self._reader is None and not self._waiting.strip(_WHITE):
            self._waiting.clear()
            self._octets = 0
        return told

    @property
    def between(self) -> bool:
        """Whether no document has begun that has not ended."""
        return self._reader is None and not self._waiting

    def _take(self, piece: bytes) -> None:
        self._octets += len(piece)
        if self._octets > LARGEST_DOCUMENT:
            raise GarbledError(f"a notification is longer than {LARGEST_DOCUMENT} octets")
        self._waiting += piece

    def _parse(self) -> Told | None:
        piece = bytes(self._waiting)
        self._waiting.clear()
        if self._reader is None:
            piece = piece.lstrip(_WHITE).removeprefix(_BOM)
            if not piece.startswith(b"<"):
                raise GarbledError("a notification is no XML")
            self._reader = _Reader()
        reader = self._reader
        reader.feed(piece)
        if not reader.whole:
            return None
        self._reader, self._octets = None, 0
        return reader.told()


class _Reader:
    """One document."""

    def __init__(self) -> None:
        self.whole = False
        self._path: list[str] = []
        self._text: list[str] | None = None
        self._length = 0
        self._value = ""  # the name of the detail that is being read
        self._subscription = ""  # of the notification that is being read
        self._heard: set[str] = set()
        self._codes: list[str] = []
        self._closed = False
        self._back_off: float | None = None
        parser = self._parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    def feed(self, piece: bytes) -> None:
        try:
            self._parser.Parse(piece, False)
        except expat.ExpatError as error:
            raise GarbledError(expat.ErrorString(error.code)) from None

    def told(self) -> Told:
        if self._name_of_root != "Envelope":
            raise GarbledError("a notification is no SOAP envelope")
        return Told(frozenset(self._heard), tuple(self._codes), self._closed, self._back_off)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if not self._path:
            self._name_of_root = local
        self._path.append(local)
        if len(self._path) > DEEPEST:
            raise GarbledError("a notification is too deep")
        if local == "Notification":
            self._subscription = ""
        elif local in _EVENTS and len(self._heard) < MOST_CODES:
            self._heard.add(self._subscription)
        self._text, self._length = ([] if local in _TEXTS else None), 0
        self._value = attributes.get("Name", "") if local == "Value" else ""

    def _characters(self, text: str) -> None:
        if self._text is not None and self._length < LONGEST_TEXT:
            self._text.append(text)
            self._length += len(text)

    def _end(self, name: str) -> None:
        local = self._path.pop()
        text = "" if self._text is None else "".join(self._text).strip()
        if self._text is not None:
            self._note(local, text)
        self._text = None
        self.whole = not self._path

    def _note(self, local: str, text: str) -> None:
        if local == "SubscriptionId":
            self._subscription = text
        elif local == "ResponseCode" and text != "NoError" and len(self._codes) < MOST_CODES:
            self._codes.append(text)
        elif local == "ConnectionStatus":
            self._closed = self._closed or text == "Closed"
        elif self._value == "BackOffMilliseconds" and text.isascii() and text.isdigit():
            self._back_off = int(text[:12]) / 1000

    @staticmethod
    def _refuse_doctype(*_: object) -> None:
        raise GarbledError("it declares a document type")
