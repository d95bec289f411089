"""The link to a video meeting in a component: read where clients write it, written where they look for it.

What is read here is what somebody *said* the link is. A link in a text, or in a URL that may lead anywhere,
is only a hint (`connectors.calendar.Hints`): it tells of the meeting and is never written.
"""

from connectors.block import clean
from connectors.calendar import Component, Hints
from connectors.ical.draft import Draft, with_parameter
from connectors.ical.lines import Line, parameters
from connectors.ical.parts import NONE, Fields, text_of
from connectors.ical.values import escape, unescape
from connectors.links import links_in_html
from connectors.meetings import STANDARD, without_link

# In the order in which they count (table T8 of the requirements, row 3). Exchange's say "conf:sip:" as well.
SAID = (
    "CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "X-MICROSOFT-ONLINEMEETINGCONFLINK",
    "X-GOOGLE-CONFERENCE",
)
HTML = ("X-ALT-DESC", "STYLED-DESCRIPTION")  # RFC 9073 section 6.5
# Where LOCATION lies on the map, as RFC 5545 (section 3.8.1.6), Apple and Microsoft write it. Apple's clients
# draw their map from it: beside another LOCATION it shows the former place; without it they show the text.
MAPS = ("GEO", "X-APPLE-STRUCTURED-LOCATION", "X-MICROSOFT-LOCATIONS")
MOST_HINTS = 100
_NOTHING = Hints()
_SEEN = frozenset({"VIDEO", "AUDIO", "SCREEN", "MODERATOR"})  # a chat or a feed alone is no meeting
_FEATURES = "VALUE=URI;FEATURE=AUDIO,VIDEO"


# --- reading --------------------------------------------------------------------------------------


def _web(line: Line) -> str:
    # URI values are not escaped (RFC 5545 section 3.3.13).
    url = clean(line.value).strip()
    return url if url[:8].lower().startswith(("http://", "https://")) else ""


def _features(line: Line) -> frozenset[str]:
    """FEATURE of a CONFERENCE (RFC 7986 section 6.3)."""
    found = parameters(line.params).get("FEATURE", "") if line.params else ""
    return frozenset(one.strip(' "').upper() for one in found.split(",") if one.strip(' "'))


def _rank(line: Line) -> int:
    features = _features(line)
    if not features:
        return 1
    return 2 if "VIDEO" not in features or "MODERATOR" in features else 0


def video_of(line: Line) -> str:
    """The link to a video meeting in a line that says one; empty where it is none."""
    url = _web(line)
    if line.name == "URL":
        return url if url and STANDARD.meeting(url) is not None else ""
    if line.name == "CONFERENCE" and (features := _features(line)) and not features & _SEEN:
        return ""
    return url


def video_lines(fields: Fields) -> list[Line]:
    """The lines that say a link to a video meeting; the first of them counts."""
    conferences = sorted(fields.get("CONFERENCE", NONE), key=_rank)
    others = [line for name in (*SAID[1:], "URL") for line in fields.get(name, NONE)]
    return [line for line in (*conferences, *others) if video_of(line)]


def link_of(fields: Fields) -> str:
    """The link to join that a component says; empty without one."""
    lines = video_lines(fields)
    return video_of(lines[0]) if lines else ""


def place_of(fields: Fields, link: str) -> str:
    """LOCATION, but for the link to join."""
    return without_link(text_of(fields, "LOCATION"), link)


def hints_of(fields: Fields) -> Hints:
    """What else may tell of a meeting."""
    if "URL" not in fields and not any(name in fields for name in HTML):
        return _NOTHING
    url = next((found for line in fields.get("URL", NONE) if (found := _web(line))), "")
    texts = [unescape(line.value) for name in HTML for line in fields.get(name, NONE) if "://" in line.value]
    links = tuple(dict.fromkeys(link for text in texts for link in links_in_html(text)))
    return Hints(url, links[:MOST_HINTS])


# --- writing --------------------------------------------------------------------------------------


def edit_video(draft: Draft, target: Component) -> None:
    """The link to join, where it was; a new one where each client looks for it (R111): CONFERENCE, and URL
    where that is free."""
    lines = video_lines(draft.fields)
    was, url = (video_of(lines[0]) if lines else ""), target.video_url
    if was == url:
        return
    said = False
    for line in (*lines, *(one for one in draft.lines("URL") if one not in lines and _web(one) == was != "")):
        if url and video_of(line) in {was, ""}:
            draft.swap(line, url)
            said |= line.name != "URL" or STANDARD.meeting(url) is not None
        elif line.name != "CONFERENCE" or not url:
            draft.drop(line)  # else: another way to the same meeting, which counts less
    if url and not said:
        draft.add("CONFERENCE", url, _FEATURES)
        if not was and not draft.lines("URL"):
            draft.add("URL", url)


def edit_place(draft: Draft, target: Component) -> None:
    """LOCATION: the place, and the link to join where it stood there already, or where there is no place."""
    lines, was = draft.lines("LOCATION"), link_of(draft.fields)
    text = unescape(lines[0].value) if lines else ""
    shown, link = without_link(text, was), target.video_url
    if shown == target.location and was == link:
        return
    place = target.location
    if link and shown and shown != text:
        place = f"{place}; {link}" if place else link  # as a client has put it there
    elif link and not place and (not was or text.strip() == was):
        place = link
    if place == text:
        return
    params = with_parameter(lines[0].params, "ALTREP", None) if lines else ""
    draft.set("LOCATION", escape(place) if place else None, params)
    if shown != target.location:
        for name in MAPS:
            draft.set(name, None)
