"""A deal that is added together with its account (R157)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from config.language import Phrase
from syncd.cli import sold
from syncd.cli.context import UsageError
from syncd.cli.options import parameter
from syncd.cli.output import as_json, say
from syncd.cli.saving import occasion, warnings, wrong

if TYPE_CHECKING:
    from syncd.daemon.wiring import Installation

OPTIONS = [
    parameter(
        "new_account",
        Annotated[
            str | None,
            typer.Option(
                "--new-account",
                metavar="NAME",
                help="Add this account with it; the project, by default named as the deal, is new too.",
            ),
        ],
    ),
    parameter(
        "account_type",
        Annotated[
            str | None,
            typer.Option(
                "--account-type",
                help="Of the new account: customer, competitor, group, internal or partner.",
            ),
        ],
    ),
]
# What each fault is about, as the options name it.
GIVEN_BY = {"account.name": "new_account", "account.type": "account_type", "project.name": "project"}


def wanted(cells: Mapping[str, str]) -> bool:
    """Whether an account is to be added with the deal. Raises UsageError."""
    if "new_account" in cells:
        return True
    if "account_type" in cells:
        raise UsageError(Phrase("--account-type: is for --new-account NAME"))
    return False


def add(installation: "Installation", asked: sold.Given, cells: Mapping[str, str]) -> None:
    """Adds account, project and deal in one transaction, and tells of them."""
    from store.csvfile import Refused
    from syncd.engine import new_deals

    deal = dict(cells)
    account = {"name": deal.pop("new_account"), "type": deal.pop("account_type", "")}
    if asked.login is not None:
        account["owner"] = asked.login
    project = {"name": deal.pop("project", "") or deal.get("title", "")}
    with installation.database.write() as session:
        said = occasion(installation, session, "deal add", asked.login)
        try:
            made = new_deals.add(session, new_deals.Asked(account, project, deal), said, installation.follows)
        except Refused as error:
            faults = [replace(one, column=GIVEN_BY.get(one.column, one.column)) for one in error.faults]
            raise wrong(Refused(faults)) from None
    if asked.json:
        told = {"account": made.account, "project": made.project}
        as_json({"changed": True, "deal": sold.fields_of(installation, "deal", made.deal), **told})
        return
    warnings(made.saved)
    say(
        Phrase(
            "account {account}, project {project} and deal {deal} added",
            account=made.account,
            project=made.project,
            deal=made.deal,
        )
    )
