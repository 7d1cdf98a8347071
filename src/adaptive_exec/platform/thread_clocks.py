"""The CPU clock of a thread, readable from any other thread (Linux and other systems with pthread clocks)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["read_thread_clock", "this_thread_clock"]

_clock_of_pthread: Callable[[int], int] | None = getattr(time, "pthread_getcpuclockid", None)
_read: Callable[[int], int] | None = getattr(time, "clock_gettime_ns", None)


def this_thread_clock() -> int | None:
    """The id of the calling thread's CPU clock; None where the system has none.

    Only ever asked by a thread for itself: the pthread id of a thread that has ended crashes the
    interpreter in `pthread_getcpuclockid`. The clock id may outlive its thread: reading it then fails.
    """
    if _clock_of_pthread is None or _read is None:
        return None
    try:
        return _clock_of_pthread(threading.get_ident())
    except OSError:
        return None


def read_thread_clock(clock: int) -> int | None:
    """Nanoseconds of CPU time of the thread that `clock` belongs to; None if it has ended.

    Does not release the GIL.
    """
    if _read is None:
        return None
    try:
        return _read(clock)
    except OSError:
        return None
