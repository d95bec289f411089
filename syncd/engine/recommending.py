"""Recommendations by rules (R016 to R018): worked out for accounts that something was written about, and for
all of them once a night, and at once where the rules themselves have changed.

All accounts are read without keeping anybody from writing; those whose text would change are looked at again
in the transaction that writes, with their rows locked. So each change is made once, by any number of
processes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from zoneinfo import ZoneInfo

import structlog

from config.advice import CompiledRule
from config.expressions import Value
from store import advice_rows, recommendations, statuses
from store.actors import Actor
from store.advice_rows import AdviceFacts, Pass
from store.audit_log import AuditLog, Channel
from store.database import Database, Transaction
from store.recommendations import LONGEST, AccountRecommendation, Advice, By, Category, Severity, Source
from store.users import UserRole
from syncd.core.recommending import Ruling, Standing, Step, decide

log: structlog.stdlib.BoundLogger = structlog.get_logger()

NIGHTLY = time(0, 10)  # local time: as the statuses, which rules may look at
PAGE = 2_000  # accounts of one look
CHUNK = 500  # accounts of one transaction: nobody else writes to SQLite meanwhile
RULES = Actor("recommendation rules", None, UserRole.WORKSPACE_ADMIN)


@dataclass(frozen=True, slots=True)
class AdviceChange:
    """An account that gets another text, or loses the one it had (`message` is None)."""

    account_id: int
    account: str
    rule: str
    message: str | None


@dataclass(frozen=True, slots=True)
class Advised:
    """What came of a look at all accounts."""

    looked_at: int
    changes: tuple[AdviceChange, ...]
    whole: bool  # False: it was halted


@dataclass(frozen=True, slots=True)
class _Said:
    """What the first rule that matches says."""

    rule: CompiledRule
    advice: Advice
    ruling: Ruling


@dataclass(frozen=True, slots=True)
class _Look:
    """One account as the rules see it."""

    facts: AdviceFacts
    said: _Said | None
    change: AdviceChange | None
    lapsed: bool  # what a person deleted is not what the rules would write now


class RuleSet:
    """The rules of a config that are enabled, the first one first."""

    def __init__(self, rules: Sequence[CompiledRule], language: str) -> None:
        enabled = [one for one in rules if one.rule.enabled]
        self._rules = sorted(
            enabled, key=lambda one: (one.rule.priority, one.rule.source != "file", one.rule.name)
        )
        self._language = language
        self._clears = {one.rule.name: one.rule.clear_when_false for one in rules}
        facts = [one.rule.model_dump_json() for one in self._rules]
        self.digest = blake2b(repr((facts, language)).encode(), digest_size=32).hexdigest()

    def says(self, facts: AdviceFacts, today: date) -> _Said | None:
        """The text of the first rule that matches the account on that day; None where none does."""
        values: dict[str, Value] = {**facts.values, "today": today}
        file = facts.file if in_force(facts, today) else None
        beside: dict[str, Value] = {}
        if file is not None:
            beside = {"message": file.message, "valid_until": file.valid_until,
                      "category": None if file.category is None else file.category.value}  # fmt: skip
        for one in self._rules:
            if one.rule.source == "file" and file is None:
                continue
            known = values | beside if one.rule.source == "file" else values
            if one.condition is not None and not one.condition.holds(known):
                continue
            message = self._rendered(one, known)
            if not message:
                continue
            category = Category(one.rule.category)
            if one.rule.source == "file" and file is not None and file.category is not None:
                category = file.category
            ruling = Ruling(one.rule.name, message, one.rule.overwrite_manual)
            return _Said(one, Advice(message, category, Severity(one.rule.severity)), ruling)
        return None

    def standing(self, facts: AdviceFacts, today: date) -> Standing | None:
        """What stands at the account, as table T3 wants it."""
        row = facts.standing
        if row is None:
            return None
        # What a file took back goes, whatever the rule does where its condition ceases to hold (R017).
        taken_back = row.source is Source.FILE and facts.file is not None and not in_force(facts, today)
        clears = self._clears.get(row.rule or "", row.clears)
        return Standing(row.message, row.rule, clears=clears or taken_back)

    def _rendered(self, one: CompiledRule, values: Mapping[str, Value]) -> str:
        shown = {name: text(values.get(name), self._language) for name in one.template.names}
        return one.template.render(shown).replace("\r\n", "\n").strip()[:LONGEST].rstrip()


def in_force(facts: AdviceFacts, today: date) -> bool:
    """Whether a file says something of the account on that day (`valid_until` is the last one)."""
    file = facts.file
    if file is None or not file.message:
        return False
    return file.valid_until is None or file.valid_until >= today


def text(value: Value, language: str) -> str:
    """A value within a text, as it is written in that language."""
    french = language == "fr"
    if value is None:
        return ""
    if isinstance(value, bool):
        return ("oui" if value else "non") if french else ("yes" if value else "no")
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}" if french else value.isoformat()
    if isinstance(value, Decimal):
        plain = f"{value:f}"
        return plain.replace(".", ",") if french else plain
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    return str(value)


class Recommending:
    """The recommendations by rules of the whole CRM. Without rules (R002: the plan) it does nothing."""

    def __init__(self, database: Database, rules: RuleSet | None, zone: ZoneInfo) -> None:
        self._database = database
        self._rules = rules
        self._zone = zone
        self.halted: Callable[[], bool] = lambda: False

    def today(self, now: datetime) -> date:
        """The company's day at that aware moment."""
        return now.astimezone(self._zone).date()

    def refresh(self, session: Transaction, ids: Iterable[int], now: datetime) -> list[AdviceChange]:
        """Gives these accounts what the rules say, in the caller's transaction."""
        wanted = sorted(set(ids))
        if self._rules is None or not wanted:
            return []
        advice_rows.lock(session, wanted)
        by, today = By(RULES, Channel.JOB, now), self.today(now)
        changes = []
        for facts in advice_rows.facts(session, wanted):
            change = self._apply(session, facts, today, by)
            if change is not None:
                changes.append(change)
        session.flush()
        return changes

    def clear(self, session: Transaction, account_id: int, by: By) -> bool:
        """Takes an account's text away at a person's word, and keeps the rules from writing at once what they
        say at this moment. As `store.recommendations.clear`."""
        ready: list[str] = []
        if self._rules is not None:
            for facts in advice_rows.facts(session, [account_id]):
                said = self._rules.says(facts, self.today(by.now))
                ready = [] if said is None else [said.advice.message]
        return recommendations.clear(session, account_id, by, ready=ready)

    def run(self, now: datetime) -> Advised | None:
        """The nightly look, if it is due at that aware moment. Raises StoreError."""
        if self._rules is None:
            return None
        with self._database.read() as session:
            last = advice_rows.passed(session)
        if not self._due(last, self._rules, now):
            return None
        done = self.recompute(now)
        if done.whole:
            log.info("recommendations by rules written", action="recommendations",
                     accounts=done.looked_at, changed=len(done.changes))  # fmt: skip
        return done

    def _due(self, last: Pass | None, rules: RuleSet, now: datetime) -> bool:
        """Ten minutes after midnight; at once where a night was missed, or the rules are others."""
        local = now.astimezone(self._zone)
        if last is None or last.rules != rules.digest:
            return True
        if last.day == local.date():
            return False
        return last.day != local.date() - timedelta(days=1) or local.time() >= NIGHTLY

    def ordered(self, actor: Actor, channel: Channel, now: datetime, *, dry_run: bool = False) -> Advised:
        """As `recompute`, at a person's word. Raises Forbidden unless that is an admin, in a dry run too."""
        actor.require_admin("recompute recommendations")
        done = self.recompute(now, dry_run=dry_run)
        if not dry_run:
            change = {"recommendations_by_rules": len(done.changes)}
            with self._database.write() as session:
                session.add(
                    AuditLog(at=now, actor=actor.login, entity="account", change=change, channel=channel)
                )
        return done

    def recompute(self, now: datetime, *, dry_run: bool = False) -> Advised:
        """Gives every account what the rules say; a dry run only tells it. Raises StoreError."""
        if self._rules is None:
            return Advised(0, (), whole=True)
        today, after, looked_at = self.today(now), 0, 0
        changes: list[AdviceChange] = []
        while not self.halted():
            with self._database.read() as session:
                ids = advice_rows.page(session, after, PAGE)
                found = [self._look(facts, today) for facts in advice_rows.facts(session, ids)]
            if not ids:
                break
            after, looked_at = ids[-1], looked_at + len(ids)
            told = [one.change for one in found if one.change is not None]
            stale = [one.facts.account_id for one in found if one.change is not None or one.lapsed]
            changes += told if dry_run else self._write(stale, now)
        else:
            return Advised(looked_at, tuple(changes), whole=False)
        if not dry_run:
            with self._database.write() as session:
                statuses.alone(session)
                advice_rows.mark_passed(session, Pass(today, self._rules.digest), now)
        return Advised(looked_at, tuple(changes), whole=True)

    def _write(self, ids: Sequence[int], now: datetime) -> list[AdviceChange]:
        done: list[AdviceChange] = []
        for start in range(0, len(ids), CHUNK):
            with self._database.write() as session:
                done += self.refresh(session, ids[start : start + CHUNK], now)
        return done

    def _look(self, facts: AdviceFacts, today: date) -> _Look:
        """What the rules make of an account on that day."""
        if self._rules is None:
            return _Look(facts, None, None, lapsed=False)
        said = self._rules.says(facts, today)
        # The rules say something else than a person's deletion holds for, or nothing any more.
        lapsed = bool(facts.declined) and (said is None or said.advice.message not in facts.declined)
        return _Look(facts, said, _told(facts, said, self._rules.standing(facts, today)), lapsed=lapsed)

    def _apply(self, session: Transaction, facts: AdviceFacts, today: date, by: By) -> AdviceChange | None:
        look = self._look(facts, today)
        change, said = look.change, look.said
        if look.lapsed:
            recommendations.forgive(session, facts.account_id)
        if change is None:
            return None
        if change.message is None or said is None:
            if facts.standing is not None:
                recommendations.remove(session, facts.standing, by)
            return change
        recommendations.write(
            session,
            facts.account_id,
            said.advice,
            by,
            before=facts.standing,
            source=Source.FILE if said.rule.rule.source == "file" else Source.FIELD,
            rule=said.ruling.rule,
            clears=said.rule.rule.clear_when_false,
        )
        return change


def _told(facts: AdviceFacts, said: _Said | None, standing: Standing | None) -> AdviceChange | None:
    """What table T3 makes of the account; None where it stays as it is."""
    step = decide(standing, None if said is None else said.ruling, facts.declined)
    if step is Step.KEEP and said is not None and _relabelled(said, facts.standing):
        step = Step.WRITE
    name = str(facts.values["name"])
    if step is Step.WRITE and said is not None:
        return AdviceChange(facts.account_id, name, said.ruling.rule, said.advice.message)
    if step is Step.CLEAR and standing is not None:
        return AdviceChange(facts.account_id, name, standing.rule or "", None)
    return None


def _relabelled(said: _Said, row: AccountRecommendation | None) -> bool:
    """Whether the rule's own words stand, under another category or severity."""
    if row is None or row.rule != said.ruling.rule:
        return False
    return Advice(row.message, row.category, row.severity) != said.advice
