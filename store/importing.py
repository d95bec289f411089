"""Writing accounts, contacts, projects, deals, opportunities and dossiers, one or fifty thousand at a time.

Everything is checked before anything is written, and everything is written in the caller's transaction.
A record with the `id` or `ext_id` of one that is there changes that one, in the columns given only; what
is equal already is left alone. So the same rows twice change nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from config.language import Phrase, said
from config.words import changed_meanwhile, noun_word
from store import (
    custom_fields,
    directory,
    internal,
    own_kinds,
    phones,
    rules,
    statuses,
    tags,
    value_lists,
    writing_rights,
)
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.contacts import CreatedVia
from store.csvfile import Fault, Line
from store.custom_fields import OwnField
from store.errors import Stale
from store.fields import ACCOUNTS, CONTACTS, OPPORTUNITIES, Kind
from store.import_rows import Findings, Record, check_headers, records
from store.import_rules import ADDRESSES, Context, named
from store.import_runs import Imported, ImportMode, RowResult
from store.ledger import chunked
from store.pipeline import OpportunityAccount
from store.readers import Value
from store.references import Accounts, Users, addresses_in_use

ROUNDS = 20  # looks at a file of which the good rows are wanted: each leaves out those that were bad
MATCHED = frozenset({"accounts", "contacts", "projects", "deals", "opportunities", "case_files"})  # with mail
WRITTEN = 2000  # rows of one statement


@dataclass(frozen=True)
class Occasion:
    """Who writes, when, and through which door."""

    actor: Actor
    now: datetime
    today: date  # in the workspace's time zone
    source: str  # for the audit log: a file's name, or the command
    via: CreatedVia = CreatedVia.IMPORT
    currency: str | None = None  # of amounts that name none
    language: str = "en"  # of the labels in what is said of a field


@dataclass(slots=True)
class Saved:
    """What became of the rows."""

    created: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    unchanged: int = 0
    warnings: list[Fault] = field(default_factory=list)
    freed: list[str] = field(default_factory=list)  # addresses that no contact and no account has any more
    accounts: set[int] = field(default_factory=set)  # whose status may be another now
    refused: list[Fault] = field(default_factory=list)  # of rows that were left out for it
    rows: list[Imported] = field(default_factory=list)

    def told(self, faults: Iterable[Fault]) -> list[Imported]:
        """Refused rows as they are written down: one for each, with its first mistake."""
        first = {fault.line: fault for fault in sorted(faults, key=lambda one: one.line, reverse=True)}
        return [
            Imported(line, RowResult.REFUSED, None, f"{fault.column}: {fault.message}".removeprefix(": "))
            for line, fault in first.items()
        ]


def _nothing(_: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the rows are taken."""

    mode: ImportMode = ImportMode.BOTH
    partial: bool = False  # write the good rows though others are bad
    step: Callable[[int], None] = _nothing  # told of so many rows, each twice: read, written


def save(
    session: Session,
    kind: Kind,
    lines: Sequence[Line],
    occasion: Occasion,
    options: Options | None = None,
    *,
    expected: int | None = None,
) -> Saved:
    """Writes the rows. Raises Refused with every mistake, Forbidden, or Stale where the one record is not at
    the expected version; nothing is written then."""
    options = options or Options()
    own, whole = _begin(session, kind, lines, occasion)
    refused: list[Fault] = []
    good = lines
    found, findings = _checked(session, whole, good, occasion, own=own, options=options)
    for _ in range(ROUNDS):
        if not findings.faults or not options.partial:
            break
        # What names a row that is bad is bad too: once more, without them.
        bad = {fault.line for fault in findings.faults}
        refused += findings.faults
        good = [line for line in good if line.number not in bad]
        found, findings = _checked(session, whole, good, occasion, own=own, options=options)
    findings.stop_at_faults()
    if expected is not None and found and found[0].before is not None:
        _at(kind, found[0], expected)
    saved = Saved(warnings=findings.warnings, unchanged=len(good) - len(found), refused=refused)
    _write(session, kind, found, occasion, saved, step=options.step)
    own_kinds.write(session, own, found)
    _tell_rows(saved, good, found)
    return saved


def validate(session: Session, kind: Kind, lines: Sequence[Line], occasion: Occasion) -> list[Fault]:
    """What is odd about the rows, whoever may write them. Raises Refused with every mistake."""
    own, whole = _begin(session, kind, lines, occasion)
    findings = _checked(session, whole, lines, occasion, own=own, options=None)[1]
    findings.stop_at_faults()
    return findings.warnings


def _begin(
    session: Session, kind: Kind, lines: Sequence[Line], occasion: Occasion
) -> tuple[Sequence[OwnField], Kind]:
    """The fields of the company's own, and the kind with them. Raises Refused for an unknown header."""
    # Two imports at once would not see each other's records; and a batch of mail must not come between.
    directory.state(session, lock=True)
    findings = Findings()
    own = custom_fields.of_entity(session, kind.entity)
    whole = own_kinds.whole(session, kind, own, occasion.actor.user_id)
    check_headers(whole, tuple(lines[0].cells) if lines else (), findings)
    findings.stop_at_faults()
    return own, whole


def _checked(
    session: Session,
    kind: Kind,
    lines: Sequence[Line],
    occasion: Occasion,
    *,
    own: Sequence[OwnField],
    options: Options | None,
) -> tuple[list[Record], Findings]:
    """The rows as records, and what is wrong with them. Without options nothing is to be written, and nobody
    is asked for rights."""
    findings = Findings()
    step = _nothing if options is None else options.step
    complete = partial(own_kinds.look_up, session, own)
    found = records(session, kind, lines, findings, step=step, complete=complete)
    own_kinds.check(own, found, findings)
    value_lists.check(session, kind, found, findings, occasion.actor.user_id)
    context = Context(
        session,
        Accounts(session),
        Users(session),
        findings,
        occasion.today,
        occasion.currency,
        occasion.actor,
    )
    _resolve(kind, found, context)
    rules.RULES[kind.name](found, context)
    if options is not None:
        _check_mode(kind, found, options.mode, findings)
        for line, error in writing_rights.refusals(session, kind, found, occasion.actor):
            if not options.partial:
                raise error
            findings.fault(line, "", _without_line(error))
    own_kinds.told(kind, findings, occasion.language)
    return found, findings


def _without_line(error: Exception) -> str:
    """What it says after the line, which the fault tells itself."""
    text = said(error)
    inner = text.values.get("message") if isinstance(text, Phrase) else None
    return inner if isinstance(inner, str) else text.partition(": ")[2]


def _at(kind: Kind, record: Record, expected: int) -> None:
    if (version := _version(record)) != expected:
        raise Stale(changed_meanwhile(kind.entity, record.id, version, expected))


def _check_mode(kind: Kind, found: Iterable[Record], mode: ImportMode, findings: Findings) -> None:
    for record in found:
        if mode is ImportMode.CREATE and record.before is not None:
            findings.fault(
                record.line,
                "",
                Phrase(
                    "is {entity} {id} already, and only new ones are wanted",
                    entity=noun_word(kind.entity),
                    id=record.id,
                ),
            )
        if mode is ImportMode.UPDATE and record.before is None:
            findings.fault(
                record.line,
                "",
                Phrase(
                    "is no {entity} that is there, and no new ones are wanted", entity=noun_word(kind.entity)
                ),
            )


def _tell_rows(saved: Saved, good: Iterable[Line], found: Iterable[Record]) -> None:
    """What became of each row."""
    created, updated = set(saved.created), set(saved.updated)
    known = {record.line: record.id for record in found}
    for line in good:
        id_ = known.get(line.number)
        if id_ is None:
            saved.rows.append(Imported(line.number, RowResult.LEFT_OUT))
            continue
        changed = RowResult.UPDATED if id_ in updated else RowResult.UNCHANGED
        saved.rows.append(Imported(line.number, RowResult.CREATED if id_ in created else changed, id_))
    saved.rows += saved.told(saved.refused)


def _resolve(kind: Kind, found: Sequence[Record], context: Context) -> None:
    """Puts the ids of the accounts and users that the rows name; accounts of the file itself count."""
    if kind.name == ACCOUNTS.name:
        for record in found:
            if record.before is None:
                ext_id = record.values.get("ext_id")
                name = str(record.values.get("name") or "")
                context.accounts.add(record.id, name, ext_id if isinstance(ext_id, str) else None)
    for record in found:
        for noun in dict.fromkeys(header.removesuffix("_id") for header in record.references):
            if kind.name == OPPORTUNITIES.name and noun.startswith("account"):
                continue  # it has several: see import_rules
            if noun == "tags":
                continue  # free words: see import_rules
            column = f"{noun}_id"
            record.values[column] = named(record, noun, (record.before or {}).get(column), context)


def _write(
    session: Session,
    kind: Kind,
    found: Sequence[Record],
    occasion: Occasion,
    saved: Saved,
    *,
    step: Callable[[int], None],
) -> None:
    new = [record for record in found if record.before is None]
    changed = [record for record in found if record.before is not None and (record.changes() or record.links)]
    saved.unchanged += len(found) - len(new) - len(changed)
    if not new and not changed:
        return
    saved.accounts = statuses.concerned(session, kind.entity, [r.id for r in changed])
    stamp: dict[str, object] = {"updated_at": occasion.now, "updated_by": occasion.actor.user_id}
    if new:
        made = {**stamp, "created_at": occasion.now, "created_by": occasion.actor.user_id, "version": 1}
        if kind.name == CONTACTS.name:
            made["created_via"] = occasion.via
        for record in new:
            if kind.name == ACCOUNTS.name and record.values.get("created_on") is None:
                record.values["created_on"] = occasion.today
            record.values.setdefault("ext_id", None)
        # A parent may stand below its child in the file: first all of them, then who belongs to whom.
        for part in chunked(new, WRITTEN):
            session.execute(
                insert(kind.model), [{"id": r.id, **made, **_without_parent(r.values)} for r in part]
            )
            step(len(part))
        children = [
            {"id": r.id, "parent_id": r.values["parent_id"]} for r in new if r.values.get("parent_id")
        ]
        if children:
            session.execute(update(kind.model), children)
    if changed:
        fresh = phones.emptied if kind.name == CONTACTS.name else dict
        for part in chunked(changed, WRITTEN):
            rows = [
                {"id": r.id, "version": _version(r) + 1, **stamp, **fresh(own_kinds.columns(r.values))}
                for r in part
            ]
            session.execute(update(kind.model), rows)
            step(len(part))
    _write_links(session, [*new, *changed])
    tags.set_tags(session, {r.id: r.tags for r in (*new, *changed) if r.tags is not None})
    saved.warnings += internal.keep_unbillable(session, kind, [*new, *changed], occasion.now)
    saved.accounts |= statuses.concerned(session, kind.entity, [r.id for r in (*new, *changed)])
    saved.created = [record.id for record in new]
    saved.updated = [record.id for record in changed]
    saved.freed = _freed(session, changed)
    rules.follow(session, kind, [*new, *changed], now=occasion.now, by=occasion.actor.user_id)
    _audit(session, kind, new, changed, occasion)
    if kind.name in MATCHED:
        directory.bump(session)


def _without_parent(values: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in own_kinds.columns(values).items() if name != "parent_id"}


def _version(record: Record) -> int:
    version = (record.before or {}).get("version")
    return version if isinstance(version, int) else 0


def _write_links(session: Session, found: Sequence[Record]) -> None:
    linked = [record for record in found if record.links]
    if not linked:
        return
    for part in chunked(record.id for record in linked):
        session.execute(delete(OpportunityAccount).where(OpportunityAccount.opportunity_id.in_(part)))
    session.execute(
        insert(OpportunityAccount),
        [
            {"opportunity_id": record.id, "account_id": account, "main": position == 0}
            for record in linked
            for position, account in enumerate(record.links or ())
        ],
    )


def _freed(session: Session, changed: Iterable[Record]) -> list[str]:
    gone: dict[str, None] = {}
    for record in changed:
        for column in ADDRESSES:
            old = (record.before or {}).get(column)
            if isinstance(old, str) and record.after(column) != old:
                gone[old] = None
    used = addresses_in_use(session, gone)
    return [address for address in gone if address not in used]


def _audit(
    session: Session, kind: Kind, new: Sequence[Record], changed: Sequence[Record], occasion: Occasion
) -> None:
    """A row for a single record, a summary for a file. Names of fields only: contents can be erased."""
    all_ = [*new, *changed]
    change: dict[str, object] = {"source": occasion.source}
    if len(all_) == 1:
        change |= {"created": True} if new else {"changed": changed[0].changes()}
    else:
        change |= {"created": len(new), "updated": len(changed)}
    session.add(
        AuditLog(
            at=occasion.now,
            actor=occasion.actor.login,
            entity=noun_word(kind.entity),
            entity_id=all_[0].id if len(all_) == 1 else None,
            change=change,
            channel=Channel.CLI,
        )
    )
