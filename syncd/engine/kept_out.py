"""Messages of a person who was erased are not logged again, in whatever folder or mailbox they turn up."""

from collections.abc import Sequence
from dataclasses import replace

from store import erased
from store.database import Database
from syncd.core.identity import KeyedHash
from syncd.core.matching import Decision, Verdict
from syncd.engine.reading import Judged


def without_erased(database: Database, hashed: KeyedHash, judged: Sequence[Judged]) -> list[Judged]:
    """The same; those that were erased have that verdict, and nothing by which they are found again.

    Call it after the directory that they were judged by was read: an erasure makes that one old.
    """
    keys = {one.uid: hashed.erased(one.fingerprint) for one in judged if one.fingerprint is not None}
    with database.read() as session:
        gone = erased.among(session, keys.values())
    if not gone:
        return list(judged)
    return [
        replace(one, decision=Decision(Verdict.ERASED, one.decision.sent))
        if keys.get(one.uid) in gone
        else one
        for one in judged
    ]
