"""What changed in a calendar: by sync-token (RFC 6578), else by CTag and ETags.

A listing is whole or it is an error. Only an explicit 404 of one resource makes a tombstone.
"""

import json
from dataclasses import dataclass

from connectors.calendar import ChangeSet, Listed
from connectors.dav import discovery, failures, xml
from connectors.dav.discovery import MULTISTATUS
from connectors.dav.session import Answer, DavSession
from connectors.dav.xml import D, Multistatus, Response
from connectors.errors import CollectionError, SyncdError

MOST_PAGES = 10_000
ETAG = f"{D}getetag"
FULL = 507
# What a server answers to a token that it does not know; with the named condition it is certain.
BAD_TOKEN = frozenset({400, 403, 409, 410, 412, 415, 422, 500})
UNSUPPORTED = frozenset({400, 405, 415, 422, 501})  # no such report, in the words of some servers
NO_SYNC = f"{D}supported-report"  # in the words of RFC 3253 section 3.6


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a listing ended. As text it is opaque to everybody else."""

    way: str  # "sync", "ctag", or empty at the start
    value: str = ""

    def text(self) -> str:
        """For keeping."""
        return json.dumps([self.way, self.value], ensure_ascii=False, separators=(",", ":"))


START = Cursor("")


def cursor(text: str) -> Cursor | None:
    """The cursor of that text, START where it is empty; None where it is none of ours."""
    if not text:
        return START
    try:
        read: object = json.loads(text)
    except ValueError:
        return None
    match read:
        case [("sync" | "ctag") as way, str(value)]:
            return Cursor(way, value)
    return None


class Lister:
    """Lists the calendars of one session."""

    def __init__(self, session: DavSession) -> None:
        self._session = session
        self._who = session.access.who
        self._syncs: dict[str, bool] = {}  # by calendar: whether its server offers RFC 6578

    def learn(self, found: discovery.Found) -> None:
        """Remembers what discovery told."""
        self._syncs[found.info.ref] = found.syncs

    def changes(self, calendar: str, since: str) -> ChangeSet:
        """What changed. Raises CollectionGone, CollectionRefused, CollectionError."""
        known = cursor(since)
        if known is not None and known.way == "sync" and self._session.access.use_sync:
            return self._since(calendar, known.value)
        reset = known is None or known.way == "sync"
        if known is None or known.way != "ctag":
            if self._offers_sync(calendar):
                synced = self._from_start(calendar, reset=reset)
                if synced is not None:
                    return synced
            known = START
        return self._by_etags(calendar, known.value, reset=reset)

    def _offers_sync(self, calendar: str) -> bool:
        if not self._session.access.use_sync:
            return False
        if calendar not in self._syncs:
            found = discovery.describe(self._session, calendar)
            self._syncs[calendar] = found is not None and found.syncs
        return self._syncs[calendar]

    # RFC 6578

    def _since(self, calendar: str, token: str) -> ChangeSet:
        refusal = self._pages(calendar, token)
        if isinstance(refusal, ChangeSet):
            return refusal
        error = failures.for_collection(refusal.status, refusal.body, self._who, calendar)
        certain = failures.BAD_TOKEN in xml.preconditions(refusal.body)
        if not certain and refusal.status not in BAD_TOKEN:
            raise error
        # In doubt the token is to blame only if the server lists everything without it.
        try:
            found = self._from_start(calendar, reset=True)
        except CollectionError as worse:
            raise (worse if certain else error) from None
        return found or self._by_etags(calendar, "", reset=True)

    def _from_start(self, calendar: str, *, reset: bool) -> ChangeSet | None:
        """Everything; None where the server does not do RFC 6578 though it said so."""
        found = self._pages(calendar, "", reset=reset)
        if isinstance(found, ChangeSet):
            return found
        if found.status in UNSUPPORTED or NO_SYNC in xml.preconditions(found.body):
            self._syncs[calendar] = False
            return None
        raise failures.for_collection(found.status, found.body, self._who, calendar)

    def _pages(self, calendar: str, token: str, *, reset: bool = False) -> ChangeSet | Answer:
        """The change set, or the refusal of its first page."""
        known: dict[str, str | None] = {}  # the version by ref, None for a tombstone: the last word counts
        seen = {token}
        complete = not token
        for page in range(MOST_PAGES):
            answer = self._session.request(
                "REPORT", calendar, body=xml.sync_collection(token), headers={"Depth": "0"}
            )
            if answer.status != MULTISTATUS:
                if not page:
                    return answer
                raise failures.for_collection(answer.status, answer.body, self._who, calendar)
            found = self._read(calendar, answer)
            more = self._take(calendar, found, known)
            if not found.sync_token:
                raise self._broken(calendar, "it names no sync-token")
            token = found.sync_token
            if not more:
                return _change_set(known, complete=complete, reset=reset, cursor=Cursor("sync", token))
            if token in seen:
                break
            seen.add(token)
        raise self._broken(calendar, "its pages have no end")

    def _take(self, calendar: str, page: Multistatus, known: dict[str, str | None]) -> bool:
        """Notes what the page tells; whether there are more pages (RFC 6578 section 3.6)."""
        more = False
        for one in page.responses:
            if one.ref.rstrip("/") == calendar.rstrip("/"):
                more = more or one.status == FULL
                if one.status not in {xml.UNSAID, xml.OK, FULL}:
                    raise failures.for_collection(one.status, b"", self._who, calendar)
            elif not one.ref.startswith(calendar):
                raise self._broken(calendar, "it tells of another collection")
            elif one.ref.endswith("/"):
                continue
            elif one.status in failures.ABSENT:
                known[one.ref] = None
            else:
                known[one.ref] = one.text(ETAG)
        return more

    # CTag and ETags

    def _by_etags(self, calendar: str, ctag: str, *, reset: bool) -> ChangeSet:
        # The CTag is asked for first: what changes while the listing is made is found in the next cycle.
        found = discovery.describe(self._session, calendar, ctag=True)
        if found is None:
            raise self._broken(calendar, "it is no calendar any more")
        self.learn(found)
        here = Cursor("ctag", found.ctag)
        if ctag and found.ctag == ctag and not reset:
            return ChangeSet((), (), complete=False, reset=False, cursor=here.text())
        asked = (ETAG, f"{D}resourcetype")
        answer = self._session.request("PROPFIND", calendar, body=xml.propfind(asked), headers={"Depth": "1"})
        if answer.status != MULTISTATUS:
            raise failures.for_collection(answer.status, answer.body, self._who, calendar)
        known: dict[str, str | None] = {}
        for one in self._read(calendar, answer).responses:
            if one.status == FULL:
                raise self._broken(calendar, "the server cut the list short")
            if self._is_member(calendar, one):
                known[one.ref] = one.text(ETAG)
        return _change_set(known, complete=True, reset=reset, cursor=here)

    def _is_member(self, calendar: str, one: Response) -> bool:
        if one.ref.rstrip("/") == calendar.rstrip("/"):
            if one.status not in {xml.UNSAID, xml.OK}:
                raise failures.for_collection(one.status, b"", self._who, calendar)
            return False
        if not one.ref.startswith(calendar):
            raise self._broken(calendar, "it tells of another collection")
        return (
            not one.ref.endswith("/")
            and not one.has(f"{D}resourcetype", f"{D}collection")
            and one.status not in failures.ABSENT
        )

    def _read(self, calendar: str, answer: Answer) -> Multistatus:
        try:
            return xml.multistatus(answer.body)
        except xml.Garbled as error:
            raise failures.garbled(error, self._who, calendar) from None

    def _broken(self, calendar: str, why: str) -> SyncdError:
        return CollectionError(
            f"The server's list of the calendar {calendar} of {self._who} cannot be used: {why}. It is asked"
            " again in the next cycle.",
            collection=calendar,
        )


def _change_set(known: dict[str, str | None], *, complete: bool, reset: bool, cursor: Cursor) -> ChangeSet:
    return ChangeSet(
        listed=tuple(Listed(ref, version) for ref, version in known.items() if version is not None),
        removed=() if complete else tuple(ref for ref, version in known.items() if version is None),
        complete=complete,
        reset=reset,
        cursor=cursor.text(),
    )
