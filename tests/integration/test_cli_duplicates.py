"""Contacts that are there twice: told, merged, and taken apart again, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from store import merging
from store.activities import Activity, ActivityContact
from store.calendar import EventParticipant, Task
from store.contacts import Contact
from store.database import Database
from store.drafts import ContactDraft
from store.mail import EmailMatch
from store.meetings import MeetingEvidence
from store.users import User
from tests.people import People, State, state
from tests.servers.office import Office


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Two contacts at one account, and everything that can refer to one of them."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    made.done("status")
    database = made.database()
    with database.write() as session:
        people = People(session)
        user = session.scalars(select(User.id)).first()
        assert user is not None
        account = people.account("Garage")
        people.account("Banque")
        keep = people.contact(
            account, "Lévy", first_name="Zoé", email="z@x.example", phone_mobile="0612345678"
        )
        other = people.contact(
            account, "levy", first_name="ZOE", email="z2@x.example", phone_mobile="06 12 34 56 78",
            comment="Joignable le matin", position="Cheffe",
        )  # fmt: skip
        people.activity([other])
        people.activity([keep, other])
        people.mail(account, [other])
        people.event(user, [other])
        people.task(user, other)
        people.draft(other)
        people.report([other], [other], [other])
    database.close()
    return made


@pytest.fixture
def crm(office: Office) -> Iterator[Database]:
    database = office.database()
    yield database
    database.close()


def now(crm: Database) -> State:
    with crm.read() as session:
        return state(session)


def test_duplicates_are_told_with_what_they_have_in_common(office: Office) -> None:
    rows = office.done("contact", "duplicates", "--json").json["rows"]
    found = [(row["why"], row["value"], [one["id"] for one in row["contacts"]]) for row in rows]
    assert found == [("name", "levy zoe", [1, 2]), ("phone", "+33612345678", [1, 2])]
    assert "1 Zoé Lévy (Garage), 2 ZOE levy (Garage)" in office.done("contact", "duplicates").out

    office.done("contact", "edit", "2", "--email2", "z@x.example")
    first = office.done("contact", "duplicates", "--limit", "1", "--json").json
    assert (first["rows"][0]["why"], first["rows"][0]["value"], first["total"]) == ("email", "z@x.example", 3)


def test_the_same_name_elsewhere_and_a_switchboard_tell_nothing(office: Office) -> None:
    for account in (1, 1, 1, 2):
        number = len(office.rows("SELECT id FROM contact"))
        office.add_contact(account, f"p{number}@x.example", phone_landline="04 72 00 00 00")
    office.done("contact", "edit", "6", "--last-name", "Lévy", "--first-name", "Zoé")
    rows = office.done("contact", "duplicates", "--json").json["rows"]
    assert [row["why"] for row in rows] == ["name", "phone"]
    assert [one["id"] for one in rows[0]["contacts"]] == [1, 2]


def test_a_merge_moves_every_reference_fills_what_is_empty_and_tells_conflicts(
    office: Office, crm: Database
) -> None:
    done = office.done("contact", "merge", "1", "2", "--json").json

    assert done["moved"] == {
        "activity_contact": 2, "email_match": 1, "event_participant": 1, "task": 1, "contact_draft": 1,
        "meeting_evidence": 1,
    }  # fmt: skip
    assert done["changed"] == ["comment", "email2", "position"]
    assert [(one["field"], one["kept"], one["other"]) for one in done["conflicts"]] == [
        ("first_name", "Zoé", "ZOE"), ("last_name", "Lévy", "levy"),
    ]  # fmt: skip
    with crm.read() as session:
        for column in (EmailMatch.contact_id, EventParticipant.contact_id, Task.contact_id,
                       ActivityContact.contact_id, ContactDraft.contact_id):  # fmt: skip
            assert set(session.scalars(select(column))) == {1}
        assert session.scalar(select(func.count()).select_from(ActivityContact)) == 2
        assert "contact:2" not in str(session.scalar(select(MeetingEvidence.detail)))
        kept, other = session.get_one(Contact, 1), session.get_one(Contact, 2)
        assert (kept.email2, kept.position, other.deleted_at is None) == ("z2@x.example", "Cheffe", False)
        logged = session.execute(text("SELECT entity_id FROM audit_log WHERE entity = 'contact' ORDER BY 1"))
        assert [row[0] for row in logged] == [1, 2]
    assert office.done("contact", "duplicates").out == "None.\n"
    assert office.run("show", "contact", "1").code == 0


def test_a_merge_is_taken_back_exactly(office: Office, crm: Database) -> None:
    before = now(crm)
    office.done("contact", "merge", "1", "2")
    assert now(crm) != before

    office.done("contact", "unmerge", "1", "2")

    assert now(crm) == before
    again = office.run("contact", "unmerge", "1", "2")
    assert (again.code, "no contact was merged into contact 1" in again.err) == (1, True)
    office.done("contact", "merge", "2", "1")
    office.done("contact", "unmerge", "2", "1")
    assert now(crm) == before


def test_an_order_goes_over_to_the_contact_that_is_kept_and_back(office: Office) -> None:
    account = office.one("SELECT account_id FROM contact WHERE id = 2")
    name = office.one(f"SELECT name FROM account WHERE id = {account}")
    office.done("order", "add", "--account", str(name), "--contact", "z2@x.example")
    assert office.rows("SELECT contact_id FROM sales_order") == [(2,)]
    office.done("contact", "merge", "1", "2")
    assert office.rows("SELECT contact_id FROM sales_order") == [(1,)]
    office.done("contact", "unmerge", "1", "2")
    assert office.rows("SELECT contact_id FROM sales_order") == [(2,)]


def test_what_was_changed_since_stays_and_what_is_gone_stays_gone(office: Office, crm: Database) -> None:
    office.done("contact", "merge", "1", "2")
    office.done("contact", "edit", "1", "--position", "Directrice")
    with crm.write() as session:
        session.execute(text("DELETE FROM activity WHERE id = 2"))

    told = office.done("contact", "unmerge", "1", "2")

    assert "position was changed since the merge, and stays as it is" in told.err
    with crm.read() as session:
        kept, other = session.get_one(Contact, 1), session.get_one(Contact, 2)
        assert (kept.position, other.position) == ("Directrice", "Cheffe")
        links = session.execute(select(ActivityContact.activity_id, ActivityContact.contact_id))
        assert [tuple(row) for row in links] == [(1, 2)]
        assert session.scalars(select(Activity.id)).all() == [1]


def test_the_last_merge_is_taken_back_first(office: Office, crm: Database) -> None:
    office.add_contact(1, "third@x.example")
    before = now(crm)
    office.done("contact", "merge", "1", "2")
    office.done("contact", "merge", "1", "3")

    wrong = office.run("contact", "unmerge", "1", "2")
    assert (wrong.code, "`syncd contact unmerge 1 3`" in wrong.err) == (1, True)
    office.done("contact", "unmerge", "1", "3")
    office.done("contact", "unmerge", "1", "2")
    assert now(crm) == before


def test_addresses_without_room_are_told(office: Office) -> None:
    for number, name in ((1, "email2"), (1, "email3"), (2, "email2")):
        office.done("contact", "edit", str(number), f"--{name}", f"{name}.{number}@x.example")
    told = office.done("contact", "merge", "1", "2")
    assert 'email: has no room; contact 2 had "z2@x.example"' in told.err


def test_only_who_may_change_both_merges_them(office: Office, crm: Database) -> None:
    claire = office.one("SELECT id FROM \"user\" WHERE login = 'claire'")
    with crm.write() as session:
        session.execute(text("UPDATE contact SET owner_id = :claire WHERE id = 1"), {"claire": claire})
    refused = office.run("contact", "merge", "1", "2", "--as", "claire")
    assert (refused.code, "claire may not change contact 2" in refused.err) == (1, True)
    for pair in (("1", "1"), ("1", "9"), ("9", "1")):
        assert office.run("contact", "merge", *pair).code == 1
    with crm.write() as session:
        session.execute(text("UPDATE contact SET owner_id = :claire"), {"claire": claire})
    office.done("contact", "merge", "1", "2", "--as", "claire")
    assert office.run("contact", "unmerge", "1", "2", "--as", "marc").code == 1


def test_every_table_that_refers_to_a_contact_can_be_moved() -> None:
    found = {str(column) for _, column in merging.references()}
    assert found == {
        "activity_contact.contact_id", "email_match.contact_id", "event_participant.contact_id",
        "task.contact_id", "contact_draft.contact_id", "sales_order.contact_id",
        "outbound_message.contact_id",
    }  # fmt: skip
    for table, column in merging.references():
        assert len([one for one in table.primary_key.columns if one is not column]) == 1
        if column.primary_key:  # its rows are made again from their key
            assert set(table.columns) == set(table.primary_key.columns)
