"""What the rules of recommendations may name: the fields of an account, and what files say of it.

They are looked at as written, as `config.checks` does; a mistake has its file, line and key path.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from config.errors import Problem
from config.expressions import Condition, FieldSort, Sort, Template, condition, template
from config.recommendations import RecommendationRule
from config.sources import Tree

RULES = "recommendation_rules"
FILE_CATEGORIES = frozenset({"payment_delay", "payment_notice", "account_info", "other"})

_TEXTS = (
    "ext_id", "name", "owner", "parent", "website", "vat_number", "phone", "phone2", "fax", "email",
    "address1", "address2", "postcode", "city", "region", "country", "segment", "comment",
)  # fmt: skip
ACCOUNT: Mapping[str, FieldSort] = {
    **dict.fromkeys(_TEXTS, FieldSort(Sort.TEXT)),
    "id": FieldSort(Sort.NUMBER),
    "type": FieldSort(Sort.TEXT, frozenset({"customer", "competitor", "group", "internal", "partner"})),
    "status": FieldSort(Sort.TEXT, frozenset({"active", "prospect", "neglected", "inactive"})),
    "public": FieldSort(Sort.YES_NO),
    "status_since": FieldSort(Sort.DAY),
    "created_on": FieldSort(Sort.DAY),
    "today": FieldSort(Sort.DAY),
}
FILE: Mapping[str, FieldSort] = {
    "message": FieldSort(Sort.TEXT),
    "category": FieldSort(Sort.TEXT, FILE_CATEGORIES),
    "valid_until": FieldSort(Sort.DAY),
}


@dataclass(frozen=True)
class CompiledRule:
    """A rule that can be applied."""

    rule: RecommendationRule
    condition: Condition | None
    template: Template


def fields_for(source: str, custom: Mapping[str, FieldSort]) -> Mapping[str, FieldSort]:
    """The fields that a rule of that source may name."""
    return {**ACCOUNT, **custom, **FILE} if source == "file" else {**ACCOUNT, **custom}


def compiled(rule: RecommendationRule, custom: Mapping[str, FieldSort]) -> CompiledRule:
    """The rule, ready. Raises ValueError, which a config that was loaded gives no reason for."""
    known = fields_for(rule.source, custom)
    return CompiledRule(
        rule,
        condition(rule.condition, known) if rule.condition else None,
        template(rule.template or WHAT_THE_FILE_SAYS, known),
    )


def check(tree: Tree, custom: Mapping[str, FieldSort]) -> Iterator[Problem]:
    """What is wrong with the rules."""
    if tree.table("product").get("plan") == "essential":
        if tree.tables(RULES):
            yield tree.problem((RULES, 0), ESSENTIAL)
        if "directory" in tree.table("recommendations"):
            yield tree.problem(("recommendations", "directory"), ESSENTIAL)
    for path, rule in tree.tables(RULES):
        source = rule.get("source", "field")
        for key, read in READERS.items():
            written = rule.get(key)
            if source == "field" and written is None:
                yield tree.problem((*path, key), "is required for a rule of the account's fields")
            if not isinstance(written, str) or not written:
                continue
            try:
                read(written, fields_for("file" if source == "file" else "field", custom))
            except ValueError as error:
                yield tree.problem((*path, key), str(error))


READERS: Mapping[str, Callable[[str, Mapping[str, FieldSort]], object]] = {
    "condition": condition,
    "template": template,
}
WHAT_THE_FILE_SAYS = "{message}"
ESSENTIAL = (
    'recommendations by rules and files need the plan "professional" or "performance": '
    "leave them out, or change plan in [product]"
)
