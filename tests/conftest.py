"""What all tests share: the servers they start."""

import os

# What commands say is asserted in English; test_cli_language.py takes it away.
os.environ["SYNCD_LANGUAGE"] = "en"

pytest_plugins = [
    "tests.garbage",
    "tests.interrupts",
    "tests.loggers",
    "tests.memory",
    "tests.no_skips",
    "tests.servers.fixtures",
    "tests.servers.compiled",
    "tests.servers.databases",
    "tests.servers.prepared",
    "tests.servers.worlds",
    "tests.servers.ews.fixtures",
]
