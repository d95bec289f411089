"""The company's own fields and labels, where one record is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from store import custom_fields, value_lists
from store.custom_fields import BETWEEN, FieldSetting, FieldType
from store.readers import Value

Label = Mapping[str, str]  # by language


@dataclass(frozen=True, slots=True)
class Words:
    """What people read, by language, where it is not the field's name or the value itself."""

    fields: Mapping[str, Label] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Label]] = field(default_factory=dict)  # of lists: by field and code
    hidden: frozenset[str] = frozenset()

    def name(self, field_: str, language: str) -> str:
        """What the field is called."""
        return self.fields.get(field_, {}).get(language, field_)

    def value(self, field_: str, value: object, language: str) -> object:
        """The value as it is read: for a code of a list its label."""
        known = self.values.get(field_)
        if known is None or not isinstance(value, str):
            return value
        return ", ".join(known.get(code, {}).get(language, code) for code in value.split(BETWEEN))


def own_words(session: Session, entity: str, beside: str | None = None) -> Words:
    """Those of an entity; with the values of the lists of another one that is shown with it."""
    own, listed = custom_fields.of_entity(session, entity), value_lists.labels(session, entity)
    if beside is not None:
        listed = value_lists.labels(session, beside) | listed
    settings = session.scalars(select(FieldSetting).where(FieldSetting.entity == entity)).all()
    return Words(
        {one.field: one.label for one in settings} | {one.key: one.label for one in own},
        {
            one.key: {item.code: item.label for item in one.items}
            for one in own
            if one.type in (FieldType.VALUE_LIST, FieldType.MULTI_LIST)
        }
        | listed,
        frozenset(one.field for one in settings if one.hidden and not one.required),
    )


def own_values(session: Session, entity: str, id_: object) -> dict[str, Value]:
    """The record's values of the company's own fields, in their order; those without one too."""
    own = custom_fields.of_entity(session, entity)
    if not own or not isinstance(id_, int):
        return {}
    found = custom_fields.values(session, own, [id_]).get(id_, {})
    return {one.key: found.get(one.key) for one in own}
