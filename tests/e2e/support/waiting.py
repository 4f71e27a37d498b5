"""Waits for conditions, never for time to pass."""

import time

from . import settings


def eventually(condition, timeout=10.0, what=None):
    """Polls until `condition()` is true and returns its value; AssertionError after `timeout`."""
    timeout = settings.seconds(timeout)
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what() if callable(what) else what or condition}; last value: {value!r}")
        time.sleep(0.01)
