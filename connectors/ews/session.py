"""One mailbox of an Exchange server, through exchangelib without its surprises.

The library keeps protocols and credentials in caches of the whole process, guesses the server's version and
authentication with requests of its own, repeats what failed (even a CreateItem that timed out) and lets one
bad item fail a whole batch. Here a session has a protocol of its own that nobody else sees, says which
version it speaks, sends each request once, and gets each error as a value where it belongs to one item.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import Any, Self

from exchangelib import UTC, Account, Configuration, Version
from exchangelib import errors as library
from exchangelib.account import Identity
from exchangelib.credentials import DELEGATE, IMPERSONATION
from exchangelib.folders import DistinguishedFolderId
from exchangelib.properties import Mailbox
from exchangelib.protocol import FailFast, Protocol
from exchangelib.services.common import EWSService
from exchangelib.transport import NOAUTH
from exchangelib.util import TNS
from exchangelib.version import EXCHANGE_2016

from connectors.errors import MailboxError, OutcomeUnknown, ProtocolViolation, SyncdError, Unreachable
from connectors.ews import discovery, failures
from connectors.ews.access import Entry, EwsAccess, protected
from connectors.ews.answers import Answer
from connectors.ews.http import Channel, Session

API = "Exchange2016"  # understood by Exchange 2016, 2019 and SE; the only one that their schema has


class EwsSession:
    """Entering finds the server and reads the password; the first request logs in.

    One thread at a time uses it.
    """

    def __init__(self, access: EwsAccess) -> None:
        self.access = access
        self._found = ""  # the EWS address that autodiscover told, until a session ends with an error
        self._account: Account | None = None
        self._channel: Channel | None = None

    def __enter__(self) -> Self:
        channel = Channel(self.access)
        try:
            if not self.access.url and not self._found:
                self._found = protected(discovery.discover(channel), self.access)
            url = protected(self.access.url or self._found, self.access)
            protocol = type.__call__(_Protocol, channel, url)  # past the cache of its metaclass
            self._account = _Mailbox(self.access, protocol)
        except BaseException:
            channel.close()
            raise
        self._channel = channel
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        account, self._account = self._account, None
        channel, self._channel = self._channel, None
        if kind is not None:
            self._found = ""
        if account is not None:
            account.protocol.close()
        if channel is not None:
            channel.close()

    @property
    def account(self) -> Account:
        """The mailbox, for what exchangelib's classes need one for."""
        if self._account is None:
            raise Unreachable(f"{self.access.who} is not connected.")
        return self._account

    @property
    def channel(self) -> Channel:
        """The way to the server."""
        if self._channel is None:
            raise Unreachable(f"{self.access.who} is not connected.")
        return self._channel

    def folder(self, distinguished: str) -> DistinguishedFolderId:
        """A folder that Exchange has by that name, such as "inbox", in the mailbox that is read."""
        return DistinguishedFolderId(id=distinguished, mailbox=Mailbox(email_address=self.access.address))

    def service(self, kind: type[Any], **options: Any) -> Any:
        """One of exchangelib's services, that sends once and returns the errors of single items as values."""
        return _once(kind)(account=self.account, **options)

    @contextmanager
    def asking(self, *, writes: bool = False, collection: str = "", item: str = "") -> Iterator[None]:
        """Around every use of a service: its errors become ours (`failures.translated`).

        A request that `writes` and gets no answer is OutcomeUnknown.
        """
        channel = self.channel
        before = channel.requests
        with (
            failures.translated(
                self.access,
                writes=writes,
                collection=collection,
                item=item,
                sent=lambda: channel.requests > before,
            ),
            channel.asking(writes=writes),
        ):
            yield

    def call(
        self, kind: type[Any], *, writes: bool = False, collection: str = "", item: str = "", **arguments: Any
    ) -> list[Any]:
        """The results of one call of a service; an error of a single item stands in its place, as ours.

        Raises MailboxError (and OutcomeUnknown) for what is wrong with more than one item.
        """
        with self.asking(writes=writes, collection=collection, item=item):
            found = list(self.service(kind).call(**arguments))
        return [self.sorted_out(one, writes=writes, collection=collection, item=item) for one in found]

    @contextmanager
    def pieces(self, kind: type[Any], *, collection: str = "", **arguments: Any) -> Iterator[Iterator[bytes]]:
        """The answer of a service that reads, as it arrives: for what is too large to be held.

        Its XML is the caller's affair; nothing is checked.
        """
        service, protocol = self.service(kind), self.account.protocol
        with self.asking(collection=collection):
            http: Session = protocol.get_session()
            try:
                envelope = service.wrap(service.get_payload(**arguments), api_version=API)
                with http.fetch(protocol.service_endpoint, envelope, service.extra_headers()) as answer:
                    if isinstance(answer, Answer):  # a fault of SOAP, which comes with HTTP 500
                        service.complain(answer)
                    else:
                        yield answer
            finally:
                protocol.release_session(http)

    def sorted_out(self, result: Any, *, writes: bool = False, collection: str = "", item: str = "") -> Any:
        """The result itself; in place of an exception of exchangelib's, one of ours.

        Raises it where it is about more than one item.
        """
        if not isinstance(result, Exception):
            return result
        error = self.error(result, writes=writes, collection=collection, item=item)
        if not isinstance(error, SyncdError) or isinstance(error, MailboxError | OutcomeUnknown):
            raise error
        return error

    def error(
        self, result: Exception, *, writes: bool = False, collection: str = "", item: str = ""
    ) -> SyncdError | failures.SyncStateInvalidError:
        """The error of ours for an exception of exchangelib's that stands in place of a result."""
        return failures.of(result, self.access, writes=writes, collection=collection, item=item)


class _Protocol(Protocol):  # type: ignore[misc]  # exchangelib has no types
    """A connection of our own, and one only: exchangelib waits for it rather than opening another."""

    def __init__(self, channel: Channel, url: str) -> None:
        self._channel = channel
        super().__init__(
            Configuration(
                service_endpoint=url,
                auth_type=NOAUTH,  # the channel logs in
                version=Version(build=EXCHANGE_2016, api_version=API),
                retry_policy=FailFast(),
                max_connections=1,
            )
        )

    def create_session(self) -> Session:
        return self._channel.session()

    def close_session(self, session: Session) -> None:
        session.close()


class _Mailbox(Account):  # type: ignore[misc]
    """An account on a protocol of our own: `Account.__init__` would take one from the cache."""

    def __init__(self, access: EwsAccess, protocol: Protocol) -> None:
        self.fullname = None
        self.access_type = IMPERSONATION if access.entry is Entry.IMPERSONATE else DELEGATE
        self.locale = None
        self.default_timezone = UTC
        self.ad_response = None
        self.protocol = protocol
        self.identity = Identity(primary_smtp_address=access.address)
        self.affinity_cookie = None
        self._version = None
        self._version_lock = Lock()


class _Once:
    """Mixed into a service: one request, one answer, and errors in their place."""

    ERRORS_TO_CATCH_IN_RESPONSE = (library.EWSError,)
    WARNINGS_TO_CATCH_IN_RESPONSE = (library.EWSError,)

    def _get_elements(self, payload: Any) -> Iterator[Any]:
        """Without the library's loop, which repeats and waits."""
        try:
            yield from self._response_generator(payload=payload)  # type: ignore[attr-defined]
        finally:
            if self.streaming:  # type: ignore[attr-defined]
                self.stop_streaming()  # type: ignore[attr-defined]

    def extra_headers(self) -> dict[str, str]:
        """What a request carries beside the usual headers."""
        return dict(self._extra_headers())  # type: ignore[attr-defined]

    def complain(self, answer: Answer) -> None:
        """Raises what an answer complains of."""
        _, body = self._get_soap_parts(response=answer)  # type: ignore[attr-defined]
        list(self._get_elements_in_response(self._get_soap_messages(body)))  # type: ignore[attr-defined]
        raise library.MalformedResponseError("a fault without a reason")

    def _api_versions_to_try(self) -> tuple[str, ...]:
        return (API,)

    def _get_soap_messages(self, body: Any) -> Any:
        """The library would take these for a reason to send the request again, in another version."""
        try:
            return super()._get_soap_messages(body)  # type: ignore[misc]
        except (
            library.ErrorInvalidServerVersion,
            library.ErrorIncorrectSchemaVersion,
            library.ErrorInvalidRequest,
            library.ErrorInvalidSchemaVersionForMailboxVersion,
        ) as error:
            code = failures.code_of(error)
            raise ProtocolViolation(
                f"The server refuses a request ({code}). Exchange 2016 or later is needed."
            ) from None

    def _get_element_container(self, message: Any, name: str | None = None) -> Any:
        """SyncFolderItems and others look for what an answer with an error does not have."""
        if message.get("ResponseClass") == "Error":
            return EWSService._get_element_container(self, message=message, name=name)  # noqa: SLF001 - its own
        return super()._get_element_container(message=message, name=name)  # type: ignore[misc]

    @staticmethod
    def _get_exception(code: str, text: Any, msg_xml: Any = None, rule_errors: Any = None) -> Exception:  # noqa: ARG004
        """Keeps how long the server asks to wait, and the code alone of everything else."""
        if code == "ErrorServerBusy":
            return library.ErrorServerBusy(code, back_off=_back_off(msg_xml))  # type: ignore[no-any-return]
        return failures.named(str(code))


def _back_off(details: Any) -> float | None:
    """Seconds, from BackOffMilliseconds."""
    for value in () if details is None else details.findall(f"{{{TNS}}}Value"):
        if value.get("Name") == "BackOffMilliseconds" and (value.text or "").strip().isdigit():
            return int(value.text) / 1000
    return None


def _once(kind: type[Any]) -> type[Any]:
    if kind not in _made:
        _made[kind] = type(kind.__name__, (_Once, kind), {})
    return _made[kind]


_made: dict[type[Any], type[Any]] = {}  # by the class of exchangelib's
