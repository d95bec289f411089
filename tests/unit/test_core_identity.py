"""What is the same message, what answers what, and what the ledger remembers of a stranger."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from connectors.model import Address, Envelope
from syncd.core.identity import MAX_REFERENCE_KEYS, KeyedHash, fingerprint, ledger_keys, thread_ids

HASHED = KeyedHash(b"a secret of sixteen bytes or more")
AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
MAIL = Envelope(
    message_id="1@mail.example",
    date=AT,
    subject="Devis",
    sender=(Address("paul@client.example", "Paul"),),
    reply_to=(),
    to=(Address("claire@acme.example"),),
    cc=(),
    bcc=(),
    in_reply_to=(),
    references=(),
)


# --- fingerprint --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "copy",
    [
        replace(MAIL, headers=(("received", "from relay.example"),)),
        replace(MAIL, to=(Address("list@acme.example"),), cc=(Address("x@y.example"),)),
        replace(MAIL, sender=(Address("paul@client.example", "Paul Martin"),)),
        replace(MAIL, subject="  Devis "),
        replace(MAIL, date=AT.astimezone(timezone(timedelta(hours=2)))),
        replace(MAIL, date=AT.replace(microsecond=500)),
        replace(MAIL, references=("0@mail.example",)),
    ],
)
def test_a_copy_that_another_way_brought_is_the_same_message(copy: Envelope) -> None:
    assert fingerprint(copy) == fingerprint(MAIL)


@pytest.mark.parametrize(
    "other",
    [
        replace(MAIL, subject="Facture"),
        replace(MAIL, subject=""),
        replace(MAIL, date=AT + timedelta(seconds=1)),
        replace(MAIL, date=None),
        replace(MAIL, sender=(Address("paula@client.example"),)),
        replace(MAIL, sender=()),
        replace(MAIL, message_id="2@mail.example"),
    ],
)
def test_a_message_id_used_again_does_not_hide_another_message(other: Envelope) -> None:
    assert fingerprint(other) != fingerprint(MAIL)


def test_folded_white_space_in_a_subject_is_white_space() -> None:
    assert fingerprint(replace(MAIL, subject="Devis  pour\tvous")) == fingerprint(
        replace(MAIL, subject="Devis pour vous")
    )


def test_what_moves_from_one_field_to_the_next_is_another_message() -> None:
    one = replace(MAIL, message_id="a", date=None, subject="", sender=(Address("b"),))
    assert fingerprint(one) != fingerprint(replace(one, subject="b", sender=()))
    assert fingerprint(replace(one, sender=(Address("b"), Address("c")))) != fingerprint(one)


def test_without_a_message_id_the_body_decides() -> None:
    nameless = replace(MAIL, message_id=None)
    assert fingerprint(nameless) is None
    assert fingerprint(nameless, body="one") == fingerprint(nameless, body="one")
    assert fingerprint(nameless, body="one") != fingerprint(nameless, body="two")
    assert fingerprint(nameless, body="") != fingerprint(MAIL)
    assert fingerprint(nameless, body="") is not None


def test_with_a_message_id_the_body_does_not_count() -> None:
    assert fingerprint(MAIL, body="a footer of the mailing list") == fingerprint(MAIL)


@pytest.mark.parametrize(
    "moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]
)
def test_the_first_and_the_last_moment_of_time_have_a_fingerprint(moment: datetime) -> None:
    assert fingerprint(replace(MAIL, date=moment)) is not None


def test_text_that_no_encoding_takes_has_a_fingerprint() -> None:
    assert fingerprint(replace(MAIL, subject="\udce9")) is not None


# --- references ---------------------------------------------------------------------------------------


def test_what_a_message_answers_to_comes_oldest_first_and_once() -> None:
    mail = replace(MAIL, references=("a", "b", "a", "c"), in_reply_to=("c", "d"))
    assert thread_ids(mail) == ("a", "b", "c", "d")


def test_a_message_does_not_answer_to_itself() -> None:
    mail = replace(MAIL, references=("1@mail.example", "a"), in_reply_to=("1@mail.example",))
    assert thread_ids(mail) == ("a",)


# --- keyed hashes -------------------------------------------------------------------------------------


def test_a_hash_needs_a_secret_worth_the_name() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        KeyedHash(b"short")


def test_another_secret_gives_other_hashes() -> None:
    other = KeyedHash(b"another secret of sixteen bytes")
    assert HASHED.address("a@b.example") != other.address("a@b.example")
    assert HASHED.text("x") != other.text("x")
    assert HASHED.check() != other.check()
    assert HASHED.check() == KeyedHash(b"a secret of sixteen bytes or more").check()


def test_a_key_fits_the_integers_of_every_database() -> None:
    keys = [HASHED.address(f"{number}@b.example") for number in range(1000)]
    assert len(set(keys)) == 1000
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert any(key < 0 for key in keys)
    assert any(key >= 0 for key in keys)


def test_the_same_text_as_address_domain_id_and_record_has_different_keys() -> None:
    made = [HASHED.address("x"), HASHED.domain("x"), HASHED.message_id("x"), HASHED.target("x", 1, None)]
    assert len(set(made)) == 4


def test_an_address_is_another_key_for_every_record_that_has_it() -> None:
    made = {HASHED.target("x", a, c) for a in (1, 2, 11) for c in (None, 1, 2, 11)}
    assert len(made) == 12


def test_the_hash_of_a_text_does_not_hold_the_text() -> None:
    assert len(HASHED.text("canary")) == 32
    assert "canary" not in HASHED.text("canary")


def test_a_message_is_found_by_its_people_its_domains_its_id_and_what_it_answers_to() -> None:
    mail = replace(MAIL, references=("a",), in_reply_to=("b",))
    assert set(ledger_keys(mail, ("p@x.example", "q@x.example", "r@y.example"), HASHED)) == {
        HASHED.address("p@x.example"),
        HASHED.address("q@x.example"),
        HASHED.address("r@y.example"),
        HASHED.domain("x.example"),
        HASHED.domain("y.example"),
        HASHED.message_id("1@mail.example"),
        HASHED.message_id("a"),
        HASHED.message_id("b"),
    }


def test_a_message_has_each_key_once_and_only_those_of_its_nearest_references() -> None:
    mail = replace(MAIL, references=tuple(f"r{number}" for number in range(1000)))
    keys = ledger_keys(mail, ("p@x.example", "p@x.example"), HASHED)
    assert len(keys) == len(set(keys)) == 3 + MAX_REFERENCE_KEYS
    assert HASHED.message_id("r999") in keys
    assert HASHED.message_id("r0") not in keys


def test_a_message_without_id_and_people_has_no_keys() -> None:
    assert ledger_keys(replace(MAIL, message_id=None), (), HASHED) == ()
