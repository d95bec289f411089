"""Which events are meetings by video: the links of each provider, what guards of mail made of them, disguises."""

import base64

# ruff: noqa: E501 - links are as long as they are
from html import escape
from urllib.parse import quote

import pytest

from connectors.calendar import Component, Hints, Timing
from connectors.links import links_in, links_in_html
from connectors.meetings import STANDARD, Provider, table
from syncd.core.meetings.detection import meeting_in
from syncd.core.meetings.wrappers import inner, unwrapped
from tests.unit.meeting_texts import MEET, TEAMS, TEXTS, WEBEX, ZOOM

NO_TIME = Timing()


def found(**parts: object) -> str:
    meeting = meeting_in(Component(NO_TIME, **parts))  # type: ignore[arg-type]
    return "" if meeting is None else meeting.url


@pytest.mark.parametrize(
    ("text", "provider", "link"), [one[1:] for one in TEXTS], ids=[one[0] for one in TEXTS]
)
def test_the_link_of_an_invitation_is_found_among_the_others_in_it(
    text: str, provider: Provider, link: str
) -> None:
    meeting = meeting_in(Component(NO_TIME, notes=text))
    assert meeting is not None
    assert (meeting.url, meeting.provider, meeting.said) == (link, provider, False)


@pytest.mark.parametrize(
    ("text", "provider", "link"), [one[1:] for one in TEXTS], ids=[one[0] for one in TEXTS]
)
def test_the_same_invitation_in_html_leads_to_the_same_meeting(
    text: str, provider: Provider, link: str
) -> None:
    lines = []
    for line in text.splitlines():
        links = list(links_in(line))
        shown = escape(line)
        for one in links:
            shown = shown.replace(escape(one), f'<a class="x" href="{escape(one)}">ici &gt;</a>')
        lines.append(f"<p style='color:#252424'>{shown}&nbsp;</p>")
    hints = Hints(links=links_in_html("<html><body>" + "\n".join(lines) + "</body></html>"))
    meeting = meeting_in(Component(NO_TIME, hints=hints))
    assert meeting is not None
    assert (meeting.url, meeting.provider) == (link, provider)


# --- the order of table T8


def test_what_is_said_counts_before_what_is_found_and_is_kept_as_it_is() -> None:
    link = "HTTPS://Visio.acme.example/Comité?x=1#a"
    meeting = meeting_in(Component(NO_TIME, video_url=link, location=ZOOM, notes=TEAMS))
    assert meeting is not None
    assert (meeting.url, meeting.provider, meeting.said) == (link, Provider.OTHER, True)


def test_url_counts_before_the_place_that_before_the_notes_and_html_comes_last() -> None:
    hints = Hints(url=WEBEX, links=("https://meet.jit.si/Salle",))
    assert found(hints=hints, location=ZOOM, notes=TEAMS) == WEBEX
    assert found(hints=Hints(links=hints.links), location=f"Salle 3 ; {ZOOM}", notes=TEAMS) == ZOOM
    assert found(hints=Hints(links=hints.links), notes=TEAMS) == TEAMS
    assert found(hints=Hints(links=hints.links)) == "https://meet.jit.si/Salle"
    assert found(hints=Hints(url="https://acme.example/billet"), notes=TEAMS) == TEAMS


def test_what_exchange_calls_online_is_a_meeting_though_nobody_says_where() -> None:
    meeting = meeting_in(Component(NO_TIME, hints=Hints(online=True)))
    assert meeting is not None
    assert (meeting.url, meeting.provider, meeting.said) == ("", None, False)
    assert found(hints=Hints(online=True), notes=TEAMS) == TEAMS


def test_an_event_without_a_link_is_no_meeting() -> None:
    assert meeting_in(Component(NO_TIME, location="12 rue Haute", notes="Voir https://acme.example/")) is None


# --- links that lead into no meeting


@pytest.mark.parametrize(
    "link",
    [
        "https://zoom.us/download", "https://zoom.us/", "https://zoom.us", "https://support.zoom.us/hc/fr/1",
        "https://us02web.zoom.us/u/kdAbC", "https://zoom.us/meeting/register/tJ0", "https://zoom.us/rec/share/1",
        "https://zoom.us/pricing?j=/j/1", "https://zoom.us/join", "https://teams.microsoft.com/",
        "https://teams.microsoft.com/downloads", "https://teams.microsoft.com/meetingOptions/?organizerId=1",
        "https://teams.microsoft.com/l/channel/19%3aabc/General", "https://teams.microsoft.com/l/message/1",
        "https://dialin.teams.microsoft.com/1", "https://meet.google.com/", "https://meet.google.com/landing",
        "https://meet.google.com/new", "https://www.google.com/url?q=https://acme.example/",
        "https://acme.webex.com/", "https://help.webex.com/x", "https://www.webex.com/downloads.html",
        "https://acme.webex.com/acme/globalcallin.php?MTID=m1", "https://whereby.com/", "https://whereby.com/blog/x",
        "https://docs.whereby.com/reference", "https://meet.goto.com/install", "https://meet.jit.si/",
        "https://meet.jit.si/static/dialInInfo.html?room=x", "https://g.co/kgs/1",
    ],
)  # fmt: skip
def test_a_providers_other_pages_are_no_meetings(link: str) -> None:
    assert STANDARD.meeting(link) is None
    assert found(notes=link, location=link, hints=Hints(url=link, links=(link,))) == ""


@pytest.mark.parametrize(
    ("link", "provider"),
    [
        ("https://gov.teams.microsoft.us/l/meetup-join/19%3agcch%3ameeting_1", Provider.TEAMS),
        ("https://dod.teams.microsoft.us/meet/123?p=a", Provider.TEAMS),
        ("https://teams.cloud.microsoft/meet/123", Provider.TEAMS),
        ("https://teams.microsoft.com/_#/l/meetup-join/19:meeting_1@thread.v2/0", Provider.TEAMS),
        ("https://teams.microsoft.com/dl/launcher/launcher.html?url=%2F_%23%2Fl%2Fmeetup-join%2F1", Provider.TEAMS),
        ("https://acme.zoomgov.com/j/1601234567", Provider.ZOOM),
        ("https://zoom.us/wc/join/81234567890", Provider.ZOOM),
        ("https://zoom.us/w/81234567890?tk=x", Provider.ZOOM),
        ("http://zoom.us/j/1", Provider.ZOOM),
        ("https://ZOOM.us:443/j/1", Provider.ZOOM),
        ("https://zoom.us./j/1", Provider.ZOOM),
        ("https://ｚｏｏｍ。us/j/1", Provider.ZOOM),  # browsers read it like this (UTS 46)
        ("https://g.co/meet/comite", Provider.MEET),
        ("https://acme.webex.com/wbxmjs/joinservice/sites/acme/meeting/download/0123", Provider.WEBEX),
        ("https://global.gotomeeting.com/join/512847196", Provider.OTHER),
        ("https://www.gotomeet.me/claire", Provider.OTHER),
        ("https://8x8.vc/acme/salle", Provider.OTHER),
        ("https://meet.lync.com/acme/claire/ABC123", Provider.OTHER),
    ],
)  # fmt: skip
def test_every_form_of_a_providers_links_is_known(link: str, provider: Provider) -> None:
    assert STANDARD.meeting(link) is provider


@pytest.mark.parametrize(
    "link",
    [
        "https://zoom.us@evil.example/j/1", "https://zoom.us:443@evil.example/j/1", "https://user@zoom.us/j/1",
        "https://zoom.us.evil.example/j/1", "https://evilzoom.us/j/1", "https://zoom.us-evil.example/j/1",
        "https://evil.example/zoom.us/j/1", "https://evil.example/?u=https://zoom.us/j/1",
        "https://evil.example#@zoom.us/j/1", "https://evil.example\\@zoom.us/j/1",
        "https://zoom.us\\.evil.example/j/1", "https://zооm.us/j/1", "https://xn--zm-emba.us/j/1",
        "https://zoom.us:99999999/j/1", "https://[zoom.us]/j/1", "https:///zoom.us/j/1",
        "https:/zoom.us/j/1", "ftp://zoom.us/j/1", "zoommtg://zoom.us/join?confno=1", "javascript:zoom.us/j/1",
        "https://zoom.us%2f@evil.example/j/1", "https://zoom。us。evil.example/j/1", "https://zoom..us/j/1",
    ],
)  # fmt: skip
def test_a_link_in_disguise_leads_into_no_meeting(link: str) -> None:
    assert STANDARD.meeting(link) is None
    assert unwrapped(link, STANDARD) == ""


# --- what stands around a link


@pytest.mark.parametrize(
    "text",
    [
        "{}", "<{}>", "({})", "[{}]", "({}).", "« {} »", "“{}”", '"{}"', "{}.", "{},", "{};", "{} !", "{}\u00a0?",
        "**{}**", "`{}`", "lien :{}", "[ici]({})", "[{}]({})", "<a href='{}'>", "{}\u200b", "{}…", "(voir {}):",
        "Teilnehmen:\t{}\r\nDanke", "x{}|y",
    ],
)  # fmt: skip
def test_punctuation_and_brackets_around_a_link_are_no_part_of_it(text: str) -> None:
    assert found(notes=text.format(ZOOM, ZOOM)) == ZOOM


def test_brackets_of_the_link_itself_stay() -> None:
    assert next(links_in("(https://a.example/x_(y)?z=(1))")) == "https://a.example/x_(y)?z=(1)"


def test_links_of_html_are_read_with_their_characters_meant() -> None:
    html = (
        "<A HREF = 'https://a.example/?x=1&amp;y=2'>a</A><area href=https://b.example/z>"
        "<p>https://c.example/<wbr>d&#47;e&nbsp;f <span>https://g.<b>example</b>/h</span></p><a href='#'>x</a>"
        '<a href="mailto:x@example.test">m</a>'
    )
    assert links_in_html(html) == (
        "https://a.example/?x=1&y=2", "https://b.example/z", "https://c.example/d/e", "https://g.example/h",
    )  # fmt: skip


# --- guards of mail

B64 = base64.urlsafe_b64encode(ZOOM.encode()).decode().rstrip("=")
V2 = quote(ZOOM, safe="").replace("%2F", "_").replace("%", "-")
# The characters in place of which asterisks stand, one alone and two in a row ("**A"), in base64 behind.
V3 = ZOOM.replace("?", "*").replace("pwd=", "pw**A")
WRAPPED = {
    "microsoft": f"https://eur03.safelinks.protection.outlook.com/?url={quote(ZOOM, safe='')}&data=05%7C02&reserved=0",
    "microsoft, older": f"https://nam01.safelinks.protection.outlook.com/?url={quote(ZOOM, safe='')}&amp;data=02",
    "microsoft, government": f"https://gcc02.safelinks.protection.office365.us/?url={quote(ZOOM, safe='')}&data=05",
    "microsoft, in teams": "https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html?url="
    + quote(ZOOM, safe="") + "&locale=fr-fr",
    "google": f"https://www.google.com/url?q={quote(ZOOM, safe=':/')}&sa=D&source=calendar&usd=2&usg=AOvVaw0",
    "google, plain": f"https://www.google.fr/url?sa=t&url={ZOOM}&usg=AOv",
    "proofpoint 1": f"https://urldefense.proofpoint.com/v1/url?u={quote(ZOOM, safe='')}&k=abc",
    "proofpoint 2": f"https://urldefense.proofpoint.com/v2/url?u={V2}&d=DwMFaQ&c=abc&r=d&m=e&s=f&e=",
    "proofpoint 3": f"https://urldefense.com/v3/__{V3}__;P2Q9!!AbCdEf!GhIjKl$",
    "proofpoint 3, one slash": f"https://urldefense.us/v3/__{ZOOM.replace('//', '/')}__;!!AbCdEf!GhIjKl$",
    "barracuda": f"https://linkprotect.cudasvc.com/url?a={quote(ZOOM, safe='').lower()}&c=E,1,abc&typo=1",
    "cisco": f"https://secure-web.cisco.com/1AbC-dEf_gHi/{quote(ZOOM, safe='')}",
    "sophos": f"https://eu-west-1.protection.sophos.com/?d=zoom.us&u={B64}&p=m&i=1",
    "trend micro": f"https://ddec1-0-en-ctp.trendmicro.com/wis/clicktime/v1/query?url={quote(ZOOM, safe='')}&umid=1",
    "trellix": f"https://protect2.fireeye.com/v1/url?k=1&q=1&e=2&u={quote(ZOOM, safe='')}",
    "symantec": f"https://clicktime.symantec.com/3AbC/6H2?u={quote(ZOOM, safe='')}",
}  # fmt: skip


@pytest.mark.parametrize("link", WRAPPED.values(), ids=list(WRAPPED))
def test_what_a_guard_of_mail_put_around_a_link_is_taken_off(link: str) -> None:
    assert inner(link).lower() == ZOOM.lower()
    assert found(notes=f"Rejoindre <{link}> !").lower() == ZOOM.lower()


def test_guards_around_guards_are_taken_off_to_a_depth() -> None:
    link = TEAMS
    for _ in range(5):
        link = "https://eur03.safelinks.protection.outlook.com/?url=" + quote(link, safe="")
    assert found(hints=Hints(links=(link,))) == TEAMS
    assert (
        unwrapped("https://eur03.safelinks.protection.outlook.com/?url=" + quote(link, safe=""), STANDARD)
        == ""
    )


@pytest.mark.parametrize(
    "link",
    [
        "https://eur03.safelinks.protection.outlook.com/?url=" + quote("https://acme.example/", safe=""),
        "https://safelinks.protection.outlook.com.evil.example/?url=" + quote(ZOOM, safe=""),
        "https://evil-protection.sophos.com.example/?u=" + B64,
        "https://www.google.com/search?q=" + quote(ZOOM, safe=""),
        "https://www.google.com.evil.example/url?q=" + quote(ZOOM, safe=""),
        "https://eur03.safelinks.protection.outlook.com/?url=javascript%3Aalert(1)",
        "https://urldefense.com/v3/__https:*zoom.us/j/1__;!!x!y$",
        "https://urldefense.com/v3/__" + ZOOM + "*__;A!!x!y$",
        "https://eu-west-1.protection.sophos.com/?u=!!!!",
        "https://protect-eu.mimecast.com/s/AbCdEf?domain=zoom.us",
    ],
)
def test_a_guards_link_to_anything_else_or_to_nothing_is_no_meeting(link: str) -> None:
    assert found(notes=link) == ""


def test_a_guards_link_that_somebody_said_is_kept_and_its_provider_told() -> None:
    meeting = meeting_in(Component(NO_TIME, video_url=WRAPPED["microsoft"]))
    assert meeting is not None
    assert (meeting.url, meeting.provider) == (WRAPPED["microsoft"], Provider.ZOOM)


# --- hosts of an admin's


def test_an_admins_hosts_are_told_apart_in_any_alphabet() -> None:
    providers = table((("visio.münchen.example", "other"),))
    assert providers.meeting("https://visio.xn--mnchen-3ya.example/raum") is Provider.OTHER
    assert providers.meeting("https://VISIO.München.example/raum") is Provider.OTHER
    assert providers.meeting("https://visio.munchen.example/raum") is None
    assert meeting_in(Component(NO_TIME, notes="https://visio.münchen.example/raum."), providers) is not None
    with pytest.raises(ValueError, match="is no host"):
        table((("a b", "other"),))


def test_a_said_link_of_meet_is_meets_whatever_its_path() -> None:
    assert STANDARD.owner("https://meet.google.com/abc") is Provider.MEET
    assert STANDARD.owner(MEET) is Provider.MEET
    assert STANDARD.owner("https://visio.acme.example/") is Provider.OTHER
