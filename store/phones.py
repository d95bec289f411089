"""The telephone numbers of contacts in the international form, beside what was typed (R027, R028).

A form depends on the country that numbers belong to which name none, and on how it is worked out. So both are
kept with the forms: under another country, or by another method, all of them are worked out again. A writer
of a number empties its form, whoever needs the forms has the missing ones worked out first
(`syncd.engine.phones`).
"""

from collections.abc import Callable, Iterable

from sqlalchemy import ColumnElement, String, false, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from store.base import Base
from store.contacts import PHONE_STALE, Contact
from store.errors import Stale
from store.readers import Value

ONLY = 1  # the id of the only row
METHOD = 1  # counts up whenever `syncd.core.calls.international` gives any number another form
NUMBERS = {"phone_landline": "phone_landline_e164", "phone_mobile": "phone_mobile_e164"}
PAGE = 5000  # contacts looked at together
NONE = ""  # the form of a text that is no number


class PhoneForm(Base):
    """How the forms were worked out."""

    __tablename__ = "phone_form"

    id: Mapped[int] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(String(2))
    method: Mapped[int]


def emptied(values: dict[str, Value]) -> dict[str, Value]:
    """The columns, with the forms of the numbers among them emptied."""
    return values | {NUMBERS[name]: None for name in NUMBERS if name in values}


def settled(session: Session, country: str) -> bool:
    """Whether every number has the form that follows from it and this country."""
    state = session.execute(select(PhoneForm.country, PhoneForm.method).where(PhoneForm.id == ONLY)).first()
    if state is None or tuple(state) != (country, METHOD):
        return False
    return session.scalar(select(Contact.id).where(PHONE_STALE).limit(1)) is None


def like(parts: Iterable[str]) -> ColumnElement[bool]:
    """Whether a contact has a number with one of these parts in its international form."""
    forms = (Contact.phone_landline_e164, Contact.phone_mobile_e164)
    return or_(false(), *(form.contains(part, autoescape=True) for part in parts for form in forms))


def settle(session: Session, country: str, form: Callable[[str], str]) -> int:
    """Works out what is missing; returns of how many contacts. `form` gives NONE for what is no number."""
    state = session.get(PhoneForm, ONLY, with_for_update=True)
    if state is None:
        raise Stale("the table phone_form has no row: run `syncd db upgrade`")
    if (state.country, state.method) != (country, METHOD):
        forms = (Contact.phone_landline_e164, Contact.phone_mobile_e164)
        session.execute(
            update(Contact)
            .where(or_(*(one.is_not(None) for one in forms)))
            .values(dict.fromkeys(NUMBERS.values()))
            .execution_options(synchronize_session=False)
        )
        state.country, state.method = country, METHOD
    session.flush()
    columns = (Contact.id, Contact.phone_landline, Contact.phone_mobile)
    done = 0
    while rows := session.execute(select(*columns).where(PHONE_STALE).limit(PAGE)).all():
        forms_of = [
            {
                "id": row.id,
                "phone_landline_e164": _form(row.phone_landline, form),
                "phone_mobile_e164": _form(row.phone_mobile, form),
            }
            for row in rows
        ]
        session.execute(update(Contact), forms_of)
        done += len(rows)
    return done


def _form(number: str | None, form: Callable[[str], str]) -> str | None:
    return None if number is None else form(number)
