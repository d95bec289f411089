"""What `syncd forget` would find, for the verbs after which somebody may want it."""

from collections.abc import Sequence

from store import forget
from store.status import of_ledger
from syncd.daemon.clock import now
from syncd.daemon.wiring import Installation
from syncd.engine.erasing import Erasing
from syncd.engine.forget import Forgetting, Selection
from syncd.engine.person_export import PersonExport


def forgetting(installation: Installation) -> Forgetting:
    """The means to forget, under the present rules."""
    return Forgetting(
        installation.database,
        installation.blobs,
        installation.hashed,
        installation.mail.rules.policy(now()),
        installation.settings.workspace.default_country,
    )


def erasing(installation: Installation) -> Erasing:
    """The means to erase a person."""
    return Erasing(
        installation.database,
        installation.blobs,
        installation.hashed,
        installation.leases,
        installation.settings.workspace.default_country,
    )


def person_export(installation: Installation) -> PersonExport:
    """The means to hand out all that is stored of a person."""
    country = installation.settings.workspace.default_country
    return PersonExport(installation.database, installation.blobs, country)


def would_be_forgotten(installation: Installation) -> int:
    """How many logged e-mails exclusions and own addresses keep out now."""
    return len(forgetting(installation).preview(Selection(excluded=True)).mails)


def rules_changed(installation: Installation) -> bool:
    """Whether the rules of `[mail]` are others than those that the ledger was judged by."""
    with installation.database.read() as session:
        before = of_ledger(session).policy
    return before not in ("", installation.mail.rules.policy_hash)


def freed(installation: Installation, addresses: Sequence[str]) -> dict[str, int]:
    """For addresses that nobody has any more, how many logged e-mails stand because of each."""
    with installation.database.read() as session:
        return forget.count(session, addresses)
