"""What an admin does in the midst of everything: undoing, taking conflicts back, stopping mailboxes. And what
happens to a machine: its clock jumps back. The third part of the machine."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from connectors.calendar import Item
from store.actors import admin_at_machine
from store.audit_log import Channel
from store.errors import StoreError
from store.sync_state import MailboxState
from syncd.core.conflicts import Winner
from syncd.engine.calendar import taking_back, undoing
from syncd.engine.calendar.occasion import Occasion
from syncd.engine.calendar.people import People as Directory
from tests.property import agenda_client as client
from tests.property.agenda import PARIS, held, hidden
from tests.property.agenda_both import Meetings
from tests.property.agenda_people import PICK, WHO


class Admins(Meetings):
    """What is done with what the service did."""

    def occasion(self) -> Occasion:
        return Occasion(
            actor=admin_at_machine("root"),
            channel=Channel.CLI,
            now=self.agenda.tick(),
            people=Directory(self.agenda.known.directory()),
            floating=PARIS,
            language="fr",
            default_alarm=None,
            instance="",
        )

    def what_the_crm_shows(self) -> dict[str, Item]:
        found = [held(one) for one in self.agenda.records().values() if not hidden(one)]
        return {one.uid: one for one in found}

    def noted(self, before: dict[str, Item]) -> bool:
        """Takes down what somebody changed in the CRM just now; whether that was anything."""
        after = self.what_the_crm_shows()
        owners = {held(one).uid: self.agenda._owner(one) for one in self.agenda.records().values()}
        changed = [uid for uid in before.keys() | after.keys() if before.get(uid) != after.get(uid)]
        for uid in changed:
            was, now = before.get(uid), after.get(uid)
            if was is None and uid not in self.checks.by_uid(owners[uid]):
                continue  # as it was when both sides agreed: it goes where its calendar lost it meanwhile
            self.truth.edited(uid, was, now)
            if was is not None and now is not None:
                self._goes_with_it(was, now)
        return bool(changed)

    @rule(at=PICK)
    def somebody_undoes_one(self, at: int) -> None:
        """One of the last decisions; nobody is mailed for it."""
        rows = self.agenda.rows("SELECT id FROM decision WHERE side <> 'NONE'")
        ids = sorted((int(str(id_)) for (id_,) in rows), reverse=True)
        before, occasion = self.what_the_crm_shows(), self.occasion()
        with self.agenda.database.write() as session:
            found = [
                text
                for text in (f"decision:{id_}" for id_ in ids[:12])
                if all(not one.refused for one in undoing.undo(session, text, occasion, dry_run=True))
            ]
            if found:
                undoing.undo(session, found[at % len(found)], occasion, dry_run=False)
        self.done["undone"] += self.noted(before)

    @rule(at=PICK, winner=st.sampled_from([Winner.CRM, Winner.REMOTE]))
    def a_conflict_is_settled(self, at: int, winner: Winner) -> None:
        rows = self.agenda.rows("SELECT id FROM conflict WHERE state IN ('OPEN', 'DECIDED')")
        ids = sorted(int(str(id_)) for (id_,) in rows)
        if not ids:
            return
        before, occasion = self.what_the_crm_shows(), self.occasion()
        try:
            with self.agenda.database.write() as session:
                taking_back.take(session, ids[at % len(ids)], winner, occasion)
        except StoreError:
            return  # a person reads why
        self.noted(before)
        self.done["conflict settled"] += 1

    @rule(login=WHO)
    def it_is_stopped_or_goes_on(self, login: str) -> None:
        if self.agenda.state(login) is MailboxState.STOPPED:
            self.agenda.order(login, MailboxState.RUNNING)
        elif self.agenda.state(login) is MailboxState.RUNNING:
            self.truth.loose |= self.checks.bound_uids(login)
            self.agenda.order(login, MailboxState.STOPPED)
            self.done["stopped"] += 1

    @rule(minutes=st.sampled_from([1, 20, 600]))
    def the_clock_jumps_back(self, minutes: int) -> None:
        self.agenda.now -= timedelta(minutes=minutes)
        self.done["clock back"] += 1

    @rule(login=WHO, at=PICK, series=st.booleans())
    def the_client_makes_one_anew(self, login: str, at: int, series: bool) -> None:
        """Deleted and made again under the same UID before anybody looked."""
        found = self.pick(login, at, lambda item: item.kind.value == "VEVENT", own=True)
        item = None if found is None else self.checks.at(login, found[1])
        if found is None or item is None:
            return
        number = self.next()
        source = client.new_resource(
            item.uid, number, f"{login}@acme.example",
            series=series, task=False, guests="", past=False, private=False,
        )  # fmt: skip
        self.remove(login, found[1])
        del self.binned[login]
        ref = self.servers[login].put(found[0], source)
        lines = client.Resource(self.checks.all_sources(login)[ref]).own_lines()
        self.truth.written_by_client(item.uid, None, self.checks.at(login, ref), lines)
        self.done["client anew"] += 1
