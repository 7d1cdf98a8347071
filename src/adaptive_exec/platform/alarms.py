"""A descriptor that can be read once a moment has come: a clock that wakes whoever sleeps on descriptors (Linux).

Assumes:
    - The monotonic clock is that of `time.perf_counter`, as CPython has it on Linux.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Alarm", "make_alarm"]

_FLAGS: Final = (
    os.O_CLOEXEC | os.O_NONBLOCK if sys.platform == "linux" else 0
)  # timerfd_create's are the same


class Alarm:
    """One clock.

    Args:
        fd: Its descriptor, which this object owns from now on.
        start: Makes it go off once, after so many seconds, given the descriptor; replaces what was set before.
    """

    __slots__ = ("_fd", "_start")

    def __init__(self, fd: int, start: Callable[[int, float], object]) -> None:
        self._fd = fd
        self._start = start

    def fileno(self) -> int:
        """The descriptor, which can be read when it has gone off."""
        return self._fd

    def set(self, seconds: float) -> None:
        """Have it go off once, in so many seconds and not before, and not when it was to go off until now."""
        self._start(self._fd, seconds)

    def heed(self) -> None:
        """Take note that it has gone off; until it is set again it can't be read."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, 8)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)


def make_alarm() -> Alarm | None:
    """A new clock that has not been set; None where the system has none of this kind.

    Raises:
        OSError: There are too many open files.
    """
    if sys.platform != "linux":
        return None
    if sys.version_info >= (3, 13):
        return Alarm(os.timerfd_create(time.CLOCK_MONOTONIC, flags=_FLAGS), _start)
    return _make_by_c_library()


if sys.platform == "linux" and sys.version_info >= (3, 13):

    def _start(fd: int, seconds: float) -> None:
        """Set a clock as the interpreter does it."""
        os.timerfd_settime(fd, initial=seconds)


def _make_by_c_library() -> Alarm | None:
    """A clock as the C library makes it, for interpreters that can't."""
    try:
        # Imported here: it takes milliseconds, and a clock is only wanted once there has been much to do.
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        create, settime = library.timerfd_create, library.timerfd_settime
    except (ImportError, OSError, AttributeError, TypeError):
        return None
    four_longs: Any = (
        ctypes.c_long * 4
    )  # struct itimerspec: seconds and nanoseconds, of the interval and of the start
    settime.argtypes = [ctypes.c_int, ctypes.c_int, four_longs, ctypes.c_void_p]
    fd = create(ctypes.c_int(time.CLOCK_MONOTONIC), ctypes.c_int(_FLAGS))
    if fd < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

    def start(fd: int, seconds: float) -> None:
        whole, nanoseconds = divmod(max(1, round(seconds * 1e9)), 1_000_000_000)
        if settime(fd, 0, four_longs(0, 0, whole, nanoseconds), None) < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return Alarm(fd, start)
