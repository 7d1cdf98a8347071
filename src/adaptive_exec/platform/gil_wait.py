"""For how long a thread has been waiting for the GIL, told by Linux's `/proc/self/task/TID/syscall`.

CPython waits for the GIL in `pthread_cond_timedwait` with the switch interval as its limit (`take_gil` in
Python/ceval_gil.c), which glibc turns into a futex call with an absolute deadline of the monotonic clock. The
deadline lies at the address that is the call's fourth argument, in this process's own memory; the wait began one
switch interval before it. Where a wait lasted longer, it was begun anew, and only the last part of it is told.
"""

from __future__ import annotations

import sys
import time
from typing import Final

from .gil_place import GilPlace

__all__ = ["gil_wait_ns"]

_WAIT_UNTIL: Final = 9  # FUTEX_WAIT_BITSET, whose deadline is absolute
_COMMAND: Final = 0x7F  # without the flag that the futex is private
_WALL_CLOCK: Final = 0x100  # FUTEX_CLOCK_REALTIME
_IS_64_BIT: Final = sys.maxsize > 1 << 32


def gil_wait_ns(text: bytes, gil: GilPlace) -> int:
    """Nanoseconds for which a thread has been waiting for the GIL; 0 if it isn't, or it can't be told.

    The caller holds the GIL, so that the thread stays where it is.

    Args:
        text: What the thread's `syscall` file held.
        gil: Where the GIL lies.
    """
    parts = text.split()
    if len(parts) != 9 or not _IS_64_BIT:
        return 0
    try:
        word, operation, deadline_at = int(parts[1], 16), int(parts[2], 16), int(parts[4], 16)
    except ValueError:
        return 0
    if word not in gil or operation & _COMMAND != _WAIT_UNTIL or operation & _WALL_CLOCK or not deadline_at:
        return 0
    import ctypes

    seconds, rest = (ctypes.c_int64 * 2).from_address(deadline_at)
    left = seconds * 1_000_000_000 + rest - time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    interval = int(sys.getswitchinterval() * 1e9)
    return interval - left if 0 < interval - left <= 2 * interval else 0
