"""Mail servers that talk nonsense: bounded, and told apart."""

import dataclasses
import resource
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
from connectors.imap.client import MENDS, ImapConnector
from tests.servers.access import local_access
from tests.servers.hostile_imap import HostileImap, Reaction
from tests.servers.imap_bodies import bodies, fetched

FIELDS = ("From", "Subject")
SHORT = timedelta(seconds=1.5)
VIOLATIONS: list[bytes] = [
    b"* STATUS INBOX (MESSAGES {99999999999}\r\n",
    b"* STATUS INBOX (MESSAGES {" + b"9" * 5000 + b"}\r\n",
    b"* STATUS INBOX (UIDNEXT 3)\r\nTAG OK done\r\n",
    b"TAG OK done\r\n",
    b"\x00\xff\xfe\r\n",
    b"+ go on\r\n? ?\r\n",
    b"* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 7\r\nXXXX9 OK done\r\n",
]
ODDITIES: dict[str, bytes] = {
    "plain": fetched(1, b"one") + fetched(2, b"two"),
    "reversed": fetched(2, b"two") + fetched(1, b"one"),
    "lower case": fetched(1, b"one").lower() + b"* 2 fetch (body[] {3}\r\ntwo uid 2)\r\n",
    "unsolicited": b"* 9 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n"
    + fetched(1, b"one")
    + b"* 2 EXPUNGE\r\n* OK [ALERT] quota {90}\r\n* FLAGS (\\Seen)\r\n"
    + fetched(2, b"two")
    + b"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n",
    "others'": fetched(7, b"seven") + fetched(1, b"one") + fetched(8, b"") + fetched(2, b"two"),
    "split": b"* 1 FETCH (UID 1 FLAGS ())\r\n" + fetched(1, b"one") + fetched(2, b"two"),
    "quoted": b'* 1 FETCH (UID 1 BODY[] "one")\r\n* 2 FETCH (BODY[] "two" UID 2)\r\n',
    "literal8": fetched(1, b"one").replace(b"{", b"~{") + fetched(2, b"two"),
    "bare line feeds": (fetched(1, b"one") + fetched(2, b"two")).replace(b"\r\n", b"\n"),
    "unasked": fetched(1, b"one", b' ENVELOPE (NIL "a)b" NIL)') + fetched(2, b"two", b" X-GM-MSGID 9"),
    "garbage between": fetched(1, b"one") + b"* 5 FETCH (UID\r\n" + fetched(2, b"two"),
}


# A server that talks nonsense.


@pytest.fixture
def hostile() -> Iterator[HostileImap]:
    with HostileImap() as server:
        yield server


def connected(server: HostileImap, spool_dir: Path) -> ImapConnector:
    return ImapConnector(local_access(server.port, spool_dir, SHORT))


@pytest.mark.parametrize("answer", VIOLATIONS, ids=range(len(VIOLATIONS)))
def test_nonsense_is_a_violation(hostile: HostileImap, spool_dir: Path, answer: bytes) -> None:
    hostile.script["STATUS"] = answer
    with pytest.raises((ProtocolViolation, Unreachable)), connected(hostile, spool_dir) as connector:
        connector.state("INBOX")


def test_a_false_literal_size_takes_no_memory(hostile: HostileImap, spool_dir: Path) -> None:
    hostile.script["UID FETCH"] = lambda _: b"* 1 FETCH (UID 1 BODY[] {1000000000}\r\nabc"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with connected(hostile, spool_dir) as connector:
        found = list(connector.bodies("INBOX", [1]))
    assert [one.locator for one in found if isinstance(one, ItemError)] == ["1"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert list(spool_dir.iterdir()) == []


def test_an_endless_line_is_a_violation(
    hostile: HostileImap, spool_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.imap.stream.LONGEST_LINE", 100_000)
    hostile.script["STATUS"] = lambda _: (b"x" * 10_000 for _ in range(100))
    with (
        pytest.raises(ProtocolViolation, match="line without an end"),
        connected(hostile, spool_dir) as connector,
    ):
        connector.state("INBOX")


def test_an_endless_answer_is_a_violation(
    hostile: HostileImap, spool_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.imap.wire.LARGEST_ANSWER", 100_000)
    hostile.script["STATUS"] = lambda _: (b"* 1 EXPUNGE\r\n" * 1000 for _ in range(100))
    with pytest.raises(ProtocolViolation, match="longer than"), connected(hostile, spool_dir) as connector:
        connector.state("INBOX")


def test_a_server_where_every_message_breaks_the_connection_is_given_up(
    hostile: HostileImap, spool_dir: Path
) -> None:
    hostile.script[r"UID FETCH \S+ \(UID BODY"] = b"? ?\r\n"
    with pytest.raises(ProtocolViolation), connected(hostile, spool_dir) as connector:
        list(connector.bodies("INBOX", list(range(1, 40))))
    assert hostile.connections == MENDS + 1


@pytest.mark.parametrize("kind", ODDITIES)
def test_odd_answers_are_understood(hostile: HostileImap, spool_dir: Path, kind: str) -> None:
    hostile.script[r"UID FETCH \S+ \(UID BODY"] = ODDITIES[kind] + b"TAG OK done\r\n"
    with connected(hostile, spool_dir) as connector:
        assert bodies(connector, [1, 2]) == {1: b"one", 2: b"two"}


@pytest.mark.parametrize(
    "answer",
    [
        b"* 1 FETCH (UID 1 BODY[] NIL)\r\n* 2 FETCH (UID 2 BODY[] {3}\r\ntwo)\r\nTAG OK done\r\n",
        b"* 1 FETCH (UID 1)\r\n" + fetched(2, b"two") + b"TAG OK done\r\n",
    ],
)
def test_a_message_without_content_is_not_taken_for_one(
    hostile: HostileImap, spool_dir: Path, answer: bytes
) -> None:
    hostile.script[r"UID FETCH \S+ \(UID BODY"] = answer
    with connected(hostile, spool_dir) as connector:
        found = bodies(connector, [1, 2])
    assert found[2] == b"two"
    assert found[1] == b"" or "no content" in str(found[1])


def only(good: Callable[[int], bytes], bad: int) -> Reaction:
    """Refuses every FETCH that names the bad UID, of three."""

    def react(command: bytes) -> bytes:
        numbers = command.split()[2].decode()
        low, _, high = numbers.partition(":")
        uids = [*range(int(low), int(high or low) + 1)] if "," not in numbers else [1, 2, 3]
        if bad in uids:
            return b"".join(good(uid) for uid in uids if uid < bad) + b"TAG NO [SERVERBUG] broken one\r\n"
        return b"".join(good(uid) for uid in uids) + b"TAG OK done\r\n"

    return react


def test_one_message_that_the_server_refuses_does_not_take_the_others_along(
    hostile: HostileImap, spool_dir: Path
) -> None:
    hostile.script[r"UID FETCH \S+ \(UID BODY"] = only(lambda uid: fetched(uid, b"%d" % uid), bad=2)
    with connected(hostile, spool_dir) as connector:
        found = bodies(connector, [1, 2, 3])
    assert (found[1], found[3]) == (b"1", b"3")
    assert "broken one" in str(found[2])


def test_one_head_that_the_server_refuses_does_not_take_the_others_along(
    hostile: HostileImap, spool_dir: Path
) -> None:
    hostile.script["UID FETCH"] = only(
        lambda uid: (
            b"* 1 FETCH (UID %d RFC822.SIZE 3 FLAGS () INTERNALDATE"
            b' "01-Jan-2026 00:00:00 +0000" BODY[HEADER.FIELDS (FROM)] {2}\r\n\r\n)\r\n' % uid
        ),
        bad=2,
    )
    with connected(hostile, spool_dir) as connector:
        assert [head.uid for head in connector.heads("INBOX", [1, 2, 3], FIELDS)] == [1, 3]


def test_a_header_beyond_all_measure_is_left_out(hostile: HostileImap, spool_dir: Path) -> None:
    usual = b' RFC822.SIZE 9 FLAGS () INTERNALDATE "01-Jan-2026 00:00:00 +0000"'
    large = b"x" * 1_100_000
    hostile.script["UID FETCH"] = (
        b"* 1 FETCH (UID 1%s BODY[HEADER.FIELDS (FROM)] {%d}\r\n%s)\r\n" % (usual, len(large), large)
        + b"* 2 FETCH (UID 2%s BODY[HEADER.FIELDS (FROM)] {2}\r\n\r\n)\r\nTAG OK done\r\n" % usual
    )
    with connected(hostile, spool_dir) as connector:
        assert [head.uid for head in connector.heads("INBOX", [1, 2], FIELDS)] == [2]


@pytest.mark.parametrize(
    ("listed", "answer", "error"),
    [
        (b"", b"TAG NO [NONEXISTENT] gone\r\n", CollectionGone),
        (b"", b"TAG NO unknown\r\n", CollectionGone),
        (b"", b"TAG BAD unknown\r\n", CollectionGone),
        (b'* LIST () "/" Team\r\n', b"TAG NO [NOPERM] denied\r\n", CollectionRefused),
        (b'* LIST (\\Noselect) "/" Team\r\n', b"TAG NO no\r\n", CollectionRefused),
        (b'* LIST () "/" Team\r\n', b"TAG NO [UNAVAILABLE] later\r\n", CollectionError),
        (b"", b"TAG NO [UNAVAILABLE] later\r\n", CollectionError),
        (b"", b"TAG NO [LIMIT] rate limit\r\n", RateLimited),
        (b"", b"* STATUS Team (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 0)\r\nTAG OK done\r\n", CollectionError),
    ],
)
def test_every_refusal_of_a_folder_has_its_error(
    hostile: HostileImap, spool_dir: Path, listed: bytes, answer: bytes, error: type[Exception]
) -> None:
    hostile.script["LIST"] = listed + b'* LIST () "/" INBOX\r\nTAG OK done\r\n'
    hostile.script["STATUS"] = answer
    with connected(hostile, spool_dir) as connector:
        with pytest.raises(error) as caught:
            connector.state("Team")
        assert type(caught.value) is error
        if not isinstance(caught.value, MailboxError):
            assert isinstance(connector.folders(), list)  # the connection goes on


@pytest.mark.parametrize("mixed", [False, True])
def test_states_are_never_mistaken_for_each_other(
    hostile: HostileImap, spool_dir: Path, *, mixed: bool
) -> None:
    lines = {
        b"A": b"* STATUS A (MESSAGES 1 UIDNEXT 9 UIDVALIDITY 7)\r\n",
        b"B": b"* STATUS B (MESSAGES 2 UIDNEXT 9 UIDVALIDITY 7)\r\n",
    }
    asked: list[bytes] = []

    def answer(command: bytes) -> bytes:
        name = command.split(b'"')[1]
        asked.append(name)
        if mixed and len(asked) <= len(lines):  # both lines before the first end, as the RFC allows
            return (lines[b"B"] + lines[b"A"] if name == b"A" else b"") + b"TAG OK done\r\n"
        return lines[name] + b"TAG OK done\r\n"

    hostile.script["STATUS"] = answer
    with connected(hostile, spool_dir) as connector:
        states = connector.states(["A", "B"])
    assert [getattr(states[ref], "count", None) for ref in ("A", "B")] == [1, 2]


def test_a_name_that_is_no_utf_7_is_found_as_the_server_spells_it(
    hostile: HostileImap, spool_dir: Path
) -> None:
    hostile.script["LIST"] = b'* LIST () "/" "R&D"\r\nTAG OK done\r\n'
    hostile.script[r'STATUS "R&-D"'] = b"TAG NO no such folder\r\n"
    with connected(hostile, spool_dir) as connector:
        assert connector.state("R&D").count == 2
    assert [line for line in hostile.commands if line.startswith(b"STATUS")][-1].startswith(b'STATUS "R&D"')


def test_a_short_list_of_messages_is_no_list(hostile: HostileImap, spool_dir: Path) -> None:
    hostile.script["UID SEARCH"] = b"* SEARCH 2\r\nTAG OK done\r\n"
    with connected(hostile, spool_dir) as connector:
        with pytest.raises(CollectionError, match="lists 1 of 2"):
            connector.uids("INBOX")
        assert connector.uids("INBOX", above=1) == [2]


def test_messages_that_go_while_they_are_listed_are_no_error(hostile: HostileImap, spool_dir: Path) -> None:
    hostile.script["UID SEARCH"] = b"* SEARCH 2\r\n* 1 EXPUNGE\r\nTAG OK done\r\n"
    with connected(hostile, spool_dir) as connector:
        assert connector.uids("INBOX") == [2]


def test_extended_search_is_used_where_it_is_offered(hostile: HostileImap, spool_dir: Path) -> None:
    hostile.script["LOGIN"] = b"TAG OK [CAPABILITY IMAP4rev1 ESEARCH] in\r\n"
    hostile.script["UID SEARCH RETURN"] = b'* ESEARCH (TAG "TAG") UID ALL 1:2\r\nTAG OK done\r\n'
    with connected(hostile, spool_dir) as connector:
        assert connector.uids("INBOX") == [1, 2]
    hostile.script["UID SEARCH RETURN"] = b"TAG BAD what\r\n"
    hostile.script["UID SEARCH UID"] = b"* SEARCH 1 2\r\nTAG OK done\r\n"
    with connected(hostile, spool_dir) as connector:
        assert connector.uids("INBOX") == [1, 2]


def test_a_list_of_four_billion_messages_is_a_violation(hostile: HostileImap, spool_dir: Path) -> None:
    hostile.script["LOGIN"] = b"TAG OK [CAPABILITY IMAP4rev1 ESEARCH] in\r\n"
    hostile.script["UID SEARCH"] = b'* ESEARCH (TAG "TAG") UID ALL 1:4294967295\r\nTAG OK done\r\n'
    with pytest.raises(ProtocolViolation), connected(hostile, spool_dir) as connector:
        connector.uids("INBOX")


def test_a_throttled_fetch_asks_for_patience(hostile: HostileImap, spool_dir: Path) -> None:
    hostile.script["UID FETCH"] = b"TAG NO [THROTTLED] slow down\r\n"
    with pytest.raises(RateLimited), connected(hostile, spool_dir) as connector:
        list(connector.heads("INBOX", [1, 2], FIELDS))


def test_capabilities_are_asked_for_where_a_server_does_not_tell(spool_dir: Path) -> None:
    script: dict[str, Reaction] = {"LOGIN": b"TAG OK done\r\n", "UID SEARCH": b"* SEARCH 1 2\r\nTAG OK x\r\n"}
    with HostileImap(script, greeting=b"* OK ready\r\n") as server:
        access = dataclasses.replace(local_access(server.port, spool_dir, SHORT))
        with ImapConnector(access) as connector:
            assert connector.uids("INBOX") == [1, 2]
            assert connector.uids("INBOX", above=1) == [2]
        assert [line for line in server.commands if line == b"CAPABILITY"] == [b"CAPABILITY"] * 2
