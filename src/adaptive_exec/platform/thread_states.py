"""What a thread is doing at this moment, told by Linux's `/proc/self/task/TID/syscall`.

The file reads `running` for a thread that is on a core or could be; `NR ARG0 ... SP PC` for one that sleeps in
system call number NR; `-1 SP PC` for one that sleeps in the kernel for another reason (a page fault). A
thread that wants the GIL sleeps in a futex whose word (ARG0) lies inside the interpreter's GIL structure:
two mutexes and two condition variables, 176 bytes on 64-bit glibc.

A thread that sleeps in a call that maps or unmaps memory waits for another thread of the process that does the
same. It is neither computing nor waiting for anything outside, so such a look tells nothing.
"""

from __future__ import annotations

import _thread
import enum
import os
import threading
from collections.abc import Callable
from typing import Final

__all__ = ["GilWords", "ThreadState", "classify", "learn_gil_words", "open_this_thread"]

_REACH: Final = 144
"""Bytes from a futex word of the GIL to the farthest other one, with any of the four learned first."""

_LEARN_US: Final = 100
_LEARN_TRIES: Final = 30
_CONFIRMATIONS: Final = 3

_MEMORY_CALLS: Final[frozenset[int]] = {
    # mmap, mprotect, munmap, brk, mremap, madvise
    "x86_64": frozenset({9, 10, 11, 12, 25, 28}),
    "aarch64": frozenset({222, 226, 215, 214, 216, 233}),
}.get(os.uname().machine if hasattr(os, "uname") else "", frozenset())

GilWords = frozenset[tuple[int, int]]
"""Pairs of system call number and futex address at which threads were seen to wait for the GIL."""


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


def classify(text: bytes, gil_words: GilWords) -> ThreadState | None:
    """The state that the text of a thread's `syscall` file tells; None if it tells nothing.

    Args:
        text: What the file held.
        gil_words: What `learn_gil_words` found; empty on a free-threaded build.
    """
    if text.startswith(b"running"):
        return ThreadState.RUNNING
    call = _call_and_word(text)
    if call is None:
        return ThreadState.BLOCKED if text.startswith(b"-1") else None
    number, word = call
    if number in _MEMORY_CALLS:
        return None
    for gil_number, gil_word in gil_words:
        if number == gil_number and abs(word - gil_word) <= _REACH:
            return ThreadState.WANTS_GIL
    return ThreadState.BLOCKED


def learn_gil_words(read: Callable[[int], bytes], sleep_held_us: Callable[[int], None]) -> GilWords | None:
    """Find the futex words of the GIL by watching a busy thread from which the GIL is withheld.

    While the caller sleeps with the GIL held, a thread that only computes can be nowhere but in a wait for the
    GIL. A word counts once it was seen three times.

    Args:
        read: Reads a descriptor without releasing the GIL.
        sleep_held_us: Sleeps without releasing the GIL.

    Returns:
        The words, or None if none could be seen within a few milliseconds.
    """
    busy = _BusyThread()
    descriptor = busy.start()
    if descriptor is None:
        busy.end()
        return None
    try:
        return _learn_from(descriptor, read, sleep_held_us)
    finally:
        busy.end()
        os.close(descriptor)


def _learn_from(
    descriptor: int, read: Callable[[int], bytes], sleep_held_us: Callable[[int], None]
) -> GilWords | None:
    """The word at which the thread behind `descriptor` waits while the GIL is withheld from it."""
    seen: dict[tuple[int, int], int] = {}
    for _ in range(_LEARN_TRIES):
        sleep_held_us(_LEARN_US)
        call = _call_and_word(read(descriptor))
        if call is None:
            continue
        seen[call] = seen.get(call, 0) + 1
        if seen[call] >= _CONFIRMATIONS:
            return frozenset((call,))
    return None


def _call_and_word(text: bytes) -> tuple[int, int] | None:
    """System call number and first argument, or None if the thread is in no system call."""
    parts = text.split(None, 2)
    try:
        number, word = int(parts[0]), int(parts[1], 16)
    except (IndexError, ValueError):
        return None
    return (number, word) if number >= 0 else None


class _BusyThread:
    """A thread that computes in Python until it is told to end."""

    def __init__(self) -> None:
        self._done = False
        self._descriptor: int | None = None
        self._opened = threading.Event()

    def start(self) -> int | None:
        """Start it; returns a descriptor for its state, which the caller closes."""
        try:
            # Not a threading.Thread: nobody joins it, and an exiting interpreter does not wait for it.
            _thread.start_new_thread(self._run, ())
        except RuntimeError:  # the interpreter is shutting down, or there are too many threads
            return None
        self._opened.wait()
        return self._descriptor

    def end(self) -> None:
        """Let it end; it does so as soon as it gets the GIL again."""
        self._done = True

    def _run(self) -> None:
        """Compute without ever waiting for anything but the GIL."""
        self._descriptor = open_this_thread()
        self._opened.set()
        while not self._done:
            pass
