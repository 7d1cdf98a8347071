"""What a thread is doing at this moment, told by Linux's `/proc/self/task/TID/syscall`.

The file reads `running` for a thread that is on a core or could be; `NR ARG0 ... SP PC` for one that sleeps in
system call number NR; `-1 SP PC` for one that sleeps in the kernel for another reason (a page fault). A
thread that wants the GIL sleeps in a futex whose word (ARG0) lies where the GIL does.

A thread that sleeps in a call that maps or unmaps memory waits for another thread of the process that does the
same. It is neither computing nor waiting for anything outside, so such a look tells nothing.
"""

from __future__ import annotations

import enum
import os
import threading
from typing import Final

from .gil_place import GilPlace

__all__ = ["ThreadState", "classify", "open_this_thread"]

_MEMORY_CALLS: Final[frozenset[int]] = {
    # mmap, mprotect, munmap, brk, mremap, madvise
    "x86_64": frozenset({9, 10, 11, 12, 25, 28}),
    "aarch64": frozenset({222, 226, 215, 214, 216, 233}),
}.get(os.uname().machine if hasattr(os, "uname") else "", frozenset())


class ThreadState(enum.Enum):
    """What a thread was doing when it was looked at."""

    RUNNING = "running"
    BLOCKED = "blocked"
    WANTS_GIL = "wants the GIL"


def open_this_thread() -> int | None:
    """A descriptor through which the calling thread's state can be read; None where there is none."""
    try:
        return os.open(f"/proc/self/task/{threading.get_native_id()}/syscall", os.O_RDONLY)
    except (OSError, AttributeError):
        return None


def classify(text: bytes, gil: GilPlace) -> ThreadState | None:
    """The state that the text of a thread's `syscall` file tells; None if it tells nothing.

    Args:
        text: What the file held.
        gil: Where the GIL lies; empty on a free-threaded build.
    """
    if text.startswith(b"running"):
        return ThreadState.RUNNING
    call = _call_and_word(text)
    if call is None:
        return ThreadState.BLOCKED if text.startswith(b"-1") else None
    number, word = call
    if number in _MEMORY_CALLS:
        return None
    return ThreadState.WANTS_GIL if word in gil else ThreadState.BLOCKED


def _call_and_word(text: bytes) -> tuple[int, int] | None:
    """System call number and first argument, or None if the thread is in no system call."""
    parts = text.split(None, 2)
    try:
        number, word = int(parts[0]), int(parts[1], 16)
    except (IndexError, ValueError):
        return None
    return (number, word) if number >= 0 else None
