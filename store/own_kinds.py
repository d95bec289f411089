"""Records with the fields of the company's own, on their way in (see `store.importing`)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.language import Phrase
from store import custom_fields, value_lists
from store.custom_fields import PREFIX, FieldSetting, OwnField
from store.fields import Field, Kind
from store.import_rows import Findings, Record
from store.readers import Value

NO_COLUMN = ": no such column"


def whole(session: Session, kind: Kind, own: Sequence[OwnField], user_id: int | None = None) -> Kind:
    """The kind with the fields of the company's own, the items of its lists as that user can choose them, and
    with what the company requires, hides and calls in another way."""
    kind = value_lists.bind(session, kind, user_id)
    query = select(FieldSetting).where(FieldSetting.entity == kind.entity)
    settings = {one.field: one for one in session.scalars(query)}
    if not own and not settings:
        return kind
    fields = [_set(one, settings.get(one.header)) for one in kind.fields]
    fields += [_own(one) for one in own]
    return replace(kind, fields=tuple(fields))


def _set(one: Field, setting: FieldSetting | None) -> Field:
    if setting is None:
        return one
    required = one.required or setting.required
    return replace(one, required=required, hidden=setting.hidden and not required, label=setting.label)


def _own(one: OwnField) -> Field:
    accepted = tuple((item.code, item.label) for item in one.items if item.active)
    # Headers of files are read in small letters.
    return Field(
        one.key.lower(), one.read, one.key, required=one.required, accepted=accepted, label=one.label
    )


def told(kind: Kind, findings: Findings, language: str) -> None:
    """Puts what people call a field into what is said of it."""
    for faults in (findings.faults, findings.warnings):
        for place, fault in enumerate(faults):
            field = kind.by_header.get(fault.column)
            label = None if field is None else field.label.get(language)
            if label is not None and label != fault.column:
                said, missing, _ = fault.message.partition(NO_COLUMN)
                faults[place] = replace(fault, message=f'{said} ("{label}"){missing}')


def look_up(session: Session, own: Sequence[OwnField], rows: Mapping[int, dict[str, Value]]) -> None:
    """Puts the values of records that are there into their rows."""
    found = custom_fields.values(session, own, rows)
    for id_, row in rows.items():
        row.update(dict.fromkeys(one.key for one in own))
        row.update(found.get(id_, {}))


def check(own: Sequence[OwnField], records: Iterable[Record], findings: Findings) -> None:
    """What can be chosen no more stays where it is, and is not given to another record."""
    for field in own:
        for record in records:
            value = record.values.get(field.key)
            gone = field.inactive(value)
            before = str((record.before or {}).get(field.key) or "").split(custom_fields.BETWEEN)
            for code in gone:
                if code not in before:
                    message = Phrase('"{code}" can be chosen no more', code=code)
                    findings.fault(record.line, field.key.lower(), message)


def columns(values: Mapping[str, Value]) -> dict[str, Value]:
    """What of some values belongs into the entity's own table."""
    return {name: value for name, value in values.items() if not name.startswith(PREFIX)}


def write(session: Session, own: Sequence[OwnField], records: Iterable[Record]) -> None:
    """Writes the values of the company's own fields that have changed."""
    if not own:
        return
    rows = {}
    for record in records:
        before = record.before or {}
        given = {one.key: record.values[one.key] for one in own if one.key in record.values}
        changed = {key: value for key, value in given.items() if before.get(key) != value}
        if changed:
            rows[record.id] = changed
    custom_fields.put(session, own, rows)
