"""What is done when an account gets another status (R155): once for each change, never at the first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.accounts import AccountStatus
from store.statuses import StatusChange
from syncd.daemon.wiring import Installation
from syncd.engine.status_actions import Made, Rule
from tests.servers.calendar_world import CalendarWorld
from tests.servers.console import Outcome, console
from tests.servers.office import Office
from tests.servers.prepared import Prepared
from tests.servers.radicale import RadicaleServer

NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
RULES = """
[[status_rules]]
from = "active"
to = "neglected"
template = "Relancer {account} ({from} -> {to})"
[[status_rules]]
to = "neglected"
action = "event"
template = "Revoir {account}"
assignee = "anne"
due_in_days = 30
[[status_rules]]
to = "prospect"
template = "Accueillir {account}"
"""
ACCOUNTS = (
    "ext_id,name,type,owner,created_on\nA1,Garage,client,claire,2024-01-01\nA2,Banque,client,,2024-01-01\n"
    "A3,Nous,interne,claire,2024-01-01\n"
)
PROJECTS = "ext_id,name,account\nP1,Un,A1\nP2,Deux,A2\nP3,Trois,A3\n"
DEALS = (
    "ext_id,title,project,status,end_date\nD1,Un,P1,ENDED,2026-09-30\nD2,Deux,P2,ENDED,2026-09-30\n"
    "D3,Trois,P3,ENDED,2026-09-30\n"
)
JANUARY = datetime(2027, 1, 15, 11, tzinfo=UTC)
TASKS = (
    'SELECT t.subject, u.login, t.due_date FROM task t JOIN "user" u ON u.id = t.assignee_id ORDER BY t.id'
)
EVENTS = 'SELECT e.subject, u.login FROM event e JOIN "user" u ON u.id = e.owner_id ORDER BY e.id'


def run(office: Office | CalendarWorld, *arguments: str, at: datetime = NOON) -> Outcome:
    outcome = console(office.write_config(), *arguments, at=at)
    assert outcome.code == 0, outcome.err
    return outcome


def load(office: Office | CalendarWorld, kind: str, rows: str) -> None:
    path = office.folder / f"{kind}.csv"
    path.write_text(rows)
    run(office, "import", kind, str(path))


def fill(office: Office | CalendarWorld) -> None:
    """Three accounts that are active now and will be neglected in January."""
    office.write_config()
    load(office, "accounts", ACCOUNTS)
    load(office, "projects", PROJECTS)
    load(office, "deals", DEALS)


@pytest.fixture
def office(prepared: Prepared, tmp_path: Path) -> Office:
    def made(folder: str, url: str) -> Office:
        return Office(tmp_path / folder, url, more=RULES)

    office = made("syncd", prepared.copy(fill, lambda url: fill(made("first", url))))
    office.write_config()
    return office


def tasks(office: Office | CalendarWorld) -> list[tuple[object, ...]]:
    return [(subject, login, str(due)) for subject, login, due in office.rows(TASKS)]


def test_a_change_makes_what_its_rules_say_and_only_once(office: Office) -> None:
    assert (tasks(office), office.rows(EVENTS)) == ([], []), "a first status is no change"
    for _ in range(2):
        run(office, "recompute", "statuses", at=JANUARY)
    assert tasks(office) == [
        ("Relancer Garage (active -> neglected)", "claire", "2027-01-22"),
        ("Relancer Nous (active -> neglected)", "claire", "2027-01-22"),
    ], "an account of nobody gets no task"
    assert office.rows(EVENTS) == [(f"Revoir {name}", "anne") for name in ("Garage", "Banque", "Nous")]
    assert office.rows("SELECT account_id FROM task ORDER BY id") == [(1,), (None,)], (
        "what is to be done concerns no internal account"
    )
    assert office.rows("SELECT DISTINCT all_day, busy FROM event") == [(True, False)]
    assert office.rows("SELECT actor, entity, channel FROM audit_log WHERE channel = 'JOB' ORDER BY id") == [
        ("status rule", entity, "JOB") for entity in ("task", "event", "event", "task", "event")
    ]


def test_each_further_change_is_one_more(office: Office) -> None:
    run(office, "recompute", "statuses", at=JANUARY)
    load(office, "deals", "ext_id,status,end_date\nD1,ONGOING,\n")
    assert len(tasks(office)) == 2
    load(office, "deals", "ext_id,status,end_date\nD1,ENDED,2026-07-01\n")
    assert [row[0] for row in tasks(office)].count("Relancer Garage (active -> neglected)") == 2
    assert tasks(office)[-1][2] == "2026-11-29"


def test_what_is_imported_has_its_tasks_in_the_same_transaction(office: Office) -> None:
    path = office.folder / "o.csv"
    path.write_text("title,account,status,closed_on\nO,A1,LOST,2026-11-01\n")
    load(office, "deals", "ext_id,end_date\nD1,2026-07-01\n")
    before = tasks(office)
    run(office, "import", "opportunities", str(path), "--dry-run")
    assert tasks(office) == before
    run(office, "import", "opportunities", str(path))
    assert tasks(office) == [*before, ("Accueillir Garage", "claire", "2026-11-29")]


def test_what_another_day_would_bring_is_nothing_to_act_on(office: Office) -> None:
    run(office, "recompute", "statuses", "--as-of", "2027-01-15", "--dry-run")
    run(office, "recompute", "statuses", "--as-of", "2027-01-15")
    assert (tasks(office), office.rows(EVENTS)) == ([], [])


def test_a_name_that_looks_like_a_place_is_a_name(office: Office) -> None:
    run(office, "account", "edit", "1", "--name", "Chez {to}")
    run(office, "recompute", "statuses", at=JANUARY)
    assert tasks(office)[0][0] == "Relancer Chez {to} (active -> neglected)"


def test_a_task_reaches_its_users_own_client(
    radicale: RadicaleServer, sqlite_url: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    world = CalendarWorld(radicale, tmp_path / "syncd", sqlite_url, now=now)
    world.calendar_section = '[[status_rules]]\nto = "prospect"\ntemplate = "Rappeler {account}"'
    world.add_user("claire")
    world.write_config()
    load(world, "accounts", "ext_id,name,type,owner,created_on\nA1,Garage,client,claire,2024-01-01\n")
    world.sync()
    load(world, "opportunities", "title,account\nO,A1\n")
    for _ in range(2):
        world.sync()
    (text,) = world.items("claire").values()
    assert "BEGIN:VTODO\n" in text
    assert "SUMMARY:Rappeler Garage\n" in text


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ('to = "gone"\ntemplate = "x"', "syncd.toml:"),
        ('to = "neglected"\ntemplate = "x"\nbody = "y"', 'only action = "email_draft" has a text'),
        ('to = "neglected"\ntemplate = "x"\naction = "email_draft"\nbody = "{name}"', "may stand in braces"),
        ('to = "neglected"\ntemplate = "{name}"', "only {account}, {from}, {to} may stand in braces"),
        ('to = "neglected"\ntemplate = "x"\nassignee = "paul"', 'no user has the login "paul"'),
        ('to = "neglected"', "template"),
        ('to = "neglected"\ntemplate = "x"\ndue_in_days = -1', "due_in_days"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(tmp_path: Path, rule: str, problem: str) -> None:
    made = Office(tmp_path / "syncd", "sqlite:///crm.db", more=f"[[status_rules]]\n{rule}")
    outcome = made.run("check")
    assert (outcome.code, problem in outcome.err) == (2, True), outcome.err
    assert "status_rules" in outcome.err


def test_a_look_that_dies_in_the_middle_does_the_rest_later_and_nothing_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.engine.statuses.CHUNK", 1)
    dies = [2]  # after so many accounts

    def dying(installation: Installation) -> None:
        real = installation.statuses.then
        assert real is not None

        def then(*arguments: object) -> int:
            made = real(*arguments)  # type: ignore[arg-type]
            dies[0] -= 1
            if dies[0] == 0:
                raise KeyboardInterrupt
            return made

        installation.statuses.then = then

    for spoil in (dying, lambda _: None):
        installation = Installation.open(office.write_config())
        spoil(installation)
        try:
            installation.statuses.run(JANUARY)
        except KeyboardInterrupt:
            assert len(office.rows(EVENTS)) == 1
        finally:
            installation.close()
    assert [row[0] for row in office.rows(EVENTS)] == ["Revoir Garage", "Revoir Banque", "Revoir Nous"]
    assert len(tasks(office)) == 2


def test_a_rule_tells_its_own_changes_and_its_subject_has_an_end() -> None:
    rule = Rule(None, AccountStatus.PROSPECT, Made.TASK, "{account}{account}", None, timedelta(days=1))
    active, prospect = AccountStatus.ACTIVE, AccountStatus.PROSPECT
    change = StatusChange(1, "x" * 200, active, prospect, 1)
    assert rule.concerns(change)
    assert not rule.concerns(StatusChange(1, "x", None, prospect, 1))
    assert not rule.concerns(StatusChange(1, "x", prospect, active, 1))
    assert not replace(rule, before=AccountStatus.INACTIVE).concerns(change)
    assert len(rule.subject(change)) == 255
