"""The EWS server as a fixture."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.ews.server import EwsServer


@pytest.fixture
def ews(tmp_path: Path) -> Iterator[EwsServer]:
    """A server that speaks TLS. The test fails where a message was invalid against Microsoft's schema."""
    with EwsServer(tmp_path / "ews-tls") as server:
        yield server
