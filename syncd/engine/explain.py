"""Why a message is in the CRM, or why not: the rule and the evidence. Reads the database only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from store import evidence
from store.database import Database, Transaction
from store.evidence import MailEvidence, Sighting
from store.sync_state import VerdictKind
from syncd.core.identity import KeyedHash

RULE = re.compile(r"mail\.exclude rule (\d+)")
RECORD = re.compile(r"(email|activity):(\d+)")
NAMED = re.compile(r"([a-z]+):(\d+)")
UID = re.compile(r"(?P<folder>.+):(?P<uid>\d{1,10})")

MEANING = {
    VerdictKind.LOGGED: "logged",
    VerdictKind.NO_CONTACT: "not logged: no address in it belongs to a contact or an account",
    VerdictKind.INTERNAL: "not logged: everybody in it is a user of the CRM",
    VerdictKind.EXCLUDED: "not logged: excluded",
    VerdictKind.PRIVATE: "not logged: private",
    VerdictKind.TOO_OLD: "not logged: older than mail.since",
    VerdictKind.ERASED: "not logged: erased with a person",
    VerdictKind.QUARANTINED: "in quarantine: it could not be read",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One message in one folder, in words."""

    sighting: Sighting
    meaning: str
    rule: str | None  # the text of the exclusion rule, as the config has it now


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of an item."""

    item: str
    mails: tuple[MailEvidence, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether anything at all is known."""
        return bool(self.mails or self.findings)


def explain(
    database: Database, hashed: KeyedHash, item: str, *, rules: Sequence[str], mailbox: str | None = None
) -> Explanation:
    """What is known of `item`: a Message-ID, "email:12", "activity:5", "FOLDER:UID" or "MAILBOX:FOLDER:UID".

    `rules` are the exclusions of the config as text, in their order.
    """
    item = item.strip()
    with database.read() as session:
        record = RECORD.fullmatch(item)
        if record:
            return _of_record(session, item, record[1], int(record[2]), rules)
        place = _place(session, item, mailbox)
        if place is not None:
            name, folder, uid = place
            sightings = evidence.by_place(session, folder, uid, name)
            notes = () if sightings else (_unseen(f"no message with UID {uid} in folder {folder!r}"),)
            return _with_mails(session, item, sightings, [], rules=rules, notes=notes)
        if (named := NAMED.fullmatch(item)) is not None:
            return Explanation(item, (), (), (_no_such(named[1], named[2]),))
        return _of_message_id(session, item, hashed, rules)


def _no_such(kind: str, number: str) -> str:
    """Of a record that is not there, or of a kind that nobody explains: a Message-ID looks otherwise."""
    if kind in ("event", "task"):
        return f"There is no {kind} {number}: `syncd list {kind}s` has their ids."
    return (
        f"{kind}:{number} names nothing that is known. Write a Message-ID, email:12, activity:5, FOLDER:UID, "
        "MAILBOX:FOLDER:UID, event:12, task:5, or the UID of an event or task."
    )


def _of_record(session: Transaction, item: str, kind: str, number: int, rules: Sequence[str]) -> Explanation:
    email_id: int | None = number
    if kind == "activity":
        there, email_id = evidence.mail_of_activity(session, number)
        if not there:
            return Explanation(item, (), (), (f"There is no activity {number}.",))
        if email_id is None:
            return Explanation(
                item, (), (), (f"Activity {number} was made by a person: no mail is behind it.",)
            )
    if email_id is None or evidence.mail(session, email_id) is None:
        return Explanation(
            item, (), (), (f"There is no e-mail {email_id}: `syncd list emails` has their ids.",)
        )
    return _with_mails(
        session, item, evidence.of_mails(session, [email_id]), [email_id], rules=rules, notes=()
    )


def _of_message_id(session: Transaction, item: str, hashed: KeyedHash, rules: Sequence[str]) -> Explanation:
    message_id = item.removeprefix("<").removesuffix(">").strip()
    mails = evidence.mails_by_message_id(session, message_id)
    sightings = evidence.by_key(session, hashed.message_id(message_id))
    # The same key stands at the answers. A logged one is known to be another message.
    mine = [one for one in sightings if one.email_id is None or one.email_id in mails]
    notes = []
    if any(one.email_id is None for one in mine):
        notes.append(
            "Of a message that is not logged only hashes are kept: what is shown carries this Message-ID "
            "or answers to it."
        )
    answers = len(sightings) - len(mine)
    if answers:
        notes.append(f"{answers} logged messages answer to it.")
    if not mine and not mails:
        notes.append(_unseen("no message with this Message-ID"))
        quarantined = evidence.quarantined(session)
        if quarantined:
            notes.append(
                f"{quarantined} messages are in quarantine; they cannot be recognised by an id: "
                "`syncd list quarantine` shows them."
            )
    return _with_mails(session, item, mine, mails, rules=rules, notes=notes)


def _with_mails(
    session: Transaction,
    item: str,
    sightings: Sequence[Sighting],
    mails: Sequence[int],
    *,
    rules: Sequence[str],
    notes: Sequence[str],
) -> Explanation:
    ids = dict.fromkeys([*mails, *(one.email_id for one in sightings if one.email_id is not None)])
    found = [evidence.mail(session, id_) for id_ in ids]
    return Explanation(
        item,
        tuple(one for one in found if one is not None),
        tuple(_finding(one, rules) for one in sightings),
        tuple(notes),
    )


def _finding(sighting: Sighting, rules: Sequence[str]) -> Finding:
    meaning = MEANING[sighting.verdict]
    rule = None
    if sighting.reason is not None and sighting.verdict is not VerdictKind.QUARANTINED:
        number = RULE.fullmatch(sighting.reason)
        if number and int(number[1]) <= len(rules):
            rule = rules[int(number[1]) - 1]
        meaning = f"{meaning} ({sighting.reason})"
    if sighting.error is not None:
        times = "once" if sighting.tries == 1 else f"{sighting.tries} times"
        meaning = f"{meaning}: {sighting.error} (tried {times}; `syncd sync --quarantined` tries again)"
    if sighting.waiting:
        meaning += "; waits to be judged again in the next cycle"
    return Finding(sighting, meaning, rule)


def _place(session: Transaction, item: str, mailbox: str | None) -> tuple[str | None, str, int] | None:
    """The mailbox, folder and UID that an item names; None where it is a Message-ID."""
    found = UID.fullmatch(item)
    if found is None:
        return None
    folder, uid = found["folder"], int(found["uid"])
    known = evidence.folders(session)
    name, colon, rest = folder.partition(":")
    if mailbox is None and colon and (name, rest) in known:
        return name, rest, uid
    if any(ref == folder and mailbox in (None, box) for box, ref in known):
        return mailbox, folder, uid
    return None if mailbox is None else (mailbox, folder, uid)


def _unseen(what: str) -> str:
    return (
        f"There is {what} here: it was never seen, is in a folder that is not read, or arrived after the "
        "last cycle. `syncd audit` proves whether a message was missed, `syncd doctor` lists the folders."
    )
