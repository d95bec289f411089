"""What is internal never reaches a guest (requirements §4.2)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.calendar_world import event
from tests.servers.company import ADVICE, Company, goes_out
from tests.servers.memory_world import CALENDAR, unfolded

GUEST = "paul@client.example"
ACCOUNT = "Compte-Canari"
DEAL = "CANARI-42"
NOTE = "note-interne-canari"
MARKS = ("--- CRM", "--- fin CRM", "X-CRM-ACCOUNT", "X-CRM-OPPORTUNITY", "Compte :", "Opportunité :")
ORGANIZER = "ORGANIZER:mailto:claire@acme.example"
INVITED = (ORGANIZER, "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:paul@client.example")
# How calendars name a guest whom no "mailto:" tells.
STRANGE_GUESTS = (
    "ATTENDEE;EMAIL=paul@client.example:urn:uuid:5b3f8d9c-0000-4000-8000-000000000001",
    "ATTENDEE;CN=Paul:https://dav.client.example/principals/paul/",
    "ATTENDEE;CN=Paul:invalid:nomail",
    "ATTENDEE;CN=Paul:MAILTO:Paul@Client.Example",
    "ATTENDEE;CN=Paul:paul@client.example",
)


def invite(text: str) -> str:
    """What a client does to invite Paul: to the series, and to every occurrence that stands for itself."""
    return text.replace("SUMMARY:", "\n".join([*INVITED, "SUMMARY:"]))


@pytest.fixture(params=["the server mails", "the server mails nobody"])
def company(request: pytest.FixtureRequest, tmp_path: Path, sqlite_url: str) -> Iterator[Company]:
    """On a server that delivers invitations, and on one that leaves it to the service."""
    company = Company(tmp_path / "syncd", sqlite_url, auto_schedule=request.param == "the server mails")
    yield company
    company.world.close()


def test_an_event_without_guests_has_the_block(company: Company) -> None:
    """What the other tests look for is really written where it may be."""
    _, ref = company.prepared(internal_notes=NOTE)
    assert [mark for mark in (ACCOUNT, *MARKS) if mark not in company.text(ref)] == []
    assert NOTE not in company.text(ref)


def test_an_event_made_in_the_crm_with_a_guest(company: Company) -> None:
    company.claire.add(
        "Visite", account=ACCOUNT, opportunity=DEAL, internal_notes=NOTE, participants=(GUEST,)
    )
    company.world.settle()
    company.check()


def test_a_guest_who_is_added_later_in_the_crm(company: Company) -> None:
    id_, _ = company.prepared(internal_notes=NOTE)
    company.claire.edit(id_, participants=(GUEST,))
    company.world.settle()
    company.check()


def test_a_guest_who_is_added_later_in_the_client(company: Company) -> None:
    _, ref = company.prepared()
    company.by_client(ref, invite)
    company.settle_with_guests()
    company.check()


@pytest.mark.parametrize("marker", ["--- CRM ---", "--- fin CRM ---"])
def test_a_guest_who_is_added_by_a_client_that_spoils_the_block(company: Company, marker: str) -> None:
    id_, ref = company.prepared(notes="Apporter le devis")
    company.by_client(ref, lambda text: invite(text).replace(f"{marker}", ""))
    company.settle_with_guests()
    notes = company.claire.record(id_).main.values["notes"]
    assert ACCOUNT not in notes
    assert notes.startswith("Apporter le devis")
    text = company.text(ref)
    assert [one for one in (ACCOUNT, DEAL, "X-CRM-ACCOUNT", "Compte :", "Opportunité :") if one in text] == []


def test_a_spoilt_block_of_an_event_without_guests_is_no_note(company: Company) -> None:
    id_, ref = company.prepared(notes="Apporter le devis")
    company.by_client(ref, lambda text: text.replace("--- fin CRM ---", ""))
    company.world.settle()
    assert ACCOUNT not in company.claire.record(id_).main.values["notes"]


def test_a_guest_of_one_occurrence_only(company: Company) -> None:
    id_, _ = company.prepared(rrule="FREQ=DAILY;COUNT=5")
    company.claire.edit(id_, occurrence="2026-11-26", participants=(GUEST,))
    company.world.settle()
    company.check()


def test_a_guest_of_one_occurrence_that_the_client_copied_with_the_block(company: Company) -> None:
    _, ref = company.prepared(rrule="FREQ=DAILY;COUNT=5")

    def with_override(text: str) -> str:
        begin, end = text.index("BEGIN:VEVENT"), text.index("END:VCALENDAR")
        lines = [line for line in text[begin:end].splitlines() if not line.startswith("RRULE")]
        start = next(line for line in lines if line.startswith("DTSTART"))
        at = start.replace("DTSTART", "RECURRENCE-ID").replace("20261125", "20261126")
        moved = [line.replace("20261125", "20261126") if line[:2] == "DT" else line for line in lines]
        return text[:end] + invite("\n".join([moved[0], at, *moved[1:]])) + "\n" + text[end:]

    company.by_client(ref, with_override)
    assert company.text(ref).count("--- CRM ---") == 2
    company.settle_with_guests()
    company.check()


def test_account_and_deal_that_are_set_later(company: Company) -> None:
    id_ = company.claire.add("Visite", participants=("somebody@elsewhere.example",))
    company.world.settle()
    company.claire.edit(id_, account=ACCOUNT, opportunity=DEAL, internal_notes=NOTE)
    company.world.settle()
    company.check()
    assert f"Compte : {ACCOUNT}" in company.world.text("claire")  # the owner reads it beside


def test_a_deal_without_an_account_is_written_beside_too(company: Company) -> None:
    company.claire.add("Visite", opportunity=DEAL, participants=("somebody@elsewhere.example",))
    company.world.settle()
    company.check()


def test_a_recommendation_that_changes_while_a_guest_takes_part(company: Company) -> None:
    id_ = company.claire.add("Visite", account=ACCOUNT, participants=(GUEST,))
    company.world.settle()
    mailed = company.world.mailed()
    company.world.advise(company.account, f"{ADVICE} bis")
    company.world.settle()
    company.check()
    assert f"Avis de règlement : {ADVICE} bis" in company.world.text("claire")  # the owner reads it beside
    assert ADVICE not in company.text(company.ref(id_))
    company.world.advise(company.account, None)
    company.world.settle()
    assert ADVICE not in company.world.text("claire")
    assert company.world.mailed() == mailed


def test_a_guest_who_comes_with_a_client_at_the_moment_a_recommendation_changes(company: Company) -> None:
    _, ref = company.prepared()
    company.world.advise(company.account, f"{ADVICE} bis")
    company.by_client(ref, invite)
    company.settle_with_guests()
    company.check()


def test_a_guest_who_comes_in_while_a_recommendation_is_written(company: Company) -> None:
    _, ref = company.prepared()
    company.world.advise(company.account, f"{ADVICE} bis")
    company.world.servers["claire"].before("update", lambda: company.by_client(ref, invite))
    company.settle_with_guests()
    company.check()


def test_a_recommendation_in_a_block_that_a_client_spoils_while_it_changes(company: Company) -> None:
    id_, ref = company.prepared(notes="Apporter le devis")
    company.world.advise(company.account, f"{ADVICE} bis")
    company.by_client(ref, lambda text: invite(text).replace("--- fin CRM ---", ""))
    company.settle_with_guests()
    company.check()
    assert ADVICE not in company.claire.record(id_).main.values["notes"]


def test_internal_notes_stay_in_the_crm_in_every_event(company: Company) -> None:
    alone = company.claire.add("Seule", internal_notes=NOTE)
    company.claire.add("Avec Denis", internal_notes=NOTE, participants=("denis",))
    company.claire.add("Avec Paul", internal_notes=NOTE, participants=(GUEST, "denis"))
    company.world.settle()
    company.claire.edit(alone, internal_notes=f"{NOTE}\n{NOTE}")
    company.world.settle()
    assert NOTE not in company.world.text("claire") + company.world.text("denis")
    assert company.world.one("SELECT count(*) FROM event WHERE internal_notes LIKE :n", n=f"%{NOTE}%") == 3


def test_what_is_written_beside_invites_nobody_and_is_private(company: Company) -> None:
    company.claire.add("Visite", account=ACCOUNT, participants=(GUEST,))
    company.world.settle()
    (companion,) = [
        text
        for source in company.world.servers["claire"].sources(CALENDAR).values()
        if "X-CRM-COMPANION" in (text := unfolded(source))
    ]
    assert "ATTENDEE" not in companion
    assert "ORGANIZER" not in companion
    assert "CLASS:PRIVATE" in companion
    assert "TRANSP:TRANSPARENT" in companion
    assert company.world.one("SELECT count(*) FROM event") == 1


def test_a_client_that_invites_a_guest_to_what_is_written_beside(company: Company) -> None:
    """It is the owner's doing, but nothing of it comes back as a meeting."""
    company.claire.add("Visite", account=ACCOUNT, participants=(GUEST,))
    company.world.settle()
    (ref,) = [
        ref
        for ref, source in company.world.servers["claire"].sources(CALENDAR).items()
        if b"X-CRM-COMPANION" in source
    ]
    company.by_client(ref, lambda text: text.replace("À lire", "Bien lire"))
    company.world.settle()
    assert company.world.one("SELECT count(*) FROM event") == 1


def test_copies_for_colleagues_tell_no_more_than_the_meeting(company: Company) -> None:
    id_, _ = company.prepared(participants=("denis",))
    company.claire.edit(id_, participants=(GUEST,))
    company.world.settle()
    copies = 1 if company.world.servers["denis"].auto_schedule else 2
    company.check(copies)


def test_a_guest_from_one_side_and_an_account_from_the_other_at_once(company: Company) -> None:
    id_ = company.claire.add("Préparation")
    company.world.settle()
    company.by_client(company.ref(id_), invite)
    company.claire.edit(id_, account=ACCOUNT, opportunity=DEAL)
    company.world.settle()
    company.check()


def test_a_guest_from_the_crm_while_the_client_changes_the_text_around_the_block(company: Company) -> None:
    id_, ref = company.prepared(notes="Une ligne")
    company.by_client(ref, lambda text: text.replace("--- fin CRM ---", "--- fin CRM ---\\nUne autre"))
    company.claire.edit(id_, participants=(GUEST,), notes="Une ligne de plus\nUne ligne")
    company.world.settle()
    company.check()


def test_a_guest_who_comes_in_between_reading_and_writing(company: Company) -> None:
    id_ = company.claire.add("Préparation")
    company.world.settle()
    ref = company.ref(id_)
    company.claire.edit(id_, account=ACCOUNT, opportunity=DEAL)
    company.world.servers["claire"].before("update", lambda: company.by_client(ref, invite))
    company.world.settle()
    company.check()


def test_an_event_that_is_made_anew_after_its_deletion(company: Company) -> None:
    id_, ref = company.prepared()
    company.prepared()
    company.prepared()
    company.world.servers["claire"].remove(ref)
    company.claire.edit(id_, participants=(GUEST,))
    company.world.settle()
    assert ref in company.world.servers["claire"].sources(CALENDAR)
    company.check()


def test_an_event_that_was_cancelled_and_comes_back(company: Company) -> None:
    id_ = company.claire.add("Visite", account=ACCOUNT, opportunity=DEAL, participants=(GUEST,))
    company.world.settle()
    company.claire.cancel(id_)
    company.world.settle()
    company.claire.restore(id_)
    company.world.settle()
    company.check()


def test_an_event_that_is_found_again_by_its_uid(company: Company) -> None:
    id_, ref = company.prepared()
    text = company.text(ref)
    company.claire.cancel(id_)
    company.world.settle()
    company.claire.restore(id_)
    company.world.servers["claire"].put(CALENDAR, invite(text).replace("\n", "\r\n").encode(), ref)
    company.settle_with_guests()
    company.check()


def test_somebody_elses_meeting_is_left_alone(company: Company) -> None:
    lines = ("ORGANIZER:mailto:paul@client.example", "ATTENDEE:mailto:claire@acme.example")
    source = event("theirs", more=lines)
    ref = company.world.put("claire", "theirs", source)
    company.world.settle()
    assert company.world.one("SELECT account_id FROM event") == company.account
    assert company.text(ref) == unfolded(source)


def test_an_event_that_turns_into_somebody_elses(company: Company) -> None:
    _, ref = company.prepared()
    people = "ORGANIZER:mailto:paul@client.example\nATTENDEE:mailto:claire@acme.example\nSUMMARY:"
    company.by_client(ref, lambda text: text.replace("SUMMARY:", people))
    before = len(company.written)
    company.world.settle()
    assert [one for one in company.written[before:] if goes_out(unfolded(one))] == []


@pytest.mark.parametrize("guest", STRANGE_GUESTS)
def test_a_guest_whom_no_mail_address_tells_is_a_guest(company: Company, guest: str) -> None:
    ref = company.world.put("claire", "strange", event("strange", more=(ORGANIZER, guest)))
    company.world.settle()
    id_ = company.world.one("SELECT id FROM event")
    assert isinstance(id_, int)
    company.claire.edit(id_, account=ACCOUNT, opportunity=DEAL, notes="Pour tous")
    company.world.settle()
    assert "Pour tous" in company.text(ref)
    company.check()


@pytest.mark.parametrize("direction", ["to-crm", "to-remote"])
def test_the_directions_make_no_difference(company: Company, direction: str) -> None:
    id_, ref = company.prepared()
    company.world.mailbox_keys["claire"] = f'direction = "{direction}"'
    company.by_client(ref, invite)
    before = len(company.written)
    company.claire.edit(id_, location="Lyon")
    company.world.settle()
    mailable = [one for one in map(unfolded, company.written[before:]) if "SCHEDULE-AGENT=NONE" not in one]
    assert [one for one in mailable if goes_out(one) and ACCOUNT in one] == []
