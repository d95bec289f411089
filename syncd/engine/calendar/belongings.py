"""What only the CRM knows of an event or task: account, opportunity and dossier (R085, R086, R089)."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.language import Phrase
from store import references, scheduling, visible
from store.accounts import AccountType
from store.actors import Actor
from store.database import Transaction
from store.errors import Invalid, NotFound
from store.scheduling import AccountFacts

ACCOUNTS = frozenset({AccountType.CUSTOMER, AccountType.PARTNER, AccountType.GROUP})


@dataclass(frozen=True, slots=True)
class Said:
    """Which of them a person named; None leaves it, an empty text empties it."""

    account: str | None = None
    opportunity: str | None = None
    case_file: str | None = None


Linked = dict[str, int | None]


def linked(session: Transaction, said: Said, known: Mapping[str, int | None], reader: Actor) -> Linked:
    """The columns that change: account_id, opportunity_id, case_file_id. Raises Invalid, also where the
    reader may not see what is named."""
    found = _linked(session, said, known)
    for kind, text, id_ in (
        ("account", said.account, found.get("account_id")),
        ("opportunity", said.opportunity, found.get("opportunity_id")),
    ):
        if text and id_ is not None:
            try:
                visible.require(session, reader, kind, id_)
            except NotFound as error:
                raise Invalid(Phrase("{field}: {error}", field=kind, error=error)) from None
    return found


def _linked(session: Transaction, said: Said, known: Mapping[str, int | None]) -> Linked:
    found: Linked = {}
    account = known.get("account_id")
    opportunity = known.get("opportunity_id")
    if said.account is not None:
        account = found["account_id"] = account_named(session, said.account)
        if account is None and said.opportunity is None:
            opportunity = found["opportunity_id"] = None
    if said.opportunity is not None:
        opportunity = None
        if said.opportunity:
            opportunity, account = _opportunity(session, said.opportunity, account)
            found["account_id"] = account
        found["opportunity_id"] = opportunity
    elif opportunity is not None and account is not None and "account_id" in found:
        _belongs(session, str(opportunity), account, "account")
    if said.case_file is not None:
        found["case_file_id"] = _case(session, said.case_file, account) if said.case_file else None
    return found


def account_named(session: Transaction, text: str) -> int | None:
    """The account of that id, ext_id or name, if an event may concern it. Raises Invalid."""
    if not text:
        return None
    try:
        facts = scheduling.account(session, references.account(session, text))
    except NotFound as error:
        raise Invalid(Phrase("account: {error}", error=error)) from None
    if facts.type not in ACCOUNTS:
        raise Invalid(
            Phrase(
                "account: {facts} is of type {type}; an event concerns a client, a prospect, a partner "
                "or a group",
                facts=facts.name,
                type=facts.type.value,
            )
        )
    return facts.id


def _opportunity(session: Transaction, text: str, account: int | None) -> tuple[int, int | None]:
    """The opportunity, and the account that goes with it."""
    try:
        facts = scheduling.opportunity(session, text)
    except NotFound as error:
        raise Invalid(Phrase("opportunity: {error}", error=error)) from None
    if account is None:
        return facts.id, next(iter(facts.accounts), None)
    _belongs(session, str(facts.id), account, "opportunity")
    return facts.id, account


def _belongs(session: Transaction, opportunity: str, account: int, field: str) -> None:
    try:
        facts = scheduling.opportunity(session, opportunity)
        name = scheduling.account(session, account).name
    except NotFound:
        return
    if account not in facts.accounts:
        raise Invalid(
            Phrase(
                "{field}: opportunity {facts} is not one of account {name}",
                field=field,
                facts=facts.name,
                name=name,
            )
        )


def _case(session: Transaction, text: str, account: int | None) -> int:
    try:
        facts = scheduling.case_file(session, text)
    except NotFound as error:
        raise Invalid(Phrase("case_file: {error}", error=error)) from None
    if facts.account_id is not None and account is not None and facts.account_id != account:
        raise Invalid(Phrase("case_file: dossier {code} is another account's", code=facts.code))
    return facts.id


def address(session: Transaction, account_id: int | None) -> str:
    """Where the account is; empty where nobody knows."""
    facts = facts_of(session, account_id)
    return facts.address if facts else ""


def facts_of(session: Transaction, account_id: int | None) -> AccountFacts | None:
    """The account, unless it is gone."""
    if account_id is None:
        return None
    try:
        return scheduling.account(session, account_id)
    except NotFound:
        return None
