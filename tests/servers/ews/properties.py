"""One property of an item or occurrence: stored, derived from the message's bytes, or kept by the server."""

import re
from collections.abc import Callable
from datetime import timedelta
from xml.etree.ElementTree import Element

from tests.servers.ews import mapi, occasions
from tests.servers.ews.fields import ITEM_CLASS, Kind
from tests.servers.ews.model import ExtendedPath, Mailbox
from tests.servers.ews.store import Store
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import stamp, typed, yes_no

Reader = Callable[[Store, Mailbox, Target], Element | None]


def read(
    store: Store, viewer: Mailbox, target: Target, name: str, derived: dict[str, Element], body_type: str
) -> Element | None:
    """The property's element, None where the item has none."""
    kept = occasions.KEPT.get(name) if target.kind is Kind.CALENDAR else None
    if kept is None:
        kept = _KEPT.get(name)
    if kept is not None:
        found = kept(store, viewer, target)
        if found is not None:
            return found
    stored = target.field(name)
    if stored is not None:
        return _body(stored, body_type) if name == "Body" else stored
    if name in derived:
        return derived[name]
    default = _DEFAULTS.get(name) if target.kind is not Kind.CALENDAR else occasions.DEFAULTS.get(name)
    if default is None and name in _COMMON_DEFAULTS:
        default = _COMMON_DEFAULTS[name]
    return None if default is None else typed(name, default)


def _body(stored: Element, body_type: str) -> Element:
    """Exchange converts bodies: HTML asked as text loses its tags, text asked as HTML gains some."""
    kind, text = stored.get("BodyType", "Text"), stored.text or ""
    if body_type in {"Best", kind}:
        return stored
    if body_type == "Text":
        return typed("Body", re.sub(r"<[^>]+>", "", text).strip(), BodyType="Text")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
    return typed("Body", f"<html><body>{escaped}</body></html>", BodyType="HTML")


def extended(target: Target, path: ExtendedPath) -> Element | None:
    """An extended property, stored or one of the few that the server derives."""
    stored = target.extended().get(path)
    return mapi.of_item(target, path) if stored is None else stored


def _item_id(store: Store, viewer: Mailbox, target: Target) -> Element:
    item_id = store.item_id(target.item, target.original)
    return typed("ItemId", Id=item_id, ChangeKey=store.change_key(target.item))


def _folder_id(store: Store, viewer: Mailbox, target: Target) -> Element:
    folder = target.item.folder
    return typed("ParentFolderId", Id=store.folder_id(folder), ChangeKey=store.folder_key(folder))


def _item_class(store: Store, viewer: Mailbox, target: Target) -> Element:
    return typed("ItemClass", target.text("ItemClass") or ITEM_CLASS[target.kind])


def _size(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    if target.mime is not None:
        return None
    return typed("Size", str(sum(len(e.text or "") + 20 for e in target.item.fields.values())))


def _received(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    return target.field("DateTimeReceived") or typed("DateTimeReceived", stamp(target.item.created))


def _effective_rights(store: Store, viewer: Mailbox, target: Target) -> Element:
    owner = target.item.folder.mailbox
    role = "Editor" if viewer is owner else owner.delegates.get(viewer.address, "None")
    writes, reads = yes_no(role == "Editor"), yes_no(role != "None")
    names = ("CreateAssociated", "CreateContents", "CreateHierarchy", "Delete", "Modify")
    return typed("EffectiveRights", [*(typed(name, writes) for name in names), typed("Read", reads)])


def _has_attachments(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    if target.mime is not None:
        return None
    return typed("HasAttachments", yes_no(target.field("Attachments") is not None))


def _is_recurring(store: Store, viewer: Mailbox, target: Target) -> Element:
    return typed("IsRecurring", yes_no(target.field("Recurrence") is not None))


def _is_complete(store: Store, viewer: Mailbox, target: Target) -> Element:
    return typed("IsComplete", yes_no(target.text("Status") == "Completed"))


def _associated(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    number = target.item.associated
    item = None if number is None else store.items.get(number)
    if item is None:
        return None
    return typed("AssociatedCalendarItemId", Id=store.item_id(item), ChangeKey=store.change_key(item))


def _reminder_due(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    if target.kind is not Kind.CALENDAR:
        return None
    return typed("ReminderDueBy", stamp(target.start))


def _reminder_next(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    if target.kind is not Kind.CALENDAR or target.text("ReminderIsSet", "true") != "true":
        return None
    minutes = int(target.text("ReminderMinutesBeforeStart", "15"))
    return typed("ReminderNextTime", stamp(target.start - timedelta(minutes=minutes)))


_KEPT: dict[str, Reader] = {
    "ItemId": _item_id,
    "ParentFolderId": _folder_id,
    "ItemClass": _item_class,
    "Size": _size,
    "DateTimeReceived": _received,
    "DateTimeCreated": lambda _s, _v, x: typed("DateTimeCreated", stamp(x.item.created)),
    "LastModifiedTime": lambda _s, _v, x: typed("LastModifiedTime", stamp(x.item.modified)),
    "LastModifiedName": lambda _s, _v, x: typed("LastModifiedName", x.item.modified_by),
    "IsDraft": lambda _s, _v, x: typed("IsDraft", yes_no(x.item.is_draft)),
    "IsRead": lambda _s, _v, x: typed("IsRead", yes_no(x.item.is_read)),
    "EffectiveRights": _effective_rights,
    "HasAttachments": _has_attachments,
    "IsRecurring": _is_recurring,
    "IsComplete": _is_complete,
    "AssociatedCalendarItemId": _associated,
    "ReminderDueBy": _reminder_due,
    "ReminderNextTime": _reminder_next,
}

_COMMON_DEFAULTS = {
    "Sensitivity": "Normal", "Importance": "Normal", "IsAssociated": "false", "Culture": "en-US",
    "IsSubmitted": "false", "IsFromMe": "false", "IsResend": "false", "IsUnmodified": "false",
}  # fmt: skip
_DEFAULTS = {
    "ReminderIsSet": "false", "ReminderMinutesBeforeStart": "0", "Status": "NotStarted",
    "PercentComplete": "0",
    "IsReadReceiptRequested": "false", "IsDeliveryReceiptRequested": "false", "IsResponseRequested": "false",
    "IsDelegated": "false", "IsOutOfDate": "false", "HasBeenProcessed": "false", "IsTeamTask": "false",
    "ChangeCount": "1",
}  # fmt: skip
