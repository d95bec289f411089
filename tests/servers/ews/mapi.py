"""The few MAPI properties that the server derives for clients that ask by tag or by MAPI name ([MS-OXPROPS]).

The rest of MAPI is not served: an extended property that nobody wrote is absent.
"""

import base64
import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

from tests.servers.ews import mail
from tests.servers.ews.fields import ITEM_CLASS, Kind
from tests.servers.ews.model import ExtendedPath, Folder, Item
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import stamp, typed, yes_no

# PidLidGlobalObjectId and PidLidCleanGlobalObjectId of PSETID_Meeting.
_MEETING_SET = ("meeting", "6ed8da90-450b-101b-98da-00aa003f1305")
_GLOBAL_ID = {"#3", "#35"}
_READ, _UNSENT, _HAS_ATTACHMENTS = 0x1, 0x8, 0x10  # bits of PidTagMessageFlags ([MS-OXCMSG] 2.2.1.6)


def of_item(target: Target, path: ExtendedPath) -> Element | None:
    """A derived property of an item."""
    if path.set_name.lower() in _MEETING_SET and path.name in _GLOBAL_ID and target.kind is Kind.CALENDAR:
        uid = target.text("UID")
        return _single(path, base64.b64encode(global_object_id(uid)).decode()) if uid else None
    if path.set_name == "PublicStrings" and path.name == "Keywords":
        stored = target.field("Categories")
        return None if stored is None else _many(path, [child.text or "" for child in stored])
    if (path.set_name, path.name) == ("Appointment", "#33315") and target.kind is Kind.CALENDAR:
        return _single(path, yes_no("Recurrence" in target.item.fields))  # PidLidRecurring
    reader = None if path.set_name else _OF_ITEMS.get(path.name)
    value = None if reader is None else reader(target)
    return None if value is None else _single(path, value)


def of_folder(folder: Folder, path: ExtendedPath) -> Element | None:
    """A derived property of a folder."""
    reader = None if path.set_name else _OF_FOLDERS.get(path.name)
    return None if reader is None else _single(path, reader(folder))


def _header(name: str) -> Callable[[Target], str | None]:
    def read(target: Target) -> str | None:
        if target.mime is None:
            return None
        headers = mail.headers_of(target.mime)
        return mail.read(headers[name]) if name in headers else None

    return read


def _transport_headers(target: Target) -> str | None:
    """None of what was submitted here: a transport adds them on delivery."""
    if target.mime is None or target.item.folder.distinguished == "sentitems":
        return None
    head, found, _ = target.mime.partition(b"\r\n\r\n")
    return (head + found).decode("utf-8", "replace")


def _flags(target: Target) -> str:
    bits = (_READ if target.item.is_read else 0) | (_UNSENT if target.item.is_draft else 0)
    return str(bits | (_HAS_ATTACHMENTS if target.field("Attachments") is not None else 0))


def says_sent(item: Item) -> bool:
    """Whether whoever made the item wrote PidTagMessageFlags without MSGFLAG_UNSENT: then it is no draft."""
    written = item.extended.get(ExtendedPath("", "0xe07", "Integer"))
    return written is not None and not int(written[-1].text or "0") & _UNSENT


def _received(target: Target) -> str:
    stored = target.text("DateTimeReceived")
    return stored or stamp(target.item.created)


_OF_ITEMS: dict[str, Callable[[Target], str | None]] = {
    "0x1a": lambda target: target.text("ItemClass") or ITEM_CLASS[target.kind],  # PidTagMessageClass
    "0x37": lambda target: target.text("Subject") or None,  # PidTagSubject
    "0x1000": lambda target: target.text("Body") or None,  # PidTagBody
    "0x7d": _transport_headers,  # PidTagTransportMessageHeaders
    "0xe06": _received,  # PidTagMessageDeliveryTime
    "0xe07": _flags,  # PidTagMessageFlags
    "0xe08": lambda target: None if target.mime is None else str(len(target.mime)),  # PidTagMessageSize
    "0xe23": lambda target: str(target.item.number),  # PidTagInternetArticleNumber
    "0x1035": _header("Message-ID"),  # PidTagInternetMessageId
    "0x10f3": lambda target: f"{target.item.number}.EML",  # PidTagUrlCompName
    "0x3007": lambda target: stamp(target.item.created),  # PidTagCreationTime
    "0x3008": lambda target: stamp(target.item.modified),  # PidTagLastModificationTime
}
# Tags that are another way to a property of EWS: writing one writes the other.
ALIASES = {"0x37": "Subject", "0x1000": "Body"}  # PidTagSubject, PidTagBody
_OF_FOLDERS: dict[str, Callable[[Folder], str]] = {
    "0x3001": lambda folder: folder.name,  # PidTagDisplayName
    "0x3602": lambda folder: str(len(folder.items)),  # PidTagContentCount
    "0x3603": lambda folder: str(sum(not item.is_read for item in folder.items.values())),
    "0x360a": lambda folder: yes_no(bool(folder.children)),  # PidTagSubfolders
    "0x3613": lambda folder: folder.folder_class,  # PidTagContainerClass
}


def global_object_id(uid: str) -> bytes:
    """The GlobalObjectId of a UID ([MS-OXCICAL] 2.1.3.1.1.20.26): its bytes, or wrapped as `vCal-Uid`."""
    head = bytes.fromhex("040000008200E00074C5B7101A82E008")
    if re.fullmatch(r"(?i)040000008200E00074C5B7101A82E008([0-9a-f]{2})+", uid):
        return bytes.fromhex(uid)
    data = b"vCal-Uid\x01\x00\x00\x00" + uid.encode() + b"\x00"
    return head + bytes(20) + len(data).to_bytes(4, "little") + data


def _single(path: ExtendedPath, value: str) -> Element:
    return typed("ExtendedProperty", [_uri(path), typed("Value", value)])


def _many(path: ExtendedPath, values: list[str]) -> Element:
    listed = typed("Values", [typed("Value", value) for value in values])
    return typed("ExtendedProperty", [_uri(path), listed])


def _uri(path: ExtendedPath) -> Element:
    if not path.set_name:
        return typed("ExtendedFieldURI", PropertyTag=path.name, PropertyType=path.type)
    group = "PropertySetId" if re.fullmatch(r"[0-9a-f-]{36}", path.set_name) else "DistinguishedPropertySetId"
    attributes = {group: path.set_name}
    if path.name.startswith("#"):
        attributes["PropertyId"] = path.name[1:]
    else:
        attributes["PropertyName"] = path.name
    return typed("ExtendedFieldURI", (), **attributes, PropertyType=path.type)
