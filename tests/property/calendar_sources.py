"""Resources as other clients write them: odd order, odd folding, unknown properties, zones of any name."""

import random

from hypothesis import strategies as st

CUSTOM = """BEGIN:VTIMEZONE
TZID:Usine de nuit
BEGIN:STANDARD
DTSTART:20001029T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0245
TZOFFSETTO:+0145
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20000326T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0145
TZOFFSETTO:+0245
END:DAYLIGHT
END:VTIMEZONE"""
TZIDS = [
    "Europe/Paris",
    "Romance Standard Time",
    "Usine de nuit",
    "/freeassociation.sourceforge.net/Tzfile/America/New_York",
    '"(UTC+01:00) Brussels, Copenhagen, Madrid, Paris"',
    "Nowhere",
]
OPTIONAL = [
    "SUMMARY;LANGUAGE=fr:Réunion\\, salle 2",
    "LOCATION:Bât. 3\\; étage 2",
    "DESCRIPTION:Ordre du jour\\n1. Bilan\\n2. Divers " + "long " * 30,
    "DESCRIPTION:Notes\\n\\n--- CRM ---\\nancien\\n--- fin CRM ---",
    'X-ALT-DESC;FMTTYPE=text/html:<p>Ordre: "a;b"</p>',
    "STATUS:TENTATIVE",
    "CLASS:X-SECRET",
    "TRANSP:TRANSPARENT",
    "CATEGORIES:Visite,Client A",
    "CATEGORIES;LANGUAGE=fr:Été\\, soir",
    "ORGANIZER;CN=Claire;X-A=b:MAILTO:Claire@acme.example",
    'ATTENDEE;CN="Dupont, Jean";PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:jean@client.test',
    "ATTENDEE;ROLE=OPT-PARTICIPANT;CN=Été ^'x^':mailto:j.o'neil+x@client.test",
    "ATTENDEE;SCHEDULE-AGENT=CLIENT;PARTSTAT=DECLINED:mailto:claire@acme.example",
    "ATTENDEE;EMAIL=claire@acme.example;PARTSTAT=TENTATIVE:/principals/claire/",
    "URL:https://meet.google.com/abc",
    "URL:https://acme.example/page",
    "X-GOOGLE-CONFERENCE:https://meet.google.com/xyz",
    "CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+3312345678",
    "SEQUENCE:3",
    "PRIORITY:5",
    "LAST-MODIFIED:20260101T000000Z",
    'X-ACME-LEFT-ALONE;X-P="a:b":' + "é" * 60,
    "X-MOZ-LEFT-ALONE:1",
    "X-APPLE-LEFT-ALONE;VALUE=URI:geo:48.1,2.3",
    "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "QUJD" * 40,
    "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER;RELATED=START:-PT0H15M0S\nX-WR-IN-ALARM:1\nEND:VALARM",
    "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-P1D\nACKNOWLEDGED:20260101T000000Z\nEND:VALARM",
    "BEGIN:VALARM\nACTION:NONE\nTRIGGER;VALUE=DATE-TIME:19760401T005545Z\nEND:VALARM",
    "BEGIN:X-ACME\nX-IN-LEFT-ALONE:1\nEND:X-ACME",
]
ENDS = {
    "VEVENT": ["", "DTEND;TZID={z}:{d}T110000", "DURATION:PT1H30M", "DURATION:P1D", "DTEND:{d}T233000Z"],
    "VTODO": ["", "DUE;TZID={z}:{d}T110000", "DURATION:PT1H", "DUE:{d}T233000Z"],
}
STATES = [
    "",
    "STATUS:NEEDS-ACTION",
    "PERCENT-COMPLETE:40",
    "PERCENT-COMPLETE:100",
    "COMPLETED:20260101T101010Z",
]


def _folded(text: str, rng: random.Random, style: str) -> str:
    """Folds as some client would: at 75, anywhere, or not at all."""
    width = {"75": 70, "odd": rng.randint(5, 60), "none": 10**6}[style]
    out = []
    for line in text.split("\n"):
        parts = [line[at : at + width] for at in range(0, len(line), width)]
        out.append(("\n" + rng.choice(" \t")).join(parts))
    return "\n".join(out)


@st.composite
def sources(draw: st.DrawFn, *, dressed: bool = False) -> bytes:
    """One resource with an event or a task, maybe a series with one override, maybe with a CRM's block."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    name = draw(st.sampled_from(["VEVENT", "VEVENT", "VTODO"]))
    tzid = draw(st.sampled_from(TZIDS))
    whole = draw(st.booleans())
    series = draw(st.booleans())
    parts = [_component(draw, rng, name, tzid, "20260315", whole=whole, series=series, identity="")]
    if series and draw(st.booleans()):
        identity = (
            "RECURRENCE-ID;VALUE=DATE:20260322" if whole else f"RECURRENCE-ID;TZID={tzid}:20260322T093000"
        )
        parts.append(
            _component(draw, rng, name, tzid, "20260323", whole=whole, series=False, identity=identity)
        )
    rng.shuffle(parts)
    head = ["VERSION:2.0", "PRODID:-//Else//Client//FR", "X-WR-LEFT-ALONE:Agenda"]
    text = "\n".join(["BEGIN:VCALENDAR", *head, CUSTOM, *parts, "END:VCALENDAR", ""])
    if not dressed:
        text = text.replace("--- CRM ---", "--- x ---")
    text = _folded(text, rng, draw(st.sampled_from(["75", "odd", "none"])))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return (draw(st.sampled_from(["", "\ufeff"])) + text).encode()


def _component(
    draw: st.DrawFn,
    rng: random.Random,
    name: str,
    tzid: str,
    day: str,
    *,
    whole: bool,
    series: bool,
    identity: str,
) -> str:
    lines = draw(st.lists(st.sampled_from(OPTIONAL), unique_by=lambda text: text[:14], max_size=9))
    if name == "VTODO":
        lines = [line for line in lines if not line.startswith("STATUS")] + [draw(st.sampled_from(STATES))]
    if whole:
        lines.append(f"DTSTART;VALUE=DATE:{day}")
        lines.append(draw(st.sampled_from(["", "DURATION:P2D"])))
    else:
        zone = draw(st.sampled_from([f";TZID={tzid}", ""]))
        lines.append(
            f"DTSTART{zone}:{day}T093000" + draw(st.sampled_from(["", "Z"]) if not zone else st.just(""))
        )
        lines.append(draw(st.sampled_from(ENDS[name])).format(z=tzid, d=day))
    if series:
        lines.append(
            "RRULE:" + draw(st.sampled_from(["FREQ=WEEKLY;UNTIL=20261231T000000Z", "COUNT=9;FREQ=DAILY"]))
        )
        lines.append(
            draw(
                st.sampled_from(
                    ["", "EXDATE:20260316T083000Z,20260317T083000Z", "EXDATE;VALUE=DATE:20260318"]
                )
            )
        )
        lines.append(draw(st.sampled_from(["", "RDATE;VALUE=PERIOD:20260401T080000Z/PT1H"])))
    lines += ["UID:same@else.example", "DTSTAMP:20260101T000000Z", identity]
    rng.shuffle(lines)
    lines.sort(key=lambda line: line.startswith("BEGIN"))
    return "\n".join([f"BEGIN:{name}", *filter(None, lines), f"END:{name}"])
