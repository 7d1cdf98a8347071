"""Which calls' futures are being ended on which thread, so that a done callback may wait for all others."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from ..backends.base import Task

__all__ = ["Delivering"]


class Delivering(threading.local):
    """The calls whose futures are being ended on this thread, so that a callback may wait for all others."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []

    @contextlib.contextmanager
    def of(self, task: Task) -> Iterator[None]:
        """While the future of this call is being ended."""
        self._tasks.append(task)
        try:
            yield
        finally:
            self._tasks.remove(task)

    def here(self, task: Task) -> bool:
        """Whether this thread is ending that call's future."""
        return task in self._tasks
