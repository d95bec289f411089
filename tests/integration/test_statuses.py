"""Statuses of accounts in the store: written where they change, once, on change and once a night."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text

from store import csvfile, statuses
from store.accounts import AccountKind, AccountStatus, AccountType, account_kind
from store.actors import Actor, admin_at_machine
from store.audit_log import Channel
from store.csvfile import Refused
from store.database import Database
from store.errors import Forbidden
from store.importing import Occasion, Saved
from store.kinds import KINDS
from store.mailboxes import apply_config
from store.user_rows import UserRow
from store.users import UserRole
from syncd.engine import records
from syncd.engine.statuses import StatusSync
from tests.servers.prepared import Prepared

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
ACTIVE, PROSPECT, NEGLECTED, INACTIVE = AccountStatus
ADMIN = admin_at_machine("root")

ACCOUNTS = (
    "ext_id,name,type,created_on\n"
    "A1,Garage Dupont,client,2024-01-01\n"
    "A2,Banque,client,2024-01-01\n"
    "A3,Neuf,client,2026-11-01\n"
    "A4,Interne,interne,2024-01-01\n"
)
PROJECTS = "ext_id,name,account\nP1,Toiture,A1\nP2,Coffres,Banque\nP4,Déménagement,A4\n"


def load(database: Database, kind: str, rows: str, now: datetime = NOON) -> Saved:
    lines = csvfile.read(rows.encode(), KINDS[kind].headers)
    occasion = Occasion(ADMIN, now, now.astimezone(PARIS).date(), "test.csv")
    with database.write() as session:
        return records.save(session, KINDS[kind], lines, occasion)


def stored(database: Database, column: str = "status") -> dict[str, object]:
    with database.read() as session:
        rows = session.execute(text(f"SELECT ext_id, {column} FROM account ORDER BY id"))
        return {str(row[0]): row[1] for row in rows}


def history(database: Database) -> list[tuple[object, ...]]:
    with database.read() as session:
        rows = session.execute(
            text(
                'SELECT a.ext_id, h."from", h."to", h.reason, h."on" FROM account_status_history h '
                "JOIN account a ON a.id = h.account_id ORDER BY h.id"
            )
        )
        return [(*row[:4], str(row[4])) for row in rows]


@pytest.fixture
def company(prepared: Prepared) -> Database:
    """Four accounts, three of them with a project."""
    return prepared.database(fill)


def fill(database: Database) -> None:
    load(database, "accounts", ACCOUNTS)
    load(database, "projects", PROJECTS)


def test_an_account_has_its_status_in_the_transaction_that_makes_it(company: Database) -> None:
    assert stored(company) == {"A1": "INACTIVE", "A2": "INACTIVE", "A3": "PROSPECT", "A4": "INACTIVE"}
    assert {str(one) for one in stored(company, "status_since").values()} == {"2026-11-22"}
    assert history(company) == [
        ("A1", None, "INACTIVE", 7, "2026-11-22"),
        ("A2", None, "INACTIVE", 7, "2026-11-22"),
        ("A3", None, "PROSPECT", 3, "2026-11-22"),
        ("A4", None, "INACTIVE", 7, "2026-11-22"),
    ]


def test_deals_and_opportunities_change_the_status_of_their_accounts_at_once(company: Database) -> None:
    load(company, "deals", "ext_id,title,project,status,end_date\nD1,Toit,Toiture,ONGOING,\n")
    load(company, "opportunities", "ext_id,title,account,account2\nO1,Cave,A2,A4\n")
    assert stored(company) == {"A1": "ACTIVE", "A2": "PROSPECT", "A3": "PROSPECT", "A4": "PROSPECT"}

    load(company, "deals", "ext_id,status,closed_on\nD1,CANCELLED,2026-07-01\n")
    assert stored(company)["A1"] == "NEGLECTED"
    assert history(company)[-1] == ("A1", "ACTIVE", "NEGLECTED", 4, "2026-11-22")

    load(company, "opportunities", "ext_id,status,closed_on\nO1,LOST,2026-04-01\n")
    assert (stored(company)["A2"], stored(company)["A4"]) == ("INACTIVE", "INACTIVE")

    load(company, "accounts", "ext_id,created_on\nA4,2026-11-02\n")
    assert stored(company)["A4"] == "PROSPECT"


def test_what_moves_to_another_account_changes_both(company: Database) -> None:
    load(company, "deals", "ext_id,title,project,status\nD1,Toit,P1,SIGNED\n")
    load(company, "opportunities", "ext_id,title,account\nO1,Cave,A2\n")
    load(company, "deals", "ext_id,project\nD1,P4\n")
    assert (stored(company)["A1"], stored(company)["A4"]) == ("INACTIVE", "ACTIVE")

    load(company, "projects", "ext_id,account\nP4,A1\n")
    assert (stored(company)["A1"], stored(company)["A4"]) == ("ACTIVE", "INACTIVE")

    load(company, "opportunities", "ext_id,account\nO1,A4\n")
    assert (stored(company)["A2"], stored(company)["A4"]) == ("INACTIVE", "PROSPECT")


def test_an_open_opportunity_that_nobody_changes_goes_stale_where_that_is_wanted(company: Database) -> None:
    early = datetime(2026, 5, 23, 22, 30, tzinfo=UTC)  # the 24th in Paris
    load(company, "opportunities", "ext_id,title,account\nO1,Cave,A1\n", early)

    StatusSync(company, PARIS).recompute(date(2026, 11, 24), NOON)
    assert stored(company)["A1"] == "PROSPECT"
    stale = StatusSync(company, PARIS, stale_months=6)
    stale.recompute(date(2026, 11, 24), NOON)
    assert stored(company)["A1"] == "PROSPECT", "exactly six months are not more than six"
    stale.recompute(date(2026, 11, 25), NOON)
    assert stored(company)["A1"] == "INACTIVE", "closed on its last change, more than six months ago"
    StatusSync(company, PARIS, stale_months=1).recompute(date(2026, 11, 24), NOON)
    assert stored(company)["A1"] == "NEGLECTED", "closed exactly six months ago"

    load(company, "opportunities", "ext_id,title\nO1,Caves\n")
    stale.recompute(date(2026, 11, 25), NOON)
    assert stored(company)["A1"] == "PROSPECT", "a change makes it live again"


def test_what_is_deleted_does_not_count(company: Database) -> None:
    load(company, "deals", "ext_id,title,project,status\nD1,Toit,P1,SIGNED\nD2,Mur,P2,SIGNED\n")
    load(company, "opportunities", "ext_id,title,account\nO1,Cave,A4\n")
    with company.write() as session:
        for table, ext_id in (("deal", "D1"), ("project", "P2"), ("opportunity", "O1"), ("account", "A3")):
            session.execute(
                text(f"UPDATE {table} SET deleted_at = updated_at WHERE ext_id = :one"), {"one": ext_id}
            )
    looked = StatusSync(company, PARIS).recompute(date(2028, 1, 1), NOON)
    assert looked.looked_at == 3
    assert stored(company) == {"A1": "INACTIVE", "A2": "INACTIVE", "A3": "PROSPECT", "A4": "INACTIVE"}


def test_the_night_makes_neglected_and_inactive_what_nobody_touched(company: Database) -> None:
    load(company, "deals", "ext_id,title,project,status,end_date\nD1,Toit,P1,ENDED,2026-08-23\n")
    sync = StatusSync(company, PARIS)
    assert stored(company)["A1"] == "ACTIVE"
    assert sync.run(NOON) is not None

    night = datetime(2026, 11, 24, 0, 10, tzinfo=PARIS)
    looked = sync.run(night)
    assert looked is not None
    assert [(one.name, one.before, one.after) for one in looked.changes] == [
        ("Garage Dupont", ACTIVE, NEGLECTED)
    ]
    assert stored(company)["A1"] == "NEGLECTED"
    assert stored(company, "version")["A1"] == 1

    looked = sync.run(datetime(2027, 2, 24, 0, 10, tzinfo=PARIS))
    assert looked is not None
    assert {one.name: one.after for one in looked.changes} == {"Garage Dupont": INACTIVE, "Neuf": NEGLECTED}


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-11-22T23:59", False),  # the day that is done
        ("2026-11-23T00:09", False),
        ("2026-11-23T00:10", True),
        ("2026-11-24T00:00", True),  # a night was missed: at once
        ("2026-11-20T12:00", True),  # the clock was wrong
    ],
)
def test_the_nightly_look_is_due_ten_minutes_after_local_midnight(
    sqlite_database: Database, moment: str, due: bool
) -> None:
    sync = StatusSync(sqlite_database, PARIS)
    assert sync.run(NOON) is not None
    assert sync.run(NOON) is None
    local = datetime.fromisoformat(moment).replace(tzinfo=PARIS)
    assert (sync.run(local) is not None) is due


def test_the_companys_time_zone_decides_the_day(sqlite_database: Database) -> None:
    load(sqlite_database, "accounts", "ext_id,name,type,created_on\nA1,X,client,2026-08-23\n")
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # the 23rd in Paris, the 22nd in New York
    assert StatusSync(sqlite_database, ZoneInfo("America/New_York")).run(late) is not None
    assert stored(sqlite_database) == {"A1": "PROSPECT"}
    assert StatusSync(sqlite_database, PARIS).run(late) is not None
    assert stored(sqlite_database) == {"A1": "NEGLECTED"}


def test_only_what_changes_is_written(company: Database) -> None:
    sync = StatusSync(company, PARIS)
    sync.recompute(NOON.date(), NOON)
    written: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.lstrip().upper().startswith("SELECT"):
            written.append(statement)

    event.listen(company.engine, "before_cursor_execute", note)
    sync.recompute(NOON.date() + timedelta(days=1), NOON)
    assert [one for one in written if "account_status_pass" not in one and "BEGIN" not in one] == []
    written.clear()
    looked = sync.recompute(date(2027, 2, 1), NOON, dry_run=True)
    assert [one.name for one in looked.changes] == ["Neuf"]
    assert [one for one in written if "BEGIN" not in one] == []
    sync.recompute(date(2027, 2, 1), NOON)
    assert len([one for one in written if one.startswith("UPDATE account SET")]) == 1


def test_processes_that_look_at_once_write_each_change_once(company: Database) -> None:
    day, start = date(2027, 2, 1), Barrier(3)
    before = len(history(company))
    done: list[int] = []

    def look(make: Callable[[], StatusSync]) -> None:
        sync = make()
        start.wait(30)
        done.append(len(sync.recompute(day, NOON).changes))

    threads = [Thread(target=look, args=[lambda: StatusSync(company, PARIS)]) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sum(done) == 1
    assert len(done) == 3
    assert history(company)[before:] == [("A3", "PROSPECT", "NEGLECTED", 5, "2027-02-01")]


def test_a_look_that_is_halted_is_done_again(company: Database) -> None:
    sync = StatusSync(company, PARIS)
    sync.halted = lambda: True
    looked = sync.run(NOON)
    assert looked is not None
    assert not looked.whole
    with company.read() as session:
        assert statuses.last_pass(session) is None
    sync.halted = lambda: False
    assert sync.run(NOON) is not None
    with company.read() as session:
        assert (statuses.last_pass(session) or (None,))[0] == date(2026, 11, 22)


def test_a_look_of_another_day_that_ends_meanwhile_makes_the_nightly_one_begin_anew(
    company: Database,
) -> None:
    nightly, ordered = StatusSync(company, PARIS), StatusSync(company, PARIS)
    nightly.recompute(NOON.date() - timedelta(days=2), NOON)
    before = stored(company)
    asked: list[int] = []

    def halted() -> bool:
        asked.append(1)
        if len(asked) == 2:  # all accounts were looked at, and the look is not marked yet
            ordered.recompute(date(2027, 2, 1), NOON)
        return False

    nightly.halted = halted
    nightly.run(NOON)
    assert stored(company) != before
    assert nightly.run(NOON) is not None, "today's is still due"
    assert stored(company) == before
    assert nightly.run(NOON) is None


def test_a_look_that_dies_before_its_end_is_ended_by_the_next_one(company: Database) -> None:
    sync, before, dies = StatusSync(company, PARIS), len(history(company)), [True]

    def die(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if dies and "INTO account_status_pass" in statement:
            dies.clear()
            raise KeyboardInterrupt

    event.listen(company.engine, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        sync.run(datetime(2027, 2, 1, 12, tzinfo=PARIS))
    with company.read() as session:
        assert statuses.last_pass(session) is None
    assert sync.run(datetime(2027, 2, 1, 13, tzinfo=PARIS)) is not None
    assert [one[:3] for one in history(company)[before:]] == [("A3", "PROSPECT", "NEGLECTED")]


def test_accounts_of_a_former_version_get_their_first_status_at_the_first_look(company: Database) -> None:
    with company.write() as session:
        session.execute(text("UPDATE account SET status = NULL, status_since = NULL"))
        session.execute(text("DELETE FROM account_status_history"))
    looked = StatusSync(company, PARIS).run(NOON)
    assert looked is not None
    assert [one.before for one in looked.changes] == [None] * 4
    assert stored(company)["A3"] == "PROSPECT"


@pytest.mark.parametrize("role", UserRole)
def test_only_an_admin_recomputes(company: Database, role: UserRole) -> None:
    with company.write() as session:
        apply_config(session, [UserRow("u", "U", "u@acme.example", (), role, None, None)], [], NOON)
    sync, who = StatusSync(company, PARIS), Actor("u", 1, role)
    for dry_run in (True, False):
        if role is UserRole.WORKSPACE_ADMIN:
            sync.ordered(who, Channel.CLI, date(2027, 2, 1), NOON, dry_run=dry_run)
        else:
            with pytest.raises(Forbidden, match="u may not recompute statuses: that needs the role admin"):
                sync.ordered(who, Channel.CLI, date(2027, 2, 1), NOON, dry_run=dry_run)
    admin = role is UserRole.WORKSPACE_ADMIN
    assert stored(company)["A3"] == ("NEGLECTED" if admin else "PROSPECT")
    with company.read() as session:
        told = session.scalar(text("SELECT count(*) FROM audit_log WHERE actor = 'u'"))
    assert told == (1 if admin else 0)


@pytest.mark.parametrize(
    ("kind", "rows", "said"),
    [
        ("deals", "title,status\nX,SIGNED\n", "project: is required: a deal belongs to a project"),
        ("deals", "title,project,status\nX,P9,SIGNED\n", 'project: there is no project "P9"'),
        ("deals", "title,project,status\nX,P1,CANCELLED\n", "closed_on: is required once the status is CANC"),
        ("deals", "title,project,status\nX,P1,ENDED\n", "end_date: is required once the status is ENDED"),
        ("deals", "title,project,status,amount\nX,P1,SIGNED,1.234\n", "has more than two decimals"),
        ("deals", "title,project,project_id,status\nX,P1,2,SIGNED\n", '"P1" is not project_id 2'),
        ("projects", "name\nX\n", "account: is required: a project belongs to an account"),
        ("projects", "name,account,reference\nX,A1,R\nY,A1,R\n", '"R" is that of project'),
        ("accounts", "name,type,status\nX,client,ACTIVE\n", "status: is computed: leave the column out"),
    ],
)
def test_a_file_with_a_mistake_is_refused_whole(company: Database, kind: str, rows: str, said: str) -> None:
    before = history(company)
    with pytest.raises(Refused) as refused:
        load(company, kind, rows)
    assert said in str(refused.value.faults[0])
    assert history(company) == before


def test_the_database_itself_refuses_a_cancelled_deal_without_a_day(company: Database) -> None:
    load(company, "deals", "ext_id,title,project,status,amount\nD1,X,P1,SIGNED,\"1 234,50\"\n")  # fmt: skip
    with company.read() as session:
        assert str(session.scalar(text("SELECT amount FROM deal"))) in ("1234.5", "1234.50")
    with pytest.raises(Exception, match=r"(?i)check|constraint"), company.write() as session:
        session.execute(text("UPDATE deal SET status = 'CANCELLED'"))


def test_deals_of_an_internal_account_are_never_billable(company: Database) -> None:
    rows = "ext_id,title,project,status,billable\nD1,X,P4,SIGNED,oui\nD2,Y,P1,SIGNED,\n"
    load(company, "deals", rows)
    with company.read() as session:
        found = session.execute(text("SELECT billable FROM deal ORDER BY ext_id")).scalars().all()
    assert [bool(one) for one in found] == [False, True]
    assert load(company, "deals", rows).unchanged == 2


def test_what_an_account_is_to_those_who_sell() -> None:
    def kind(type_: AccountType, status: AccountStatus, had_deal: bool) -> AccountKind:
        return account_kind(type_, status, had_deal=had_deal)

    for type_ in (AccountType.CUSTOMER, AccountType.GROUP):
        assert kind(type_, INACTIVE, False) is AccountKind.PROSPECT
        assert kind(type_, PROSPECT, True) is AccountKind.PROSPECT
        assert kind(type_, NEGLECTED, True) is AccountKind.CLIENT
    assert kind(AccountType.PARTNER, PROSPECT, False) is AccountKind.PARTNER
    for type_ in (AccountType.COMPETITOR, AccountType.INTERNAL):
        assert kind(type_, ACTIVE, True) is AccountKind.OTHER
