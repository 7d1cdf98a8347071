"""A board: a few words of memory that a parent and one worker of its both see, without a system call.

The worker notes there which call it has begun, so that its death can be charged to that call alone; the
parent crosses out calls that it wants back before they begin.

Guarantees:
    - A call is either begun or withdrawn, never both, as each side is told: if `withdraw` says True, `begin`
      says False.
    - What the worker had begun is known after its death, however it died: the memory outlives it.
    - Nothing has a name: the memory is a file that was never in a folder, or is gone from it.
Assumes:
    - Storing or reading one aligned word, or one byte, is one step; taking and releasing a lock orders the
      steps before it against the steps after it, as seen by the other process (it does where locks are
      made of atomic operations on memory, which is everywhere Python runs).
    - At most `SLOTS` calls in a row are neither begun nor withdrawn.
State table of a call (`withdraw` by the parent, `begin` by the worker):
    open       -> withdrawn   the parent crossed it out and then saw that an earlier call was the last begun
    open       -> begun       the worker noted it and then saw that it is not crossed out
    crossed out and noted at the same time: the parent takes it as begun, the worker doesn't run it and says so
Races:
    - both at once: `tests/platform/test_boards.py::test_withdrawn_or_begun`
"""

from __future__ import annotations

import mmap
import os
import threading
from typing import Any, Final

__all__ = ["SIZE", "SLOTS", "Board", "anonymous_file"]

SIZE: Final = 512
SLOTS: Final = 256


def anonymous_file(size: int) -> int:
    """A descriptor of a file of `size` zero bytes that has no name, in memory where the system can.

    Raises:
        OSError: The system has no room.
    """
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("adaptive-exec", os.MFD_CLOEXEC)
    else:
        import tempfile

        fd, path = tempfile.mkstemp(prefix="adaptive-exec-")
        os.unlink(path)
    try:
        os.ftruncate(fd, size)
    except BaseException:
        os.close(fd)
        raise
    return fd


class Board:
    """The board of one worker.

    Args:
        memory: `SIZE` writable bytes that both processes see, zero at first.
    """

    __slots__ = ("_crossed", "_fence", "_memory", "_words")

    def __init__(self, memory: Any) -> None:
        self._memory = memoryview(memory).cast("B")
        self._words = self._memory[:8].cast("Q")
        self._crossed = self._memory[SLOTS : 2 * SLOTS]
        self._fence = threading.Lock()

    @classmethod
    def of_file(cls, fd: int) -> Board:
        """The board in an anonymous file; the descriptor may be closed afterwards."""
        return cls(mmap.mmap(fd, SIZE))

    @property
    def begun(self) -> int:
        """Number of the call that was begun last; 0 if none was."""
        return self._words[0]

    def begin(self, number: int) -> bool:
        """In the worker: the call begins now; False if it was withdrawn and must not."""
        self._words[0] = number
        with self._fence:
            pass
        return not self._crossed[number % SLOTS]

    def withdraw(self, number: int) -> bool:
        """In the parent: take a call back; False if it has been begun."""
        self._crossed[number % SLOTS] = 1
        with self._fence:
            pass
        return self._words[0] < number

    def open(self, number: int) -> None:
        """In the parent, before the call is sent: nobody has withdrawn it."""
        self._crossed[number % SLOTS] = 0
