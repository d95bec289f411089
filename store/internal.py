"""What is sold to an internal account is never billable (R148), however it came to be internal."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.language import Phrase
from store.accounts import Account, AccountType
from store.csvfile import Fault
from store.deals import Deal, Project
from store.fields import ACCOUNTS, PROJECTS, Kind
from store.import_rows import Record
from store.ledger import chunked


def keep_unbillable(session: Session, kind: Kind, written: Sequence[Record], now: datetime) -> list[Fault]:
    """Call it when accounts or projects are written: deals that lie on an internal account now are no longer
    billable, and it is told of which record that comes."""
    if kind is ACCOUNTS:
        lines = {
            record.id: record.line
            for record in written
            if record.before is not None
            and record.after("type") is AccountType.INTERNAL
            and record.before.get("type") is not AccountType.INTERNAL
        }
        column = Project.account_id
    elif kind is PROJECTS:
        lines = {record.id: record.line for record in written if record.before is not None}
        column = Project.id
    else:
        return []
    told: list[Fault] = []
    for part in chunked(lines):
        query = (
            select(Deal.id, column)
            .join(Project, Project.id == Deal.project_id)
            .join(Account, Account.id == Project.account_id)
            .where(column.in_(part), Account.type == AccountType.INTERNAL, Deal.billable)
        )
        counted: dict[int, list[int]] = {}
        for deal, cause in session.execute(query):
            counted.setdefault(cause, []).append(deal)
        for cause, deals in counted.items():
            for some in chunked(deals):
                session.execute(
                    update(Deal)
                    .where(Deal.id.in_(some))
                    .values(billable=False, version=Deal.version + 1, updated_at=now)
                    .execution_options(synchronize_session=False)
                )
            told.append(
                Fault(lines[cause], "type" if kind is ACCOUNTS else "account",
                      Phrase("the account is internal: {count} of its deals are no longer billable",
                             count=len(deals)))
            )  # fmt: skip
    return told
