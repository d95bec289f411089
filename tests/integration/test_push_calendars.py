"""Exchange tells of changes in calendars: `syncd run` looks at once, and its own writes keep nobody busy."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.daemon.dispatch import GAP
from syncd.daemon.listened import Listened
from tests.servers.ews.server import EwsServer
from tests.servers.exchange_office import Office
from tests.servers.manager import ServiceManager

SOON = 4.0  # seconds, on a machine that has other things to do
IN_TWO_DAYS = (datetime.now(UTC) + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def office(ews: EwsServer, tmp_path: Path, sqlite_url: str) -> Office:
    made = Office(ews, tmp_path / "syncd", sqlite_url)
    made.add_user("claire")
    made.now = datetime.now(UTC)
    ews.subscriptions.heartbeat = 0.5
    return made


@pytest.fixture
def manager(office: Office) -> Iterator[ServiceManager]:
    """The service, once it listens to Claire's calendars and has looked at them because of that."""
    office.write_config()
    with office.config.open("a") as config:
        config.write('\n[schedule]\ninterval = "6h"\njitter = "0s"\n')
    with ServiceManager(office.config) as started:
        listened = Listened(office.folder / "listened")
        started.await_that(lambda: listened.since("claire", datetime.now(UTC)) is not None, "listened to")
        yield started


def quiet(office: Office) -> bool:
    """Whether the server is asked nothing for several times the gap between cycles. It takes that long."""
    before = office.ews.counts.operations.total()
    time.sleep(3 * GAP.total_seconds())
    return office.ews.counts.operations.total() == before


def test_what_a_client_makes_and_changes_is_in_the_crm_within_moments(
    office: Office, manager: ServiceManager
) -> None:
    client = office.client("claire")
    ref = client.add_event("Réunion", IN_TWO_DAYS, IN_TWO_DAYS + timedelta(hours=1))
    manager.await_that(lambda: office.subjects() == ["Réunion"], "the event is there", SOON)
    client.edit(ref, Subject="Réunion bis")
    manager.await_that(lambda: office.subjects() == ["Réunion bis"], "its change too", SOON)
    client.delete(ref)
    manager.await_that(lambda: office.subjects() == [], "and its end", SOON)


def test_own_writes_are_looked_at_once_and_then_there_is_rest(
    office: Office, manager: ServiceManager
) -> None:
    office.desk("claire").add("Depuis le CRM", f"{IN_TWO_DAYS:%Y-%m-%dT10:00}")
    office.client("claire").add_task("Rappeler Paul")  # the server tells of this one
    manager.await_that(
        lambda: [one.text("Subject") for one in office.events("claire")] == ["Depuis le CRM"],
        "the CRM's event is in the calendar",
        SOON,
    )
    manager.await_that(lambda: quiet(office), "cycles do not follow upon each other", 30.0)
    assert len(office.events("claire")) == 1
    assert office.subjects() == ["Depuis le CRM"]
