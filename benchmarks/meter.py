"""Runs one command and writes down what it cost, in a process of its own: `meter.py REPORT SECONDS COMMAND…`.

A child's peak memory starts from that of the process that started it (Linux takes it over on exec), so
whoever measures must be small. Hence no import beyond the standard library's smallest, and `-I -S`.
The command is killed after SECONDS. Exits as the command did.
"""

import json
import os
import signal
import sys
import time


def main() -> int:
    """Runs the command of the command line; returns its exit status."""
    report, seconds, *command = sys.argv[1:]
    start = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(int(seconds))
    _, status, usage = os.wait4(child, 0)
    signal.alarm(0)
    wall = time.monotonic() - start
    with open(report, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is not small
        json.dump(
            {
                "wall": wall,
                "user": usage.ru_utime,
                "system": usage.ru_stime,
                "peak": usage.ru_maxrss * 1024,
            },
            file,
        )
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
