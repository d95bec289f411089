"""Conditions and templates that an admin writes: what they come to, and that they can do nothing else."""

import re
import time
import tracemalloc
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import advice
from config.expressions import LONGEST, Condition, FieldSort, Sort, Value, condition, template
from store.accounts import AccountStatus, AccountType
from store.advice_rows import FileRow
from store.fields import ACCOUNTS
from store.recommendations import Category

FIELDS = {
    "city": FieldSort(Sort.TEXT),
    "status": FieldSort(Sort.TEXT, frozenset({"active", "neglected"})),
    "n": FieldSort(Sort.NUMBER),
    "m": FieldSort(Sort.NUMBER),
    "since": FieldSort(Sort.DAY),
    "today": FieldSort(Sort.DAY),
    "flag": FieldSort(Sort.YES_NO),
    "tags": FieldSort(Sort.SEVERAL, frozenset({"a", "b"})),
}
VALUES: dict[str, Value] = {
    "city": "Lyon",
    "status": "active",
    "n": 31,
    "m": Decimal("30.5"),
    "since": date(2026, 10, 1),
    "today": date(2026, 11, 22),
    "flag": True,
    "tags": frozenset({"a"}),
}


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("n > 30", True),
        ("30 < n <= 31", True),
        ("n == 31.0 and m == 30.5", True),
        ("n + m * 2 - 1 == 91", True),
        ("-n < 0", True),
        ("n / 2 == 15.5", True),
        ("n / 0 > 1", False),
        ('city == "Lyon"', True),
        ('city != "Lyon"', False),
        ('"yo" in city', True),
        ('city in ["Paris", "Lyon"]', True),
        ('city not in ["Paris"]', True),
        ("n in (1, 31)", True),
        ('status == "neglected" or flag', True),
        ("not flag", False),
        ("flag == True", True),
        ("today - since > 30", True),
        ('since >= "2026-10-01"', True),
        ('"2026-09-30" > since', False),
        ('"a" in tags and "b" not in tags', True),
        ("city == None", False),
    ],
)
def test_a_condition_comes_to_yes_or_no(source: str, holds: bool) -> None:
    assert condition(source, FIELDS).holds(VALUES) is holds


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("n > 30", False),
        ("n <= 30", False),
        ("n + 1 > 0", False),
        ("-n < 0", False),
        ("n == None", True),
        ("city != None", False),
        ('city == "Lyon"', False),
        ('city != "Lyon"', True),
        ('"yo" in city', False),
        ('"a" in tags', False),
        ("today - since > 30", False),
        ("not flag", True),
    ],
)
def test_a_field_without_a_value_is_greater_and_smaller_than_nothing(source: str, holds: bool) -> None:
    assert condition(source, FIELDS).holds({}) is holds


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "is no condition"),
        ("n >", "is no condition"),
        ("n > 1; n > 2", "is no condition"),
        ("x = 1", "is no condition"),
        ("n", "comes to a number, a condition comes to yes or no"),
        ('"a"', "comes to text"),
        ("ctiy == 'Lyon'", 'there is no field "ctiy"; did you mean "city"?'),
        ("zzzzzzz > 1", 'there is no field "zzzzzzz"; known here: city'),
        ("n > 'a'", "cannot compare a number with text"),
        ("city > 1", "cannot compare text with a number"),
        ("flag > True", "can be compared with == and != only"),
        ("n < None", "None can be compared with == and != only"),
        ("n and flag", "and, or and not take yes or no, and not a number"),
        ("not n", "take yes or no"),
        ("city + city == 'LyonLyon'", "cannot calculate with text and text"),
        ("since - 3 > today", "cannot calculate with a day and a number"),
        ("since > '2026-13-01'", '"2026-13-01" is no day'),
        ('status == "ACTIVE"', '"ACTIVE" is never a value there; did you mean "active"?'),
        ('status in ["active", "x"]', '"x" is never a value there'),
        ('"c" in tags', '"c" is never a value there'),
        ("n in ['a']", "a list after `in` holds literals only, here a number"),
        ("n in [m]", "a list after `in` holds literals only"),
        ("1 in n", "cannot look for a number in a number"),
        ("[1] == [1]", "nothing else"),
        ("n is None", "nothing else"),
        ("2 ** 2 > n", "nothing else"),
        ("n % 2 == 1", "nothing else"),
        ("n // 2 == 1", "nothing else"),
        ("n << 2 > 1", "nothing else"),
        ("city.upper() == 'LYON'", "nothing else"),
        ("city.__class__ == 1", "nothing else"),
        ("city[0] == 'L'", "nothing else"),
        ("len(city) > 1", "nothing else"),
        ("__import__('os') == 1", "nothing else"),
        ("(lambda: 1) == 1", "nothing else"),
        ("[x for x in city] == 1", "nothing else"),
        ("(n := 1) > 0", "nothing else"),
        ("n > 1 if flag else flag", "nothing else"),
        ("f'{n}' == 'x'", "nothing else"),
        ("n > 1j", "numbers, True, False and None only"),
        ("city == b'x'", "numbers, True, False and None only"),
        ("n > 1e300", "more than 15 digits"),
        ("n > 1e999", "more than 15 digits"),
        ("n > " + "9" * 400, "more than 15 digits"),
        ("n > 1" + " " * LONGEST, f"at most {LONGEST} are accepted"),
        ("n > " + "-" * 300 + "1", "operators within each other"),
        ("(" * 240 + "n > 1" + ")" * 240, "is no condition"),
        ("not " * 100 + "flag", "operators within each other"),
        ("n > 1\0", "is no condition"),
        ("*".join(["99999999999999"] * 30) + " > n", "operators within each other"),
    ],
)
def test_what_is_no_condition_is_told_when_the_config_is_read(source: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        condition(source, FIELDS)


@given(st.text(max_size=60) | st.text(alphabet="nmcity()[]<>=!+-*/.\"' 0123,:@{}andotris", max_size=60))
@settings(max_examples=400)
def test_any_text_is_a_condition_that_can_be_worked_out_or_is_refused(source: str) -> None:
    try:
        found = condition(source, FIELDS)
    except ValueError:
        return
    assert found.holds(VALUES) in (True, False)
    assert found.holds({}) in (True, False)


def test_the_worst_that_can_be_written_takes_a_moment_and_little_memory() -> None:
    wide = " or ".join(["n*n*n*n*n*n == 1"] * 25)
    assert LONGEST - 20 < len(wide) <= LONGEST
    found = condition(wide, FIELDS)
    tracemalloc.start()
    begun = time.perf_counter()
    found.holds(VALUES | {"n": Decimal("1e+99999")})
    assert time.perf_counter() - begun < 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_numbers_that_no_decimal_holds_match_nothing() -> None:
    found: Condition = condition("n * n * n > 1", FIELDS)
    assert not found.holds({"n": Decimal("1e+999999")})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Rappeler {city}", "Rappeler Lyon"),
        ("{city} : {n} jours", "Lyon : 31 jours"),
        ("{{city}} {m}", "{city} "),
        ("sans champ", "sans champ"),
    ],
)
def test_a_template_is_filled_with_fields(source: str, text: str) -> None:
    assert template(source, FIELDS).render({"city": "Lyon", "n": "31"}) == text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{ctiy}", 'there is no field "ctiy"; did you mean "city"?'),
        ("{", "single brace"),
        ("}", "single brace"),
        ("{city.__class__}", "only its name stands in the braces"),
        ("{city[0]}", "only its name stands in the braces"),
        ("{city!r}", "only its name stands in the braces"),
        ("{n:>999999999}", "only its name stands in the braces"),
        ("{}", "only its name stands in the braces"),
        ("{0}", "only its name stands in the braces"),
    ],
)
def test_what_is_no_template_is_told(source: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        template(source, FIELDS)


def test_rules_know_the_fields_that_accounts_have() -> None:
    columns = {one.header for one in ACCOUNTS.fields} | {"owner", "parent", "status", "status_since"}
    columns -= {"latitude", "longitude", "geocode_accuracy_m"}  # a place is no reason for a text
    assert set(advice.ACCOUNT) == columns | {"id", "ext_id", "today"}
    assert advice.ACCOUNT["type"].choices == {one.value for one in AccountType}
    assert advice.ACCOUNT["status"].choices == {one.value for one in AccountStatus}
    assert {one.value for one in Category} == advice.FILE_CATEGORIES
    assert set(advice.FILE) == set(FileRow.__slots__)
