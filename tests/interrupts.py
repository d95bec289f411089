"""Ctrl-C reaches what the tests start, also where the test run itself is a background job.

A shell starts a background job with SIGINT ignored, and whatever that starts inherits it: a program that
should end on an interrupt never hears of one. A handler is not inherited.
"""

import signal
import threading


def pytest_configure() -> None:
    """Gives this process, the controller or a worker, Python's usual handler."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
