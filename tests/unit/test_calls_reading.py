"""Call records of telephone systems, and whose numbers they hold."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from connectors.calls.model import CallRecord, Direction, Field, Switchboard
from connectors.calls.reading import bare, read
from connectors.errors import BadFile
from syncd.core.calls import international, phone_book
from tests import reports

PARIS = Switchboard(ZoneInfo("Europe/Paris"), own=frozenset({"0123456700"}), prefix="0")


def at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 22, hour, minute, tzinfo=UTC)


def test_master_csv_has_one_record_a_call() -> None:
    calls = read(reports.MASTER.encode(), "Master.csv", PARIS)
    assert calls.records == (
        CallRecord(Direction.OUT, "0033145678901", at(13, 0), 300, True, "201", "1795356000.42"),
        CallRecord(Direction.IN, "0145678901", at(13, 10), 120, True, "201", "1795356600.44"),
    )
    assert (calls.internal, calls.without_number) == (1, (5,))


def test_master_csv_without_ids_tells_its_calls_apart_all_the_same() -> None:
    text = "\n".join(line.rsplit(",", 2)[0] for line in reports.MASTER.splitlines())
    first, again = (read(text.encode(), "Master.csv", PARIS).records for _ in range(2))
    assert first == again
    assert len({record.unique_id for record in first}) == len(first) == 2


def test_a_user_field_in_the_place_of_the_id_is_no_id() -> None:
    text = "\n".join(line.rsplit(",", 2)[0] + ',"campaign"' for line in reports.MASTER.splitlines())
    assert len(read(text.encode(), "Master.csv", PARIS).records) == 2


def test_an_export_of_freepbx_names_the_telephone_behind_the_companys_number() -> None:
    (record,) = read(reports.FREEPBX.encode(), "cdr.csv", PARIS).records
    assert (record.direction, record.extension, record.number) == (Direction.OUT, "201", "145678901")


def test_an_export_of_3cx_is_read() -> None:
    calls = read(reports.THREECX.encode(), "calls.csv", replace(PARIS, prefix=""))
    assert calls.records == (
        CallRecord(Direction.OUT, "0145678901", at(13, 0), 300, True, "201", calls.records[0].unique_id),
        CallRecord(Direction.IN, "0145678901", at(13, 10), 0, False, "201", calls.records[1].unique_id),
    )
    assert calls.internal == 1


def test_an_older_export_of_3cx_is_read_with_its_sums_left_out() -> None:
    text = (
        "Call Time,Caller ID,Destination,Status,Ringing,Talking,Cost,Reason\n"
        "11/22/2026 14:00:00,Claire Dupont (201),0145678901,answered,00:00:07,00:05:00,,Terminated\n"
        ",,Ext.202,answered,00:00:01,00:00:10,,\n"
        ",,,,Totals:,00:05:00,,\n"
    )
    (record,) = read(text.encode(), "calls.csv", replace(PARIS, prefix="")).records
    assert (record.started, record.seconds) == (at(13, 0), 300)


NUMBERED = "id,start time,from,to,talk time,status\n"


def numbered(*rows: str) -> list[CallRecord]:
    """Calls of 201, as "id,time,number,talk,status"."""
    lines = [",".join((id_, time, "201", rest)) for id_, time, rest in (row.split(",", 2) for row in rows)]
    return list(read((NUMBERED + "\n".join(lines)).encode(), "calls.csv", PARIS).records)


def test_an_id_that_numbers_the_rows_of_each_file_loses_no_call() -> None:
    first = numbered("1,2026-11-20 10:00:00,0612345678,00:05:00,answered",
                     "2,2026-11-20 11:00:00,0687654321,00:05:00,answered")  # fmt: skip
    second = numbered("1,2026-11-21 10:00:00,0698765432,00:05:00,answered",
                      "2,2026-11-21 11:00:00,0687654321,00:05:00,answered")  # fmt: skip
    assert len({one.unique_id for one in first + second}) == 4


def test_an_id_that_names_the_customer_loses_no_call() -> None:
    calls = numbered(*(f"7,2026-11-20 1{n}:00:00,061234567{n},00:05:00,answered" for n in range(5)),
                     "7,2026-11-20 15:00:00,0612345670,00:05:00,answered")  # fmt: skip
    assert len({one.unique_id for one in calls}) == 6


def test_an_id_joins_the_telephones_that_rang_for_one_call() -> None:
    calls = numbered("8,2026-11-20 10:00:00,0612345678,00:00:00,no answer",
                     "8,2026-11-20 10:00:20,0612345678,00:00:00,no answer",
                     "8,2026-11-20 10:01:50,0612345678,00:10:00,answered",
                     "8,2026-11-20 10:11:55,0612345678,00:03:00,answered")  # fmt: skip
    assert [(one.seconds, one.answered) for one in calls] == [(600, True)]


OWN_HEADINGS = {
    Field.STARTED: "Jour", Field.TIME: "Heure", Field.CALLER: "N° A", Field.CALLED: "N° B",
    Field.SECONDS: "Conversation", Field.DIRECTION: "Sens", Field.EXTENSION: "Poste interne",
}  # fmt: skip


def test_the_columns_of_any_other_system_are_named_in_the_config() -> None:
    text = (
        "Jour;Heure;Sens;N° A;N° B;Poste interne;Conversation\n"
        '22/11/2026;14:00:00;Sortant;0123456700;="0145678901";201;00:05:00\n'
    )
    board = Switchboard(ZoneInfo("Europe/Paris"), columns=OWN_HEADINGS)
    (record,) = read(text.encode("cp1252"), "appels.csv", board).records
    assert (record.direction, record.number, record.started) == (Direction.OUT, "0145678901", at(13, 0))
    assert (record.extension, record.seconds, record.answered) == ("201", 300, True)


def test_dates_that_can_be_read_in_two_ways_are_not_guessed() -> None:
    text = "Date,From,To,Duration\n03/04/2026 14:00:00,0145678901,201,60\n"
    with pytest.raises(BadFile, match='set dates in \\[calls\\] of the config to "day-first"'):
        read(text.encode(), "calls.csv", PARIS)
    (record,) = read(text.encode(), "calls.csv", replace(PARIS, day_first=True)).records
    assert record.started == datetime(2026, 4, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"", 0, "is empty"),
        (b"name,email\n", 0, r"\[calls.columns\]"),
        (reports.MASTER.encode()[:-120], 5, "cut off"),
        (b"Date,From,To,Duration\nyesterday,0145678901,201,60\n", 2, "time that cannot be read"),
        (b"Date,From,To,Duration\n2026-11-22 14:00,0145678901,201,long\n", 2, "duration"),
        (b"Date,From,To\n13/12/2026 14:00,0145678901,201\n12/13/2026 14:00,0145678901,201\n", 3, "order"),
    ],
)
def test_a_bad_file_is_told_with_its_line_and_what_to_do(content: bytes, line: int, says: str) -> None:
    with pytest.raises(BadFile, match=says) as caught:
        read(content, "calls.csv", PARIS)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("0145678901", "0145678901"),
        ("+33 (0)1.45-67 89 01", "+33145678901"),
        ("Martin, Bob (201)", "201"),
        ('"Bob" <+33145678901>', "+33145678901"),
        ("*97", "*97"),
        ("s", ""),
        ("anonymous", ""),
        ("1" * 30, ""),
        ("\u0661\u0662\u0663", ""),
        ("", ""),
    ],
)
def test_a_cell_gives_its_number_and_no_name(cell: str, number: str) -> None:
    assert bare(cell) == number


@pytest.mark.parametrize(
    "spelling",
    [
        "01 45 67 89 01",
        "0145678901",
        "+33145678901",
        "0033145678901",
        "+33 (0)1.45.67.89.01",
        "01-45-67-89-01",
    ],
)
def test_a_number_is_known_whatever_its_spelling(spelling: str) -> None:
    book = phone_book([(7, (spelling, None)), (8, ("06 00 00 00 00", ""))], "FR")
    assert book.whose("0145678901") == book.whose("+33145678901") == (7,)
    assert book.whose("0145678902") == ()


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("4915112345678", "DE", "+4915112345678"),  # without its plus, as SIP trunks give it
        ("493012345678", "DE", "+493012345678"),
        ("33145678901", "FR", "+33145678901"),
        ("4915112345678", "FR", "+4915112345678"),
        ("33145678901", "CH", "+33145678901"),
        ("3012345678", "DE", "+493012345678"),  # without its 0
        ("145678901", "FR", "+33145678901"),
        ("3331234567", "IT", "+393331234567"),
        ("2125550123", "US", "+12125550123"),
    ],
)
def test_digits_without_a_plus_and_without_a_0_are_one_number(
    number: str, country: str, expected: str
) -> None:
    assert international(number, country) == expected


def test_a_number_that_two_contacts_share_is_both_theirs() -> None:
    assert phone_book([(7, ("0145678901",)), (8, ("+33145678901", "0145678901"))], "FR").whose(
        "0033145678901"
    ) == (7, 8)


@pytest.mark.parametrize("text", ["", "201", "Bob", "x" * 50, "+", "+999999999999999999", "\0", "٣"])
def test_what_is_no_number_has_no_international_form(text: str) -> None:
    assert international(text, "FR") == ""
