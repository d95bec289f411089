"""Items by their ids, in batches that one bad item cannot spoil.

An answer that breaks as a whole is asked for again, one item at a time, so that the item that the server
chokes on is found and the others count; a server that is down is not asked for one item after the other.
"""

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from connectors.calendar import Kind
from connectors.errors import ProtocolViolation, Unreachable
from connectors.ews import failures
from connectors.ews.calendar import folders, requests
from connectors.ews.calendar.wire import Refusal, Wire

MENDS = 12  # answers that may break over one batch
# What it says of all items of a batch may be about one of them, or about none.
_PASSING = failures.BROKEN - {"ErrorInternalServerError"}

Answers = list[Element | Refusal]


def each(wire: Wire, kind: Kind, ids: Sequence[Element]) -> Answers:
    """The answers for a batch, in its order: what the server fails over is the Refusal of one item.

    Raises MailboxError for what is about more than one item.
    """
    return _Batch(wire, kind).answers(ids) if ids else []


class _Batch:
    """How often the answers for one batch broke so far."""

    def __init__(self, wire: Wire, kind: Kind) -> None:
        self._wire = wire
        self._kind = kind
        self._mends = 0

    def answers(self, ids: Sequence[Element]) -> Answers:
        try:
            found = self._ask(ids)
        except (Unreachable, ProtocolViolation) as error:
            self._mend(error)
            return [self._alone(one) for one in ids]
        return found if len(ids) == 1 else list(self._settled(ids, found))

    def _settled(self, ids: Sequence[Element], found: Answers) -> Iterator[Element | Refusal]:
        for one, answer in zip(ids, found, strict=True):
            passing = isinstance(answer, Refusal) and answer.code in _PASSING
            yield self._alone(one) if passing else answer

    def _alone(self, one: Element) -> Element | Refusal:
        for attempt in (1, 2):
            try:
                (answer,) = self._ask([one])
            except (Unreachable, ProtocolViolation) as error:
                self._mend(error)
                if attempt == 2:  # noqa: PLR2004 - the second time
                    return Refusal("an answer that breaks", error)
            else:
                return answer
        raise AssertionError

    def _ask(self, ids: Sequence[Element]) -> Answers:
        return self._wire.ask(requests.get_items(self._kind, ids), each_alone=True)

    def _mend(self, error: Unreachable | ProtocolViolation) -> None:
        """After an answer that broke: raises where that is not one item's fault."""
        self._mends += 1
        if self._mends > MENDS:
            raise error
        folders.log_in(self._wire)  # whether the server is there at all, and in its senses
