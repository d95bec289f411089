"""A connector on a scripted CalDAV server."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from connectors.dav.access import DavAccess, Password
from connectors.dav.client import DavConnector
from tests.servers.dav_answers import CAL, calendar
from tests.servers.scripted_dav import Reaction, Request, ScriptedDav

QUICK = timedelta(seconds=1)
BASE: dict[str, Reaction | list[Reaction]] = {"PROPFIND /cal/ 0": calendar()}


def access(server: ScriptedDav, path: str = CAL) -> DavAccess:
    return DavAccess(
        f"http://127.0.0.1:{server.port}{path}",
        "claire",
        Password(lambda: "made up", "basic"),
        timeout=QUICK,
        total_timeout=timedelta(seconds=2),
        largest_answer=200_000,
    )


@contextmanager
def serving(
    script: Mapping[str, Reaction | list[Reaction]], path: str = CAL
) -> Iterator[tuple[ScriptedDav, DavConnector]]:
    whole = {**script, **{line: reaction for line, reaction in BASE.items() if line not in script}}
    with ScriptedDav(whole) as server, DavConnector(access(server, path)) as connector:
        yield server, connector


def report(*reactions: Reaction) -> dict[str, Reaction | list[Reaction]]:
    return {"REPORT /cal/ 0": list(reactions)}


def token_of(request: Request) -> str:
    return request.body.decode().partition("<D:sync-token>")[2].partition("<")[0]


# --- CTags and ETags --------------------------------------------------------------------------------


def by_etags(*listings: Reaction, ctag: str = "c1") -> dict[str, Reaction | list[Reaction]]:
    return {
        "PROPFIND /cal/ 0": calendar(syncs=False, ctag=ctag),
        "PROPFIND /cal/ 1": list(listings),
    }
