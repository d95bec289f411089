"""Logos of accounts, looked for by the service and at a person's word, on both databases (R159)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import logos
from store.accounts import Account
from store.audit_log import Channel
from store.database import Database
from store.leases import Leases
from store.logos import FIRST_PAUSE, MOST_TRIES, Fetching
from store.photos import Drawn
from syncd.engine.logos import LEASE, LogoSync
from tests.pictures import encoded, png, quarters
from tests.servers.branches import ADMIN, NOW, load, settle, user
from tests.servers.manager import ServiceManager
from tests.servers.office import Office
from tests.servers.prepared import Prepared
from tests.servers.websites import Website, answer, icon_page, loopback
from tests.servers.world import World

PNG = answer(png(), kind="image/png")
GOOD = {"/": icon_page("/i.png"), "/i.png": PNG}


@pytest.fixture
def site() -> Iterator[Website]:
    with Website(dict(GOOD)) as made:
        yield made


@pytest.fixture
def company(prepared: Prepared, site: Website) -> Database:
    """Garage has a website, the other three accounts have none."""
    database = prepared.database(settle)
    give(database, "A1", site.url())
    return database


def give(database: Database, ext_id: str, website: str) -> None:
    load(database, "accounts", f"ext_id,website\n{ext_id},{website}\n")


@pytest.fixture
def sync(company: Database, site: Website, tmp_path: Path) -> LogoSync:
    made = LogoSync(company, Leases(company, tmp_path / "locks"), fetch=True)
    made.policy = loopback(site)
    return made


def known(database: Database, account: int = 1) -> logos.LogoRow:
    with database.read() as session:
        return logos.row(session, account)


def due(database: Database, now: datetime) -> list[int]:
    with database.read() as session:
        return [one.account_id for one in logos.due(session, now, 100)]


def version(database: Database, account: int = 1) -> int:
    with database.read() as session:
        found = session.get(Account, account)
        assert found is not None
        return found.version


def test_an_account_with_a_website_gets_its_logo_and_nobody_asks_again(
    sync: LogoSync, company: Database, site: Website
) -> None:
    before = version(company)
    assert sync.run(NOW) == 1
    row = known(company)
    assert row.logo is not None
    assert (row.logo.mime, row.source, row.fetched_at, row.problem) == (
        "image/png", site.url("/i.png"), NOW, None,
    )  # fmt: skip
    assert version(company) == before
    assert (sync.run(NOW + timedelta(days=400)), site.connections) == (0, 2)


def test_nothing_is_asked_where_the_config_does_not_say_so(
    sync: LogoSync, company: Database, site: Website
) -> None:
    sync.fetch = False
    assert (sync.run(NOW), site.connections, known(company)) == (0, 0, logos.NONE)


def test_a_website_that_changes_is_looked_at_and_the_former_ones_logo_goes(
    sync: LogoSync, company: Database, site: Website
) -> None:
    sync.run(NOW)
    give(company, "A1", site.url("/new"))
    assert due(company, NOW) == [1]
    assert sync.run(NOW) == 0
    row = known(company)
    assert (row.logo, row.source, row.problem) == (None, None, "site.example: its page answers 404")
    site.routes["/favicon.ico"] = answer(encoded(quarters(), "ICO"))
    assert sync.run(NOW + FIRST_PAUSE) == 1
    assert known(company).source == site.url("/favicon.ico")


def test_a_failure_is_tried_later_and_later_and_in_the_end_no_more(
    sync: LogoSync, company: Database, site: Website
) -> None:
    site.routes.clear()
    moment, pauses = NOW, []
    for _ in range(MOST_TRIES):
        assert due(company, moment) == [1]
        sync.run(moment)
        next_try = known(company).next_try
        if next_try is not None:
            pauses.append((next_try - moment).days)
            assert due(company, next_try - timedelta(seconds=1)) == []
            moment = next_try
    assert pauses == [1, 2, 4, 8, 16]
    assert due(company, NOW + timedelta(days=3650)) == []
    site.routes = dict(GOOD)
    assert sync.asked(1, user(company, "paul"), Channel.CLI, NOW)
    assert known(company).problem is None


def test_what_may_not_be_asked_is_tried_once(company: Database, site: Website, tmp_path: Path) -> None:
    production = LogoSync(company, Leases(company, tmp_path / "locks"), fetch=True)
    for number, website in enumerate(
        (
            f"http://127.0.0.1:{site.port}/",
            f"localhost:{site.port}",
            "http://[::1]/",
            "http://169.254.169.254/",
        ),
        1,
    ):
        give(company, f"A{number}", website)
    assert production.run(NOW) == 0
    assert due(company, NOW + timedelta(days=3650)) == []
    assert site.connections == 0
    told = {known(company, number).problem for number in (1, 2, 3, 4)}
    assert told <= {
        "127.0.0.1: only the web's own ports are asked: 80 and 443",
        "localhost: only the web's own ports are asked: 80 and 443",
        "::1: is not on the public internet", "169.254.169.254: is not on the public internet",
    }  # fmt: skip


def test_a_logo_that_a_person_gave_is_not_replaced_unasked(
    sync: LogoSync, company: Database, site: Website
) -> None:
    mine = Drawn("image/png", 9, 9, "0" * 64, b"mine")
    with company.write() as session:
        logos.put(session, 1, mine, actor=user(company, "paul"), now=NOW)
    give(company, "A1", site.url("/other"))
    assert due(company, NOW) == []
    site.routes.clear()
    assert not sync.asked(1, ADMIN, Channel.CLI, NOW)
    with company.read() as session:
        assert logos.content(session, 1) == mine
    site.routes = {"/other": icon_page("/i.png"), "/i.png": PNG}
    assert sync.asked(1, ADMIN, Channel.CLI, NOW)
    assert known(company).source == site.url("/i.png")


def test_a_logo_that_a_person_took_away_stays_away(sync: LogoSync, company: Database, site: Website) -> None:
    sync.run(NOW)
    with company.write() as session:
        logos.put(session, 1, None, actor=user(company, "paul"), now=NOW)
    assert due(company, NOW + timedelta(days=3650)) == []
    give(company, "A1", site.url("/?neu"))
    assert due(company, NOW) == [1]


def test_a_failed_try_at_a_persons_word_leaves_the_logo_of_that_website(
    sync: LogoSync, company: Database, site: Website
) -> None:
    sync.run(NOW)
    there = known(company).logo
    site.routes.clear()
    assert not sync.asked(1, ADMIN, Channel.CLI, NOW)
    row = known(company)
    assert row.logo == there
    assert row.problem is not None


def test_what_was_found_for_a_website_that_is_the_accounts_no_more_is_not_written(
    company: Database, site: Website
) -> None:
    stale = logos.Site(1, "http://former.example/")
    logo = Drawn("image/png", 9, 9, "0" * 64, b"x")
    with company.write() as session:
        assert not logos.found(session, stale, logo, "http://former.example/i", Fetching(NOW))
        assert not logos.failed(session, stale, "no answer", Fetching(NOW))
    assert known(company) == logos.NONE
    mine = Drawn("image/png", 9, 9, "1" * 64, b"mine")
    with company.write() as session:
        logos.put(session, 1, mine, actor=ADMIN, now=NOW)
        now = logos.Site(1, site.url())
        assert not logos.found(session, now, logo, site.url("/i"), Fetching(NOW))
        assert not logos.failed(session, now, "no answer", Fetching(NOW))
        assert logos.content(session, 1) == mine


def test_one_account_that_fails_does_not_keep_the_others_waiting(
    sync: LogoSync, company: Database, site: Website
) -> None:
    give(company, "A4", "no website at all")
    give(company, "A3", site.url("/nowhere"))
    give(company, "A2", site.url())
    assert sync.run(NOW) == 2
    assert [known(company, id_).logo is not None for id_ in (1, 2, 3, 4)] == [True, True, False, False]
    assert known(company, 4).problem == "its address holds blanks or control characters"


def test_of_two_processes_one_looks(sync: LogoSync, company: Database, site: Website, tmp_path: Path) -> None:
    with Leases(company, tmp_path / "locks").lease(LEASE):
        assert (sync.run(NOW), site.connections) == (0, 0)
    assert sync.run(NOW) == 1


def test_it_stops_where_the_service_does(sync: LogoSync, company: Database, site: Website) -> None:
    sync.halted = lambda: True
    assert (sync.run(NOW), site.connections, known(company)) == (0, 0, logos.NONE)


def test_the_service_looks_only_where_the_config_says_so_and_never_at_its_own_network(
    lite_world: World,
) -> None:
    lite_world.add_user("claire")
    with Website(dict(GOOD)) as site:
        lite_world.add_account("Client", website=site.url(host="127.0.0.1"))
        lite_world.write_config()
        before = lite_world.config.read_text()
        with ServiceManager(lite_world.config) as manager:
            manager.await_that(lambda: bool(manager.logged("statuses")), "it has begun its work")
        assert lite_world.rows("SELECT * FROM account_logo") == []
        lite_world.config.write_text(before + "\n[logos]\nfetch = true\n")
        with ServiceManager(lite_world.config) as manager:
            manager.await_that(
                lambda: (
                    lite_world.rows("SELECT problem FROM account_logo")
                    == [("127.0.0.1: only the web's own ports are asked: 80 and 443",)]
                ),
                "the look is written down",
            )
        assert site.connections == 0


def test_on_the_command_line_a_person_has_the_website_looked_at(database_url: str, tmp_path: Path) -> None:
    office = Office(tmp_path / "syncd", database_url)
    office.write_config()
    with Website(dict(GOOD)) as site:
        office.add_account("Garage Dupont", website=site.url(host="127.0.0.1"))
        office.add_account("Banque")
        failed = office.run("account", "logo", "1", "--fetch")
        assert (failed.code, "no logo was found: 127.0.0.1: only the web's own ports" in failed.err) == (
            1,
            True,
        )
        shown = office.done("show", "account", "1", "--json").json["account"]
        assert (shown["initials"], shown["logo"]) == ("GD", None)
        assert shown["logo_problem"].startswith("127.0.0.1: only the web's own ports")
        none = office.run("account", "logo", "2", "--fetch")
        assert (none.code, "account 2 has no website" in none.err) == (1, True)
        refused = office.run("account", "logo", "1", "--fetch", "--as", "marc")
        assert (refused.code, "marc may not change account 1" in refused.err) == (1, True)
        assert site.connections == 0


def test_the_first_look_is_due_at_any_time(company: Database) -> None:
    assert due(company, datetime(1970, 1, 1, tzinfo=UTC)) == [1]
