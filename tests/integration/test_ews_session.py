"""What every request to Exchange goes by: sent once, and no write without an answer is taken for undone."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from exchangelib import Task
from exchangelib.errors import ErrorInvalidSyncStateData
from exchangelib.services import CreateItem

from connectors.errors import (
    AuthFailed,
    CollectionError,
    CollectionGone,
    CollectionRefused,
    Conflict,
    ItemError,
    OutcomeUnknown,
    ProtocolViolation,
    RateLimited,
    SyncdError,
    Unreachable,
)
from connectors.ews import failures
from connectors.ews.access import EwsAccess, Password
from connectors.ews.requests import Folders
from connectors.ews.session import EwsSession
from tests.servers.ews.faults import Fault
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.ews_answers import envelope, reaction
from tests.servers.exchange import ews_access
from tests.servers.scripted_dav import Reply, ScriptedDav

CLAIRE = "claire@acme.example"


@pytest.fixture
def access(ews: EwsServer, spool_dir: Path) -> EwsAccess:
    return ews_access(ews, CLAIRE, ews.add_mailbox(CLAIRE), spool_dir)


@pytest.fixture
def session(access: EwsAccess) -> Iterator[EwsSession]:
    with EwsSession(access) as entered:
        yield entered


class Create(CreateItem):  # type: ignore[misc]  # exchangelib has no types
    """One task, without the library's notion of folders."""

    def call(self, folder: object) -> Iterator[object]:
        task = Task(subject="À faire", account=self.account)
        payload = self.get_payload(
            items=[task], folder=folder, message_disposition="SaveOnly", send_meeting_invitations="SendToNone"
        )
        yield from self._elems_to_objs(self._get_elements(payload))


def create_task(session: EwsSession) -> list[object]:
    return session.call(Create, writes=True, collection="tasks", folder=session.folder("tasks"))


def tasks(ews: EwsServer) -> int:
    return len(OtherClient(ews, CLAIRE).tasks())


def test_a_write_is_sent_once_and_done_once(ews: EwsServer, session: EwsSession) -> None:
    (created,) = create_task(session)
    assert not isinstance(created, Exception)
    assert tasks(ews) == 1
    assert ews.counts.operations == {"CreateItem": 1}


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        (Fault.RESET_BEFORE, 0),
        (Fault.RESET_AFTER, 1),
        (Fault.UNAVAILABLE_AFTER, 1),
        (Fault.UNAVAILABLE_BEFORE, 0),
        (Fault.GARBAGE, 1),
        (Fault.TRUNCATED, 1),
        (Fault.INTERNAL, 0),
    ],
)
def test_a_write_without_an_answer_may_have_happened_and_is_not_repeated(
    ews: EwsServer, session: EwsSession, fault: Fault, done: int
) -> None:
    ews.faults.plan(fault, "CreateItem")
    with pytest.raises(OutcomeUnknown):
        create_task(session)
    assert tasks(ews) == done
    assert len(ews.faults.done) == 1
    assert ews.counts.operations["CreateItem"] <= 1
    create_task(session)  # the session is of use all the same
    assert tasks(ews) == done + 1


def test_a_write_that_the_server_was_too_busy_for_did_not_happen(ews: EwsServer, session: EwsSession) -> None:
    ews.faults.plan(Fault.BUSY, "CreateItem", seconds=2)
    with pytest.raises(RateLimited):
        create_task(session)
    assert tasks(ews) == 0


def test_a_write_to_a_server_that_takes_no_connection_did_not_happen(access: EwsAccess) -> None:
    nowhere = dataclasses.replace(access, url="https://127.0.0.1:1/EWS/Exchange.asmx")
    with EwsSession(nowhere) as session, pytest.raises(Unreachable):
        create_task(session)


def test_a_write_that_a_login_is_refused_for_did_not_happen(ews: EwsServer, session: EwsSession) -> None:
    ews.faults.plan(Fault.UNAUTHORIZED, "CreateItem")
    with pytest.raises(AuthFailed):
        create_task(session)
    assert tasks(ews) == 0


def test_a_request_that_the_server_refuses_is_not_sent_again_in_older_words(spool_dir: Path) -> None:
    fault = envelope(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring><detail><e:ResponseCode"
        ' xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">ErrorInvalidRequest'
        "</e:ResponseCode></detail></s:Fault>"
    )
    with ScriptedDav({".*": reaction(CreateItem=Reply(500, fault), GetFolder=Reply(500, fault))}) as server:
        url = f"http://127.0.0.1:{server.port}/EWS/Exchange.asmx"
        access = EwsAccess(CLAIRE, Password(CLAIRE, lambda: "x", "basic"), url=url, spool_dir=spool_dir)
        with EwsSession(access) as session:
            with pytest.raises(ProtocolViolation, match="Exchange 2016 or later"):
                create_task(session)
            with pytest.raises(ProtocolViolation):
                session.call(
                    Folders, folders=[session.folder("inbox")], additional_fields=None, shape="IdOnly"
                )
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("code", "writes", "collection", "item", "kind"),
    [
        ("ErrorServerBusy", True, "c", "i", RateLimited),
        ("ErrorTooManyObjectsOpened", False, "", "", RateLimited),
        ("ErrorImpersonateUserDenied", False, "c", "", AuthFailed),
        ("ErrorNonExistentMailbox", False, "", "", AuthFailed),
        ("ErrorInternalServerError", True, "c", "i", OutcomeUnknown),
        ("ErrorInternalServerError", False, "c", "i", Unreachable),
        ("ErrorTimeoutExpired", True, "c", "", OutcomeUnknown),
        ("ErrorMailboxMoveInProgress", False, "c", "i", Unreachable),
        ("ErrorMailboxMoveInProgress", True, "c", "i", OutcomeUnknown),
        ("ErrorIrresolvableConflict", True, "c", "i", Conflict),
        ("ErrorStaleObject", True, "c", "i", Conflict),
        ("ErrorItemNotFound", True, "c", "i", Conflict),
        ("ErrorItemNotFound", False, "c", "i", ItemError),
        ("ErrorItemNotFound", False, "c", "", CollectionGone),
        ("ErrorAccessDenied", True, "c", "", CollectionRefused),
        ("ErrorAccessDenied", True, "c", "i", ItemError),
        ("ErrorQuotaExceeded", True, "c", "i", CollectionError),
        ("ErrorInvalidPropertySet", True, "c", "i", ItemError),
        ("ErrorThatNobodyKnows", False, "c", "", CollectionError),
        ("ErrorThatNobodyKnows", False, "", "", ProtocolViolation),
    ],
)
def test_each_response_code_is_one_of_our_errors(
    access: EwsAccess, code: str, *, writes: bool, collection: str, item: str, kind: type[SyncdError]
) -> None:
    error = failures.of(failures.named(code), access, writes=writes, collection=collection, item=item)
    assert type(error) is kind
    assert CLAIRE in str(error)


def test_a_defect_of_ours_is_no_answer_of_the_server(ews: EwsServer, session: EwsSession) -> None:
    with pytest.raises(AttributeError):
        session.call(Create, writes=True, collection="tasks", folder=object())
    assert not ews.counts.operations


def test_a_sync_state_that_is_invalid_is_a_signal_of_its_own(access: EwsAccess) -> None:
    error = failures.of(ErrorInvalidSyncStateData("x"), access, collection="c")
    assert isinstance(error, failures.SyncStateInvalidError)
    assert not isinstance(error, SyncdError)


def test_what_the_server_says_gets_into_no_message(access: EwsAccess) -> None:
    for code in sorted(failures.BUSY | failures.LOCKED_OUT | failures.GONE | failures.DENIED | {"ErrorX"}):
        loud = failures.named(code)
        loud.args = ("canary",)
        assert "canary" not in str(failures.of(loud, access, collection="c"))
