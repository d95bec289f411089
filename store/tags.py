"""Tags of accounts (R161): free words, told apart without regard to case."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ForeignKey, Select, String, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.language import Phrase
from store.base import Base
from store.ledger import chunked

LONGEST = 40  # characters of a tag
MOST = 50  # tags of one account


class Tag(Base):
    """A tag as it was written first."""

    __tablename__ = "tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST))
    key: Mapped[str] = mapped_column(String(2 * LONGEST), unique=True)  # the name, case-folded


class AccountTag(Base):
    """That an account has a tag."""

    __tablename__ = "account_tag"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(
        ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True, index=True
    )


def key_of(name: str) -> str:
    """What two spellings of one tag have in common."""
    return " ".join(name.split()).casefold()


def read(text: str) -> tuple[str, ...]:
    """The tags of a text, separated by commas or semicolons, each once. Raises ValueError."""
    found: dict[str, str] = {}
    for part in text.replace(";", ",").split(","):
        name = " ".join(part.split())
        if len(name) > LONGEST:
            raise ValueError(
                Phrase(
                    '"{name}…" has {count} characters, at most {longest} are kept',
                    name=name[:20],
                    count=len(name),
                    longest=LONGEST,
                )
            )
        if not name.isprintable():
            raise ValueError(Phrase("holds control characters"))
        if name:
            found.setdefault(key_of(name), name)
    if len(found) > MOST:
        raise ValueError(Phrase("names {count} tags, at most {most} are kept", count=len(found), most=MOST))
    return tuple(found.values())


def of_accounts(session: Session, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The tags of some accounts, by name."""
    found: dict[int, list[str]] = {}
    for part in chunked(ids):
        query = (
            select(AccountTag.account_id, Tag.name)
            .join(Tag, Tag.id == AccountTag.tag_id)
            .where(AccountTag.account_id.in_(part))
        )
        for account, name in session.execute(query):
            found.setdefault(account, []).append(name)
    return {account: tuple(sorted(names, key=key_of)) for account, names in found.items()}


def accounts_with(name: str) -> Select[int]:
    """The ids of the accounts with that tag."""
    tagged = select(AccountTag.account_id).join(Tag, Tag.id == AccountTag.tag_id)
    return tagged.where(Tag.key == key_of(name))


def set_tags(session: Session, wanted: Mapping[int, Sequence[str]]) -> None:
    """Gives each account exactly these tags; a tag is made at its first use. One process at a time: call it
    where the directory's row is locked."""
    keys = dict.fromkeys(key_of(name) for names in wanted.values() for name in names)
    spelled = {key_of(name): name for names in wanted.values() for name in reversed(names)}
    known: dict[str, int] = {}
    for part in chunked(keys):
        known.update(
            (key, id_) for id_, key in session.execute(select(Tag.id, Tag.key).where(Tag.key.in_(part)))
        )
    for key in keys:
        if key not in known:
            tag = Tag(name=spelled[key], key=key)
            session.add(tag)
            session.flush()
            known[key] = tag.id
    for some in chunked(wanted):
        session.execute(delete(AccountTag).where(AccountTag.account_id.in_(some)))
    pairs = [
        {"account_id": account, "tag_id": known[key_of(name)]}
        for account, names in wanted.items()
        for name in names
    ]
    if pairs:
        session.execute(insert(AccountTag), pairs)
