"""Bringing the tables of fields and lists to what the config says: told first, then done at an admin's word.

Nothing that records hold is lost: a field or a value of a list that is no longer in the config is put out of
use where records have it, and deleted where none does. The type of a field stays while there are values.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from config import built_in_lists
from config import fields as written
from config.language import Phrase, together
from config.settings import Settings
from store import directory, value_lists
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.base import Base
from store.custom_fields import CustomFieldDef, CustomFieldValue, FieldSetting, FieldType, ValueListItem
from store.errors import Invalid
from store.users import Branch

Facts = Mapping[str, object]  # a row of the config or the database, by column


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One difference. `problem` tells why it cannot be applied; empty where it can."""

    what: str  # "account Z_sector", "list sector: retail"
    does: str  # "new", "label: … -> …", "put out of use", "deleted"
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """A difference, and the rows that it is about."""

    change: FieldChange
    model: type[Base]
    row: Base | None  # as it is stored
    values: Facts | None  # as it shall be; None: it goes


def diff(session: Session, settings: Settings) -> tuple[FieldChange, ...]:
    """What `apply` would do."""
    return tuple(step.change for step in _steps(session, settings))


def apply(session: Session, settings: Settings, actor: Actor, now: datetime) -> tuple[FieldChange, ...]:
    """Makes the tables say what the config says. Raises Forbidden unless the actor is an admin, and Invalid,
    with every difference that cannot be applied; nothing is written then."""
    actor.require_admin("change fields")
    directory.state(session, lock=True)
    steps = list(_steps(session, settings))
    problems = [
        Phrase("{name}: {value}", name=one.change.what, value=one.change.problem)
        for one in steps
        if one.change.problem
    ]
    if problems:
        raise Invalid(together(problems, "\n"))
    for step in steps:
        _apply(session, step)
    if steps:
        change = {step.change.what: str(step.change.does) for step in steps}
        session.add(AuditLog(at=now, actor=actor.login, entity="fields", change=change, channel=Channel.CLI))
    return tuple(step.change for step in steps)


def _apply(session: Session, step: _Step) -> None:
    if step.values is None:
        if step.row is not None:
            session.delete(step.row)
        return
    if step.row is not None:
        for name, value in step.values.items():
            setattr(step.row, name, value)
        return
    session.add(step.model(**step.values))


def _steps(session: Session, settings: Settings) -> Iterator[_Step]:
    yield from _lists(session, built_in_lists.with_built_in(settings.value_lists))
    yield from _own(session, settings.custom_fields)
    yield from _settings(session, settings.fields)


def _lists(session: Session, lists: Sequence[written.ValueList]) -> Iterator[_Step]:
    there = {(one.list_code, one.code): one for one in session.scalars(select(ValueListItem))}
    branches = {one.name: one.id for one in session.scalars(select(Branch))}
    for one in lists:
        for position, item in enumerate(one.items):
            row = there.pop((one.code, item.code), None)
            values: Facts = {
                "list_code": one.code, "code": item.code, "label": item.label.words(), "order_": position,
                "active": item.active, "is_default": item.default, "flag": item.flag,
                "branch_ids": sorted(branches[name] for name in set(item.branches) if name in branches),
            }  # fmt: skip
            problem = ""
            if row is not None and row.flag != item.flag and _used(session, one.code, item.code):
                problem = Phrase("its flag is {flag} and cannot change: records have it", flag=row.flag)
            yield from _difference(f"list {one.code}: {item.code}", ValueListItem, row, values, problem)
    for (code, item_code), row in there.items():
        what = f"list {code}: {item_code}"
        if not _used(session, code, item_code):
            yield _Step(FieldChange(what, Phrase("deleted")), ValueListItem, row, None)
        elif row.active or row.is_default:
            away: Facts = {"active": False, "is_default": False}
            change = FieldChange(what, Phrase("put out of use: records have it"))
            yield _Step(change, ValueListItem, row, away)


def _used(session: Session, list_code: str, code: str) -> bool:
    mine = and_(
        CustomFieldDef.list_code == list_code,
        CustomFieldValue.def_id == CustomFieldDef.id,
        CustomFieldValue.text == code,
    )
    if session.scalar(select(exists().where(mine))):
        return True
    column = value_lists.COLUMNS.get(list_code)
    if column is None:
        return False
    item = select(ValueListItem.id).where(ValueListItem.list_code == list_code, ValueListItem.code == code)
    columns = (column, *value_lists.FURTHER.get(list_code, ()))
    return any(session.scalar(select(exists().where(one.in_(item)))) for one in columns)


def _own(session: Session, fields: Iterable[written.CustomField]) -> Iterator[_Step]:
    there = {(one.entity, one.key): one for one in session.scalars(select(CustomFieldDef))}
    for position, field in enumerate(fields):
        row = there.pop((field.entity, field.key), None)
        values: Facts = {
            "entity": field.entity, "key": field.key, "type": FieldType(field.type),
            "label": field.label.words(), "list_code": field.list, "required": field.required,
            "order_": position, "tab": field.tab, "active": True,
        }  # fmt: skip
        what = f"{field.entity} {field.key}"
        problem = ""
        if row is not None and _has_values(session, row.id):
            if row.type is not values["type"]:
                problem = Phrase(
                    "its type is {type} and cannot change: there are values", type=row.type.value
                )
            elif row.list_code != field.list:
                problem = Phrase("its list is {list} and cannot change: there are values", list=row.list_code)
        yield from _difference(what, CustomFieldDef, row, values, problem)
    for (entity, key), row in there.items():
        what = f"{entity} {key}"
        if not _has_values(session, row.id):
            yield _Step(FieldChange(what, Phrase("deleted")), CustomFieldDef, row, None)
        elif row.active:
            change = FieldChange(what, Phrase("put out of use: there are values"))
            yield _Step(change, CustomFieldDef, row, {"active": False})


def _has_values(session: Session, def_id: int) -> bool:
    return bool(session.scalar(select(exists().where(CustomFieldValue.def_id == def_id))))


def _settings(
    session: Session, settings: Mapping[str, Mapping[str, written.FieldSetting]]
) -> Iterator[_Step]:
    there = {(one.entity, one.field): one for one in session.scalars(select(FieldSetting))}
    for entity, fields in settings.items():
        for name, one in fields.items():
            row = there.pop((entity, name), None)
            values: Facts = {
                "entity": entity, "field": name, "label": one.label.words(), "hidden": one.hidden,
                "required": one.required,
            }  # fmt: skip
            yield from _difference(f"field {entity}.{name}", FieldSetting, row, values)
    for (entity, name), row in there.items():
        yield _Step(FieldChange(f"field {entity}.{name}", Phrase("as it was")), FieldSetting, row, None)


def _difference(
    what: str, model: type[Base], row: Base | None, values: Facts, problem: str = ""
) -> Iterator[_Step]:
    if row is None:
        yield _Step(FieldChange(what, Phrase("new")), model, None, values)
        return
    told = [
        f"{name.rstrip('_')}: {_shown(getattr(row, name))} -> {_shown(value)}"
        for name, value in values.items()
        if getattr(row, name) != value
    ]
    if told:
        yield _Step(FieldChange(what, "; ".join(told), problem), model, row, values)


def _shown(value: object) -> str:
    if isinstance(value, FieldType):
        return value.value
    if isinstance(value, dict):
        return ", ".join(f'{name} "{one}"' for name, one in sorted(value.items())) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
