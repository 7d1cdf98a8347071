"""The calls that are under way, and who waits for the last of them to end.

Guarantees:
    - Nothing enters after `close`; of all who ask `claim_end` afterwards, one is told that it is the one to end it all.
    - `wait_for_rest` leaves out calls that can only end once its caller goes on, or two that wait would wait for
      each other.
Assumes: whoever enters a call has it leave, once.
State table:
    open   -> closed     `close`
    closed -> ended      nothing is live any more, and somebody has claimed the end
    any    -> forgotten  in a forked copy of the process
Races:
    - a call enters while `close` is at it: both take the lock, so it is refused or waited for:
      `tests/dispatch/test_living.py::test_a_call_that_enters_meets_the_end`
    - `closed` is set without the lock, in a signal's handler: whoever enters just then is counted before anybody who
      asks for the end has the lock: `tests/test_shutdown.py::test_by_a_signal_inside_submit`
    - the last calls leave at once: one of them claims the end:
      `tests/dispatch/test_living.py::test_the_end_is_claimed_once`
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Final, NoReturn

from ..backends.base import Task
from ..model import BackendName
from .delivering import Delivering

__all__ = ["Living"]

_SHUT: Final = "cannot schedule new futures after shutdown: make a new executor"
_FORKED: Final = "this executor belongs to the process that forked this one: make a new one here"
_LOOK_AGAIN_SECONDS: Final = 0.5
_SOME: Final = 64


class Living:
    """Counts calls in and out.

    Args:
        others: Gives the calls under way that are counted elsewhere, without taking a lock; once `closed` is set,
            none comes to them that is not taken back by who brought it.

    Attributes:
        closed: No more calls enter.
        forgotten: This is a forked copy, in which nothing of this runs.
        delivering: The calls whose futures are being ended on this thread.
    """

    def __init__(self, others: Callable[[], list[Task]] = list) -> None:
        self._others = others
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._tasks: set[Task] = set()
        self._ended = False
        self._waiting: list[object] = []  # threads and asyncio tasks that wait for the rest
        self._refusal = _SHUT
        self.closed = False
        self.forgotten = False
        self.delivering = Delivering()

    def __len__(self) -> int:
        with self._lock:
            return len(self._all())

    def __bool__(self) -> bool:
        return bool(self._tasks or self._others())

    @property
    def over(self) -> bool:
        """Whether somebody has claimed the end."""
        return self._ended

    def refuse(self) -> NoReturn:
        """Raise what says why no more calls enter."""
        raise RuntimeError(self._refusal)

    def enter(self, task: Task) -> None:
        """Count a call in; RuntimeError if no more enter."""
        with self._lock:
            if self.closed:
                self.refuse()
            self._tasks.add(task)

    def leave(self, task: Task) -> bool:
        """Count a call out; True if this may have been the last there will ever be."""
        with self._lock:
            self._tasks.discard(task)
            if self.closed:
                self._changed.notify_all()
            return self.closed

    def are_all(self, owner: object, backend: BackendName) -> bool:
        """Whether all calls under way are of this function and have been sent there; of many, the first that come."""
        with self._changed:
            some = list(islice(self._tasks, _SOME)) + self._others()[:_SOME]
        return all(
            task.owner is owner and (task.decision is None or task.decision.backend == backend)
            for task in some
            if not task.future.done()
        )

    def all(self) -> list[Task]:
        """Every call under way."""
        with self._changed:
            return list(self._all())

    def close(self) -> list[Task]:
        """Let no more calls enter; those that are under way."""
        with self._changed:
            self.closed = True
            return list(self._all())

    def _all(self) -> set[Task]:
        """The same. Caller holds the lock."""
        return self._tasks.union(task for task in self._others() if not task.future.done())

    @contextmanager
    def waiter(self, me: object) -> Iterator[None]:
        """Meanwhile this thread or asyncio task waits for the rest, so that no other waits for its call."""
        with self._changed:
            self._waiting.append(me)
            self._changed.notify_all()
        try:
            yield
        finally:
            self._waiting.remove(me)

    def wait_for_rest(self) -> bool:
        """Whether all has ended that can end before the caller goes on; waits a moment for it."""
        with self._changed:
            if all(self._ends_after_me(task) for task in chain(self._tasks, self._others())):
                return True
            self._changed.wait(_LOOK_AGAIN_SECONDS)
            return False

    def _ends_after_me(self, task: Task) -> bool:
        """Whether a call can only end once somebody who waits goes on. Caller holds the lock."""
        loop = asyncio._get_running_loop()
        if loop is not None and task.future.only_on is loop:
            return True
        return task.thread in self._waiting or task.wire in self._waiting or self.delivering.here(task)

    def tell(self) -> None:
        """One of the others has ended: who waits for the rest looks again."""
        with self._changed:
            self._changed.notify_all()

    def claim_end(self, *, again: bool) -> bool:
        """Whether the caller is the one to end it all; with `again`, also if another one was, to wait for it."""
        with self._changed:
            over = self.closed and not self._tasks and not self._ended and not self._others()
            self._ended = self._ended or over
            return over or (again and self._ended)

    def forget(self) -> None:
        """In a forked copy somebody else may have held the lock, and nobody will ever let it go."""
        self.forgotten = self.closed = self._ended = True
        self._refusal = _FORKED
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._tasks.clear()
        self._others = list
