"""What a CalDAV server tells of a calendar: tokens and pages (RFC 6578), CTags and ETags, lists cut short."""

import pytest

from connectors.errors import (
    CollectionError,
    CollectionGone,
    CollectionRefused,
    SyncdError,
    Unreachable,
)
from tests.servers.dav_answers import CAL, calendar, error, etag, multistatus, props, status
from tests.servers.dav_serving import by_etags, report, serving, token_of
from tests.servers.scripted_dav import Reply

TOKEN = '["sync","t1"]'


def test_a_listing_in_pages_is_read_to_its_end() -> None:
    pages = report(
        multistatus(etag("/cal/a.ics"), etag("/cal/b.ics"), status(CAL, 507), token="p1"),
        multistatus(etag("/cal/c.ics"), status("/cal/a.ics", 404), status(CAL, 507), token="p2"),
        multistatus(etag("/cal/b.ics", '"2"'), token="p3"),
    )
    with serving(pages) as (server, connector):
        found = connector.changes(CAL, "")
        assert {one.ref: one.version for one in found.listed} == {"/cal/b.ics": '"2"', "/cal/c.ics": '"1"'}
        assert (found.complete, found.reset, found.cursor) == (True, False, '["sync","p3"]')
        assert [token_of(one) for one in server.sent("REPORT")] == ["", "p1", "p2"]


def test_pages_without_end_are_an_error() -> None:
    page = multistatus(etag("/cal/a.ics"), status(CAL, 507), token="p1")
    with serving(report(page)) as (server, connector):
        with pytest.raises(CollectionError):
            connector.changes(CAL, "")
        assert len(server.sent("REPORT")) == 2


def test_a_refusal_in_the_middle_of_the_pages_is_an_error() -> None:
    pages = report(multistatus(etag("/cal/a.ics"), status(CAL, 507), token="p1"), error(403))
    with serving(pages) as (_, connector), pytest.raises(CollectionRefused):
        connector.changes(CAL, "")


@pytest.mark.parametrize("code", [400, 403, 409, 410, 412, 500])
def test_a_token_the_server_does_not_know_gives_everything_and_says_so(code: int) -> None:
    known = error(code, "D:valid-sync-token") if code in {403, 409, 410, 412} else Reply(code)
    with serving(report(known, multistatus(etag("/cal/a.ics"), token="t2"))) as (server, connector):
        found = connector.changes(CAL, TOKEN)
        assert [one.ref for one in found.listed] == ["/cal/a.ics"]
        assert (found.complete, found.reset, found.cursor) == (True, True, '["sync","t2"]')
        assert [token_of(one) for one in server.sent("REPORT")] == ["t1", ""]


@pytest.mark.parametrize(
    ("code", "kind"), [(403, CollectionRefused), (410, CollectionGone), (500, Unreachable)]
)
def test_a_refusal_that_is_not_about_the_token_is_an_error(code: int, kind: type[SyncdError]) -> None:
    with serving(report(Reply(code))) as (_, connector), pytest.raises(kind):
        connector.changes(CAL, TOKEN)


def test_a_server_that_only_says_it_has_tokens_is_listed_by_etags() -> None:
    script = {
        **report(Reply(501)),
        "PROPFIND /cal/ 0": calendar(ctag="c1"),
        "PROPFIND /cal/ 1": multistatus(etag(CAL), etag("/cal/a.ics")),
    }
    with serving(script) as (_, connector):
        found = connector.changes(CAL, "")
        assert [one.ref for one in found.listed] == ["/cal/a.ics"]
        assert found.cursor == '["ctag","c1"]'


def test_tombstones_are_404_and_nothing_else() -> None:
    answer = multistatus(
        status("/cal/gone.ics", 404),
        status("/cal/denied.ics", 403),
        status("/cal/broken.ics", 500),
        props("/cal/", "<D:getetag>x</D:getetag>"),
        etag("/cal/sub/"),
        token="t2",
    )
    with serving(report(answer)) as (_, connector):
        found = connector.changes(CAL, TOKEN)
        assert found.removed == ("/cal/gone.ics",)
        assert {one.ref: one.version for one in found.listed} == {
            "/cal/denied.ics": "",
            "/cal/broken.ics": "",
        }


def test_the_same_ctag_is_no_listing() -> None:
    with serving(by_etags(multistatus(etag("/cal/a.ics")))) as (server, connector):
        first = connector.changes(CAL, "")
        again = connector.changes(CAL, first.cursor)
        assert (again.listed, again.complete, again.cursor) == ((), False, first.cursor)
        assert len([line for line in server.lines if line == "PROPFIND /cal/ 1"]) == 1


def test_without_a_ctag_everything_is_listed_each_time() -> None:
    with serving(by_etags(multistatus(etag("/cal/a.ics"), etag("/cal/b.ics", "")), ctag="")) as (
        _,
        connector,
    ):
        for cursor in ("", connector.changes(CAL, "").cursor):
            found = connector.changes(CAL, cursor)
            assert {one.ref: one.version for one in found.listed} == {"/cal/a.ics": '"1"', "/cal/b.ics": ""}
            assert (found.complete, found.reset) == (True, False)


def test_a_list_cut_short_with_507_is_an_error() -> None:
    cut = multistatus(etag("/cal/a.ics"), status(CAL, 507))
    with serving(by_etags(cut)) as (_, connector), pytest.raises(CollectionError):
        connector.changes(CAL, "")
