"""Who is known: the CRM's addresses in memory, and the search of the ledger when they change."""

import threading
from collections.abc import Iterator

from store import directory as store_directory
from store import ledger
from store.database import Database
from store.errors import StoreError
from store.sync_state import VerdictKind
from syncd.core.directory import Directory, OpenCase, OpenOpportunity, Target, company_domains
from syncd.core.identity import KeyedHash

RULES_DECIDED = frozenset(
    {
        VerdictKind.NO_CONTACT,
        VerdictKind.INTERNAL,
        VerdictKind.EXCLUDED,
        VerdictKind.PRIVATE,
        VerdictKind.TOO_OLD,
    }
)


class Known:
    """Gives the current directory; reads it again only when something in it changed."""

    def __init__(self, database: Database, hashed: KeyedHash) -> None:
        self._database = database
        self._hashed = hashed
        self._lock = threading.Lock()
        self._directory: Directory | None = None

    def directory(self) -> Directory:
        """The directory as it is now."""
        with self._database.read() as session:
            version = store_directory.version(session)
            with self._lock:
                if self._directory is None or self._directory.version != version:
                    self._directory = build(store_directory.snapshot(session))
                return self._directory

    def catch_up(self, policy: str, *, domains: bool) -> int:
        """Searches the ledger for addresses that were not known before, and queues what it finds.

        `policy` is the hash of the rules of `[mail]`; where they changed, every message that a rule kept
        out is queued. Returns how many messages were queued by address.
        """
        with self._database.write() as session:
            state = store_directory.state(session, lock=True)
            self._check_secret(state.key_check)
            state.key_check = self._hashed.check()
            directory = build(store_directory.snapshot(session))
            targets = dict(self._targets(directory, domains=domains))
            fresh = ledger.exchange_known(session, set(targets))
            found = ledger.enqueue_by_keys(session, {targets[key] for key in fresh})
            if state.policy not in ("", policy):
                ledger.enqueue_all(session, RULES_DECIDED)
            state.policy = policy
            state.matched_version = state.version
            return found

    def _targets(self, directory: Directory, *, domains: bool) -> Iterator[tuple[int, int]]:
        """For each (address, record) its own key, and the key of the address in the ledger.

        By record, since a second contact with a known address has older mail to find as well.
        """
        for index in (directory.contacts, directory.accounts):
            for email, targets in index.items():
                address = self._hashed.address(email)
                for target in targets:
                    yield self._hashed.target(email, target.account_id, target.contact_id), address
        if domains:
            for domain, account in directory.domains.items():
                yield self._hashed.target("@" + domain, account, None), self._hashed.domain(domain)

    def _check_secret(self, known: str) -> None:
        if known and known != self._hashed.check():
            raise StoreError(
                "the ledger was made with another secret: put the former hash.key back into the state folder "
                "(without it no older message can be found again)"
            )


def build(rows: store_directory.Snapshot) -> Directory:
    """The store's rows as matching wants them."""
    contacts: dict[str, tuple[Target, ...]] = {}
    for email, account, contact in rows.contacts:
        contacts[email] = (*contacts.get(email, ()), Target(account, contact))
    accounts: dict[str, tuple[Target, ...]] = {}
    for email, account in rows.accounts:
        accounts[email] = (*accounts.get(email, ()), Target(account, None))
    pairs = [(email.rpartition("@")[2], account) for email, account, _ in rows.contacts]
    pairs += [(email.rpartition("@")[2], account) for email, account in rows.accounts]
    opportunities: dict[int, tuple[OpenOpportunity, ...]] = {}
    for account, opportunity, reference in rows.opportunities:
        opportunities[account] = (*opportunities.get(account, ()), OpenOpportunity(opportunity, reference))
    cases: dict[int, tuple[OpenCase, ...]] = {}
    general: list[OpenCase] = []
    for owner, case, code in rows.cases:
        if owner is None:
            general.append(OpenCase(case, code))
        else:
            cases[owner] = (*cases.get(owner, ()), OpenCase(case, code))
    return Directory(
        version=rows.version,
        own=rows.own,
        contacts=contacts,
        accounts=accounts,
        domains=company_domains(pairs + rows.websites),
        opportunities=opportunities,
        cases=cases,
        general_cases=tuple(general),
    )
