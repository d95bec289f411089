"""What the replayed complaints ask of a small company."""

from store import brakes
from tests.servers.calendar_world import event
from tests.servers.memory_world import CALENDAR, MemoryWorld

PAUL = "paul@client.example"
OWN = "ORGANIZER:mailto:claire@acme.example"


def asked(*emails: str) -> tuple[str, ...]:
    """Claire invites them."""
    return OWN, *(f"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{email}" for email in emails)


def subjects(world: MemoryWorld) -> list[object]:
    """Of the events that take place."""
    query = "SELECT subject FROM event WHERE series_id IS NULL AND NOT hidden ORDER BY subject"
    return [subject for (subject,) in world.rows(query)]


def only(world: MemoryWorld) -> int:
    """The id of the only event."""
    id_ = world.one("SELECT id FROM event WHERE series_id IS NULL")
    assert isinstance(id_, int)
    return id_


def state(world: MemoryWorld, name: str) -> object:
    return world.one("SELECT state FROM mailbox WHERE name = :n", n=name)


def release(world: MemoryWorld, name: str) -> None:
    """A person lets go what waits."""
    with world.open().database.write() as session:
        brakes.release(session, name, world.now, actor="admin")


def populated(world: MemoryWorld) -> dict[str, bytes]:
    """Claire's calendar with meetings from both sides, in step; returns what is in it."""
    for number in range(6):
        world.put("claire", f"c{number}", event(f"c{number}", f"Client {number}", more=asked(PAUL)))
    for number in range(6):
        world.desk("claire").add(f"CRM {number}", participants=(PAUL,))
    world.settle()
    world.servers["claire"].mailed.clear()
    return world.servers["claire"].sources(CALENDAR)


def only_of(world: MemoryWorld, uid: str) -> int:
    id_ = world.one("SELECT id FROM event WHERE uid = :u AND series_id IS NULL", u=uid)
    assert isinstance(id_, int)
    return id_


def only_of_subject(world: MemoryWorld, subject: str) -> int:
    id_ = world.one("SELECT id FROM event WHERE subject = :s", s=subject)
    assert isinstance(id_, int)
    return id_
