"""The CRM of a small company: what a test puts into it, and what a person sees who opens the database."""

from collections.abc import Mapping
from datetime import UTC, datetime

from store import directory, recommendations
from store.accounts import Account as CrmAccount
from store.accounts import AccountType
from store.actors import admin_at_machine
from store.audit_log import Channel
from store.contacts import Contact, CreatedVia, Gender
from store.database import Database
from store.pipeline import CaseFile, CaseScope, Opportunity, OpportunityAccount, OpportunityStatus
from store.recommendations import Advice, By, Category
from tests.servers import looking

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Crm:
    """A database of the CRM."""

    database_url: str
    now: datetime

    def database(self) -> Database:
        return Database(self.database_url)

    def add_account(self, name: str, **columns: object) -> int:
        """An account of type CUSTOMER; returns its id."""
        row = CrmAccount(
            name=name,
            type=AccountType.CUSTOMER,
            created_on=NOW.date(),
            created_at=NOW,
            updated_at=NOW,
            **columns,
        )
        return self._add(row)

    def advise(self, account_id: int, message: str | None) -> None:
        """A person writes the account's recommendation, or takes it away."""
        database = self.database()
        by = By(admin_at_machine("root"), Channel.CLI, self.now)
        with database.write() as session:
            if message is None:
                recommendations.clear(session, account_id, by)
            else:
                recommendations.put(session, account_id, Advice(message, Category.PAYMENT_NOTICE), by)
        database.close()

    def add_contact(self, account_id: int, email: str, **columns: object) -> int:
        """A contact of the account; returns its id."""
        row = Contact(
            account_id=account_id,
            last_name=email.partition("@")[0],
            first_name="",
            email=email,
            gender=Gender.UNSPECIFIED,
            created_via=CreatedVia.MANUAL,
            created_at=NOW,
            updated_at=NOW,
            **columns,
        )
        return self._add(row)

    def add_opportunity(self, account_id: int, reference: str | None = None) -> int:
        """An open opportunity of the account; returns its id."""
        opportunity = self._add(
            Opportunity(
                title="Une affaire",
                reference=reference,
                status=OpportunityStatus.OPEN,
                created_at=NOW,
                updated_at=NOW,
            )
        )
        self._add(OpportunityAccount(opportunity_id=opportunity, account_id=account_id, main=True))
        return opportunity

    def add_case(self, code: str, account_id: int | None = None) -> int:
        """A dossier, general unless an account is named; returns its id."""
        scope = CaseScope.GENERAL if account_id is None else CaseScope.ACCOUNT
        return self._add(
            CaseFile(
                code=code, title=code, scope=scope, account_id=account_id, created_at=NOW, updated_at=NOW
            )
        )

    def _add(self, row: CrmAccount | Contact | Opportunity | OpportunityAccount | CaseFile) -> int:
        database = self.database()
        try:
            with database.write() as session:
                directory.state(session)
                session.add(row)
                session.flush()
                directory.bump(session)
                return 0 if isinstance(row, OpportunityAccount) else row.id
        finally:
            database.close()

    def rows(self, sql: str, **values: object) -> list[tuple[object, ...]]:
        """What a person sees who opens the database."""
        with looking.opened(self.database_url) as look:
            return look(sql, values)

    def tables(self, queries: Mapping[str, str]) -> dict[str, list[tuple[object, ...]]]:
        """What a person sees who asks all this, each sorted, by the questions' names."""
        with looking.opened(self.database_url) as look:
            return {name: sorted(look(sql), key=repr) for name, sql in queries.items()}

    def one(self, sql: str, **values: object) -> object:
        """The only value of the only row."""
        ((value,),) = self.rows(sql, **values)
        return value
