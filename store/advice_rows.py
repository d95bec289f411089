"""What recommendations by rules are worked out from: fields of accounts, what files said, what stands.

Which rule matches is not decided here; the engine does that, and writes through `store.recommendations`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from sqlalchemy import ForeignKey, String, Text, insert, select, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from store import custom_fields
from store.accounts import Account
from store.base import Base, EnumText
from store.custom_fields import FieldType, OwnField, ValueListItem
from store.ledger import chunked
from store.readers import Value as FieldValue
from store.recommendations import AccountRecommendation, Category, RecommendationDeclined
from store.users import User

ONLY = 1  # the id of the only row of recommendation_pass

Value = str | int | bool | Decimal | date | frozenset[str] | None

_AS_THEY_ARE = (
    "id", "ext_id", "name", "website", "vat_number", "phone", "phone2", "fax", "email", "address1",
    "address2", "postcode", "city", "region", "country", "comment", "public", "created_on", "status_since",
)  # fmt: skip


class RecommendationImport(Base):
    """A file that was taken in."""

    __tablename__ = "recommendation_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[str] = mapped_column(String(255))  # its name
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    rows: Mapped[int]  # that were taken
    errors: Mapped[int]  # rows that were not
    at: Mapped[datetime]


class RecommendationFile(Base):
    """What files say of an account: the last row that named it."""

    __tablename__ = "recommendation_file"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    message: Mapped[str | None] = mapped_column(Text)  # None: the file takes back what one said before
    category: Mapped[Category | None] = mapped_column(EnumText(Category))
    valid_until: Mapped[date | None]
    import_id: Mapped[int] = mapped_column(ForeignKey("recommendation_import.id"))


class RecommendationPass(Base):
    """The day that all accounts were looked at last, and by which rules. One row."""

    __tablename__ = "recommendation_pass"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    rules: Mapped[str] = mapped_column(String(64))  # a hash of them
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class FileRow:
    """What files say of an account."""

    message: str | None
    category: Category | None
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class AdviceFacts:
    """What the rules say of one account is worked out from."""

    account_id: int
    values: Mapping[str, Value]  # by field; enums by their names in lower case, users by login
    file: FileRow | None
    standing: AccountRecommendation | None
    declined: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pass:
    """The last look at all accounts."""

    day: date
    rules: str


def page(session: Session, after: int, at_most: int) -> list[int]:
    """The next accounts by id; none are left where the list is empty."""
    query = select(Account.id).where(Account.id > after, Account.deleted_at.is_(None))
    return list(session.scalars(query.order_by(Account.id).limit(at_most)))


def lock(session: Session, ids: Iterable[int]) -> None:
    """Until the transaction ends nobody else writes these accounts or their recommendations."""
    for part in chunked(sorted(ids)):
        query = select(Account.id).where(Account.id.in_(part)).order_by(Account.id)
        session.execute(query.with_for_update()).all()


def facts(session: Session, ids: Iterable[int]) -> list[AdviceFacts]:
    """Those of these accounts that are not deleted, by id. A few queries for each 500 of them."""
    own = custom_fields.of_entity(session, "account")
    return [one for part in chunked(ids) for one in _facts(session, part, own)]


def _facts(session: Session, ids: Sequence[int], own: Sequence[OwnField]) -> list[AdviceFacts]:
    parent = aliased(Account)
    columns = [getattr(Account, name) for name in _AS_THEY_ARE]
    rows = (
        select(*columns, Account.type, Account.status, User.login, parent.name, ValueListItem.code)
        .outerjoin(User, User.id == Account.owner_id)
        .outerjoin(parent, parent.id == Account.parent_id)
        .outerjoin(ValueListItem, ValueListItem.id == Account.segment_id)
        .where(Account.id.in_(ids), Account.deleted_at.is_(None))
        .order_by(Account.id)
    )
    files = {
        one.account_id: FileRow(one.message, one.category, one.valid_until)
        for one in session.scalars(select(RecommendationFile).where(RecommendationFile.account_id.in_(ids)))
    }
    r = AccountRecommendation
    standing = {
        one.account_id: one for one in session.scalars(select(r).where(r.account_id.in_(ids), r.active))
    }
    declined: dict[int, list[str]] = {}
    refused = select(RecommendationDeclined.account_id, RecommendationDeclined.message)
    for id_, message in session.execute(refused.where(RecommendationDeclined.account_id.in_(ids))):
        declined.setdefault(id_, []).append(message)
    found, more = [], custom_fields.values(session, own, ids)
    for *plain, type_, status, owner, parent_name, segment in session.execute(rows):
        values: dict[str, Value] = dict(zip(_AS_THEY_ARE, plain, strict=True))
        values |= {"type": type_.value, "status": None if status is None else status.value,
                   "owner": owner, "parent": parent_name, "segment": segment}  # fmt: skip
        id_ = plain[0]
        values |= {one.key: _plain(one, more.get(id_, {}).get(one.key)) for one in own}
        found.append(
            AdviceFacts(id_, values, files.get(id_), standing.get(id_), tuple(declined.get(id_, ())))
        )
    return found


def _plain(field: OwnField, value: FieldValue) -> Value:
    if field.type is FieldType.MULTI_LIST:
        return None if value is None else frozenset(str(value).split(custom_fields.BETWEEN))
    return None if isinstance(value, Enum) else value


# --- files --------------------------------------------------------------------------------------


def was_taken(session: Session, sha256: str) -> bool:
    """Whether a file of this content was taken in before, every row of it."""
    query = select(RecommendationImport.id).where(RecommendationImport.sha256 == sha256)
    return session.scalar(query.where(RecommendationImport.errors == 0).limit(1)) is not None


def add_import(session: Session, row: RecommendationImport) -> int:
    """Notes a file; returns its id."""
    session.add(row)
    session.flush()
    return row.id


def put_file_rows(session: Session, rows: Mapping[int, FileRow], import_id: int) -> None:
    """What the file says of these accounts takes the place of what one said before."""
    there: dict[int, RecommendationFile] = {}
    for part in chunked(rows):
        query = select(RecommendationFile).where(RecommendationFile.account_id.in_(part))
        there.update((one.account_id, one) for one in session.scalars(query))
    for id_, row in rows.items():
        found = there.get(id_)
        if found is None:
            session.add(
                RecommendationFile(
                    account_id=id_,
                    message=row.message,
                    category=row.category,
                    valid_until=row.valid_until,
                    import_id=import_id,
                )
            )
        else:
            found.message, found.category, found.valid_until = row.message, row.category, row.valid_until
            found.import_id = import_id
    session.flush()


@dataclass(frozen=True, slots=True)
class Named:
    """The accounts by what a file may call them."""

    by_text: Mapping[str, set[int]]  # external id, or exact name
    by_vat: Mapping[str, set[int]]  # see `vat_key`

    def find(self, ref: str) -> set[int]:
        """The accounts that this may mean."""
        return self.by_text.get(ref, set()) | self.by_vat.get(vat_key(ref), set())


def named(session: Session) -> Named:
    """The accounts that are not deleted."""
    texts: dict[str, set[int]] = {}
    vats: dict[str, set[int]] = {}
    query = select(Account.id, Account.ext_id, Account.name, Account.vat_number)
    for id_, ext_id, name, vat in session.execute(query.where(Account.deleted_at.is_(None))):
        for key in (ext_id, name):
            if key:
                texts.setdefault(key, set()).add(id_)
        if vat and vat_key(vat):
            vats.setdefault(vat_key(vat), set()).add(id_)
    return Named(texts, vats)


def vat_key(text: str) -> str:
    """A VAT number as it is compared: "FR 12 345.678.901" is "FR12345678901"."""
    return "".join(one for one in text if one.isalnum()).upper()


def owners(session: Session, ids: Iterable[int]) -> dict[int, int | None]:
    """Who owns these accounts."""
    found: dict[int, int | None] = {}
    for part in chunked(ids):
        found.update(session.execute(select(Account.id, Account.owner_id).where(Account.id.in_(part))).all())
    return found


# --- the last look at all of them ---------------------------------------------------------------


def passed(session: Session) -> Pass | None:
    """The last look that came to its end; None if there never was one."""
    row = session.get(RecommendationPass, ONLY)
    return None if row is None else Pass(row.day, row.rules)


def mark_passed(session: Session, done: Pass, now: datetime) -> None:
    """All accounts have what the rules say. Others must be kept out (`statuses.alone`)."""
    values = {"day": done.day, "rules": done.rules, "at": now}
    row = update(RecommendationPass).where(RecommendationPass.id == ONLY).values(values)
    if not session.execute(row.returning(RecommendationPass.id)).all():
        session.execute(insert(RecommendationPass).values(id=ONLY, **values))
