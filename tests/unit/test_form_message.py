"""The message of a form, and the token in its subject."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mime import read_message
from store.report_mail import Letter
from syncd.core.meetings.tokens import MARK, tagged, token_of, tokens_in
from syncd.engine.meetings.messages import compose, message_id
from syncd.engine.meetings.texts import Facts, block_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SUBJECTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def letter(subject: str = "Visio", block: str = "") -> Letter:
    return Letter(7, 0, NOW, "claire@acme.example", None, subject, block)


@given(SUBJECTS, st.binary(min_size=16, max_size=16), st.sampled_from(["fr", "en"]))
def test_the_token_survives_any_subject_of_a_meeting(subject: str, octets: bytes, language: str) -> None:
    token = token_of(octets)
    raw = compose(letter(subject), message_id(7, NOW, "abc"), token, NOW, language)
    read = read_message(raw).envelope
    assert tokens_in(read.subject)[-1:] == (token,)
    assert MARK in read.subject.casefold()
    assert read.message_id == "form-7-20261123T120000@abc.syncd"
    assert [a.email for a in read.sender + read.reply_to + read.to] == ["claire@acme.example"] * 3
    assert read.cc == read.bcc == ()
    assert len(max(raw.split(b"\r\n"), key=len)) <= 998


@pytest.mark.parametrize(
    ("language", "says"), [("fr", "Compte rendu d'appel : "), ("en", "Report on a call: ")]
)
def test_the_message_of_a_call_is_named_as_its_task_is(language: str, says: str) -> None:
    about = replace(letter("Appel à Anne"), call=True)
    raw = compose(about, "a@b", token_of(bytes(16)), NOW, language)
    assert read_message(raw).envelope.subject.startswith(f"{says}Appel à Anne [CR-")


def test_a_token_is_known_whatever_a_client_does_to_its_subject() -> None:
    token = token_of(secrets.token_bytes(16))
    subject = tagged("Compte rendu : Visio", token)
    for seen in (f"RE: {subject}", f"[EXT] {subject.lower()} (suite)", f"AW: TR: {subject}"):
        assert tokens_in(seen) == (token,)
    assert tokens_in(f"{subject} {subject}") == (token,)
    assert len(tokens_in(f"{subject} {tagged('', token_of(bytes(16)))}")) == 2


@pytest.mark.parametrize("subject", ["", "[CR-]", "[CR-ABC]", "[CR-" + "A" * 27 + "]", "CR-" + "A" * 26])
def test_what_is_no_token_is_none(subject: str) -> None:
    assert tokens_in(subject) == ()


def test_the_message_holds_the_facts_and_no_line_that_would_be_read_as_an_answer() -> None:
    facts = Facts("Visio", NOW, NOW, 60, "Client SA", "Gros contrat", ["Anne Martin"])
    block = block_of(facts, ZoneInfo("Europe/Paris"), "fr")
    text = read_message(compose(letter(block=block), "a@b", token_of(bytes(16)), NOW, "fr")).body_text
    assert "Client SA" in text
    assert "Anne Martin" in text
    assert not [line for line in text.splitlines() if line.startswith(("Résultat", "Suite", "->", "→"))]
