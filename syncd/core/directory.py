"""Who is known: the addresses of users, contacts and accounts, as matching needs them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# Domains at which anybody can have an address: they never tell a company.
PUBLIC_DOMAINS = frozenset(
    """
    aol.com bbox.fr bluewin.ch caramail.fr club-internet.fr free.fr freenet.de gmail.com gmx.at
    gmx.ch gmx.com gmx.de gmx.fr gmx.net googlemail.com hotmail.be hotmail.co.uk hotmail.com
    hotmail.de hotmail.es hotmail.fr hotmail.it icloud.com laposte.net libero.it live.be live.com
    live.fr mac.com mail.com mail.ru me.com msn.com neuf.fr numericable.fr orange.fr outlook.be
    outlook.com outlook.de outlook.es outlook.fr outlook.it pm.me proton.me protonmail.ch
    protonmail.com sfr.fr skynet.be t-online.de telenet.be tutanota.com voila.fr wanadoo.fr web.de
    yahoo.co.uk yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it yandex.ru ymail.com zoho.com
    """.split()
)


@dataclass(frozen=True, slots=True)
class Target:
    """A record that an address stands for."""

    account_id: int
    contact_id: int | None  # None = the account's own address


@dataclass(frozen=True, slots=True)
class OpenOpportunity:
    """An opportunity that mail may be linked to."""

    id: int
    reference: str | None


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A dossier that mail may be linked to."""

    id: int
    code: str


@dataclass(frozen=True, slots=True)
class Directory:
    """One state of the CRM's addresses. `version` tells which."""

    version: int
    own: Mapping[str, int]  # users' addresses and aliases -> user
    contacts: Mapping[str, tuple[Target, ...]]  # by address, lower-cased
    accounts: Mapping[str, tuple[Target, ...]]  # by the account's own address
    domains: Mapping[str, int]  # domain -> the one account that it belongs to
    opportunities: Mapping[int, tuple[OpenOpportunity, ...]] = field(
        default_factory=dict
    )  # open ones, by account
    cases: Mapping[int, tuple[OpenCase, ...]] = field(default_factory=dict)  # open dossiers, by account
    general_cases: tuple[OpenCase, ...] = ()

    def addresses(self) -> Iterable[str]:
        """Every address that can be a reason to log."""
        yield from self.contacts
        yield from (address for address in self.accounts if address not in self.contacts)


def company_domains(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """From (domain, account) pairs those domains that belong to exactly one account and to a company."""
    found: dict[str, int | None] = {}
    for domain, account in pairs:
        if not domain or domain in PUBLIC_DOMAINS:
            continue
        found[domain] = account if found.get(domain, account) == account else None
    return {domain: account for domain, account in found.items() if account is not None}
