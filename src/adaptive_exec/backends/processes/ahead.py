"""How much a worker is sent ahead of what it has ended: enough to have something to do, and no more.

What is sent ahead saves the worker a pause, and may have to be taken back if another one has nothing to do by then.
"""

from __future__ import annotations

from typing import Final

from ..base import Task
from .remote_worker import RemoteWorker

__all__ = ["AHEAD_SECONDS", "LONG_AHEAD_SECONDS", "expected", "most_ahead", "seconds_ahead"]

AHEAD_SECONDS: Final = 500e-6
AT_LEAST: Final = 2
"""So many calls are sent ahead even if they take longer: this process may be busy when the worker has ended the first.
"""
LONG_AHEAD_SECONDS: Final = 0.05
CHUNK_AHEAD_SECONDS: Final = 0.005
"""Of many calls as one: it takes long to take over from another what that was given in vain."""


def expected(task: Task) -> float | None:
    """How many seconds a call is expected to take; None if nobody knows."""
    if task.items != 1:
        return task.cost or None  # of many calls as one there are more and fewer
    seconds: float | None = task.wire.function.seconds
    return seconds


def most_ahead(task: Task, assigned: int) -> float:
    """For how many seconds a worker that was given so many calls may have to do once it is given this one, too."""
    if task.items != 1:
        return CHUNK_AHEAD_SECONDS
    return AHEAD_SECONDS if assigned > AT_LEAST else LONG_AHEAD_SECONDS


def seconds_ahead(worker: RemoteWorker) -> float:
    """How long a worker will be busy with what it has, as far as that is known."""
    total = 0.0
    for task in worker.assigned.values():
        seconds = expected(task)
        total += LONG_AHEAD_SECONDS if seconds is None else seconds
    return total
