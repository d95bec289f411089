"""UpdateItem: changes to named properties, under a change key."""

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from tests.servers.ews import meetings, occasions, writing
from tests.servers.ews.answers import failure, success
from tests.servers.ews.errors import EwsError
from tests.servers.ews.fields import READ_ONLY, Kind, field_name
from tests.servers.ews.model import Change, ExtendedPath, Item, Series
from tests.servers.ews.requests import Request
from tests.servers.ews.shapes import Shape, render
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import children, local, m, make, t, typed

_STRICTNESS = ("Normal", "Personal", "Private", "Confidential")


@dataclass(frozen=True, slots=True)
class Kept:
    """What an item was, to be put back where one of several changes is refused."""

    item: Item
    fields: dict[str, Element]
    extended: dict[ExtendedPath, Element]
    mime: bytes | None
    is_read: bool
    series: Series | None

    @classmethod
    def of(cls, item: Item) -> "Kept":
        series = item.series
        copied = None
        if series is not None:
            changed = {
                when: Change(when, dict(c.fields), dict(c.extended), set(c.deleted_fields), c.modified)
                for when, c in series.changed.items()
            }
            copied = Series(changed, set(series.deleted))
        return cls(item, dict(item.fields), dict(item.extended), item.mime, item.is_read, copied)

    def restore(self) -> None:
        item = self.item
        item.fields, item.extended = self.fields, self.extended
        item.mime, item.is_read, item.series = self.mime, self.is_read, self.series


def update_item(request: Request) -> list[Element]:
    """UpdateItem operation."""
    found = []
    for change in children(request.body.find(m("ItemChanges"))):
        conflicts = make(m("ConflictResults"), [typed("Count", "0")])
        try:
            target, count = _update(request, change)
            shown = render(request.store, request.caller, target, Shape())
            conflicts[0].text = str(count)
            found.append(success("UpdateItem", [make(m("Items"), [shown]), conflicts]))
        except EwsError as error:
            found.append(failure("UpdateItem", error, [make(m("Items")), conflicts]))
    return found


def _update(request: Request, change: Element) -> tuple[Target, int]:
    reference = change[0]
    target = request.target(reference, "write")
    updates = children(change.find(t("Updates")))
    mode = request.attribute("SendMeetingInvitationsOrCancellations")
    if target.kind is Kind.CALENDAR and not mode:
        text = "SendMeetingInvitationsOrCancellations is required."
        raise EwsError("ErrorSendMeetingInvitationsOrCancellationsRequired", text)
    if target.kind.is_mail and not request.attribute("MessageDisposition"):
        raise EwsError("ErrorMessageDispositionRequired", "MessageDisposition is required for messages.")
    updates, count = _resolve(request, target, reference.get("ChangeKey", ""), updates)
    kept = Kept.of(target.item)
    invited = meetings.addresses(target)
    try:
        names = set[str]().union(*(_apply(request, target, update) for update in updates))
        _settle(target, kept, names)
    except EwsError:
        kept.restore()
        raise
    if target.change is not None:
        target.change.modified = request.store.now()
    request.store.changed(target.item, request.caller.name, names, only_read=names <= {"IsRead"})
    if target.kind is Kind.CALENDAR:
        moved = bool(
            names & {"Start", "End", "Recurrence", "IsAllDayEvent", "StartTimeZone", "MeetingTimeZone"}
        )
        meetings.updated(request, target, mode, invited, moved=moved)
    elif target.kind is Kind.MESSAGE and request.attribute("MessageDisposition").startswith("Send"):
        meetings.send_message(request, target.item, keep=True)
    return target, count


def _resolve(request: Request, target: Target, key: str, updates: list[Element]) -> tuple[list[Element], int]:
    """What of the updates is done, and how many conflicted, as ConflictResolution says ([MS-OXWSCORE]
    3.1.4.9.4.1). Without a change key only AlwaysOverwrite is taken (ItemId: "required if AutoResolve")."""
    resolution = request.attribute("ConflictResolution")
    if not key:
        if resolution == "AlwaysOverwrite":
            return updates, 0
        text = "Change key is required for this operation."
        raise EwsError("ErrorChangeKeyRequiredForWriteOperations", text)
    version = request.store.read_change_key(key)
    if version == target.item.version:
        return updates, 0
    if resolution == "NeverOverwrite":
        text = "The send or update operation could not be performed because the change key passed in the "
        raise EwsError("ErrorIrresolvableConflict", text + "request does not match the current change key.")
    contested = [u for u in updates if target.item.field_versions.get(_path(u), 0) > version]
    if resolution == "AutoResolve":
        # "will in most cases overwrite ... Confidential is retained": the stricter Sensitivity stays.
        updates = [u for u in updates if not (u in contested and _weakens(target, u))]
    return updates, len(contested)


def _weakens(target: Target, update: Element) -> bool:
    if _path(update) != "Sensitivity" or local(update) != "SetItemField":
        return False
    wanted = "".join(update[1].itertext()).strip()
    return _STRICTNESS.index(wanted) < _STRICTNESS.index(target.text("Sensitivity", "Normal"))


def _path(update: Element) -> str:
    uri = update[0]
    if local(uri) == "ExtendedFieldURI":
        path = ExtendedPath.of(uri)
        return f"{path.set_name}/{path.name}"
    return field_name(uri.get("FieldURI", ""))


def _apply(request: Request, target: Target, update: Element) -> set[str]:
    uri, action = update[0], local(update)
    name = _path(update)
    if name in READ_ONLY or (name == "UID" and action != "SetItemField"):
        verb = {"SetItemField": "Set", "AppendToItemField": "Append", "DeleteItemField": "Delete"}[action]
        raise EwsError(f"ErrorInvalidProperty{verb}", f"{verb} action is invalid for the property {name}.")
    if action == "DeleteItemField":
        if local(uri) == "ExtendedFieldURI":
            return writing.drop_extended(target, ExtendedPath.of(uri))
        return writing.drop(target, name)
    values = [child for child in update[1] if local(child) != "ItemId"]
    if len(values) != 1:
        text = "A field update must hold exactly one property."
        raise EwsError("ErrorIncorrectUpdatePropertyCount", text)
    value = values[0]
    if local(value) == "ExtendedProperty":
        told = value.find(t("ExtendedFieldURI"))
        same = (
            told is not None
            and local(uri) == "ExtendedFieldURI"
            and ExtendedPath.of(told) == ExtendedPath.of(uri)
        )
    else:
        same = local(value) == name
    if not same:
        raise EwsError("ErrorUpdatePropertyMismatch", f"The update of {name} holds {local(value)}.")
    if action == "AppendToItemField":
        if name not in {
            "Body",
            "ToRecipients",
            "CcRecipients",
            "BccRecipients",
            "ReplyTo",
            *occasions.ATTENDEES,
        }:
            raise EwsError("ErrorInvalidPropertyAppend", f"Append action is invalid for {name}.")
        return writing.append(target, value)
    return writing.put(request, target, value)


def _settle(target: Target, kept: Kept, names: set[str]) -> None:
    item = target.item
    if item.kind is Kind.TASK:
        writing.complete_task(item, names)
    if item.kind is not Kind.CALENDAR:
        return
    if names & {"Start", "End", "IsAllDayEvent", "Recurrence", "StartTimeZone", "MeetingTimeZone"}:
        writing.settle_times(target)
    if target.original is None and item.series is not None:
        if "Recurrence" not in item.fields:
            item.series = None
        elif writing.times_changed(item, kept.fields, names):
            # A new pattern or time drops every exception and brings deleted occurrences back, as Outlook
            # warns before it does so; the EWS pages only say that occurrences are computed anew.
            item.series = None
