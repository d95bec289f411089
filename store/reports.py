"""Lists of the CRM's records for people: paged, filtered, one query a list and one a column of many."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store import own_filters, statuses, tags, value_lists, visible
from store.accounts import Account, account_kind
from store.activities import Activity, ActivityContact, ActivityState
from store.contacts import Contact
from store.deals import Deal, Project
from store.discounts import weighted
from store.ledger import chunked
from store.mail import EmailAttachment, EmailMatch, EmailMessage, EmailUser
from store.narrowing import narrowed, order
from store.paging import grouped, like, page, pairs, total
from store.pipeline import Opportunity, OpportunityAccount, OpportunityStatus, chance
from store.report_rows import (
    AccountRow,
    ActivityRow,
    DealRow,
    EmailRow,
    OpportunityRow,
    Page,
    ProjectRow,
    QuarantineRow,
    Query,
    RunRow,
    UserRow,
)
from store.sync_state import Collection, Mailbox, Quarantine, Run
from store.users import User


def users(session: Session, query: Query) -> Page[UserRow]:
    """By login."""
    rows = select(User).where(like(query, User.login, User.last_name, User.first_name, User.email))
    found = page(rows, query, User.login)
    return Page(
        tuple(
            UserRow(u.id, u.login, f"{u.first_name} {u.last_name}".strip(), u.email, tuple(u.aliases), u.role,
                    u.active)
            for u in session.scalars(found)
        ),
        total(session, rows),
        query.offset,
    )  # fmt: skip


def accounts(session: Session, query: Query) -> Page[AccountRow]:
    """By name."""
    rows = select(Account).where(Account.deleted_at.is_(None), visible.accounts(query.reader))
    rows = rows.where(like(query, Account.name, Account.email, Account.city, Account.ext_id))
    if query.account is not None:
        rows = rows.where(Account.id == query.account)
    if query.status is not None:
        rows = rows.where(Account.status == query.status)
    if query.type is not None:
        rows = rows.where(Account.type == query.type)
    if query.mine is not None:
        rows = rows.where(Account.owner_id == query.mine)
    if query.parent is not None:
        rows = rows.where(Account.parent_id == query.parent)
    if query.tag is not None:
        rows = rows.where(Account.id.in_(tags.accounts_with(query.tag)))
    rows = rows.where(*own_filters.conditions(session, "account", Account.id, query.where))
    rows = narrowed(rows, Account, query)
    found = session.scalars(page(rows, query, *order(Account, query, Account.name, Account.id))).all()
    ids = [one.id for one in found]
    contacts = dict(pairs(session.execute(
        select(Contact.account_id, func.count())
        .where(Contact.account_id.in_(ids), Contact.deleted_at.is_(None))
        .group_by(Contact.account_id)
    )))  # fmt: skip
    last = dict(pairs(session.execute(
        select(Activity.account_id, func.max(Activity.occurred_at)).where(Activity.account_id.in_(ids))
        .group_by(Activity.account_id)
    )))  # fmt: skip
    owners = logins(session)
    codes = value_lists.of_rows(session, (one.segment_id for one in found))
    sold, tagged = statuses.with_deals(session, ids), tags.of_accounts(session, ids)
    return Page(
        tuple(
            AccountRow(
                a.id, a.ext_id, a.name, a.type, a.status, a.status_since,
                account_kind(a.type, a.status, had_deal=a.id in sold), a.city,
                codes.get(a.segment_id or 0), a.email,
                owners.get(a.owner_id), tagged.get(a.id, ()), contacts.get(a.id, 0), last.get(a.id),
            )
            for a in found
        ),
        total(session, rows),
        query.offset,
    )  # fmt: skip


def projects(session: Session, query: Query) -> Page[ProjectRow]:
    """By name."""
    p = Project
    rows = select(p, Account.name).join(Account, Account.id == p.account_id)
    rows = rows.where(p.deleted_at.is_(None), visible.projects(query.reader))
    rows = rows.where(like(query, p.name, p.reference, p.ext_id, Account.name))
    if query.account is not None:
        rows = rows.where(p.account_id == query.account)
    rows = narrowed(rows, p, query)
    found = session.execute(page(rows, query, *order(p, query, p.name, p.id))).all()
    deals_of = dict(pairs(session.execute(
        select(Deal.project_id, func.count())
        .where(Deal.project_id.in_([one.id for one, _ in found]), Deal.deleted_at.is_(None))
        .group_by(Deal.project_id)
    )))  # fmt: skip
    made = (
        ProjectRow(one.id, one.ext_id, one.account_id, name, one.reference, one.name, one.status,
                   one.start_date, one.end_date, deals_of.get(one.id, 0))
        for one, name in found
    )  # fmt: skip
    return Page(tuple(made), total(session, rows), query.offset)


def deals(session: Session, query: Query) -> Page[DealRow]:
    """Those without an end first, then the one that ended last."""
    d = Deal
    rows = select(d, Project.name, Account.name).join(Project, Project.id == d.project_id)
    rows = rows.join(Account, Account.id == Project.account_id).where(d.deleted_at.is_(None))
    rows = rows.where(Project.deleted_at.is_(None), like(query, d.title, d.reference, d.ext_id))
    rows = rows.where(visible.deals(query.reader))
    if query.account is not None:
        rows = rows.where(Project.account_id == query.account)
    rows = narrowed(rows, d, query)
    end = func.coalesce(d.closed_on, d.end_date)
    sorted_by = order(d, query, end.is_not(None), end.desc(), d.id)
    made = (
        DealRow(one.id, one.ext_id, account, project, one.reference, one.title, one.status, one.start_date,
                one.end_date, one.closed_on, one.amount, one.currency)
        for one, project, account in session.execute(page(rows, query, *sorted_by))
    )  # fmt: skip
    return Page(tuple(made), total(session, rows), query.offset)


def opportunities(session: Session, query: Query) -> Page[OpportunityRow]:
    """Open ones first, then by title."""
    o = Opportunity
    rows = select(o).where(o.deleted_at.is_(None), like(query, o.title, o.reference, o.ext_id))
    rows = rows.where(visible.opportunities(query.reader))
    if query.account is not None:
        mine = select(OpportunityAccount.opportunity_id).where(OpportunityAccount.account_id == query.account)
        rows = rows.where(o.id.in_(mine))
    if query.opportunity is not None:
        rows = rows.where(o.id == query.opportunity)
    rows = rows.where(*own_filters.conditions(session, "opportunity", o.id, query.where))
    open_first = (o.status != OpportunityStatus.OPEN).label("ended")
    rows = narrowed(rows, o, query)
    found = session.scalars(page(rows, query, *order(o, query, open_first, o.title, o.id))).all()
    codes = value_lists.of_rows(session, (id_ for one in found for id_ in (one.type_id, one.status_id)))
    names = grouped(
        session.execute(
            select(OpportunityAccount.opportunity_id, Account.name)
            .join(Account, Account.id == OpportunityAccount.account_id)
            .where(OpportunityAccount.opportunity_id.in_([one.id for one in found]))
            .order_by(OpportunityAccount.main.desc(), Account.name)
        )
    )
    return Page(
        tuple(
            OpportunityRow(
                one.id, one.ext_id, one.reference, one.title, codes.get(one.type_id or 0),
                codes.get(one.status_id or 0, one.status.value), names.get(one.id, ()), one.total,
                one.currency, one.expected_close, one.closed_on, one.probability,
                weighted(one.total, chance(one.status, one.probability)),
            )
            for one in found
        ),
        total(session, rows),
        query.offset,
    )  # fmt: skip


def emails(session: Session, query: Query) -> Page[EmailRow]:
    """The newest first."""
    e = EmailMessage
    # Without the bodies: a page of them may be many megabytes.
    rows = select(e.id, e.date, e.direction, e.from_, e.to, e.subject).where(like(query, e.subject))
    rows = rows.where(visible.emails(query.reader))
    if query.account is not None or query.contact is not None:
        match = select(EmailMatch.email_id)
        if query.account is not None:
            match = match.where(EmailMatch.account_id == query.account)
        if query.contact is not None:
            match = match.where(EmailMatch.contact_id == query.contact)
        rows = rows.where(e.id.in_(match))
    if query.opportunity is not None:
        linked = select(Activity.email_id).where(Activity.opportunity_id == query.opportunity)
        rows = rows.where(e.id.in_(linked))
    if query.mailbox is not None:
        holders = select(EmailUser.email_id).join(Mailbox, Mailbox.user_id == EmailUser.user_id)
        rows = rows.where(e.id.in_(holders.where(Mailbox.name == query.mailbox)))
    if query.since is not None:
        rows = rows.where(e.date >= query.since)
    found = session.execute(page(rows, query, e.date.desc(), e.id.desc())).all()
    ids = [row[0] for row in found]
    names = grouped(
        session.execute(
            select(EmailMatch.email_id, Account.name)
            .join(Account, Account.id == EmailMatch.account_id)
            .where(EmailMatch.email_id.in_(ids))
            .distinct()
            .order_by(Account.name)
        )
    )
    logins = grouped(
        session.execute(
            select(EmailUser.email_id, User.login)
            .join(User, User.id == EmailUser.user_id)
            .where(EmailUser.email_id.in_(ids))
            .order_by(User.login)
        )
    )
    files = dict(pairs(session.execute(
        select(EmailAttachment.email_id, func.count()).where(EmailAttachment.email_id.in_(ids))
        .group_by(EmailAttachment.email_id)
    )))  # fmt: skip
    return Page(
        tuple(
            EmailRow(
                id_, at, direction, tuple(from_), tuple(to), subject, names.get(id_, ()), logins.get(id_, ()),
                files.get(id_, 0),
            )
            for id_, at, direction, from_, to, subject in found
        ),
        total(session, rows),
        query.offset,
    )  # fmt: skip


def activities(session: Session, query: Query) -> Page[ActivityRow]:
    """The newest first."""
    a = Activity
    rows = (
        select(a, Account.name, User.login, Opportunity.title)
        .outerjoin(Account, Account.id == a.account_id)
        .outerjoin(User, User.id == a.user_id)
        .outerjoin(Opportunity, Opportunity.id == a.opportunity_id)
        .where(a.deleted_at.is_(None), visible.activities(query.reader))
        .where(like(query, a.subject, Account.name))
    )
    if query.activity is None:  # the history, or what is to enter it (R114)
        wanted_state = ActivityState.PENDING_REPORT if query.pending else ActivityState.VALIDATED
        rows = rows.where(a.state == wanted_state)
    if query.account is not None:
        rows = rows.where(a.account_id == query.account)
    if query.contact is not None:
        mine = select(ActivityContact.activity_id).where(ActivityContact.contact_id == query.contact)
        rows = rows.where(a.id.in_(mine))
    for column, wanted in (
        (a.opportunity_id, query.opportunity),
        (a.email_id, query.email),
        (a.id, query.activity),
    ):
        if wanted is not None:
            rows = rows.where(column == wanted)
    if query.since is not None:
        rows = rows.where(a.occurred_at >= query.since)
    found = session.execute(page(rows, query, a.occurred_at.desc(), a.id.desc())).all()
    people = grouped(
        (activity, f"{first} {last}".strip())
        for activity, first, last in session.execute(
            select(ActivityContact.activity_id, Contact.first_name, Contact.last_name)
            .join(Contact, Contact.id == ActivityContact.contact_id)
            .where(ActivityContact.activity_id.in_([one.id for one, *_ in found]))
            .order_by(Contact.last_name, Contact.id)
        )
    )
    codes = value_lists.of_rows(session, (one.type_id for one, *_ in found))
    return Page(
        tuple(
            ActivityRow(
                one.id, one.occurred_at, codes.get(one.type_id or 0, one.type.value), account,
                people.get(one.id, ()), one.subject, title, login,
                one.automatic, one.email_id, one.state, one.duration_min,
            )
            for one, account, login, title in found
        ),
        total(session, rows),
        query.offset,
    )  # fmt: skip


def quarantine(session: Session, query: Query) -> Page[QuarantineRow]:
    """The oldest first."""
    q = Quarantine
    rows = (
        select(Mailbox.name, Collection.remote_ref, q)
        .join(Collection, Collection.id == q.collection_id)
        .join(Mailbox, Mailbox.id == Collection.mailbox_id)
        .where(like(query, q.error, Collection.remote_ref), visible.mailboxes(query.reader))
    )
    if query.mailbox is not None:
        rows = rows.where(Mailbox.name == query.mailbox)
    if query.since is not None:
        rows = rows.where(q.last_at >= query.since)
    found = session.execute(page(rows, query, q.first_at, Collection.id, q.remote_ref))
    return Page(
        tuple(
            QuarantineRow(name, ref, one.remote_ref, one.error, one.first_at, one.last_at, one.tries)
            for name, ref, one in found
        ),
        total(session, rows),
        query.offset,
    )


def runs(session: Session, query: Query) -> Page[RunRow]:
    """The newest first."""
    rows = select(Run, Mailbox.name).join(Mailbox, Mailbox.id == Run.mailbox_id)
    rows = rows.where(like(query, Run.ref), visible.mailboxes(query.reader))
    if query.mailbox is not None:
        rows = rows.where(Mailbox.name == query.mailbox)
    if query.since is not None:
        rows = rows.where(Run.started_at >= query.since)
    found = session.execute(page(rows, query, Run.started_at.desc(), Run.id.desc()))
    return Page(
        tuple(
            RunRow(r.ref, name, r.started_at, r.ended_at, r.pulled, r.logged, r.error) for r, name in found
        ),
        total(session, rows),
        query.offset,
    )


def account_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """The names of some accounts."""
    names: dict[int, str] = {}
    for part in chunked(ids):
        rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(part)))
        names.update((id_, name) for id_, name in rows)
    return names


def opportunity_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """What some opportunities are called, their reference first where they have one."""
    names: dict[int, str] = {}
    for part in chunked(ids):
        rows = session.execute(
            select(Opportunity.id, Opportunity.reference, Opportunity.title).where(Opportunity.id.in_(part))
        )
        names.update((id_, f"{reference} {title}" if reference else title) for id_, reference, title in rows)
    return names


def logins(session: Session) -> dict[int | None, str]:
    return dict(pairs(session.execute(select(User.id, User.login))))
