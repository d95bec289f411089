"""Meetings: what is mailed to attendees and organizers, and what it changes in mailboxes of this server."""

from xml.etree.ElementTree import Element

from tests.servers.ews.counts import Sent, SentMail
from tests.servers.ews.errors import EwsError
from tests.servers.ews.model import Item
from tests.servers.ews.occasions import ATTENDEES, is_organizer
from tests.servers.ews.requests import Request
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import children, stamp, t, text_of

RESPONSES = {"AcceptItem", "TentativelyAcceptItem", "DeclineItem", "CancelCalendarItem"}


def addresses(target: Target) -> list[str]:
    """The addresses of all attendees, in small letters, each once."""
    found = []
    for name in ATTENDEES:
        found += [
            text_of(attendee.find(t("Mailbox")), "EmailAddress").lower()
            for attendee in children(target.field(name))
        ]
    return list(dict.fromkeys(address for address in found if address))


def created(request: Request, item: Item, mode: str) -> None:
    """A calendar item was made: SendMeetingInvitations says whether its attendees are told."""
    if mode != "SendToNone":
        for address in addresses(Target(item)):
            _mail(request, "request", Target(item), address)
        if addresses(Target(item)):
            item.put("MeetingRequestWasSent", "true")


def updated(request: Request, target: Target, mode: str, before: list[str]) -> None:
    """A calendar item was changed; `before` are the attendees it had."""
    if mode == "SendToNone" or not is_organizer(target.item):
        return
    now = addresses(target)
    added = [address for address in now if address not in before]
    removed = [address for address in before if address not in now]
    for address in removed:
        _mail(request, "cancellation", target, address)
    for address in now:
        if address in added:
            _mail(request, "request", target, address)
        elif "Changed" not in mode:
            _mail(request, "update", target, address)
    if now:
        target.item.put("MeetingRequestWasSent", "true")


def deleted(request: Request, target: Target, mode: str) -> None:
    """A calendar item is about to be deleted."""
    if mode != "SendToNone" and is_organizer(target.item):
        for address in addresses(target):
            _mail(request, "cancellation", target, address)


def respond(request: Request, source: Element) -> list[Target]:
    """AcceptItem, TentativelyAcceptItem, DeclineItem, CancelCalendarItem."""
    raise EwsError("ErrorInvalidItemForOperationAcceptItem", "Not yet.")


def send_message(request: Request, item: Item, *, keep: bool) -> None:
    """An ordinary message goes out."""


def _mail(request: Request, kind: Sent, target: Target, address: str) -> None:
    occurrence = "" if target.original is None else stamp(target.original)
    request.counts.mailed(
        SentMail(
            kind=kind,
            sender=target.item.folder.mailbox.address,
            recipient=address,
            subject=target.text("Subject"),
            uid=target.text("UID"),
            occurrence=occurrence,
        )
    )
