"""A server's refusal becomes the error that calls for the right reaction."""

from datetime import timedelta

import pytest

from connectors.errors import AuthFailed, CollectionGone, CollectionRefused, RateLimited, Unreachable
from connectors.imap.refusals import folder, goodbye, login
from connectors.redact import LONGEST, readable


@pytest.mark.parametrize(
    "text",
    [
        b"[AUTHENTICATIONFAILED] Authentication failed.",
        b"[AUTHENTICATIONFAILED] Temporary password expired, try again later",
        b"[AUTHORIZATIONFAILED] no",
        b"[EXPIRED] Your password",
        b"[CONTACTADMIN] Account disabled",
        b"[ALERT] Application-specific password required",
        b"[ALERT] Please log in via your web browser",
        b"LOGIN failed.",
        b"Invalid credentials (Failure)",
        b"",
    ],
)
def test_a_refused_login_waits_for_a_person(text: bytes) -> None:
    error = login(text, "claire at host", (), "Do this.")
    assert isinstance(error, AuthFailed)
    assert "claire at host" in str(error)
    assert "Do this." in str(error)


@pytest.mark.parametrize(
    "text",
    [
        b"[INUSE] Mailbox is in use",
        b"[LIMIT] Too many connections",
        b"[ALERT] Too many simultaneous connections. (Failure)",
        b"Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
        b"[OVERQUOTA] Account exceeded command or bandwidth limits.",
        b"Rate limit hit",
    ],
)
def test_a_busy_server_is_left_alone_for_a_while(text: bytes) -> None:
    error = login(text, "who", (), "")
    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(minutes=5)


def test_a_throttling_server_is_left_alone_longer() -> None:
    error = login(b"[THROTTLED] slow", "who", (), "")
    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(minutes=15)


@pytest.mark.parametrize(
    "text",
    [
        b"[UNAVAILABLE] Temporary authentication failure.",
        b"[SERVERBUG] Internal error",
        b"User is authenticated but not connected.",
        b"Server Unavailable. 15",
        b"Please try again later",
    ],
)
def test_a_server_in_trouble_is_tried_again(text: bytes) -> None:
    assert isinstance(login(text, "who", (), ""), Unreachable)


def test_a_goodbye_is_worth_another_try() -> None:
    assert isinstance(goodbye(b"Disconnected for inactivity.", "who"), Unreachable)
    assert isinstance(goodbye(b"[LIMIT] Too many connections", "who"), RateLimited)


def test_a_folder_is_gone_only_where_the_server_lists_it_no_more() -> None:
    assert isinstance(folder(b"[NOPERM] no", "who", "a", listed=True), CollectionRefused)
    error = folder(b"Mailbox doesn't exist", "who", "a", listed=False)
    assert isinstance(error, CollectionGone)
    assert error.collection == "a"


def test_a_password_that_the_server_repeats_is_hidden() -> None:
    error = login(
        b"NO login denied for claire/s3cret  pass and c2VjcmV0", "who", ("s3cret  pass", "c2VjcmV0"), ""
    )
    assert "s3cret" not in str(error)
    assert "c2VjcmV0" not in str(error)


def test_long_words_that_may_be_tokens_are_hidden() -> None:
    assert readable("bad token " + "Ab3" * 20 + " given") == "bad token *** given"


def test_a_servers_text_is_printable_and_short() -> None:
    text = readable(b"a\x00b\x1b[31m\r\nc \xff" + b" word" * 1000)
    assert text.isprintable()
    assert text.startswith("a b [31m c \ufffd word")
    assert len(text) == LONGEST
