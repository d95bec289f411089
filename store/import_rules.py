"""What must hold for records of each kind beyond their single fields, and what is worth a warning."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config.language import Phrase, said
from config.words import noun_word
from store import account_rules, hierarchy
from store.accounts import Account, AccountType
from store.actors import Actor
from store.base import Base
from store.cells import stands_for
from store.contacts import Contact
from store.deals import Deal, DealStatus, Project
from store.import_rows import MANY, Findings, Record
from store.ledger import chunked
from store.pipeline import CaseFile, CaseScope, Opportunity, OpportunityAccount, OpportunityStatus
from store.readers import Value
from store.references import BOOKS, Accounts, Book, Users

ADDRESSES = ("email", "email2", "email3")


@dataclass(frozen=True)
class Context:
    """What the rules look things up in."""

    session: Session
    accounts: Accounts
    users: Users
    findings: Findings
    today: date = date.min  # in the workspace's time zone
    currency: str | None = None  # of amounts that name none
    actor: Actor | None = None
    books: dict[str, Book] = field(default_factory=dict)

    def book(self, noun: str) -> Book | Users:
        """Where to look up what a column names; read when the first row names one."""
        if noun == "owner":
            return self.users
        if noun not in BOOKS:
            return self.accounts
        if noun not in self.books:
            self.books[noun] = Book(noun.replace("_", " "), BOOKS[noun](self.session))
        return self.books[noun]


def named(record: Record, noun: str, before: Value, context: Context) -> int | None:
    """The id of the account, project or user that the columns `noun` and `noun`_id name; None for nobody, and
    for one that is not found, which is told. Where both are given, the id decides and the name must agree."""
    by_id, by_name = record.references.get(f"{noun}_id"), record.references.get(noun)
    book = context.book(noun)
    header = f"{noun}_id" if by_id else noun
    try:
        if not by_id:
            return book.resolve(by_name) if by_name else None
        # What the record has already may be deleted by now: it stays.
        same = isinstance(before, int) and stands_for(by_id, before)
        found = before if same and isinstance(before, int) else book.resolve_id(by_id)
    except ValueError as error:
        context.findings.fault(record.line, header, said(error))
        return None
    if by_name and not book.is_called(found, by_name):
        message = Phrase(
            '"{by_name}" is not {noun}_id {found}: empty one of the two cells',
            by_name=by_name,
            noun=noun,
            found=found,
        )
        context.findings.fault(record.line, noun, message)
    return found


def accounts(records: Sequence[Record], context: Context) -> None:
    """No account is its own parent, directly or not, or lies too deep. A second one of a name is odd."""
    parents: dict[int, int] = {}
    if any("parent_id" in record.values for record in records):
        query = select(Account.id, Account.parent_id).where(Account.parent_id.is_not(None))
        parents = {id_: parent for id_, parent in context.session.execute(query) if parent is not None}
    for record in records:
        if "parent_id" in record.values:
            parents.pop(record.id, None)
            if isinstance(parent := record.values["parent_id"], int):
                parents[record.id] = parent
    moved = [record.id for record in records if record.id in parents and "parent_id" in record.changes()]
    circles, deep = hierarchy.circles(parents, moved), hierarchy.too_deep(parents, moved) if moved else set()
    for record in records:
        name = record.values.get("name")
        if record.before is None and isinstance(name, str):
            others = [one for one in context.accounts.named(name) if one != record.id]
            if others:
                ids = ", ".join(map(str, others))
                context.findings.warn(
                    record.line,
                    "name",
                    Phrase('"{name}" is the name of another account too ({ids})', name=name, ids=ids),
                )
        if record.id in circles:
            context.findings.fault(record.line, "parent", Phrase("would make the account its own parent"))
        elif record.id in deep:
            message = Phrase("would make a chain of more than {most} accounts", most=hierarchy.LEVELS)
            context.findings.fault(record.line, "parent", message)
        _warn_of_own_addresses(record, ("email",), context)
    account_rules.groups(records, context.session, context.findings)
    account_rules.tagged(records, context.session, context.findings)
    account_rules.located(records, context.findings)


def contacts(records: Sequence[Record], context: Context) -> None:
    """A contact has an account. An address that others have too, or that is a user's own, is told."""
    holders = _holders(records, context.session)
    for record in records:
        belongs(record, "account", "a contact belongs to an account", context)
        _warn_of_own_addresses(record, ADDRESSES, context)
        mine = [record.after(column) for column in ADDRESSES]
        for column, address in zip(ADDRESSES, mine, strict=True):
            if not isinstance(address, str) or not _is_new(record, column):
                continue
            if mine.index(address) != ADDRESSES.index(column):
                context.findings.warn(
                    record.line, column, Phrase("{address} stands there twice", address=address)
                )
            others = sorted(holders.get(address, set()) - {record.id})
            if others:
                who = ", ".join(map(str, others[:5])) + (" …" if len(others) > 5 else "")  # noqa: PLR2004
                message = Phrase(
                    "{address} is also that of contact {who}: its mail is logged to each of them",
                    address=address,
                    who=who,
                )
                context.findings.warn(record.line, column, message)


def _holders(records: Sequence[Record], session: Session) -> dict[str, set[int]]:
    """Who will have the addresses that come in."""
    holders: dict[str, set[int]] = {}
    coming: dict[str, None] = {}
    for record in records:
        for column in ADDRESSES:
            address = record.after(column)
            if isinstance(address, str):
                holders.setdefault(address, set()).add(record.id)
                if _is_new(record, column):
                    coming[address] = None
    rewritten = {record.id for record in records}
    columns = (Contact.email, Contact.email2, Contact.email3)
    there = select(Contact.id, *columns).where(Contact.deleted_at.is_(None))
    queries = (
        [there]
        if len(coming) > MANY
        else [there.where(or_(*(column.in_(part) for column in columns))) for part in chunked(coming)]
    )
    for query in queries:
        for id_, *addresses in session.execute(query):
            for address in addresses:
                if address in coming and id_ not in rewritten:
                    holders.setdefault(address, set()).add(id_)
    return holders


def _is_new(record: Record, column: str) -> bool:
    """Whether the address was not the record's before."""
    if column not in record.values:
        return False
    before = record.before or {}
    return record.values[column] not in [before.get(other) for other in ADDRESSES]


def _warn_of_own_addresses(record: Record, columns: Iterable[str], context: Context) -> None:
    """Mail of a user's own address is never a reason to log: nobody's private mail gets exposed by it."""
    for column in columns:
        address = record.values.get(column)
        if isinstance(address, str) and address in context.users.own and _is_new(record, column):
            login = context.users.own[address]
            message = Phrase(
                "{address} is the own address of user {login}: its mail is never logged because of it",
                address=address,
                login=login,
            )
            context.findings.warn(record.line, column, message)


def opportunities(records: Sequence[Record], context: Context) -> None:
    """One to three accounts, a reference of its own, a closing date once it is won or lost."""
    unique(records, Opportunity, "opportunity", context)
    before = _linked(context.session, [record.id for record in records if record.before is not None])
    for record in records:
        _link(record, before.get(record.id, []), context)
        priced(record, "total", context)
        ended = record.after("status") in (OpportunityStatus.WON, OpportunityStatus.LOST)
        if ended and record.after("closed_on") is None:
            context.findings.fault(
                record.line, "closed_on", Phrase("is required once the status is WON or LOST")
            )
    _converted(records, before, context)


def _converted(records: Sequence[Record], linked: dict[int, list[int]], context: Context) -> None:
    """Only what is won becomes a deal, and one of its own accounts."""
    looked = [r for r in records if r.after("converted_deal_id") is not None and (r.links or r.changes())]
    accounts: dict[int, int] = {}
    for part in chunked(one for r in looked if isinstance(one := r.after("converted_deal_id"), int)):
        of_deals = select(Deal.id, Project.account_id).join(Project, Project.id == Deal.project_id)
        accounts.update(
            (id_, account) for id_, account in context.session.execute(of_deals.where(Deal.id.in_(part)))
        )
    for record in looked:
        if record.after("status") is not OpportunityStatus.WON:
            context.findings.fault(
                record.line, "converted_deal", Phrase("only an opportunity that is WON has a deal")
            )
        deal = record.after("converted_deal_id")
        mine = record.links or linked.get(record.id, [])
        if isinstance(deal, int) and accounts.get(deal) not in mine:
            message = Phrase("deal {deal} is not one of the opportunity's accounts", deal=deal)
            context.findings.fault(record.line, "converted_deal", message)


def _linked(session: Session, ids: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for part in chunked(ids):
        query = (
            select(OpportunityAccount.opportunity_id, OpportunityAccount.account_id)
            .where(OpportunityAccount.opportunity_id.in_(part))
            .order_by(OpportunityAccount.main.desc(), OpportunityAccount.account_id)
        )
        for opportunity, account in session.execute(query):
            found.setdefault(opportunity, []).append(account)
    return found


def _link(record: Record, before: list[int], context: Context) -> None:
    """Works out the accounts from the columns that are given; what is not given stays."""
    given = {header.removesuffix("_id") for header in record.references}
    was = dict(zip(("account", "account2", "account3"), before, strict=False))
    main = named(record, "account", was.get("account"), context) if "account" in given else was.get("account")
    if {"account2", "account3"} & given:
        others = [
            named(record, one, was.get(one), context) for one in ("account2", "account3") if one in given
        ]
    else:
        others = [*before[1:]]
    if main is None:
        if not any(fault.line == record.line for fault in context.findings.faults):
            context.findings.fault(
                record.line, "account", Phrase("is required: an opportunity has a main account")
            )
        return
    wanted = [main, *dict.fromkeys(one for one in others if one is not None and one != main)]
    if wanted[0] != (before[0] if before else None) or set(wanted) != set(before):
        record.links = wanted


def case_files(records: Sequence[Record], context: Context) -> None:
    """A dossier is general, or belongs to an account; its code is its own there."""
    for record in records:
        account = record.after("account_id")
        if record.values.get("scope") is None and {"scope", "account_id"} & record.values.keys():
            record.values["scope"] = CaseScope.GENERAL if account is None else CaseScope.ACCOUNT
        scope = record.after("scope")
        if (scope is CaseScope.ACCOUNT) != (account is not None):
            message = (
                Phrase("ACCOUNT needs an account") if account is None else Phrase("GENERAL has no account")
            )
            context.findings.fault(record.line, "scope", message)
    known: dict[tuple[object, object], int] = {}
    for part in chunked(dict.fromkeys(str(record.after("code")) for record in records)):
        rows = context.session.execute(
            select(CaseFile.id, CaseFile.account_id, CaseFile.code).where(CaseFile.code.in_(part))
        )
        rewritten = {record.id for record in records}
        known.update(((account, code), id_) for id_, account, code in rows if id_ not in rewritten)
    for record in records:
        key = (record.after("account_id"), record.after("code"))
        if known.setdefault(key, record.id) != record.id:
            context.findings.fault(
                record.line, "code", Phrase("is that of dossier {known} already", known=known[key])
            )


def projects(records: Sequence[Record], context: Context) -> None:
    """A project has an account and a reference of its own."""
    unique(records, Project, "project", context)
    for record in records:
        belongs(record, "account", "a project belongs to an account", context)


def deals(records: Sequence[Record], context: Context) -> None:
    """A deal has a project and a reference of its own, and a day on which it ended where it did. On an
    internal account it is never billable (R148)."""
    unique(records, Deal, "deal", context)
    internal: set[int] = set()
    for part in chunked({one for r in records if isinstance(one := r.after("project_id"), int)}):
        of_projects = select(Project.id).join(Account, Account.id == Project.account_id)
        internal.update(
            context.session.scalars(
                of_projects.where(Project.id.in_(part), Account.type == AccountType.INTERNAL)
            )
        )
    for record in records:
        belongs(record, "project", "a deal belongs to a project", context)
        priced(record, "amount", context)
        status, closed = record.after("status"), record.after("closed_on")
        if status is DealStatus.CANCELLED and closed is None:
            context.findings.fault(
                record.line, "closed_on", Phrase("is required once the status is CANCELLED")
            )
        if status is DealStatus.ENDED and closed is None and record.after("end_date") is None:
            context.findings.fault(
                record.line, "end_date", Phrase("is required once the status is ENDED, or closed_on is")
            )
        if record.after("project_id") in internal and record.after("billable"):
            record.values["billable"] = False


def belongs(record: Record, header: str, why: str, context: Context) -> None:
    named = record.references.get(header) or record.references.get(f"{header}_id")
    if record.after(f"{header}_id") is None and not named:  # one that is not found is told already
        message = Phrase("is required") if record.before is None else Phrase("must not be empty")
        context.findings.fault(record.line, header, f"{message}: {why}")


def unique(
    records: Sequence[Record], model: type[Base], noun: str, context: Context, *, column: str = "reference"
) -> None:
    """No two records have the same reference (or code), deleted ones included."""
    table = model.__table__
    known: dict[object, int] = {}
    rewritten = {record.id for record in records}
    for part in chunked(dict.fromkeys(one for r in records if (one := r.values.get(column)))):
        rows = context.session.execute(select(table.c.id, table.c[column]).where(table.c[column].in_(part)))
        known.update((value, id_) for id_, value in rows if id_ not in rewritten)
    for record in records:
        value = record.after(column)
        if value is not None and known.setdefault(value, record.id) != record.id:
            context.findings.fault(
                record.line,
                column,
                Phrase(
                    '"{value}" is that of {noun} {known} already',
                    value=value,
                    noun=noun_word(noun),
                    known=known[value],
                ),
            )


def priced(record: Record, column: str, context: Context) -> None:
    """An amount that is new and names no currency is in that of the workspace."""
    if record.after(column) is None or record.after("currency") is not None:
        return
    if record.before is None or column in record.changes():
        record.values["currency"] = context.currency
