"""Fields that there are anyway and whose value is an item of a list (R032, R042, R054): a contact's role, an
account's segment, types and statuses of opportunities and dossiers, statuses of orders, types of activities,
outcomes of reports.

A record refers to the item, so that its label may change. On the way in a cell holds the item's code, or its
label in any language; on the way out its code.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.built_in_lists import OF, STARTS_WITH, built_in
from config.language import Phrase, said, together
from config.words import noun_word
from store.accounts import Account
from store.activities import Activity
from store.calendar import Event
from store.contacts import Contact
from store.custom_fields import ValueListItem
from store.errors import Invalid
from store.fields import Field, Kind
from store.import_rows import Findings, Record
from store.kinds import KINDS
from store.meetings import MeetingReport
from store.paging import pairs
from store.pipeline import CaseFile, Opportunity, OpportunityStatus
from store.readers import Value, opportunity_status
from store.selling import SalesOrder
from store.users import Branch, User

LISTS = {place: code for code, place in OF.items()}  # by entity and header
COLUMNS: Mapping[str, InstrumentedAttribute[int | None]] = {  # where records refer to the items of each list
    "contact_role": Contact.role_id,
    "account_segment": Account.segment_id,
    "opportunity_type": Opportunity.type_id,
    "opportunity_status": Opportunity.status_id,
    "order_status": SalesOrder.status_id,
    "activity_type": Activity.type_id,
    "report_outcome": MeetingReport.outcome_id,
    "case_file_type": CaseFile.type_id,
    "case_file_status": CaseFile.status_id,
}
FURTHER: Mapping[str, Sequence[InstrumentedAttribute[int | None]]] = {"activity_type": (Event.type_id,)}
ACTIVITY_TYPE, REPORT_OUTCOME = "activity_type", "report_outcome"
STATUS = "opportunity_status"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list."""

    id: int
    code: str
    label: Mapping[str, str]  # by language
    active: bool
    default: bool
    flag: str | None
    branches: frozenset[int]  # whose users can choose it; none: everybody

    def open_to(self, branch: int | None) -> bool:
        """Whether a user of that branch can choose it; who has none can choose everything."""
        return branch is None or not self.branches or branch in self.branches


@dataclass(frozen=True)
class Choices:
    """The items of one list, in their order."""

    code: str
    items: tuple[Item, ...]

    def read(self, written: str) -> int:
        """The id of the item that a code or a label in any language names; case ignored. A status is also
        named by its flag. Raises ValueError."""
        wanted = written.strip().casefold()
        found = [one for one in self.items if one.code.casefold() == wanted]
        found = found or [
            one for one in self.items if wanted in {label.casefold() for label in one.label.values()}
        ]
        # A label that was given again to another item is that one's.
        found = [one for one in found if one.active] or found
        if not found and self.code == STATUS:
            found = self._flagged(written)
        if len(found) == 1:
            return found[0].id
        if found:
            codes = ", ".join(one.code for one in found)
            raise ValueError(
                Phrase(
                    '"{value}" is the label of several values: write a code ({codes})',
                    value=written[:40],
                    codes=codes,
                )
            )
        known = ", ".join(one.code for one in self.items if one.active) or Phrase("none")
        raise ValueError(
            Phrase('"{value}" is not in the list; accepted: {accepted}', value=written[:40], accepted=known)
        )

    def default(self, branch: int | None) -> int | None:
        """The id of the item that a new record has; None for none."""
        open_ = [one for one in self.items if one.active and one.open_to(branch)]
        first = STARTS_WITH.get(self.code)
        chosen = [one for one in open_ if one.default] or [
            one for one in open_ if first and one.flag == first
        ]
        return chosen[0].id if chosen else None

    def of(self, id_: Value) -> Item | None:
        """The item of that id."""
        return next((one for one in self.items if one.id == id_), None)

    def _flagged(self, written: str) -> list[Item]:
        """The first item with the flag that is named, the default before others."""
        try:
            flag = opportunity_status(written)
        except ValueError:
            return []
        mine = [one for one in self.items if one.active and one.flag and OpportunityStatus(one.flag) is flag]
        return sorted(mine, key=lambda one: not one.default)[:1]


def choices(session: Session, codes: Iterable[str]) -> dict[str, Choices]:
    """The lists of those codes."""
    found: dict[str, list[Item]] = {code: [] for code in codes}
    i = ValueListItem
    for one in session.scalars(select(i).where(i.list_code.in_(found)).order_by(i.order_, i.id)):
        branches = frozenset(one.branch_ids)
        item = Item(one.id, one.code, one.label, one.active, one.is_default, one.flag, branches)
        found[one.list_code].append(item)
    return {code: Choices(code, tuple(items)) for code, items in found.items()}


def lists_of(kind: Kind) -> dict[str, str]:
    """The codes of the lists of a kind of record, by header."""
    return {header: code for (entity, header), code in LISTS.items() if entity == kind.entity}


def bind(session: Session, kind: Kind, user_id: int | None = None) -> Kind:
    """The kind with the items of its lists, as that user can choose them; None: as an admin does."""
    known = choices(session, lists_of(kind).values())
    if not known:
        return kind
    branch = branch_of(session, user_id)
    return replace(kind, fields=tuple(_bound(kind, one, known, branch) for one in kind.fields))


def _bound(kind: Kind, one: Field, known: Mapping[str, Choices], branch: int | None) -> Field:
    mine = known.get(LISTS.get((kind.entity, one.header), ""))
    if mine is None:
        return one
    default = mine.default(branch)
    accepted = tuple((item.code, item.label) for item in mine.items if item.active and item.open_to(branch))
    empty = default if mine.code == STATUS else None
    return replace(one, read=mine.read, fresh=default, empty=empty, accepted=accepted)


def branch_of(session: Session, user_id: int | None) -> int | None:
    """The branch of a user; None for who has none."""
    return None if user_id is None else session.scalar(select(User.branch_id).where(User.id == user_id))


def check(
    session: Session, kind: Kind, records: Sequence[Record], findings: Findings, user_id: int | None
) -> None:
    """What can be chosen no more, or by another branch only, stays where it is and is given to no other
    record. An opportunity's flag follows its status."""
    lists = lists_of(kind)
    known = choices(session, lists.values())
    branch = branch_of(session, user_id)
    for header, code in lists.items():
        column, mine = COLUMNS[code].key, {one.id: one for one in known[code].items}
        for record in records:
            item = _item(mine, record.values.get(column))
            if item is None or record.values[column] == (record.before or {}).get(column):
                continue
            if not item.active:
                findings.fault(record.line, header, Phrase('"{code}" can be chosen no more', code=item.code))
            elif not item.open_to(branch):
                names = ", ".join(session.scalars(select(Branch.name).where(Branch.id.in_(item.branches))))
                findings.fault(
                    record.line,
                    header,
                    Phrase('"{code}" is for the branch {names} only', code=item.code, names=names),
                )
    if STATUS in known:
        _flag(records, {one.id: one for one in known[STATUS].items})


def _item(known: Mapping[int, Item], id_: Value) -> Item | None:
    return known.get(id_) if isinstance(id_, int) else None


def _flag(records: Sequence[Record], known: Mapping[int, Item]) -> None:
    for record in records:
        item = _item(known, record.after("status_id"))
        if item is not None and item.flag is not None:
            record.values["status"] = OpportunityStatus(item.flag)
        elif record.before is None:
            record.values["status"] = OpportunityStatus.OPEN


def codes(session: Session, kind: Kind) -> dict[str, dict[int, str]]:
    """The codes of items by column and id, for files that leave."""
    return {
        COLUMNS[code].key: {item.id: item.code for item in mine.items}
        for code, mine in choices(session, lists_of(kind).values()).items()
    }


def outcome(session: Session, written: str | None) -> int | None:
    """The item of report_outcome that a text names, by its code or a label; None for any other text, and for
    what can be chosen no more."""
    if written is None:
        return None
    known = choices(session, [REPORT_OUTCOME])[REPORT_OUTCOME]
    try:
        item = known.of(known.read(written))
    except ValueError:
        return None
    return item.id if item is not None and item.active else None


def code_of(session: Session, column: str, value: object) -> object:
    """The code of the item where a column of contacts refers to one, else the value."""
    if column not in {one.key for one in COLUMNS.values()} or not isinstance(value, int):
        return value
    return session.scalar(select(ValueListItem.code).where(ValueListItem.id == value)) or value


def labels(session: Session, entity: str) -> dict[str, dict[str, Mapping[str, str]]]:
    """What people read for the codes of an entity's lists, by field."""
    mine = {header: code for (owner, header), code in LISTS.items() if owner == entity}
    known = choices(session, mine.values())
    # What the CRM makes by itself has a type though the company's list has none for it.
    brought = {
        one.code: {item.code: item.label.words() for item in one.items}
        for one in built_in()
        if one.code == ACTIVITY_TYPE
    }
    return {
        header: dict(brought.get(code, {})) | {one.code: one.label for one in known[code].items}
        for header, code in mine.items()
    }


def wanted(
    session: Session, list_code: str, written: Sequence[str], option: str
) -> tuple[str, tuple[int, ...]]:
    """The column of a list, and the items of it that a reader asks for, for a list that is narrowed by them.
    Raises Invalid."""
    mine = choices(session, [list_code])[list_code]
    try:
        ids = tuple(dict.fromkeys(mine.read(one) for one in written))
    except ValueError as error:
        raise Invalid(Phrase("{option}: {message}", option=option, message=error)) from None
    return COLUMNS[list_code].key, ids


def status(session: Session, kind: Kind, written: str) -> tuple[str, tuple[Value, ...]]:
    """The column and the values of it that a status means: a state, or the flag of several statuses, by its
    word; else one status by its code or label. Raises ValueError."""
    headers = KINDS[kind.name].by_header
    plain = headers.get("state") or headers.get("status")
    if plain is None:
        raise ValueError(Phrase("{kind} have none that it could mean", kind=noun_word(kind.name)))
    try:
        return plain.header, (plain.read(written),)
    except ValueError as error:
        if (kind.entity, "status") not in LISTS:
            raise
        words = said(error)
    mine = LISTS[kind.entity, "status"]
    try:
        return COLUMNS[mine].key, (choices(session, [mine])[mine].read(written),)
    except ValueError as error:
        reason = said(error)
        further = reason.values.get("accepted", reason) if isinstance(reason, Phrase) else reason
        both = together([words, str(further)], ", ")
        raise ValueError(both if "accepted: " in words else reason) from None


def of_rows(session: Session, ids: Iterable[Any]) -> dict[int, str]:
    """The codes of some items by id, for the rows of a list."""
    asked = {one for one in ids if isinstance(one, int)}
    if not asked:
        return {}
    i = ValueListItem
    return dict(pairs(session.execute(select(i.id, i.code).where(i.id.in_(asked)))))
