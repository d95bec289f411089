"""Meetings: what is mailed to attendees and organizers. delivery.py does what arrives in mailboxes here."""

from email.utils import getaddresses
from xml.etree.ElementTree import Element

from tests.servers.ews import delivery
from tests.servers.ews.counts import Sent, SentMail
from tests.servers.ews.errors import EwsError
from tests.servers.ews.fields import Kind
from tests.servers.ews.mail import headers_of, mailbox
from tests.servers.ews.model import Change, Item, Mailbox, Series
from tests.servers.ews.occasions import ATTENDEES, is_organizer
from tests.servers.ews.requests import Request
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import children, local, stamp, t, text_of, typed

_ANSWERS = {"AcceptItem": "Accept", "TentativelyAcceptItem": "Tentative", "DeclineItem": "Decline"}
_CLASSES = {"Accept": "Pos", "Tentative": "Tent", "Decline": "Neg"}
_WORDS = {"Accept": "Accepted", "Tentative": "Tentative", "Decline": "Declined"}
_BUSY = {"Accept": "Busy", "Tentative": "Tentative", "Decline": "Free"}
RESPONSES = {*_ANSWERS, "CancelCalendarItem"}
_RECIPIENTS = ("ToRecipients", "CcRecipients", "BccRecipients")


def addresses(target: Target) -> list[str]:
    """The addresses of all attendees, in small letters, each once; the organizer's own is not among them."""
    found = [
        text_of(attendee.find(t("Mailbox")), "EmailAddress").lower()
        for name in ATTENDEES
        for attendee in children(target.field(name))
    ]
    own = target.item.folder.mailbox.address
    return list(dict.fromkeys(address for address in found if address and address != own))


def created(request: Request, item: Item, mode: str) -> None:
    """A calendar item was made: SendMeetingInvitations says whether its attendees are told."""
    if mode != "SendToNone":
        mails: dict[str, Sent] = dict.fromkeys(addresses(Target(item)), "request")
        _tell(request, Target(item), mails, mode, reset=True)


def updated(request: Request, target: Target, mode: str, before: list[str], *, moved: bool = False) -> None:
    """A calendar item was changed; `before` are the attendees it had. `moved`: they must answer again."""
    if mode == "SendToNone" or not is_organizer(target.item):
        return
    told = target.text("MeetingRequestWasSent") == "true"
    now = addresses(target)
    mails: dict[str, Sent] = {}
    for address in now:
        if address not in before or not told:
            mails[address] = "request"
        elif "Changed" not in mode:
            mails[address] = "update"
    if mails and told:
        number = int(target.item.text("AppointmentSequenceNumber", "0")) + 1
        target.item.put("AppointmentSequenceNumber", str(number))
    for address in [address for address in before if address not in now] if told else []:
        _cancel(request, target, address)
    _tell(request, target, mails, mode, reset=moved)


def deleted(request: Request, target: Target, mode: str) -> None:
    """A calendar item is about to be deleted."""
    if mode != "SendToNone" and is_organizer(target.item):
        for address in addresses(target):
            _cancel(request, target, address)


def _tell(request: Request, target: Target, mails: dict[str, Sent], mode: str, *, reset: bool) -> None:
    if not mails:
        return
    target.item.put("MeetingRequestWasSent", "true")
    subject, sent = target.text("Subject"), target.item.folder.mailbox.folder("sentitems")
    if mode.endswith("SaveCopy"):
        copy = delivery.message(
            request.store, sent, Kind.REQUEST, target, target.item, **_from(target), Subject=subject
        )
        copy.fields["ToRecipients"] = typed("ToRecipients", [mailbox("", address) for address in mails])
        copy.is_read = True
    for address, kind in mails.items():
        _mail(request, kind, target, address)
        box = request.store.mailboxes.get(address)
        if box is None:
            continue
        item = delivery.book(request.store, box, target, reset=reset)
        types = {"request": "NewMeetingRequest", "update": "FullUpdate" if reset else "InformationalUpdate"}
        delivery.message(
            request.store,
            box.folder("inbox"),
            Kind.REQUEST,
            target,
            item,
            **_from(target),
            Subject=subject,
            MeetingRequestType=types[kind],
        )


def _cancel(request: Request, target: Target, address: str) -> None:
    _mail(request, "cancellation", target, address)
    box = request.store.mailboxes.get(address)
    if box is not None:
        item = delivery.call_off(request.store, box, target)
        subject = f"Canceled: {target.text('Subject')}"
        inbox = box.folder("inbox")
        delivery.message(
            request.store, inbox, Kind.CANCELLATION, target, item, **_from(target), Subject=subject
        )


def _from(target: Target) -> dict[str, str]:
    box = target.item.folder.mailbox
    return {"sender_name": box.name, "sender": box.address}


def respond(request: Request, source: Element) -> list[Target]:
    """AcceptItem, TentativelyAcceptItem, DeclineItem and CancelCalendarItem."""
    reference = source.find(t("ReferenceItemId"))
    if reference is None:
        raise EwsError("ErrorMissingInformationReferenceItemId", "ReferenceItemId is missing.")
    target = request.target(reference, "write")
    if local(source) == "CancelCalendarItem":
        return _cancel_meeting(request, target)
    action = {"AcceptItem": "Accept", "DeclineItem": "Decline"}.get(local(source), "Tentative")
    invitation = target.item if target.kind is Kind.REQUEST else None
    if invitation is not None:
        booked = request.store.items.get(invitation.associated or 0)
        if booked is None:
            raise EwsError("ErrorItemNotFound", "The calendar item of the request is gone.")
        target = Target(booked)
    if target.kind is not Kind.CALENDAR:
        code = "Tentative" if action == "Tentative" else local(source)
        raise EwsError(f"ErrorInvalidItemForOperation{code}", "Only meetings can be answered.")
    if is_organizer(target.item):
        raise EwsError(f"ErrorCalendarIsOrganizerFor{action}", "The organizer cannot answer.")
    if target.text("IsCancelled") == "true":
        raise EwsError(f"ErrorCalendarIsCancelledFor{action}", "The meeting is cancelled.")
    return _answer(request, target, _ANSWERS[local(source)], invitation)


def _answer(request: Request, target: Target, answer: str, invitation: Item | None) -> list[Target]:
    store, item, box = request.store, target.item, target.item.folder.mailbox
    sheet: Item | Change = item
    if target.original is not None:
        item.series = item.series or Series()
        sheet = item.series.changed.setdefault(target.original, Change(target.original))
    told = {
        "MyResponseType": answer,
        "LegacyFreeBusyStatus": _BUSY[answer],
        "AppointmentReplyTime": stamp(store.now()),
    }
    sheet.fields |= {name: typed(name, value) for name, value in told.items()}
    store.changed(item, box.name, {"MyResponseType", "LegacyFreeBusyStatus"})
    if request.attribute("MessageDisposition").startswith("Send"):
        _send_answer(request, target, answer)
    bin_folder = box.folder("deleteditems")
    if invitation is not None and invitation.folder is not bin_folder:
        store.move(invitation, bin_folder, box.name)
    if answer == "Decline" and target.original is None:
        store.move(item, bin_folder, box.name)
    elif answer == "Decline" and item.series is not None and target.original is not None:
        # Microsoft's pages tell of whole items only; Outlook takes a declined occurrence out of its series.
        item.series.changed.pop(target.original)
        item.series.deleted.add(target.original)
        return [Target(item)]
    return [target]


def _send_answer(request: Request, target: Target, answer: str) -> None:
    box = target.item.folder.mailbox
    organizer = target.item.fields["Organizer"].find(t("Mailbox"))
    address = text_of(organizer, "EmailAddress").lower()
    _mail(request, "response", target, address, answer)
    home = request.store.mailboxes.get(address)
    if home is None:
        return
    item = delivery.take_answer(request.store, home, target.text("UID"), box.address, answer, target.original)
    delivery.message(
        request.store,
        home.folder("inbox"),
        Kind.RESPONSE,
        target,
        item,
        **_from(target),
        Subject=f"{_WORDS[answer]}: {target.text('Subject')}",
        ItemClass=f"IPM.Schedule.Meeting.Resp.{_CLASSES[answer]}",
        ResponseType=answer,
    )


def _cancel_meeting(request: Request, target: Target) -> list[Target]:
    if target.kind is not Kind.CALENDAR:
        raise EwsError("ErrorInvalidItemForOperationCancelItem", "Only meetings can be cancelled.")
    if not is_organizer(target.item):
        raise EwsError("ErrorCalendarIsNotOrganizer", "Only the organizer can cancel.")
    for address in addresses(target):
        _cancel(request, target, address)
    box = target.item.folder.mailbox
    request.store.move(target.item, box.folder("deleteditems"), box.name)
    return [target]


def send_message(request: Request, item: Item, *, keep: bool) -> None:
    """An ordinary message goes out, and arrives in mailboxes of this server. `keep`: a copy stays."""
    box = item.folder.mailbox
    recipients = _recipients(item)
    if not recipients:
        raise EwsError("ErrorInvalidRecipients", "At least one recipient isn't valid.")
    item.put("DateTimeSent", stamp(request.store.now()))
    item.is_draft = False
    if "From" not in item.fields and item.mime is None:
        item.fields["From"] = typed("From", [mailbox(box.name, box.address)])
        item.fields["Sender"] = typed("Sender", [mailbox(box.name, box.address)])
    for address in recipients:
        request.counts.mailed(
            SentMail("mail", box.address, address, item.text("Subject"), bytes=item.mime or b"")
        )
        home = request.store.mailboxes.get(address)
        if home is not None:
            _arrive(request, home, item)
    if not keep:
        request.store.remove(item)


def _arrive(request: Request, home: Mailbox, item: Item) -> None:
    copy = request.store.add(home.folder("inbox"), item.kind, item.folder.mailbox.name)
    copy.fields = {name: value for name, value in item.fields.items() if name != "BccRecipients"}
    copy.mime, copy.is_read = item.mime, False
    request.store.announce("NewMail", copy)


def _recipients(item: Item) -> list[str]:
    found = [text_of(box, "EmailAddress") for name in _RECIPIENTS for box in children(item.fields.get(name))]
    if item.mime is not None and not found:
        headers = headers_of(item.mime)
        values = [str(v) for name in ("To", "Cc", "Bcc") for v in headers.get_all(name, [])]
        found = [address for _, address in getaddresses(values)]
    return list(dict.fromkeys(address.lower() for address in found if address))


def _mail(request: Request, kind: Sent, target: Target, address: str, answer: str = "") -> None:
    occurrence = "" if target.original is None else stamp(target.original)
    request.counts.mailed(
        SentMail(
            kind=kind,
            sender=target.item.folder.mailbox.address,
            recipient=address,
            subject=target.text("Subject"),
            uid=target.text("UID"),
            answer=answer,
            occurrence=occurrence,
        )
    )
