"""Threads: shared by users, followed where that is wanted, read in any order."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.mailboxes import CLAIRE, DENIS, EMMA, MARTHA, PAUL, STRANGER, subjects, with_paul
from tests.servers.databases import NewDatabase
from tests.servers.dovecot import DovecotServer
from tests.servers.world import NOW, World, mail, picture
from tests.servers.worlds import on_both


@pytest.fixture
def company(lite_world: World) -> World:
    """Claire, and her customer Paul."""
    return with_paul(lite_world)


@on_both
def test_a_thread_that_three_users_share_is_logged_once_and_whole(world: World) -> None:
    with_paul(world)
    world.add_user("denis")
    world.add_user("emma")
    first = mail(1, f"Paul <{PAUL}>", [CLAIRE, DENIS], "Projet", at=NOW - timedelta(days=5))
    answer = mail(2, CLAIRE, [PAUL, EMMA], "Re: Projet", reply_to=["1"], at=NOW - timedelta(days=4))
    again = mail(3, PAUL, [CLAIRE, EMMA], "Re: Projet", reply_to=["1", "2"], at=NOW - timedelta(days=3))
    aside = mail(4, EMMA, [CLAIRE, DENIS], "Entre nous", reply_to=["1", "2", "3"])
    hop = b"Received: from mx.example\r\n"
    world.deliver("claire", "INBOX", first, again, aside)
    world.deliver("claire", "Sent", answer)
    world.deliver("denis", "INBOX", hop + first, aside)
    world.deliver("emma", "INBOX", hop + answer, again)
    world.deliver("emma", "Sent", aside)
    for login in ("emma", "claire", "denis"):  # an answer before what it answers to
        world.sync(login)
    assert world.rows("SELECT message_id, direction FROM email_message ORDER BY message_id") == [
        ("1@mail.example", "RECEIVED"),
        ("2@mail.example", "SENT"),
        ("3@mail.example", "RECEIVED"),
    ]
    assert world.rows(
        'SELECT e.message_id, u.login FROM email_user x JOIN "user" u ON u.id = x.user_id '
        "JOIN email_message e ON e.id = x.email_id ORDER BY 1, 2"
    ) == [
        ("1@mail.example", "claire"),
        ("1@mail.example", "denis"),
        ("2@mail.example", "claire"),
        ("2@mail.example", "emma"),
        ("3@mail.example", "claire"),
        ("3@mail.example", "emma"),
    ]
    assert world.one("SELECT count(DISTINCT thread_key) FROM email_message") == 1
    assert world.one("SELECT count(*) FROM activity") == 3
    # What Claire wrote is hers, though Emma's copy was seen first.
    assert world.rows(
        'SELECT u.login FROM activity t JOIN "user" u ON u.id = t.user_id '
        "JOIN email_message e ON e.id = t.email_id WHERE e.direction = 'SENT'"
    ) == [("claire",)]
    assert world.one("SELECT count(*) FROM verdict WHERE verdict = 3") == 3
    assert [report.wrote for report in world.sync().values()] == [False, False, False]


FOLLOW = 'since = "2026-01-01"\nfollow_threads = true'


def conversation(world: World) -> None:
    """A stranger answers before the root is seen; another answers to that answer; one stands aside."""
    world.deliver(
        "claire",
        "INBOX",
        mail(2, STRANGER, CLAIRE, "Re: Projet", reply_to=["1"]),
        mail(3, "other@stranger.example", CLAIRE, "Re: Re: Projet", reply_to=["2"]),
        mail(4, STRANGER, CLAIRE, "Sans rapport"),
        mail(5, DENIS, CLAIRE, "Entre nous", reply_to=["1"]),
    )
    world.deliver("claire", "Sent", mail(1, CLAIRE, PAUL, "Projet"))


def test_a_thread_is_followed_only_where_the_config_says_so(company: World) -> None:
    company.add_user("denis")
    conversation(company)
    company.sync("claire")
    assert subjects(company) == ["Projet"]
    company.mail_section = FOLLOW
    company.sync("claire")
    assert subjects(company) == ["Projet", "Re: Projet", "Re: Re: Projet"]
    assert company.rows("SELECT rule, count(*) FROM email_match GROUP BY rule ORDER BY rule") == [
        ("CONTACT", 1),
        ("THREAD", 2),
    ]


@on_both
def test_a_strangers_answer_that_came_before_the_logged_mail_is_logged_with_it(world: World) -> None:
    with_paul(world)
    world.add_user("denis")
    world.mail_section = FOLLOW
    conversation(world)
    world.sync("claire")  # the Inbox comes first
    assert subjects(world) == ["Projet", "Re: Projet", "Re: Re: Projet"]
    assert world.one("SELECT count(DISTINCT thread_key) FROM email_message") == 1
    assert not world.sync("claire")["claire"].wrote


def test_a_strangers_mail_that_a_logged_one_answers_to_belongs_to_its_thread(company: World) -> None:
    company.mail_section = FOLLOW
    company.deliver("claire", "INBOX", mail(1, STRANGER, CLAIRE, "Question"))
    company.sync()
    assert subjects(company) == []
    company.deliver("claire", "Sent", mail(2, CLAIRE, PAUL, "Tr: Question", reply_to=["1"]))
    company.sync()
    assert subjects(company) == ["Question", "Tr: Question"]


def test_a_mailbox_read_late_looks_as_if_it_had_been_read_at_once(
    dovecot: DovecotServer, new_database: NewDatabase, tmp_path: Path
) -> None:
    """Contacts before the mail, or mail before the contacts: the same CRM, opportunities included."""
    pictures = []
    first = World(dovecot, tmp_path / "first", new_database("sqlite"))
    first.add_user("claire")
    first.deliver(
        "claire",
        "INBOX",
        mail(1, MARTHA, [CLAIRE], "Pour OPP-2", at=NOW - timedelta(days=9)),
        mail(2, MARTHA, [CLAIRE], "Tout autre sujet", reply_to=["1"], at=NOW - timedelta(days=8)),
        mail(3, PAUL, [CLAIRE], "Ailleurs", at=NOW - timedelta(days=7)),
    )
    (tmp_path / "second").mkdir()
    second = World(dovecot, tmp_path / "second", new_database("sqlite"), users=dict(first.users))
    for world, late in ((first, False), (second, True)):
        world.write_config()
        world.open().close()
        if late:
            world.sync()
        account = world.add_account("Autre SARL")
        world.add_opportunity(account, "OPP-1")
        world.add_opportunity(account, "OPP-2")
        world.add_contact(account, MARTHA)
        world.sync()
        # A second account at which the logged messages stand as well.
        if late:
            world.sync()
        other = world.add_account("Client SA")
        world.add_opportunity(other, "OPP-3")
        world.add_contact(other, PAUL)
        world.sync()
        world.sync()
        seen = picture(world)
        pictures.append({name: seen[name] for name in ("email", "match", "activity", "user", "files")})
    assert pictures[0] == pictures[1]
    assert [row[2] for row in pictures[0]["activity"]].count("OPP-2") == 2


def test_a_second_account_of_a_logged_thread_takes_over_its_own_opportunity(company: World) -> None:
    """Late matching finds the root and its answer: the answer gets what the root's subject names."""
    company.deliver(
        "claire",
        "Sent",
        mail(1, CLAIRE, [PAUL, MARTHA], "Devis OPP-2", at=NOW - timedelta(days=9)),
        mail(2, CLAIRE, [PAUL, MARTHA], "Tout autre", reply_to=["1"], at=NOW - timedelta(days=8)),
    )
    company.sync()
    account = company.add_account("Autre SARL")
    company.add_opportunity(account, "OPP-1")
    wanted = company.add_opportunity(account, "OPP-2")
    company.add_contact(account, MARTHA)
    company.sync()
    found = company.rows("SELECT opportunity_id FROM activity WHERE account_id = :id", id=account)
    assert found == [(wanted,), (wanted,)]
