"""The check of EWS messages against Microsoft's schema: where it is looked for, and what it finds."""

from pathlib import Path

import pytest

from tests.servers.ews import schema
from tests.servers.ews.schema import SchemaCheck

ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">'
    "<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
VERSION = '<t:RequestServerVersion Version="Exchange2016"/>'
GOOD = '<m:GetServerTimeZones ReturnFullTimeZoneData="false"/>'


@pytest.fixture
def check() -> SchemaCheck:
    """A check; skips where the schema is not at hand."""
    reason = schema.why_not()
    if reason is not None:
        pytest.skip(reason)
    return SchemaCheck()


def test_a_valid_message_is_no_problem(check: SchemaCheck) -> None:
    assert check.request(ENVELOPE.format(header=VERSION, body=GOOD).encode()) is None
    assert (check.checked, check.problems) == (1, [])


@pytest.mark.parametrize(
    ("header", "body", "word"),
    [
        (VERSION, '<m:GetServerTimeZones ReturnFullTimeZoneData="perhaps"/>', "perhaps"),
        (VERSION, "<m:GetItem/>", "GetItem"),
        (VERSION, "<m:NoSuchOperation/>", "NoSuchOperation"),
        (VERSION.replace("2016", "2099"), GOOD, "2099"),
        (VERSION, "<GetItem/>", "GetItem"),
    ],
)
def test_what_is_wrong_in_the_header_or_the_body_is_kept(
    check: SchemaCheck, header: str, body: str, word: str
) -> None:
    found = check.request(ENVELOPE.format(header=header, body=body).encode())
    assert found is not None
    assert word in found
    assert len(check.problems) == 1


def test_without_the_schema_nothing_is_checked_and_a_word_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv(schema.VARIABLE, str(tmp_path))
    assert schema.VARIABLE in (schema.why_not() or "")
    assert SchemaCheck().request(b"not even XML") is None


def test_without_the_schema_the_tests_fail_under_ci(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv(schema.VARIABLE, str(tmp_path))
    with pytest.raises(FileNotFoundError, match=schema.VARIABLE):
        SchemaCheck()
