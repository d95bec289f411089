"""What must hold for accounts beyond their single fields: groups (R147), tags (R161), places (R095)."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from config.language import Phrase, said
from store import tags
from store.accounts import Account, AccountType
from store.import_rows import Findings, Record
from store.ledger import chunked

PLACE = frozenset({"latitude", "longitude"})
ADDRESS = frozenset({"address1", "address2", "postcode", "city", "country"})


def groups(records: Sequence[Record], session: Session, findings: Findings) -> None:
    """Warns of groups that come to lie below an account that is none."""
    coming = {record.id: record for record in records}
    types = {record.id: record.after("type") for record in records}
    parents = {one for r in records if isinstance(one := r.after("parent_id"), int) and one not in types}
    for part in chunked(parents):
        query = select(Account.id, Account.type).where(Account.id.in_(part))
        types.update((id_, type_) for id_, type_ in session.execute(query))
    for record in records:
        parent = record.after("parent_id")
        if not {"type", "parent_id"} & set(record.changes()) or not isinstance(parent, int):
            continue
        if types[record.id] is AccountType.GROUP and types.get(parent) is not AccountType.GROUP:
            findings.warn(
                record.line,
                "parent",
                Phrase("this is a group, and its parent {parent} is none", parent=parent),
            )
    no_longer = [
        record.id
        for record in records
        if (record.before or {}).get("type") is AccountType.GROUP
        and types[record.id] is not AccountType.GROUP
    ]
    child = aliased(Account)
    for some in chunked(no_longer):
        below = select(Account.id, child.id).join(child, child.parent_id == Account.id)
        below = below.where(Account.id.in_(some), child.type == AccountType.GROUP, child.deleted_at.is_(None))
        for id_, group in session.execute(below.order_by(child.id)):
            if group not in coming:
                message = Phrase("group {group} lies below this account, which is none", group=group)
                findings.warn(coming[id_].line, "type", message)


def tagged(records: Sequence[Record], session: Session, findings: Findings) -> None:
    """Reads the tags that are given; what an account has already is left alone."""
    for record in records:
        if "tags" in record.references:
            try:
                record.tags = tags.read(record.references["tags"])
            except ValueError as error:
                findings.fault(record.line, "tags", said(error))
    there = tags.of_accounts(session, [one.id for one in records if one.tags is not None])
    for record in records:
        mine = {tags.key_of(name) for name in there.get(record.id, ())}
        if record.tags is not None and mine == {tags.key_of(name) for name in record.tags}:
            record.tags = None


def located(records: Sequence[Record], findings: Findings) -> None:
    """Latitude and longitude make a place together. Warns of an address that moves away from its place."""
    for record in records:
        changed = set(record.changes())
        north, east = record.after("latitude"), record.after("longitude")
        if (north is None) != (east is None):
            missing = "latitude" if north is None else "longitude"
            findings.fault(record.line, missing, "latitude and longitude go together: give both, or neither")
        elif changed & PLACE and "geocode_accuracy_m" not in record.values:
            record.values["geocode_accuracy_m"] = None  # was that of the former place
        elif changed & ADDRESS and not changed & PLACE and (record.before or {}).get("latitude") is not None:
            message = (
                f"the account stays where it was located, at {north}, {east}: change that too if need be"
            )
            findings.warn(record.line, min(changed & ADDRESS), message)
