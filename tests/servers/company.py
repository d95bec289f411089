"""Claire and Denis, an account with a deal and a contact: what is internal, and where it may not be."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from store.bindings import BoundEntity
from tests.servers.memory_world import CALENDAR, MemoryWorld, unfolded

GUEST = "paul@client.example"
ACCOUNT = "Compte-Canari"
DEAL = "CANARI-42"
NOTE = "note-interne-canari"
MARKS = ("--- CRM", "--- fin CRM", "X-CRM-ACCOUNT", "X-CRM-OPPORTUNITY", "Compte :", "Opportunité :")
BASE = "base_lat = 45.75\nbase_lon = 4.85\nshow_distance = true"  # where they set out from
FAR = "Distance : 11\\,1 km"
ADVICE = "Acompte-Canari"  # stands at the account
INTERNAL = (ADVICE, ACCOUNT, DEAL, NOTE, "Distance :", *MARKS)
ORGANIZER = "ORGANIZER:mailto:claire@acme.example"


class Company:
    """Claire and Denis, an account with a deal and a contact; every resource written is kept."""

    def __init__(self, folder: Path, database_url: str, *, auto_schedule: bool) -> None:
        self.world = MemoryWorld(folder, database_url)
        self.written: list[bytes] = []
        for login in ("claire", "denis"):
            server = self.world.add_user(login, auto_schedule=auto_schedule)
            server.rewrite = self._kept
            self.world.user_keys[login] = BASE
        place = {"latitude": Decimal("45.85"), "longitude": Decimal("4.85")}
        self.account = self.world.add_account(ACCOUNT, **place)
        self.world.advise(self.account, ADVICE)
        self.contact = self.world.add_contact(self.account, GUEST)
        self.world.add_opportunity(self.account, DEAL)
        self.world.settle()
        self.claire = self.world.desk("claire")
        self.mails = auto_schedule

    def _kept(self, source: bytes) -> bytes:
        self.written.append(source)
        return source

    def prepared(self, **said: Any) -> tuple[int, str]:
        """An event that carries the block; its id and where it lies in Claire's calendar."""
        id_ = self.claire.add("Préparation", account=ACCOUNT, opportunity=DEAL, **said)
        self.world.settle()
        assert f"--- CRM ---\\nAvis de règlement : {ADVICE}\\nCompte : {ACCOUNT}" in self.text(self.ref(id_))
        assert (f"\\n{FAR}\\n--- fin CRM ---" in self.text(self.ref(id_))) == ("participants" not in said)
        return id_, self.ref(id_)

    def ref(self, id_: int) -> str:
        return str(
            self.world.one(
                "SELECT remote_ref FROM binding WHERE entity = :e AND entity_id = :i AND supplies",
                e=BoundEntity.EVENT.name,
                i=id_,
            )
        )

    def text(self, ref: str) -> str:
        return unfolded(self.world.servers["claire"].sources(CALENDAR)[ref])

    def by_client(self, ref: str, change: Callable[[str], str]) -> None:
        """Claire's client changes the text of a resource."""
        changed = change(self.text(ref))
        assert changed != self.text(ref)
        self.world.servers["claire"].put(CALENDAR, changed.replace("\n", "\r\n").encode(), ref)

    def settle_with_guests(self) -> None:
        """The client has invited somebody by itself. What the CRM added goes at once; a server that mails may
        tell the guest, once, that the text is another one now."""
        self.world.settle()
        told = [(one.recipient, one.method) for one in self.world.mailed()]
        assert told == ([(GUEST, "REQUEST")] if told and self.mails else [])
        assert self.world.rows("SELECT DISTINCT email FROM event_participant WHERE email = :e", e=GUEST)
        assert self.world.one("SELECT count(*) FROM quarantine") == 0

    def check(self, expected: int = 1) -> None:
        """So many resources have guests now, and nothing internal is in them, nor in any that ever had guests
        when the service wrote it."""
        stored = [
            source for server in self.world.servers.values() for source in server.sources(CALENDAR).values()
        ]
        assert len([one for one in stored if goes_out(unfolded(one))]) == expected
        for text in map(unfolded, [*stored, *self.written]):
            if goes_out(text):
                assert [mark for mark in INTERNAL if mark in text] == [], text


def goes_out(text: str) -> bool:
    """Whether a server would mail it to somebody from outside."""
    people = [line for line in text.splitlines() if line.startswith(("ATTENDEE", "ORGANIZER"))]
    return any(not line.lower().endswith("@acme.example") for line in people)
