"""A fixture for tests that set up logging, which is global. `tests/conftest.py` registers it."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from syncd.daemon import logs


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Logging is global: put back what was there."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in (*logs.TALKATIVE, "apscheduler")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)
    structlog.reset_defaults()


@pytest.fixture
def log(restored_logging: None) -> io.StringIO:
    """What is logged from now on, a line of JSON each; whatever a test before has set up."""
    out = io.StringIO()
    logs.configure("info", "json", out)
    return out
