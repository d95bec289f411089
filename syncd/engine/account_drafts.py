"""Accounts that somebody asks for who may not create them, and what becomes of that (R156, reading 18)."""

from collections.abc import Mapping
from dataclasses import replace

from config.language import Phrase
from config.rights import Scope
from store import account_drafts, importing
from store.csvfile import Fault, Line
from store.database import Transaction
from store.errors import Invalid
from store.fields import ACCOUNTS
from store.importing import Occasion, Saved
from store.rights import Verb
from syncd.engine import records
from syncd.engine.records import Follows

LONGEST_REASON = 255  # characters


def ask(session: Transaction, cells: Mapping[str, str], occasion: Occasion) -> tuple[int, list[Fault]]:
    """Keeps a draft that could be an account as it is; returns its id, and what is odd about it. Raises
    Refused with every mistake, and Invalid where an account that is there is named."""
    if "id" in cells:
        raise Invalid(Phrase("id: a draft is of a new account"))
    warnings = importing.validate(session, ACCOUNTS, [Line(1, dict(cells))], occasion)
    return account_drafts.add(session, cells, occasion.actor, occasion.now), warnings


def approve(session: Transaction, id_: int, occasion: Occasion, follows: Follows) -> Saved:
    """Makes the account, whose owner is whoever asked for it unless the draft names another. Raises NotFound,
    Invalid, Forbidden, and Refused where something that it names has gone meanwhile."""
    _may_decide(occasion, "approve", id_)
    cells, login = account_drafts.waiting(session, id_)
    if login is not None and not {"owner", "owner_id"} & cells.keys():
        cells = {**cells, "owner": login}
    named = replace(occasion, source=f"account draft {id_}")
    saved = records.save(session, ACCOUNTS, [Line(1, dict(cells))], named, follows=follows)
    if not saved.created:
        raise Invalid(
            Phrase(
                'draft {id}: an account with the ext_id "{get}" is there already',
                id=id_,
                get=cells.get("ext_id"),
            )
        )
    account_drafts.settle(session, id_, occasion.actor, occasion.now, account_id=saved.created[0])
    return saved


def reject(session: Transaction, id_: int, reason: str | None, occasion: Occasion) -> None:
    """Keeps the draft as rejected. Raises NotFound, Invalid, Forbidden."""
    _may_decide(occasion, "reject", id_)
    if reason is not None and (len(reason) > LONGEST_REASON or not reason.isprintable()):
        raise Invalid(
            Phrase("reason: one line of at most {longest_reason} characters", longest_reason=LONGEST_REASON)
        )
    account_drafts.waiting(session, id_)
    account_drafts.settle(session, id_, occasion.actor, occasion.now, reason=reason or None)


def _may_decide(occasion: Occasion, verb: str, id_: int) -> None:
    if occasion.actor.scope("account", Verb.CREATE) is Scope.NONE:
        raise occasion.actor.refuse(
            Phrase("approve draft {id}", id=id_)
            if verb == "approve"
            else Phrase("reject draft {id}", id=id_),
            "account",
            Verb.CREATE,
        )
