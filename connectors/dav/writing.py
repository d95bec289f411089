"""Writing items: each PUT and DELETE with a precondition, each create where its UID says (RFC 4791, 5.3.2).

Nothing here repeats a write whose outcome is unknown.
"""

from collections.abc import Callable
from datetime import datetime

from connectors.calendar import Dress, Item, RemoteItem
from connectors.dav import discovery, failures, paths
from connectors.dav.reading import Body, Reader
from connectors.dav.session import Answer, DavSession
from connectors.errors import (
    CollectionError,
    CollectionGone,
    Conflict,
    ItemError,
    MailboxError,
    OutcomeUnknown,
    SyncdError,
    WouldMail,
)
from connectors.ical import editing, writing
from connectors.scheduling import mails, organizer_of

CONTENT = "text/calendar; charset=utf-8"


class Writer:
    """Writes the items of one session. `clock` gives the time in UTC that is stamped on them."""

    def __init__(
        self,
        session: DavSession,
        reader: Reader,
        clock: Callable[[], datetime],
        addresses: Callable[[], frozenset[str]],
    ) -> None:
        self._session = session
        self._reader = reader
        self._clock = clock
        self._addresses = addresses
        self._owner: frozenset[str] | None = None
        self._who = session.access.who
        self.auto_schedules: dict[str, bool] = {}  # by calendar, as discovery told

    def create(self, calendar: str, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        """Raises Conflict where the UID is taken, CollectionGone where the calendar is not there."""
        ref = paths.for_uid(calendar, item.uid)
        try:
            body = writing.new(item, dress, stamp=self._clock(), quiet=not notify)
        except ValueError as error:
            raise ItemError(
                f"The item {ref} of {self._who} cannot be written: {error}.", locator=ref
            ) from error
        answer = self._put(ref, body, {"If-None-Match": "*"})
        if not answer.ok:
            refusal = failures.for_write(answer.status, answer.body, self._who, ref, calendar, create=True)
            if isinstance(refusal, CollectionGone) and discovery.describe(self._session, calendar):
                raise ItemError(
                    f"The server of {self._who} refuses the item {ref} (HTTP {answer.status}).", locator=ref
                )
            raise refusal
        return self._settled(ref, body, answer)

    def update(self, current: RemoteItem, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        """Raises Conflict where `current` is not what the server has any more."""
        stamp = self._clock()
        return self._write(
            current,
            lambda source: editing.edit(source, item, dress, stamp=stamp, quiet=not notify),
            # Where only what the CRM adds is another one, it goes on or off whoever hears of it.
            silent=not notify and item != current.item,
        )

    def delete(self, current: RemoteItem, *, notify: bool) -> None:
        """Raises Conflict where `current` is not what the server has any more."""
        calendar = paths.parent(current.ref)
        headers: dict[str, str] = {}
        if not notify and self._mails(calendar):
            # An attendee's deletion declines, unless told not to (RFC 6638 section 8.1).
            headers["Schedule-Reply"] = "F"
            self._require_quiet(current, None)
        if not current.version:
            if self._reader.fetch(current.ref) is None:
                return
            current = self._unchanged(current)
        answer = self._delete(current.ref, {**headers, "If-Match": _precondition(current.version)})
        if answer.status == failures.FAILED and _is_weak(current.version):
            current = self._unchanged(current)
            answer = self._delete(current.ref, {**headers, "If-Match": "*"})
        if answer.ok or answer.status in failures.ABSENT:
            return
        if answer.status == failures.FAILED and self._reader.fetch(current.ref) is None:
            return  # a server that puts the precondition before the absence
        raise self._refused(current.ref, answer)

    def _write(self, current: RemoteItem, edit: Callable[[bytes], bytes], *, silent: bool) -> RemoteItem:
        body = self._edited(current, edit)
        if body == current.source:
            return current
        if silent and self._mails(paths.parent(current.ref)):
            self._require_quiet(current, body)
        if not current.version:
            current = self._unchanged(current)
            body = self._edited(current, edit)
        answer = self._put(current.ref, body, {"If-Match": _precondition(current.version)})
        if answer.status == failures.FAILED and _is_weak(current.version):
            current = self._unchanged(current)
            body = self._edited(current, edit)
            answer = self._put(current.ref, body, {"If-Match": "*"})
        if not answer.ok:
            raise self._refused(current.ref, answer)
        return self._settled(current.ref, body, answer)

    def _edited(self, current: RemoteItem, edit: Callable[[bytes], bytes]) -> bytes:
        try:
            return edit(current.source)
        except ValueError as error:  # Unreadable among them
            raise ItemError(
                f"The item {current.ref} of {self._who} cannot be edited: {error}.", locator=current.ref
            ) from error

    def _put(self, ref: str, body: bytes, headers: dict[str, str]) -> Answer:
        sent = {"Content-Type": CONTENT, "Accept-Encoding": "identity", **headers}
        return self._session.request("PUT", ref, body=body, headers=sent)

    def _delete(self, ref: str, headers: dict[str, str]) -> Answer:
        return self._session.request("DELETE", ref, headers=headers)

    def _refused(self, ref: str, answer: Answer) -> SyncdError:
        if answer.status in failures.ABSENT:  # gone since it was read: whether with its calendar, the next
            return Conflict(f"The item {ref} of {self._who} is not there any more. It is read again.")
        calendar = paths.parent(ref)
        return failures.for_write(answer.status, answer.body, self._who, ref, calendar, create=False)

    def _unchanged(self, current: RemoteItem) -> RemoteItem:
        """The item as the server has it now, if it still says the same: for servers without versions."""
        found = self._reader.get(current.ref)
        if found is None or found.item != current.item:
            raise Conflict(
                f"The item {current.ref} of {self._who} was changed by somebody else. It is read again."
            )
        return found

    def _settled(self, ref: str, body: bytes, answer: Answer) -> RemoteItem:
        """What the server has after a PUT. A strong version says that it has just what was sent (RFC 4791,
        section 5.3.4); else content and version are read together."""
        version = answer.headers.get("etag", "").strip()
        if version and not _is_weak(version):
            return self._reader.parsed(Body(ref, version, body))
        try:
            found = self._reader.get(ref)
        except (MailboxError, CollectionError) as error:
            then = error if isinstance(error, MailboxError) else None
            raise OutcomeUnknown(
                f"A change of {ref} was taken, but not seen after: {error}", then=then
            ) from error
        if found is None:
            raise Conflict(
                f"The item {ref} of {self._who} was gone right after it was written. It is read again."
            )
        return found

    def _require_quiet(self, current: RemoteItem, body: bytes | None) -> None:
        """Raises WouldMail where the server would mail somebody because of this write."""
        if self._owner is None:
            self._owner = self._addresses()
        owner = self._owner or organizer_of(current.source)
        if told := mails(current.source, body, owner, reply=False):
            raise WouldMail(
                f"The item {current.ref} of {self._who} was left alone: its server would mail {len(told)} of"
                " its participants, and this change is to be made in silence.",
                locator=current.ref,
            )

    def _mails(self, calendar: str) -> bool:
        if calendar not in self.auto_schedules:
            self.auto_schedules[calendar] = discovery.auto_schedules(
                self._session.request("OPTIONS", calendar)
            )
        return self.auto_schedules[calendar]


def _is_weak(version: str) -> bool:
    return version.startswith("W/")


def _precondition(version: str) -> str:
    """What If-Match is given. It compares strongly (RFC 9110, 13.1.1), so a weak version never matches: a
    proxy that compresses may have weakened it. Without any version, at least nothing is made anew."""
    return version.removeprefix("W/") or "*"
