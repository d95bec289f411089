"""The brake of a mailbox's calendars: what waits, and what a person let go (table T4, row 18)."""

import json
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from store.audit_log import AuditLog, Channel
from store.errors import Invalid, NotFound
from store.sync_state import Mailbox, MailboxState


def set_brake(session: Session, name: str, plan: str, reason: str, now: datetime) -> None:
    """Stops a mailbox before it does something massive; `plan` is what waits, as JSON."""
    session.execute(
        update(Mailbox)
        .where(Mailbox.name == name, Mailbox.state == MailboxState.RUNNING)
        .values(
            state=MailboxState.BRAKED,
            attention=reason,
            brake=plan,
            released=None,
            updated_at=now,
            version=Mailbox.version + 1,
        )
    )


def release(session: Session, name: str, now: datetime, *, actor: str) -> str:
    """Lets go what waits, that and no more; returns it. Raises NotFound, Invalid."""
    mailbox = session.scalar(select(Mailbox).where(Mailbox.name == name))
    if mailbox is None:
        raise NotFound(f"there is no mailbox {name}")
    if mailbox.state is not MailboxState.BRAKED or mailbox.brake is None:
        raise Invalid(f"the brake of mailbox {name} is not on: there is nothing to release")
    plan = mailbox.brake
    mailbox.released, mailbox.brake, mailbox.attention = plan, None, None
    mailbox.state, mailbox.updated_at = MailboxState.RUNNING, now
    session.add(
        AuditLog(
            at=now,
            actor=actor,
            entity="mailbox",
            entity_id=mailbox.id,
            change={"released": True},
            channel=Channel.CLI,
        )
    )
    return plan


def braked(session: Session, name: str) -> tuple[str | None, str | None]:
    """What waits for a release, and what was released and not done yet; both as JSON."""
    row = session.execute(select(Mailbox.brake, Mailbox.released).where(Mailbox.name == name)).one()
    return row[0], row[1]


def forget_release(session: Session, name: str) -> None:
    """What was released is done."""
    session.execute(update(Mailbox).where(Mailbox.name == name).values(released=None))


def forget_texts(session: Session, uids: AbstractSet[str]) -> None:
    """Nothing of what these items said, nor who takes part, stays in what waits: they are private now."""
    held = or_(Mailbox.brake.is_not(None), Mailbox.released.is_not(None))
    for mailbox in session.scalars(select(Mailbox).where(held)):
        mailbox.brake = _without_texts(mailbox.brake, uids)
        mailbox.released = _without_texts(mailbox.released, uids)


def _without_texts(plan: str | None, uids: AbstractSet[str]) -> str | None:
    lines = [] if plan is None else json.loads(plan)
    if not any(one["uid"] in uids for one in lines):
        return plan
    bare = [{**one, "subject": "", "mailed": []} if one["uid"] in uids else one for one in lines]
    return json.dumps(bare, ensure_ascii=False)
