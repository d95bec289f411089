"""The quick-add grammar, form by form (table T9)."""

from datetime import date, datetime, timedelta

import pytest

from syncd.core.quick_add.parser import parse
from syncd.core.quick_add.result import Activity, Kind, QuickAdd

SUNDAY = datetime(2026, 11, 22, 12, 0)  # noqa: DTZ001 - the clock of the zone
MEETING, VISIT, VIDEO, CALL = Activity.MEETING, Activity.VISIT, Activity.VIDEO_CALL, Activity.CALL


def read(text: str) -> QuickAdd:
    return parse(text, SUNDAY)


def test_the_example_of_the_table() -> None:
    found = read("RDV Dupont demain 14h")
    assert found == QuickAdd(
        kind=Kind.EVENT,
        activity=MEETING,
        subject="Dupont",
        day=date(2026, 11, 23),
        start=at("11-23 14:00"),
        end=at("11-23 15:00"),
        length=timedelta(hours=1),
    )


def at(text: str) -> datetime:
    """A time of 2026, or of the year that is given."""
    return datetime.fromisoformat(text if text[:2] == "20" else f"2026-{text}")


@pytest.mark.parametrize(
    ("text", "kind", "activity", "subject"),
    [
        ("RDV Dupont demain", Kind.EVENT, MEETING, "Dupont"),
        ("rendez-vous Dupont demain", Kind.EVENT, MEETING, "Dupont"),
        ("Rendez vous Dupont demain", Kind.EVENT, MEETING, "Dupont"),
        ("réunion chantier demain", Kind.EVENT, MEETING, "chantier"),
        ("REUNION chantier demain", Kind.EVENT, MEETING, "chantier"),
        ("re\u0301union chantier demain", Kind.EVENT, MEETING, "chantier"),
        ("Visite Dupont demain", Kind.EVENT, VISIT, "Dupont"),
        ("Visio Dupont demain", Kind.EVENT, VIDEO, "Dupont"),
        ("visioconférence Dupont demain", Kind.EVENT, VIDEO, "Dupont"),
        ("Appel Dupont demain", Kind.EVENT, CALL, "Dupont"),
        ("Appeler Dupont demain", Kind.EVENT, CALL, "Dupont"),
        ("Rappel : devis Dupont demain", Kind.TASK, None, "devis Dupont"),
        ("Penser à relancer Dupont demain", Kind.TASK, None, "relancer Dupont"),
        ("penser a relancer Dupont", Kind.TASK, None, "relancer Dupont"),
        ("Envoyer le devis", Kind.TASK, None, "Envoyer le devis"),
        ("Salon du livre demain", Kind.EVENT, None, "Salon du livre"),
        ("Réunion appel d'offres demain", Kind.EVENT, MEETING, "appel d'offres"),
        ("Appel d'offres Dupont demain", Kind.EVENT, None, "Appel d'offres Dupont"),
        ("Penser à appeler Dupont demain", Kind.TASK, None, "appeler Dupont"),
        ("RDV demain 14h", Kind.EVENT, MEETING, "RDV"),
        ("Rappel demain", Kind.TASK, None, "Rappel"),
        ("Une réunion Dupont demain", Kind.EVENT, MEETING, "Dupont"),
        ("Rappelle-moi le devis demain", Kind.TASK, None, "le devis"),
    ],
)
def test_a_word_tells_the_type_and_leaves_the_subject(
    text: str, kind: Kind, activity: Activity | None, subject: str
) -> None:
    found = read(text)
    assert (found.kind, found.activity, found.subject) == (kind, activity, subject)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("aujourd'hui", "2026-11-22"),
        ("aujourd’hui", "2026-11-22"),
        ("AUJOURD'HUI", "2026-11-22"),
        ("demain", "2026-11-23"),
        ("après-demain", "2026-11-24"),
        ("apres demain", "2026-11-24"),
        ("lundi", "2026-11-23"),
        ("dimanche", "2026-11-29"),  # today is excluded
        ("lundi prochain", "2026-11-23"),
        ("dimanche prochain", "2026-11-29"),
        ("le mardi", "2026-11-24"),
        ("lundi en huit", "2026-11-30"),
        ("3 décembre", "2026-12-03"),
        ("le 3 DECEMBRE", "2026-12-03"),
        ("3 déc.", "2026-12-03"),
        ("jeudi 3 décembre", "2026-12-03"),
        ("jeudi, 3 décembre", "2026-12-03"),
        ("trois décembre", "2026-12-03"),
        ("sept janvier", "2027-01-07"),
        ("3 sept", "2027-09-03"),
        ("sept sept", "2027-09-07"),
        ("vingt-quatre décembre", "2026-12-24"),
        ("trente et un décembre", "2026-12-31"),
        ("1er mars", "2027-03-01"),
        ("premier mars", "2027-03-01"),
        ("3 décembre 2028", "2028-12-03"),
        ("29 février 2028", "2028-02-29"),
        ("21 novembre", "2027-11-21"),  # has passed: next year's
        ("22 novembre", "2026-11-22"),
        ("3/12", "2026-12-03"),
        ("03/12/2026", "2026-12-03"),
        ("3/12/26", "2026-12-03"),
        ("3.12.2026", "2026-12-03"),
        ("2026-12-03", "2026-12-03"),
        ("le 3", "2026-12-03"),
        ("le 22", "2026-11-22"),
        ("le 31", "2026-12-31"),
        ("mardi 24", "2026-11-24"),
        ("dans 3 jours", "2026-11-25"),
        ("dans trois jours", "2026-11-25"),
        ("dans quinze jours", "2026-12-07"),
        ("dans 1 semaine", "2026-11-29"),
        ("dans une semaine", "2026-11-29"),
        ("dans deux semaines", "2026-12-06"),
        ("dans un mois", "2026-12-22"),
        ("pour le 3 décembre", "2026-12-03"),
    ],
)
def test_a_day_without_a_time_is_a_whole_day(text: str, day: str) -> None:
    for whole in (f"RDV Dupont {text}", f"{text} RDV Dupont"):
        found = read(whole)
        assert (found.day, found.subject, found.all_day) == (date.fromisoformat(day), "Dupont", True)
        assert (found.start, found.end, found.days) == (None, None, 1)


@pytest.mark.parametrize(
    ("text", "first", "days"),
    [
        ("du 3 au 5 décembre", "2026-12-03", 3),
        ("du 28 décembre au 2 janvier", "2026-12-28", 6),
        ("3-5 décembre", "2026-12-03", 3),
        ("du 24/12 au 2/1", "2026-12-24", 10),
        ("de lundi à mercredi", "2026-11-23", 3),
        ("du jeudi au mardi", "2026-11-26", 6),
        ("lundi pendant 3 jours", "2026-11-23", 3),
        ("lundi pendant 3j", "2026-11-23", 3),
        ("durée une semaine lundi", "2026-11-23", 7),
    ],
)
def test_several_whole_days(text: str, first: str, days: int) -> None:
    found = read(f"Salon {text}")
    assert (found.day, found.days, found.subject) == (date.fromisoformat(first), days, "Salon")
    assert found.last_day == date.fromisoformat(first) + timedelta(days=days - 1)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("14h", "14:00"),
        ("14H", "14:00"),
        ("14h30", "14:30"),
        ("14 h 30", "14:30"),
        ("14\u202fh\u202f30", "14:30"),
        ("14h 30", "14:30"),
        ("14:30", "14:30"),
        ("14:30:00", "14:30"),
        ("à 9h", "09:00"),
        ("a 9h", "09:00"),
        ("vers 9h", "09:00"),
        ("pour 9h", "09:00"),
        ("midi", "12:00"),
        ("à midi", "12:00"),
        ("midi et demi", "12:30"),
        ("midi moins le quart", "11:45"),
        ("0h", "00:00"),
        ("quatorze heures", "14:00"),
        ("à quatorze heures", "14:00"),
        ("quatorze heures trente", "14:30"),
        ("quatorze heures trente et une", "14:31"),
        ("quatorze heures cinquante-neuf", "14:59"),
        ("vingt et une heures dix", "21:10"),
        ("vingt-trois heures cinq", "23:05"),
        ("dix-sept heures", "17:00"),
        ("dix sept heures", "17:00"),
        ("huit heures et demie", "08:30"),
        ("huit heures et quart", "08:15"),
        ("huit heures moins le quart", "07:45"),
        ("huit heures moins dix", "07:50"),
        ("8 heures moins 5", "07:55"),
        ("une heure", "01:00"),
        ("8h du soir", "20:00"),
        ("huit heures du matin", "08:00"),
        ("trois heures de l'après-midi", "15:00"),
        ("à partir de 14h", "14:00"),
    ],
)
def test_a_time_lasts_an_hour(text: str, start: str) -> None:
    for whole in (f"RDV Dupont demain {text}", f"{text}, demain RDV Dupont"):
        found = read(whole)
        assert found.start == at(f"11-23 {start}"), whole
        assert found.end == at(f"11-23 {start}") + timedelta(hours=1)
        assert (found.subject, found.length) == ("Dupont", timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("de 14h à 15h30", "11-23 14:00", "11-23 15:30"),
        ("de 14h a 15h30", "11-23 14:00", "11-23 15:30"),
        ("14h-15h30", "11-23 14:00", "11-23 15:30"),
        ("14h–15h30", "11-23 14:00", "11-23 15:30"),
        ("14h - 15h30", "11-23 14:00", "11-23 15:30"),
        ("14:00-15:30", "11-23 14:00", "11-23 15:30"),
        ("14-15h30", "11-23 14:00", "11-23 15:30"),
        ("14h à 15h30", "11-23 14:00", "11-23 15:30"),
        ("de 14 à 16h", "11-23 14:00", "11-23 16:00"),
        ("de 14h à 16", "11-23 14:00", "11-23 16:00"),
        ("14h-16", "11-23 14:00", "11-23 16:00"),
        ("de quatorze à seize heures", "11-23 14:00", "11-23 16:00"),
        ("de quatorze heures à quinze heures trente", "11-23 14:00", "11-23 15:30"),
        ("entre 14h et 15h30", "11-23 14:00", "11-23 15:30"),
        ("14h jusqu'à 15h30", "11-23 14:00", "11-23 15:30"),
        ("de midi à 14h", "11-23 12:00", "11-23 14:00"),
        ("de 22h à 1h", "11-23 22:00", "11-24 01:00"),
        ("de 22h à minuit", "11-23 22:00", "11-24 00:00"),
        ("de 22h à 24h", "11-23 22:00", "11-24 00:00"),
    ],
)
def test_an_end_is_said_on_the_clock(text: str, start: str, end: str) -> None:
    for whole in (f"RDV Dupont demain {text}", f"{text} demain RDV Dupont"):
        found = read(whole)
        assert (found.start, found.end, found.length) == (at(start), at(end), None), whole
        assert found.subject == "Dupont"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("14h 45min", 45),
        ("14h 45 min", 45),
        ("14h 1h", 60),
        ("14h 1h30", 90),
        ("14h 2h", 120),
        ("14h30 une heure et demie", 90),
        ("14h pendant 2h", 120),
        ("pendant 2h 14h", 120),
        ("14h durée 45 minutes", 45),
        ("14h, durée : 1h30", 90),
        ("durée 1 h 30 à 14h", 90),
        ("d'une heure à 14h", 60),
        ("d'une durée de 20 min à 14h", 20),
        ("de 45 minutes à 14h", 45),
        ("14h une demi-heure", 30),
        ("14h une demi heure", 30),
        ("14h pour 45 minutes", 45),
        ("14h pour 1h", 60),
        ("pour 20 minutes à 14h", 20),
        ("14h un quart d'heure", 15),
        ("14h trois quarts d'heure", 45),
        ("quatorze heures quarante-cinq minutes", 45),
    ],
)
def test_a_duration_follows_a_time_or_a_word(text: str, minutes: int) -> None:
    found = read(f"RDV Dupont demain {text}")
    assert found.start is not None
    assert (found.start.hour, found.length) == (14, timedelta(minutes=minutes))
    assert found.end == found.start + timedelta(minutes=minutes)
    assert found.subject == "Dupont"


def test_no_form_goes_on_beyond_a_comma() -> None:
    found = read("RDV Dupont demain 14h 15 min, avant Noël")
    assert (found.alarm, found.length, found.subject) == (None, timedelta(minutes=15), "Dupont avant Noël")
    assert read("RDV Dupont 14h dans, 2h").subject == "Dupont dans"
    assert read("Salon lundi pendant, 3 jours").days == 1


def test_a_duration_before_the_time_belongs_to_the_subject() -> None:
    found = read("Point 45min demain 14h")
    assert (found.subject, found.length) == ("Point 45min", timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("!15", 15), ("!15min", 15), ("!1h", 60), ("!1h30", 90), ("!1j", 1440), ("!0", 0), ("!28j", 40320),
        ("!10 minutes", 10), ("!2 heures", 120), ("!1 jour", 1440),
        ("rappel 15 minutes avant", 15), ("1h avant", 60), ("alerte un jour avant", 1440),
    ],
)  # fmt: skip
def test_an_alarm_is_so_long_before(text: str, minutes: int) -> None:
    found = read(f"RDV Dupont demain 14h {text}")
    assert (found.alarm, found.subject, found.activity) == (minutes, "Dupont", MEETING)


@pytest.mark.parametrize(
    ("text", "place", "subject"),
    [
        ("@Paris", "Paris", "Dupont"),
        ("@Paris,", "Paris", "Dupont"),
        ('@"12 rue Haute, Paris"', "12 rue Haute, Paris", "Dupont"),
        ("@« salle 3 décembre »", "salle 3 décembre", "Dupont"),
        ("@“chez Anne”", "chez Anne", "Dupont"),
        ("@ Paris", None, "Dupont @ Paris"),
        ("anne@dupont.example", None, "Dupont anne@dupont.example"),
    ],
)
def test_a_place_is_one_word_or_a_text_in_quotes(text: str, place: str | None, subject: str) -> None:
    found = read(f"RDV Dupont {text} demain 14h")
    assert (found.place, found.subject, found.start) == (place, subject, at("11-23 14:00"))


def test_an_opportunity_is_named_after_a_hash() -> None:
    assert read("RDV Dupont #OPP-12 demain").opportunity == "OPP-12"
    assert read('RDV Dupont #"Affaire 12" demain').opportunity == "Affaire 12"
    assert read("RDV Dupont # 12 demain").subject == "Dupont # 12"


def test_in_two_hours_is_reckoned_from_now() -> None:
    found = read("Rappel four dans deux heures")
    assert (found.kind, found.start, found.subject) == (Kind.TASK, at("11-22 14:00"), "four")
    assert found.task_subject == "four (14:00)"
    assert read("RDV Dupont dans 45 min pendant 2h").end == at("11-22 14:45")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("demain soir 8h", "11-23 20:00", "11-23 21:00"),
        ("8h demain soir", "11-23 20:00", "11-23 21:00"),
        ("demain matin 8h", "11-23 08:00", "11-23 09:00"),
        ("lundi après-midi de 2h à 4h", "11-23 14:00", "11-23 16:00"),
        ("lundi après-midi 15h", "11-23 15:00", "11-23 16:00"),
        ("ce soir 7h", "11-22 19:00", "11-22 20:00"),
        ("cet après-midi à 16h", "11-22 16:00", "11-22 17:00"),
    ],
)
def test_the_half_of_the_day_goes_with_the_time(text: str, start: str, end: str) -> None:
    found = read(f"RDV Dupont {text}")
    assert (found.subject, found.start, found.end) == ("Dupont", at(start), at(end))


def test_the_half_of_the_day_stays_in_the_subject_where_no_time_is_said() -> None:
    found = read("RDV Dupont demain matin")
    assert (found.subject, found.all_day, found.day) == ("Dupont matin", True, date(2026, 11, 23))
    found = read("RDV Dupont ce soir")
    assert (found.subject, found.all_day, found.day) == ("Dupont ce soir", True, date(2026, 11, 22))


def test_the_word_for_seven_is_a_month_only_where_it_can_be() -> None:
    assert read("RDV Dupont 14 h 00 sept janvier").start == at("2027-01-07 14:00")
    assert read("RDV Dupont mardi 24 sept heures trente").start == at("11-24 07:30")


def test_a_time_without_a_day_is_todays() -> None:
    assert read("RDV Dupont 14h").start == at("11-22 14:00")


def test_a_task_needs_no_day() -> None:
    found = read("Rappel devis")
    assert (found.day, found.start, found.all_day, found.last_day) == (None, None, False, None)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ('RDV "plan de lundi" demain 14h', '"plan de lundi"'),
        ("RDV « plan de lundi » demain 14h", "« plan de lundi »"),
        ("RDV (demain 14h) Dupont", "Dupont"),
        ("RDV Dupont (projet Alpha) demain 14h", "Dupont (projet Alpha)"),
        ("RDV Dupont, demain, 14h.", "Dupont"),
        ("RDV Dupont - demain 14h", "Dupont"),
        ("demain,14h,RDV Dupont", "Dupont"),
        ("RDV Café Müller & Fils demain 14h", "Café Müller & Fils"),
        ("RDV Dupont demain 14h à Lyon", "Dupont à Lyon"),
        ("RDV Dupont demain 14h !important", "Dupont !important"),
        ("RDV écran 24\" demain 14h", 'écran 24"'),
        ("RDV Mai Ly et M. Mars demain 14h", "Mai Ly et M. Mars"),
        ("RDV Dupont demain 14h 12 personnes", "Dupont 12 personnes"),
        ("RDV Dupont demain 14h, 15 rue Haute", "Dupont 15 rue Haute"),
        ("RDV Dupont demain 14h. Du soir", "Dupont Du soir"),
        ("demain 14h RDV Dupont quatorze", "Dupont quatorze"),
        ("RDV client 3 à 14h demain", "client 3"),
        ("RDV demain 14h pour Dupont", "pour Dupont"),
        ("RDV client 3 - 14h demain", "client 3"),
        ("demain 14h RDV Dupont pendant", "Dupont pendant"),
        ("demain 14h RDV Dupont de", "Dupont de"),
        ("demain 14h RDV Dupont dans", "Dupont dans"),
    ],
)  # fmt: skip
def test_what_is_left_is_the_subject_as_typed(text: str, subject: str) -> None:
    found = read(text)
    assert (found.subject, found.start) == (subject, at("11-23 14:00"))


def test_the_link_of_a_video_call_is_no_subject() -> None:
    link = "https://meet.example/abc-3/12?x=14h"
    found = read(f"Dupont visio {link} demain 14h")
    assert (found.url, found.subject) == (link, "Dupont")
    other = read(f"RDV Dupont {link} demain 14h")
    assert (other.url, other.subject) == (None, f"Dupont {link}")
