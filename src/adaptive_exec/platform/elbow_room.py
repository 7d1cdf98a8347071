"""Elbow room: a thread that polls on the very core that the other end needs moves to another one (Linux).

Who is woken by a write often wakes up on the writer's core. If both poll then, leaving the core to each other in turns,
the system takes both for tasks whose caches are warm there, and lets them share it for tens of milliseconds, beside a
core that has nothing to do: a round trip between two processes takes three times as long as it would apart.

A turn of polling that takes as long as somebody else's turn says so. A few in a row, and the thread shuts its own core
out of the set of those it may run on, which moves it at once, and lets it in again. (To the kernel that set is a wish
from then on, as `taskset` leaves one: should the container be given more cores later, this thread goes on using these.)
"""

from __future__ import annotations

import os
import time
from typing import Final

__all__ = ["ElbowRoom", "can_move"]

CROWDED_SECONDS: Final = 25e-6
"""A turn without anybody else takes 3 µs, one with another process in it 40 and more."""

TURNS: Final = 3
FIRST_PAUSE_SECONDS: Final = 500e-6
LONGEST_PAUSE_SECONDS: Final = 1.0
_PROCESSOR: Final = 36  # of the fields behind the name in /proc/self/stat, counted from 0: proc_pid_stat(5)

can_move: Final = hasattr(os, "sched_setaffinity") and os.path.exists("/proc/thread-self/stat")


class ElbowRoom:
    """Watches the turns in which one thread polls.

    All cores may be busy, and moving is no use then: each move that changes nothing doubles the pause before the next.
    """

    __slots__ = ("_crowded", "_not_before", "_pause")

    def __init__(self) -> None:
        self._crowded = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._not_before = 0.0

    def took(self, seconds: float, *, found: bool) -> None:
        """A turn took so long, and found what is polled for, or not; the thread that polls says so."""
        if seconds < CROWDED_SECONDS:
            if found:
                self._crowded = 0
                self._pause = FIRST_PAUSE_SECONDS
            return
        self._crowded += 1
        if self._crowded < TURNS:
            return
        now = time.perf_counter()
        if now < self._not_before:
            return
        self._crowded = 0
        move_away()
        self._not_before = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)


def move_away() -> bool:
    """Have the calling thread run on another core than now, if it may; where it may run stays as it was."""
    if not can_move:
        return False
    try:
        allowed = os.sched_getaffinity(0)
        with open("/proc/thread-self/stat", "rb") as file:
            core = int(file.read().rpartition(b")")[2].split()[_PROCESSOR])
        others = allowed - {core}
        if not others:
            return False
        os.sched_setaffinity(0, others)
    except (OSError, ValueError, IndexError):
        return False
    try:
        os.sched_setaffinity(0, allowed)
    except OSError:  # those have just been taken from this process: let it run wherever it still may
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return True
