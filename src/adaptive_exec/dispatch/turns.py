"""Coming in by turns: calls of an executor with `max_pending`, from acceptance until they are sent off.

A thread waits for its place in `submit`. On an event loop the future is given out at once, and the call comes in when
its turn does (`admission.py`).

Guarantees: a call that is accepted is set off once, or its future ends.
Assumes: the dispatcher gives the place of a call back once it has ended.
Races: those of `admission.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..backends.base import Outcome, Task
from .admission import Admission
from .living import Living
from .supervisor import Supervisor

__all__ = ["Turns"]


class Turns:
    """Lets calls in.

    Args:
        admission: Has the places.
        living: Counts the calls that are accepted.
        supervisor: Sets off those that have waited in line, on a thread that may take its time.
        guarded: Sets off a call that was accepted before; what goes wrong is its future's.
    """

    def __init__(
        self,
        admission: Admission,
        living: Living,
        supervisor: Supervisor,
        guarded: Callable[[Task, Callable[[], None]], None],
    ) -> None:
        self._admission = admission
        self._living = living
        self._supervisor = supervisor
        self._guarded = guarded

    def enter(self, task: Task, set_off: Callable[[], None]) -> None:
        """Take a call once there is room for it, and set it off; on a loop its future is given out before."""
        admission = self._admission
        at_once = admission.never_waits() or bool(self._living.delivering.tasks)
        loop = None if at_once else asyncio._get_running_loop()
        placed = not at_once and loop is None
        if placed and not admission.wait():
            self._living.refuse()
        try:
            admission.mark(task.context)
            self._living.enter(task)
        except BaseException:
            if placed:
                admission.leave()
            raise
        if loop is not None:
            if task.coroutine and task.options.backend is None:
                task.future.only_on = loop  # it runs where it was submitted, now or later
            placed = admission.line_up(task, lambda: self._come_in(task, set_off, loop))
            if not placed:
                return
        task.placed = placed
        set_off()

    def _come_in(self, task: Task, set_off: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        """A call has waited in line and has a place now: set it off, but not on the thread that has made room."""
        task.placed = True
        if task.future.only_on is None:
            self._supervisor.soon(lambda: self._guarded(task, set_off))
            return
        try:
            loop.call_soon_threadsafe(self._guarded, task, set_off)
        except RuntimeError:
            problem = RuntimeError(f"the event loop was closed before {task.name} began")
            self._supervisor.soon(lambda: task.hand_back(Outcome(error=problem)))
