"""What is found in an event's texts is on its row, and never in what the CRM says the event is."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.calendar import Component, Hints, Item, Kind, Privacy
from store.activities import ActivityType
from store.calendar_rows import EventDraft, EventRecord
from syncd.core.directory import Directory
from syncd.engine.calendar.items import Setting, draft_of, item_of, settled
from syncd.engine.calendar.people import People
from syncd.engine.calendar.video import informed, is_news
from tests.property.calendar_items import items

calm = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SETTING = Setting(1, People(Directory(0, {}, {}, {}, {})), ZoneInfo("Europe/Paris"))
LINKS = [
    "https://zoom.us/j/1", "https://meet.google.com/abc-defg-hij", "https://teams.live.com/meet/1",
    "https://acme.example/agenda",
]  # fmt: skip
LINES = st.sampled_from(
    ["", "Salle 3", "Salle 3; https://zoom.us/j/1", *LINKS, f"Voir <{LINKS[0]}>.\n{LINKS[1]}"]
)
HINTS = st.none() | st.builds(
    Hints,
    st.sampled_from(["", *LINKS]),
    st.lists(st.sampled_from(LINKS), max_size=2).map(tuple),
    st.booleans(),
)
CATEGORIES = st.frozensets(st.sampled_from(["Visite", "Réunion", "Visioconférence", "Client"]), max_size=2)


@st.composite
def events(draw: st.DrawFn) -> Item:
    """An event with links in any place."""
    item = replace(draw(items(kind=Kind.EVENT)), companion=False)
    return replace(item, components=tuple(_with_links(draw, one) for one in item.components))


def _with_links(draw: st.DrawFn, one: Component) -> Component:
    return replace(
        one,
        location=draw(LINES),
        notes=draw(LINES),
        video_url=draw(st.sampled_from(["", "", *LINKS, "https://visio.acme.example/x"])),
        categories=draw(CATEGORIES),
        privacy=draw(st.sampled_from([Privacy.PUBLIC, Privacy.PUBLIC, Privacy.PRIVATE])),
        hints=draw(HINTS),
    )


def record(draft: EventDraft) -> EventRecord:
    return EventRecord(1, 1, datetime(2026, 11, 22, tzinfo=UTC), draft.rows[0], draft.rows[1:])


def told(draft: EventDraft) -> list[tuple[object, ...]]:
    """What the rows say of the meeting."""
    names = ("type", "video_provider", "video_url")
    return [(*(row.values[name] for name in names), row.values["timing"].get("video")) for row in draft.rows]


@calm
@given(events())
def test_taking_something_in_is_never_a_change_to_send_out(item: Item) -> None:
    after = settled(item)
    assert item_of(record(draft_of(after, SETTING, None))) == replace(after, crm_id="1")


@calm
@given(events())
def test_what_the_row_says_stays_while_nothing_changes_and_when_only_the_crm_speaks(item: Item) -> None:
    after = settled(item)
    first = draft_of(after, SETTING, None)
    known = record(first)
    alone = draft_of(item_of(known), SETTING, known)  # as after an edit in the CRM: it knows no hints
    assert told(alone) == told(first)
    assert told(draft_of(informed(item_of(known), after), SETTING, known)) == told(first)
    seen = informed(settled(replace(item)), after)
    assert not is_news(record(alone), seen, SETTING.providers)


@calm
@given(events(), st.sampled_from(["subject", "busy", "alarms"]))
def test_an_edit_of_anything_else_leaves_the_meeting(item: Item, name: str) -> None:
    known = record(draft_of(settled(item), SETTING, None))
    values: dict[str, object] = {"subject": "Autre", "busy": False, "alarms": frozenset({"-PT5M"})}
    mine = item_of(known)
    main = replace(mine.main, **{name: values[name]})  # type: ignore[arg-type]
    after = settled(replace(mine, components=(main, *mine.components[1:])))
    assert told(draft_of(after, SETTING, known)) == told(EventDraft((known.main, *known.overrides)))


@calm
@given(events())
def test_a_row_never_says_more_than_its_event(item: Item) -> None:
    after = settled(item)
    for one, row in zip(after.components, draft_of(after, SETTING, None).rows, strict=True):
        url, kind, mark = row.values["video_url"], row.values["type"], row.values["timing"].get("video")
        hints = one.hints or Hints()
        stands = [one.video_url, one.location, one.notes, hints.url, *hints.links]
        assert any(url in text for text in stands)
        if one.privacy is not Privacy.PUBLIC:
            assert (url, mark) == (one.video_url, None)
        if one.video_url:
            assert (url, mark) == (one.video_url, None)
        if not {"Visite", "Réunion", "Visioconférence"} & one.categories:
            assert (kind is ActivityType.VIDEO_CALL) == bool(url or mark)
