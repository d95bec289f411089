"""Who may read and change what lies around contacts and recommendations, on both databases."""

from pathlib import Path

import pytest

from config.load import load as load_config
from store import contact_rows, field_config, logos, merging, outbound, photos, recommendations, timeline
from store.actors import Actor
from store.audit_log import Channel
from store.contacts import CreatedVia
from store.database import Database
from store.drafts import DraftSource
from store.errors import Forbidden, Invalid, NotFound
from store.importing import Occasion
from store.leases import Leases
from store.recommendations import Advice, By
from syncd.engine import cards
from syncd.engine.cards import Proposal
from syncd.engine.logos import LogoSync
from syncd.engine.records import Follows
from syncd.engine.timeline import planned
from tests.servers.branches import ADMIN, NOW, PARIS, load, settle, user
from tests.servers.prepared import Prepared


@pytest.fixture
def company(prepared: Prepared) -> Database:
    return prepared.database(settle)


def occasion(actor: Actor) -> Occasion:
    return Occasion(actor, NOW, NOW.astimezone(PARIS).date(), "test", via=CreatedVia.PHONEBOOK)


def test_contacts_are_merged_and_taken_apart_by_who_may_change_both(company: Database) -> None:
    load(company, "contacts", "ext_id,account,last_name\nC5,A1,Un\n")
    for login, error in (("lea", Forbidden), ("max", NotFound)):
        with pytest.raises(error), company.write() as session:
            merging.merge(session, 1, 5, actor=user(company, login), now=NOW)
    with pytest.raises(NotFound, match="there is no contact 2"), company.write() as session:
        merging.merge(session, 1, 2, actor=user(company, "paul"), now=NOW)
    paul = user(company, "paul")
    with company.write() as session:
        merging.merge(session, 1, 5, actor=paul, now=NOW)
    with pytest.raises(Forbidden), company.write() as session:
        merging.unmerge(session, 1, 5, actor=user(company, "lea"), now=NOW)
    with company.write() as session:
        merging.unmerge(session, 1, 5, actor=paul, now=NOW)


def test_what_happened_with_a_contact_is_read_where_the_contact_is(company: Database) -> None:
    for login in ("paul", "max"):
        reader, hidden = user(company, login), 2 if login == "paul" else 1
        with company.read() as session:
            assert timeline.page(session, 3, limit=5, reader=reader).rows == ()
            for look in (
                lambda: timeline.page(session, hidden, limit=5, reader=reader),  # noqa: B023 - called here
                lambda: planned(session, hidden, NOW, PARIS, reader),  # noqa: B023 - called here
            ):
                with pytest.raises(NotFound, match=f"there is no contact {hidden}"):
                    look()
            assert hidden not in {one.id for one in contact_rows.keys(session, reader)}


DRAWN = photos.Drawn("image/png", 1, 1, "0" * 64, b"picture")


def test_a_photo_is_seen_and_changed_where_its_contact_is(company: Database) -> None:
    with company.write() as session:
        assert photos.put(session, 1, DRAWN, actor=user(company, "paul"), now=NOW)
    for login, error in (("lea", Forbidden), ("max", NotFound)):
        with pytest.raises(error), company.write() as session:
            photos.put(session, 1, None, actor=user(company, login), now=NOW)
    with company.read() as session:
        assert photos.content(session, 1, user(company, "lea")) == DRAWN
        with pytest.raises(NotFound, match="there is no contact 1"):
            photos.content(session, 1, user(company, "max"))


def test_a_logo_is_seen_and_changed_where_its_account_is(company: Database, tmp_path: Path) -> None:
    with company.write() as session:
        assert logos.put(session, 1, DRAWN, actor=user(company, "paul"), now=NOW)
    for login, error in (("lea", Forbidden), ("max", NotFound)):
        with pytest.raises(error), company.write() as session:
            logos.put(session, 1, None, actor=user(company, login), now=NOW)
        with pytest.raises(error), company.read() as session:
            logos.website(session, 1, user(company, login))
        with pytest.raises(error):
            LogoSync(company, Leases(company, tmp_path), fetch=False).asked(
                1, user(company, login), Channel.CLI, NOW
            )
    with company.read() as session:
        assert logos.content(session, 1, user(company, "lea")) == DRAWN
        with pytest.raises(NotFound, match="there is no account 1"):
            logos.content(session, 1, user(company, "max"))


def test_recommendations_are_read_and_written_where_the_account_is(company: Database) -> None:
    by_admin = By(ADMIN, Channel.CLI, NOW)
    with company.write() as session:
        for account in (1, 2, 4):
            recommendations.put(session, account, Advice("Attention"), by_admin)
    for login, seen in (("paul", {1, 4}), ("max", {2, 4}), ("vera", {1, 2, 4})):
        with company.read() as session:
            rows, total = recommendations.listed(session, 10, 0, user(company, login))
        assert ({one.account_id for one in rows}, total) == (seen, len(seen))
    for login, error in (("lea", Forbidden), ("max", NotFound)):
        by = By(user(company, login), Channel.CLI, NOW)
        with pytest.raises(error), company.write() as session:
            recommendations.put(session, 1, Advice("Autre"), by)
        with pytest.raises(error), company.write() as session:
            recommendations.clear(session, 1, by)


def test_a_mail_is_drafted_to_contacts_that_its_user_sees(company: Database) -> None:
    """Nobody here has a mailbox: whoever may read the contact is told so, the others that there is none."""
    load(company, "contacts", "id,email\n1,un@client.example\n")
    for login, error, said in (
        ("lea", Invalid, "has no mailbox"),
        ("max", NotFound, "there is no contact 1"),
    ):
        by = By(user(company, login), Channel.CLI, NOW)
        with pytest.raises(error, match=said), company.write() as session:
            outbound.to_contact(session, 1, outbound.Mail("Devis", "Bonjour"), by)


def test_a_card_is_taken_onto_accounts_that_its_user_sees(company: Database) -> None:
    named = [
        Proposal(1, DraftSource.PHONEBOOK, b"x", {"last_name": "Roi", "email": "r@client.example"}, "Garage")
    ]
    with pytest.raises(Forbidden), company.write() as session:
        cards.take(session, named, occasion(user(company, "max")), Follows("FR"))
    with company.write() as session:
        taken, _ = cards.take(session, named, occasion(user(company, "lea")), Follows("FR"))
    assert [one.outcome.value for one in taken] == ["added"]


def test_only_an_admin_changes_the_fields(company: Database, tmp_path: Path) -> None:
    path = tmp_path / "syncd.toml"
    path.write_text('[workspace]\nname = "Acme"\n[store]\nurl = "sqlite:///crm.db"\n')
    settings = load_config(path)
    for login in ("paul", "vera"):
        with pytest.raises(Forbidden, match="needs the role admin"), company.write() as session:
            field_config.apply(session, settings, user(company, login), NOW)
