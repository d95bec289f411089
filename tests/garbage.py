"""Python looks less often for what refers to itself: there is little of it, and much to look through.

A test run holds some half a million objects from its collection on: modules, tests, tables. Looking through
them again and again took a tenth of the time, and in a forked process each look is a copy of their memory.
"""

import gc

NEW, TIMES, TIMES_OLD = 20_000, 20, 20  # objects until the youngest are looked at, and how often until more


def pytest_collection_finish() -> None:
    """What is there now stays until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, TIMES, TIMES_OLD)
