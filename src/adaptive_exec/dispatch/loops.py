"""Which loop a coroutine runs on: the one it is submitted from, the library's own, or one apart if it hogs that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..backends.base import Task
from ..backends.loop import LoopBackend, LoopTask
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

    def put(self, task: LoopTask) -> bool:
        """Run a call of a function that is known, and known not to hog; False if nothing more comes."""
        running = asyncio._get_running_loop()
        if running is None or task.options.backend is not None or self.owns(running):
            return self._own.put(task)
        return self._own.put_here(task, running)

    def give_up(self, task: Task) -> None:
        """A call's loop will never run again."""
        self._own.give_up(task)

    def under_way(self) -> list[Task]:
        """The calls that wait or run on the library's own loop, or on one of the submitters'."""
        return self._own.under_way()

    def close(self, told: Callable[[], object]) -> None:
        """Nothing more will come; from now on somebody is told as calls end."""
        self._own.close(told)

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
