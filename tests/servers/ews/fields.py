"""The names and order of the properties of items, and which of them each response shape holds.

Order: types.xsd of Exchange 2016. What AllProperties holds besides, and what Default holds of meetings and
tasks, is chosen here: clients of ours name the properties they need.
"""

from enum import Enum

_ITEM = """
MimeContent ItemId ParentFolderId ItemClass Subject Sensitivity Body Attachments DateTimeReceived Size
Categories Importance InReplyTo IsSubmitted IsDraft IsFromMe IsResend IsUnmodified
InternetMessageHeaders DateTimeSent DateTimeCreated ResponseObjects ReminderDueBy ReminderIsSet
ReminderNextTime ReminderMinutesBeforeStart DisplayCc DisplayTo HasAttachments ExtendedProperty Culture
EffectiveRights LastModifiedName LastModifiedTime IsAssociated WebClientReadFormQueryString
WebClientEditFormQueryString ConversationId UniqueBody Flag StoreEntryId InstanceKey NormalizedBody
EntityExtractionResult PolicyTag ArchiveTag RetentionDate Preview RightsManagementLicenseData
PredictedActionReasons IsClutter NextPredictedAction GroupingAction BlockStatus HasBlockedImages
TextBody IconIndex MimeContentUTF8 SearchKey SortKey Hashtags Mentions MentionedMe
PendingSocialActivityTagIds
""".split()

_CALENDAR = """
UID RecurrenceId DateTimeStamp Start End OriginalStart IsAllDayEvent LegacyFreeBusyStatus Location When
IsMeeting IsCancelled IsRecurring MeetingRequestWasSent IsResponseRequested CalendarItemType
MyResponseType Organizer RequiredAttendees OptionalAttendees Resources ConflictingMeetingCount
AdjacentMeetingCount ConflictingMeetings AdjacentMeetings Duration TimeZone AppointmentReplyTime
AppointmentSequenceNumber AppointmentState Recurrence FirstOccurrence LastOccurrence ModifiedOccurrences
DeletedOccurrences MeetingTimeZone StartTimeZone EndTimeZone ConferenceType AllowNewTimeProposal
IsOnlineMeeting MeetingWorkspaceUrl NetShowUrl EnhancedLocation StartWallClock EndWallClock
StartTimeZoneId EndTimeZoneId IntendedFreeBusyStatus JoinOnlineMeetingUrl OnlineMeetingSettings
IsOrganizer InboxReminders
""".split()

_MESSAGE = """
Sender ToRecipients CcRecipients BccRecipients IsReadReceiptRequested IsDeliveryReceiptRequested
ConversationIndex ConversationTopic From InternetMessageId IsRead IsResponseRequested References ReplyTo
ReceivedBy ReceivedRepresenting ApprovalRequestData VotingInformation ReminderMessageData
""".split()

_TASK = """
ActualWork AssignedTime BillingInformation ChangeCount Companies CompleteDate Contacts DelegationState
Delegator DueDate IsAssignmentEditable IsComplete IsRecurring IsTeamTask Mileage Owner PercentComplete
Recurrence StartDate Status StatusDescription TotalWork
""".split()

_MEETING = """
AssociatedCalendarItemId IsDelegated IsOutOfDate HasBeenProcessed ResponseType UID RecurrenceId
DateTimeStamp IsOrganizer
""".split()

_REQUEST = """
MeetingRequestType IntendedFreeBusyStatus Start End OriginalStart IsAllDayEvent LegacyFreeBusyStatus
Location When IsMeeting IsCancelled IsRecurring MeetingRequestWasSent CalendarItemType MyResponseType
Organizer RequiredAttendees OptionalAttendees Resources ConflictingMeetingCount AdjacentMeetingCount
ConflictingMeetings AdjacentMeetings Duration TimeZone AppointmentReplyTime AppointmentSequenceNumber
AppointmentState Recurrence FirstOccurrence LastOccurrence ModifiedOccurrences DeletedOccurrences
MeetingTimeZone StartTimeZone EndTimeZone ConferenceType AllowNewTimeProposal IsOnlineMeeting
MeetingWorkspaceUrl NetShowUrl EnhancedLocation ChangeHighlights StartWallClock EndWallClock
StartTimeZoneId EndTimeZoneId
""".split()

_RESPONSE = (
    "Start End Location Recurrence CalendarItemType ProposedStart ProposedEnd EnhancedLocation".split()
)
_CANCELLATION = "Start End Location Recurrence CalendarItemType EnhancedLocation".split()


class Kind(Enum):
    """What an item is; the value is its element's name."""

    ITEM = "Item"
    MESSAGE = "Message"
    CALENDAR = "CalendarItem"
    TASK = "Task"
    CONTACT = "Contact"
    REQUEST = "MeetingRequest"
    RESPONSE = "MeetingResponse"
    CANCELLATION = "MeetingCancellation"

    @property
    def is_mail(self) -> bool:
        """Whether it lies in mail folders and can be read or unread."""
        return self in _MAIL


_MAIL = {Kind.MESSAGE, Kind.REQUEST, Kind.RESPONSE, Kind.CANCELLATION}

ORDER: dict[Kind, tuple[str, ...]] = {
    Kind.ITEM: tuple(_ITEM),
    Kind.MESSAGE: (*_ITEM, *_MESSAGE),
    Kind.CALENDAR: (*_ITEM, *_CALENDAR),
    Kind.TASK: (*_ITEM, *_TASK),
    Kind.CONTACT: tuple(_ITEM),
    Kind.REQUEST: (*_ITEM, *_MESSAGE, *_MEETING, *_REQUEST),
    Kind.RESPONSE: (*_ITEM, *_MESSAGE, *_MEETING, *_RESPONSE),
    Kind.CANCELLATION: (*_ITEM, *_MESSAGE, *_MEETING, *_CANCELLATION),
}

ITEM_CLASS = {
    Kind.ITEM: "IPM.Note",
    Kind.MESSAGE: "IPM.Note",
    Kind.CALENDAR: "IPM.Appointment",
    Kind.TASK: "IPM.Task",
    Kind.CONTACT: "IPM.Contact",
    Kind.REQUEST: "IPM.Schedule.Meeting.Request",
    Kind.RESPONSE: "IPM.Schedule.Meeting.Resp.Pos",
    Kind.CANCELLATION: "IPM.Schedule.Meeting.Canceled",
}

_COMMON_DEFAULT = {
    "ItemId",
    "Subject",
    "Sensitivity",
    "Body",
    "Attachments",
    "HasAttachments",
    "ResponseObjects",
}
_MAIL_DEFAULT = _COMMON_DEFAULT | {
    "Size", "DateTimeSent", "DateTimeCreated", "ToRecipients", "CcRecipients", "BccRecipients", "From",
    "IsReadReceiptRequested", "IsDeliveryReceiptRequested", "IsRead", "ReplyTo", "ConversationId",
}  # fmt: skip
_CALENDAR_DEFAULT = _COMMON_DEFAULT | {
    "Start", "End", "OriginalStart", "LegacyFreeBusyStatus", "Location", "IsMeeting", "IsRecurring",
    "CalendarItemType", "MyResponseType", "Organizer", "RequiredAttendees", "OptionalAttendees", "Resources",
    "Recurrence", "FirstOccurrence", "LastOccurrence", "ModifiedOccurrences", "DeletedOccurrences",
    "IsAllDayEvent", "UID",
}  # fmt: skip
_TASK_DEFAULT = _COMMON_DEFAULT | {
    "DueDate", "StartDate", "Status", "PercentComplete", "Owner", "Recurrence", "TotalWork",
}  # fmt: skip

DEFAULT_SHAPE: dict[Kind, set[str]] = {
    Kind.ITEM: _COMMON_DEFAULT,
    Kind.MESSAGE: _MAIL_DEFAULT,
    Kind.CALENDAR: _CALENDAR_DEFAULT,
    Kind.TASK: _TASK_DEFAULT,
    Kind.CONTACT: _COMMON_DEFAULT,
    Kind.REQUEST: _MAIL_DEFAULT | _CALENDAR_DEFAULT | {"AssociatedCalendarItemId", "MeetingRequestType"},
    Kind.RESPONSE: _MAIL_DEFAULT | {"AssociatedCalendarItemId", "ResponseType"},
    Kind.CANCELLATION: _MAIL_DEFAULT | {"AssociatedCalendarItemId"},
}

# Returned only where a request names them: MimeContent by IncludeMimeContent, the rest by their path.
NOT_IN_ALL = {
    "MimeContent", "MimeContentUTF8", "ExtendedProperty", "UniqueBody", "NormalizedBody",
    "TextBody", "Preview",
    "StartWallClock", "EndWallClock", "StartTimeZoneId", "EndTimeZoneId", "StoreEntryId", "InstanceKey",
}  # fmt: skip

# FindItem answers from a table of the folder: no bodies, recipients, attachments or computed series
# (FindItem operation; "Email properties and elements in EWS"). The pages do not say whether naming
# one is refused; bodies are refused here, the others are left out, so that no client can rely on them.
NOT_FOUND = {
    "Attachments", "ToRecipients", "CcRecipients", "BccRecipients", "ReplyTo", "InternetMessageHeaders",
    "RequiredAttendees", "OptionalAttendees", "Resources", "Recurrence", "FirstOccurrence", "LastOccurrence",
    "ModifiedOccurrences", "DeletedOccurrences", "MeetingTimeZone", "StartTimeZone", "EndTimeZone",
    "ConflictingMeetings", "AdjacentMeetings", "ResponseObjects", "OnlineMeetingSettings",
}  # fmt: skip
REFUSED_IN_FIND = {"Body", "MimeContent", "MimeContentUTF8", "TextBody", "UniqueBody", "NormalizedBody"}

# Kept by the server: a client that sets one gets ErrorInvalidPropertySet (UpdateItem) where it is named.
READ_ONLY = {
    "ItemId", "ParentFolderId", "Size", "DateTimeReceived", "DateTimeSent", "DateTimeCreated",
    "LastModifiedName",
    "LastModifiedTime", "IsSubmitted", "IsDraft", "IsFromMe", "IsResend", "IsUnmodified",
    "HasAttachments",
    "DisplayCc", "DisplayTo", "ConversationId", "ResponseObjects", "EffectiveRights", "IsMeeting",
    "IsCancelled", "IsRecurring", "MeetingRequestWasSent", "CalendarItemType", "MyResponseType", "Organizer",
    "FirstOccurrence", "LastOccurrence", "ModifiedOccurrences", "DeletedOccurrences", "OriginalStart",
    "AppointmentReplyTime", "AppointmentSequenceNumber", "AppointmentState", "IsOnlineMeeting", "IsOrganizer",
    "JoinOnlineMeetingUrl", "OnlineMeetingSettings", "Duration", "TimeZone", "When",
    "ConflictingMeetingCount",
    "AdjacentMeetingCount", "RecurrenceId", "DateTimeStamp", "IsComplete", "ChangeCount", "AssignedTime",
    "DelegationState", "Delegator", "Owner", "IsTeamTask", "IsAssignmentEditable", "StatusDescription",
}  # fmt: skip


def field_name(uri: str) -> str:
    """The element that a FieldURI names: `calendar:Start` is Start."""
    return uri.partition(":")[2]
