"""Logos of accounts (R159, R160): the picture, where it came from, and what became of the last try to get it.

An account without a logo is shown by its initials. That none was found is written down with the reason and
the day of the next try, and is never an error of the account.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, LargeBinary, String, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.language import Phrase
from store import changeable, visible
from store.accounts import Account
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.base import Base
from store.errors import Invalid, NotFound
from store.photos import Drawn, PictureRow

BY_HAND = "file"  # the source of a logo that a person gave: no fetching replaces it
FIRST_PAUSE = timedelta(days=1)  # after a try that failed; twice as long after each further one
MOST_TRIES = 6  # the last one a month after the first; then only a new website, or a person, asks again
_WORD = re.compile(r"[^\W_]+")


class AccountLogo(Base):
    """Logo. `content` and what describes it are NULL where there is none."""

    __tablename__ = "account_logo"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    mime: Mapped[str | None] = mapped_column(String(20))  # image/png
    size: Mapped[int | None]  # octets
    sha256: Mapped[str | None] = mapped_column(String(64))
    width: Mapped[int | None]  # points
    height: Mapped[int | None]
    logo_source: Mapped[str | None] = mapped_column(String(2048))  # a URL, or "file"
    fetched_at: Mapped[datetime | None]
    website: Mapped[str | None] = mapped_column(String(255))  # the account's, when it was looked at
    tries: Mapped[int] = mapped_column(default=0)  # that failed, one after the other
    next_try: Mapped[datetime | None]  # NULL: not by itself
    problem: Mapped[str] = mapped_column(String(200), default="")  # why there is none
    # The last column: SQLite would read through it to what stands behind.
    content: Mapped[bytes | None] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class LogoRow:
    """What is told of an account's logo."""

    logo: PictureRow | None
    source: str | None
    fetched_at: datetime | None
    problem: str | None
    next_try: datetime | None


@dataclass(frozen=True, slots=True)
class Site:
    """An account whose website is to be looked at."""

    account_id: int
    website: str


@dataclass(frozen=True, slots=True)
class Fetching:
    """When, through which door and at whose word a website is looked at. `asked` replaces what a person
    gave, too."""

    now: datetime
    by: str = "logos.fetch"
    channel: Channel = Channel.JOB
    asked: bool = False


NONE = LogoRow(None, None, None, None, None)


def initials(name: str) -> str:
    """What stands for an account without a logo: the first letters of its first two words, in capitals."""
    return "".join(word[0] for word in _WORD.findall(name)[:2]).upper() or "?"


def row(session: Session, account_id: int) -> LogoRow:
    """What is told of an account's logo."""
    one = AccountLogo
    query = select(
        one.mime, one.size, one.width, one.height, one.sha256, one.logo_source, one.fetched_at, one.problem,
        one.next_try,
    ).where(one.account_id == account_id)  # fmt: skip
    found = session.execute(query).one_or_none()
    if found is None:
        return NONE
    mime, size, width, height, sha256, source, fetched_at, problem, next_try = found
    picture = None
    if mime is not None and size is not None and width is not None and height is not None and sha256:
        picture = PictureRow(mime, size, width, height, sha256)
    return LogoRow(picture, source, fetched_at, problem or None, next_try)


def of_account(session: Session, account_id: int) -> dict[str, object]:
    """The fields of an account's logo, or of what stands in its place and why. Raises NotFound."""
    name = session.scalar(select(Account.name).where(Account.id == account_id))
    if name is None:
        raise NotFound(Phrase("there is no account {id}", id=account_id))
    known = row(session, account_id)
    return {
        "logo": known.logo,
        "logo_source": known.source,
        "logo_fetched_at": known.fetched_at,
        "logo_problem": known.problem,
        "logo_next_try": known.next_try,
        "initials": None if known.logo else initials(name),
    }


def content(session: Session, account_id: int, reader: Actor | None = None) -> Drawn:
    """The logo. Raises NotFound, also for what the reader may not see; None reads as an admin."""
    visible.require(session, reader, "account", account_id)
    found = session.get(AccountLogo, account_id)
    if (
        found is None or found.content is None or found.mime is None or found.width is None
        or found.height is None or found.sha256 is None
    ):  # fmt: skip
        raise NotFound(Phrase("account {id} has no logo", id=account_id))
    return Drawn(found.mime, found.width, found.height, found.sha256, found.content)


def due(session: Session, now: datetime, at_most: int) -> Sequence[Site]:
    """Accounts with a website and no logo of it whose time has come, the newest first: whoever has just typed
    one in is waiting."""
    one = AccountLogo
    query = (
        select(Account.id, Account.website)
        .outerjoin(one, one.account_id == Account.id)
        .where(
            Account.deleted_at.is_(None),
            Account.website.is_not(None),
            or_(
                one.account_id.is_(None),
                and_(
                    or_(one.logo_source.is_(None), one.logo_source != BY_HAND),
                    or_(one.website.is_(None), one.website != Account.website, one.next_try <= now),
                ),
            ),
        )
        .order_by(Account.id.desc())
        .limit(at_most)
    )
    return [Site(id_, website) for id_, website in session.execute(query) if website]


def website(session: Session, account_id: int, actor: Actor) -> str:
    """Where to look for the logo of an account that the actor may change. Raises NotFound, Forbidden,
    Invalid."""
    found = changeable.account(session, account_id, actor)
    if not found.website:
        raise Invalid(
            Phrase(
                "account {id} has no website: give it one with `syncd account edit {id} --website`, "
                "or a logo with --file",
                id=account_id,
            )
        )
    return found.website


def put(
    session: Session,
    account_id: int,
    logo: Drawn | None,
    *,
    actor: Actor,
    now: datetime,
    channel: Channel = Channel.CLI,
) -> bool:
    """Gives an account the logo that a person hands in; None takes the logo away, and none is fetched until
    the website changes or somebody asks. Returns whether anything changed. Raises NotFound, Forbidden."""
    account = changeable.account(session, account_id, actor)
    there = row(session, account_id)
    same = (there.logo and there.logo.sha256) == (logo and logo.sha256)
    if same and there.source == (None if logo is None else BY_HAND) and there != NONE:
        return False
    kept = _kept(session, account_id)
    _draw(kept, logo, BY_HAND if logo is not None else None, now if logo is not None else None)
    kept.website, kept.tries, kept.next_try = account.website, 0, None
    kept.problem = "" if logo is not None else "taken away by hand"
    account.updated_at, account.updated_by = now, actor.user_id
    account.version += 1
    told = "removed" if logo is None else "replaced" if there.logo else "added"
    session.add(
        AuditLog(at=now, actor=actor.login, entity="account", entity_id=account.id, change={"logo": told},
                 channel=channel)
    )  # fmt: skip
    session.flush()
    return True


def found(session: Session, site: Site, logo: Drawn, source: str, how: Fetching) -> bool:
    """The logo that a website has. Returns False, and writes nothing, where the account is gone or has
    another website meanwhile, or a logo that a person gave. The account keeps its version: nobody typed
    anything."""
    account = _still(session, site)
    if account is None:
        return False
    kept = _kept(session, site.account_id)
    if kept.logo_source == BY_HAND and not how.asked:
        return False
    before = kept.sha256
    _draw(kept, logo, source[:2048], how.now)
    kept.website, kept.tries, kept.next_try, kept.problem = site.website, 0, None, ""
    if before != logo.sha256:
        change = {"logo": "replaced" if before else "added", "source": source[:200]}
        session.add(
            AuditLog(at=how.now, actor=how.by, entity="account", entity_id=account.id, change=change,
                     channel=how.channel)
        )  # fmt: skip
    session.flush()
    return True


def failed(session: Session, site: Site, problem: str, how: Fetching, *, again: bool = True) -> bool:
    """None could be had: the reason, and a later try, unless `again` says that none would help. A logo that
    the same website had before stays, that of a former one goes. Returns False as `found` does."""
    if _still(session, site) is None:
        return False
    kept = _kept(session, site.account_id)
    if kept.logo_source == BY_HAND:
        return False
    if kept.website != site.website:
        _draw(kept, None, None, None)
        kept.tries = 0
    kept.website, kept.tries, kept.problem = site.website, kept.tries + 1, problem[:200]
    kept.next_try = None
    if again and kept.tries < MOST_TRIES:
        kept.next_try = how.now + FIRST_PAUSE * 2 ** (kept.tries - 1)
    session.flush()
    return True


def _still(session: Session, site: Site) -> Account | None:
    account = session.get(Account, site.account_id, with_for_update=True)
    there = account is not None and account.deleted_at is None and account.website == site.website
    return account if there else None


def _kept(session: Session, account_id: int) -> AccountLogo:
    found = session.get(AccountLogo, account_id)
    if found is None:
        found = AccountLogo(account_id=account_id, tries=0, problem="")
        session.add(found)
    return found


def _draw(kept: AccountLogo, logo: Drawn | None, source: str | None, at: datetime | None) -> None:
    kept.mime, kept.sha256 = (None, None) if logo is None else (logo.mime, logo.sha256)
    kept.width, kept.height = (None, None) if logo is None else (logo.width, logo.height)
    kept.content, kept.size = (None, None) if logo is None else (logo.content, len(logo.content))
    kept.logo_source, kept.fetched_at = source, at
