"""What the config says of users and mailboxes, as the CRM keeps it."""

from config import places
from config.settings import Role, Settings
from store.mailboxes import MailboxRow
from store.user_rows import UserRow
from store.users import UserRole

ROLES = {
    Role.STANDARD: UserRole.STANDARD,
    Role.ADVANCED: UserRole.ADVANCED,
    Role.ADMIN: UserRole.WORKSPACE_ADMIN,
}


def user_rows(settings: Settings) -> list[UserRow]:
    """The users."""
    return [
        UserRow(
            login=user.login,
            name=user.name,
            email=user.email.lower(),
            aliases=tuple(alias.lower() for alias in user.aliases),
            role=ROLES[user.role],
            language=user.language,
            timezone=None if user.timezone is None else user.timezone.key,
            show_reminders=user.show_reminders,
            manager=user.manager,
            branch=user.branch,
            base=places.kept(user.base_lat, user.base_lon),
            show_distance=user.show_distance,
        )
        for user in settings.users
    ]


def mailbox_rows(settings: Settings) -> list[MailboxRow]:
    """The mailboxes, each with the user whose it is."""
    return [
        MailboxRow(
            name=box.name,
            user=box.user,
            address=settings.address_of(box),
            server=box.server,
            sync_mail="mail" in box.sync,
            sync_calendar="calendar" in box.sync,
            direction=box.direction.name,
        )
        for box in settings.mailboxes
    ]
