"""What all tests share: the servers they start."""

import os
import sys

# As after an installation: hundreds of processes are started here, and each would compile the product anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

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
