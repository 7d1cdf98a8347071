"""What a thread sleeps by until another thread of this process wakes it.

A pipe, where there is one to be had: who writes into one is about to wait for what that brings, as Linux sees it, and
so the sleeper wakes on the same core if it can. A lock's holder tells nothing, and the sleeper is sent to another core,
which may have to be woken itself. (To go to a thread and back took 20 to 40 µs, and 60 to 120 by a lock.)

Guarantees:
    - A ring is heard, also if that was before anybody slept; several may be heard as one.
    - `ring` never waits, and never raises.
Assumes: one thread at a time sleeps by an alarm.
Races: somebody rings as the sleeper's time runs out: the next sleep is over at once, and who sleeps looks for what
    there is to do: `tests/platform/test_alarm.py::test_a_ring_before_the_sleep_is_heard`
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

__all__ = ["Alarm", "make_alarm"]

_SOME = 64


class Alarm(ABC):
    """Wakes one thread."""

    __slots__ = ()

    @abstractmethod
    def sleep(self, seconds: float) -> bool:
        """Wait to be woken, for so many seconds at most; whether somebody has rung."""

    @abstractmethod
    def ring(self) -> None:
        """Wake who sleeps, or who will."""


class _PipeAlarm(Alarm):
    """By a pipe, which is closed once nobody has the alarm any more: who rings late has it."""

    __slots__ = ("_poll", "_reader", "_writer")

    def __init__(self) -> None:
        """OSError if there are no more descriptors to be had."""
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._poll = select.poll()
        self._poll.register(self._reader, select.POLLIN)

    def sleep(self, seconds: float) -> bool:
        if not self._poll.poll(seconds * 1e3):
            return False
        os.read(self._reader, _SOME)
        return True

    def ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it has been rung often enough
            os.write(self._writer, b"r")

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        # When the interpreter exits, this module's names may be gone before.
        try:
            close(self._reader)
            close(self._writer)
        except (AttributeError, OSError):
            pass


class _LockAlarm(Alarm):
    """By a lock, which any system has."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def sleep(self, seconds: float) -> bool:
        return self._lock.acquire(timeout=seconds)

    def ring(self) -> None:
        with contextlib.suppress(RuntimeError):  # it has been rung already
            self._lock.release()


def make_alarm(*, portable: bool = False) -> Alarm:
    """An alarm that nobody has rung.

    Args:
        portable: Take what any system has.
    """
    if not portable and hasattr(select, "poll"):
        with contextlib.suppress(OSError):
            return _PipeAlarm()
    return _LockAlarm()
