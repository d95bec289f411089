"""The EWS test server behaves as Microsoft documents: items, change keys, synchronization."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from exchangelib import (
    Account,
    CalendarItem,
    EWSDate,
    EWSDateTime,
    EWSTimeZone,
    ExtendedProperty,
    Message,
    Task,
)
from exchangelib.errors import (
    ErrorCalendarEndDateIsEarlierThanStartDate,
    ErrorInvalidSyncStateData,
    ErrorIrresolvableConflict,
    ErrorItemNotFound,
)
from exchangelib.services import SyncFolderItems

from tests.servers.ews import schema
from tests.servers.ews.exchange_client import account, post, trusting
from tests.servers.ews.mapi import global_object_id
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer

ADDRESS = "claire@acme.example"
PARIS = EWSTimeZone("Europe/Paris")
NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
TEN = datetime(2026, 5, 4, 10, tzinfo=UTC)


class Token(ExtendedProperty):  # type: ignore[misc]
    """An extended property of a property set of our own."""

    property_set_id = "0b5fc11a-4f3e-4d5c-8f0f-7c8f5c2a9d01"
    property_name = "Token"
    property_type = "String"


class GlobalId(ExtendedProperty):  # type: ignore[misc]
    """PidLidGlobalObjectId: how an event is found by its UID."""

    distinguished_property_set_id = "Meeting"
    property_id = 3
    property_type = "Binary"


CalendarItem.register("token", Token)
CalendarItem.register("global_id", GlobalId)


@pytest.fixture
def claire(ews: EwsServer) -> Iterator[Account]:
    """exchangelib's account of a mailbox."""
    password = ews.add_mailbox(ADDRESS, "Claire Dupont")
    with trusting(ews.ca_file):
        opened = account(ews, ADDRESS, password)
        yield opened
        opened.protocol.close()


@pytest.fixture
def other(ews: EwsServer, claire: Account) -> OtherClient:
    """Another client of the same mailbox."""
    return OtherClient(ews, ADDRESS)


def event(of: Account, subject: str = "Visit", **fields: object) -> CalendarItem:
    start = EWSDateTime(2026, 5, 4, 9, tzinfo=PARIS)
    end = EWSDateTime(2026, 5, 4, 10, tzinfo=PARIS)
    return CalendarItem(account=of, folder=of.calendar, subject=subject, start=start, end=end, **fields)


def test_messages_are_checked_against_microsofts_schema(ews: EwsServer, claire: Account) -> None:
    reason = schema.why_not()
    if reason is not None:
        pytest.skip(reason)
    event(claire).save()
    assert ews.check.checked > 2
    assert ews.check.problems == []


def test_what_is_created_is_found_again_with_its_fields(claire: Account) -> None:
    event(claire, body="notes", categories=["a", "b"], token="t-1", is_all_day=False).save()

    [found] = claire.calendar.all()

    assert (found.subject, found.body, found.categories, found.token) == ("Visit", "notes", ["a", "b"], "t-1")
    assert found.start == datetime(2026, 5, 4, 7, tzinfo=UTC)
    assert found.type == "Single"
    assert found.uid


def test_an_item_is_found_by_its_extended_property(claire: Account) -> None:
    event(claire, "one", token="t-1").save()
    event(claire, "two", token="t-2").save()
    assert [item.subject for item in claire.calendar.filter(token="t-2")] == ["two"]
    assert list(claire.calendar.filter(token="t-3")) == []


def test_a_change_key_that_is_not_the_current_one_refuses_a_conditional_update(
    claire: Account, other: OtherClient
) -> None:
    mine = event(claire)
    mine.save()
    other.edit(mine.id, Location="Room 1")
    mine.subject = "Changed here"

    with pytest.raises(ErrorIrresolvableConflict):
        mine.save(update_fields=["subject"], conflict_resolution="NeverOverwrite")

    [kept] = other.events()
    assert (kept.text("Subject"), kept.text("Location")) == ("Visit", "Room 1")


def test_always_overwrite_takes_an_old_change_key(claire: Account, other: OtherClient) -> None:
    mine = event(claire)
    mine.save()
    other.edit(mine.id, Subject="Changed there")
    mine.subject = "Changed here"
    mine.save(update_fields=["subject"], conflict_resolution="AlwaysOverwrite")
    assert other.events()[0].text("Subject") == "Changed here"


def test_resolving_by_itself_overwrites_but_keeps_the_stricter_sensitivity(
    claire: Account, other: OtherClient
) -> None:
    mine = event(claire)
    mine.save()
    other.edit(mine.id, Subject="Changed there", Sensitivity="Confidential")
    mine.subject, mine.sensitivity = "Changed here", "Personal"
    mine.save(update_fields=["subject", "sensitivity"], conflict_resolution="AutoResolve")
    [kept] = other.events()
    assert (kept.text("Subject"), kept.text("Sensitivity")) == ("Changed here", "Confidential")


@pytest.mark.parametrize(
    ("resolution", "code"),
    [
        ("NeverOverwrite", "ErrorChangeKeyRequiredForWriteOperations"),
        ("AutoResolve", "ErrorChangeKeyRequiredForWriteOperations"),
        ("AlwaysOverwrite", "NoError"),
    ],
)
def test_only_overwriting_needs_no_change_key(
    ews: EwsServer, claire: Account, other: OtherClient, resolution: str, code: str
) -> None:
    one = other.add_event("Visit", NINE, TEN)
    item = "<t:CalendarItem><t:Subject>Changed</t:Subject></t:CalendarItem>"
    update = f'<t:SetItemField><t:FieldURI FieldURI="item:Subject"/>{item}</t:SetItemField>'
    change = f'<t:ItemChange><t:ItemId Id="{one}"/><t:Updates>{update}</t:Updates></t:ItemChange>'
    attributes = f'ConflictResolution="{resolution}" SendMeetingInvitationsOrCancellations="SendToNone"'
    body = f"<m:UpdateItem {attributes}><m:ItemChanges>{change}</m:ItemChanges></m:UpdateItem>"
    answer = post(ews, (ADDRESS, ews.logins.passwords[ADDRESS]), body)
    assert f">{code}<" in answer.text


def test_one_refused_property_leaves_the_item_as_it_was(
    ews: EwsServer, claire: Account, other: OtherClient
) -> None:
    mine = event(claire)
    mine.save()
    mine.location = "Room 1"
    mine.start, mine.end = mine.end, mine.start
    with pytest.raises(ErrorCalendarEndDateIsEarlierThanStartDate):
        claire.bulk_update([(mine, ["location", "start", "end"])], conflict_resolution="NeverOverwrite")
    [kept] = other.events()
    assert (kept.text("Location"), kept.start) == ("", datetime(2026, 5, 4, 7, tzinfo=UTC))


def test_each_change_is_synchronized_once(claire: Account, other: OtherClient) -> None:
    first, second = (other.add_event(name, NINE, TEN) for name in ("one", "two"))
    changes, state = sync(claire.calendar)
    assert changes == [("create", "one"), ("create", "two")]

    other.edit(first, Subject="uno")
    other.delete(second)
    third = other.add_event("three", NINE, TEN)
    other.edit(third, Subject="tre")
    gone = other.add_event("gone", NINE, TEN)
    other.delete(gone)
    changes, state = sync(claire.calendar, state)

    assert changes == [("update", "uno"), ("delete", second), ("create", "tre")]
    assert sync(claire.calendar, state)[0] == []


def test_read_and_unread_is_told_as_such(claire: Account, other: OtherClient) -> None:
    mail = other.add_mail(b"Subject: hi\r\n\r\nbody\r\n")
    changes, state = sync(claire.inbox)
    assert changes == [("create", "hi")]
    other.edit(mail, IsRead="true")
    assert sync(claire.inbox, state)[0] == [("read_flag_change", mail)]


def test_a_page_of_changes_has_at_most_512(ews: EwsServer, claire: Account, other: OtherClient) -> None:
    other.add_mails([b"Subject: %d\r\n\r\n" % number for number in range(1100)])
    service = SyncFolderItems(account=claire)
    sizes, state = [], None
    while not service.includes_last_item_in_range:
        page = list(
            service.call(
                folder=claire.inbox,
                shape="IdOnly",
                additional_fields=None,
                sync_state=state,
                ignore=None,
                max_changes_returned=512,
                sync_scope=None,
            )
        )
        state = service.sync_state
        sizes.append(len(page))
    assert sizes == [512, 512, 76]


def test_an_expired_sync_state_is_refused(ews: EwsServer, claire: Account, other: OtherClient) -> None:
    other.add_event("one", NINE, TEN)
    _, state = sync(claire.calendar)
    ews.expire_sync_states()
    with pytest.raises(ErrorInvalidSyncStateData):
        sync(claire.calendar, state)


def test_a_moved_item_has_a_new_id(claire: Account, other: OtherClient) -> None:
    old = other.add_mail(b"Subject: hi\r\n\r\n")
    [message] = claire.inbox.all()
    message.move(claire.junk)
    assert message.id != old
    assert [target.kind.value for target in other.items("junkemail")] == ["Message"]
    with pytest.raises(ErrorItemNotFound):
        claire.inbox.get(id=old, changekey=None)


def test_the_bytes_of_a_message_are_kept(claire: Account, other: OtherClient) -> None:
    mime = b"From: Bob <bob@else.example>\nTo: x@y.example\r\nSubject: =?utf-8?q?=C3=A9t=C3=A9?=\n\n\xff\n"
    other.add_mail(mime)
    [found] = claire.inbox.all()
    assert found.mime_content == mime
    assert found.subject == "été"
    assert found.sender.email_address == "bob@else.example"
    assert found.to_recipients[0].email_address == "x@y.example"


def test_a_task_that_is_completed_says_when(claire: Account) -> None:
    task = Task(account=claire, folder=claire.tasks, subject="Call", due_date=EWSDate(2026, 5, 5))
    task.save()
    task.status = "Completed"
    task.save(update_fields=["status"])
    task.refresh()
    assert task.is_complete
    assert task.percent_complete == 100
    assert task.complete_date is not None


def test_a_message_is_created_in_the_folder_that_is_named(claire: Account, other: OtherClient) -> None:
    Message(account=claire, folder=claire.drafts, subject="draft", to_recipients=["x@y.example"]).save()
    [draft] = other.items("drafts")
    assert draft.text("Subject") == "draft"


def test_folders_names_and_zones_can_be_asked(claire: Account) -> None:
    names = {folder.name for folder in claire.msg_folder_root.children}
    assert {"Calendar", "Tasks", "Inbox", "Sent Items"} <= names
    assert [box.email_address for box in claire.protocol.resolve_names(["claire"])] == [ADDRESS]
    zones = {zone.id for zone in claire.protocol.get_timezones(return_full_timezone_data=True)}
    assert {"Romance Standard Time", "UTC", "Tokyo Standard Time"} <= zones


def test_an_invalid_request_is_refused_and_kept_for_the_end(ews: EwsServer, claire: Account) -> None:
    if schema.why_not() is not None:
        pytest.skip("no schema")
    password = ews.logins.passwords[ADDRESS]
    answer = post(ews, (ADDRESS, password), "<m:GetItem><m:ItemIds/></m:GetItem>")
    assert answer.status_code == 500
    assert "ErrorSchemaValidation" in answer.text
    with pytest.raises(AssertionError, match="ItemIds"):
        ews.verify()
    assert len(ews.check.forgive()) == 1


def test_a_wrong_password_gives_401(ews: EwsServer, claire: Account) -> None:
    answer = post(ews, (ADDRESS, "wrong"), "<m:GetServerTimeZones/>")
    assert answer.status_code == 401
    assert ews.logins.refused == [ADDRESS]


def sync(folder: object, state: str | None = None) -> tuple[list[tuple[str, str]], str]:
    """The changes since a state, with the subject (or the id, where that is all), and the new state."""
    changes = []
    for kind, item in folder.sync_items(sync_state=state, only_fields=["subject"]):  # type: ignore[attr-defined]
        value = item[0].id if kind == "read_flag_change" else item.id if kind == "delete" else item.subject
        changes.append((kind, value))
    return changes, folder.item_sync_state  # type: ignore[attr-defined]


EVENT = (
    '<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem><t:Subject>Fair</t:Subject>'
    "<t:Start>2026-05-04T{start}</t:Start><t:End>2026-05-04T{end}</t:End>"
    "<t:IsAllDayEvent>{all_day}</t:IsAllDayEvent></t:CalendarItem></m:Items></m:CreateItem>"
)
CONTEXT = '<t:TimeZoneContext><t:TimeZoneDefinition Id="Romance Standard Time"/></t:TimeZoneContext>'


def test_times_without_an_offset_are_of_the_zone_in_the_header(
    ews: EwsServer, claire: Account, other: OtherClient
) -> None:
    login = (ADDRESS, ews.logins.passwords[ADDRESS])
    body = EVENT.format(start="09:00:00.5", end="10:00:00", all_day="false")
    assert post(ews, login, body, CONTEXT).status_code == 200
    [target] = other.events()
    assert target.start == datetime(2026, 5, 4, 7, tzinfo=UTC)
    assert target.text("Start") == "2026-05-04T07:00:00Z"
    assert target.text("StartTimeZoneId") == "Romance Standard Time"


def test_an_all_day_event_reaches_from_midnight_to_midnight_of_its_zone(
    ews: EwsServer, claire: Account, other: OtherClient
) -> None:
    login = (ADDRESS, ews.logins.passwords[ADDRESS])
    body = EVENT.format(start="09:00:00", end="10:00:00", all_day="true")
    assert post(ews, login, body, CONTEXT).status_code == 200
    [target] = other.events()
    assert target.start == datetime(2026, 5, 3, 22, tzinfo=UTC)
    assert target.end == datetime(2026, 5, 4, 22, tzinfo=UTC)


SHAPE = "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>{more}</m:ItemShape>"
CALENDAR = '<m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds>'
FIND = f'<m:FindItem Traversal="Shallow">{SHAPE}{{restriction}}{CALENDAR}</m:FindItem>'
BY_UID = (
    '<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="calendar:UID"/><t:FieldURIOrConstant>'
    '<t:Constant Value="x"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>'
)
BODY = '<t:AdditionalProperties><t:FieldURI FieldURI="item:Body"/></t:AdditionalProperties>'
UNKNOWN = f'<m:GetItem>{SHAPE.format(more="")}<m:ItemIds><t:ItemId Id="AAMk"/></m:ItemIds></m:GetItem>'
UNSAID = EVENT.replace(' SendMeetingInvitations="SendToNone"', "")
BACKWARDS = EVENT.format(start="11:00:00", end="10:00:00", all_day="false")
REFUSED = {
    "ErrorCalendarEndDateIsEarlierThanStartDate": BACKWARDS,
    "ErrorSendMeetingInvitationsRequired": UNSAID.format(start="09:00:00", end="10:00:00", all_day="0"),
    "ErrorInvalidIdMalformed": UNKNOWN,
    "ErrorUnsupportedPathForQuery": FIND.format(more="", restriction=BY_UID),
    "ErrorInvalidPropertyRequest": FIND.format(more=BODY, restriction=""),
}


@pytest.mark.parametrize(("code", "body"), REFUSED.items(), ids=REFUSED)
def test_what_exchange_refuses_is_refused(
    ews: EwsServer, claire: Account, other: OtherClient, body: str, code: str
) -> None:
    other.add_event("there", NINE, TEN)
    answer = post(ews, (ADDRESS, ews.logins.passwords[ADDRESS]), body)
    assert answer.status_code == 200
    assert 'ResponseClass="Error"' in answer.text
    assert code in answer.text
    assert len(other.events()) == 1


def test_an_event_is_found_by_its_global_object_id(claire: Account, other: OtherClient) -> None:
    other.add_event("mine", NINE, TEN, UID="abc@crm.example")
    other.add_event("yours", NINE, TEN)
    wanted = global_object_id("abc@crm.example")
    assert [item.subject for item in claire.calendar.filter(global_id=wanted)] == ["mine"]


def test_a_listing_tells_the_first_255_characters_of_a_text(claire: Account, other: OtherClient) -> None:
    event(claire, token="x" * 300).save()
    asked = list(claire.calendar.sync_items(only_fields=["token"]))
    assert [len(item.token) for _, item in asked] == [255]
    [whole] = claire.calendar.all()
    assert len(whole.token) == 300
