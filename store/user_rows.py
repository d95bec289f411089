"""The CRM's users as the config names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from store import outbox
from store.bindings import BoundEntity
from store.calendar import Task, TaskState
from store.sync_state import Mailbox
from store.users import Branch, User, UserRole


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user as the config tells."""

    login: str
    name: str
    email: str  # lower-cased, as the aliases
    aliases: tuple[str, ...]
    role: UserRole
    language: str | None
    timezone: str | None
    show_reminders: bool = False
    manager: str | None = None
    branch: str | None = None
    base: tuple[Decimal, Decimal] | None = None  # where the user sets out from: latitude, longitude
    show_distance: bool = False


def known(session: Session) -> list[UserRow]:
    """The active users, as they are written down."""
    manager = aliased(User)
    rows = (
        select(User, manager.login, Branch.name)
        .outerjoin(manager, manager.id == User.manager_id)
        .outerjoin(Branch, Branch.id == User.branch_id)
    )
    return [
        UserRow(
            user.login,
            f"{user.first_name} {user.last_name}".strip(),
            user.email,
            tuple(user.aliases),
            user.role,
            user.language,
            user.timezone,
            user.show_reminders,
            led_by,
            branch,
            None if user.base_lat is None or user.base_lon is None else (user.base_lat, user.base_lon),
            user.show_distance,
        )
        for user, led_by, branch in session.execute(rows.where(User.active))
    ]


def apply(session: Session, rows: Sequence[UserRow], now: datetime) -> bool:
    """Writes what differs; whether anything did that mail is matched by. Who is left out becomes inactive."""
    there = {user.login: user for user in session.scalars(select(User))}
    changed = False
    for row in rows:
        first, _, last = row.name.rpartition(" ")
        values: dict[str, Any] = {
            "last_name": last,
            "first_name": first,
            "email": row.email,
            "aliases": list(row.aliases),
            "role": row.role,
            "language": row.language,
            "timezone": row.timezone,
            "show_reminders": row.show_reminders,
            "base_lat": row.base and row.base[0],
            "base_lon": row.base and row.base[1],
            "show_distance": row.show_distance,
            "active": True,
        }
        user = there.pop(row.login, None)
        if user is None:
            session.add(User(login=row.login, created_at=now, updated_at=now, **values))
            changed = True
        else:
            turned = user.show_reminders != row.show_reminders
            before = _setting_out(user)
            changed |= set_values(user, values, now)
            if turned:
                _tell_of_tasks(session, user.id, now)
            if _setting_out(user) != before:
                session.flush()
                outbox.announce_user(session, user.id, now)
    for user in there.values():
        changed |= set_values(user, {"active": False}, now)
    session.flush()
    _apply_places(session, rows, now)
    return changed


def _setting_out(user: User) -> tuple[Decimal | None, Decimal | None] | None:
    """What the distances in the user's calendar are counted from; None where none are told."""
    return (user.base_lat, user.base_lon) if user.show_distance else None


def _apply_places(session: Session, rows: Sequence[UserRow], now: datetime) -> None:
    """Everybody's manager and branch, once all users are there."""
    branches = {one.name: one for one in session.scalars(select(Branch))}
    for name in dict.fromkeys(row.branch for row in rows if row.branch and row.branch not in branches):
        branches[name] = Branch(name=name)
        session.add(branches[name])
    session.flush()
    users = {user.login: user for user in session.scalars(select(User))}
    for row in rows:
        values = {
            "manager_id": users[row.manager].id if row.manager else None,
            "branch_id": branches[row.branch].id if row.branch else None,
        }
        set_values(users[row.login], values, now)
    session.flush()


def _tell_of_tasks(session: Session, user_id: int, now: datetime) -> None:
    """The calendar shows a user's open tasks from now on, or no longer (R063)."""
    session.flush()
    ids = session.scalars(
        select(Task.id).where(
            Task.assignee_id == user_id, Task.state == TaskState.OPEN, Task.hidden.is_(False)
        )
    ).all()
    outbox.announce(session, BoundEntity.TASK, ids, now, by_person=False)


def set_values(record: User | Mailbox, values: dict[str, Any], now: datetime) -> bool:
    """Whether anything differed."""
    differing = {name: value for name, value in values.items() if getattr(record, name) != value}
    for name, value in differing.items():
        setattr(record, name, value)
    if differing:
        record.updated_at = now
        record.version += 1
    return bool(differing)
