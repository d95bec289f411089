"""Recommendations by rules, in the database: every row of table T3, what wakes the rules, and files."""

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text
from xlsxwriter import Workbook

from config import advice
from config.recommendations import RecommendationRule
from connectors.errors import BadFile
from store import csvfile, recommendations
from store.accounts import AccountStatus
from store.actors import Actor, admin_at_machine
from store.audit_log import Channel
from store.csvfile import Refused
from store.database import Database
from store.errors import Forbidden
from store.importing import Occasion
from store.kinds import KINDS
from store.recommendations import Advice, By, Category, Source
from store.users import UserRole
from syncd.engine import records
from syncd.engine.advice_files import AdviceFiles
from syncd.engine.recommending import Recommending, RuleSet
from syncd.engine.records import Follows
from syncd.engine.statuses import StatusSync
from tests.servers.prepared import Prepared

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
ADMIN = admin_at_machine("root")
BY = By(ADMIN, Channel.CLI, NOON)
ACCOUNTS = (
    "ext_id,name,type,vat_number,created_on,city\n"
    "A1,Garage Dupont,client,FR 12 345678901,2024-01-01,Lyon\n"
    "A2,Banque,client,,2024-01-01,Paris\n"
)


def rule(name: str = "R", condition: str | None = 'city == "Lyon"', **more: object) -> RecommendationRule:
    given: dict[str, object] = {"name": name, "condition": condition, "template": "{city}"}
    return RecommendationRule.model_validate({**given, **more})


def of_files(**more: object) -> RecommendationRule:
    return RecommendationRule.model_validate({"name": "file", "source": "file", **more})


def writer(database: Database, *rules: RecommendationRule) -> Recommending:
    ready = [advice.compiled(one, {}) for one in rules]
    return Recommending(database, RuleSet(ready, "fr"), PARIS)


def load(database: Database, rows: str, by: Recommending | None = None, kind: str = "accounts") -> None:
    lines = csvfile.read(rows.encode(), KINDS[kind].headers)
    occasion = Occasion(ADMIN, NOON, NOON.astimezone(PARIS).date(), "test.csv")
    with database.write() as session:
        records.save(session, KINDS[kind], lines, occasion, follows=Follows(recommending=by))


def stands(database: Database, account: int = 1) -> tuple[str, Source, str] | None:
    with database.read() as session:
        found = recommendations.of_account(session, account)
    return None if found is None else (found.message, found.source, found.author)


def put(database: Database, message: str) -> None:
    with database.write() as session:
        recommendations.put(session, 1, Advice(message), BY)


@pytest.fixture
def company(prepared: Prepared) -> Database:
    return prepared.database(fill)


def fill(database: Database) -> None:
    load(database, ACCOUNTS)


LYON, ROME = rule(), rule(condition='city == "Rome"', template="Rome")
MANUAL, BY_RULE = ("typed", Source.MANUAL, "root"), ("Lyon", Source.FIELD, "R")

T3: list[tuple[str, str, Sequence[RecommendationRule], Sequence[RecommendationRule], object]] = [
    # current text, how it came, the rules before, the rules now, the result
    ("none, yes", "", (), [LYON], BY_RULE),
    ("none, no", "", (), [ROME], None),
    ("by R, R with other text", "", [LYON], [rule(template="now {city}")], ("now Lyon", Source.FIELD, "R")),
    ("by R, not R but R2", "", [LYON], [ROME, rule("R2", template="2")], ("2", Source.FIELD, "R2")),
    ("by R, none matches", "", [LYON], [ROME], None),
    ("by R, none matches, kept", "", [rule(clear_when_false=False)],
     [rule(condition='city == "Rome"', clear_when_false=False)], BY_RULE),
    ("by R, R is gone from the config", "", [LYON], [], None),
    ("by R, R is gone, which kept", "", [rule(clear_when_false=False)], [], BY_RULE),
    ("manual, any", "set", (), [LYON], MANUAL),
    ("manual, overwritten", "set", (), [rule(overwrite_manual=True)], BY_RULE),
    ("manual, the winner does not overwrite", "set", (),
     [LYON, rule("S", overwrite_manual=True, priority=101)], MANUAL),
    ("manual, deleted by a user", "set clear", [LYON], [LYON], None),
    ("manual, deleted, other text now", "set clear", [LYON], [rule(template="x")], ("x", Source.FIELD, "R")),
    ("the rule's, deleted by a user", "clear", [LYON], [LYON], None),
    ("the rule's, deleted, other text now", "clear", [LYON], [rule(template="x")], ("x", Source.FIELD, "R")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("how", "before", "now", "result"), [row[1:] for row in T3], ids=[row[0] for row in T3]
)
def test_table_t3(
    company: Database,
    how: str,
    before: Sequence[RecommendationRule],
    now: Sequence[RecommendationRule],
    result: object,
) -> None:
    if "set" in how:
        put(company, "typed")
    writer(company, *before).recompute(NOON)
    if "clear" in how:
        with company.write() as session:
            assert writer(company, *before).clear(session, 1, BY)
        writer(company, *before).recompute(NOON)
        assert stands(company) is None
    for _ in range(2):
        writer(company, *now).recompute(NOON + timedelta(hours=1))
        assert stands(company) == result
    assert stands(company, 2) is None
    if how == "set" and result != MANUAL:
        with company.read() as session:
            assert [one.message for one in recommendations.history(session, 1)] == ["typed"]


@pytest.mark.parametrize(
    ("rules", "winner"),
    [
        ([rule("B"), rule("A")], "A"),
        ([rule("A", priority=2), rule("B", priority=1)], "B"),
        ([rule("A"), of_files(name="Z")], "Z"),  # file before field
        ([rule("A", priority=99), of_files(name="Z")], "A"),
        ([rule("A", enabled=False), rule("B")], "B"),
        ([rule("A", template="{region}"), rule("B")], "B"),  # what comes to no text matches nothing
    ],
)
def test_of_several_rules_the_lowest_number_writes_then_file_before_field_then_the_name(
    company: Database, rules: list[RecommendationRule], winner: str
) -> None:
    AdviceFiles(company, writer(company)).record(b"account_ref,message\nA1,of the file\n", "f", ADMIN, NOON)
    writer(company, *rules).recompute(NOON)
    found = stands(company)
    assert found is not None
    assert found[2] == winner


def test_the_respect_for_a_deletion_ends_when_the_rule_ceases_to_match(company: Database) -> None:
    by = writer(company, LYON)
    by.recompute(NOON)
    with company.write() as session:
        by.clear(session, 1, BY)
    load(company, "ext_id,city\nA1,Rome\n", by)
    assert stands(company) is None
    load(company, "ext_id,city\nA1,Lyon\n", by)
    assert stands(company) == BY_RULE


def test_every_change_of_an_account_wakes_the_rules_in_the_same_transaction(company: Database) -> None:
    by = writer(company, rule(), rule("sold", 'status == "active"', template="Client actif"))
    load(company, "ext_id,city\nA1,Lyon\nA2,Lyon\n", by)
    assert (stands(company), stands(company, 2)) == (None, BY_RULE)  # A1 was not changed
    load(company, "ext_id,city\nA2,Rome\n", by)
    assert stands(company, 2) is None
    load(company, "ext_id,name,account\nP,Toit,A2\n", by, "projects")
    load(company, "ext_id,title,project,status\nD,Toit,P,SIGNED\n", by, "deals")
    assert stands(company, 2) == ("Client actif", Source.FIELD, "sold")


def test_the_night_writes_what_days_and_statuses_bring(company: Database) -> None:
    load(company, "ext_id,name,type,created_on\nA3,Neuf,client,2026-11-01\n")
    days = rule(
        "old", 'status == "neglected" and today - status_since >= 1', template="depuis {status_since}"
    )
    by, statuses = writer(company, days), StatusSync(company, PARIS)
    assert by.run(NOON) is not None
    for day, text_ in ((date(2027, 2, 2), None), (date(2027, 2, 3), "depuis 02/02/2027")):
        moment = datetime(day.year, day.month, day.day, 0, 10, tzinfo=PARIS)
        assert statuses.run(moment) is not None
        assert by.run(moment) is not None
        found = stands(company, 3)
        assert (found and found[0]) == text_
    with company.read() as session:
        assert session.scalar(text("SELECT status FROM account WHERE id = 3")) == AccountStatus.NEGLECTED.name


def test_a_look_is_due_after_midnight_and_at_once_with_other_rules(company: Database) -> None:
    by = writer(company, LYON)
    assert by.run(NOON) is not None
    assert by.run(NOON) is None
    assert by.run(datetime(2026, 11, 23, 0, 9, tzinfo=PARIS)) is None
    assert by.run(datetime(2026, 11, 23, 0, 10, tzinfo=PARIS)) is not None
    assert writer(company, LYON).run(datetime(2026, 11, 23, 1, tzinfo=PARIS)) is None
    assert writer(company, rule(template="x")).run(datetime(2026, 11, 23, 1, tzinfo=PARIS)) is not None
    assert stands(company) == ("x", Source.FIELD, "R")


def test_without_the_plan_nothing_is_written_or_marked(company: Database) -> None:
    by = Recommending(company, None, PARIS)
    assert by.run(NOON) is None
    load(company, "ext_id,city\nA2,Lyon\n", by)
    assert by.recompute(NOON).looked_at == 0
    assert stands(company) is None


def test_a_dry_run_tells_and_writes_nothing(company: Database) -> None:
    by = writer(company, LYON)
    written: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(statement)

    event.listen(company.engine, "before_cursor_execute", note)
    done = by.ordered(ADMIN, Channel.CLI, NOON, dry_run=True)
    assert [(one.account, one.rule, one.message) for one in done.changes] == [("Garage Dupont", "R", "Lyon")]
    assert written == []
    by.ordered(ADMIN, Channel.CLI, NOON)
    written.clear()
    assert by.recompute(NOON).changes == ()
    assert [one for one in written if "recommendation_pass" not in one] == []
    with pytest.raises(Forbidden, match="needs the role admin"):
        by.ordered(Actor("u", 1, UserRole.ADVANCED), Channel.CLI, NOON, dry_run=True)


def test_processes_that_look_at_once_write_each_text_once(company: Database) -> None:
    start, done = Barrier(3), list[int]()

    def look() -> None:
        by = writer(company, LYON)
        start.wait(30)
        done.append(len(by.recompute(NOON).changes))

    threads = [Thread(target=look) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(done) == [0, 0, 1]
    with company.read() as session:
        assert session.scalar(text("SELECT count(*) FROM account_recommendation")) == 1


def test_the_same_words_under_another_label_are_written(company: Database) -> None:
    writer(company, LYON).recompute(NOON)
    writer(company, rule(category="payment_delay")).recompute(NOON)
    with company.read() as session:
        found = recommendations.of_account(session, 1)
    assert found is not None
    assert found.category is Category.PAYMENT_DELAY


# --- files --------------------------------------------------------------------------------------

FILE = (
    "account_ref;message;category;valid_until\n"
    "A1;Acompte exigé;Avis de règlement;\n"
    "Banque;Retard;PAYMENT_DELAY;30/11/2026\n"
)


def files(database: Database, *rules: RecommendationRule) -> AdviceFiles:
    return AdviceFiles(database, writer(database, *(rules or [of_files()])))


def test_a_file_writes_recommendations_once_for_its_content(company: Database) -> None:
    took = files(company)
    assert took.take(FILE.encode("cp1252"), "avis.csv", NOON) == ""
    assert stands(company) == ("Acompte exigé", Source.FILE, "file")
    with company.read() as session:
        banque = recommendations.of_account(session, 2)
    assert banque is not None
    assert (banque.message, banque.category) == ("Retard", Category.PAYMENT_DELAY)
    put(company, "typed")
    with company.write() as session:
        recommendations.clear(session, 1, BY)
    again = took.record(FILE.encode("cp1252"), "other name.csv", ADMIN, NOON, partial=True)
    assert (again.known, again.rows, again.changes) == (True, 0, ())
    assert stands(company) is None
    with company.read() as session:
        assert session.execute(text("SELECT file, rows, errors FROM recommendation_import")).all() == [
            ("avis.csv", 2, 0)
        ]


@pytest.mark.parametrize("ref", ["A1", "Garage Dupont", "FR12345678901", "fr 12.345.678.901"])
def test_an_account_is_named_by_external_id_name_or_vat_number(company: Database, ref: str) -> None:
    files(company).take(f"account_ref,message\n{ref},x\n".encode(), "f.csv", NOON)
    assert stands(company) == ("x", Source.FILE, "file")


@pytest.mark.parametrize("kept", [True, False])
def test_a_blank_message_takes_back_what_a_file_said_and_nothing_else(company: Database, kept: bool) -> None:
    took = files(company, of_files(clear_when_false=not kept))
    took.take(FILE.encode(), "1.csv", NOON)
    assert took.take(b"account_ref,message\nA1,\n", "2.csv", NOON) == ""
    assert stands(company) is None
    assert stands(company, 2) is not None
    put(company, "typed")
    took.take(b"account_ref,message,valid_until\nA1,,2027-01-01\n", "3.csv", NOON)
    assert stands(company) == MANUAL


def test_a_text_goes_after_the_last_day_on_which_it_is_valid(company: Database) -> None:
    took = files(company)
    took.take(FILE.encode(), "1.csv", NOON)
    by = writer(company, of_files())
    by.recompute(datetime(2026, 11, 30, 23, tzinfo=PARIS))
    assert stands(company, 2) is not None
    by.recompute(datetime(2026, 12, 1, 0, 10, tzinfo=PARIS))
    assert stands(company, 2) is None
    assert stands(company) is not None
    took.take(b"account_ref,message,valid_until\nA2,x,2026-11-21\n", "2.csv", NOON)
    assert stands(company, 2) is None


def test_rows_that_cannot_be_taken_are_told_and_the_others_taken(company: Database) -> None:
    load(company, "ext_id,name,type,vat_number\nA3,Double,client,\nA4,Double,client,BE 1\nA5,BE1,client,\n")
    rows = (
        "account_ref,message,category,valid_until\n"
        "A1,good,,\n"
        "Nobody,x,,\n"
        "Double,x,,\n"
        "BE-1,x,,\n"
        "BE1,x,,\n"
        ",x,,\n"
        "Banque,x,urgent,\n"
        "A2,x,,soon\n"
        "A1,again,,\n"
        f"A3,{'x' * 2001},,\n"
    )
    took = files(company)
    told = took.take(rows.encode(), "f.csv", NOON)
    assert told.splitlines() == [
        "2 rows were taken; these were not:",
        'line 3: account_ref: "Nobody" is no ext_id, VAT number or exact name of an account',
        'line 4: account_ref: "Double" names 2 accounts (ids 3, 4)',
        'line 6: account_ref: "BE1" names 2 accounts (ids 4, 5)',
        "line 7: account_ref: is empty",
        f'line 8: category: "urgent" is not known; accepted: {", ".join(one.name for one in Category)}',
        'line 9: valid_until: "soon" is no day: write 2026-12-31 or 31/12/2026',
        "line 10: account_ref: is the account of line 2",
        "line 11: message: the message has 2001 characters, at most 2000 are kept",
    ]
    assert stands(company) == ("good", Source.FILE, "file")
    assert stands(company, 4) == ("x", Source.FILE, "file")
    # Once somebody has made the account, the same file may be dropped again.
    load(company, "ext_id,name,type\nA9,Nobody,client\n")
    assert took.take(rows.encode(), "f.csv", NOON).startswith("3 rows were taken")
    with pytest.raises(Refused) as refused:
        took.record(rows.encode(), "f.csv", ADMIN, NOON)
    assert len(refused.value.faults) == 7


def sheet(*rows: Sequence[object]) -> bytes:
    """A workbook as a spreadsheet writes it, with a second sheet that nobody reads."""
    out = io.BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        first, day = book.add_worksheet("Avis"), book.add_format({"num_format": "dd/mm/yyyy"})
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                if isinstance(value, date):
                    first.write_datetime(number, place, value, day)
                else:
                    first.write(number, place, value)
        book.add_worksheet("Calculs")
    return out.getvalue()


def test_a_workbook_is_taken_as_the_csv_of_its_first_sheet_is(company: Database) -> None:
    load(company, "ext_id,name,type\n4711,Numéro,client\n")
    content = sheet(
        ("account_ref", "message", "category", "valid_until"),
        ("A1", "Acompte exigé", "Avis de règlement", None),
        ("Banque", "Retard", "PAYMENT_DELAY", date(2026, 11, 21)),
        (4711, "deux\nlignes", None, date(2026, 11, 30)),
    )
    done = files(company).record(content, "avis.xlsx", ADMIN, NOON)
    assert (done.rows, done.faults) == (3, ())
    assert [str(one) for one in done.warnings] == [
        'line 1: only the first sheet, "Avis", is read; not read: Calculs'
    ]
    assert stands(company) == ("Acompte exigé", Source.FILE, "file")
    assert stands(company, 2) is None, "what was valid until yesterday is taken back"
    assert stands(company, 3) == ("deux\nlignes", Source.FILE, "file")
    assert files(company).record(content, "encore.xlsx", ADMIN, NOON).known


def test_mistakes_in_a_workbook_are_told_by_row_and_column(company: Database) -> None:
    content = sheet(
        ("account_ref", "message", "category"),
        ("A1", "good", None),
        ("Nobody", "x", None),
        ("A2", "x", "urgent"),
    )
    told = [
        'line 3: account_ref: "Nobody" is no ext_id, VAT number or exact name of an account',
        f'line 4: category: "urgent" is not known; accepted: {", ".join(one.name for one in Category)}',
    ]
    with pytest.raises(Refused) as refused:
        files(company).record(content, "f.xlsx", ADMIN, NOON)
    assert str(refused.value).splitlines() == told
    assert stands(company) is None
    assert files(company).take(content, "f.xlsx", NOON).splitlines() == [
        "1 rows were taken; these were not:", *told,
    ]  # fmt: skip
    assert stands(company) == ("good", Source.FILE, "file")


def test_a_row_without_all_its_cells_does_not_keep_the_others_from_being_taken(company: Database) -> None:
    told = files(company).take(b"account_ref,message\nA2\nA1,good\n", "f.csv", NOON)
    assert told.splitlines() == [
        "1 rows were taken; these were not:", "line 2: has 1 cells, the header has 2",
    ]  # fmt: skip
    assert stands(company) == ("good", Source.FILE, "file")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04 and nothing else", "it is no XLSX file, or was cut off"),
        (sheet(("account", "message"), ("A1", "x")), "line 1: account: is no column here"),
        (b"\x89PNG\r\n\0", "save the sheet as CSV"),
        (b"account,message\nA1,x\n", "line 1: account: is no column here; known: account_ref, message"),
        (b"account_ref\nA1\n", "line 1: message: is required: no such column"),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_reason(
    company: Database, content: bytes, said: str
) -> None:
    with pytest.raises(BadFile) as refused:
        files(company).take(content, "f.csv", NOON)
    assert said in refused.value.told()
    with company.read() as session:
        assert session.scalar(text("SELECT count(*) FROM recommendation_import")) == 0


def test_a_person_takes_in_only_what_that_person_may_change(company: Database) -> None:
    with pytest.raises(Refused, match="u may not change this account"):
        files(company).record(b"account_ref,message\nA1,x\n", "f", Actor("u", 1, UserRole.STANDARD), NOON)


def test_a_rule_of_files_may_add_a_condition_and_words_of_its_own(company: Database) -> None:
    only = of_files(
        condition='category == "payment_notice" and city == "Lyon"', template="{message} ({valid_until})"
    )
    files(company, only).take(FILE.encode(), "f.csv", NOON)
    assert stands(company) == ("Acompte exigé ()", Source.FILE, "file")
    assert stands(company, 2) is None
