"""Waiting for a condition, with a bound so generous that only a defect reaches it."""

import time
from collections.abc import Callable
from typing import Any

BOUND = 60.0
"""Seconds. No test asserts how long something takes; this only ends a wait that would never end."""


def until(condition: Callable[[], Any], what: str, bound: float = BOUND) -> Any:
    """Asks `condition` again and again until its answer is truthy, and returns that answer."""
    end = time.monotonic() + bound
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {bound:g} seconds")
        time.sleep(0.05)
