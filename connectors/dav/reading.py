"""Reading items: by calendar-multiget in batches (RFC 4791 section 7.9), one by one where that fails."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from connectors.calendar import Kind, Missing, RemoteItem
from connectors.dav import failures, paths, xml
from connectors.dav.discovery import MULTISTATUS
from connectors.dav.session import DavSession
from connectors.dav.xml import C, D, Response
from connectors.errors import ItemError, ProtocolViolation, Unreachable
from connectors.ical import reading as ical

ETAG, DATA = f"{D}getetag", f"{C}calendar-data"
AHEAD = 2  # batches that are asked for while one is read
BROKEN_IN_A_ROW = 5  # items that the server fails over before the server itself counts as broken
SERVER_ERROR = 500

Outcome = RemoteItem | Missing | ItemError


@dataclass(slots=True)
class _Streak:
    """How many items the server failed over, one after the other."""

    length: int = 0
    any_good: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """A resource as one GET gave it: its version belongs to its content."""

    ref: str
    version: str
    source: bytes = field(repr=False)


class Reader:
    """Reads the items of one session."""

    def __init__(self, session: DavSession) -> None:
        self._session = session
        self._who = session.access.who
        self.kinds: dict[str, frozenset[Kind]] = {}  # by calendar, as discovery told

    def read(self, calendar: str, refs: Sequence[str]) -> Iterator[Outcome]:
        """Each ref once. Raises CollectionGone, CollectionRefused, CollectionError."""
        wanted = list(dict.fromkeys(refs))
        size = self._session.access.batch
        streak = _Streak()
        batches = [wanted[start : start + size] for start in range(0, len(wanted), size)]
        if len(batches) == 1:
            yield from self._batch(calendar, batches[0], streak)
        elif batches:
            yield from self._overlapped(calendar, batches, streak)

    def _overlapped(self, calendar: str, batches: Sequence[list[str]], streak: _Streak) -> Iterator[Outcome]:
        """The server is asked for the next batches while this one is read.

        For more than one: an answer that comes while its items are read waits for the interpreter with each
        piece of it, so that it is seldom complete when it is wanted.
        """
        pool = ThreadPoolExecutor(1, thread_name_prefix="syncd-dav-ahead")
        coming: deque[Future[tuple[Response, ...] | None]] = deque()
        following = iter(batches)
        try:
            for batch in batches:
                for further in islice(following, AHEAD + 1 - len(coming)):
                    coming.append(pool.submit(self._multiget, calendar, further))
                yield from self._told(calendar, batch, coming.popleft().result(), streak)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            self._session.cut()  # nobody waits for what is under way
            raise
        finally:
            pool.shutdown()

    def find(self, calendar: str, uid: str) -> RemoteItem | None:
        """The item of exactly that UID. Raises ItemError where it cannot be read."""
        try:
            usual = self.get(paths.for_uid(calendar, uid))
            if usual is not None and usual.item.uid == uid:
                return usual
        except ItemError:
            pass  # somebody else's, perhaps: the query knows
        unreadable: ItemError | None = None
        for kind in sorted(self.kinds.get(calendar, frozenset(Kind)), key=lambda one: one.value):
            for one in self._query(calendar, kind, uid):
                found = self._outcome(one)
                if isinstance(found, RemoteItem) and found.item.uid == uid:
                    return found
                if isinstance(found, ItemError):
                    unreadable = found
        if unreadable is not None:
            raise unreadable
        return None

    def fetch(self, ref: str) -> Body | None:
        """The resource as it is; None where there is none. Raises ItemError where the server has it and does
        not give it."""
        answer = self._session.request(
            "GET",
            ref,
            # A compressed answer may have a version of its own, which no precondition would match.
            headers={"Accept": "text/calendar", "Accept-Encoding": "identity"},
            limit=self._session.access.largest_item,
        )
        if answer.status in failures.ABSENT:
            return None
        if not answer.ok:
            raise self._unreadable(ref, f"The server does not give it (HTTP {answer.status}).")
        return Body(ref, answer.headers.get("etag", "").strip(), answer.body)

    def get(self, ref: str) -> RemoteItem | None:
        """As `fetch`, read. Raises ItemError where it cannot be read."""
        try:
            found = self.fetch(ref)
        except failures.TooLong:
            raise self._unreadable(ref, "It is too long.") from None
        return None if found is None else self.parsed(found)

    def parsed(self, found: Body) -> RemoteItem:
        """The item of that content. Raises ItemError."""
        if len(found.source) > self._session.access.largest_item:
            raise self._unreadable(found.ref, "It is too long.")
        try:
            item = ical.read(found.source)
        except ical.Unreadable as error:
            raise self._unreadable(found.ref, f"{error}") from error
        return RemoteItem(found.ref, found.version, item, found.source)

    def _batch(self, calendar: str, refs: list[str], streak: _Streak) -> Iterator[Outcome]:
        """One batch, by halves where the server fails over it: the reason is mostly one item."""
        yield from self._told(calendar, refs, self._multiget(calendar, refs), streak)

    def _told(
        self, calendar: str, refs: list[str], responses: tuple[Response, ...] | None, streak: _Streak
    ) -> Iterator[Outcome]:
        if responses is None:
            if len(refs) == 1:
                yield self._alone(refs[0], streak)
                return
            middle = len(refs) // 2
            for half in (refs[:middle], refs[middle:]):
                yield from self._batch(calendar, half, streak)
            return
        streak.any_good = True
        told = {one.ref: one for one in responses}
        for ref in refs:
            one = told.get(ref)
            if one is None or (one.status == xml.UNSAID and DATA not in one.properties):
                yield self._alone(ref, streak)  # left out: that says nothing about it
            else:
                yield self._outcome(one)

    def _multiget(self, calendar: str, refs: list[str]) -> tuple[Response, ...] | None:
        """None where the server cannot answer for this batch as a whole."""
        try:
            answer = self._session.request(
                "REPORT", calendar, body=xml.multiget(refs), headers={"Depth": "0"}
            )
        except failures.TooLong:
            return None
        if answer.status == SERVER_ERROR:
            return None
        if answer.status != MULTISTATUS:
            raise failures.for_collection(answer.status, answer.body, self._who, calendar)
        try:
            return xml.multistatus(answer.body).responses
        except xml.Garbled as error:
            if len(refs) == 1 or b"multistatus" in answer.body[:1000]:
                return None  # a control character in one event spoils the whole answer
            raise failures.garbled(error, self._who, calendar) from None

    def _alone(self, ref: str, streak: _Streak) -> Outcome:
        try:
            found: Outcome = self.get(ref) or Missing(ref)
        except ItemError as error:
            streak.length += 1
            if streak.length >= BROKEN_IN_A_ROW and not streak.any_good:
                raise Unreachable(
                    f"The server of {self._who} fails over every item. It is tried again later."
                ) from error
            return error
        streak.any_good = True
        return found

    def _outcome(self, one: Response) -> Outcome:
        if one.status in failures.ABSENT:
            return Missing(one.ref)
        data = one.properties.get(DATA)
        if data is None or one.status not in {xml.UNSAID, xml.OK}:
            return self._unreadable(one.ref, f"The server does not give it (HTTP {one.status}).")
        # XML turned the line ends of iCalendar into line feeds.
        source = data.text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "surrogatepass")
        try:
            return self.parsed(Body(one.ref, one.text(ETAG), source))
        except ItemError as error:
            return error

    def _query(self, calendar: str, kind: Kind, uid: str) -> tuple[Response, ...]:
        answer = self._session.request(
            "REPORT", calendar, body=xml.query_uid(kind.value, uid), headers={"Depth": "1"}
        )
        if answer.status != MULTISTATUS:
            raise failures.for_collection(answer.status, answer.body, self._who, calendar)
        try:
            responses = xml.multistatus(answer.body).responses
        except xml.Garbled as error:
            raise failures.garbled(error, self._who, calendar) from None
        if any(one.status == failures.FULL for one in responses):
            raise ProtocolViolation(f"The server of {self._who} finds too many items of one UID.")
        return responses

    def _unreadable(self, ref: str, reason: str) -> ItemError:
        return ItemError(f"The item {ref} of {self._who} cannot be read. {reason}", locator=ref)
