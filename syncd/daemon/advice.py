"""What the config says of recommendations by rules, as the engine wants it."""

from pathlib import Path

from config import advice
from config.recommendations import Plan, RecommendationRule
from config.settings import Settings
from store.database import Database
from syncd.engine.advice_files import AdviceFiles
from syncd.engine.meetings.dropping import Taker
from syncd.engine.recommending import Recommending, RuleSet

OF_FILES = RecommendationRule(name="file", source="file")  # where no rule says what files do


def recommending(settings: Settings, database: Database) -> Recommending:
    """The rules of the config; none at all with the plan "essential" (R002)."""
    workspace = settings.workspace
    rules = list(settings.recommendation_rules)
    if not any(one.source == "file" for one in rules):
        rules.append(OF_FILES)
    ready = None
    if settings.product.plan is not Plan.ESSENTIAL:
        ready = RuleSet([advice.compiled(one, {}) for one in rules], workspace.language)
    return Recommending(database, ready, workspace.timezone)


def folders(settings: Settings, database: Database, writer: Recommending) -> list[tuple[Path, Taker]]:
    """The directory that the config names, with what takes its files."""
    directory = settings.recommendations.directory
    return [] if directory is None else [(directory, AdviceFiles(database, writer))]
