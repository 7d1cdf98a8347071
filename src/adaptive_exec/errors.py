"""Everything the library raises on its own account.

Each error is a child of `AdaptiveExecError` and of the standard class that a caller would
already be catching, so code written against `concurrent.futures`, `pickle` and `queue` keeps
working.
"""

from __future__ import annotations

import queue
import sys
from concurrent.futures import BrokenExecutor
from pickle import PicklingError
from typing import TYPE_CHECKING

if TYPE_CHECKING or sys.version_info < (3, 13):

    class _StandardShutDown(Exception):
        """Stands in for `queue.ShutDown`, which came with Python 3.13."""

else:
    _StandardShutDown = queue.ShutDown

__all__ = [
    "AdaptiveExecError",
    "HomeDied",
    "NotPicklable",
    "OwnerDiedWarning",
    "ShutDown",
    "TaskTimeout",
    "WorkerDied",
]


class AdaptiveExecError(Exception):
    """The common base of the library's errors."""


class WorkerDied(AdaptiveExecError, BrokenExecutor):
    """The worker process that was executing a task ended before the task did.

    Only the task it was executing fails; the pool replaces the worker and serves on.

    Attributes:
        pid: Process id of the worker.
        exitcode: Its exit code; `-n` if signal *n* ended it; None if it isn't known.
        task: The name of the task's function.
    """

    def __init__(
        self, message: str, pid: int | None = None, exitcode: int | None = None, task: str = ""
    ) -> None:
        super().__init__(message)
        self.pid = pid
        self.exitcode = exitcode
        self.task = task

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (str(self), self.pid, self.exitcode, self.task))


class TaskTimeout(AdaptiveExecError, TimeoutError):
    """A task ran longer than its `timeout=`."""


class NotPicklable(AdaptiveExecError, PicklingError):
    """Something that had to go to another process can't be pickled.

    The message names the very object and the path that leads to it.
    """


class ShutDown(AdaptiveExecError, _StandardShutDown):
    """`put` or `get` on a queue that has been shut down."""


class HomeDied(AdaptiveExecError, ConnectionError):
    """The process in which a shared primitive lives has ended, and the primitive with it."""


class OwnerDiedWarning(RuntimeWarning):
    """A lock was taken over because the process that held it died."""
