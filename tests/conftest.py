"""What all tests share: the servers they start."""

pytest_plugins = [
    "tests.interrupts",
    "tests.loggers",
    "tests.memory",
    "tests.no_skips",
    "tests.servers.fixtures",
    "tests.servers.compiled",
    "tests.servers.databases",
    "tests.servers.worlds",
    "tests.servers.ews.fixtures",
]
