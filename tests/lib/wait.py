"""Waiting for something to become true, without blind sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    predicate: Callable[[], T],
    timeout: float = 30.0,
    what: str | None = None,
    interval: float = 0.02,
) -> T:
    """Polls until the predicate returns something true, and returns that.

    An AssertionError of the predicate counts as "not yet", and is what the time-out shows.
    """
    end = time.monotonic() + timeout
    last: AssertionError | None = None
    while True:
        try:
            value = predicate()
            last = None
        except AssertionError as error:
            last = error
        else:
            if value:
                return value
        if time.monotonic() >= end:
            message = f"not true within {timeout:g} s: {what or predicate}"
            raise TimeoutError(f"{message}\n{last}" if last else message)
        time.sleep(interval)
