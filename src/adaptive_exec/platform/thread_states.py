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
import time
from collections.abc import Callable
from typing import Final

__all__ = ["GilWords", "ThreadState", "classify", "learn_gil_words", "open_this_thread"]

_REACH: Final = 144
"""Bytes from a futex word of the GIL to the farthest other one, with any of the four learned first."""

_LEARN_US: Final = 100
_LEARN_TRIES: Final = 20
_LEARN_TIMES: Final = 3
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
    """Find the futex words of the GIL by watching a thread that wants the GIL and does not get it.

    That thread first waits at a gate. Once it is let go, while the caller sleeps with the GIL held, it can be
    nowhere but still at the gate, whose word is known, or in a wait for the GIL. A word counts once it was seen
    three times.

    Args:
        read: Reads a descriptor without releasing the GIL.
        sleep_held_us: Sleeps without releasing the GIL.

    Returns:
        The words, or None if none could be seen within some ten milliseconds.
    """
    for _ in range(_LEARN_TIMES):
        words = _learn_once(read, sleep_held_us)
        if words is not None:
            return words
    return None


def _learn_once(read: Callable[[int], bytes], sleep_held_us: Callable[[int], None]) -> GilWords | None:
    """The same with one thread; where the cores are full, that may not come to wait in time."""
    waiting = _WaitingThread()
    descriptor = waiting.start()
    try:
        if descriptor is None:
            return None
        gate = _wait_at_gate(waiting, descriptor, read)
        waiting.let_go()
        return None if gate is None else _learn_from(descriptor, gate, read, sleep_held_us)
    finally:
        waiting.let_go()
        if descriptor is not None:
            os.close(descriptor)


def _wait_at_gate(
    waiting: _WaitingThread, descriptor: int, read: Callable[[int], bytes]
) -> tuple[int, int] | None:
    """The word at which the thread waits before it is let go; None if it is never seen there."""
    for _ in range(_LEARN_TRIES):
        time.sleep(_LEARN_US / 1e6)  # without the GIL, which it needs to come to the gate
        call = _call_and_word(read(descriptor)) if waiting.at_gate else None
        if call is not None:
            return call
    return None


def _learn_from(
    descriptor: int, gate: tuple[int, int], read: Callable[[int], bytes], sleep_held_us: Callable[[int], None]
) -> GilWords | None:
    """The word at which the thread behind `descriptor` waits while the GIL is withheld from it."""
    seen: dict[tuple[int, int], int] = {}
    for _ in range(_LEARN_TRIES):
        sleep_held_us(_LEARN_US)
        call = _call_and_word(read(descriptor))
        if call is None or call == gate:
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


class _WaitingThread:
    """A thread that waits at a gate, and then wants the GIL to end.

    Attributes:
        at_gate: Whether the gate is all that it waits for, in a moment at the latest.
    """

    def __init__(self) -> None:
        self.at_gate = False
        self._gate = threading.Lock()
        self._gate.acquire()
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

    def let_go(self) -> None:
        """Let it end, which it does as soon as it gets the GIL; does not release the GIL."""
        if self._gate.locked():
            self._gate.release()

    def _run(self) -> None:
        """Wait for nothing but the gate and the GIL."""
        self._descriptor = open_this_thread()
        self._opened.set()
        self.at_gate = True
        self._gate.acquire()
