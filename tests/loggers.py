"""A fixture for tests that set up logging, which is global. `tests/conftest.py` registers it."""

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
