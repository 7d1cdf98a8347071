"""Comparing memory, by two threads where it is much: one core alone does not get all that the memory gives.

Guarantees:
    - When `same_until` returns or raises, nobody reads that memory any more.
Assumes:
    - `compare` lets other threads run, as a foreign function does.
    - Neither piece goes away or changes meanwhile.
Races:
    - a signal whose handler raises comes while the other thread is at it: it is held back until both are done
      (`interrupts.py`): `tests/platform/test_comparing.py::test_an_interrupt_waits_for_both`
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final

from . import interrupts

__all__ = ["CHUNK", "same_until"]

CHUNK: Final = 256 << 10
SHARED_FROM: Final = 8 << 20  # to start a thread takes as long as to compare half a megabyte


def same_until(compare: Callable[[int, int, int], int], ours: int, theirs: int, size: int) -> int:
    """How many bytes at two addresses are equal, counted in chunks: all of them if nothing differs.

    Args:
        compare: `memcmp`, given two addresses and a size.
        ours: The one address.
        theirs: The other.
        size: How many bytes there are.
    """
    if size < SHARED_FROM or os.cpu_count() == 1:
        return _same_between(compare, ours, theirs, 0, size)
    held = interrupts.hold()
    if held is None:
        return _same_between(compare, ours, theirs, 0, size)
    half = size // 2 // CHUNK * CHUNK
    behind: list[int] = []
    helper = threading.Thread(
        target=lambda: behind.append(_same_between(compare, ours, theirs, half, size)),
        name="adaptive-exec-compare",
        daemon=True,
    )
    try:
        try:
            helper.start()
        except RuntimeError:  # there can't be more threads
            return _same_between(compare, ours, theirs, 0, size)
        found = _same_between(compare, ours, theirs, 0, half)
        helper.join()
    finally:
        held.release()
    return behind[0] if found == half else found


def _same_between(
    compare: Callable[[int, int, int], int], ours: int, theirs: int, start: int, end: int
) -> int:
    """Where the first chunk begins that differs, from `start` on; `end` if none does."""
    for at in range(start, end, CHUNK):
        if compare(ours + at, theirs + at, min(CHUNK, end - at)):
            return at
    return end
