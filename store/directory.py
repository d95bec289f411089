"""The addresses of the CRM as one state, and the counter that tells when it changed."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from store.accounts import Account
from store.contacts import Contact
from store.pipeline import CaseFile, CaseScope, Opportunity, OpportunityAccount, OpportunityStatus
from store.sync_state import DirectoryState
from store.users import User

ONLY = 1  # the id of the only row of directory_state


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Plain rows; deleted records are left out."""

    version: int
    own: dict[str, int]  # users' addresses -> user
    contacts: list[tuple[str, int, int]]  # (address, account, contact)
    accounts: list[tuple[str, int]]  # (the account's own address, account)
    websites: list[tuple[str, int]]  # (domain, account)
    opportunities: list[tuple[int, int, str | None]]  # open ones: (account, opportunity, reference)
    cases: list[tuple[int | None, int, str]]  # open ones: (account, dossier, code)


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the ledger has been searched for the addresses of the CRM."""

    version: int  # the number of changes so far; 0: nothing was ever written
    matched: int  # of those searched for in the ledger
    policy: str  # the rules that it was judged by, hashed


_VERSION = select(DirectoryState.version).where(DirectoryState.id == ONLY)


def version(session: Session) -> int:
    """The number of changes so far."""
    return session.scalar(_VERSION) or 0


def bump(session: Session) -> None:
    """Every change of a user's, contact's, account's, opportunity's or dossier's row calls this once."""
    session.execute(
        update(DirectoryState).where(DirectoryState.id == ONLY).values(version=DirectoryState.version + 1)
    )


def state(session: Session, *, lock: bool = False, share: bool = False) -> DirectoryState:
    """The counter's row, made at first use. `lock` keeps others from changing it until the end of the
    transaction, `share` only from changing, not from sharing (on SQLite every writer is alone anyway)."""
    query = select(DirectoryState).where(DirectoryState.id == ONLY)
    if lock or share:
        query = query.with_for_update(read=share)
    row = session.scalar(query)
    if row is None:
        session.execute(
            insert(DirectoryState).values(id=ONLY, version=1, matched_version=0, policy="", key_check="")
        )
        row = session.scalars(query).one()
    return row


def snapshot(session: Session) -> Snapshot:
    """Everything that matching needs, in seven queries."""
    # Read first: with a number that is too old a batch is judged once more, with one too new never again.
    number = version(session)
    own: dict[str, int] = {}
    for email, aliases, user in session.execute(select(User.email, User.aliases, User.id).where(User.active)):
        own.update(dict.fromkeys([*aliases, email], user))
    contacts: list[tuple[str, int, int]] = []
    columns = (Contact.email, Contact.email2, Contact.email3, Contact.account_id, Contact.id)
    for first, second, third, account, contact in session.execute(
        select(*columns).where(Contact.deleted_at.is_(None))
    ):
        contacts.extend((one, account, contact) for one in (first, second, third) if one)
    accounts: list[tuple[str, int]] = []
    websites: list[tuple[str, int]] = []
    rows = session.execute(
        select(Account.email, Account.website, Account.id).where(Account.deleted_at.is_(None))
    )
    for address, website, account in rows:
        if address:
            accounts.append((address, account))
        if website:
            websites.append((_host(website), account))
    opportunities = session.execute(
        select(OpportunityAccount.account_id, Opportunity.id, Opportunity.reference)
        .join(Opportunity, Opportunity.id == OpportunityAccount.opportunity_id)
        .where(Opportunity.status == OpportunityStatus.OPEN, Opportunity.deleted_at.is_(None))
        .order_by(Opportunity.id)
    )
    cases = session.execute(
        select(CaseFile.account_id, CaseFile.id, CaseFile.code, CaseFile.scope)
        .where(CaseFile.closed.is_(False), CaseFile.deleted_at.is_(None))
        .order_by(CaseFile.id)
    )
    return Snapshot(
        version=number,
        own=own,
        contacts=contacts,
        accounts=accounts,
        websites=websites,
        opportunities=[(a, o, r) for a, o, r in opportunities],
        cases=[(a if scope is CaseScope.ACCOUNT else None, c, code) for a, c, code, scope in cases],
    )


def _host(website: str) -> str:
    host = urlsplit(website if "//" in website else "//" + website).hostname or ""
    return host.removeprefix("www.")
