"""Getting in to a CalDAV server and finding its calendars: passwords, tokens, redirects, TLS, and every kind
of address that an admin may write down."""

import hashlib
import re
import ssl
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.calendar import Kind
from connectors.dav.access import DavAccess, Password, Token
from connectors.dav.client import DavConnector
from connectors.errors import AuthFailed, ProtocolViolation, SyncdError, Untrusted
from tests.servers.calendars import radicale_world, xandikos_world
from tests.servers.certs import CertAuthority
from tests.servers.dav_answers import calendar, multistatus, props
from tests.servers.radicale import RadicaleServer
from tests.servers.scripted_dav import Reaction, Reply, Request, ScriptedDav
from tests.servers.xandikos import XandikosServer

PASSWORD = "gâteau: 北"
SHORT = timedelta(seconds=1)
Script = dict[str, Reaction | list[Reaction]]


def access(server: ScriptedDav, path: str = "/cal/", auth: Password | Token | None = None) -> DavAccess:
    return DavAccess(
        f"http://127.0.0.1:{server.port}{path}",
        "claire",
        auth or Password(lambda: PASSWORD),
        timeout=timedelta(seconds=2),
    )


def refs(connector: DavConnector) -> list[str]:
    return [one.ref for one in connector.calendars()]


def only_with(expected: str, challenge: str) -> Reaction:
    def answer(request: Request) -> Reply:
        if request.headers.get("authorization") == expected:
            return calendar()
        return Reply(401, headers={"WWW-Authenticate": challenge} if challenge else {})

    return answer


# --- who asks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("challenge", ['Basic realm="x"', 'Negotiate, Basic realm="a, b"', ""])
def test_a_password_in_any_script_is_sent_once_the_server_asks_for_it(challenge: str) -> None:
    expected = "Basic " + b64encode(f"claire:{PASSWORD}".encode()).decode()
    with ScriptedDav({"PROPFIND /cal/ 0": only_with(expected, challenge)}) as server:
        with DavConnector(access(server)) as connector:
            assert refs(connector) == ["/cal/"]
        assert [one.headers.get("authorization") for one in server.sent("PROPFIND")] == [
            None,
            expected,
            expected,
        ]


def test_digest_proves_the_password_without_sending_it() -> None:
    realm, nonce = "calendars", "n0nce"

    def answer(request: Request) -> Reply:
        found = dict(re.findall(r'(\w+)="?([^",]+)"?', request.headers.get("authorization", "")))
        if not found:
            challenge = f'Basic realm="x", Digest realm="{realm}", nonce="{nonce}", qop="auth", algorithm=MD5'
            return Reply(401, headers={"WWW-Authenticate": challenge})
        ha1 = md5(f"claire:{realm}:{PASSWORD}")
        ha2 = md5(f"{request.method}:{request.path}")
        proof = md5(f"{ha1}:{nonce}:{found['nc']}:{found['cnonce']}:auth:{ha2}")
        return calendar() if found["response"] == proof else Reply(401)

    with ScriptedDav({"PROPFIND /cal/ 0": answer}) as server:
        with DavConnector(access(server)) as connector:
            assert refs(connector) == ["/cal/"]
        for request in server.requests:
            sent = request.headers.get("authorization", "Digest ")
            assert sent.startswith("Digest ")
            assert PASSWORD not in sent
        wrong = access(server, auth=Password(lambda: "wrong"))
        before = len(server.requests)
        with pytest.raises(AuthFailed), DavConnector(wrong):
            pass
        assert len([r for r in server.requests[before:] if "authorization" in r.headers]) == 1


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Tokens:
    def __init__(self, *tokens: str) -> None:
        self.left = list(tokens)
        self.refused: list[str | None] = []

    def token(self, *, instead_of: str | None = None) -> str:
        self.refused.append(instead_of)
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


def test_a_token_that_was_withdrawn_is_renewed_once() -> None:
    with ScriptedDav({"PROPFIND /cal/ 0": only_with("Bearer good", "Bearer")}) as server:
        tokens = Tokens("old", "good")
        with DavConnector(access(server, auth=Token(tokens))) as connector:
            assert refs(connector) == ["/cal/"]
        assert tokens.refused == [None, "old"]
        before = len(server.requests)
        with pytest.raises(AuthFailed), DavConnector(access(server, auth=Token(Tokens("bad")))):
            pass
        assert len(server.requests) - before == 2


def test_a_refused_password_is_tried_once_and_in_no_message() -> None:
    with ScriptedDav({".*": Reply(401, headers={"WWW-Authenticate": "Basic"})}) as server:
        with pytest.raises(AuthFailed) as caught, DavConnector(access(server)):
            pass
        assert len([one for one in server.requests if "authorization" in one.headers]) == 1
        assert PASSWORD not in f"{caught.value!r} {caught.value.__cause__!r} {access(server)!r}"


def test_a_password_that_cannot_be_sent_is_an_error() -> None:
    with ScriptedDav({".*": Reply(401)}) as server:
        odd = access(server, auth=Password(lambda: "a\0b"))
        with pytest.raises(AuthFailed), DavConnector(odd):
            pass
        assert len(server.requests) == 1


def test_a_token_with_a_line_break_is_not_sent() -> None:
    with ScriptedDav() as server:
        with pytest.raises(AuthFailed), DavConnector(access(server, auth=Token(Tokens("a\r\nX-Evil: 1")))):
            pass
        assert server.requests == []


def test_the_environment_names_neither_a_proxy_nor_a_login(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ScriptedDav({"PROPFIND /cal/ 0": calendar()}) as server:
        with DavConnector(access(server)) as connector:
            assert refs(connector) == ["/cal/"]
        other = b64encode(b"other:other").decode()
        assert not any(other in one.headers.get("authorization", "") for one in server.requests)


# --- where ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["root", "no path", "well-known", "principal", "calendar"])
def test_any_address_of_a_real_server_leads_to_the_calendars(radicale: RadicaleServer, where: str) -> None:
    world = radicale_world(radicale, use_sync=True)
    path = {
        "root": "",
        "no path": "",
        "well-known": ".well-known/caldav",
        "principal": world.home.lstrip("/"),
        "calendar": world.calendar.lstrip("/"),
    }[where]
    url = world.url + path
    for spelled in (url, url.rstrip("/")):
        world.url = spelled
        with world.connector() as connector:
            assert [one.ref for one in connector.calendars()] == [world.calendar]


@pytest.mark.parametrize("path", ["", "user/", "user/calendars/"])
def test_any_address_of_another_server_leads_to_the_calendars(xandikos: XandikosServer, path: str) -> None:
    world = xandikos_world(xandikos, use_sync=True)
    world.url += path
    with world.connector() as connector:
        assert world.calendar in [one.ref for one in connector.calendars()]
    world.close()


def test_what_is_no_calendar_is_left_out() -> None:
    types = "<D:resourcetype><D:collection/>{}</D:resourcetype>"
    journal = (
        '<C:supported-calendar-component-set><C:comp name="VJOURNAL"/></C:supported-calendar-component-set>'
    )
    rights = (
        "<D:current-user-privilege-set><D:privilege><D:read/></D:privilege></D:current-user-privilege-set>"
    )
    script: Script = {
        "PROPFIND / 0": multistatus(
            props("/", "<D:current-user-principal><D:href>/me</D:href></D:current-user-principal>")
        ),
        "PROPFIND /me/ 0": multistatus(
            props(
                "/me/", "<C:calendar-home-set><D:href>http://in.example/home/</D:href></C:calendar-home-set>"
            )
        ),
        "PROPFIND /home/ 1": multistatus(
            props("/home/", types.format("")),
            props("/home/in/", types.format("<C:schedule-inbox/>")),
            props("/home/out/", types.format("<C:schedule-outbox/>")),
            props("/home/sub/", types.format("<C:calendar/><CS:subscribed/>")),
            props("/home/journal/", types.format("<C:calendar/>") + journal),
            props("/home/book/", types.format("<D:addressbook/>")),
            props(
                "/home/read", types.format("<C:calendar/>") + rights + "<D:displayname>Equipe</D:displayname>"
            ),
            props("/home/caf%c3%a9/", types.format("<C:calendar/>")),
        ),
    }
    with ScriptedDav(script) as server, DavConnector(access(server, "/")) as connector:
        read_only, plain = connector.calendars()
        assert (read_only.ref, read_only.name, read_only.writable) == ("/home/read/", "Equipe", False)
        assert (plain.ref, plain.kinds, plain.writable) == ("/home/caf%C3%A9/", frozenset(Kind), True)
        assert not plain.auto_schedule
        server.script["OPTIONS /home/"] = Reply(200, headers={"DAV": "1, Calendar-Auto-Schedule"})
        assert all(one.auto_schedule for one in connector.calendars())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_on_the_same_host_is_followed_with_method_and_body(status: int) -> None:
    script: Script = {
        "PROPFIND /old/ 0": Reply(status, headers={"Location": "/cal/"}),
        "PROPFIND /cal/ 0": calendar(),
    }
    with ScriptedDav(script) as server, DavConnector(access(server, "/old/")) as connector:
        assert refs(connector) == ["/cal/"]
        first, second = server.requests[:2]
        assert (second.method, second.body) == (first.method, first.body)


@pytest.mark.parametrize(
    "target",
    [
        "https://other.example/cal/",
        "//other.example/cal/",
        "http://127.0.0.1:1/cal/",
        "http://localhost/cal/",
        "file:///etc/passwd",
        "http://[bad/",
    ],
)
def test_a_redirect_to_another_server_is_refused_with_the_login_unsent(target: str) -> None:
    with ScriptedDav({".*": Reply(302, headers={"Location": target})}) as server:
        with pytest.raises(ProtocolViolation, match="url"), DavConnector(access(server)):
            pass
        assert len(server.requests) == 1


def test_redirects_without_end_are_an_error() -> None:
    with ScriptedDav({".*": Reply(302, headers={"Location": "/cal/"})}) as server:
        with pytest.raises(ProtocolViolation), DavConnector(access(server)):
            pass
        assert len(server.requests) == 6


# --- TLS --------------------------------------------------------------------------------------------


def test_a_certificate_is_verified_and_a_company_s_own_authority_trusted(authority: CertAuthority) -> None:
    issued = authority.issue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    with ScriptedDav({"PROPFIND /cal/ 0": calendar()}, context=context) as server:
        url = f"https://localhost:{server.port}/cal/"
        trusting = DavAccess(url, "claire", Password(lambda: "x"), ca_file=authority.ca_file)
        with DavConnector(trusting) as connector:
            assert refs(connector) == ["/cal/"]
        before = len(server.requests)
        for ca_file in (None, authority.ca_file.with_name("absent.pem")):
            with (
                pytest.raises(Untrusted),
                DavConnector(DavAccess(url, "claire", Password(lambda: "x"), ca_file=ca_file)),
            ):
                pass
        assert len(server.requests) == before


def test_a_port_that_speaks_no_tls_is_told_as_such() -> None:
    with ScriptedDav() as server:
        plain = DavAccess(f"https://localhost:{server.port}/", "claire", Password(lambda: "x"), timeout=SHORT)
        with pytest.raises(SyncdError), DavConnector(plain):
            pass


@pytest.mark.parametrize(
    "url", ["http://dav.acme.example/", "ftp://dav.acme.example/", "nonsense", "https://[bad/", ""]
)
def test_an_address_that_is_not_safe_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(Untrusted):
        DavConnector(DavAccess(url, "claire", Password(lambda: "x")))
