"""Functions that use primitives of the library held in globals."""

from __future__ import annotations

from adaptive_exec import Lock, Queue

LOCK = Lock()
QUEUE: Queue[int] = Queue()


def locked(x: int) -> int:
    with LOCK:
        return x + 1


def queued(x: int) -> int:
    QUEUE.put(x)
    return QUEUE.qsize()
