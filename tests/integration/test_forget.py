"""Forgetting: what stands only because of an address, a contact or a rule that is gone goes, and no more."""

import pytest
from sqlalchemy import text

from syncd.daemon import offers
from syncd.engine.forget import Selection
from tests.servers.world import NOW, PDF, World, mail
from tests.servers.worlds import on_both

pytestmark = on_both

CLAIRE = "claire@acme.example"
ANNE = "anne@dupont.example"
HOME = "anne@home.example"
LUC = "luc@dupont.example"
OTHER = b"%PDF-1.4\nother" + bytes(5000)


@pytest.fixture
def company(world: World) -> World:
    """Two contacts at one account; each wrote, one content was attached twice, a stranger wrote too."""
    world.add_user("claire")
    dupont = world.add_account("Garage Dupont")
    world.add_contact(dupont, ANNE, email2=HOME)
    world.add_contact(dupont, LUC)
    world.deliver(
        "claire",
        "INBOX",
        mail(1, ANNE, CLAIRE, "Devis", attachments={"devis.pdf": PDF, "plan.pdf": OTHER}),
        mail(2, LUC, CLAIRE, "Même devis", attachments={"devis.pdf": PDF}),
        mail(3, "stranger@else.example", CLAIRE),
    )
    world.sync()
    return world


def forget(world: World, **selection: object) -> tuple[int, int]:
    """How many e-mails went and how many stayed for another reason."""
    asked = Selection(**selection)  # type: ignore[arg-type]
    installation = world.open()
    try:
        forgetting = offers.forgetting(installation)
        before = world.rows("SELECT count(*) FROM email_message")
        preview = forgetting.preview(asked)
        assert world.rows("SELECT count(*) FROM email_message") == before, "a preview writes nothing"
        done = forgetting.carry_out(asked, NOW, actor="root")
        assert done.mails == len(preview.mails)
        return done.mails, len(preview.losing)
    finally:
        installation.close()


def subjects(world: World) -> set[object]:
    return {subject for (subject,) in world.rows("SELECT subject FROM email_message")}


def change_contact(world: World, sets: str, where: str) -> None:
    """As somebody does who edits contacts; `where` is an address, or a condition."""
    condition = f"email = '{where}'" if " " not in where else where
    database = world.database()
    with database.write() as session:
        session.execute(text(f"UPDATE contact SET {sets} WHERE {condition}"))
        session.execute(text("UPDATE directory_state SET version = version + 1"))
    database.close()


def test_mail_of_an_address_that_nobody_has_any_more_goes_with_its_attachments(company: World) -> None:
    assert len(company.files()) == 2
    change_contact(company, "email = NULL", ANNE)

    assert forget(company, addresses=(ANNE,)) == (1, 0)

    assert subjects(company) == {"Même devis"}
    assert company.rows("SELECT subject FROM activity") == [("Même devis",)]
    kept = company.rows("SELECT sha256 FROM email_attachment")
    assert {sha256 for (sha256,) in kept} == company.files(), "the content that another mail has stays"


def test_the_verdict_becomes_that_of_a_strangers_mail(company: World) -> None:
    change_contact(company, "email = NULL", ANNE)

    forget(company, addresses=(ANNE,))

    assert company.rows("SELECT uid, verdict, email_id IS NULL FROM verdict ORDER BY uid") == [
        (1, 2, True),
        (2, 1, False),
        (3, 2, True),
    ]


@pytest.mark.parametrize("cycle_between", [False, True])
def test_a_contact_who_gets_the_address_again_gets_the_mail_again(
    company: World, *, cycle_between: bool
) -> None:
    change_contact(company, "email = NULL, ext_id = 'anne'", ANNE)
    if cycle_between:
        company.sync()
    forget(company, addresses=(ANNE,))
    change_contact(company, f"email = '{ANNE}'", "ext_id = 'anne'")

    company.sync()

    assert subjects(company) == {"Devis", "Même devis"}
    assert len(company.files()) == 2


def test_mail_stays_while_another_contact_has_the_address(company: World) -> None:
    bank = company.add_account("Banque")
    second = company.add_contact(bank, ANNE)
    company.sync()
    change_contact(company, "email = NULL", f"email = '{ANNE}' AND id <> {second}")

    assert forget(company, addresses=(ANNE,)) == (0, 1)

    assert company.rows(
        "SELECT a.name, x.contact_id FROM activity t JOIN account a ON a.id = t.account_id "
        "JOIN activity_contact x ON x.activity_id = t.id WHERE t.subject = 'Devis'"
    ) == [("Banque", second)]


def test_one_of_two_contacts_at_an_account_leaves_the_other_in_the_activity(company: World) -> None:
    company.deliver("claire", "Sent", mail(4, CLAIRE, [ANNE, LUC], "Aux deux"))
    company.sync()
    change_contact(company, "email = NULL", ANNE)

    assert forget(company, addresses=(ANNE,)) == (1, 1)

    assert company.rows(
        "SELECT c.email FROM activity t JOIN activity_contact x ON x.activity_id = t.id "
        "JOIN contact c ON c.id = x.contact_id WHERE t.subject = 'Aux deux'"
    ) == [(LUC,)]


def test_mail_with_another_address_of_the_contact_stays_because_of_that(company: World) -> None:
    company.deliver("claire", "Sent", mail(4, CLAIRE, [ANNE, HOME], "Aux deux"))
    company.sync()
    change_contact(company, "email = NULL", ANNE)

    forget(company, addresses=(ANNE,))

    assert subjects(company) == {"Même devis", "Aux deux"}
    assert company.rows(
        "SELECT m.address FROM email_match m JOIN email_message e ON e.id = m.email_id "
        "WHERE e.subject = 'Aux deux'"
    ) == [(HOME,)]


def test_mail_to_two_accounts_stays_at_the_other_one(company: World) -> None:
    bank = company.add_account("Banque")
    company.add_contact(bank, "b@bank.example")
    company.deliver("claire", "Sent", mail(4, CLAIRE, [ANNE, "b@bank.example"], "Aux deux"))
    company.sync()
    change_contact(company, "email = NULL, email2 = NULL", ANNE)

    assert forget(company, addresses=(ANNE, HOME)) == (1, 1)

    assert company.rows(
        "SELECT a.name FROM activity t JOIN account a ON a.id = t.account_id WHERE t.subject = 'Aux deux'"
    ) == [("Banque",)]


def test_mail_of_a_deleted_contact_goes(company: World) -> None:
    (contact,) = company.rows("SELECT id FROM contact WHERE email = :e", e=ANNE)[0]
    assert isinstance(contact, int)
    change_contact(company, "deleted_at = '2026-11-22 10:00:00'", ANNE)

    assert forget(company, contact_id=contact) == (1, 0)

    assert subjects(company) == {"Même devis"}


def test_mail_that_moved_with_the_address_to_another_contact_stays_there(company: World) -> None:
    bank = company.add_account("Banque")
    (contact,) = company.rows("SELECT id FROM contact WHERE email = :e", e=ANNE)[0]
    change_contact(company, "deleted_at = '2026-11-22 10:00:00'", ANNE)
    company.add_contact(bank, ANNE)

    assert forget(company, contact_id=contact) == (0, 1)

    assert company.rows(
        "SELECT a.name FROM activity t JOIN account a ON a.id = t.account_id WHERE t.subject = 'Devis'"
    ) == [("Banque",)]


def test_what_a_live_contact_has_is_not_forgotten(company: World) -> None:
    assert forget(company, addresses=(ANNE,)) == (0, 0)
    assert subjects(company) == {"Devis", "Même devis"}


@pytest.mark.parametrize(
    ("section", "verdicts"),
    [
        (f'exclude = [{{ address = "{ANNE}" }}]', [(4, "mail.exclude rule 1")]),
        ('exclude = [{ folder = "Junk2" }, { subject = "dev*" }]', [(4, "mail.exclude rule 2")]),
    ],
)
def test_what_a_new_exclusion_covers_goes_and_tells_the_rule(
    company: World, section: str, verdicts: list[tuple[int, str]]
) -> None:
    company.mail_section += "\n" + section

    assert forget(company, excluded=True) == (1, 0)

    assert subjects(company) == {"Même devis"}
    assert company.rows("SELECT verdict, reason FROM verdict WHERE uid = 1") == verdicts
    company.sync()
    assert subjects(company) == {"Même devis"}, "the next cycle agrees"


def test_what_was_judged_again_by_an_exclusion_before_is_found_by_its_folder_all_the_same(
    company: World,
) -> None:
    company.deliver("claire", "INBOX", mail(4, ANNE, CLAIRE, "Sans identifiant", message_id=""))
    company.sync()
    company.mail_section += '\nexclude = [{ folder = "INBOX" }]'
    second = company.add_account("Banque")
    company.add_contact(second, ANNE)  # her mail is judged again
    company.sync()
    assert company.rows("SELECT verdict, email_id IS NULL FROM verdict WHERE uid IN (1, 4)") == [
        (4, False),
        (4, False),
    ]
    assert len(subjects(company)) == 3, "a cycle takes nothing out"

    assert forget(company, excluded=True) == (3, 0)

    assert subjects(company) == set()
    assert company.rows("SELECT DISTINCT verdict, email_id FROM verdict") == [(4, None)]


def test_what_an_excluded_folder_held_before_it_was_numbered_anew_is_found_all_the_same(
    company: World,
) -> None:
    company.mail_section += '\nexclude = [{ folder = "INBOX" }]'
    company.add_user("denis")  # to whom the same mail came, and was never logged
    for login, account in company.users.items():
        if login == "denis":
            company.deliver("denis", "INBOX", mail(1, ANNE, CLAIRE, "Devis"))
        else:
            company.server.change_uidvalidity(account, "INBOX")
    company.sync()
    assert company.rows(
        "SELECT m.name, e.subject FROM verdict v JOIN email_message e ON e.id = v.email_id "
        "JOIN collection c ON c.id = v.collection_id JOIN mailbox m ON m.id = c.mailbox_id ORDER BY 2"
    ) == [("claire", "Devis"), ("claire", "Même devis")]

    assert forget(company, excluded=True) == (2, 0)

    assert subjects(company) == set()
    assert company.files() == set()


def test_an_excluded_folder_does_not_take_what_another_folder_holds(company: World) -> None:
    company.deliver("claire", "Sent", mail(1, ANNE, CLAIRE, "Devis", attachments={"devis.pdf": PDF}))
    company.sync()
    company.mail_section += '\nexclude = [{ folder = "INBOX" }]'

    assert forget(company, excluded=True) == (1, 0)

    assert subjects(company) == {"Devis"}


def test_a_new_own_address_makes_its_mail_internal(company: World) -> None:
    config = company.write_config()
    changed = config.read_text().replace(
        'email = "claire@acme.example"', f'email = "{CLAIRE}"\naliases = ["{ANNE}"]'
    )
    company.write_config = lambda: config  # type: ignore[method-assign]  # this one stays
    config.write_text(changed)

    assert forget(company, excluded=True) == (1, 0)

    assert company.rows("SELECT verdict FROM verdict WHERE uid = 1") == [(3,)]


def test_excluded_leaves_the_mail_of_contacts_who_were_deleted(company: World) -> None:
    change_contact(company, "deleted_at = '2026-11-22 10:00:00'", ANNE)
    change_contact(company, "email = NULL", LUC)

    assert forget(company, excluded=True) == (0, 0)


def test_mail_that_stood_only_by_its_thread_goes_with_the_thread(company: World) -> None:
    company.mail_section += "\nfollow_threads = true"
    company.deliver("claire", "INBOX", mail(5, "lawyer@law.example", CLAIRE, "Re: Devis", reply_to=["1"]))
    company.sync()
    assert subjects(company) == {"Devis", "Même devis", "Re: Devis"}
    change_contact(company, "email = NULL", ANNE)

    assert forget(company, addresses=(ANNE,)) == (2, 0)

    assert subjects(company) == {"Même devis"}


def test_the_audit_log_tells_of_it_without_content(company: World) -> None:
    change_contact(company, "email = NULL", ANNE)
    forget(company, addresses=(ANNE,))

    ((actor, change),) = company.rows("SELECT actor, change FROM audit_log WHERE entity = 'email_message'")

    assert actor == "root"
    assert "forgotten" in str(change)
    assert ANNE not in str(change)
