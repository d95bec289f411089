"""A deal with an account that is not there yet (R157): all of it is added, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from config.rights import Scope
from store import importing
from store.csvfile import Line, Refused
from store.database import Transaction
from store.errors import Forbidden, Invalid
from store.fields import ACCOUNTS, DEALS, PROJECTS, Kind
from store.import_runs import ImportMode
from store.importing import Occasion, Options, Saved
from store.rights import Verb
from syncd.engine import records
from syncd.engine.records import Follows


@dataclass(frozen=True, slots=True)
class Asked:
    """The cells of each. The project is the account's, the deal the project's."""

    account: Mapping[str, str]
    project: Mapping[str, str]
    deal: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NewDeal:
    """What was made."""

    account: int
    project: int
    deal: int
    saved: Saved  # what is odd about it


def add(session: Transaction, asked: Asked, occasion: Occasion, follows: Follows) -> NewDeal:
    """The account gets its status once, with the deal. Raises Forbidden where the actor may not create
    accounts (R156), and Refused with every mistake in one of the three: those of the account are named
    "account.name" and so on."""
    if occasion.actor.scope("account", Verb.CREATE) is Scope.NONE:
        refused = occasion.actor.refuse("create the account of a deal", "account", Verb.CREATE)
        raise Forbidden(
            f"{refused}; `syncd account add --as {occasion.actor.login}` asks for one that others approve"
        )
    made = Saved()
    account_id = _made(session, ACCOUNTS, asked.account, occasion, made)
    project_id = _made(session, PROJECTS, {**asked.project, "account_id": str(account_id)}, occasion, made)
    deal_id = _made(session, DEALS, {**asked.deal, "project_id": str(project_id)}, occasion, made)
    records.settle(session, made.accounts, occasion.today, occasion.now, follows)
    return NewDeal(account_id, project_id, deal_id, made)


def _made(session: Transaction, kind: Kind, cells: Mapping[str, str], occasion: Occasion, made: Saved) -> int:
    """The id of the new record; what is to be told of it is added to `made`."""
    prefix = "" if kind is DEALS else f"{kind.entity}."
    try:
        saved = importing.save(session, kind, [Line(1, dict(cells))], occasion, Options(ImportMode.CREATE))
    except Refused as error:
        raise Refused(
            [replace(one, column=f"{prefix}{one.column}" if one.column else "") for one in error.faults]
        ) from None
    if not saved.created:
        raise Invalid(f'the {kind.entity} with the ext_id "{cells.get("ext_id")}" was deleted here')
    made.warnings += [replace(one, column=f"{prefix}{one.column}") for one in saved.warnings]
    made.accounts |= saved.accounts
    return saved.created[0]
