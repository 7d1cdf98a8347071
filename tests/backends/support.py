"""Tasks without a dispatcher, for tests of one backend."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from adaptive_exec.backends.base import Backend, Lane, Outcome, Task
from adaptive_exec.backends.processes.launch import Handle
from adaptive_exec.futures import Future
from adaptive_exec.model import Options


def wind_up(backend: Backend) -> None:
    """Shut a backend down. If its tasks don't end, as in a test that has failed, they are given up."""
    late = threading.Timer(20.0, backend.abort)
    late.daemon = True
    late.start()
    try:
        backend.shutdown(wait=True)
    finally:
        late.cancel()
        late.join()


def until(state: Callable[[], object]) -> None:
    """Wait for something that nobody tells of."""
    for _ in range(4000):
        if state():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it never came to that")


class Handed:
    """Collects what a backend hands back, and ends the futures."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[Task, Outcome]] = []
        self.changed = threading.Condition()

    def task(self, fn: Callable[..., Any], *args: Any, lane: Lane = "wait", weight: float = 0.0) -> Task:
        name = getattr(fn, "__qualname__", "?")
        made = Task(fn, args, {}, Options(), fn, name, Future(), contextvars.copy_context(), self.done)
        made.lane, made.weight = lane, weight
        return made

    def done(self, task: Task, outcome: Outcome) -> None:
        if outcome.error is None:
            task.future.try_result(outcome.value)
        else:
            task.future.forgo()  # here it is the outcomes that are looked at
            task.future.try_exception(outcome.error)
        with self.changed:
            self.outcomes.append((task, outcome))
            self.changed.notify_all()

    def wait(self, count: int, timeout: float = 20.0) -> list[Outcome]:
        """The outcomes, once there are that many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.outcomes) >= count, timeout), len(self.outcomes)
            return [outcome for _, outcome in self.outcomes]


class LookedAt(deque[Task]):
    """A queue in which something else happens as somebody looks which call is the next."""

    happens: Callable[[], object] | None = None

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        return found


class Nobody(Handle):
    """A worker process that isn't there."""

    pid = 0
    sentinel = -1

    def ended(self, timeout: float) -> bool:
        return False

    @property
    def exitcode(self) -> int | None:
        return None

    def terminate(self) -> None:
        pass

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass
