"""What is to be done when an account gets another status (R155): a task, an event or the draft of a mail, for
its owner or a user.

It is made in the transaction that writes the change, so it is there once, however often the service is killed
and started again. An account's first status is no change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

import structlog

from store import outbound, statuses
from store.accounts import AccountStatus
from store.audit_log import AuditLog, Channel
from store.database import Transaction
from store.outbound import Mail
from store.statuses import StatusChange
from syncd.engine.calendar.belongings import ACCOUNTS
from syncd.engine.calendar.editing import add_event
from syncd.engine.calendar.items import LONGEST_SUBJECT
from syncd.engine.calendar.occasion import NO_ALARM, EventFields, Occasion, TaskFields
from syncd.engine.calendar.task_editing import add_task

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Made(Enum):
    """What a rule makes."""

    TASK = "task"
    EVENT = "event"
    EMAIL_DRAFT = "email_draft"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the config."""

    before: AccountStatus | None  # None: any
    after: AccountStatus
    made: Made
    template: str
    assignee: str | None  # a login; None: the account's owner
    due: timedelta  # whole days
    body: str = ""  # of a draft: a template too

    def concerns(self, change: StatusChange) -> bool:
        """Whether that is the change it waits for."""
        if change.before is None or change.after is not self.after:
            return False
        return self.before in (None, change.before)

    def subject(self, change: StatusChange) -> str:
        """The template with what is known of the change."""
        return self._filled(self.template, change)[:LONGEST_SUBJECT]

    def text(self, change: StatusChange) -> str:
        """The text of a draft."""
        return self._filled(self.body, change)

    @staticmethod
    def _filled(template: str, change: StatusChange) -> str:
        if change.before is None:
            raise ValueError("a first status is no change")
        words = {"account": change.name, "from": change.before.value, "to": change.after.value}
        parts = template.split("{")
        text = parts[0]
        for part in parts[1:]:  # not one replacement after the other: a name may look like a place
            name, _, rest = part.partition("}")
            text += words[name] + rest
        return text


class StatusActions:
    """The rules, and the occasion on which they act."""

    def __init__(self, rules: Sequence[Rule], occasion: Callable[[datetime], Occasion]) -> None:
        self._rules = tuple(rules)
        self._occasion = occasion

    def __call__(
        self, session: Transaction, changes: Sequence[StatusChange], day: date, now: datetime
    ) -> int:
        """Makes what the rules say, in the caller's transaction; returns how much. `day` is the one that the
        new statuses hold from."""
        due = [(rule, one) for one in changes for rule in self._rules if rule.concerns(one)]
        if not due:
            return 0
        occasion = self._occasion(now)
        facts = statuses.sellers(session, {change.account_id for _, change in due})
        made = 0
        for rule, change in due:
            owner, type_ = facts[change.account_id]
            login = rule.assignee or owner
            if login is None:
                log.info("a rule made nothing: the account has no owner", action="status_rule",
                         account_id=change.account_id)  # fmt: skip
                continue
            account = str(change.account_id) if type_ in ACCOUNTS else None
            on, subject = (day + rule.due).isoformat(), rule.subject(change)
            if rule.made is Made.EMAIL_DRAFT and _draft(session, rule, change, login, now):
                made += 1
                continue
            if rule.made is not Made.EVENT:  # a draft that no mailbox can take is not forgotten either
                said = TaskFields(subject=subject, due=on, assignee=login, account=account)
                add_task(session, said, occasion)
            else:
                event = EventFields(
                    subject=subject, start=on, all_day=True, owner=login, account=account, busy=False,
                    alarm=NO_ALARM,
                )  # fmt: skip
                add_event(session, event, occasion)
            made += 1
        return made


def _draft(session: Transaction, rule: Rule, change: StatusChange, login: str, now: datetime) -> bool:
    """Has a draft put into the mailbox of that user; False where there is none that takes it."""
    mail = Mail(rule.subject(change), rule.text(change), account_id=change.account_id)
    id_ = outbound.want(session, login, mail, now)
    if id_ is None:
        log.info("no mailbox of the user takes drafts: a task is made", action="status_rule",
                 account_id=change.account_id, user=login)  # fmt: skip
        return False
    session.add(
        AuditLog(at=now, actor="status rule", entity="account", entity_id=change.account_id,
                 change={"draft": id_, "user": login}, channel=Channel.JOB)
    )  # fmt: skip
    return True
