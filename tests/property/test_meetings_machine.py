"""Whatever happens to meetings while time goes on: each occurrence is recorded at most once, none that was
held is left out, and what was reported on stays."""

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from store import actors
from store.audit_log import Channel
from store.errors import Forbidden, Immutable, Invalid
from store.meetings import ReportChannel
from syncd.core.meetings.ended import Rules
from syncd.engine.calendar.items import item_of
from syncd.engine.calendar.occasion import Occasion, instance_of
from syncd.engine.calendar.people import People
from syncd.engine.meetings import telling
from tests.servers.databases import NewDatabase
from tests.servers.meeting_world import LINK, MeetingWorld

PARIS = ZoneInfo("Europe/Paris")
BEGIN = datetime(2026, 11, 23, 6, tzinfo=UTC)
REFUSED = (Invalid, Immutable, Forbidden)
HOURS = st.integers(7, 20)
DAYS = st.integers(23, 28)
WHICH = st.integers(0, 4)
ROUNDS = int(os.environ.get("SYNCD_MACHINE_ROUNDS", "16"))


@dataclass(frozen=True)
class Seen:
    """An activity, as a person would see it."""

    id: int
    state: str
    start: str
    subject: str


class Meetings(RuleBasedStateMachine):
    """Claire makes, moves and cancels meetings; the clock goes on; she reports on some."""

    template: str
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(dir=self.folder))
        database = self.directory / "crm.db"
        shutil.copy(self.template, database)
        self.world = MeetingWorld(self.directory / "syncd", f"sqlite:///{database}")
        self.world.begin()
        self.world.now = BEGIN
        self.desk = self.world.desk("claire")
        self.events: list[int] = []
        self.most: dict[int, int] = {}  # how many meetings there can have been of each event
        self.validated: dict[int, Seen] = {}

    def teardown(self) -> None:
        self.world.close()
        shutil.rmtree(self.directory)

    @initialize(hour=HOURS)
    def a_week_begins(self, hour: int) -> None:
        """Three meetings are there, and some of them are over."""
        self.add(day=23, hour=hour, daily=True, linked=True)
        self.add(day=24, hour=9, daily=False, linked=True)
        self.add(day=25, hour=9, daily=False, linked=False)
        self.wait(39)

    # --- what happens -----------------------------------------------------------------------------

    @precondition(lambda self: len(self.events) < 5)
    @rule(day=DAYS, hour=HOURS, daily=st.booleans(), linked=st.booleans())
    def add(self, *, day: int, hour: int, daily: bool, linked: bool) -> None:
        said: dict[str, object] = {"video_url": LINK}
        if linked:
            said["account"] = str(self.world.account)
        if daily:
            said["rrule"] = "FREQ=DAILY;COUNT=4"
        id_ = self.desk.add("Visio", f"2026-11-{day}T{hour:02}:00", **said)
        self.events.append(id_)
        self.most[id_] = 4 if daily else 1

    @precondition(lambda self: len(self.events) < 5)
    @rule(which=WHICH, daily=st.booleans())
    def add_one_that_says_the_same(self, *, which: int, daily: bool) -> None:
        """As two talks in one room, or a client that gives an event another UID."""
        values = self.desk.record(self.event(which)).main.values
        if values["account_id"] is None:
            return
        start = values["start"].astimezone(PARIS)
        said: dict[str, object] = {"rrule": "FREQ=DAILY;COUNT=4"} if daily else {}
        id_ = self.desk.add(values["subject"], f"{start:%Y-%m-%dT%H:%M}", video_url=LINK,
                            account=str(self.world.account), **said)  # fmt: skip
        self.events.append(id_)
        self.most[id_] = 4 if daily else 1

    @rule(which=WHICH, day=DAYS, hour=HOURS)
    def move(self, which: int, day: int, hour: int) -> None:
        """To another day, which may be a second meeting where the first one was held."""
        start = f"2026-11-{day}T{hour:02}:00"
        if self.tried(which, start=start, end=f"2026-11-{day}T{hour + 1:02}:00"):
            self.most[self.event(which)] += 4

    @rule(which=WHICH, hour=HOURS)
    def move_within_the_day(self, which: int, hour: int) -> None:
        """It is the same meeting, with all of its series."""
        values = self.desk.record(self.event(which)).main.values
        day = values["start"].astimezone(PARIS).date()
        over = values["end"] + timedelta(hours=12) < self.world.now
        if over or values["start"] > self.world.now:
            self.tried(which, start=f"{day}T{hour:02}:00", end=f"{day}T{hour + 1:02}:00")

    @rule(which=WHICH, day=DAYS, hour=HOURS)
    def move_one(self, which: int, day: int, hour: int) -> None:
        start, end = f"2026-11-{day}T{hour:02}:30", f"2026-11-{day}T{hour + 1:02}:00"
        self.tried(which, occurrence=f"2026-11-{day}", start=start, end=end)

    @rule(which=WHICH, more=st.booleans())
    def recur(self, *, which: int, more: bool) -> None:
        if self.tried(which, rrule="FREQ=DAILY;COUNT=3" if more else ""):
            self.most[self.event(which)] = max(3, self.most[self.event(which)])

    @rule(which=WHICH, name=st.sampled_from(["Revue", "Point"]))
    def rename(self, which: int, name: str) -> None:
        self.tried(which, subject=name)

    @rule(which=WHICH, account=st.booleans())
    def link(self, *, which: int, account: bool) -> None:
        self.tried(which, account=str(self.world.account) if account else "")

    @rule(which=WHICH, day=st.one_of(st.none(), DAYS))
    def cancel(self, which: int, day: int | None) -> None:
        with suppress(*REFUSED):
            self.desk.cancel(self.event(which), occurrence=None if day is None else f"2026-11-{day}")

    @rule(hours=st.integers(1, 40))
    def wait(self, hours: int) -> None:
        self.world.now += timedelta(hours=hours)
        self.world.follow_up()

    @rule()
    def look(self) -> None:
        self.world.follow_up()

    @rule(hours=st.integers(1, 30))
    def clock_is_put_back(self, hours: int) -> None:
        now = self.world.now
        self.world.follow_up(now - timedelta(hours=hours))
        self.world.now = now

    @rule(number=st.integers(0, 8))
    def report(self, number: int) -> None:
        pending = [one for one in self.activities() if one.state == "PENDING_REPORT"]
        if not pending:
            return
        chosen = pending[number % len(pending)]
        installation = self.world.open()
        with installation.database.write() as session:
            occasion = Occasion(
                actor=actors.user(session, "claire"), channel=Channel.CLI, now=self.world.now,
                people=People(installation.mail.known.directory()), floating=PARIS, language="fr",
                default_alarm=None, instance=instance_of(installation.hashed),
            )  # fmt: skip
            telling.answer(session, chosen.id, "Fait.", occasion, ReportChannel.CLI)
        (done,) = [one for one in self.activities() if one.id == chosen.id]
        assert done.state == "VALIDATED"
        self.validated[done.id] = done

    # --- what must hold ---------------------------------------------------------------------------

    @invariant()
    def what_was_reported_on_stays(self) -> None:
        found = {one.id: one for one in self.activities()}
        assert {id_: found.get(id_) for id_ in self.validated} == self.validated

    @invariant()
    def no_meeting_has_two_records(self) -> None:
        assert (
            self.world.rows(
                "SELECT uid, scheduled_start FROM meeting_record r JOIN activity a ON a.id = r.activity_id "
                "WHERE a.deleted_at IS NULL AND a.state = 'PENDING_REPORT' "
                "GROUP BY uid, scheduled_start HAVING count(*) > 1"
            )
            == []
        )

    @invariant()
    def no_event_has_more_records_than_it_had_meetings(self) -> None:
        for id_, most in self.most.items():
            uid = self.desk.record(id_).main.values["uid"]
            count = self.world.one(
                "SELECT count(*) FROM meeting_record r JOIN activity a ON a.id = r.activity_id "
                "WHERE r.uid = :uid AND a.deleted_at IS NULL",
                uid=uid,
            )
            assert int(str(count)) <= most

    @invariant()
    def a_pending_record_is_of_what_is_over(self) -> None:
        self.world.follow_up()
        late = f"{self.world.now:%Y-%m-%d %H:%M:%S.%f}"
        assert (
            self.world.rows(
                "SELECT r.uid, r.scheduled_end FROM meeting_record r JOIN activity a ON a.id = r.activity_id "
                "WHERE a.deleted_at IS NULL AND a.state = 'PENDING_REPORT' AND r.scheduled_end > :late",
                late=late,
            )
            == []
        )

    @invariant()
    def every_open_form_is_of_a_pending_activity_and_has_its_task(self) -> None:
        assert (
            self.world.rows(
                "SELECT r.id FROM meeting_report r JOIN activity a ON a.id = r.activity_id "
                "LEFT JOIN task t ON t.id = r.task_id WHERE r.state IN ('OFFERED', 'REMINDED') AND "
                "(a.state <> 'PENDING_REPORT' OR a.deleted_at IS NOT NULL OR t.hidden OR t.state <> 'OPEN')"
            )
            == []
        )
        assert (
            self.world.rows(
                "SELECT activity_id FROM meeting_report WHERE state IN ('OFFERED', 'REMINDED') "
                "GROUP BY activity_id HAVING count(*) > 1"
            )
            == []
        )

    @invariant()
    def what_was_held_is_recorded(self) -> None:
        """By the simplest reckoning there is: every occurrence that is over has its own record."""
        self.world.follow_up()
        for id_ in self.events:
            record = self.desk.record(id_)
            values = record.main.values
            if values["hidden"] or values["account_id"] is None:
                continue
            uid = values["uid"]
            ends = {
                str(end)
                for (end,) in self.world.rows(
                    "SELECT r.scheduled_end FROM meeting_record r JOIN activity a ON a.id = r.activity_id "
                    "WHERE r.uid = :uid AND a.deleted_at IS NULL",
                    uid=uid,
                )
            }
            done = self.world.one(
                "SELECT count(*) FROM meeting_record r JOIN activity a ON a.id = r.activity_id "
                "WHERE r.uid = :uid AND a.state = 'VALIDATED'",
                uid=uid,
            )
            if done:
                continue  # such a record stays where it is, whatever becomes of its event
            for end in simply(item_of(record), self.world.now):
                assert f"{end:%Y-%m-%d %H:%M:%S.%f}" in ends, (end, ends)

    # --- parts ------------------------------------------------------------------------------------

    def event(self, which: int) -> int:
        return self.events[which % len(self.events)]

    def tried(self, which: int, *, occurrence: str | None = None, **said: object) -> bool:
        """Whether anything came of it."""
        with suppress(*REFUSED):
            return self.desk.edit(self.event(which), occurrence=occurrence, **said).changed
        return False

    def activities(self) -> list[Seen]:
        return [
            Seen(int(str(id_)), str(state), str(start), str(subject))
            for id_, state, start, subject in self.world.rows(
                "SELECT a.id, a.state, a.occurred_at, a.subject FROM activity a "
                "JOIN meeting_record r ON r.activity_id = a.id WHERE a.deleted_at IS NULL ORDER BY a.id"
            )
        ]


def simply(item: object, now: datetime) -> list[datetime]:
    """When the occurrences that are over ended: a daily series of some, day by day."""
    from connectors.calendar import Item, When

    assert isinstance(item, Item)
    main, changed = item.main, {one.key: one for one in item.components[1:]}
    count = int(main.timing.rrule.partition("COUNT=")[2].partition(";")[0] or 1)
    start, end = main.timing.start, main.timing.end
    assert start is not None
    assert end is not None
    gone = {one.key() for one in main.timing.exdates}
    ends = []
    for number in range(count):
        place = When(start.local + timedelta(days=number), start.zone)
        if place.key() in gone:
            continue
        own = changed.get(place.key())
        last = own.timing.end if own is not None else When(end.local + timedelta(days=number), end.zone)
        assert last is not None
        ends.append(last.instant(PARIS))
    return [one for one in ends if one + Rules().grace <= now]


def test_meetings_are_recorded_once_whatever_happens_to_them(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    template = new_database("sqlite").removeprefix("sqlite:///")
    machine = type("OfThisTest", (Meetings,), {"template": template, "folder": tmp_path})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=ROUNDS, stateful_step_count=12, deadline=None)
    )
