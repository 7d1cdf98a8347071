"""What a queue of calls tells while others put into it and take from it, without a lock."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Final, Protocol, TypeVar

__all__ = ["all_of", "take_back"]

T = TypeVar("T")
_TRIES: Final = 100


class _Closes(Protocol):
    """What a queue belongs to."""

    closed: bool


def all_of(queue: deque[T], owner: _Closes | None = None) -> list[T]:
    """What is in a queue: all of it once nothing more comes, and before that the first at least.

    Args:
        queue: Any thread may append to it and pop from it.
        owner: Its `closed` says that nothing more comes, so that it can't change for ever. None: that never is.
    """
    for tries in itertools.count():
        found: list[T] = []
        try:
            found.extend(queue)
        except RuntimeError:  # without a GIL: something has come or gone meanwhile
            if tries < _TRIES or (owner is not None and owner.closed):
                continue
        return found
    raise AssertionError


def take_back(queue: deque[T], one: T) -> bool:
    """Take a call, or what else waits there, off its queue; False if somebody has it."""
    try:
        queue.remove(one)
    except ValueError:
        return False
    return True
