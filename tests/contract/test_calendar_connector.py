"""What every calendar connector keeps to: one suite, run against Radicale, Xandikos and the one in memory,
each with and without sync-tokens, and against Exchange (EWS)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.calendar import CalendarInfo, Dress, Item, Kind, Missing, RemoteItem, Timing
from connectors.dav.client import DavConnector
from connectors.errors import AuthFailed, CollectionGone, Conflict, ItemError, Unreachable
from connectors.protocol import CalendarConnector
from connectors.testing_calendar import MemoryCalendarConnector
from tests.servers.calendars import DavWorld, MemoryWorld, World, event, ics, radicale_world, xandikos_world
from tests.servers.ews_calendars import EwsWorld

DRESS = Dress(crm_id="acme/1")
BY_PATH = [f"{kind}-{way}" for kind in ("memory", "radicale", "xandikos") for way in ("tokens", "etags")]
WORLDS = [*BY_PATH, "exchange-states"]


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    kind, way = request.param.split("-")
    use_sync = way == "tokens"
    made: World
    if kind == "memory":
        made = MemoryWorld(use_sync=use_sync)
    elif kind == "radicale":
        made = radicale_world(request.getfixturevalue("radicale"), use_sync=use_sync)
    elif kind == "xandikos":
        made = xandikos_world(request.getfixturevalue("xandikos"), use_sync=use_sync)
    else:
        made = EwsWorld(request.getfixturevalue("ews"))
    yield made
    made.close()


@pytest.fixture
def connector(world: World) -> Iterator[CalendarConnector]:
    with world.connector() as entered:
        yield entered


def info(connector: CalendarConnector, ref: str) -> CalendarInfo:
    return {one.ref: one for one in connector.calendars()}[ref]


def everything(connector: CalendarConnector, calendar: str) -> dict[str, RemoteItem]:
    listed = connector.changes(calendar, "").listed
    found = {}
    for one in connector.read(calendar, [entry.ref for entry in listed]):
        assert isinstance(one, RemoteItem)
        found[one.item.uid] = one
    return found


def written(connector: CalendarConnector, world: World, item: Item) -> RemoteItem:
    return connector.create(world.calendar, item, DRESS, notify=True)


# --- calendars ------------------------------------------------------------------------------------


def test_calendars_have_names_and_kinds(world: World, connector: CalendarConnector) -> None:
    tasks = world.add_calendar("Tasks", ("VTODO",))
    events = world.add_calendar("Events", ("VEVENT",))
    assert info(connector, tasks).kinds == {Kind.TASK}
    assert info(connector, events).kinds == {Kind.EVENT}
    assert info(connector, events).name == "Events"
    assert info(connector, world.calendar).kinds == {Kind(kind) for kind in world.kinds}
    assert info(connector, world.calendar).writable


def test_a_calendar_that_does_not_exist_is_gone_and_not_empty(
    world: World, connector: CalendarConnector
) -> None:
    known = connector.changes(world.calendar, "").cursor
    world.remove(world.calendar)
    for cursor in ("", known):
        with pytest.raises(CollectionGone) as caught:
            connector.changes(world.calendar, cursor)
        assert caught.value.collection == world.calendar
    with pytest.raises(CollectionGone):
        list(connector.read(world.calendar, [world.calendar + "a.ics"]))
    with pytest.raises(CollectionGone):
        written(connector, world, event("a@crm.example"))


# --- changes --------------------------------------------------------------------------------------


def test_the_first_listing_is_complete(world: World, connector: CalendarConnector) -> None:
    assert connector.changes(world.calendar, "").listed == ()
    refs = {world.put(f"{number}.ics", ics(f"{number}@other.example")) for number in range(3)}
    found = connector.changes(world.calendar, "")
    assert {one.ref for one in found.listed} == refs
    assert all(one.version for one in found.listed)
    assert (found.complete, found.reset, found.removed) == (True, False, ())


def test_nothing_changed_is_an_empty_answer(world: World, connector: CalendarConnector) -> None:
    world.put("a.ics", ics("a@other.example"))
    before = connector.changes(world.calendar, "")
    after = connector.changes(world.calendar, before.cursor)
    assert (after.listed, after.removed, after.complete, after.reset) == ((), (), False, False)
    assert connector.changes(world.calendar, after.cursor).listed == ()


def test_an_item_that_came_or_changed_is_listed_with_another_version(
    world: World, connector: CalendarConnector
) -> None:
    kept = world.put("kept.ics", ics("kept@other.example"))
    changed = world.put("changed.ics", ics("changed@other.example"))
    before = connector.changes(world.calendar, "")
    versions = {one.ref: one.version for one in before.listed}
    new = world.put("new.ics", ics("new@other.example"))
    world.put("changed.ics", ics("changed@other.example", "Autre"))
    after = connector.changes(world.calendar, before.cursor)
    found = {one.ref: one.version for one in after.listed}
    assert not after.reset
    assert {ref for ref in found if found[ref] != versions.get(ref)} == {new, changed}
    assert set(found) - {kept} == {new, changed}
    assert (kept in found) == after.complete


def test_a_deleted_item_is_evident(world: World, connector: CalendarConnector) -> None:
    kept = world.put("kept.ics", ics("kept@other.example"))
    gone = world.put("gone.ics", ics("gone@other.example"))
    before = connector.changes(world.calendar, "")
    world.remove(gone)
    after = connector.changes(world.calendar, before.cursor)
    assert not after.reset
    if after.complete:
        assert {one.ref for one in after.listed} == {kept}
    else:
        assert (after.listed, after.removed) == ((), (gone,))


@pytest.mark.parametrize("cursor", ["garbage", '["sync","data:,never-given"]', "[]", '{"a":1}', "[7,0]"])
def test_a_cursor_that_means_nothing_gives_everything_and_says_so(
    world: World, connector: CalendarConnector, cursor: str
) -> None:
    ref = world.put("a.ics", ics("a@other.example"))
    found = connector.changes(world.calendar, cursor)
    assert [one.ref for one in found.listed] == [ref]
    assert (found.complete, found.reset) == (True, True)
    assert connector.changes(world.calendar, found.cursor).listed == ()


def test_our_own_write_is_listed_in_the_version_that_it_returned(
    world: World, connector: CalendarConnector
) -> None:
    before = connector.changes(world.calendar, "").cursor
    made = written(connector, world, event("a@crm.example"))
    found = connector.changes(world.calendar, before)
    assert [(one.ref, one.version) for one in found.listed] == [(made.ref, made.version)]


# --- reading --------------------------------------------------------------------------------------


def test_an_item_is_read_with_all_that_is_in_it(world: World, connector: CalendarConnector) -> None:
    source = ics(
        "a@other.example",
        r"Visite \; cliente\, à 10 h",
        "LOCATION:Hôtel 北京",
        "X-UNKNOWN;X-A=b:kept",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:x",
        "TRIGGER:-PT15M",
        "END:VALARM",
    )
    ref = world.put("a.ics", source)
    version = connector.changes(world.calendar, "").listed[0].version
    (found,) = connector.read(world.calendar, [ref])
    assert isinstance(found, RemoteItem)
    assert (found.ref, found.version, found.item.uid) == (ref, version, "a@other.example")
    assert found.item.main.subject == "Visite ; cliente, à 10 h"
    assert found.item.main.location == "Hôtel 北京"
    assert found.item.main.alarms == {"-PT15M"}
    if world.by_path:
        assert b"X-UNKNOWN;X-A=b:kept" in found.source


def test_each_ref_is_answered_once(world: World, connector: CalendarConnector) -> None:
    refs = [world.put(f"{number}.ics", ics(f"{number}@other.example")) for number in range(7)]
    gone = world.calendar + "gone.ics"
    found = list(connector.read(world.calendar, [*refs, gone, refs[0]]))
    assert sorted(one.ref for one in found if isinstance(one, RemoteItem)) == sorted(refs)
    assert [one.ref for one in found if isinstance(one, Missing)] == [gone]
    assert len(found) == 8
    assert list(connector.read(world.calendar, [])) == []


@pytest.mark.parametrize("ref", ["12-1@crm.example", "plain", "http://crm.example/a.ics"])
def test_what_is_no_ref_of_the_server_is_missing(
    world: World, connector: CalendarConnector, ref: str
) -> None:
    """As what was refused when it was to be made: it lies in quarantine under its UID."""
    there = world.put("a.ics", ics("a@other.example"))
    found = {
        one.ref: one for one in connector.read(world.calendar, [ref, there]) if not isinstance(one, ItemError)
    }
    assert isinstance(found[ref], Missing)
    assert isinstance(found[there], RemoteItem)


def test_many_items_are_read_in_batches(world: World) -> None:
    refs = [world.put(f"{number}.ics", ics(f"{number}@other.example")) for number in range(5)]
    connector = world.connector()
    if isinstance(connector, DavConnector):
        connector = DavConnector(replace(connector.access, batch=2))
    with connector as entered:
        found = [one.ref for one in entered.read(world.calendar, refs) if isinstance(one, RemoteItem)]
    assert sorted(found) == sorted(refs)


@pytest.mark.parametrize("world", BY_PATH, indirect=True)
@pytest.mark.parametrize("name", ["with space.ics", "a@b+c.ics", "é北.ics", "100%.ics"])
def test_odd_names_of_resources_are_one_ref_everywhere(
    world: World, connector: CalendarConnector, name: str
) -> None:
    from urllib.parse import quote

    from connectors.dav.paths import SAFE  # the one spelling of a ref

    ref = world.put(quote(name, safe=SAFE), ics("a@other.example"))
    assert [one.ref for one in connector.changes(world.calendar, "").listed] == [ref]
    (found,) = connector.read(world.calendar, [ref])
    assert isinstance(found, RemoteItem)
    assert found.ref == ref
    connector.delete(found, notify=True)
    assert world.refs() == set()


def test_an_item_is_found_by_its_uid_wherever_it_lies(world: World, connector: CalendarConnector) -> None:
    there = world.put("any-name.ics", ics("a@other.example"))
    world.put("longer.ics", ics("aa@other.example"))
    task = world.put("task.ics", ics("task@other.example", kind="VTODO"))
    ours = written(connector, world, event("ours@crm.example"))
    for uid, ref in [
        ("a@other.example", there),
        ("task@other.example", task),
        ("ours@crm.example", ours.ref),
    ]:
        found = connector.find(world.home_of("VTODO" if uid.startswith("task") else "VEVENT"), uid)
        assert found is not None
        assert (found.ref, found.item.uid) == (ref, uid)
        assert found.version
    assert connector.find(world.calendar, "other.example") is None
    assert connector.find(world.calendar, "nobody@other.example") is None


# --- writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uid", ["plain@crm.example", "with/slash é", "x" * 300, "..", ".hidden", "a:b?c#d%2F"]
)
def test_a_new_item_comes_back_as_it_was_written(
    world: World, connector: CalendarConnector, uid: str
) -> None:
    item = event(uid, "Visite, à Lyon; 北京\\")
    made = written(connector, world, item)
    assert made.item == item
    assert made.version
    if world.by_path:
        assert made.ref.startswith(world.calendar)
        assert "/" not in made.ref.removeprefix(world.calendar)
    stored = world.get(made.ref)
    assert stored is not None
    assert b"BEGIN:VEVENT" in stored
    assert everything(connector, world.calendar)[uid].item == item


def test_a_taken_uid_is_a_conflict_and_leaves_the_item_alone(
    world: World, connector: CalendarConnector
) -> None:
    made = written(connector, world, event("a@crm.example"))
    before = world.get(made.ref)
    with pytest.raises(Conflict):
        written(connector, world, event("a@crm.example", "Autre"))
    assert world.get(made.ref) == before
    assert world.refs() == {made.ref}


@pytest.mark.parametrize("world", ["memory-tokens", "radicale-tokens", "exchange-states"], indirect=True)
def test_a_uid_that_is_taken_under_another_name_is_a_conflict(
    world: World, connector: CalendarConnector
) -> None:
    """Xandikos lets two resources share a UID, against RFC 4791 section 5.3.2.1."""
    ref = world.put("other-name.ics", ics("a@crm.example"))
    with pytest.raises(Conflict):
        written(connector, world, event("a@crm.example"))
    assert world.refs() == {ref}


def test_an_update_changes_what_changed_and_keeps_the_rest(
    world: World, connector: CalendarConnector
) -> None:
    ref = world.put("a.ics", ics("a@other.example", "Visite", "X-UNKNOWN;X-A=b:kept", "PRIORITY:3"))
    (current,) = connector.read(world.calendar, [ref])
    assert isinstance(current, RemoteItem)
    main = replace(current.item.main, subject="Autre", location="Lyon")
    changed = connector.update(current, replace(current.item, components=(main,)), DRESS, notify=True)
    assert (changed.ref, changed.item.main.subject, changed.item.main.location) == (ref, "Autre", "Lyon")
    assert changed.version not in {"", current.version}
    stored = world.get(ref)
    assert stored is not None
    for line in (b"X-UNKNOWN;X-A=b:kept", b"PRIORITY:3", b"SUMMARY:Autre", b"LOCATION:Lyon"):
        assert line in stored
    # What it returned is good for the next one.
    again = connector.update(
        changed, replace(changed.item, components=(replace(main, subject="Encore"),)), DRESS, notify=True
    )
    assert everything(connector, world.calendar)["a@other.example"] == again


def test_an_update_of_what_somebody_else_changed_is_a_conflict(
    world: World, connector: CalendarConnector
) -> None:
    current = written(connector, world, event("a@crm.example"))
    world.put(world.name_of(current.ref), ics("a@crm.example", "Theirs"))
    before = world.get(current.ref)
    with pytest.raises(Conflict):
        connector.update(current, event("a@crm.example", "Ours"), DRESS, notify=True)
    assert world.get(current.ref) == before


def test_an_update_of_what_is_gone_is_a_conflict_and_brings_nothing_back(
    world: World, connector: CalendarConnector
) -> None:
    current = written(connector, world, event("a@crm.example"))
    world.remove(current.ref)
    with pytest.raises(Conflict):
        connector.update(current, event("a@crm.example", "Ours"), DRESS, notify=True)
    assert world.refs() == set()


def test_an_update_that_changes_nothing_writes_nothing(world: World, connector: CalendarConnector) -> None:
    current = written(connector, world, event("a@crm.example"))
    cursor = connector.changes(world.calendar, "").cursor
    assert connector.update(current, current.item, DRESS, notify=True).version == current.version
    assert connector.changes(world.calendar, cursor).listed == ()


def test_a_deleted_item_is_gone(world: World, connector: CalendarConnector) -> None:
    kept = written(connector, world, event("kept@crm.example"))
    for notify in (True, False):
        current = written(connector, world, event("a@crm.example"))
        connector.delete(current, notify=notify)
        assert world.refs() == {kept.ref}
        connector.delete(current, notify=notify)  # gone already: no error


def test_deleting_what_somebody_else_changed_is_a_conflict(
    world: World, connector: CalendarConnector
) -> None:
    current = written(connector, world, event("a@crm.example"))
    world.put(world.name_of(current.ref), ics("a@crm.example", "Theirs"))
    with pytest.raises(Conflict):
        connector.delete(current, notify=True)
    assert world.refs() == {current.ref}


def test_a_task_is_written_and_read(world: World, connector: CalendarConnector) -> None:
    ref = world.put("task.ics", ics("task@other.example", "Appeler", kind="VTODO"))
    home = world.home_of("VTODO")
    (current,) = connector.read(home, [ref])
    assert isinstance(current, RemoteItem)
    assert current.item.kind is Kind.TASK
    made = connector.create(home, replace(current.item, uid="task2@crm.example"), DRESS, notify=True)
    assert everything(connector, home)["task2@crm.example"].item == made.item


# --- login and life -------------------------------------------------------------------------------


@pytest.mark.parametrize("world", ["memory-tokens", "radicale-tokens", "exchange-states"], indirect=True)
def test_a_refused_login_is_an_error_of_the_mailbox(world: World) -> None:
    refused: CalendarConnector
    if isinstance(world, DavWorld):
        refused = DavConnector(world.access("wrong"))
    elif isinstance(world, EwsWorld):
        refused = world.connector_with("wrong")
    else:
        assert isinstance(world, MemoryWorld)
        world.server.login_refused = True
        refused = MemoryCalendarConnector(world.server)
    with pytest.raises(AuthFailed), refused:
        pass


def test_a_connector_works_only_while_it_is_entered(world: World) -> None:
    connector = world.connector()
    with pytest.raises(Unreachable):
        connector.changes(world.calendar, "")
    for _ in range(2):
        with connector:
            assert connector.changes(world.calendar, "").listed == ()
        with pytest.raises(Unreachable):
            connector.changes(world.calendar, "")


def test_an_item_that_cannot_be_written_is_an_error_of_its_own(
    world: World, connector: CalendarConnector
) -> None:
    good = event("a@crm.example")
    timeless = replace(good, components=(replace(good.main, timing=Timing()),))
    with pytest.raises(ItemError):
        written(connector, world, timeless)
    assert world.refs() == set()
