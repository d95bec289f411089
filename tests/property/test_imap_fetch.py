"""The quick reading of FETCH answers equals imapclient's own, whatever the answer."""

from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from imapclient import imap_utf7
from imapclient.response_parser import parse_fetch_response

from connectors.imap.fetch import Part, parse, parse_quickly, parse_thoroughly
from connectors.imap.uidsets import batches, parse_set, uid_set

ATOM = "!#$&'+,-./0123456789:;<=>?@ABCXYZ^_`abcxyz|~"
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

numbers = st.integers(1, 4_294_967_295)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=offsets).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)
words = st.one_of(
    st.sampled_from(["\\Seen", "\\Recent", "\\Flagged", "$Private", "Priv&AOk-"]),
    st.text(ATOM, min_size=1, max_size=8).filter(lambda w: not w.isdigit() and w.upper() != "NIL"),
)
contents = st.binary(max_size=200)


def written(moment: datetime) -> bytes:
    zone = moment.strftime("%z")[:5]
    day = f"{moment.day:02}-{MONTHS[moment.month - 1]}-{moment.year:04}"
    return f'"{day} {moment:%H:%M:%S} {zone}"'.encode()


@st.composite
def answers(draw: st.DrawFn) -> tuple[list[Part], dict[str, Any]]:
    """An answer in the shape it is read from the connection, and what it says."""
    facts: dict[str, Any] = {
        "uid": draw(numbers),
        "size": draw(st.integers(0, 2**40)),
        "received_at": draw(moments),
        "keywords": draw(st.lists(words, max_size=4)),
        "content": draw(contents),
    }
    items: dict[str, bytes] = {
        "uid": b"UID %d" % facts["uid"],
        "size": b"RFC822.SIZE %d" % facts["size"],
        "received_at": b"INTERNALDATE " + written(facts["received_at"]),
        "keywords": b"FLAGS (%s)" % " ".join(facts["keywords"]).encode(),
        "content": b"BODY[HEADER.FIELDS (FROM TO)] {%d}" % len(facts["content"]),
    }
    names = draw(st.permutations(sorted(items)).flatmap(lambda p: st.integers(0, 5).map(lambda n: p[:n])))
    lower = draw(st.booleans())
    lines, parts = b"(", []
    for name in names:
        item = items[name].replace(b"UID", b"uid").replace(b"FLAGS", b"flags") if lower else items[name]
        lines += (b"" if lines == b"(" else b" ") + item
        if name == "content":
            parts.append((lines, facts["content"]))
            lines = b""
    parts.append((lines + b")", None))
    return parts, {name: facts[name] for name in names}


@given(answers())
def test_the_quick_reading_is_what_was_written(answer: tuple[list[Part], dict[str, Any]]) -> None:
    parts, facts = answer
    found = parse_quickly(parts)
    assert found is not None
    assert (found.uid, found.size, found.content) == (
        facts.get("uid"),
        facts.get("size"),
        facts.get("content"),
    )
    assert found.received_at == facts.get("received_at")
    assert found == parse_thoroughly(parts)


@given(answers())
def test_the_quick_reading_equals_imapclients(answer: tuple[list[Part], dict[str, Any]]) -> None:
    parts, facts = answer
    found = parse_quickly(parts)
    assert found is not None
    first, *rest = [text if literal is None else (text, literal) for text, literal in parts]
    first = b"1 " + first if isinstance(first, bytes) else (b"1 " + first[0], first[1])
    theirs = next(iter(parse_fetch_response([first, *rest], normalise_times=False).items()))
    values = theirs[1]
    assert found.uid == (theirs[0] if "uid" in facts else None)
    assert found.size == values.get(b"RFC822.SIZE")
    assert found.received_at == values.get(b"INTERNALDATE")
    assert found.content == values.get(b"BODY[HEADER.FIELDS (FROM TO)]")
    flags = values.get(b"FLAGS")
    if found.keywords is None:
        assert flags is None
    else:
        assert len(found.keywords) <= len(flags)


@given(st.lists(st.tuples(st.binary(max_size=60), st.one_of(st.none(), contents)), min_size=1, max_size=4))
def test_nonsense_is_never_more_than_no_message(parts: list[Part]) -> None:
    parse([*parts[:-1], (parts[-1][0], None)])


@given(st.binary(max_size=30).filter(lambda b: b"&" not in b), st.text(max_size=20))
def test_dates_and_words_never_raise(noise: bytes, text: str) -> None:
    parse([(b'(UID 1 INTERNALDATE "' + noise + b'" FLAGS (' + imap_utf7.encode(text) + b"))", None)])


@given(st.sets(numbers, min_size=1, max_size=50))
def test_a_uid_set_names_exactly_its_messages(uids: set[int]) -> None:
    ascending = sorted(uids)
    assert parse_set(uid_set(ascending).encode(), 100) == ascending
    assert [uid for batch in batches(list(uids), 7) for uid in batch] == ascending
