"""Short time slices: a thread that works for microseconds is let onto its core at once when it wakes.

Linux gives a thread that wakes up a core at once if one is idle among those that share its cache. Where cores don't
share one, as virtual ones often do not, it waits behind whoever runs on its own core until that one's slice ends: some
3 ms, even while another core has nothing to do. A thread that has asked for shorter slices goes first (since Linux
6.12; before that, asking changes nothing). It gets no more of a core than before, only sooner.
"""

from __future__ import annotations

import os
import struct
from typing import Final

__all__ = ["ask_for_short_slices"]

_SHORTEST_NS: Final = 100_000  # what the kernel rounds up to
_NORMAL_POLICIES: Final = (0, 3)  # SCHED_OTHER and SCHED_BATCH
_CALLS: Final[tuple[int, int] | None] = {
    # sched_setattr, sched_getattr
    "x86_64": (314, 315),
    "aarch64": (274, 275),
    "riscv64": (274, 275),
}.get(os.uname().machine if hasattr(os, "uname") and os.uname().sysname == "Linux" else "")
_ATTRIBUTES: Final = struct.Struct("=IIQiIQQQ")  # the kernel's `struct sched_attr` in its first form


def ask_for_short_slices() -> bool:
    """Ask for the calling thread, whose nice value and policy stay as they are; False where that can't be done."""
    if _CALLS is None:
        return False
    try:
        import ctypes

        call = ctypes.CDLL(None).syscall
    except (ImportError, OSError, AttributeError):
        return False
    set_attributes, get_attributes = _CALLS
    buffer = ctypes.create_string_buffer(_ATTRIBUTES.size)
    here, none = ctypes.c_long(0), ctypes.c_ulong(0)
    if call(ctypes.c_long(get_attributes), here, buffer, ctypes.c_ulong(_ATTRIBUTES.size), none):
        return False
    _, policy, flags, nice, priority, _, deadline, period = _ATTRIBUTES.unpack(buffer.raw)
    if policy not in _NORMAL_POLICIES:
        return False  # to others that field means something else, and who chose one of them knows why
    wanted = _ATTRIBUTES.pack(_ATTRIBUTES.size, policy, flags, nice, priority, _SHORTEST_NS, deadline, period)
    return bool(call(ctypes.c_long(set_attributes), here, wanted, none) == 0)
