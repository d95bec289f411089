"""An item written to Exchange and read back is what was meant, or is refused: never another item."""

from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors.calendar import Attendee, Component, Dress, Item, Kind, Status, Timing, When
from connectors.ews.calendar import composing, requests
from connectors.ews.calendar.applying import applied, dressed
from connectors.ews.calendar.native import Native
from connectors.ews.calendar.reading import Owner, component_of
from connectors.ews.calendar.recurrence import Inexpressible
from tests.property.calendar_items import items
from tests.property.ews_items import OWNER, stored
from tests.servers.ews.schema import schema_folder, why_not

DRESSES = st.sampled_from(
    [Dress(), Dress("acme/1"), Dress("7", "Acme", "Offre", "Compte : Acme\nOpportunité : Offre")]
)
WHOSE = Owner(frozenset({OWNER}), "Europe/Paris")


def written(item: Item, dress: Dress) -> Native:
    main = item.main
    blank = Native(item.kind, uid=item.uid, organizer=OWNER)
    return dressed(applied(blank, main, WHOSE, fresh=True), item, dress, main, fresh=True)


def plain(item: Item) -> Item:
    """Without what other tests are about: overrides, and what needs a server."""
    main = replace(item.main, recurrence_id=None, this_and_future=False)
    timing = replace(main.timing, rdates=(), exdates=())
    if main.organizer or main.attendees:  # Exchange makes the owner of a meeting its organizer
        main = replace(main, organizer=OWNER)
    return replace(item, components=(replace(main, timing=timing),))


@settings(deadline=None)
@given(items(), DRESSES)
def test_what_is_written_reads_back_or_is_refused(item: Item, dress: Dress) -> None:
    item = plain(item)
    try:
        made = written(item, dress)
    except Inexpressible as error:
        event(f"refused: {error}"[:60])
        return
    event("written")
    found = component_of(stored(made), WHOSE)
    wanted = item.main
    assert found == wanted


def test_a_task_with_participants_is_refused() -> None:
    """Exchange has none for tasks: they would be lost in silence."""
    start = When(datetime(2026, 11, 2), "Europe/Paris")  # noqa: DTZ001 - wall-clock time
    main = Component(timing=Timing(start, start), status=Status.OPEN, busy=False)
    guest = replace(main, attendees=(Attendee("anne@client.test"),))
    assert written(Item("1@acme.example", Kind.TASK, (main,)), Dress()).kind is Kind.TASK
    with pytest.raises(Inexpressible, match="attendees of a task"):
        written(Item("1@acme.example", Kind.TASK, (guest,)), Dress())


@settings(deadline=None)
@given(items(), items(), DRESSES)
def test_an_update_sends_what_changed_and_reads_back(one: Item, other: Item, dress: Dress) -> None:
    before, after = plain(one), plain(other)
    if before.kind is not after.kind:
        return
    after = replace(after, uid=before.uid)
    try:
        native = stored(written(before, dress))
        changed = dressed(applied(native, after.main, WHOSE), after, dress, after.main, fresh=False)
    except Inexpressible:
        event("refused")
        return
    event("written")
    found = component_of(stored(changed), WHOSE)
    assert found == after.main
    assert bool(composing.changes(native, changed)) or component_of(native, WHOSE) == after.main
    same = dressed(
        applied(native, component_of(native, WHOSE), WHOSE), before, dress, before.main, fresh=False
    )
    assert composing.changes(native, same) == []


SCHEMA = schema_folder()


@settings(deadline=None)
@given(items(), DRESSES)
def test_what_is_sent_keeps_to_the_schema(item: Item, dress: Dress) -> None:
    if SCHEMA is None:
        pytest.skip(why_not() or "no schema")
    item = plain(item)
    try:
        made = written(item, dress)
    except Inexpressible:
        return
    schema = _schema()
    for body in (
        requests.create(composing.new(made), "F", notify=True, kind=item.kind),
        requests.update(
            "I", "K", composing.changes(Native(item.kind), made), sending="SendToNone", kind=item.kind
        ),
    ):
        if len(body.findall(".//*")) > 3:
            assert schema.validate(etree.fromstring(ET.tostring(body))), schema.error_log.last_error


_made: list[etree.XMLSchema] = []


def _schema() -> etree.XMLSchema:
    if not _made and SCHEMA is not None:
        _made.append(etree.XMLSchema(etree.parse(SCHEMA / "messages.xsd")))
    return _made[0]
