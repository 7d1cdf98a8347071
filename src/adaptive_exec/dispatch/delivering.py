"""Which calls' futures are being ended on which thread, so that a done callback may wait for all others."""

from __future__ import annotations

import threading

from ..backends.base import Task

__all__ = ["Delivering"]


class Delivering(threading.local):
    """Calls in delivery, thread by thread.

    Attributes:
        tasks: The calls whose futures are being ended on this thread.
    """

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def here(self, task: Task) -> bool:
        """Whether this thread is ending that call's future."""
        return task in self.tasks
