"""ResolveNames, GetServerTimeZones, ConvertId and GetUserConfiguration."""

from xml.etree.ElementTree import Element

from tests.servers.ews import zones
from tests.servers.ews.answers import failure, success
from tests.servers.ews.errors import EwsError
from tests.servers.ews.model import Mailbox
from tests.servers.ews.requests import Request
from tests.servers.ews.xmlwork import XSI, boolean, children, m, make, typed, yes_no


def resolve_names(request: Request) -> list[Element]:
    """ResolveNames operation over the server's own mailboxes: by address, by the beginning of a name."""
    wanted = request.body.findtext(m("UnresolvedEntry"), "").strip().casefold()
    wanted = wanted.removeprefix("smtp:").lstrip("=")
    found = [box for box in request.store.mailboxes.values() if _fits(box, wanted)]
    if not found:
        error = EwsError("ErrorNameResolutionNoResults", "No results were found.")
        return [failure("ResolveNames", error)]
    listed = [typed("Resolution", [_mailbox(box)]) for box in found[:100]]
    attributes = {"TotalItemsInView": str(len(found)), "IncludesLastItemInRange": yes_no(len(found) <= 100)}
    content = [make(m("ResolutionSet"), listed, attributes)]
    if len(found) > 1:
        text = "Multiple results were found."
        several = EwsError("ErrorNameResolutionMultipleResults", text)
        return [failure("ResolveNames", several, content, severity="Warning")]
    return [success("ResolveNames", content)]


def _fits(box: Mailbox, wanted: str) -> bool:
    names = [box.address, box.name.casefold(), *box.name.casefold().split()]
    return any(name.startswith(wanted) for name in names)


def _mailbox(box: Mailbox) -> Element:
    return typed(
        "Mailbox",
        [
            typed("Name", box.name),
            typed("EmailAddress", box.address),
            typed("RoutingType", "SMTP"),
            typed("MailboxType", "Mailbox"),
        ],
    )


def get_time_zones(request: Request) -> list[Element]:
    """GetServerTimeZones operation."""
    wanted = [each.text or "" for each in children(request.body.find(m("Ids")))]
    full = boolean(request.attribute("ReturnFullTimeZoneData"), default=True)
    definitions = zones.all_definitions(wanted, full=full)
    return [success("GetServerTimeZones", [definitions])]


def convert_id(request: Request) -> list[Element]:
    """ConvertId operation. Ids here have one form; what clients learn is whose mailbox they are of."""
    found = []
    for source in children(request.body.find(m("SourceIds"))):
        try:
            told = source.get("Id", "")
            try:
                box = request.store.read_folder_id(told)[0]
            except EwsError:
                box = request.store.read_item_id(told)[0]
            request.need(box, "read")
            attributes = {
                f"{{{XSI}}}type": "t:AlternateIdType",
                "Format": request.attribute("DestinationFormat"),
                "Id": told,
                "Mailbox": box.address,
            }
            found.append(success("ConvertId", [make(m("AlternateId"), (), attributes)]))
        except EwsError as error:
            found.append(failure("ConvertId", error))
    return found


def get_user_configuration(request: Request) -> list[Element]:
    """GetUserConfiguration operation: of `OWA.UserOptions` the user's time zone, and nothing else."""
    named = request.body.find(m("UserConfigurationName"))
    if named is None or named.get("Name") != "OWA.UserOptions":
        error = EwsError("ErrorItemNotFound", "The user configuration was not found.")
        return [failure("GetUserConfiguration", error)]
    try:
        folder = request.folder(named[0])
    except EwsError as error:
        return [failure("GetUserConfiguration", error)]
    entry = typed(
        "DictionaryEntry",
        [
            typed("DictionaryKey", [typed("Type", "String"), typed("Value", "timezone")]),
            typed("DictionaryValue", [typed("Type", "String"), typed("Value", folder.mailbox.time_zone)]),
        ],
    )
    told = make(m("UserConfiguration"), [_name_of(named), typed("Dictionary", [entry])])
    return [success("GetUserConfiguration", [told])]


def _name_of(named: Element) -> Element:
    return typed("UserConfigurationName", list(named), Name=named.get("Name", ""))
