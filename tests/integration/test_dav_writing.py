"""Writing to CalDAV servers that misbehave: each write once, each with its precondition, each refusal an
error of its own, and no outcome made up."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.calendar import Attendee, Dress, Item, RemoteItem, Response
from connectors.dav.access import DavAccess, Password
from connectors.dav.client import DavConnector
from connectors.errors import (
    AuthFailed,
    CollectionError,
    CollectionGone,
    CollectionRefused,
    Conflict,
    ItemError,
    OutcomeUnknown,
    RateLimited,
    SyncdError,
    Unreachable,
    WouldMail,
)
from connectors.ical.reading import read
from tests.servers.calendars import NOW, event, ics
from tests.servers.dav_answers import CAL, calendar, error, multistatus, props
from tests.servers.scripted_dav import Reaction, Reply, Request, ScriptedDav

REF = "/cal/a@crm.example.ics"
ITEM = event("a@crm.example")
DRESS = Dress()
SOURCE = ics("a@crm.example", "Avant")
CURRENT = RemoteItem(REF, '"1"', read(SOURCE), SOURCE)
GONE = Reply(404)
Script = dict[str, Reaction | list[Reaction]]


@contextmanager
def serving(script: Script) -> Iterator[tuple[ScriptedDav, DavConnector]]:
    with ScriptedDav({"PROPFIND /cal/ 0": calendar(), **script}) as server:
        access = DavAccess(
            f"http://127.0.0.1:{server.port}/cal/",
            "claire",
            Password(lambda: "made up", "basic"),
            timeout=timedelta(seconds=1),
        )
        with DavConnector(access, clock=lambda: NOW) as connector:
            yield server, connector


def create(connector: DavConnector) -> RemoteItem:
    return connector.create(CAL, ITEM, DRESS, notify=True)


def update(connector: DavConnector, current: RemoteItem = CURRENT) -> RemoteItem:
    return connector.update(current, subject(current.item, "Après"), DRESS, notify=True)


def delete(connector: DavConnector) -> None:
    connector.delete(CURRENT, notify=True)


def subject(item: Item, text: str) -> Item:
    return replace(item, components=(replace(item.main, subject=text),))


def got(source: bytes, version: str = '"9"') -> Reply:
    return Reply(200, source, {"ETag": version} if version else {})


# --- preconditions ----------------------------------------------------------------------------------


def test_every_write_has_its_precondition() -> None:
    script: Script = {f"PUT {REF}": Reply(204, headers={"ETag": '"2"'}), f"DELETE {REF}": Reply(204)}
    with serving(script) as (server, connector):
        assert create(connector).version == '"2"'
        assert update(connector).version == '"2"'
        delete(connector)
        first, second = server.sent("PUT")
        assert (first.headers.get("if-none-match"), first.headers.get("if-match")) == ("*", None)
        assert (second.headers.get("if-none-match"), second.headers.get("if-match")) == (None, '"1"')
        assert server.sent("DELETE")[0].headers["if-match"] == '"1"'
        assert first.headers["content-type"].startswith("text/calendar")


# --- versions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["", 'W/"2"'])
def test_without_a_strong_version_content_and_version_are_read_together(version: str) -> None:
    rewritten = ics("a@crm.example", "As the server likes it")
    answer = Reply(201, headers={"ETag": version} if version else {})
    with serving({f"PUT {REF}": answer, f"GET {REF}": got(rewritten)}) as (_, connector):
        made = create(connector)
        assert (made.version, made.item.main.subject) == ('"9"', "As the server likes it")
        assert made.source == rewritten


def test_what_cannot_be_seen_after_a_write_is_unknown() -> None:
    for seen in (Reply(503), Reply(raw=[], close=True)):
        served = serving({f"PUT {REF}": Reply(201), f"GET {REF}": seen})
        with served as (_, connector), pytest.raises(OutcomeUnknown):
            create(connector)


def test_an_item_without_a_version_is_compared_before_it_is_written() -> None:
    current = replace(CURRENT, version="")
    script: Script = {f"PUT {REF}": Reply(204, headers={"ETag": '"2"'}), f"GET {REF}": got(SOURCE, "")}
    with serving(script) as (server, connector):
        update(connector, current)
        assert server.sent("PUT")[0].headers["if-match"] == "*"  # never brings back what is gone
    script[f"GET {REF}"] = got(ics("a@crm.example", "Theirs"), "")
    with serving(script) as (server, connector):
        with pytest.raises(Conflict):
            update(connector, current)
        with pytest.raises(Conflict):
            connector.delete(current, notify=True)
        assert server.sent("PUT") == server.sent("DELETE") == []
    script[f"GET {REF}"] = GONE
    with serving(script) as (_, connector):
        with pytest.raises(Conflict):
            update(connector, current)
        connector.delete(current, notify=True)


def test_a_version_that_a_proxy_weakened_is_tried_as_a_strong_one() -> None:
    current = replace(CURRENT, version='W/"1"')
    with serving({f"PUT {REF}": Reply(204, headers={"ETag": '"2"'})}) as (server, connector):
        update(connector, current)
        assert [one.headers["if-match"] for one in server.sent("PUT")] == ['"1"']
    refused: Script = {
        f"PUT {REF}": [Reply(412), Reply(204, headers={"ETag": '"2"'})],
        f"GET {REF}": got(SOURCE, 'W/"1"'),
    }
    with serving(refused) as (server, connector):
        update(connector, current)
        assert [one.headers["if-match"] for one in server.sent("PUT")] == ['"1"', "*"]
    refused = {f"PUT {REF}": Reply(412), f"GET {REF}": got(ics("a@crm.example", "Theirs"), 'W/"3"')}
    with serving(refused) as (server, connector):
        with pytest.raises(Conflict):
            update(connector, current)
        assert len(server.sent("PUT")) == 1


# --- refusals ---------------------------------------------------------------------------------------

BOTH = (create, update)


@pytest.mark.parametrize(
    ("reply", "kind", "calls"),
    [
        (Reply(412), Conflict, (create, update)),
        (error(409, "C:no-uid-conflict"), Conflict, (create, update)),
        (error(403, "C:no-uid-conflict"), Conflict, (create,)),
        (error(403, "C:valid-calendar-data"), ItemError, BOTH),
        (error(409, "C:supported-calendar-component"), ItemError, BOTH),
        (error(403, "C:max-resource-size"), ItemError, BOTH),
        (error(403, "D:need-privileges"), CollectionRefused, (create, update, delete)),
        (Reply(403), CollectionRefused, (create,)),
        (Reply(403), ItemError, (update, delete)),
        (Reply(404), Conflict, (update,)),
        (Reply(413), ItemError, BOTH),
        (Reply(415), ItemError, BOTH),
        (Reply(423), ItemError, (create, update, delete)),
        (Reply(507), CollectionError, BOTH),
        (error(403, "D:quota-not-exceeded"), CollectionError, BOTH),
        (Reply(429, headers={"Retry-After": "7"}), RateLimited, (create, update, delete)),
        (Reply(503, headers={"Retry-After": "7"}), RateLimited, (create, update, delete)),
        (Reply(503), Unreachable, (create, update, delete)),
        (Reply(500), OutcomeUnknown, (create, update, delete)),
        (Reply(502), OutcomeUnknown, (create, update, delete)),
        (Reply(504), OutcomeUnknown, (create, update, delete)),
        (Reply(401), AuthFailed, (create, update, delete)),
    ],
)
def test_each_refused_write_has_an_error_of_its_own(
    reply: Reply, kind: type[SyncdError], calls: tuple[Callable[[DavConnector], object], ...]
) -> None:
    with serving({f"(PUT|DELETE) {REF}": reply, f"GET {REF}": got(SOURCE)}) as (server, connector):
        for number, call in enumerate(calls, 1):
            with pytest.raises(kind) as caught:
                call(connector)
            assert type(caught.value) is kind
            assert len(server.sent("PUT") + server.sent("DELETE")) == number  # nothing is tried again


def test_a_refusal_names_the_condition_and_nothing_of_the_event() -> None:
    def repeats(request: Request) -> Reply:
        return Reply(403, error(403, "C:valid-calendar-data").body.replace(b"</D:error>", request.body))

    with serving({f"PUT {REF}": error(403, "C:max-resource-size")}) as (_, connector):
        with pytest.raises(ItemError, match="max-resource-size") as caught:
            create(connector)
        assert caught.value.locator == REF
    with serving({f"PUT {REF}": repeats}) as (_, connector):
        with pytest.raises(CollectionRefused) as refused:
            create(connector)
        assert "Visite" not in str(refused.value)


@pytest.mark.parametrize("status", [404, 409])
def test_a_create_in_a_calendar_that_is_gone_says_so(status: int) -> None:
    with serving({f"PUT {REF}": Reply(status)}) as (server, connector):
        with pytest.raises(ItemError):  # it is there: so it is the item
            create(connector)
        server.script["PROPFIND /cal/ 0"] = GONE
        with pytest.raises(CollectionGone):
            create(connector)


def test_what_is_gone_already_is_deleted() -> None:
    for answers in (
        {f"DELETE {REF}": Reply(404)},
        {f"DELETE {REF}": Reply(410)},
        {f"DELETE {REF}": Reply(412)},
    ):
        script: Script = dict(answers)
        with serving(script) as (_, connector):
            delete(connector)
    still_there = serving({f"DELETE {REF}": Reply(412), f"GET {REF}": got(SOURCE)})
    with still_there as (_, connector), pytest.raises(Conflict):
        delete(connector)


def test_nothing_of_an_event_or_a_login_reaches_a_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    script: Script = {
        f"PUT {REF}": [Reply(201, headers={"ETag": '"1"'}), Reply(500)],
        "REPORT .*": Reply(500),
    }
    with serving(script) as (server, connector):
        create(connector)
        with pytest.raises(OutcomeUnknown) as caught:
            create(connector)
        assert "authorization" in server.requests[-1].headers
        login = server.requests[-1].headers["authorization"]
    told = caplog.text + "".join(capfd.readouterr()) + f"{caught.value!r} {caught.value.__cause__!r}"
    for secret in ("Visite", "a@crm.example", "made up", login):
        assert secret not in told


# --- no answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [create, update, delete])
@pytest.mark.parametrize("how", ["silent", "dropped", "cut"])
def test_a_write_without_an_answer_is_unknown_and_sent_once(
    call: Callable[[DavConnector], object], how: str
) -> None:
    reply = {
        "silent": Reply(raw=[]),
        "dropped": Reply(raw=[], close=True),
        "cut": Reply(raw=[b"HTTP/1.1 204 X\r\nConte"], close=True),
    }[how]
    with serving({f"(PUT|DELETE) {REF}": reply}) as (server, connector):
        with pytest.raises(OutcomeUnknown):
            call(connector)
        assert len(server.sent("PUT") + server.sent("DELETE")) == 1


@pytest.mark.parametrize("call", [create, update, delete])
def test_a_write_that_finds_no_server_was_never_sent(call: Callable[[DavConnector], object]) -> None:
    with ScriptedDav({"PROPFIND /cal/ 0": Reply(207, calendar().body, close=True)}) as server:
        access = DavAccess(f"http://127.0.0.1:{server.port}/cal/", "claire", Password(lambda: "x", "basic"))
        connector = DavConnector(access)
        connector.__enter__()
    with pytest.raises(Unreachable):
        call(connector)
    connector.__exit__(None, None, None)


# --- scheduling -------------------------------------------------------------------------------------

MEETING = ics(
    "a@crm.example",
    "Avant",
    "ORGANIZER:mailto:claire@acme.example",
    "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:guest@client.example",
    "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:other@client.example",
)
INVITED = RemoteItem(REF, '"1"', read(MEETING), MEETING)


@contextmanager
def scheduling(owner: str) -> Iterator[tuple[ScriptedDav, DavConnector]]:
    me = "<D:current-user-principal><D:href>/me/</D:href></D:current-user-principal>"
    told = f"<C:calendar-user-address-set><D:href>mailto:{owner}</D:href></C:calendar-user-address-set>"
    script: Script = {
        "PROPFIND /cal/ 0": multistatus(props("/cal/", me)),
        "PROPFIND /me/ 0": multistatus(props("/me/", told if owner else "")),
        f"PUT {REF}": Reply(204, headers={"ETag": '"2"'}),
        f"DELETE {REF}": Reply(204),
        "OPTIONS /cal/": Reply(200, headers={"DAV": "1, calendar-access, calendar-auto-schedule"}),
    }
    with serving(script) as both:
        yield both


@pytest.mark.parametrize("owner", ["claire@acme.example", ""])
def test_what_an_organizer_s_server_would_mail_is_not_done_in_silence(owner: str) -> None:
    alone = replace(INVITED.item.main, attendees=(Attendee("guest@client.example", Response.NO_RESPONSE),))
    with scheduling(owner) as (server, connector):
        with pytest.raises(WouldMail):
            connector.delete(INVITED, notify=False)
        with pytest.raises(WouldMail):
            connector.update(INVITED, replace(INVITED.item, components=(alone,)), DRESS, notify=False)
        with pytest.raises(WouldMail):
            connector.update(INVITED, subject(INVITED.item, "Après"), DRESS, notify=False)
        assert server.sent("PUT") == server.sent("DELETE") == []


def test_what_the_crm_added_is_taken_off_though_a_server_may_tell_of_it() -> None:
    """Spoilt by a client, so that only the engine knows it: the item is the same, the text is not."""
    source = MEETING.replace(
        b"SUMMARY", b"X-CRM-ACCOUNT:Client SA\r\nDESCRIPTION:Compte : Client SA\r\nSUMMARY"
    )
    found = read(source)
    bare = replace(found, components=(replace(found.main, notes=""),))
    with scheduling("claire@acme.example") as (server, connector):
        connector.update(RemoteItem(REF, '"1"', bare, source), bare, Dress(), notify=False)
        (put,) = server.sent("PUT")
        assert b"Client SA" not in put.body
        assert b"mailto:guest@client.example" in put.body
        assert b"SCHEDULE-AGENT" not in put.body


def test_a_meeting_that_was_always_quiet_stays_so() -> None:
    source = MEETING.replace(b"ATTENDEE;", b"ATTENDEE;SCHEDULE-AGENT=NONE;X-CRM-QUIET=T;")
    current = RemoteItem(REF, '"1"', read(source), source)
    with scheduling("claire@acme.example") as (server, connector):
        changed = connector.update(current, subject(current.item, "Après"), DRESS, notify=False)
        assert server.sent("PUT")[0].body.replace(b"\r\n ", b"").count(b"SCHEDULE-AGENT=NONE") == 2
        connector.delete(changed, notify=False)
        assert server.sent("DELETE")[0].headers["schedule-reply"] == "F"


def test_a_guest_s_copy_is_deleted_without_an_answer() -> None:
    with scheduling("guest@client.example") as (server, connector):
        connector.delete(INVITED, notify=False)
        assert server.sent("DELETE")[0].headers["schedule-reply"] == "F"
        assert server.sent("PUT") == []


def test_a_deletion_that_may_be_told_is_one_request() -> None:
    with scheduling("claire@acme.example") as (server, connector):
        connector.delete(INVITED, notify=True)
        assert server.sent("PUT") == []
        assert "schedule-reply" not in server.sent("DELETE")[0].headers
