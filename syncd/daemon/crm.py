"""What the config says of the CRM's own rules, as the store and the engine want it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from config.settings import Settings
from config.status_rules import OWNER
from store.accounts import AccountStatus
from store.actors import admin_at_machine
from store.audit_log import Channel
from store.database import Database
from store.leases import Leases
from store.rights import Matrix, Verb
from store.users import UserRole
from syncd.core.identity import KeyedHash
from syncd.daemon.calendars import workplace
from syncd.engine.calendar.occasion import Occasion
from syncd.engine.calendar.people import People
from syncd.engine.logos import LogoSync
from syncd.engine.recommending import Recommending
from syncd.engine.records import Follows
from syncd.engine.status_actions import Made, Rule, StatusActions
from syncd.engine.statuses import StatusSync


def matrix(settings: Settings) -> Matrix:
    """The `[rights]` section as the store wants it."""
    told = {UserRole.STANDARD: settings.rights.standard, UserRole.ADVANCED: settings.rights.advanced}
    return Matrix(
        {
            (role, (entity, Verb(verb))): scope
            for role, rights in told.items()
            for entity, verbs in rights
            for verb, scope in verbs
            if scope is not None
        }
    )


def status_sync(
    settings: Settings, database: Database, hashed: KeyedHash, people: Callable[[], People]
) -> StatusSync:
    """The statuses of accounts, with the rules on their changes."""
    told = settings.status
    made = StatusSync(
        database,
        settings.workspace.timezone,
        told.stale_open_opportunity_months,
        group_rollup=told.group_rollup,
    )
    made.then = _status_actions(settings, hashed, people)
    return made


def logo_sync(settings: Settings, database: Database, leases: Leases) -> LogoSync:
    """The logos of accounts."""
    return LogoSync(database, leases, fetch=settings.logos.fetch)


def follows(settings: Settings, statuses: StatusSync, recommending: Recommending) -> Follows:
    """What follows from records that people write."""
    return Follows(settings.workspace.default_country, statuses.reading, statuses.then, recommending)


def _status_actions(
    settings: Settings, hashed: KeyedHash, people: Callable[[], People]
) -> StatusActions | None:
    """The tables `[[status_rules]]`; None where there are none."""
    if not settings.status_rules:
        return None
    rules = [
        Rule(
            before=None if rule.from_ is None else AccountStatus(rule.from_.value),
            after=AccountStatus(rule.to.value),
            made=Made(rule.action.value),
            template=rule.template,
            body=rule.body,
            assignee=None if rule.assignee == OWNER else rule.assignee,
            due=timedelta(days=rule.due_in_days),
        )
        for rule in settings.status_rules
    ]
    place = workplace(settings, hashed)

    def occasion(now: datetime) -> Occasion:
        return place.occasion(admin_at_machine("status rule"), Channel.JOB, now, people())

    return StatusActions(rules, occasion)
