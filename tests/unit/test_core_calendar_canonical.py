"""The canonical form: its text, its digest, its units; and notes that were written to keep us busy."""

from dataclasses import replace
from datetime import UTC, date, datetime
from time import perf_counter

import pytest

from connectors.calendar import Attendee, Component, Item, Kind, Privacy, Response, Status, Timing, When
from syncd.core.canonical import Unit, changed_units, digest, dump, load, redacted, value_of, with_value
from syncd.core.notes import merge_text

TEN = datetime(2026, 11, 24, 10)  # noqa: DTZ001 - the zone stands beside it
MAIN = Component(
    Timing(
        When(TEN, "Europe/Paris"),
        When(TEN, "Acme Standard Time"),
        "FREQ=DAILY",
        (When(TEN, "UTC"),),
        (When(TEN),),
    ),
    location="Liège",
    subject="Dîner « à Liège » 🍽",
    notes='a\nb\t"c"',
    alarms=frozenset({"-PT15M", "-PT1H"}),
    categories=frozenset({"b", "a"}),
    organizer="claire@acme.example",
    attendees=(Attendee("anna@client.example", Response.ACCEPTED, "Anna"),),
    video_url="https://meet.example/1",
)
ITEM = Item("u1", Kind.EVENT, (MAIN,), 3, "crm-1", True, (("Acme Standard Time", "BEGIN:VTIMEZONE"),))
TASK = Item("t", Kind.TASK, (Component(Timing(end=When(date(2026, 1, 2))), status=Status.DONE, busy=False,
                                       completed=datetime(2026, 1, 1, tzinfo=UTC)),))  # fmt: skip


@pytest.mark.parametrize("item", [ITEM, TASK])
def test_every_field_survives_the_database(item: Item) -> None:
    found = load(dump(item))
    assert found == item
    assert (found.sequence, found.crm_id, found.zones) == (item.sequence, item.crm_id, item.zones)
    assert [one.name for one in found.main.attendees] == [one.name for one in item.main.attendees]
    assert "\n" not in dump(item)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", "1", '{"form":2}',
     '{"form":1,"uid":"u","kind":"VEVENT","components":[{"busy":1}]}',
     '{"form":1,"uid":1,"kind":"VEVENT"}', '{"form":1,"kind":"VJOURNAL"}', "[" * 100_000,
     '{"form":1,"uid":"u","kind":"VEVENT","components":[{"timing":{"start":"soon"}}]}',
     '{"form":1,"uid":"u","kind":"VEVENT","components":[{"alarms":["a",1]}]}',
     '{"form":1,"uid":"u","kind":"VEVENT","components":[{"status":[]}]}'],
)  # fmt: skip
def test_text_that_is_no_item_is_told_as_that(text: str) -> None:
    with pytest.raises(ValueError, match="what is stored is not a calendar item"):
        load(text)


def test_an_item_without_any_component_is_none() -> None:
    with pytest.raises(ValueError, match="what is stored"):
        load('{"form":1,"uid":"u","kind":"VEVENT","components":[]}')


def test_the_digest_counts_wall_clock_and_zone_but_neither_names_nor_sequence() -> None:
    named = replace(MAIN, attendees=(Attendee("anna@client.example", Response.ACCEPTED, "A. Petit"),))
    assert digest(replace(ITEM, components=(named,), sequence=9, crm_id="", zones=())) == digest(ITEM)
    same_moment = replace(MAIN, timing=replace(MAIN.timing, start=When(TEN.replace(hour=9), "UTC")))
    assert digest(replace(ITEM, components=(same_moment,))) != digest(ITEM)


def test_each_unit_is_set_and_read_by_itself() -> None:
    blank = Component(Timing(), status=Status.TENTATIVE, privacy=Privacy.PRIVATE, busy=False)
    for unit in Unit:
        changed = with_value(blank, unit, value_of(MAIN, unit))
        assert changed_units(blank, changed) == {unit}
        assert value_of(changed, unit) == value_of(MAIN, unit)
    with pytest.raises(TypeError):
        with_value(blank, Unit.TIMING, "tomorrow")
    with pytest.raises(TypeError):
        with_value(blank, Unit.SUBJECT, True)


def test_one_private_occurrence_makes_the_whole_item_busy_time() -> None:
    override = replace(MAIN, recurrence_id=When(TEN, "Europe/Paris"), privacy=Privacy.CONFIDENTIAL)
    found = redacted(replace(ITEM, components=(MAIN, override)))
    assert [one.subject + one.notes + one.video_url + one.organizer for one in found.components] == ["", ""]
    assert [one.timing for one in found.components] == [MAIN.timing, MAIN.timing]
    assert redacted(ITEM) is ITEM


@pytest.mark.parametrize("lines", [["x"], ["a", "b"], [str(number) for number in range(200)]])
def test_notes_written_to_keep_us_busy_cost_little(lines: list[str]) -> None:
    base = [lines[number % len(lines)] for number in range(19_000)]
    crm = [line if number % 3 else "crm" for number, line in enumerate(base)]
    began = perf_counter()
    merge_text("\n".join(base), "\n".join(crm), "\n".join(base[::-1]))
    assert merge_text("x\n" * 30_000, "y", "z") is None
    assert perf_counter() - began < 2
