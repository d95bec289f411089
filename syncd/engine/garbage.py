"""How often Python looks for objects that refer to each other and to nothing else.

Mail and calendars make many objects and hardly a circle of them: looking for those took a tenth of a first
log.
"""

import gc

NEW, TIMES, TIMES_OLD = 20_000, 20, 100  # objects until the youngest are looked at, and how often until more


def look_seldom() -> None:
    """For the whole process."""
    gc.set_threshold(NEW, TIMES, TIMES_OLD)
