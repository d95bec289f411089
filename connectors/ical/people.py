"""ORGANIZER and ATTENDEE lines: who takes part, what they answered, whether the server may mail them."""

from collections.abc import Set as AbstractSet

from connectors.calendar import Attendee, Component, Response
from connectors.ical.draft import Draft, with_parameter
from connectors.ical.lines import Line, Node, parameter, parameters
from connectors.ical.parts import address_of, identity_of, response_of

_PARTSTAT = {
    Response.ACCEPTED: "ACCEPTED",
    Response.TENTATIVE: "TENTATIVE",
    Response.DECLINED: "DECLINED",
    Response.NO_RESPONSE: "NEEDS-ACTION",
}


def edit_people(draft: Draft, target: Component) -> None:
    """One line for each who came or went; of one who answered, PARTSTAT alone."""
    organizers = draft.lines("ORGANIZER")
    if (address_of(organizers[0]) if organizers else "") != target.organizer:
        draft.set("ORGANIZER", _uri(target.organizer) if target.organizer else None, "")
    wanted = {attendee.email: attendee for attendee in target.attendees}
    there: dict[str, list[Line]] = {}
    for line in draft.lines("ATTENDEE"):
        email = identity_of(line)
        if not email:
            continue
        if email in wanted:
            there.setdefault(email, []).append(line)
        else:
            draft.drop(line)
    for email, attendee in wanted.items():
        if email not in there:
            draft.add("ATTENDEE", _uri(email), _params(attendee))
        elif _answer(there[email]) is not attendee.response:
            for line in there[email]:
                answer = _PARTSTAT[attendee.response]
                draft.swap(line, line.value, with_parameter(line.params, "PARTSTAT", answer))


def _answer(lines: list[Line]) -> Response:
    answers = (response_of(parameters(line.params)) for line in lines)
    return next((one for one in answers if one is not Response.NO_RESPONSE), Response.NO_RESPONSE)


def _uri(email: str) -> str:
    if ":" in email or "@" not in email:
        return email  # a URI already
    return "mailto:" + email.replace("%", "%25")


def _params(attendee: Attendee) -> str:
    parts = [parameter("CN", attendee.name)] if attendee.name else []
    parts += ["ROLE=REQ-PARTICIPANT", f"PARTSTAT={_PARTSTAT[attendee.response]}"]
    if attendee.response is Response.NO_RESPONSE:
        parts.append("RSVP=TRUE")
    return ";".join(parts)


def mark_quiet(node: Node, end: bytes, *, quiet: bool, invited: AbstractSet[str] = frozenset()) -> None:
    """Sets, or takes away, our marks that keep the server from mailing the attendees of a component.

    Those `invited` before are not marked: to be given into somebody else's care is a cancellation for a
    guest (RFC 6638 section 3.2.1.2).
    """
    draft = Draft(node, end)
    for line in draft.lines("ATTENDEE"):
        params = line.params.upper()
        agent, ours = "SCHEDULE-AGENT=" in params, "X-CRM-QUIET=" in params
        if quiet and not agent and identity_of(line) not in invited:
            marked = with_parameter(line.params, "SCHEDULE-AGENT", "NONE")
            draft.swap(line, line.value, with_parameter(marked, "X-CRM-QUIET", "T"))
        elif not quiet and ours:
            bare = with_parameter(line.params, "X-CRM-QUIET", None)
            if parameters(params).get("SCHEDULE-AGENT") == "NONE":
                bare = with_parameter(bare, "SCHEDULE-AGENT", None)
            draft.swap(line, line.value, bare)
    if draft.changed:
        draft.finish()
