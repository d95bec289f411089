"""The requests for mail: exchangelib writes them, and their answers are read here, element by element.

exchangelib would make an object of every element, ten times as slow as reading what is needed, and a
date-time with a fraction of a second or a date with a time becomes a silent None there.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from exchangelib.errors import EWSError
from exchangelib.extended_properties import ExtendedProperty
from exchangelib.fields import ExtendedPropertyField, FieldPath
from exchangelib.folders import Folder
from exchangelib.items import Message
from exchangelib.properties import ItemId
from exchangelib.services import FindFolder, GetFolder, GetItem, SyncFolderItems
from exchangelib.util import TNS

PAGE = 512  # changes at once: the most that Exchange gives (SyncFolderItems, MaxChangesReturned)
FOLDERS_AT_ONCE = 500
MOST_FOLDERS = 50_000


class TransportHeaders(ExtendedProperty):  # type: ignore[misc]  # exchangelib has no types
    """PidTagTransportMessageHeaders ([MS-OXPROPS]): the header as it came; nothing was never on its way."""

    property_tag = 0x007D
    property_type = "String"


def paths(model: type[Any], *names: str) -> list[FieldPath]:
    """The properties by exchangelib's names."""
    return [FieldPath(field=model.get_field_by_fieldname(name)) for name in names]


FOLDER = paths(Folder, "name", "folder_class", "parent_folder_id")
COUNT = paths(Folder, "total_count")
CONTENT = paths(Message, "mime_content")
ABOUT = paths(Message, "size", "datetime_received", "datetime_created", "categories", "sensitivity")
SIZE = paths(Message, "size")
RAW = [FieldPath(field=ExtendedPropertyField("transport_headers", value_cls=TransportHeaders))]
FIELDS = paths(
    Message,
    "author",
    "to_recipients",
    "cc_recipients",
    "bcc_recipients",
    "reply_to",
    "subject",
    "datetime_sent",
    "message_id",
    "in_reply_to",
    "references",
)


class Folders(GetFolder):  # type: ignore[misc]
    """GetFolder: elements and errors in the order of what was asked for."""

    def _elems_to_objs(self, elems: Iterator[Any]) -> Iterator[Any]:
        yield from elems


class FoldersBelow(FindFolder):  # type: ignore[misc]
    """FindFolder, all the way down: elements."""

    def call(self, parent: Any) -> Iterator[Any]:
        """Every folder below, page by page."""
        offset: int | None = 0
        while offset is not None and offset < MOST_FOLDERS:
            options = {
                "folders": [parent],
                "additional_fields": FOLDER,
                "restriction": None,
                "shape": "IdOnly",
                "depth": "Deep",
                "page_size": FOLDERS_AT_ONCE,
                "offset": offset,
            }
            page, following = self._get_pages(self.get_payload, options, 1)[0]
            if isinstance(page, EWSError):
                yield page
                return
            if page is not None:
                yield from page.find(self.element_container_name)
            offset = following if following is None or following > offset else None


class Changes(SyncFolderItems):  # type: ignore[misc]
    """SyncFolderItems: (what, item id), and afterwards `sync_state` and `includes_last_item_in_range`."""

    def call(self, folder: Any, state: str) -> Iterator[Any]:
        """One page of changes since `state`; of everything where that is empty."""
        payload = self.get_payload(
            folder=folder,
            shape="IdOnly",
            additional_fields=None,
            sync_state=state or None,
            ignore=None,
            max_changes_returned=PAGE,
            sync_scope="NormalItems",
        )
        yield from self._elems_to_objs(self._get_elements(payload=payload))

    def _elem_to_obj(self, elem: Any) -> tuple[str, str]:
        found = elem.find(f".//{{{TNS}}}ItemId")
        return str(self.change_types_map[elem.tag]), str(found.get("Id"))


class Items(GetItem):  # type: ignore[misc]
    """GetItem: elements and errors in the order of what was asked for."""

    CHUNK_SIZE = 1000  # the caller cuts its batches

    def _elem_to_obj(self, elem: Any) -> Any:
        return elem


def item_ids(ids: Sequence[str]) -> list[ItemId]:
    """Ids without change keys: whatever version is there."""
    return [ItemId(id=one) for one in ids]


def text(element: Any, *names: str) -> str:
    """The text of an element below, by its path; empty where there is none."""
    found = element.find("/".join(f"{{{TNS}}}{name}" for name in names))
    return "" if found is None else (found.text or "")


def size_of(element: Any) -> int:
    """Octets of a message, by Exchange's own count; 0 where it does not say."""
    size = text(element, "Size")
    return int(size) if size.isdecimal() else 0


def moment(value: str) -> datetime | None:
    """A date-time of XML Schema, aware; one without a zone is UTC, which each request asks for."""
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
