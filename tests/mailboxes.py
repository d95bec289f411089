"""A user with a customer, and what is looked at in the database: for tests of whole mailboxes."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from connectors.imap.wire import Wire
from syncd.engine.audit import audit
from tests.servers.world import World

CLAIRE, DENIS, EMMA = "claire@acme.example", "denis@acme.example", "emma@acme.example"
PAUL, MARTHA, STRANGER = "paul@client.example", "martha@other.example", "someone@stranger.example"


def with_paul(world: World) -> World:
    world.add_user("claire")
    world.add_contact(world.add_account("Client SA"), PAUL)
    return world


def subjects(world: World) -> list[str]:
    return [str(subject) for (subject,) in world.rows("SELECT subject FROM email_message ORDER BY subject")]


def verdicts(world: World) -> list[tuple[object, ...]]:
    """(folder, UID, verdict) of what is read now."""
    return world.rows(
        "SELECT c.remote_ref, v.uid, v.verdict FROM verdict v JOIN collection c ON c.id = v.collection_id "
        "WHERE c.selected ORDER BY c.remote_ref, v.uid"
    )


def folder_errors(world: World) -> dict[object, object]:
    rows = world.rows("SELECT remote_ref, error FROM collection WHERE selected")
    return {row[0]: row[1] for row in rows}


def is_green(world: World, login: str = "claire") -> bool:
    installation = world.open()
    try:
        return audit(
            installation.database,
            installation.connect(login),
            login,
            wanted=installation.settings.mailbox(login).mail_folders,
        ).green
    finally:
        installation.close()


@contextlib.contextmanager
def before_sending(monkeypatch: pytest.MonkeyPatch, word: bytes, act: Callable[[], None]) -> Iterator[None]:
    """Does something once, right before the first command with this word goes to the server."""
    send = Wire.send
    waiting = [act]

    def watched(self: Wire, data: bytes) -> None:
        if word in data and waiting:
            waiting.pop()()
        send(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Wire, "send", watched)
        yield
    assert not waiting, f"no command with {word!r} was sent"
