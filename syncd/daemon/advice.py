"""What the config says of recommendations by rules, as the engine wants it, and of fields."""

from pathlib import Path

import structlog

from config import advice, own_fields
from config.recommendations import Plan, RecommendationRule
from config.settings import Settings
from store import field_config
from store.database import Database
from store.errors import StoreError
from syncd.engine.advice_files import AdviceFiles
from syncd.engine.meetings.dropping import Taker
from syncd.engine.recommending import Recommending, RuleSet

log: structlog.stdlib.BoundLogger = structlog.get_logger()

OF_FILES = RecommendationRule(name="file", source="file")  # where no rule says what files do


def recommending(settings: Settings, database: Database) -> Recommending:
    """The rules of the config; none at all with the plan "essential" (R002)."""
    workspace = settings.workspace
    rules = list(settings.recommendation_rules)
    if not any(one.source == "file" for one in rules):
        rules.append(OF_FILES)
    ready = None
    if settings.product.plan is not Plan.ESSENTIAL:
        own = own_fields.applied(settings.custom_fields, settings.value_lists, "account")
        ready = RuleSet([advice.compiled(one, own) for one in rules], workspace.language)
    return Recommending(database, ready, workspace.timezone)


def tell_fields(database: Database, settings: Settings) -> None:
    """Says once that the fields and lists of the config are not those of the CRM: they are never changed
    without a person."""
    try:
        with database.read() as session:
            changes = field_config.diff(session, settings)
    except StoreError as error:
        log.error("the store cannot be used", action="fields", error=str(error))
        return
    if changes:
        log.warning("the fields of the config and of the CRM differ: see `syncd fields diff`",
                    action="fields", changes=len(changes))  # fmt: skip


def folders(settings: Settings, database: Database, writer: Recommending) -> list[tuple[Path, Taker]]:
    """The directory that the config names, with what takes its files."""
    directory = settings.recommendations.directory
    return [] if directory is None else [(directory, AdviceFiles(database, writer))]
