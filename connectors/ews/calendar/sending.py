"""The requests of a write: what each came to, and what an operation of several is when one fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import Element

from connectors.calendar import Kind
from connectors.errors import MailboxError, OutcomeUnknown, SyncdError
from connectors.ews import failures
from connectors.ews.calendar import planning, requests
from connectors.ews.calendar.fetching import GONE
from connectors.ews.calendar.wire import Refusal, Wire
from connectors.ews.calendar.xml import T

OF_A_FOLDER = failures.FULL | failures.GONE | failures.DENIED


class Sender:
    """Sends the writes of one session."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._sent = 0  # writes that the server confirmed, of the operation at hand

    @contextmanager
    def whole(self, ref: str) -> Iterator[None]:
        """An operation of several requests: once one is done, nobody can say that nothing happened."""
        self._sent = 0
        try:
            yield
        except OutcomeUnknown:
            raise
        except SyncdError as error:
            if not self._sent:
                raise
            raise OutcomeUnknown(
                f"A change to the item {ref} of {self._wire.who} is half made. It is looked up. ({error})",
                then=error if isinstance(error, MailboxError) else None,
            ) from error

    def update(self, ref: str, key: str, changes: list[Element], kind: Kind, *, notify: bool) -> str:
        """Returns the change key after it."""
        mode = planning.sending(changes, notify=notify)
        return self.send(requests.update(ref, key, changes, sending=mode, kind=kind), item=ref)[1]

    def send(self, body: Element, *, collection: str = "", item: str = "") -> tuple[str, str]:
        """Sends a write of one item and returns its id and change key."""
        of_request = "" if collection else item
        (answer,) = self._wire.ask(body, writes=True, collection=collection, item=of_request)
        if isinstance(answer, Refusal):
            raise self._refused(answer, collection, item)
        self._sent += 1
        identity = next((one for one in answer.iter(f"{T}ItemId")), None)
        if identity is None:
            raise OutcomeUnknown(
                f"The server of {self._wire.who} does not say what it wrote. It is looked up."
            )
        return identity.get("Id", ""), identity.get("ChangeKey", "")

    def tell(self, body: Element, ref: str, *, absent_is_fine: bool = False) -> None:
        """Sends a write whose answer holds nothing of interest."""
        for answer in self._wire.ask(body, writes=True, item=ref):
            if isinstance(answer, Refusal):
                if absent_is_fine and answer.code in GONE:
                    return
                raise self._refused(answer, "", ref)
        self._sent += 1

    def _refused(self, refusal: Refusal, collection: str, item: str) -> Exception:
        """Of a new item too, what is not about its folder is about the item alone."""
        if collection and refusal.code in OF_A_FOLDER:
            item = ""
        return self._wire.error(refusal, writes=True, collection=collection, item=item)
