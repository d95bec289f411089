"""Which meeting a report belongs to, who came, and how long it really lasted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.attendance.model import AttendanceReport, Attended, Provider, Visit
from connectors.attendance.reading import read
from syncd.core.meetings.attendance import Evidence, Held, held, who_came
from syncd.core.meetings.belonging import (
    Belongs,
    Candidate,
    Reason,
    meeting_of,
    plain_title,
    zoom_number,
)
from syncd.core.meetings.people import Participant, names_of, plain_name
from tests import reports

PARIS = ZoneInfo("Europe/Paris")
CLAIRE = Participant("u1", ("claire@acme.example",), "Claire Dupont", organizer=True)
BOB = Participant("c1", ("bob@globex.example", "robert.martin@globex.example"), "Robert MARTIN")
ZOE = Participant("c2", ("zoe@globex.example",), "Zoé Petit")
LINK = "https://us02web.zoom.us/j/81234567890?pwd=x"


def at(hour: int, minute: int = 0, day: int = 22, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def meeting(
    id_: int,
    title: str = "Point projet, Globex",
    start: datetime | None = None,
    *,
    hours: float = 1,
    link: str = "",
    people: Sequence[Participant] = (CLAIRE, BOB, ZOE),
) -> Candidate:
    begin = start or at(14)
    return Candidate(id_, title, begin, begin + timedelta(hours=hours), link, tuple(people))


ZOOM = read(reports.ZOOM.encode(), "zoom.csv")
TEAMS = read(reports.utf16(*reports.teams(title="Point projet Globex")), "teams.csv")
LIST = read(reports.utf16(*reports.OLD_LIST), "list.csv")
TWO_WAYS = read(reports.ZOOM.replace("11/22/2026", "03/04/2026").encode(), "zoom.csv")


def found(
    readings: Sequence[AttendanceReport], *candidates: Candidate
) -> int | tuple[Reason, tuple[int, ...]]:
    answer = meeting_of(readings, PARIS, candidates)
    return answer.id if isinstance(answer, Belongs) else (answer.reason, answer.ids)


# --- which meeting ----------------------------------------------------------------------------------------


def test_zooms_number_in_the_join_link_decides() -> None:
    assert found(ZOOM, meeting(1, "Renamed since", link=LINK, people=()), meeting(2)) == 1


def test_another_number_in_the_link_speaks_against_a_meeting() -> None:
    other = meeting(1, link="https://zoom.us/j/99999999999")
    assert found(ZOOM, other) == (Reason.OTHERS, ())
    assert found(ZOOM, other, meeting(2)) == 2


@pytest.mark.parametrize(
    "title",
    [
        "Point projet Globex",
        "POINT PROJET GLOBEX",
        "RE: Point  projet : Globex",
        "TR: RE: Point projét Globex",
    ],
)
def test_a_title_is_the_same_whatever_its_case_accents_and_prefixes(title: str) -> None:
    assert found(TEAMS, meeting(1, title, people=()), meeting(2, "Déjeuner", people=())) == 1


def test_a_meeting_of_another_day_is_none() -> None:
    assert found(TEAMS, meeting(1, start=at(14, day=21))) == (Reason.NOT_THEN, ())


def test_a_meeting_that_began_early_or_late_by_half_an_hour_is_the_one() -> None:
    assert found(TEAMS, meeting(1, start=at(15, 30))) == 1
    assert found(TEAMS, meeting(1, start=at(15, 33))) == (Reason.NOT_THEN, ())
    assert found(TEAMS, meeting(1, start=at(12, 30))) == 1


def test_of_two_in_a_row_with_one_title_the_one_with_far_more_overlap_is_meant() -> None:
    assert found(TEAMS, meeting(1, start=at(13)), meeting(2, start=at(14))) == 2
    both = meeting(1, start=at(13, 30)), meeting(2, start=at(14, 30))
    assert found(TEAMS, *both) == (Reason.SEVERAL, (1, 2))


def test_of_two_with_one_title_the_one_with_its_people_is_meant() -> None:
    assert found(TEAMS, meeting(1, people=(ZOE,)), meeting(2, people=(CLAIRE, BOB))) == 2


def test_without_a_title_the_people_decide() -> None:
    assert found(LIST, meeting(1, people=(ZOE,)), meeting(2, people=(CLAIRE, BobMartin))) == 2
    assert found(LIST, meeting(1, people=(CLAIRE, ZOE))) == (Reason.OTHERS, (1,))


BobMartin = replace(BOB, name="Bob Martin")


def test_against_another_title_half_of_either_side_must_be_the_same() -> None:
    assert found(TEAMS, meeting(1, "Renamed", people=(CLAIRE, BobMartin, ZOE))) == 1
    crowd = [Participant(f"p{n}", (f"p{n}@acme.example",), f"Person Nummer{n}") for n in range(5)]
    assert found(TEAMS, meeting(1, "All hands", people=(CLAIRE, BobMartin, *crowd))) == (Reason.OTHERS, (1,))


def test_a_date_that_can_be_read_in_two_ways_is_decided_by_the_meetings() -> None:
    march, april = meeting(1, start=at(14, day=4, month=3)), meeting(2, start=at(14, day=3, month=4))
    answer = meeting_of(TWO_WAYS, PARIS, [april])
    assert isinstance(answer, Belongs)
    assert (answer.id, answer.report.started) == (2, at(14, day=3, month=4))
    assert found(TWO_WAYS, march) == 1
    assert found(TWO_WAYS, march, april) == (Reason.DATES, (1, 2))
    assert found(TWO_WAYS, march, april, replace(april, id=3)) == (Reason.DATES, (1, 2, 3))
    assert found(TWO_WAYS) == (Reason.NOT_THEN, ())


def test_a_report_without_times_belongs_to_the_only_meeting_of_its_title_or_number() -> None:
    timeless = [replace(ZOOM[0], started=None, ended=None, people=())]
    assert found(timeless, meeting(1, "x", link=LINK), meeting(2, "y")) == 1
    assert found(timeless, meeting(1), meeting(2, start=at(9))) == (Reason.SEVERAL, (1, 2))
    assert found([replace(timeless[0], title="", meeting_id="")], meeting(1)) == (Reason.NO_TIME, ())


@pytest.mark.parametrize(
    ("link", "number"),
    [
        (LINK, "81234567890"),
        ("https://acme.zoom.us/w/812345678?tk=1", "812345678"),
        ("https://app.zoom.us/wc/join/81234567890", "81234567890"),
        ("https://zoom.us/my/claire", ""),
        ("https://teams.microsoft.com/l/meetup-join/81234567890", ""),
        ("", ""),
    ],
)
def test_zooms_number_is_taken_from_its_links_only(link: str, number: str) -> None:
    assert zoom_number(link) == number


def test_a_title_of_nothing_but_signs_is_no_title() -> None:
    assert plain_title("RE: ") == plain_title(" — ") == ""


# --- who came ---------------------------------------------------------------------------------------------


def person(
    name: str, email: str = "", *spans: tuple[int, int], seconds: int = 0, open_: bool = False
) -> Attended:
    visits = tuple(Visit(at(14, a), None if open_ else at(14, b)) for a, b in spans)
    last = None if open_ or not visits else max(visit.leave for visit in visits if visit.leave)
    first = min((visit.join for visit in visits), default=None)
    return Attended(name, email, first, last, seconds or sum((b - a) * 60 for a, b in spans), visits=visits)


def report(*people: Attended) -> AttendanceReport:
    joins = [one.first_join for one in people if one.first_join]
    return AttendanceReport(Provider.TEAMS, "", "", min(joins, default=None), None, tuple(people))


def test_who_came_who_did_not_and_who_else_came() -> None:
    came = who_came(
        (CLAIRE, BOB, ZOE),
        report(
            person("Claire", "claire@acme.example", (0, 50)),
            person("Bob (Robert Martin)", "", (5, 15), (20, 50)),
            person("Yves Roux", "yves@globex.example", (10, 50)),
            person("+33 1 ** ** 01", "", (10, 12)),
        ),
    )
    assert [(one.key, one.seconds, one.by) for one in came.present] == [
        ("u1", 3000, Evidence.ADDRESS),
        ("c1", 2400, Evidence.NAME),
    ]
    assert came.absent == ("c2",)
    assert [(one.name, one.email) for one in came.unplanned] == [
        ("Yves Roux", "yves@globex.example"),
        ("+33 1 ** ** 01", ""),
    ]


def test_any_address_of_a_person_is_theirs() -> None:
    (present,) = who_came((BOB,), report(person("x", "robert.martin@globex.example", (0, 10)))).present
    assert present.by is Evidence.ADDRESS


def test_an_address_goes_before_a_name() -> None:
    twin = Participant("c3", ("other@globex.example",), "Robert Martin")
    came = who_came((BOB, twin), report(person("Robert Martin", "other@globex.example", (0, 10))))
    assert [one.key for one in came.present] == ["c3"]


def test_a_name_that_two_participants_have_is_nobodys() -> None:
    twin = Participant("c3", (), "Martin, Robert")
    came = who_came((BOB, twin), report(person("Robert Martin", "", (0, 10))))
    assert (came.present, came.absent, len(came.unplanned)) == ((), ("c1", "c3"), 1)


def test_a_name_is_free_again_when_its_other_bearer_was_known_by_address() -> None:
    twin = Participant("c3", (), "Martin, Robert")
    people = person("Robert Martin", "bob@globex.example", (0, 10)), person("Robert Martin", "", (0, 10))
    assert [one.key for one in who_came((BOB, twin), report(*people)).present] == ["c1", "c3"]


def test_two_addresses_under_one_name_are_two_people() -> None:
    came = who_came(
        (BOB,),
        report(
            person("Robert Martin", "a@x.example", (0, 10)), person("Robert Martin", "b@x.example", (0, 10))
        ),
    )
    assert (came.present, len(came.unplanned)) == ((), 2)


def test_time_on_two_devices_at_once_counts_once() -> None:
    came = who_came(
        (BOB,),
        report(
            person("Robert Martin", "bob@globex.example", (0, 30)),
            person("Robert Martin", "robert.martin@globex.example", (20, 40)),
        ),
    )
    assert [(one.seconds, one.last_leave) for one in came.present] == [(2400, at(14, 40))]


def test_who_had_not_left_has_no_last_leave() -> None:
    (present,) = who_came((BOB,), report(person("Robert Martin", "", (0, 0), open_=True, seconds=60))).present
    assert (present.last_leave, present.seconds) == (None, 60)


@pytest.mark.parametrize(
    "shown",
    [
        "Claire Dupont",
        "DUPONT Claire",
        "Dupont, Claire (Guest)",
        "claire dupont (Invité)",
        "Clairé Dupont [Acme]",
    ],
)
def test_spellings_of_one_name_are_one(shown: str) -> None:
    assert not names_of(shown).isdisjoint(names_of("Claire Dupont"))


@pytest.mark.parametrize("shown", ["", "+33 1 23", "(Guest)", "Guest", "🎥", "Invité 2"])
def test_what_is_no_name_is_none(shown: str) -> None:
    assert names_of(shown) == frozenset()


# --- how long ---------------------------------------------------------------------------------------------


def minutes(*people: Attended) -> tuple[datetime, datetime | None] | None:
    answer = held(report(*people))
    return (answer.started, answer.ended) if answer else None


def test_waiting_alone_is_no_meeting() -> None:
    assert minutes(person("a", "", (0, 59)), person("b", "", (10, 40))) == (at(14, 10), at(14, 40))


def test_a_break_counts_when_the_meeting_goes_on_after_it() -> None:
    assert minutes(person("a", "", (0, 59)), person("b", "", (10, 20), (40, 50))) == (at(14, 10), at(14, 50))


def test_who_came_alone_met_nobody() -> None:
    assert minutes(person("a", "", (0, 59))) is None
    assert minutes(person("a", "", (0, 10)), person("b", "", (10, 20))) is None
    assert minutes() is None


def test_two_devices_of_one_person_are_no_two_people() -> None:
    assert minutes(person("a", "", (0, 40), (10, 50))) is None


def test_where_two_had_not_left_the_end_is_not_known() -> None:
    open_ends = person("a", "", (0, 0), open_=True), person("b", "", (5, 5), open_=True)
    assert minutes(*open_ends) == (at(14, 5), None)
    assert Held(at(14), None).seconds is None


def test_who_stays_alone_in_the_list_ends_the_meeting() -> None:
    assert minutes(person("a", "", (0, 0), open_=True), person("b", "", (5, 30))) == (at(14, 5), at(14, 30))


def test_a_real_report_gives_the_length_of_the_talk() -> None:
    answer = held(TEAMS[0].in_zone(PARIS))
    assert answer is not None
    assert answer.started == datetime(2026, 11, 22, 13, 0, 5, tzinfo=UTC)
    assert answer.seconds == 3655


@pytest.mark.parametrize(
    ("shown", "plain"),
    [
        ("Bob Martin (Guest)", "Bob Martin"),
        ("Bob (Robert Martin)", "Robert Martin"),
        ("Robert Martin (Bob) [Externe]", "Robert Martin"),
        ("(Guest)", "(Guest)"),
        ("+33 1 45 67", "+33 1 45 67"),
        ("", ""),
        ("((((" * 900, "((((" * 50),
    ],
)
def test_a_name_is_kept_without_what_meetings_add_to_it(shown: str, plain: str) -> None:
    assert plain_name(shown) == plain


def test_a_title_alone_does_not_put_a_report_to_a_meeting_of_other_people() -> None:
    stranger = Participant("c9", ("nobody@stranger.example",), "Personne Connue")
    assert found(TEAMS, meeting(1, people=(stranger,))) == (Reason.OTHERS, (1,))


@pytest.mark.parametrize(
    "robot",
    ["Fireflies.ai Notetaker", "Claire's Notetaker", "Otter.ai", "read.ai meeting notes", "Gong Recorder"],
)
def test_a_program_that_takes_notes_is_nobody(robot: str) -> None:
    alone = AttendanceReport(
        Provider.TEAMS, "", "", at(14), at(15),
        (Attended("Claire Dupont", "", at(14), at(15), 3600, visits=(Visit(at(14), at(15)),)),
         Attended(robot, "", at(14), at(15), 3600, visits=(Visit(at(14), at(15)),))),
    )  # fmt: skip
    assert held(alone) is None
    assert who_came((CLAIRE,), alone).unplanned == ()
    person = replace(alone, people=(alone.people[0], replace(alone.people[1], name="Marie Gong")))
    assert held(person) == Held(at(14), at(15))
