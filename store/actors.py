"""Who acts, and what that person may do (R156; reading 15 of the domain requirements)."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.language import Phrase, term
from config.rights import Scope
from store.errors import Forbidden, NotFound
from store.rights import DEFAULT, RIGHTS, TRUSTED, Matrix, Verb
from store.users import User, UserRole


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `user_id` is None for an admin at the machine, who need not be a user of the CRM."""

    login: str
    user_id: int | None
    role: UserRole
    team: frozenset[int] = frozenset()  # the user, and those whose manager the user is, directly or not
    branch: frozenset[int] = frozenset()  # those of the same branch, the user among them
    matrix: Matrix = DEFAULT
    language: str | None = None  # that the user reads; None: that of the workspace

    def scope(self, entity: str, verb: Verb) -> Scope:
        """How far that right reaches."""
        return self.matrix.scope(self.role, entity, verb)

    def owners(self, scope: Scope) -> frozenset[int]:
        """The owners whose records are within that reach, where it is not all or none."""
        if self.user_id is None or scope is Scope.NONE:
            return frozenset()
        if scope is Scope.OWN:
            return frozenset({self.user_id})
        return self.team | {self.user_id} | (self.branch if scope is Scope.BRANCH else frozenset())

    def may(self, entity: str, verb: Verb, owners: Iterable[int | None]) -> bool:
        """Whether that right reaches a record with these owners: its own, and those of its accounts."""
        scope = self.scope(entity, verb)
        if scope is Scope.ALL:
            return True
        known = {one for one in owners if one is not None}
        if not known:
            return scope is Scope.BRANCH
        return not known.isdisjoint(self.owners(scope))

    def may_edit(self, owner_id: int | None) -> bool:
        """In calendars, and of activities: advanced users edit everything, others what is theirs."""
        return self.role in TRUSTED or (self.user_id is not None and owner_id == self.user_id)

    def require_admin(self, what: str) -> None:
        """Raises Forbidden unless the actor is an admin."""
        if self.role is not UserRole.WORKSPACE_ADMIN:
            raise Forbidden(
                Phrase("{login} may not {what}: that needs the role admin", login=self.login, what=what)
            )

    def refuse(self, what: str, entity: str, verb: Verb) -> Forbidden:
        """The error for what the rights do not reach."""
        scope, role = self.scope(entity, verb), self.role.value
        if scope is Scope.NONE:
            needed = (
                Phrase("advanced or admin")
                if (entity, verb) == ("account", Verb.CREATE)
                else term("UserRole", "admin")
            )
            return Forbidden(
                Phrase(
                    "{login} may not {what}: that needs the role {needed}",
                    login=self.login,
                    what=what,
                    needed=needed,
                )
            )
        reach = {
            Scope.OWN: Phrase("what is the user's own, and what belongs to the user's own accounts"),
            Scope.TEAM: Phrase("what belongs to the user's team"),
            Scope.BRANCH: Phrase("what belongs to the user's branch"),
        }[scope]
        return Forbidden(
            Phrase(
                "{login} may not {what}: the right {entity}.{verb} of the role {role} reaches {reach}",
                login=self.login,
                what=what,
                entity=entity,
                verb=verb.value,
                role=role,
                reach=reach,
            )
        )


def admin_at_machine(name: str) -> Actor:
    """Whoever can run commands on the machine is an admin."""
    return Actor(name, None, UserRole.WORKSPACE_ADMIN)


def user(session: Session, login: str) -> Actor:
    """The CRM user of that login. Raises NotFound, also for one who is no longer active."""
    found = session.scalar(select(User).where(User.login == login, User.active))
    if found is None:
        logins = ", ".join(session.scalars(select(User.login).where(User.active).order_by(User.login)))
        raise NotFound(
            Phrase(
                "there is no user {login}; known: {logins}",
                login=login,
                logins=logins or Phrase("none, the config names no [[users]]"),
            )
        )
    return _actor(session, found)


def of_id(session: Session, id_: int) -> Actor:
    """The CRM user of that id, active or not. Raises NotFound."""
    found = session.get(User, id_)
    if found is None:
        raise NotFound(Phrase("there is no user {id}", id=id_))
    return _actor(session, found)


def _actor(session: Session, found: User) -> Actor:
    matrix = session.info.get(RIGHTS, DEFAULT)
    if not isinstance(matrix, Matrix):
        raise TypeError("the rights of a session are a matrix")
    rows = session.execute(select(User.id, User.manager_id, User.branch_id)).all()
    led: dict[int, list[int]] = {}
    for id_, manager, _ in rows:
        if manager is not None:
            led.setdefault(manager, []).append(id_)
    team, ahead = {found.id}, [found.id]
    while ahead:
        ahead = [one for above in ahead for one in led.get(above, ()) if one not in team]
        team.update(ahead)
    branch = frozenset(id_ for id_, _, branch in rows if branch == found.branch_id)
    return Actor(found.login, found.id, found.role, frozenset(team), branch, matrix, found.language)
