"""Records with the fields of the company's own, on their way in (see `store.importing`)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.language import Phrase
from store import custom_fields
from store.custom_fields import PREFIX, FieldSetting, OwnField
from store.fields import Field, Kind, Value
from store.import_rows import Findings, Record


def whole(session: Session, kind: Kind, own: Sequence[OwnField]) -> Kind:
    """The kind with the fields of the company's own, and with what the company requires beyond it."""
    query = select(FieldSetting.field).where(FieldSetting.entity == kind.entity, FieldSetting.required)
    required = set(session.scalars(query))
    if not own and not required:
        return kind
    fields = [replace(one, required=one.required or one.header in required) for one in kind.fields]
    # Headers of files are read in small letters.
    fields += [Field(one.key.lower(), one.read, one.key, required=one.required) for one in own]
    return replace(kind, fields=tuple(fields))


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
