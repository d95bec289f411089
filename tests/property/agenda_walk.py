"""One history past everything that has to occur: what is drawn at random depends on hypothesis' version."""

from typing import TYPE_CHECKING

from syncd.core.conflicts import Winner
from syncd.core.decision import Direction
from syncd.core.guards import Limits
from tests.property import agenda_client as client
from tests.property import agenda_crm as crm
from tests.property.agenda_weather import CALLS

if TYPE_CHECKING:
    from tests.property.agenda_machine import Machine

MEANWHILE = ("client", "crm", "both", "delete", "cancel", "pause", "other cycle")


def walk(machine: "Machine") -> None:
    """Takes steps of the machine, one kind after the other; the caller quiets it afterwards."""
    machine.world(
        rule_=Winner.REMOTE, limits=Limits(1000, 100), versions="always", syncs=True, rewrite="",
        second=True, items=6, direction=Direction.BOTH,
    )  # fmt: skip
    _units(machine)
    _occurrences(machine)
    _deletions(machine)
    _weather(machine)
    _half_done(machine)
    _overtaken(machine)


def _units(machine: "Machine") -> None:
    for at, kind in enumerate(client.SIMPLE):
        machine.the_client_changes_one("claire", at, at, [kind])
    for at in range(
        6
    ):  # of a task alone everybody can say that it is done; of two numbers one is another value
        machine.the_client_changes_one("claire", at, 0, ["status", "busy", "time", *["video"] * (at < 3)])
    machine.some_cycles()
    for at, kind in enumerate(crm.SIMPLE):
        machine.the_crm_changes_one(at, at, [kind])
    for at in range(4):  # several of what a server may have one place for
        machine.the_crm_changes_one(at, 0, ["alarm", "categories"])
        machine.the_crm_changes_one(at, 0, ["alarm", "categories"])
    machine.some_cycles()
    for who in ("guest", "answer"):
        machine.people_come_and_answer("claire", 0, who)
    for what in ("guest", "colleague", "link"):
        machine.the_crm_changes_who_is_concerned(0, what)
    machine.some_cycles()
    for message in ("Acompte exigé", "Payé", None):
        machine.what_stands_at_the_account_changes(message)
        machine.some_cycles()
    machine.the_crm_changes_who_is_concerned(0, "no guest")
    for at in range(6):
        machine.the_crm_changes_one(at, 0, ["busy", "video"])
    machine.the_crm_changes_who_is_concerned(0, "private")
    machine.the_client_makes_it_private_or_public("claire", 1, private=True)
    machine.some_cycles()
    machine.the_client_makes_it_private_or_public("claire", 0, private=False)
    machine.both_sides_say_the_same(0)
    machine.both_sides_change_one(1, 0, "notes", "location")
    machine.some_cycles()


def _occurrences(machine: "Machine") -> None:
    for at in range(2):
        machine.the_client_changes_an_occurrence("claire", at, "add")
        machine.some_cycles()
        machine.the_crm_changes_an_occurrence(at, "add")
        machine.some_cycles()
    for what in ("remove", "cancel"):
        machine.the_client_changes_an_occurrence("claire", 0, what)
        machine.some_cycles()
        machine.the_crm_changes_an_occurrence(0, what)
        machine.some_cycles()


def _deletions(machine: "Machine") -> None:
    plain = {"series": False, "task": False, "past": False, "private": False}
    for _ in range(8):
        machine.the_client_makes_one("claire", **plain, guests="", second=False)
    machine.the_crm_makes_one("claire", **plain, guest="both")
    machine.some_cycles()
    machine.one_side_deletes_what_the_other_one_changes(0, "crm", "subject")
    machine.one_side_deletes_what_the_other_one_changes(1, "client", "subject")
    machine.both_sides_delete_one(2)
    machine.the_crm_takes_an_invitation_out_of_sight(0)
    machine.the_crm_cancels_one(3)
    machine.some_cycles()
    machine.the_client_deletes_one("claire", 1)
    machine.some_cycles()
    machine.the_client_takes_back_a_deletion("claire")
    machine.the_client_moves_one(0)
    machine.the_crm_makes_one("claire", **plain, guest="")
    machine.the_client_has_what_the_crm_just_made(0)
    machine.some_cycles()


def _weather(machine: "Machine") -> None:
    for call in CALLS:
        machine.a_cycle_in_which_a_call_fails("claire", call, "silence", 1, after=False)
    for what in MEANWHILE:
        machine.a_cycle_in_which_something_happens("changes", 1, [what], 0, "location")
    machine.a_cycle_that_is_killed_before_a_commit("claire", 1)
    machine.it_is_paused_or_goes_on("denis")
    machine.some_cycles()
    machine.it_is_paused_or_goes_on("denis")
    for how in ("garbage", "withhold", "heal", "vanish"):
        machine.one_cannot_be_read("claire", 0, how)
        machine.some_cycles()
    machine.one_cannot_be_read("claire", 0, "heal")
    machine.a_calendar_is_made_anew(restored=True)
    machine.it_is_released("claire")


def _half_done(machine: "Machine") -> None:
    """Each kind of write goes wrong in each way, before it was done and after, with something to write."""
    plain = {"series": False, "task": False, "past": False, "private": False}
    machine.it_is_released("claire")
    for kind in ("silence", "gone", "kill"):
        for after in (False, True):
            machine.the_crm_makes_one("claire", **plain, guest="guest")
            machine.a_cycle_in_which_a_call_fails("claire", "create", kind, 1, after=after)
            machine.a_cycle_in_which_a_call_fails("claire", "find", kind, 1, after=after)
            machine.some_cycles()
            machine.the_crm_changes_one(1, 0, ["subject"])
            machine.the_crm_changes_one(2, 0, ["location"])
            machine.a_cycle_in_which_a_call_fails("claire", "update", kind, 1, after=after)
            machine.some_cycles()
            machine.the_crm_cancels_one(3)
            machine.a_cycle_in_which_a_call_fails("claire", "delete", kind, 1, after=after)
            machine.some_cycles()


def _overtaken(machine: "Machine") -> None:
    """The client is quicker, right before the service writes."""
    for at in range(6):
        machine.both_sides_change_one(at, 0, "subject", "notes")
        machine.a_cycle_in_which_something_happens("update", 1, ["both"], at, "notes")
        machine.both_sides_change_one(at, 0, "subject", "notes")
        machine.a_cycle_in_which_something_happens("read", 1, ["both"], at, "subject")
        machine.some_cycles()
