"""Which loop a coroutine runs on: the one it is submitted from, the library's own, or one apart if it hogs that."""

from __future__ import annotations

import asyncio

from ..backends.base import Task
from ..backends.loop import LoopBackend
from ..model import Decision
from ..routing.store import FunctionRecord
from .hogs import Hogs

__all__ = ["Loops"]


class Loops:
    """Sends calls to loops.

    Args:
        own: The library's own.
        hogs: Knows who hogs it.

    Attributes:
        apart: The library's loop for those.
    """

    def __init__(self, own: LoopBackend, hogs: Hogs) -> None:
        self._own = own
        self._hogs = hogs
        self.apart = LoopBackend("adaptive-exec-hogs")

    def owns(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether a loop is one of the library's."""
        return self._own.owns(loop) or self.apart.owns(loop)

    def owns_this(self) -> bool:
        """Whether the caller runs on one of the library's loops."""
        running = asyncio._get_running_loop()
        return running is not None and self.owns(running)

    def submit(self, task: Task, record: FunctionRecord, decision: Decision) -> None:
        """Run a call."""
        if task.measure:
            self._hogs.watch(task, record)
        running = asyncio._get_running_loop()
        forced = task.options.backend is not None
        if not (running is None or forced or task.as_twin or self.owns(running)):
            self._own.submit_here(task, running)
        elif not forced and self._hogs.moves(record, task):
            task.decision = task.future.decision = self._hogs.apart(record, decision)
            self.apart.submit(task)
        else:
            self._own.submit(task)
