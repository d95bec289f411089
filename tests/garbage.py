"""Python looks less often for what refers to itself: there is little of it, and much to look through.

A test run holds some half a million objects from its collection on: modules, tests, tables. Looking through
them again and again took a tenth of the time, and in a forked process each look is a copy of their memory.
"""

import gc

from syncd.engine import garbage


def pytest_collection_finish() -> None:
    """What is there now stays until the end."""
    gc.collect()
    gc.freeze()
    garbage.look_seldom()
