"""Streaming notifications of Exchange: what is subscribed to, what is told, and servers that mean harm."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import (
    AuthFailed,
    CollectionError,
    CollectionGone,
    ProtocolViolation,
    RateLimited,
    Unreachable,
    Untrusted,
)
from connectors.ews.access import Entry, EwsAccess, Password, Token
from connectors.ews.push import EwsPushSource
from connectors.protocol import Heard, Subject
from tests.contract.test_push_source import heard
from tests.servers.certs import CertAuthority
from tests.servers.ews.faults import Fault
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.exchange import ews_access

CLAIRE = "claire@acme.example"
MAIL = b"From: jean@example.org\r\nSubject: x\r\n\r\nBonjour.\r\n"
NINE, TEN = datetime(2026, 5, 4, 9, tzinfo=UTC), datetime(2026, 5, 4, 10, tzinfo=UTC)
BOTH = Heard(frozenset({Subject.MAIL, Subject.CALENDAR}))


@pytest.fixture
def access(ews: EwsServer, tmp_path: Path) -> EwsAccess:
    ews.subscriptions.heartbeat = 0.2
    return ews_access(ews, CLAIRE, ews.add_mailbox(CLAIRE), tmp_path)


def source_of(access: EwsAccess, *, calendars: bool = True) -> EwsPushSource:
    return EwsPushSource(
        access,
        mail=lambda listed: [one.ref for one in listed if one.ref == "INBOX"],
        calendars=(lambda listed: [one.ref for one in listed]) if calendars else None,
    )


@pytest.fixture
def source(access: EwsAccess) -> Iterator[EwsPushSource]:
    made = source_of(access)
    yield made
    made.close()


def test_mail_calendars_and_tasks_are_told_apart(ews: EwsServer, source: EwsPushSource) -> None:
    other = OtherClient(ews, CLAIRE)
    source.open()
    other.add_mail(MAIL)
    assert heard(source).subjects == {Subject.MAIL}
    event = other.add_event("Réunion", NINE, TEN)
    assert heard(source).subjects == {Subject.CALENDAR}
    other.edit(event, Subject="Autre réunion")
    assert heard(source).subjects == {Subject.CALENDAR}
    other.add_task("Rappeler Paul")
    assert heard(source).subjects == {Subject.CALENDAR}


def test_what_does_not_concern_the_synchronised_folders_is_not_told(
    ews: EwsServer, source: EwsPushSource
) -> None:
    other = OtherClient(ews, CLAIRE)
    read = other.add_mail(MAIL)
    source.open()
    other.add_mail(MAIL, folder="junkemail")
    other.edit(read, IsRead="true")
    assert heard(source, 1.0) == Heard()


def test_two_subscriptions_stand_while_it_listens_and_none_afterwards(
    ews: EwsServer, source: EwsPushSource
) -> None:
    source.open()
    assert len(ews.subscriptions.ids) == 2
    first = set(ews.subscriptions.ids)
    source.open()
    assert len(ews.subscriptions.ids) == 2
    assert not first & set(ews.subscriptions.ids)
    source.forget()
    assert ews.subscriptions.ids == []


def test_heartbeats_are_signs_of_life_and_nothing_else(ews: EwsServer, source: EwsPushSource) -> None:
    source.open()
    assert heard(source, 1.0) == Heard()


@pytest.mark.parametrize("how", ["closed", "lost"])
def test_a_stream_that_ends_in_good_order_is_over(ews: EwsServer, source: EwsPushSource, how: str) -> None:
    source.open()
    assert ews.subscriptions.await_streams(1)
    assert heard(source, 0.3) == Heard()
    ews.subscriptions.close_streams() if how == "closed" else ews.subscriptions.forget_all()
    assert heard(source).over


def test_impersonation_and_delegates_are_told_of_the_mailbox_that_is_read(
    ews: EwsServer, access: EwsAccess, tmp_path: Path
) -> None:
    other = OtherClient(ews, CLAIRE)
    secret = ews.add_service_account("svc-syncd")
    denis = ews.add_mailbox("denis@acme.example")
    ews.delegate(CLAIRE, "denis@acme.example")
    for login, password, entry in (
        ("svc-syncd", secret, Entry.IMPERSONATE),
        ("denis@acme.example", denis, Entry.DELEGATE),
    ):
        auth = Password(login, lambda password=password: password, "basic")  # type: ignore[misc]
        source = source_of(dataclasses.replace(access, auth=auth, entry=entry), calendars=False)
        source.open()
        other.add_mail(MAIL)
        assert heard(source).subjects == {Subject.MAIL}
        source.close()


class Tokens:
    """Where a token comes from: the first one that is given was withdrawn."""

    def __init__(self, fresh: str) -> None:
        self._current = "withdrawn"
        self._fresh = fresh

    def token(self, *, instead_of: str | None = None) -> str:
        if instead_of == self._current:
            self._current = self._fresh
        return self._current


def test_a_token_that_was_withdrawn_is_renewed_before_the_stream_is_asked_for(
    ews: EwsServer, access: EwsAccess
) -> None:
    tokens = Tokens(ews.logins.grant(CLAIRE))
    source = source_of(dataclasses.replace(access, auth=Token(tokens)), calendars=False)
    source.open()
    OtherClient(ews, CLAIRE).add_mail(MAIL)
    assert heard(source).subjects == {Subject.MAIL}
    source.close()
    assert len(ews.logins.refused) == 1


def test_a_busy_server_says_how_long_to_wait(ews: EwsServer, source: EwsPushSource) -> None:
    for operation in ("Subscribe", "GetStreamingEvents"):
        ews.faults.plan(Fault.BUSY, operation, seconds=90)
        with pytest.raises(RateLimited) as caught:
            source.open()
        assert caught.value.retry_after == timedelta(seconds=90)
    ews.subscriptions.most_streams = 0
    source.open()
    with pytest.raises(RateLimited):
        heard(source)


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        (operation, fault)
        for operation in ("GetFolder", "FindFolder", "Subscribe", "GetStreamingEvents")
        for fault in (
            Fault.UNAVAILABLE_BEFORE, Fault.RESET_BEFORE, Fault.GARBAGE, Fault.TRUNCATED, Fault.INTERNAL
        )
        if operation != "GetStreamingEvents" or fault not in {Fault.GARBAGE, Fault.TRUNCATED}
    ],
)  # fmt: skip
def test_a_fault_at_any_step_is_an_error_of_ours_and_the_next_time_is_a_new_one(
    ews: EwsServer, source: EwsPushSource, operation: str, fault: Fault
) -> None:
    ews.faults.plan(fault, operation)
    with pytest.raises((Unreachable, ProtocolViolation)):
        source.open()
    ews.faults.clear()
    source.open()
    OtherClient(ews, CLAIRE).add_mail(MAIL)
    assert heard(source).subjects == {Subject.MAIL}


def test_a_stream_that_lets_nobody_in_does_not_lock_the_account(
    ews: EwsServer, source: EwsPushSource
) -> None:
    ews.faults.plan(Fault.UNAUTHORIZED, "GetStreamingEvents")
    with pytest.raises(ProtocolViolation, match="lets nobody in for notifications"):
        source.open()


def test_a_mailbox_without_folders_to_tell_of_says_so(access: EwsAccess) -> None:
    source = EwsPushSource(access, mail=lambda _: [], calendars=None)
    with pytest.raises(CollectionGone, match="told of"):
        source.open()


def test_a_folder_that_may_not_be_told_of_is_an_error(ews: EwsServer, access: EwsAccess) -> None:
    source = EwsPushSource(access, mail=None, calendars=lambda _: ["AAAA"])
    with pytest.raises(CollectionError):
        source.open()


def test_a_certificate_that_nobody_vouches_for_is_refused(access: EwsAccess, tmp_path: Path) -> None:
    stranger = CertAuthority(tmp_path / "stranger").ca_file
    with pytest.raises(Untrusted):
        source_of(dataclasses.replace(access, ca_file=stranger)).open()


def test_no_secret_gets_into_a_message(ews: EwsServer, access: EwsAccess) -> None:
    auth = Password(CLAIRE, lambda: "canary-of-a-password", "basic")
    with pytest.raises(AuthFailed) as caught:
        source_of(dataclasses.replace(access, auth=auth)).open()
    assert "canary" not in str(caught.value)


# A server that follows a script.
