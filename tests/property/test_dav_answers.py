"""Whatever bytes a CalDAV server answers, they are read or refused; whatever href, it has one spelling."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from connectors.dav import paths, xml
from connectors.dav.listing import Cursor, cursor
from tests.servers.dav_answers import etag, item, multistatus, status

GOOD = multistatus(
    etag("/cal/a.ics"), status("/cal/b.ics", 404), item("/cal/é.ics", b"BEGIN:VCALENDAR\r\n"), token="t"
).body
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in {".", ".."}
)


@given(st.data())
def test_a_spoiled_answer_is_refused_or_read_and_nothing_else(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, len(GOOD)))
    spoiled = GOOD[:start] + data.draw(st.binary(max_size=40)) + GOOD[end:]
    try:
        read = xml.multistatus(spoiled)
    except xml.Garbled:
        return
    assert all(one.ref.startswith("/") for one in read.responses)


@given(st.binary(max_size=300))
def test_any_bytes_name_no_condition_or_some(body: bytes) -> None:
    assert all(isinstance(name, str) for name in xml.preconditions(body))


@given(
    st.lists(NAMES, min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(["", "https://other.example:8443"]),
)
def test_a_path_has_one_spelling_however_it_is_written(
    names: list[str], everything_encoded: bool, host: str
) -> None:
    usual = paths.canonical("/" + "/".join(quote(name, safe=paths.SAFE) for name in names))
    spelled = "/".join(
        "".join(f"%{octet:02x}" for octet in name.encode()) if everything_encoded else quote(name, safe="")
        for name in names
    )
    assert paths.canonical(f"{host}/{spelled}") == usual
    assert paths.canonical(usual) == usual
    assert usual.count("/") == len(names)


@given(st.text(min_size=1))
def test_any_uid_has_one_place_in_its_calendar(uid: str) -> None:
    ref = paths.for_uid("/cal/", uid)
    assert paths.canonical(ref) == ref == paths.for_uid("/cal/", uid)
    assert paths.parent(ref) == "/cal/"
    assert len(ref) < 300


@given(st.sampled_from(["sync", "ctag"]), st.text())
def test_a_cursor_survives_being_kept(way: str, value: str) -> None:
    assert cursor(Cursor(way, value).text()) == Cursor(way, value)


@given(st.text())
def test_any_text_is_a_cursor_or_none(text: str) -> None:
    found = cursor(text)
    assert found is None or found.way in {"", "sync", "ctag"}
