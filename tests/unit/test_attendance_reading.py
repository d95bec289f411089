"""Attendance reports of Teams and Zoom, in the forms and languages in which they are written."""

import codecs
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from connectors.attendance.model import AttendanceReport, Provider, Role, Visit
from connectors.attendance.reading import read
from connectors.errors import BadFile
from tests import reports

PARIS = ZoneInfo("Europe/Paris")


def at(hour: int, minute: int, second: int = 0, day: int = 22, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, second)  # noqa: DTZ001 - a clock on a wall


def only(content: bytes) -> AttendanceReport:
    (report,) = read(content, "report.csv")
    return report


def dates(pattern: str) -> tuple[str, str, tuple[str, str, str, str]]:
    clocks = ("13:58:05", "15:02:11", "14:00:05", "14:30:05", "14:36:00", "15:01:00")
    start, end, *bob = (pattern.format(clock) for clock in clocks)
    return start, end, (bob[0], bob[1], bob[2], bob[3])


@pytest.mark.parametrize(
    ("language", "pattern", "lengths"),
    [
        ("fr", "22/11/2026 {}", ("1 h 4 min 6 s", "55 min 0 s", "30 min 0 s", "25 min 0 s")),
        ("fr", "22/11/2026 à {}", ("1h 4m 6s", "55m 0s", "30m 0s", "25m 0s")),
        ("de", "22.11.26, {}", ("1 Std. 4 Min. 6 Sek.", "55 Min. 0 Sek.", "30 Min.", "25 Min.")),
        ("es", "22/11/26, {}", ("1 h 4 min 6 s", "55 min 0 s", "30 min 0 s", "25 min 0 s")),
        ("pt", "22/11/2026 {}", ("1h 4m 6s", "55m", "30m", "25m")),
        ("en", "2026-11-22 {}", ("01:04:06", "00:55:00", "00:30:00", "00:25:00")),
        ("en", "22/11/2026, {}", ("1h 4m 6s", "55m 0s", "30m 0s", "25m 0s")),
    ],
)
def test_a_report_of_teams_says_the_same_in_every_language(
    language: str, pattern: str, lengths: tuple[str, str, str, str]
) -> None:
    start, end, bob = dates(pattern)
    lines = reports.teams(language, start=start, end=end, bob=bob, lengths=lengths)
    assert only(reports.utf16(*lines)) == only(reports.utf16(*reports.teams("en")))


@pytest.mark.parametrize("start", ["2020-11-22 {}", "1990-11-22 {}"])
def test_a_report_of_a_meeting_of_years_is_refused(start: str) -> None:
    begun = start.format("13:58:05")
    _, end, bob = dates("2026-11-22 {}")
    with pytest.raises(BadFile, match=rf"from {begun[:10]} to 2026-11-22, and none lasts more than 2 days"):
        only(reports.utf16(*reports.teams("en", start=begun, end=end, bob=bob)))


def test_a_report_of_teams_is_read_whole() -> None:
    report = only(reports.utf16(*reports.teams()))
    assert (report.provider, report.title, report.zone_unknown) == (
        Provider.TEAMS,
        "Point projet Globex",
        True,
    )
    assert (report.started, report.ended) == (at(13, 58, 5), at(15, 2, 11))
    claire, bob = report.people
    assert (claire.name, claire.email, claire.role) == (
        "Claire Dupont",
        "claire@acme.example",
        Role.ORGANIZER,
    )
    assert claire.seconds == 3846
    assert (bob.name, bob.email, bob.role) == ("Bob Martin (Guest)", "", Role.PRESENTER)
    assert (bob.first_join, bob.last_leave, bob.seconds) == (at(14, 0, 5), at(15, 1), 3300)
    assert bob.visits == (
        Visit(at(14, 0, 5), at(14, 30, 5), 1800),
        Visit(at(14, 36), at(15, 1), 1500),
    )


@pytest.mark.parametrize("space", [" ", "\u202f", "\u00a0"])
def test_the_narrow_space_before_am_and_pm_is_a_space(space: str) -> None:
    lines = [line.replace(" PM", f"{space}PM") for line in reports.teams()]
    assert only(reports.utf16(*lines)).ended == at(15, 2, 11)


@pytest.mark.parametrize(
    "save",
    [
        lambda text: text.encode("utf-8"),
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("cp1252"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace(";", ",").encode(),
        lambda text: text.replace(";", "\t").encode(),
    ],
    ids=["utf-8", "bom", "utf-16", "le", "be", "be bom", "cp1252", "crlf", "cr", "comma", "tab"],
)  # fmt: skip
def test_encodings_line_ends_and_separators_change_nothing(save: Callable[[str], bytes]) -> None:
    assert only(save(reports.ZOOM_FRENCH)) == only(reports.ZOOM_FRENCH.encode())
    assert only(save(reports.ZOOM_FRENCH)).people[0].name == "Claire Dupont"


def test_a_report_of_zoom_with_the_meetings_data_is_read_whole() -> None:
    report = only(reports.ZOOM.encode())
    assert (report.provider, report.title) == (Provider.ZOOM, "Point projet, Globex")
    assert report.meeting_id == "81234567890"
    assert (report.started, report.ended) == (at(14, 0), at(15, 1))
    claire, bob = report.people
    assert (claire.seconds, claire.role) == (3660, Role.ORGANIZER)
    assert (bob.name, bob.seconds) == ("Bob (Robert Martin)", 3000)  # the waiting room is not the meeting
    assert bob.first_join == at(14, 5)


def test_a_report_of_zoom_without_the_meetings_data_has_the_times_of_its_people() -> None:
    report = only(reports.ZOOM_FRENCH.encode())
    assert (report.title, report.meeting_id) == ("", "")
    assert (report.started, report.ended) == (at(14, 0), at(15, 1))
    assert [person.seconds for person in report.people] == [3660, 3000]


BOB = "Bob\t22/11/2026 14:00:00\t22/11/2026 15:00:00\t1 h\tbob@globex.example\tx"
VARIANTS = {
    "Italian": f"2. Partecipanti\nNome\tPrimo accesso\tUltima uscita\tDurata\tE-mail\tRuolo\n{BOB}",
    "Dutch": f"2. Deelnemers\nNaam\tEerste deelname\tLaatst verlaten\tDuur\tE-mail\tRol\n{BOB}",
    "an add-on of Meet": f"Name\tTime joined\tTime exited\tDuration\tEmail\tx\n{BOB}",
    "another case": f"2. Participants\nName\tFirst join\tLast leave\tIn-meeting duration\tEmail\tRole\n{BOB}",
    "saved from a sheet": "2. Participants,,,,\nName,First Join,Last Leave,Duration,Email,Role\n"
    + BOB.replace("\t", ","),
    "breakout rooms, and the joinings only": (
        "3. Activités en réunion\nNom\tType de salle\tNom de la salle\tHeure d’arrivée\tHeure de départ"
        "\tDurée\tE-mail\nBob\tPrincipale\tG\t22/11/2026 14:00\t22/11/2026 15:00\t1 h\tbob@globex.example"
    ),
}


@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS)
def test_other_wordings_and_tables_say_the_same(text: str) -> None:
    (bob,) = only(text.encode()).people
    assert (bob.name, bob.email, bob.seconds) == ("Bob", "bob@globex.example", 3600)
    assert (bob.first_join, bob.last_leave) == (at(14, 0), at(15, 0))


def test_columns_are_known_by_their_headings_wherever_they_stand() -> None:
    lines = [line.split(",") for line in reports.ZOOM.splitlines()[3:]]
    turned = "\n".join(",".join(reversed(line)) for line in lines)
    assert only(turned.encode()).people == only("\n".join(reports.ZOOM.splitlines()[3:]).encode()).people


def test_a_webinar_has_its_host_its_viewers_and_not_those_who_stayed_away() -> None:
    report = only(reports.WEBINAR.encode())
    assert (report.provider, report.title, report.meeting_id) == (Provider.ZOOM, "Tarifs 2027", "1234567890")
    assert [(one.email, one.role, one.seconds) for one in report.people] == [
        ("claire@acme.example", Role.ORGANIZER, 65 * 60),
        ("bob@globex.example", Role.ATTENDEE, 56 * 60),
    ]


def test_unique_users_of_zoom_have_lengths_and_no_times() -> None:
    report = only(
        b"Name (original name),Email,Total duration (minutes),Guest\nBob Martin,bob@globex.example,42,No\n"
    )
    assert (report.started, report.people[0].seconds) == (None, 2520)


def test_the_old_list_of_teams_is_put_together_from_joining_and_leaving() -> None:
    report = only(reports.utf16(*reports.OLD_LIST))
    claire, bob = report.people
    assert (report.started, report.ended) == (at(14, 0), None)  # Claire was there when it was downloaded
    assert (claire.last_leave, claire.seconds) == (None, 3600)  # at least until the last that happened
    assert (bob.last_leave, bob.seconds) == (at(15, 0), 1800 + 1200)


def test_the_old_list_of_teams_is_read_in_french() -> None:
    claire, bob = only(reports.utf16(*reports.OLD_LIST_FRENCH)).people
    assert (claire.name, claire.last_leave) == ("Claire Dupont", None)
    assert (bob.first_join, bob.seconds) == (at(14, 0, 39), 3561)


def test_the_list_of_2021_is_read() -> None:
    report = only(reports.utf16(*reports.LIST_OF_2021))
    assert (report.provider, report.title) == (Provider.TEAMS, "Point projet Globex")
    assert report.meeting_id == "453adbad-0000-4bde-92d0-000000000379"
    assert [person.seconds for person in report.people] == [3846, 3300]


def test_times_said_to_be_utc_are_aware() -> None:
    lines = [line.replace("First Join", "First Join (UTC)") for line in reports.teams()]
    report = only(reports.utf16(*lines))
    assert report.started == datetime(2026, 11, 22, 13, 58, 5, tzinfo=UTC)
    assert report.in_zone(PARIS) is report


def test_a_wall_clock_becomes_utc_once_its_zone_is_known() -> None:
    report = only(reports.utf16(*reports.teams())).in_zone(PARIS)
    assert report.started == datetime(2026, 11, 22, 12, 58, 5, tzinfo=UTC)
    assert report.people[1].visits[1].leave == datetime(2026, 11, 22, 14, 1, tzinfo=UTC)
    assert report.people[1].seconds == 3300


def test_in_the_hour_that_comes_twice_the_length_told_decides() -> None:
    text = (
        "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes)\n"
        "Claire Dupont,claire@acme.example,2026-10-25 01:30:00,2026-10-25 02:40:00,130\n"
        "Bob Martin,bob@globex.example,2026-10-25 02:50:00,2026-10-25 02:10:00,20\n"
    )
    claire, bob = only(text.encode()).in_zone(PARIS).people
    assert (claire.seconds, bob.seconds) == (130 * 60, 20 * 60)


def test_a_clock_that_went_back_while_somebody_was_there_does_no_harm_without_lengths() -> None:
    text = "Name,Join Time,Leave Time\nBob Martin,2026-10-25 02:50:00,2026-10-25 02:10:00\n"
    report = only(text.encode())
    assert report.people[0].seconds == 0
    assert report.in_zone(PARIS).people[0].seconds == 20 * 60


def test_what_teams_tells_of_reactions_is_left_alone() -> None:
    lines = [
        "4. Meeting Engagement",
        "Name\tEngagement Type\tTime",
        "Start\tRaised hand\t11/22/26, 2:00:05 PM",
    ]
    assert only(reports.utf16(*reports.teams(), "", *lines)) == only(reports.utf16(*reports.teams()))


def test_times_with_and_without_a_zone_are_not_mixed() -> None:
    text = "Name,Join Time,Leave Time\nBob,2026-11-22 14:00:00Z,2026-11-22 15:00:00\n"
    with pytest.raises(BadFile, match="some do not"):
        read(text.encode(), "report.csv")


# --- day and month ----------------------------------------------------------------------------------------


def both(first: str) -> bytes:
    return reports.ZOOM.replace("11/22/2026", first).encode()


def test_a_date_that_can_be_read_in_two_ways_gives_two_reports() -> None:
    american, european = read(both("03/04/2026"), "report.csv")
    assert american.started == at(14, 0, day=4, month=3)
    assert european.started == at(14, 0, day=3, month=4)


def test_one_date_above_twelve_decides_for_the_whole_file() -> None:
    text = both("03/12/2026").decode().replace("03:00:00 PM", "03:00:00 PM")
    lines = text.splitlines()
    lines[-1] = lines[-1].replace("03/12/2026 03:00:00 PM", "03/13/2026 03:00:00 PM")
    assert only("\n".join(lines).encode()).started == at(14, 0, day=12, month=3)


def test_a_meeting_over_midnight_lasts_no_month() -> None:
    text = both("04/03/2026").decode().replace("04/03/2026 03:0", "05/03/2026 03:0")
    assert only(text.encode()).started == at(14, 0, day=4, month=3)


def test_headings_of_a_language_that_writes_the_day_first_decide_with_a_clock_of_24_hours() -> None:
    assert only(reports.ZOOM_FRENCH.replace("22/11/2026", "03/04/2026").encode()).started == at(
        14, 0, day=3, month=4
    )


def test_french_headings_with_am_and_pm_decide_nothing() -> None:
    start, end, bob = "4/3/26, 1:58:05 PM", "4/3/26, 3:02:11 PM", ("4/3/26, 2:00:05 PM",) * 4
    lines = reports.teams("fr", start=start, end=end, bob=(bob[0], bob[1], bob[2], bob[3]))
    assert [report.started for report in read(reports.utf16(*lines), "report.csv")] == [
        at(13, 58, 5, day=3, month=4),
        at(13, 58, 5, day=4, month=3),
    ]


def test_dots_are_never_american() -> None:
    start, end, bob = dates("03.04.2026, {}")
    report = only(reports.utf16(*reports.teams("en", start=start, end=end, bob=bob)))
    assert report.started == at(13, 58, 5, day=3, month=4)


def test_the_same_day_and_month_is_one_date() -> None:
    assert only(both("04/04/2026")).started == at(14, 0, day=4, month=4)


# --- what is no report ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"", 0, "is empty"),
        (codecs.BOM_UTF16_LE, 0, "no attendance report"),
        (b"\n\n", 0, "no attendance report"),
        (b"name,email\nBob,bob@globex.example\n", 0, "no attendance report"),
        (b"%PDF-1.7 \x00\x01\x02", 1, "NUL"),
        (reports.utf16(*reports.teams())[:-1], 0, "cut in the middle of a character"),
        (reports.utf16(*reports.teams()[:10]), 0, "nobody is in it"),
        (reports.utf16(*reports.teams()[:11], "Bob\t11/22/26, 2:0"), 12, "cut off"),
        (reports.utf16(*reports.teams()[:11], "Bob\t11/22/26, 2:00:00 PM\t11/22/2"), 12, "cut off"),
        (reports.ZOOM.replace(",61,No", ",61 parsecs,No").encode(), 5, "duration"),
        (
            reports.ZOOM.replace("02:00:00 PM,11/22/2026 03:01", "05:00:00 PM,11/22/2026 03:01").encode(),
            5,
            "leaves",
        ),
        (reports.ZOOM.replace("11/22/2026 02:35", "22/11/2026 02:35").encode(), 0, "contradict"),
        (b"x" * (10 * 2**20 + 1), 0, "larger than 10 MiB"),
        (b"x" * 70_000, 1, "more than 65536 characters"),
        (b"x,\n" * 100_001, 100_001, "split it"),
        (b"\n" * 400_001, 0, "split it"),
        (b'a,"' + b"b\n" * 70_000, 1, "never closed"),
        (
            reports.utf16("Full Name\tUser Action\tTimestamp", "Bob\tDanced\t11/22/2026, 2:00:39 PM"),
            2,
            "leaving",
        ),
    ],
)
def test_a_bad_file_is_told_with_its_line_and_what_to_do(content: bytes, line: int, says: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(content, "Point.csv")
    assert caught.value.line == line
    assert says in str(caught.value)
    assert caught.value.told().startswith("Point.csv: ")
    assert "Point" not in str(caught.value)  # a file's name may hold a meeting's title


def test_what_looks_like_a_formula_is_a_name() -> None:
    text = reports.ZOOM.replace("Bob (Robert Martin)", '"=HYPERLINK(""https://x.example"")"')
    assert only(text.encode()).people[1].name == '=HYPERLINK("https://x.example")'


def test_what_is_no_address_is_none() -> None:
    report = only(reports.ZOOM.replace("claire@acme.example,11", "claire at acme,11").encode())
    assert report.people[0].email == ""


def test_a_person_without_any_cell_filled_does_not_end_the_table() -> None:
    text = reports.ZOOM.replace(
        "Bob (Robert Martin),,11/22/2026 01:58:00 PM,11/22/2026 02:05:00 PM,7,Yes,,Yes", "Zoé,,,,,,,"
    )
    assert [person.name for person in only(text.encode()).people] == ["Claire Dupont", "Bob (Robert Martin)"]
