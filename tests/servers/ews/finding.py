"""FindItem: paged listings, searches, and the calendar view that expands series."""

from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from tests.servers.ews import occasions
from tests.servers.ews.answers import failure, success
from tests.servers.ews.errors import EwsError
from tests.servers.ews.fields import Kind
from tests.servers.ews.model import Folder
from tests.servers.ews.requests import Request
from tests.servers.ews.restrictions import ItemSearch
from tests.servers.ews.shapes import Shape, render
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import children, m, make, typed, yes_no

_PAGE = 1000  # EWSFindCountLimit of the default throttling policy


def find_item(request: Request) -> list[Element]:
    """FindItem operation. One response message for each parent folder."""
    shape = Shape.read(request.body.find(m("ItemShape")))
    found = []
    for reference in children(request.body.find(m("ParentFolderIds"))):
        try:
            found.append(success("FindItem", [_root(request, request.folder(reference), shape)]))
        except EwsError as error:
            found.append(failure("FindItem", error))
    return found


def _root(request: Request, folder: Folder, shape: Shape) -> Element:
    if request.attribute("Traversal") != "Shallow":
        raise EwsError("ErrorInvalidOperation", "Only shallow traversals are served here.")
    view = request.body.find(m("CalendarView"))
    if view is not None:
        return _calendar_view(request, folder, shape, view)
    targets = [Target(item) for item in folder.items.values()]
    search = ItemSearch(request)
    restriction = request.body.find(m("Restriction"))
    if restriction is not None:
        test = search.test(restriction[0])
        targets = [target for target in targets if test(target)]
    order = request.body.find(m("SortOrder"))
    if order is not None:
        targets = search.sort(targets, order)
    paging = request.body.find(m("IndexedPageItemView"))
    begin = 0 if paging is None else int(paging.get("Offset", "0"))
    if begin < 0:
        raise EwsError("ErrorInvalidIndexedPagingParameters", "Offset must not be negative.")
    if paging is not None and paging.get("BasePoint") == "End":
        targets = targets[::-1]
    asked = _PAGE if paging is None else int(paging.get("MaxEntriesReturned", _PAGE))
    page = targets[begin : begin + min(asked, _PAGE)]
    return _listing(request, page, shape, len(targets), begin)


def _listing(request: Request, page: list[Target], shape: Shape, total: int, begin: int) -> Element:
    shown = [render(request.store, request.caller, target, shape, finding=True) for target in page]
    attributes = {
        "IndexedPagingOffset": str(begin + len(page)),
        "TotalItemsInView": str(total),
        "IncludesLastItemInRange": yes_no(begin + len(page) >= total),
    }
    return make(m("RootFolder"), [typed("Items", shown)], attributes)


def _calendar_view(request: Request, folder: Folder, shape: Shape, view: Element) -> Element:
    """Single items and occurrences that touch the span; masters are not told (CalendarView, remarks)."""
    if not folder.folder_class.startswith("IPF.Appointment"):
        text = "A calendar view needs a calendar folder."
        raise EwsError("ErrorCalendarFolderIsInvalidForCalendarView", text)
    begin, end = request.moment(view.get("StartDate", "")), request.moment(view.get("EndDate", ""))
    if end < begin:
        text = "EndDate is earlier than StartDate."
        raise EwsError("ErrorCalendarEndDateIsEarlierThanStartDate", text)
    if end - begin > timedelta(days=366 * 2):
        text = "The calendar view spans more than two years."
        raise EwsError("ErrorCalendarViewRangeTooBig", text)
    if request.body.find(m("Restriction")) is not None or request.body.find(m("SortOrder")) is not None:
        text = "A calendar view takes neither a restriction nor a sort order."
        raise EwsError("ErrorInvalidRequest", text)
    found = [
        target
        for item in folder.items.values()
        if item.kind is Kind.CALENDAR
        for target in _within(Target(item), begin, end)
    ]
    found.sort(key=lambda target: target.start)
    limit = int(view.get("MaxEntriesReturned", len(found) or 1))
    return _listing(request, found[:limit], shape, len(found), 0)


def _within(target: Target, begin: datetime, end: datetime) -> list[Target]:
    if not occasions.is_master(target.item):
        return [target] if _touches(target, begin, end) else []
    series = target.item.series
    moved = () if series is None else series.changed
    found = []
    for occurrence in occasions.standing(target.item):
        assert occurrence.original is not None
        if occurrence.original >= end and not any(start > occurrence.original for start in moved):
            break
        if _touches(occurrence, begin, end):
            found.append(occurrence)
    return found


def _touches(target: Target, begin: datetime, end: datetime) -> bool:
    start, finish = target.start, target.end
    return start < end and (finish > begin or start == finish >= begin)
