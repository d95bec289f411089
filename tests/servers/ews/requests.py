"""A request as its operation sees it: who asks, as whom, for which folders and items."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from tests.servers.ews import occasions
from tests.servers.ews.errors import EwsError, SoapFault
from tests.servers.ews.model import Folder, Mailbox
from tests.servers.ews.store import Store
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import local, read_moment, t, text_of
from tests.servers.ews.zones import zone_of

if TYPE_CHECKING:
    from tests.servers.ews.counts import Counts

_RIGHTS = {"read": {"Reviewer", "Author", "Editor"}, "write": {"Editor"}, "create": {"Author", "Editor"}}


@dataclass(frozen=True, slots=True)
class Request:
    """`caller` is the mailbox the request acts as: the login's own, or the impersonated one."""

    store: Store
    caller: Mailbox
    body: Element
    zone_name: str  # of the request's TimeZoneContext, "UTC" without one
    counts: "Counts"

    @property
    def zone(self) -> tzinfo:
        """Whose clock is meant by times without an offset."""
        return zone_of(self.zone_name)

    def attribute(self, name: str, default: str = "") -> str:
        """An attribute of the operation's element."""
        return self.body.get(name, default)

    def moment(self, text: str) -> datetime:
        """An xs:dateTime of the request; one without an offset is in the request's time zone."""
        try:
            return read_moment(text, self.zone)
        except ValueError as error:
            raise SoapFault("ErrorInvalidArgument", str(error)) from error

    def may(self, box: Mailbox, right: str) -> bool:
        """Whether the caller has the right (read, write, create) in the mailbox."""
        return box is self.caller or box.delegates.get(self.caller.address) in _RIGHTS[right]

    def need(self, box: Mailbox, right: str) -> None:
        """ErrorAccessDenied where the caller has not the right."""
        if not self.may(box, right):
            raise EwsError("ErrorAccessDenied", "Access is denied. Check credentials and try again.")

    def folder(self, reference: Element, right: str = "read") -> Folder:
        """The folder that a FolderId or DistinguishedFolderId element names."""
        if local(reference) == "DistinguishedFolderId":
            return self._distinguished(reference, right)
        box, folder = self.store.read_folder_id(reference.get("Id", ""))
        if folder is None or not self.may(box, "read"):
            raise EwsError("ErrorFolderNotFound", "The specified folder could not be found in the store.")
        self.need(box, right)
        return folder

    def _distinguished(self, reference: Element, right: str) -> Folder:
        address = text_of(reference.find(t("Mailbox")), "EmailAddress").lower()
        box = self.caller if not address else self.store.mailboxes.get(address)
        if box is None:
            raise EwsError("ErrorNonExistentMailbox", "No mailbox with such an address exists.")
        folder = box.distinguished.get(reference.get("Id", ""))
        if folder is None or not self.may(box, "read"):
            raise EwsError("ErrorFolderNotFound", "The specified folder could not be found in the store.")
        self.need(box, right)
        return folder

    def target(self, reference: Element, right: str = "read") -> Target:
        """The item or occurrence that an ItemId, OccurrenceItemId or RecurringMasterItemId element names."""
        kind = local(reference)
        attribute = {"OccurrenceItemId": "RecurringMasterId", "RecurringMasterItemId": "OccurrenceId"}
        box, number, original = self.store.read_item_id(reference.get(attribute.get(kind, "Id"), ""))
        item = self.store.items.get(number)
        if item is None or not self.may(box, "read"):
            raise EwsError("ErrorItemNotFound", "The specified object was not found in the store.")
        self.need(box, right)
        if kind == "OccurrenceItemId":
            return self._occurrence(Target(item, original), reference)
        if kind == "RecurringMasterItemId":
            if original is None:
                raise EwsError("ErrorCalendarCannotUseIdForRecurringMasterId", "The id is of no occurrence.")
            return Target(item)
        return self._standing(Target(item, original))

    def _standing(self, target: Target) -> Target:
        """An occurrence by its own id: gone where it was deleted or the pattern has it no more."""
        if target.original is None:
            return target
        series = target.item.series
        if not occasions.is_master(target.item) or (series is not None and target.original in series.deleted):
            raise EwsError("ErrorItemNotFound", "The specified object was not found in the store.")
        for start in occasions.original_starts(target.item):
            if start == target.original:
                return target
            if start > target.original:
                break
        raise EwsError("ErrorItemNotFound", "The specified object was not found in the store.")

    def _occurrence(self, master: Target, reference: Element) -> Target:
        if master.original is not None or not occasions.is_master(master.item):
            raise EwsError("ErrorCalendarCannotUseIdForOccurrenceId", "The id is not of a recurring master.")
        index = int(reference.get("InstanceIndex", "0"))
        for number, start in enumerate(occasions.original_starts(master.item), 1):
            if number == index:
                series = master.item.series
                if series is not None and start in series.deleted:
                    text = "Occurrence with this index was previously deleted from the recurrence."
                    raise EwsError("ErrorCalendarOccurrenceIsDeletedFromRecurrence", text)
                return Target(master.item, start)
        text = "Occurrence index is out of recurrence range."
        raise EwsError("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange", text)
