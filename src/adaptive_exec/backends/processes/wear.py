"""When a worker has served long enough: after so many calls, or when its memory has grown by so much.

Whoever runs calls counts `calls` down, and asks only when that has come to nothing, or after a call that was
not brief: so a short call costs one subtraction and one comparison.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from ...platform.memory import private_bytes

__all__ = ["Upkeep", "Wear"]

MOST_CALLS: Final = 1024
LOOK_SECONDS: Final = 0.1


class Upkeep(NamedTuple):
    """When workers are ended or replaced.

    Attributes:
        idle_seconds: After so long without a task a worker is ended.
        max_tasks: After so many calls it is replaced; None for any number.
        max_growth: When its memory has grown by so many bytes since it was warm; None for any number.
    """

    idle_seconds: float = 60.0
    max_tasks: int | None = None
    max_growth: int | None = 1 << 30


class Wear:
    """One worker's wear.

    What it has after its first call that is not brief, or its first `MOST_CALLS`, is what a warm worker needs.

    Args:
        max_tasks: Calls that it may answer; None for any number.
        max_growth: Bytes by which its memory may grow once it is warm; None for any number.
        measure: Tells how much memory there is.
        clock: Tells seconds.

    Attributes:
        calls: Calls until `is_out` has to be asked.
    """

    def __init__(
        self,
        max_tasks: int | None,
        max_growth: int | None,
        measure: Callable[[], int | None] = private_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._left = max_tasks
        self._max_growth = max_growth
        self._measure = measure
        self._clock = clock
        self._warm: int | None = None
        self._look_at = 0.0
        self._count()

    def _count(self) -> None:
        """Begin to count down again."""
        self._counted = self.calls = MOST_CALLS if self._left is None else min(self._left, MOST_CALLS)

    def is_out(self) -> bool:
        """Whether it should leave now; asked between calls."""
        if self.calls <= 0:
            if self._left is not None:
                self._left -= self._counted
                if self._left <= 0:
                    return True
            self._count()
        elif self._max_growth is None or self._clock() < self._look_at:
            return False
        return self._has_grown()

    def _has_grown(self) -> bool:
        """Whether memory has grown beyond the bound, garbage not counted."""
        if self._max_growth is None:
            return False
        self._look_at = self._clock() + LOOK_SECONDS
        size = self._measure()
        if size is None:
            self._max_growth = None
            return False
        if self._warm is None:
            self._warm = size
        if size - self._warm <= self._max_growth:
            return False
        gc.collect()
        size = self._measure()
        return size is not None and size - self._warm > self._max_growth
