"""What an Exchange server makes of what it is sent, as far as reading it back needs."""

from xml.etree.ElementTree import Element

from connectors.calendar import Kind
from connectors.ews.calendar import composing
from connectors.ews.calendar.native import Native
from connectors.ews.calendar.parsing import native_of
from connectors.ews.calendar.xml import T, t

OWNER = "claire@acme.example"


def stored(native: Native) -> Native:
    """The item as the server gives it back when it was made new."""
    return native_of(served(composing.new(native), native))


def served(element: Element, native: Native) -> Element:
    """With what the server adds: who organizes, who answered nothing yet, what kind of item it is."""
    if native.kind is Kind.TASK:
        if native.status == "Completed" and element.find(f"{T}CompleteDate") is None:
            element.append(t("CompleteDate", "2026-11-22T00:00:00Z"))
        return element
    guests = element.findall(f"{T}RequiredAttendees/{T}Attendee")
    for guest in guests:
        guest.append(t("ResponseType", "Unknown"))
    element.append(t("IsMeeting", "true" if guests else "false"))
    element.append(t("CalendarItemType", native.type))
    element.append(t("Organizer", None, t("Mailbox", None, t("EmailAddress", OWNER))))
    element.append(t("MyResponseType", "Organizer"))
    return element
