"""From the bytes of a request to the bytes of its answer: envelope, schema, impersonation, operation."""

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from tests.servers.ews import answers, finding, folders, items, lookups, syncing, updates
from tests.servers.ews.counts import Counts
from tests.servers.ews.errors import EwsError, SoapFault
from tests.servers.ews.faults import Fault, Faults, Plan
from tests.servers.ews.model import Mailbox
from tests.servers.ews.requests import Request
from tests.servers.ews.schema import SchemaCheck
from tests.servers.ews.store import Store
from tests.servers.ews.subscriptions import Subscriptions
from tests.servers.ews.syncing import SyncStates
from tests.servers.ews.xmlwork import MESSAGES, SOAP, local, parse, t, text_of, tobytes
from tests.servers.ews.zones import read_zone

Operation = Callable[[Request], list[Element]]
_FLAT = {"GetUserConfiguration"}  # this schema has no response messages in its answer


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    content: bytes
    operation: str = ""


class Dispatcher:
    """Knows the operations. `account` maps a login to its mailbox's address."""

    def __init__(self, store: Store, counts: Counts, faults: Faults, check: SchemaCheck) -> None:
        self._store = store
        self._counts = counts
        self._faults = faults
        self.check = check
        self.states = SyncStates(store)
        self.subscriptions = Subscriptions(store)
        self.impersonators: set[str] = set()
        self.operations: dict[str, Operation] = {
            "GetItem": items.get_item,
            "CreateItem": items.create_item,
            "UpdateItem": updates.update_item,
            "DeleteItem": items.delete_item,
            "MoveItem": items.move_item,
            "CopyItem": items.copy_item,
            "SendItem": items.send_item,
            "FindItem": finding.find_item,
            "SyncFolderItems": lambda request: syncing.sync_items(request, self.states),
            "SyncFolderHierarchy": folders.sync_hierarchy,
            "GetFolder": folders.get_folder,
            "FindFolder": folders.find_folder,
            "CreateFolder": folders.create_folder,
            "UpdateFolder": folders.rename,
            "DeleteFolder": folders.delete_folder,
            "Subscribe": self.subscriptions.subscribe,
            "Unsubscribe": self.subscriptions.unsubscribe,
            "GetEvents": self.subscriptions.get_events,
            "ResolveNames": lookups.resolve_names,
            "GetUserConfiguration": lookups.get_user_configuration,
            "ConvertId": lookups.convert_id,
            "GetServerTimeZones": lookups.get_time_zones,
        }

    def operation_of(self, content: bytes) -> str:
        """The operation's name, "" where the request is no envelope."""
        try:
            body = parse(content).find(f"{{{SOAP}}}Body")
        except ET.ParseError:
            return ""
        return "" if body is None or not len(body) else local(body[0])

    def answer(self, content: bytes, account: str, plan: Plan | None) -> Answer:
        """Does what a request asks. `plan` is the fault that was taken for it."""
        operation = ""
        try:
            header, body = self._read(content)
            operation = local(body)
            self._counts.operation(operation)
            self._refuse(operation, plan)
            request = self._request(header, body, account)
            with self._store.lock:
                messages = self._perform(request, operation, plan)
            flat = operation in _FLAT
            body = answers.flat(operation, messages[0]) if flat else answers.response(operation, messages)
            return self._reply(200, body, operation)
        except SoapFault as error:
            return self._reply(500, answers.fault(error), operation)

    def stream(self, content: bytes, account: str) -> Generator[bytes, None, None]:
        """The answers of a GetStreamingEvents request, as they come; SoapFault where it is refused."""
        header, body = self._read(content)
        self._counts.operation(local(body))
        request = self._request(header, body, account)
        return self._sealed(request)

    def _sealed(self, request: Request) -> Generator[bytes, None, None]:
        with contextlib.closing(self.subscriptions.stream(request)) as responses:
            for each in responses:
                yield self.seal(each)

    def fault(self, error: SoapFault) -> Answer:
        """The answer to a request that is refused as a whole."""
        return self._reply(500, answers.fault(error), "")

    def seal(self, body: Element) -> bytes:
        """An answer's bytes, checked against the schema."""
        content = tobytes(answers.envelope(body))
        self.check.response(content)
        return content

    def _read(self, content: bytes) -> tuple[Element | None, Element]:
        try:
            envelope = parse(content)
        except ET.ParseError as error:
            raise SoapFault("ErrorInvalidRequest", f"The request is not well-formed: {error}") from error
        wrong = self.check.request(content)
        if wrong is not None:
            values = {"LineNumber": "1", "LinePosition": "1", "Violation": wrong}
            text = "The request failed schema validation: " + wrong
            raise SoapFault("ErrorSchemaValidation", text, values)
        body = envelope.find(f"{{{SOAP}}}Body")
        if body is None or not len(body) or not body[0].tag.startswith(f"{{{MESSAGES}}}"):
            raise SoapFault("ErrorInvalidRequest", "The request has no operation.")
        return envelope.find(f"{{{SOAP}}}Header"), body[0]

    def _refuse(self, operation: str, plan: Plan | None) -> None:
        fault = None if plan is None else plan.fault
        if plan is not None and fault is Fault.BUSY:
            values = {"BackOffMilliseconds": str(int(plan.seconds * 1000))}
            text = "The server cannot service this request right now. Try again later."
            raise SoapFault("ErrorServerBusy", text, values)
        if fault is Fault.INTERNAL:
            raise SoapFault("ErrorInternalServerError", "An internal server error occurred.")
        if fault is Fault.TOO_MANY_OPEN:
            raise SoapFault("ErrorTooManyObjectsOpened", "Too many concurrent connections opened.")
        if operation not in self.operations:
            raise SoapFault("ErrorInvalidRequest", f"{operation} is not served here.")

    def _perform(self, request: Request, operation: str, plan: Plan | None) -> list[Element]:
        if plan is not None and plan.fault is Fault.SYNC_STATE and operation.startswith("SyncFolder"):
            error = EwsError("ErrorInvalidSyncStateData", "The synchronization state data is invalid.")
            return [syncing.refusal(operation, error)]
        if plan is not None and plan.fault is Fault.STALE and operation == "UpdateItem":
            self._touch(request)
        messages = self.operations[operation](request)
        if plan is not None and plan.fault is Fault.AWAY:
            raise SoapFault("ErrorMailboxStoreUnavailable", "The mailbox database is unavailable.")
        return messages

    def _touch(self, request: Request) -> None:
        """Someone else writes the items just before: their change keys are stale."""
        for reference in [e for e in request.body.iter() if e.tag in {t("ItemId"), t("OccurrenceItemId")}]:
            try:
                target = request.target(reference)
            except EwsError:
                continue
            self._store.changed(target.item, "another client", set())

    def _request(self, header: Element | None, body: Element, account: str) -> Request:
        caller = self._impersonated(header, account)
        zone = "UTC"
        if header is not None:
            definition = header.find(f"{t('TimeZoneContext')}/{t('TimeZoneDefinition')}")
            try:
                zone = read_zone(definition) or zone
            except EwsError as error:
                raise SoapFault(error.code, error.text) from error
        return Request(self._store, caller, body, zone, self._counts)

    def _impersonated(self, header: Element | None, account: str) -> Mailbox:
        """The mailbox that the request acts as."""
        asked = None if header is None else header.find(t("ExchangeImpersonation"))
        if asked is None:
            box = self._store.mailboxes.get(account)
            if box is None:
                text = "The account has no mailbox; ask for one by impersonation."
                raise SoapFault("ErrorNonExistentMailbox", text)
            return box
        connecting = asked.find(t("ConnectingSID"))
        names = ("PrincipalName", "PrimarySmtpAddress", "SmtpAddress")
        address = next((text_of(connecting, n) for n in names if text_of(connecting, n)), "").lower()
        box = self._store.mailboxes.get(address)
        if account not in self.impersonators:
            text = "The account does not have permission to impersonate the requested user."
            raise SoapFault("ErrorImpersonateUserDenied", text)
        if box is None:
            text = "The SMTP address has no mailbox associated with it."
            raise SoapFault("ErrorNonExistentMailbox", text)
        return box

    def _reply(self, status: int, body: Element, operation: str) -> Answer:
        return Answer(status, self.seal(body), operation)
