"""The crew: the workers there are, the tasks that wait for them, and who does what.

Guarantees:
    - A task is in one place: in the queue, or in one worker's `assigned`; whoever takes it out deals with it.
    - No task waits behind another's call while a worker is idle: an idle one takes over what others have
      been given and have not begun.
    - What a worker has answered is taken in once, in order, whoever reads it.
    - Done callbacks, and results whose reading runs somebody's code, are dealt with by the manager's
      thread or by the thread that waits for that very task, never by another one that happened to read.
Assumes:
    - A worker answers its calls in the order in which they were sent (`worker.py`), and notes each on its
      board before it begins it.
    - Only the manager adds workers or takes them out.
State table of a worker (all changes under `lock`):
    starting -> idle       its READY was read, and nothing is queued
    idle     -> busy       a task was assigned; whoever assigned it writes the call, outside the lock
    busy     -> idle       its last answer was read, nothing is queued, and nothing can be taken from others
    any      -> doomed     it is to be ended; it gets no more tasks
    any      -> gone       its channel or its sentinel said so; its tasks were handed back or queued again
Locks, in the order in which they may be taken: `RemoteWorker.reading`, `lock`. Neither is held while a task
    is handed back.
Races:
    - the worker dies between being chosen and being written to: the write fails or is lost, and since
      the board says that it never began, the manager queues the call again:
      `tests/backends/test_processes.py::test_death_before_begun`
    - cancel against completion: whoever takes the task out of `assigned` deals with it:
      `tests/backends/test_processes.py::test_cancel_spares_the_next_task`
    - cancel against the worker's beginning: settled on the board:
      `tests/backends/test_processes.py::test_cancel_of_a_call_that_was_sent_ahead`
    - two threads read answers: each takes them in under `reading`, so that what is not in `assigned` has
      been answered: `tests/backends/test_processes.py::test_answers_read_by_many`
"""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final

from ...platform.readiness import Readiness
from ..base import Outcome, Task
from . import wire
from .call import Call
from .ends import outcome_of
from .remote_worker import MOST_ASSIGNED, RemoteWorker
from .wire import Kind

__all__ = ["Crew"]

KILL_SECONDS: Final = 0.3
AHEAD_SECONDS: Final = 500e-6

Answer = tuple[Task, tuple[Any, ...]]


class Crew:
    """The state of one pool.

    Args:
        most: Workers that there may be.
        wake: Makes the manager look.

    Attributes:
        lock: Guards all of this.
        queue: Tasks that no worker has, in order.
        workers: All there are, those that are not ready yet, too.
        idle: Those that are ready and have nothing to do; the one that was busy last comes last.
        coming: How many are being started and are not ready.
        blocked: Workers fail to start; wait for the next submission before trying again.
        failures: Workers that could not start, in a row.
        backlog: Seconds of CPU time that tasks which were taken and not handed back are expected to need.
        closed: No more tasks are taken.
        aborted: No more workers are started either.
        deliveries: What the manager's thread is to do.
        readiness: Where workers are watched; None before the first task and after the end.
    """

    def __init__(self, most: int, wake: Callable[[], None]) -> None:
        self._most = most
        self._wake = wake
        self.lock = threading.Lock()
        self.queue: OrderedDict[Task, None] = OrderedDict()
        self.workers: set[RemoteWorker] = set()
        self.idle: list[RemoteWorker] = []
        self.coming = 0
        self.blocked = False
        self.failures = 0
        self.backlog = 0.0
        self.closed = False
        self.aborted = False
        self.deliveries: deque[Callable[[], object]] = deque()
        self.readiness: Readiness[RemoteWorker] | None = None

    def cancel(self, task: Task) -> None:
        """Forget a task, or end the worker that executes it."""
        call: Call = task.wire
        dropped = False
        with self.lock:
            worker = call.worker
            if task in self.queue:
                del self.queue[task]
                dropped = True
            elif worker is not None and worker.assigned.get(call.number) is task:
                if worker.withdraw(call.number):
                    dropped = True
                else:
                    self.doom(worker)
            if dropped:
                self.backlog = max(0.0, self.backlog - task.cost)
        if dropped:
            task.done(Outcome(error=asyncio.CancelledError()))

    def read(self, worker: RemoteWorker, mine: Any = None, *, by_manager: bool = False) -> bool:
        """Take in what a worker has said, and give it what it may do next.

        Args:
            worker: Whose channel can be read.
            mine: The future that the calling thread waits for, if it does.
            by_manager: Whether the manager's thread calls.

        Returns:
            Whether answers came.
        """
        with worker.reading:
            answered = self._take_in(worker)
            with self.lock:
                dropped = self.refill(worker)
        self.set_going([worker])
        for task in dropped:
            task.done(Outcome())
        for task, message in answered:
            if by_manager or message[0] == Kind.PLAIN or task.future is mine:
                task.done(outcome_of(message))
            else:
                self.deliver(functools.partial(_hand_back, task, message))
        return bool(answered)

    def _take_in(self, worker: RemoteWorker) -> list[tuple[Task, tuple[Any, ...]]]:
        """The answers in a worker's channel. Caller holds `reading`."""
        answered: list[tuple[Task, tuple[Any, ...]]] = []
        try:
            messages = [wire.decode(body) for body in worker.channel.receive()]
        except (EOFError, OSError, ValueError):
            self.broken(worker)
            return answered
        with self.lock:
            for message in messages:
                kind = message[0]
                if kind == Kind.READY:
                    self._joined(worker)
                elif kind == Kind.FAILED_START:
                    worker.failure = str(message[1])
                else:
                    self._answered(worker, message, answered)
        return answered

    def _joined(self, worker: RemoteWorker) -> None:
        """A worker is ready for its first task. Caller holds `lock`."""
        worker.ready = True
        self.coming -= 1
        self.failures = 0

    def _answered(
        self, worker: RemoteWorker, message: tuple[Any, ...], answered: list[tuple[Task, tuple[Any, ...]]]
    ) -> None:
        """One call has been dealt with. Caller holds `lock`."""
        kind, number = message[0], message[1]
        task = worker.assigned.pop(number, None)
        if task is None:
            return  # it was withdrawn, and belongs to somebody else now
        if kind == Kind.SKIPPED:
            self.queue_again(task)
            return
        worker.served += 1
        self.backlog = max(0.0, self.backlog - task.cost)
        if kind == Kind.REFUSED:
            worker.forget_function(task.wire.function.number)
        else:
            task.wire.function.took(message[3] / 1e9)
        answered.append((task, message))

    def deliver(self, act: Callable[[], object]) -> None:
        """Have something done on the manager's thread."""
        self.deliveries.append(act)
        self._wake()

    # --- under the lock ---------------------------------------------------------------------------

    def wanted(self) -> int:
        """How many workers more would have something to do."""
        if self.blocked:
            return 0
        missing = len(self.queue) - self.coming - len(self.idle)
        return min(missing, self._most - len(self.workers))

    def refill(self, worker: RemoteWorker) -> list[Task]:
        """Give a worker what it may do next; the tasks that were cancelled while they waited."""
        dropped: list[Task] = []
        if not worker.ready or worker.doomed or worker.broken or worker not in self.workers:
            return dropped
        ahead = _seconds_ahead(worker)
        while self.queue:
            task = next(iter(self.queue))
            seconds = task.wire.function.seconds
            if worker.assigned and (
                seconds is None
                or task.spec.options.timeout is not None
                or ahead + seconds > AHEAD_SECONDS
                or len(worker.assigned) >= MOST_ASSIGNED
            ):
                return dropped
            del self.queue[task]
            if task.future.cancelled():
                self.backlog = max(0.0, self.backlog - task.cost)
                dropped.append(task)
                continue
            worker.assign(task)
            ahead += seconds or AHEAD_SECONDS
        if not worker.assigned:
            self._take_over(worker)
        if (worker in self.idle) is bool(worker.assigned):
            if worker.assigned:
                self.idle.remove(worker)
            else:
                worker.idle_since = time.monotonic()
                self.idle.append(worker)
        return dropped

    def _take_over(self, worker: RemoteWorker) -> None:
        """Give an idle worker half of what the one with most to do has not begun."""
        busiest = max(self.workers, key=lambda other: len(other.assigned))
        if len(busiest.assigned) < 2:
            return
        taken: list[Task] = []
        for number in list(busiest.assigned)[: len(busiest.assigned) // 2 - 1 : -1]:
            task = busiest.assigned[number]
            if not busiest.withdraw(number):
                break
            taken.append(task)
        for task in reversed(taken):
            worker.assign(task)

    def queue_again(self, task: Task) -> None:
        """Put a task that was given to a worker, and not begun there, back to the front."""
        if task.future.rest():
            task.begun_at = 0.0  # its time does not run while it waits
        self.queue[task] = None
        self.queue.move_to_end(task, last=False)

    def doom(self, worker: RemoteWorker) -> None:
        """End a worker: politely now, by force soon."""
        worker.doomed = True
        if worker in self.idle:
            self.idle.remove(worker)
        if worker.kill_at is None:
            worker.kill_at = time.monotonic() + KILL_SECONDS
            worker.handle.terminate()
            self._wake()

    def broken(self, worker: RemoteWorker) -> None:
        """A worker's channel has ended, or says nonsense: the manager has to bury it."""
        with self.lock:
            if worker.broken:
                return
            worker.broken = True
            if worker in self.idle:
                self.idle.remove(worker)
            if self.readiness is not None:
                self.readiness.mute(worker)
        self._wake()

    # --- outside it -------------------------------------------------------------------------------

    def set_going(self, workers: list[RemoteWorker]) -> None:
        """Send workers what they were given, and let what they do first begin."""
        for worker in workers:
            if worker.outbox:
                worker.write()
            with self.lock:
                head = worker.next_head()
            if head is not None and not head.begin():
                self.cancel(head)


def _hand_back(task: Task, message: tuple[Any, ...]) -> None:
    """Tell a task how it ended."""
    task.done(outcome_of(message))


def _seconds_ahead(worker: RemoteWorker) -> float:
    """How long a worker will be busy with what it has, as far as that is known."""
    total = 0.0
    for task in worker.assigned.values():
        seconds = task.wire.function.seconds
        total += AHEAD_SECONDS if seconds is None else seconds
    return total
