"""A second, independent client drives the EWS server: ews-javascript-api, of other hands than exchangelib."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.fixtures import missing

ADDRESS = "claire@acme.example"
ROOT = Path(__file__).parents[2]
MODULES = ROOT / ".node" / "node_modules"
SCRIPT = ROOT / "tests" / "servers" / "ews" / "node" / "drive.cjs"


@pytest.fixture
def node() -> str:
    """The program that runs the client."""
    found = shutil.which("node")
    if found is None or not (MODULES / "ews-javascript-api").is_dir():
        missing("ews-javascript-api", "tools/bootstrap.sh node")
    assert found is not None
    return found


def test_a_second_client_binds_creates_views_synchronizes_updates_and_deletes(
    ews: EwsServer, node: str
) -> None:
    password = ews.add_mailbox(ADDRESS, "Claire Dupont")
    environ = {"PATH": os.environ["PATH"], "NODE_PATH": str(MODULES), "NODE_EXTRA_CA_CERTS": str(ews.ca_file)}
    ran = subprocess.run(
        [node, str(SCRIPT)],
        input=json.dumps({"url": ews.url, "login": ADDRESS, "password": password}),
        capture_output=True,
        text=True,
        env=environ,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)

    item = seen["created"]
    assert seen["folder"] == "Calendar"
    assert seen["bound"][:3] == ["From elsewhere", "Room 1", "2026-10-12T07:00:00.000Z"]
    assert (seen["first"], seen["second"]) == ([["Create", item]], [["Update", item]])
    assert seen["conflict"] == "ErrorIrresolvableConflict"
    assert seen["view"] == [
        ["Changed elsewhere", "2026-10-12T07:00:00.000Z"],
        ["Series", "2026-10-12T07:00:00.000Z"],
        ["Series", "2026-10-19T07:00:00.000Z"],
        ["Series", "2026-10-26T07:00:00.000Z"],
    ]
    assert seen["exception"] == ["Exception", "Elsewhere"]
    assert seen["third"] == [["Delete", item]]
    assert seen["left"] == ["Series"] * 3

    [master] = OtherClient(ews, ADDRESS).events()
    assert master.item.series is not None
    assert len(master.item.series.changed) == 1
    assert ews.counts.sent == []
