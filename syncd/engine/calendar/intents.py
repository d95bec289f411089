"""What an intent keeps of a decision as JSON: the units of open conflicts, and what loses by it; and how long
its write may still be made."""

import json
from collections.abc import Sequence
from datetime import timedelta

from syncd.core.canonical import Unit
from syncd.core.conflicts import UnitConflict, Winner

# How long a server may work on a request whose client is gone. ASP.NET ends one after 110 seconds unless it
# is told otherwise (HttpRuntimeSection.ExecutionTimeout); a proxy before it may hold one back for minutes.
WORKED_ON = timedelta(minutes=10)


def units_text(held: frozenset[tuple[str, Unit]]) -> str:
    """Held units as JSON."""
    return json.dumps(sorted((key, unit.value) for key, unit in held))


def units_of(text: str) -> frozenset[tuple[str, Unit]]:
    """The inverse of `units_text`."""
    return frozenset((key, Unit(unit)) for key, unit in json.loads(text))


def conflicts_text(conflicts: Sequence[UnitConflict]) -> str:
    """Conflicts as JSON."""
    return json.dumps(
        [[one.key, one.unit.value if one.unit else "", one.base, one.crm, one.remote, one.winner.value]
         for one in conflicts],
        ensure_ascii=False,
    )  # fmt: skip


def conflicts_of(text: str) -> tuple[UnitConflict, ...]:
    """The inverse of `conflicts_text`."""
    return tuple(
        UnitConflict(key, Unit(unit) if unit else None, base, crm, remote, Winner(winner))
        for key, unit, base, crm, remote, winner in json.loads(text)
    )
