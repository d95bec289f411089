"""The batch that is asked for while the one before it is read."""

import threading
from collections.abc import Generator

import pytest

from connectors.calendar import RemoteItem
from connectors.dav.access import DavAccess, Password
from connectors.dav.client import DavConnector
from connectors.errors import CollectionGone
from tests.servers.calendar_world import event
from tests.servers.dav_answers import calendar, error, item, multistatus
from tests.servers.ports import wait_until
from tests.servers.scripted_dav import Reaction, Reply, Request, ScriptedDav


def test_an_error_in_a_later_batch_comes_after_what_was_read_before_it() -> None:
    script: dict[str, Reaction | list[Reaction]] = {
        "PROPFIND /cal/ 0": calendar(),
        "REPORT .*": [multistatus(item("/cal/a.ics", event("a"))), error(404)],
    }
    with ScriptedDav(script) as server, _connector(server) as connector:
        found = connector.read("/cal/", ["/cal/a.ics", "/cal/b.ics"])
        first = next(found)
        assert isinstance(first, RemoteItem)
        assert first.ref == "/cal/a.ics"
        with pytest.raises(CollectionGone):
            next(found)


def _connector(server: ScriptedDav) -> DavConnector:
    access = DavAccess(f"http://127.0.0.1:{server.port}/cal/", "claire", Password(lambda: "x"), batch=1)
    return DavConnector(access)


def test_a_reader_that_is_left_does_not_wait_for_the_batch_asked_for_ahead() -> None:
    waiting, release = threading.Event(), threading.Event()

    def stalled(_request: Request) -> Reply:
        waiting.set()
        release.wait(30)
        return multistatus(item("/cal/b.ics", event("b")))

    script: dict[str, Reaction | list[Reaction]] = {
        "PROPFIND /cal/ 0": calendar(),
        "REPORT .*": [multistatus(item("/cal/a.ics", event("a"))), stalled],
    }
    with ScriptedDav(script) as server:
        access = DavAccess(f"http://127.0.0.1:{server.port}/cal/", "claire", Password(lambda: "x"), batch=1)
        with DavConnector(access) as connector:
            found = connector.read("/cal/", ["/cal/a.ics", "/cal/b.ics", "/cal/c.ics"])
            assert isinstance(next(found), RemoteItem)
            assert waiting.wait(10)
            assert isinstance(found, Generator)
            closing = threading.Thread(target=found.close)
            closing.start()
            closing.join(10)
            left = not closing.is_alive()
            release.set()
        asked = [request for request in server.requests if request.method == "REPORT"]
    assert left
    assert not [one for one in asked if b"c.ics" in one.body], "what had not gone out yet went out"
    assert not [one for one in threading.enumerate() if one.name.startswith("syncd-dav-ahead")]


def test_two_batches_are_asked_for_while_one_is_read_and_no_more() -> None:
    refs = [f"/cal/{name}.ics" for name in "abcdef"]
    script: dict[str, Reaction | list[Reaction]] = {
        "PROPFIND /cal/ 0": calendar(),
        "REPORT .*": [multistatus(item(ref, event(ref[5]))) for ref in refs],
    }
    with ScriptedDav(script) as server, _connector(server) as connector:
        found = connector.read("/cal/", refs)
        assert isinstance(next(found), RemoteItem)
        wait_until(lambda: len(server.sent("REPORT")) == 3, "two batches ahead")
        rest = [one.ref for one in found if isinstance(one, RemoteItem)]
        asked = server.sent("REPORT")
    assert rest == refs[1:]
    assert [refs[at].encode() in one.body for at, one in enumerate(asked)] == [True] * 6
