"""The bodies of the requests that calendars need. Pure."""

import base64
from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element

from connectors.calendar import Kind
from connectors.ews.calendar.names import global_id
from connectors.ews.calendar.parsing import SKYPE_OR_TEAMS
from connectors.ews.calendar.xml import field_uri, m, own_property, t

PAGE = 512  # MaxChangesReturned, at most (types.xsd)
OWN = ("account", "companion", "crm-id", "opportunity", "rest", "state", "uid")

_COMMON = (
    "item:ParentFolderId", "item:Subject", "item:Sensitivity", "item:Body", "item:Categories",
    "item:ReminderIsSet", "item:LastModifiedTime",
)  # fmt: skip
_PROPERTIES = {
    Kind.EVENT: (
        *_COMMON, "item:ReminderMinutesBeforeStart", "calendar:UID", "calendar:RecurrenceId",
        "calendar:Start", "calendar:End", "calendar:OriginalStart", "calendar:IsAllDayEvent",
        "calendar:LegacyFreeBusyStatus", "calendar:Location", "calendar:IsMeeting",
        "calendar:IsCancelled", "calendar:CalendarItemType", "calendar:MyResponseType",
        "calendar:Organizer", "calendar:RequiredAttendees", "calendar:OptionalAttendees",
        "calendar:Resources", "calendar:AppointmentSequenceNumber", "calendar:Recurrence",
        "calendar:ModifiedOccurrences", "calendar:DeletedOccurrences", "calendar:StartTimeZone",
        "calendar:EndTimeZone", "calendar:JoinOnlineMeetingUrl", "calendar:IsOnlineMeeting",
    ),
    Kind.TASK: (
        *_COMMON, "item:ReminderDueBy", "task:CompleteDate", "task:DueDate", "task:Recurrence",
        "task:StartDate", "task:Status",
    ),
}  # fmt: skip


def get_items(kind: Kind, ids: Iterable[Element]) -> Element:
    """GetItem of all that an item is made of here; `ids` as `item_id` and `occurrence_id` give them."""
    properties = [field_uri(uri) for uri in _PROPERTIES[kind]] + [own_property(name) for name in OWN]
    if kind is Kind.EVENT:
        properties.append(
            t(
                "ExtendedFieldURI",
                None,
                DistinguishedPropertySetId="PublicStrings",
                PropertyName=SKYPE_OR_TEAMS,
                PropertyType="String",
            )
        )
    shape = m(
        "ItemShape",
        None,
        t("BaseShape", "IdOnly"),
        t("BodyType", "Best"),
        t("AdditionalProperties", None, *properties),
    )
    return m("GetItem", None, shape, m("ItemIds", None, *ids))


def item_id(ref: str, change_key: str = "") -> Element:
    """An item by its id."""
    return t("ItemId", None, Id=ref, **({"ChangeKey": change_key} if change_key else {}))


def occurrence_id(master: str, index: int) -> Element:
    """An occurrence by its number in the series, from 1."""
    return t("OccurrenceItemId", None, RecurringMasterId=master, InstanceIndex=str(index))


def sync_items(folder: str, state: str) -> Element:
    """SyncFolderItems, ids only."""
    parts = [
        m("ItemShape", None, t("BaseShape", "IdOnly")),
        m("SyncFolderId", None, t("FolderId", None, Id=folder)),
        *([m("SyncState", state)] if state else []),
        m("MaxChangesReturned", str(PAGE)),
        m("SyncScope", "NormalItems"),
    ]
    return m("SyncFolderItems", None, *parts)


def find_uid(folder: str, uid: str, kind: Kind) -> Element:
    """FindItem by UID: by the property in which we write it, and by the one that Exchange keeps."""
    wanted = [_equals(own_property("uid"), uid)]
    if kind is Kind.EVENT:
        clean = t(
            "ExtendedFieldURI",
            None,
            DistinguishedPropertySetId="Meeting",
            PropertyId="35",  # PidLidCleanGlobalObjectId (MS-OXOCAL section 2.2.1.28)
            PropertyType="Binary",
        )
        wanted.append(_equals(clean, base64.b64encode(global_id(uid)).decode()))
    restriction = wanted[0] if len(wanted) == 1 else t("Or", None, *wanted)
    return m(
        "FindItem",
        None,
        m("ItemShape", None, t("BaseShape", "IdOnly")),
        m("IndexedPageItemView", None, MaxEntriesReturned="100", Offset="0", BasePoint="Beginning"),
        m("Restriction", None, restriction),
        m("ParentFolderIds", None, t("FolderId", None, Id=folder)),
        Traversal="Shallow",
    )


def _equals(path: Element, value: str) -> Element:
    return t("IsEqualTo", None, path, t("FieldURIOrConstant", None, t("Constant", None, Value=value)))


def create(item: Element, folder: str, *, notify: bool, kind: Kind) -> Element:
    """CreateItem in a folder."""
    options = {"SendMeetingInvitations": _sending(notify)} if kind is Kind.EVENT else {}
    home = m("SavedItemFolderId", None, t("FolderId", None, Id=folder))
    return m("CreateItem", None, home, m("Items", None, item), **options)


def respond(answer: str, ref: str, change_key: str, *, notify: bool) -> Element:
    """CreateItem of a response object: AcceptItem, TentativelyAcceptItem or DeclineItem."""
    reference = t("ReferenceItemId", None, Id=ref, ChangeKey=change_key)
    disposition = "SendAndSaveCopy" if notify else "SaveOnly"
    return m("CreateItem", None, m("Items", None, t(answer, None, reference)), MessageDisposition=disposition)


def update(ref: str, change_key: str, changes: Sequence[Element], *, sending: str, kind: Kind) -> Element:
    """UpdateItem, only if the item still has that change key."""
    options = {"SendMeetingInvitationsOrCancellations": sending} if kind is Kind.EVENT else {}
    change = t("ItemChange", None, item_id(ref, change_key), t("Updates", None, *changes))
    return m(
        "UpdateItem",
        None,
        m("ItemChanges", None, change),
        ConflictResolution="NeverOverwrite",
        MessageDisposition="SaveOnly",
        **options,
    )


def delete(reference: Element, *, notify: bool, kind: Kind) -> Element:
    """DeleteItem into Deleted Items."""
    options = (
        {"SendMeetingCancellations": _sending(notify)}
        if kind is Kind.EVENT
        else {"AffectedTaskOccurrences": "AllOccurrences"}
    )
    return m("DeleteItem", None, m("ItemIds", None, reference), DeleteType="MoveToDeletedItems", **options)


def get_folders(references: Iterable[Element], properties: Iterable[str] = ()) -> Element:
    """GetFolder."""
    return m("GetFolder", None, _folder_shape(properties), m("FolderIds", None, *references))


def find_folders(reference: Element, properties: Iterable[str], offset: int) -> Element:
    """FindFolder of everything below a folder."""
    view = m(
        "IndexedPageFolderView", None, MaxEntriesReturned="500", Offset=str(offset), BasePoint="Beginning"
    )
    shape = _folder_shape(properties)
    return m("FindFolder", None, shape, view, m("ParentFolderIds", None, reference), Traversal="Deep")


def _folder_shape(properties: Iterable[str]) -> Element:
    named = [field_uri(one) for one in properties]
    more = [t("AdditionalProperties", None, *named)] if named else []
    return m("FolderShape", None, t("BaseShape", "IdOnly"), *more)


def _sending(notify: bool) -> str:
    return "SendToAllAndSaveCopy" if notify else "SendToNone"
