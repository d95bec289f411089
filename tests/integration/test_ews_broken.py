"""Exchange servers that are busy, cut their answers, forget or talk nonsense: bounded, and told apart."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.errors import (
    CollectionError,
    CollectionGone,
    CollectionRefused,
    ItemError,
    MailboxError,
    ProtocolViolation,
    RateLimited,
    Unreachable,
)
from connectors.ews.access import EwsAccess, Password
from connectors.ews.mail import EwsMailConnector
from connectors.model import RawMessage
from connectors.numbering import MemoryNumbering
from tests.servers.ews.faults import Fault
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.ews_answers import answer, changes, message, operation, reaction
from tests.servers.exchange import ews_access
from tests.servers.scripted_dav import Reply, Request, ScriptedDav

CLAIRE = "claire@acme.example"
FIELDS = ("From", "Subject")
MAIL = b"From: jean@example.org\r\nSubject: x\r\n\r\n" + b"0123456789abcde\r\n" * 100


@pytest.fixture
def access(ews: EwsServer, spool_dir: Path) -> EwsAccess:
    password = ews.add_mailbox(CLAIRE)
    return ews_access(ews, CLAIRE, password, spool_dir)


@pytest.fixture
def other(ews: EwsServer, access: EwsAccess) -> OtherClient:
    """Somebody else at the same mailbox, in which there are 20 messages."""
    client = OtherClient(ews, CLAIRE)
    client.add_mails([MAIL] * 20)
    return client


@pytest.fixture
def numbering() -> MemoryNumbering:
    return MemoryNumbering()


@pytest.fixture
def connector(
    access: EwsAccess, other: OtherClient, numbering: MemoryNumbering
) -> Iterator[EwsMailConnector]:
    with EwsMailConnector(access, numbering) as entered:
        yield entered


def bodies(connector: EwsMailConnector, uids: list[int]) -> dict[int, bytes | str]:
    return {
        (one.uid if isinstance(one, RawMessage) else int(one.locator)): (
            bytes(one.content) if isinstance(one, RawMessage) else str(one)
        )
        for one in connector.bodies("INBOX", uids)
    }


# Throttled, and out of order.


def test_busy_is_obeyed_for_as_long_as_the_server_says(ews: EwsServer, connector: EwsMailConnector) -> None:
    ews.faults.plan(Fault.BUSY, "SyncFolderItems", seconds=7.5)
    with pytest.raises(RateLimited) as caught:
        connector.state("INBOX")
    assert caught.value.retry_after == timedelta(seconds=7.5)
    assert ews.counts.operations["SyncFolderItems"] == 1  # nobody asked again by itself


def test_too_many_open_objects_ask_to_wait_too(ews: EwsServer, connector: EwsMailConnector) -> None:
    ews.faults.plan(Fault.TOO_MANY_OPEN, "SyncFolderItems")
    with pytest.raises(RateLimited) as caught:
        connector.state("INBOX")
    assert caught.value.retry_after == timedelta(minutes=5)


def test_busy_in_the_middle_of_reading_is_not_one_messages_fault(
    ews: EwsServer, connector: EwsMailConnector
) -> None:
    uids = list(connector.uids("INBOX"))
    ews.faults.plan(Fault.BUSY, "GetItem", seconds=3)
    with pytest.raises(RateLimited):
        bodies(connector, uids)
    ews.faults.plan(Fault.BUSY, "GetItem", seconds=3)
    with pytest.raises(RateLimited):
        list(connector.heads("INBOX", uids, FIELDS))


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE_BEFORE, Fault.INTERNAL, Fault.RESET_BEFORE])
def test_a_server_that_is_out_of_order_is_asked_again_later(
    ews: EwsServer, connector: EwsMailConnector, fault: Fault
) -> None:
    ews.faults.plan(fault, "SyncFolderItems")
    with pytest.raises(Unreachable):
        connector.state("INBOX")
    assert connector.state("INBOX").count == 20


def test_a_server_that_stays_silent_is_given_up(
    ews: EwsServer, access: EwsAccess, other: OtherClient
) -> None:
    short = dataclasses.replace(access, timeout=timedelta(seconds=0.5))
    with EwsMailConnector(short, MemoryNumbering()) as connector:
        ews.faults.plan(Fault.SLOW, "SyncFolderItems", seconds=2)
        with pytest.raises(Unreachable, match="too slowly"):
            connector.state("INBOX")


# Answers that break.


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.GARBAGE])
@pytest.mark.parametrize("asked", ["SyncFolderItems", "FindFolder"])
def test_half_an_answer_is_an_error_and_never_a_shorter_list(
    ews: EwsServer,
    access: EwsAccess,
    other: OtherClient,
    numbering: MemoryNumbering,
    fault: Fault,
    asked: str,
) -> None:
    with EwsMailConnector(access, numbering) as connector:
        ews.faults.plan(fault, asked)
        with pytest.raises(ProtocolViolation, match="cannot be read"):
            connector.state("INBOX")
        assert connector.state("INBOX").count == 20


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.GARBAGE, Fault.RESET_AFTER, Fault.INTERNAL])
def test_an_answer_with_messages_that_breaks_once_costs_nothing(
    ews: EwsServer, connector: EwsMailConnector, fault: Fault
) -> None:
    uids = list(connector.uids("INBOX"))
    ews.faults.plan(fault, "GetItem")
    assert sorted(head.uid for head in connector.heads("INBOX", uids, FIELDS)) == uids
    ews.faults.plan(fault, "GetItem")
    assert bodies(connector, uids) == dict.fromkeys(uids, MAIL)


def test_a_server_that_goes_down_is_unreachable_at_once(ews: EwsServer, connector: EwsMailConnector) -> None:
    uids = list(connector.uids("INBOX"))
    ews.faults.plan(Fault.RESET_BEFORE, None, times=1000)
    before = time.monotonic()
    with pytest.raises(Unreachable):
        bodies(connector, uids)
    with pytest.raises(Unreachable):
        list(connector.heads("INBOX", uids, FIELDS))
    assert len(ews.faults.done) <= 4
    assert time.monotonic() - before < 5


# What the server knows, and forgets.


def test_a_sync_state_that_means_nothing_any_more_costs_a_listing_and_no_number(
    ews: EwsServer, connector: EwsMailConnector, other: OtherClient, numbering: MemoryNumbering
) -> None:
    before = connector.state("INBOX")
    ids = numbering.ids(next(iter(numbering._ids)), range(1, 21))
    gone = other.items("inbox")[0]
    other.delete(other.id_of(gone.item))
    other.add_mail(MAIL)
    ews.expire_sync_states()
    after = connector.state("INBOX")
    assert (after.epoch, after.next_uid) == (before.epoch, 22)
    assert dict(numbering.ids(next(iter(numbering._ids)), range(1, 21))) == dict(
        ids
    )  # none is taken for gone
    assert list(connector.uids("INBOX")) == list(range(2, 22))  # now it was looked


def test_a_look_at_nothing_new_keeps_the_state_as_it_is(
    connector: EwsMailConnector, other: OtherClient, numbering: MemoryNumbering
) -> None:
    connector.state("INBOX")
    (folder,) = numbering._ids
    known = numbering.read(folder)
    connector.state("INBOX")
    assert numbering.read(folder) is known


def test_a_list_of_many_messages_comes_in_pages_of_512(ews: EwsServer, access: EwsAccess) -> None:
    OtherClient(ews, CLAIRE).add_mails([MAIL] * 1100)
    with EwsMailConnector(access, MemoryNumbering()) as connector:
        assert connector.state("INBOX").next_uid == 1101
        assert ews.counts.operations["SyncFolderItems"] == 3
        assert len(connector.uids("INBOX")) == 1100
        assert ews.counts.operations["SyncFolderItems"] == 3  # it was listed whole just now
        assert len(connector.uids("INBOX")) == 1100
        assert ews.counts.operations["SyncFolderItems"] == 6  # an audit asks the server itself


def test_a_message_that_was_read_meanwhile_gets_no_other_number(
    connector: EwsMailConnector, other: OtherClient, ews: EwsServer
) -> None:
    before = connector.state("INBOX")
    item = other.items("inbox")[3].item
    with ews.store.lock:
        item.is_read = True
        ews.store.changed(item, CLAIRE, {"IsRead"}, only_read=True)
    assert connector.state("INBOX") == before


def test_a_message_that_was_moved_is_another_one_there(
    connector: EwsMailConnector, other: OtherClient
) -> None:
    connector.state("INBOX")
    other.move(other.id_of(other.items("inbox")[0].item), "drafts")
    other.move(other.id_of(other.items("drafts")[0].item), "inbox")
    state = connector.state("INBOX")
    assert (state.count, state.next_uid) == (20, 22)
    assert list(connector.uids("INBOX", above=1)) == list(range(2, 22))


def test_a_folder_that_goes_while_it_is_read_is_gone(
    ews: EwsServer, connector: EwsMailConnector, other: OtherClient
) -> None:
    other.add_folder("Clients")
    assert connector.state("Clients").count == 0
    ews.store.remove_folder(other.folder("Clients"))
    with pytest.raises(CollectionGone) as caught:
        connector.state("Clients")
    assert caught.value.collection == "Clients"


def test_a_folder_made_again_under_its_name_is_another_one(
    ews: EwsServer, connector: EwsMailConnector, other: OtherClient
) -> None:
    other.add_folder("Clients")
    before = connector.state("Clients")
    ews.store.remove_folder(other.folder("Clients"))
    other.add_folder("Clients")
    other.add_mail(MAIL, folder="Clients")
    connector.folders()
    after = connector.state("Clients")
    assert after.epoch != before.epoch
    assert (after.count, after.next_uid) == (1, 2)


# Answers that no server of ours would give.

Scripted = Callable[..., EwsAccess]


@pytest.fixture
def script(spool_dir: Path) -> Iterator[tuple[ScriptedDav, EwsAccess]]:
    with ScriptedDav() as server:
        yield (
            server,
            EwsAccess(
                CLAIRE,
                Password(CLAIRE, lambda: "made up", "basic"),
                url=f"http://127.0.0.1:{server.port}/EWS/Exchange.asmx",
                timeout=timedelta(seconds=3),
                spool_dir=spool_dir,
            ),
        )


Script = tuple[ScriptedDav, EwsAccess]


def item(one: str, mime: str = "QQ==", more: str = "") -> str:
    size = "<t:Size>10</t:Size><t:DateTimeReceived>2026-03-04T05:06:07.123Z</t:DateTimeReceived>"
    return message(
        "GetItem",
        f'<m:Items><t:Message><t:MimeContent>{mime}</t:MimeContent><t:ItemId Id="{one}"/>{size}{more}'
        "</t:Message></m:Items>",
    )


def items(request: Request, **special: bytes | Reply | str) -> bytes | Reply:
    """To GetItem: an A for each message, but for those that are `special`."""
    ids = [part.split(b'"')[0].decode() for part in request.body.split(b'<t:ItemId Id="')[1:]]
    for one in ids:
        said = special.get(one)
        if said is not None and not isinstance(said, str):
            return said
    return answer("GetItem", *(str(special.get(one) or item(one)) for one in ids))


def entered(script: Script, **told: object) -> EwsMailConnector:
    server, access = script
    server.script[".*"] = reaction(**told)  # type: ignore[arg-type]
    return EwsMailConnector(access, MemoryNumbering())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ErrorAccessDenied", CollectionRefused),
        ("ErrorFolderNotFound", CollectionGone),
        ("ErrorItemNotFound", CollectionGone),
        ("ErrorServerBusy", RateLimited),
        ("ErrorMailboxMoveInProgress", Unreachable),
        ("ErrorMailboxStoreUnavailable", Unreachable),
        ("ErrorInternalServerError", Unreachable),
        ("ErrorSomethingThatNobodyKnows", CollectionError),
        ("ErrorInvalidRequest", CollectionError),
    ],
)
def test_each_refusal_of_a_folder_is_told_apart(script: Script, code: str, kind: type[Exception]) -> None:
    told = answer("SyncFolderItems", message("SyncFolderItems", code=code))
    with entered(script, SyncFolderItems=told) as connector, pytest.raises(kind) as caught:
        connector.state("INBOX")
    assert type(caught.value) is kind


@pytest.mark.parametrize("pages", [changes("same", last=False), changes("same", "a", last=False)])
def test_a_list_without_end_ends(script: Script, pages: bytes) -> None:
    with entered(script, SyncFolderItems=pages) as connector:
        with pytest.raises(CollectionError, match="without end"):
            connector.state("INBOX")
        assert len(script[0].requests) < 20


def test_a_list_shorter_than_the_server_counts_is_no_list(script: Script) -> None:
    counted = message(
        "GetFolder",
        '<m:Folders><t:Folder><t:FolderId Id="inbox" ChangeKey="k"/><t:TotalCount>5</t:TotalCount></t:Folder>'
        "</m:Folders>",
    )

    def folders(request: Request) -> bytes | Reply:
        if b"TotalCount" in request.body:
            return answer("GetFolder", counted)
        return reaction()(request)

    with entered(script, GetFolder=folders, SyncFolderItems=changes("s", "a", "b", "c")) as connector:
        connector.state("INBOX")
        assert len(connector.uids("INBOX")) == 3  # what was listed from the start just now is taken as it is
        with pytest.raises(CollectionError, match="3 of 5"):
            connector.uids("INBOX")


def test_a_message_over_which_the_answer_always_breaks_is_an_item_error(script: Script) -> None:
    bad = Reply(200, b"<?xml version='1.0'?><half", {"Content-Type": "text/xml"})
    ids = [f"id{number}" for number in range(9)]
    told = {"SyncFolderItems": changes("s", *ids), "GetItem": lambda request: items(request, id4=bad)}
    with entered(script, **told) as connector:
        connector.state("INBOX")
        found = bodies(connector, list(range(1, 10)))
    assert {uid for uid, content in found.items() if content == b"A"} == {1, 2, 3, 4, 6, 7, 8, 9}
    assert "breaks over it" in str(found[5])


def test_a_message_that_the_server_cannot_convert_is_an_item_error(script: Script) -> None:
    told = {
        "SyncFolderItems": changes("s", "a", "b", "c", "d"),
        "GetItem": lambda request: items(
            request,
            b=message("GetItem", code="ErrorMimeContentConversionFailed"),
            c=message("GetItem", code="ErrorItemNotFound"),
            d=item("d", mime="not base64!"),
        ),
    }
    with entered(script, **told) as connector:
        connector.state("INBOX")
        found = bodies(connector, [1, 2])
        assert found[1] == b"A"
        assert "ErrorMimeContentConversionFailed" in str(found[2])
        assert bodies(connector, [3]) == {}
        assert list(connector._numbering.numbers("inbox", 0)) == [1, 2, 3, 4]  # absent once is not gone
        assert "breaks over it" in str(bodies(connector, [4])[4])


@pytest.mark.parametrize("code", ["ErrorInternalServerError", "ErrorTimeoutExpired", "ErrorCorruptData"])
def test_messages_that_the_server_fails_over_do_not_stop_the_others(script: Script, code: str) -> None:
    ids = [f"id{number}" for number in range(60)]
    bad = {one: message("GetItem", code=code) for one in ids[::2]}  # more than could be found one by one
    told = {"SyncFolderItems": changes("s", *ids), "GetItem": lambda request: items(request, **bad)}
    with entered(script, **told) as connector:
        connector.state("INBOX")
        uids = list(range(1, 61))
        assert sorted(head.uid for head in connector.heads("INBOX", uids, FIELDS)) == uids[1::2]
        found = bodies(connector, uids)
    assert {uid for uid, content in found.items() if content == b"A"} == set(uids[1::2])
    assert all(code in str(found[uid]) for uid in uids[::2])


def test_control_characters_in_a_subject_cost_only_themselves(script: Script) -> None:
    more = "<t:Subject>a&#x1F;b&#xFFFE;c\x08d</t:Subject>"
    told = {
        "SyncFolderItems": changes("s", "a"),
        "GetItem": lambda request: items(request, a=item("a", more=more)),
    }
    with entered(script, **told) as connector:
        connector.state("INBOX")
        (head,) = connector.heads("INBOX", [1], ("Subject",))
    assert head.header == b"Subject: a?b?c?d\r\n\r\n"
    assert head.received_at.microsecond == 123_000  # fractions of a second are no reason to lose a date


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>',
        b"<x" + b"<x>" * 1000,
        b"\xff\xfe\x00",
        answer("GetItem"),
        b"<?xml version='1.0'?><x/>",
    ],
)
def test_nonsense_is_no_answer(script: Script, body: bytes) -> None:
    with entered(script, SyncFolderItems=body) as connector, pytest.raises(ProtocolViolation):
        connector.state("INBOX")


def test_an_answer_beyond_all_bounds_is_not_read_to_its_end(script: Script) -> None:
    server, access = script
    script = server, dataclasses.replace(access, largest_answer=100_000)
    huge = changes("s", *(f"{number:0100}" for number in range(5000)))
    with (
        entered(script, SyncFolderItems=huge) as connector,
        pytest.raises(ProtocolViolation, match="longer than"),
    ):
        connector.state("INBOX")


def test_an_answer_that_trickles_is_given_up(script: Script) -> None:
    def trickle() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n"
        while True:
            time.sleep(0.1)
            yield b" "

    server, access = script
    script = server, dataclasses.replace(access, total_timeout=timedelta(seconds=1.5))
    before = time.monotonic()
    with entered(script, SyncFolderItems=Reply(raw=trickle())) as connector, pytest.raises(MailboxError):
        connector.state("INBOX")
    assert time.monotonic() - before < 10


def test_fewer_answers_than_messages_are_an_error(script: Script) -> None:
    told = {"SyncFolderItems": changes("s", "a", "b"), "GetItem": answer("GetItem", item("a"))}
    with entered(script, **told) as connector:
        connector.state("INBOX")
        found = bodies(connector, [1, 2])  # one by one each gets the one answer that there is
        assert found == {1: b"A", 2: b"A"}


def test_nothing_but_reading_is_ever_asked(script: Script) -> None:
    told = {"SyncFolderItems": changes("s", "a", "b"), "GetItem": items}
    with entered(script, **told) as connector:
        connector.folders()
        connector.state("INBOX")
        uids = list(connector.uids("INBOX"))
        list(connector.heads("INBOX", uids, FIELDS))
        assert not [one for one in connector.bodies("INBOX", uids) if isinstance(one, ItemError)]
    asked = {operation(request) for request in script[0].requests}
    assert asked == {"GetFolder", "FindFolder", "SyncFolderItems", "GetItem"}
