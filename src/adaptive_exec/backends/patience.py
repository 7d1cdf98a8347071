"""To poll for a moment before falling asleep, as long as that pays.

To wake a thread takes 20 µs and more, and most of what one waits for between two threads comes sooner. So who has
nothing to do looks again for `SPIN_SECONDS`, leaving its core to others in between, and sleeps only then. Bounded, so
an idle program uses no CPU; and given up where it was in vain a few times, but for one try in sixteen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ..platform.pause import yield_core

__all__ = ["Patience", "wait_a_moment"]

T = TypeVar("T")
SPIN_SECONDS: Final = 50e-6
_CREDIT: Final = 4
_TRY_EVERY: Final = 16


class Patience:
    """Whether to poll, by how that went before.

    Threads that use one at once may lose each other's counts, which are hints.
    """

    __slots__ = ("_credit", "_enabled", "_passed")

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled  # with one core only who has to bring it can be kept from that
        self._credit = 0
        self._passed = 0

    def rest(self) -> None:
        """What would be polled for is brought otherwise: leave the core to who does that."""
        self._credit = self._passed = 0

    def poll(self, look: Callable[[], T], nothing: type[Exception]) -> T | None:
        """Look a few times for something that may come.

        Args:
            look: Gives it, or raises `nothing`.
            nothing: What says that it has not come.

        Returns:
            What was found; None if nothing has come, or nobody looked.
        """
        if not self._enabled:
            return None
        if self._credit <= 0:
            self._passed += 1
            if self._passed % _TRY_EVERY:
                return None
        end = time.perf_counter() + SPIN_SECONDS
        while True:
            yield_core()
            try:
                found = look()
            except nothing:
                if time.perf_counter() >= end:
                    self._credit -= 1
                    return None
            else:
                self._credit = _CREDIT
                return found


def wait_a_moment(future: Any, seconds: float) -> None:
    """Poll for the end of a future that is expected to come soon.

    Args:
        future: Asked whether it is done.
        seconds: For how long at most.
    """
    end = time.perf_counter() + min(seconds, SPIN_SECONDS)
    while not future.done() and time.perf_counter() < end:
        yield_core()
