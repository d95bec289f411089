"""Who acts, and what that person may do (R156; reading 15 of the domain requirements)."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.errors import Forbidden, NotFound
from store.users import User, UserRole

TRUSTED = frozenset({UserRole.ADVANCED, UserRole.WORKSPACE_ADMIN})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `user_id` is None for an admin at the machine, who need not be a user of the CRM."""

    login: str
    user_id: int | None
    role: UserRole

    def may_create_accounts(self) -> bool:
        """Only users with the role advanced or admin create accounts (R156)."""
        return self.role in TRUSTED

    def may_edit(self, owner_id: int | None) -> bool:
        """Advanced users edit every record, others their own."""
        return self.role in TRUSTED or (self.user_id is not None and owner_id == self.user_id)

    def require_admin(self, what: str) -> None:
        """Raises Forbidden unless the actor is an admin."""
        if self.role is not UserRole.WORKSPACE_ADMIN:
            raise Forbidden(f"{self.login} may not {what}: that needs the role admin")


def admin_at_machine(name: str) -> Actor:
    """Whoever can run commands on the machine is an admin."""
    return Actor(name, None, UserRole.WORKSPACE_ADMIN)


def user(session: Session, login: str) -> Actor:
    """The CRM user of that login. Raises NotFound, also for one who is no longer active."""
    found = session.scalar(select(User).where(User.login == login, User.active))
    if found is None:
        logins = ", ".join(session.scalars(select(User.login).where(User.active).order_by(User.login)))
        raise NotFound(f"there is no user {login}; known: {logins or 'none, the config names no [[users]]'}")
    return Actor(found.login, found.id, found.role)


def of_id(session: Session, id_: int) -> Actor:
    """The CRM user of that id, active or not. Raises NotFound."""
    found = session.get(User, id_)
    if found is None:
        raise NotFound(f"there is no user {id_}")
    return Actor(found.login, found.id, found.role)
