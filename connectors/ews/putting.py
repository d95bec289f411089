"""A message of our own in a folder of an Exchange mailbox, as if it had come: the two requests for it."""

import base64
from xml.etree.ElementTree import Element

from connectors.ews.calendar.wire import Refusal, Wire
from connectors.ews.calendar.xml import T, field_uri, m, t
from connectors.ews.session import EwsSession

MESSAGE_ID = "0x1035"  # PidTagInternetMessageId ([MS-OXPROPS])
FLAGS = "0x0E07"  # PidTagMessageFlags: without MSGFLAG_UNSENT it is no draft, which only its creation can say
UNREAD_AND_SENT = "0"


def holds(session: EwsSession, place: tuple[str, str], message_id: str, word: str) -> bool:
    """Whether a message of that Message-ID, and with that word in its subject, lies in the folder: `place` is
    its ref and the server's id of it."""
    ref, folder = place
    (answer,) = _asked(session, _find(folder, f"<{message_id}>", word), ref, writes=False)
    return next(answer.iter(T + "ItemId"), None) is not None


def put(session: EwsSession, ref: str, folder: str, content: bytes, *, draft: bool) -> None:
    """CreateItem of the message, saved and sent to nobody. What is only saved is a draft, unless told."""
    _asked(session, _create(folder, content, draft=draft), ref, writes=True)


def _asked(session: EwsSession, payload: Element, ref: str, *, writes: bool) -> list[Element]:
    wire = Wire(session)
    found: list[Element] = []
    for one in wire.ask(payload, writes=writes, collection=ref):
        if isinstance(one, Refusal):
            raise wire.error(one, writes=writes, collection=ref)
        found.append(one)
    return found


def _find(folder: str, message_id: str, word: str) -> Element:
    path = t("ExtendedFieldURI", None, PropertyTag=MESSAGE_ID, PropertyType="String")
    wanted = t("IsEqualTo", None, path, t("FieldURIOrConstant", None, t("Constant", None, Value=message_id)))
    if word:
        parts = field_uri("item:Subject"), t("Constant", None, Value=word)
        how = {"ContainmentMode": "Substring", "ContainmentComparison": "IgnoreCase"}
        wanted = t("And", None, wanted, t("Contains", None, *parts, **how))
    return m(
        "FindItem",
        None,
        m("ItemShape", None, t("BaseShape", "IdOnly")),
        m("IndexedPageItemView", None, MaxEntriesReturned="1", Offset="0", BasePoint="Beginning"),
        m("Restriction", None, wanted),
        m("ParentFolderIds", None, t("FolderId", None, Id=folder)),
        Traversal="Shallow",
    )


def _create(folder: str, content: bytes, *, draft: bool) -> Element:
    flags = t("ExtendedFieldURI", None, PropertyTag=FLAGS, PropertyType="Integer")
    message = t(
        "Message",
        None,
        t("MimeContent", base64.b64encode(content).decode(), CharacterSet="UTF-8"),
        *(() if draft else (t("ExtendedProperty", None, flags, t("Value", UNREAD_AND_SENT)),)),
        t("IsRead", "true" if draft else "false"),
    )
    home = m("SavedItemFolderId", None, t("FolderId", None, Id=folder))
    return m("CreateItem", None, home, m("Items", None, message), MessageDisposition="SaveOnly")
