"""One contact of two: merging, and taking a merge back exactly.

Every reference to the other contact goes to the one that is kept, in the caller's transaction: the foreign
keys of all tables, and the contacts that attendance reports name. What went where is written down in ids, so
that the way back is the same rows. The other contact stays in its table, deleted, with all its values.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    ForeignKey,
    Table,
    Text,
    and_,
    cast,
    delete,
    insert,
    select,
    update,
)  # fmt: skip
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.language import Phrase
from store import directory, phones, photos, value_lists, visible
from store.accounts import Account
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.base import Base
from store.contacts import Contact, Gender
from store.errors import Invalid, NotFound
from store.fields import CONTACTS
from store.ledger import chunked
from store.meetings import MeetingEvidence
from store.references import addresses_in_use
from store.rights import Verb

ADDRESSES = ("email", "email2", "email3")
EMPTY: dict[str, object] = {"first_name": "", "gender": Gender.UNSPECIFIED}  # other columns: NULL
FILLED = (
    *(one.column for one in CONTACTS.fields if one.column and one.column not in (*ADDRESSES, "last_name")),
    "owner_id",
)
COMPARED = ("account_id", "last_name", "ext_id")  # never filled: a difference is told
# Tables whose references tell what was, and stay; a photo goes over only where there is none.
OWN = frozenset({"contact_merge", "contact_photo"})


class ContactMerge(Base):
    """Which contact was merged into which, and what went over. `undone_at` is NULL while it holds."""

    __tablename__ = "contact_merge"

    id: Mapped[int] = mapped_column(primary_key=True)
    keep_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)  # ids, and names of columns only


@dataclass(slots=True)
class Merged:
    """What a merge did, or what taking it back did."""

    moved: dict[str, int] = field(default_factory=dict)  # references, by table
    filled: list[str] = field(default_factory=list)  # columns of the contact that is kept
    conflicts: list[tuple[str, object, object]] = field(default_factory=list)  # column, kept, the other's
    freed: list[str] = field(default_factory=list)  # addresses that nobody has any more
    left: list[str] = field(default_factory=list)  # of an undo: what changed meanwhile, and stays as it is


def references() -> Iterator[tuple[Table, Column[Any]]]:
    """Every column that refers to a contact, and its table."""
    from store.tables import METADATA

    for table in METADATA.sorted_tables:
        for column in table.columns:
            if table.name not in OWN and any(
                key.column.table.name == "contact" for key in column.foreign_keys
            ):
                yield table, column


def merge(session: Session, keep_id: int, other_id: int, *, actor: Actor, now: datetime) -> Merged:
    """Makes one contact of two. Raises NotFound, Invalid, Forbidden."""
    directory.state(session, lock=True)
    if keep_id == other_id:
        raise Invalid(Phrase("a contact cannot be merged with itself"))
    keep, other = _contact(session, keep_id), _contact(session, other_id)
    _check_rights(session, (keep, other), actor)
    done = Merged()
    filled = _fill(keep, other, done)
    done.filled = sorted(filled)
    done.conflicts = [
        (name, value_lists.code_of(session, name, mine), value_lists.code_of(session, name, theirs))
        for name, mine, theirs in done.conflicts
    ]
    keys: dict[str, dict[str, list[list[Any]]]] = {}
    for table, column in references():
        moved, both = _move(session, table, column, other_id, keep_id)
        if moved or both:
            keys[str(column)] = {"moved": moved, "both": both}
            done.moved[table.name] = done.moved.get(table.name, 0) + len(moved) + len(both)
    reports = _rename(session, other_id, keep_id)
    if reports:
        done.moved["meeting_evidence"] = len(reports)
    photo = _photo(session, keep_id, other_id, done)
    other.deleted_at = now
    detail = {"filled": filled, "keys": keys, "reports": reports, "photo": photo}
    session.add(ContactMerge(keep_id=keep_id, other_id=other_id, at=now, detail=detail))
    _touch(session, (keep, other), actor, now, {"merged": [keep_id, other_id], "changed": done.filled})
    done.freed = _freed(session, (keep, other))
    return done


def unmerge(session: Session, keep_id: int, other_id: int, *, actor: Actor, now: datetime) -> Merged:
    """Makes two contacts again of one. Raises NotFound, Invalid, Forbidden.

    The last merge into a contact is taken back first: what it took over may have been the former one's too.
    """
    directory.state(session, lock=True)
    last = session.scalar(
        select(ContactMerge)
        .where(ContactMerge.keep_id == keep_id, ContactMerge.undone_at.is_(None))
        .order_by(ContactMerge.id.desc())
        .limit(1)
    )
    if last is None:
        raise NotFound(Phrase("no contact was merged into contact {keep_id}", keep_id=keep_id))
    if last.other_id != other_id:
        raise Invalid(
            Phrase(
                "contact {other_id} was merged into contact {keep_id} last: take that back first "
                "(`syncd contact unmerge {keep_id} {other_id}`)",
                other_id=last.other_id,
                keep_id=keep_id,
            )
        )
    keep = _contact(session, keep_id)
    other = session.get_one(Contact, other_id, with_for_update=True)
    _check_rights(session, (keep, other), actor)
    done = Merged()
    _empty(keep, other, last.detail["filled"], done)
    for table, column in references():
        keys = last.detail["keys"].get(str(column))
        if keys is not None:
            count = _move_back(session, (table, column), keys, keep_id, other_id)
            done.moved[table.name] = done.moved.get(table.name, 0) + count
    _rename_back(session, last.detail["reports"], other_id, done)
    _photo_back(session, last.detail.get("photo"), (keep_id, other_id), done)
    other.deleted_at = None
    last.undone_at = now
    _touch(session, (keep, other), actor, now, {"unmerged": [keep_id, other_id], "changed": done.filled})
    done.freed = _freed(session, (keep, other))
    return done


# --- values ----------------------------------------------------------------------------------------


def _fill(keep: Contact, other: Contact, done: Merged) -> dict[str, str]:
    """Fills what is empty; returns the columns filled, each with the other's column that it comes from."""
    filled: dict[str, str] = {}
    for name in FILLED:
        mine, theirs = getattr(keep, name), getattr(other, name)
        if theirs == EMPTY.get(name):
            continue
        if mine == EMPTY.get(name):
            setattr(keep, name, theirs)
            filled[name] = name
        elif mine != theirs and not _same_number(keep, other, name):
            done.conflicts.append((name, mine, theirs))
    for name in COMPARED:
        mine, theirs = getattr(keep, name), getattr(other, name)
        if theirs is not None and mine != theirs:
            done.conflicts.append((name, mine, theirs))
    room = [name for name in ADDRESSES if getattr(keep, name) is None]
    for name in ADDRESSES:
        address = getattr(other, name)
        if address is None or address in keep.addresses():
            continue
        if room:
            setattr(keep, room[0], address)
            filled[room.pop(0)] = name
        else:
            done.conflicts.append((name, None, address))
    _forms(keep, filled)
    return filled


def _empty(keep: Contact, other: Contact, filled: Mapping[str, str], done: Merged) -> None:
    """Empties what was filled, unless somebody wrote something else there."""
    for name, source in filled.items():
        if getattr(keep, name) == getattr(other, source):
            setattr(keep, name, EMPTY.get(name))
            done.filled.append(name)
        else:
            done.left.append(name)
    _forms(keep, filled)


def _same_number(keep: Contact, other: Contact, name: str) -> bool:
    """Whether a number is only spelled in another way."""
    form = phones.NUMBERS.get(name)
    return form is not None and bool(getattr(keep, form)) and getattr(keep, form) == getattr(other, form)


def _forms(keep: Contact, changed: Mapping[str, str]) -> None:
    for name, form in phones.NUMBERS.items():
        if name in changed:
            setattr(keep, form, None)


# --- references ------------------------------------------------------------------------------------


def _identity(table: Table, column: Column[Any]) -> list[Column[Any]]:
    """What tells rows apart, but for the contact itself."""
    return [one for one in table.primary_key.columns if one is not column]


def _move(
    session: Session, table: Table, column: Column[Any], from_: int, to: int
) -> tuple[list[list[Any]], list[list[Any]]]:
    """Refers from one contact to another. Where the contact is part of the key, the other may stand there
    already: its row stays, ours goes. Returns both kinds of rows by their identity."""
    identity = _identity(table, column)
    mine = _keys(session, identity, column == from_)
    taken: set[tuple[Any, ...]] = set()
    if column.primary_key:
        taken = {tuple(key) for key in _keys(session, identity, column == to)}
    moved = [key for key in mine if tuple(key) not in taken]
    both = [key for key in mine if tuple(key) in taken]
    for part in chunked(both):
        session.execute(delete(table).where(column == from_, _among(identity, part)))
    for part in chunked(moved):
        session.execute(
            update(table).where(column == from_, _among(identity, part)).values({column.name: to})
        )
    return moved, both


def _move_back(
    session: Session, where: tuple[Table, Column[Any]], keys: Mapping[str, Any], keep: int, other: int
) -> int:
    """The reverse; rows that are gone meanwhile, or refer to somebody else, stay as they are."""
    table, column = where
    identity = _identity(table, column)
    count = 0
    for part in chunked(keys["moved"]):
        done = session.execute(
            update(table)
            .where(column == keep, _among(identity, part))
            .values({column.name: other})
            .returning(*identity)
        )
        count += len(done.all())
    for part in chunked(keys["both"]):
        there = _keys(session, identity, and_(column == keep, _among(identity, part)))
        rows = [
            dict(zip((one.name for one in identity), key, strict=True)) | {column.name: other}
            for key in there
        ]
        if rows:
            session.execute(insert(table), rows)
        count += len(rows)
    return count


def _keys(session: Session, identity: Sequence[Column[Any]], which: ColumnElement[bool]) -> list[list[Any]]:
    return [list(row) for row in session.execute(select(*identity).where(which).order_by(*identity))]


def _among(identity: Sequence[Column[Any]], keys: Sequence[Sequence[Any]]) -> ColumnElement[bool]:
    if len(identity) != 1:
        raise AssertionError("a table that refers to contacts has a key of one more column")
    return identity[0].in_([key[0] for key in keys])


def _rename(session: Session, from_: int, to: int) -> list[dict[str, Any]]:
    """Attendance reports that name one contact name the other; where, and what each is then."""
    old, new = f"contact:{from_}", f"contact:{to}"
    query = select(MeetingEvidence.id, MeetingEvidence.detail).where(
        cast(MeetingEvidence.detail, Text).contains(f'"{old}"', autoescape=True)
    )
    found = []
    for id_, detail in session.execute(query.order_by(MeetingEvidence.id)).all():
        places = {
            name: [at for at, one in enumerate(detail.get(name) or ()) if _who(one) == old]
            for name in ("present", "absent", "unplanned")
        }
        changed = _named(detail, places, new)
        _write(session, id_, changed)
        found.append({"id": id_, "places": places, "digest": _digest(changed)})
    return found


def _rename_back(session: Session, reports: Sequence[Mapping[str, Any]], other: int, done: Merged) -> None:
    for report in reports:
        detail = session.scalar(select(MeetingEvidence.detail).where(MeetingEvidence.id == report["id"]))
        if detail is None or _digest(detail) != report["digest"]:
            done.left.append(f"attendance report {report['id']}")
            continue
        _write(session, report["id"], _named(detail, report["places"], f"contact:{other}"))
        done.moved["meeting_evidence"] = done.moved.get("meeting_evidence", 0) + 1


def _named(detail: Mapping[str, Any], places: Mapping[str, list[int]], who: str) -> dict[str, Any]:
    changed = dict(detail)
    for name, at in places.items():
        if at:
            changed[name] = [
                ({**one, "who": who} if isinstance(one, dict) else who) if place in at else one
                for place, one in enumerate(detail[name])
            ]
    return changed


def _who(one: object) -> object:
    return one.get("who") if isinstance(one, dict) else one


def _write(session: Session, id_: int, detail: Mapping[str, Any]) -> None:
    session.execute(update(MeetingEvidence).where(MeetingEvidence.id == id_).values(detail=dict(detail)))


def _digest(detail: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(detail, sort_keys=True).encode()).hexdigest()


def _photo(session: Session, keep: int, other: int, done: Merged) -> str | None:
    """The other's photo goes over where there is none; returns its hash."""
    mine, theirs = photos.row(session, keep), photos.row(session, other)
    moved = photos.move(session, other, keep)
    if moved is not None:
        done.filled.append("photo")
    elif mine and theirs and mine.sha256 != theirs.sha256:
        done.conflicts.append(("photo", f"sha256 {mine.sha256[:12]}…", f"sha256 {theirs.sha256[:12]}…"))
    return moved


def _photo_back(session: Session, moved: str | None, between: tuple[int, int], done: Merged) -> None:
    """The reverse, unless the photo was changed meanwhile."""
    if moved is None:
        return
    keep, other = between
    there = photos.row(session, keep)
    if there is not None and there.sha256 == moved and photos.move(session, keep, other):
        done.filled.append("photo")
    else:
        done.left.append("photo")


# --- both ------------------------------------------------------------------------------------------


def _contact(session: Session, id_: int) -> Contact:
    found = session.get(Contact, id_, with_for_update=True)
    if found is None or found.deleted_at is not None:
        raise NotFound(Phrase("there is no contact {id}", id=id_))
    return found


def _check_rights(session: Session, contacts: Sequence[Contact], actor: Actor) -> None:
    for one in contacts:
        visible.require(session, actor, "contact", one.id)
        account = session.get_one(Account, one.account_id)
        if not actor.may("contact", Verb.UPDATE, [one.owner_id, account.owner_id]):
            raise actor.refuse(Phrase("change contact {id}", id=one.id), "contact", Verb.UPDATE)


def _touch(
    session: Session, contacts: Sequence[Contact], actor: Actor, now: datetime, change: Mapping[str, object]
) -> None:
    for one in contacts:
        one.updated_at, one.updated_by = now, actor.user_id
        one.version += 1
        session.add(
            AuditLog(at=now, actor=actor.login, entity="contact", entity_id=one.id, change=dict(change),
                     channel=Channel.CLI)
        )  # fmt: skip
    session.flush()
    directory.bump(session)


def _freed(session: Session, contacts: Sequence[Contact]) -> list[str]:
    every = dict.fromkeys(address for one in contacts for address in one.addresses())
    used = addresses_in_use(session, every)
    return [address for address in every if address not in used]
