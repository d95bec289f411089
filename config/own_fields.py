"""What must hold between the tables of fields and lists, looked at as written, as `config.checks` does."""

from collections.abc import Iterable, Iterator, Mapping

from config import built_in_lists, list_checks
from config.errors import Problem
from config.expressions import FieldSort, Sort
from config.fields import CustomField, ValueList
from config.lines import KeyPath
from config.list_checks import items_of
from config.near import nearest
from config.sources import Tree

LISTS = frozenset({"value_list", "multi_list"})
SORTS = {
    "text": Sort.TEXT,
    "integer": Sort.NUMBER,
    "decimal": Sort.NUMBER,
    "percentage": Sort.NUMBER,
    "date": Sort.DAY,
    "checkbox": Sort.YES_NO,
    "value_list": Sort.TEXT,
    "multi_list": Sort.SEVERAL,
}
ENTITIES: Mapping[str, frozenset[str]] = {  # the fields that there are anyway, beside id and ext_id
    "account": frozenset(
        "name type public created_on website vat_number phone phone2 fax email address1 address2 postcode "
        "city region country comment segment latitude longitude geocode_accuracy_m".split()
    ),
    "contact": frozenset(
        "last_name first_name phone_landline phone_mobile email email2 email3 skype linkedin position role "
        "gender comment".split()
    ),
    "opportunity": frozenset(
        "reference title type status total currency probability expected_close closed_on comments".split()
    ),
    "case_file": frozenset("code title scope type status closed".split()),
    "project": frozenset("name reference start_date end_date status".split()),
    "deal": frozenset(
        "reference title start_date end_date closed_on status amount currency billable".split()
    ),
    "product": frozenset("code name price unit active".split()),
    "sales_order": frozenset(
        "number year reference date expected_date state status total discount1 discount2 discount3 discount4 "
        "currency comment internal_comment".split()
    ),
}
NEEDED: Mapping[str, frozenset[str]] = {  # that the CRM cannot do without
    "account": frozenset({"name", "type"}),
    "contact": frozenset({"last_name"}),
    "opportunity": frozenset({"title"}),
    "case_file": frozenset({"code", "title"}),
    "project": frozenset({"name"}),
    "deal": frozenset({"title", "status"}),
    "product": frozenset({"code", "name"}),
    "sales_order": frozenset(),
}


def check(tree: Tree) -> Iterator[Problem]:
    """Every broken rule."""
    yield from _lists(tree)
    yield from _custom(tree)
    for entity, fields in tree.table("fields").items():
        if entity in ENTITIES and isinstance(fields, dict):
            yield from _settings(tree, entity, fields)
        elif entity not in ENTITIES:
            message = f"is not known{nearest(entity, list(ENTITIES))}"
            yield tree.problem(("fields", entity), message)


def sorts(tree: Tree, entity: str) -> dict[str, FieldSort]:
    """The company's own fields of an entity, as conditions see them."""
    codes = {one.code: frozenset(item.code for item in one.items) for one in built_in_lists.built_in()} | {
        _text(one, "code"): frozenset(_text(item, "code") for _, item in items_of(path, one))
        for path, one in tree.tables("value_lists")
    }
    found = {}
    for _, field in tree.tables("custom_fields"):
        key, kind = _text(field, "key"), _text(field, "type")
        if field.get("entity") == entity and key and kind in SORTS:
            choices = codes.get(_text(field, "list"), frozenset()) if kind in LISTS else frozenset()
            found[key] = FieldSort(SORTS[kind], choices)
    return found


def _text(table: Mapping[str, object], key: str) -> str:
    """What is written there; empty where that is no text."""
    found = table.get(key)
    return found if isinstance(found, str) else ""


def applied(custom: Iterable[CustomField], lists: Iterable[ValueList], entity: str) -> dict[str, FieldSort]:
    """As `sorts`, of a config that was found good."""
    every = built_in_lists.with_built_in(lists)
    codes = {one.code: frozenset(item.code for item in one.items) for one in every}
    return {
        one.key: FieldSort(SORTS[one.type], codes[one.list] if one.list is not None else frozenset())
        for one in custom
        if one.entity == entity
    }


def _lists(tree: Tree) -> Iterator[Problem]:
    for path, table in tree.tables("value_lists"):
        yield from list_checks.flags(tree, path, table)
        yield from list_checks.branches(tree, path, table)
        first: dict[str, KeyPath] = {}
        default: KeyPath | None = None
        for place, item in items_of(path, table):
            code = item.get("code")
            if isinstance(code, str) and first.setdefault(code, place) != place:
                yield tree.problem((*place, "code"), f'"{code}" stands in the list twice')
            if item.get("default") is True:
                if default is not None:
                    yield tree.problem((*place, "default"), "a list has one default at most")
                default = place
                if item.get("active") is False:
                    yield tree.problem((*place, "default"), "what cannot be chosen is no default")


def _custom(tree: Tree) -> Iterator[Problem]:
    lists = [_text(one, "code") for _, one in tree.tables("value_lists")]
    lists += sorted(built_in_lists.CODES.difference(lists))
    first: dict[tuple[str, str], KeyPath] = {}
    for path, field in tree.tables("custom_fields"):
        name = (_text(field, "entity"), _text(field, "key"))
        if name[1] and first.setdefault(name, path) != path:
            other = tree.place((*first[name], "key"))
            yield tree.problem((*path, "key"), f'"{name[1]}" is taken already, at {other}')
        kind, code = _text(field, "type"), field.get("list")
        if kind in LISTS and code is None:
            yield tree.problem((*path, "list"), "is required for value_list and multi_list")
        elif kind in SORTS and kind not in LISTS and code is not None:
            yield tree.problem((*path, "list"), "is for value_list and multi_list only")
        elif isinstance(code, str) and code not in lists and tree.complete:
            message = f'there is no [[value_lists]] with the code "{code}"{nearest(code, lists)}'
            yield tree.problem((*path, "list"), message)


def _settings(tree: Tree, entity: str, fields: Mapping[str, object]) -> Iterator[Problem]:
    for name, setting in fields.items():
        path: KeyPath = ("fields", entity, name)
        if name not in ENTITIES[entity]:
            yield tree.problem(path, f"is no field of {entity}{nearest(name, sorted(ENTITIES[entity]))}")
        elif isinstance(setting, dict) and setting.get("hidden") is True:
            if name in NEEDED[entity]:
                yield tree.problem((*path, "hidden"), "the CRM needs this field: it cannot be hidden")
            elif setting.get("required") is True:
                yield tree.problem((*path, "hidden"), "what is required cannot be hidden")
