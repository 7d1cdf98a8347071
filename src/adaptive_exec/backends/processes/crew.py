"""The crew: the workers there are, the tasks that wait for them, and who does what.

Guarantees:
    - A task is in one place: in the queue, or in one worker's `assigned`; whoever takes it out deals with it.
    - No task waits behind another's call while a worker is idle: an idle one takes over what others have
      been given and have not begun.
    - What a worker has answered is taken in once, in order, whoever reads it.
    - Done callbacks, and results whose reading runs somebody's code, are dealt with by the manager's
      thread or by the thread that waits for that very task, never by another one that happened to read.
    - A worker whose call waits for a shared primitive is not counted: up to as many as there may be stand in for those
      that wait, and once they go on nobody gets a call while as many execute one as may (`full`).
Assumes:
    - A worker answers its calls in the order in which they were sent (`worker.py`), and notes each on its
      board before it begins it.
    - Only the manager adds workers or takes them out.
State table of a worker (all changes under `lock`):
    starting -> idle       its READY was read, and nothing is queued
    idle     -> busy       a task was assigned; whoever assigned it writes the call, outside the lock
    busy     -> idle       its last answer was read, nothing is queued, and nothing can be taken from others
    busy    <-> waiting    its WAITS or GOES_ON was read: it is still busy, and not counted meanwhile
    any      -> doomed     it is to be ended; it gets no more tasks
    any      -> leaving    its LEAVING was read: it is doomed, and what it had not begun was queued again
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
    - a task is assigned to a worker that is about to say that it leaves: the worker begins nothing after that,
      so whatever is in `assigned` when its LEAVING is read can be withdrawn:
      `tests/backends/test_upkeep.py::test_nothing_is_lost_when_workers_leave`
    - a worker says that its call goes on while a stand-in is given one: as many more execute calls for as long
      as that takes: `tests/backends/test_standing_in.py::test_no_more_compute_than_may`
    - a record is read by one thread and the answer after it by another: the first leaves it to the manager
      while it holds `reading`, and as long as `untold` says so all answers go the same way:
      `tests/backends/test_relay.py::test_records_come_before_results`
"""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final

from ...platform.channels import Garbled
from ...platform.readiness import Readiness
from ..base import Outcome, Task
from . import wire
from .ahead import LONG_AHEAD_SECONDS, expected, most_ahead, seconds_ahead
from .call import Call
from .ends import outcome_of
from .lease import Lease
from .relay import Relay
from .remote_worker import MOST_ASSIGNED, RemoteWorker
from .shelf import Shelf
from .signals import raise_flags
from .wire import Kind

__all__ = ["Answer", "Crew", "hand_back"]

KILL_SECONDS: Final = 0.3
LEAVE_SECONDS: Final = 2.0

_VALUE: Final = Kind.VALUE
_FREE: Final = Kind.FREE
_FIRST_ANSWER: Final = Kind.PLAIN
_LAST_ANSWER: Final = Kind.GIVEN
_REFUSED: Final = Kind.REFUSED
_SKIPPED: Final = Kind.SKIPPED
_RUNS_NO_CODE: Final = (Kind.PLAIN, Kind.GIVEN)

_log = logging.getLogger("adaptive_exec")

Answer = tuple[Task, tuple[Any, ...]]


class Crew:
    """The state of one pool.

    Args:
        most: Workers that there may be.
        wake: Makes the manager look.
        shelf: Where what is large lies on its way to workers.
        spins: Whether there are cores enough to poll.

    Attributes:
        lock: Guards all of this.
        queue: Tasks that no worker has, in order.
        workers: All there are, those that are not ready yet, too.
        idle: Those that are ready and have nothing to do; the one that was busy last comes last.
        wished: How many workers are to be started, or are coming, for calls that workers have of their own.
        coming: How many are being started and are not ready.
        blocked: Workers fail to start; wait for the next submission before trying again.
        failures: Workers that could not start, in a row.
        backlog: Seconds of CPU time that tasks which were taken and not handed back are expected to need.
        closed: No more tasks are taken.
        aborted: No more workers are started either.
        deliveries: What the manager's thread is to do.
        readiness: Where workers are watched; None before the first task and after the end.
        lease: Which of them is not, as its only submitter will read its answer.
        relay: Handles what workers log and warn of.
        died: How many workers have died unasked.
        recycled: How many have left because they had served long enough.
    """

    def __init__(self, most: int, wake: Callable[[], None], shelf: Shelf, *, spins: bool = True) -> None:
        self._most = most
        self.shelf = shelf
        self._wake = wake
        self.lock = threading.Lock()
        self.queue: OrderedDict[Task, None] = OrderedDict()
        self.workers: set[RemoteWorker] = set()
        self.idle: list[RemoteWorker] = []
        self.wished = 0
        self.coming = 0
        self._most_now = most  # with those that stand in for workers whose calls wait
        self.blocked = False
        self.failures = 0
        self.backlog = 0.0
        self.closed = False
        self.aborted = False
        self.deliveries: deque[Callable[[], object]] = deque()
        self.readiness: Readiness[RemoteWorker] | None = None
        self.lease = Lease(enabled=spins)
        self.relay = Relay()
        self.died = 0
        self.recycled = 0

    def cancel(self, task: Task) -> None:
        """Forget a task, or end the worker that executes it."""
        call: Call | None = task.wire
        dropped = False
        if call is None:
            return  # it is about to be submitted, and is dropped when it is to begin
        with self.lock:
            worker = call.worker
            if task in self.queue:
                del self.queue[task]
                dropped = True
            elif worker is not None and worker.assigned.get(call.number) is task:
                if worker.withdraw(call.number):
                    dropped = True
                else:
                    self._stop(worker, call.number)
            if dropped:
                self.backlog = max(0.0, self.backlog - task.cost)
        if dropped:
            task.hand_back(Outcome(error=asyncio.CancelledError()))

    def _stop(self, worker: RemoteWorker, number: int) -> None:
        """End a worker that executes this call, and none that has gone on to another. Caller holds `lock`."""
        for behind in reversed(list(worker.assigned)):
            if behind <= number:
                break
            task = worker.assigned[behind]
            if worker.withdraw(behind):
                self.queue_again(task)
        # It can't go on now, if it hasn't: what is behind was taken from it.
        if worker.board.begun == number:
            self.doom(worker)
        self._wake()

    def read(
        self,
        worker: RemoteWorker,
        mine: Any = None,
        kept: list[Answer] | None = None,
        *,
        by_manager: bool = False,
    ) -> bool:
        """Take in what a worker has said, and give it what it may do next.

        Args:
            worker: Whose channel can be read.
            mine: The future that the calling thread waits for, if it does.
            kept: Gets that one's answer, for `hand_back`, if reading it may run somebody's code.
            by_manager: Whether the manager's thread calls.

        Returns:
            Whether answers came.
        """
        with worker.reading:
            if worker.channel.fileno() < 0:
                return False  # it has been buried meanwhile
            messages = self._heard(worker)
            with self.lock:
                answered = self._take_in(worker, messages)
                if by_manager:
                    if answered:
                        self.lease.rang()
                elif answered and answered[0][0].future is mine:
                    self.lease.waited()
                dropped = self.refill(worker)
            busy = bool(worker.assigned)
        if busy:
            self.set_going([worker])
        for task in dropped:
            task.hand_back(Outcome())
        told = not worker.untold
        for task, message in answered:
            if told and (by_manager or message[0] in _RUNS_NO_CODE):
                hand_back(task, message)
            elif told and task.future is mine and kept is not None:
                kept.append((task, message))
            else:
                self.deliver(functools.partial(hand_back, task, message))
        return bool(answered)

    def _heard(self, worker: RemoteWorker) -> list[tuple[Any, ...]]:
        """What is in a worker's channel, with what travelled apart taken hold of. Caller holds `reading`."""
        messages: list[tuple[Any, ...]] = []
        try:
            bodies, problem = _bodies(worker)
            for body in bodies:
                message = wire.decode_from_worker(body)
                kind = message[0]
                if kind == _VALUE:
                    message = _claimed(worker, message)
                elif kind == _FREE:
                    worker.buffers.heed(message[1])
                    continue
                messages.append(message)
            if problem is not None:
                raise problem
        except Exception:  # its end, or nonsense; what came before that counts
            self.broken(worker)
        return messages

    def _take_in(self, worker: RemoteWorker, messages: list[tuple[Any, ...]]) -> list[Answer]:
        """The answers among what a worker has said. Caller holds `reading` and `lock`."""
        answered: list[Answer] = []
        said: list[tuple[Any, ...]] = []
        for message in messages:
            kind = message[0]
            if _FIRST_ANSWER <= kind <= _LAST_ANSWER:
                task = worker.assigned.pop(message[1], None)
                if task is not None:  # else it was withdrawn, and belongs to somebody else now
                    self._answered(worker, message, task, answered)
            elif kind in (Kind.LOG, Kind.WARNING):
                said.append(message)
            else:
                self._changed(worker, message)
        if said:
            worker.untold += 1
            self.deliver(functools.partial(self._tell, worker, said))
        return answered

    def _tell(self, worker: RemoteWorker, said: list[tuple[Any, ...]]) -> None:
        """On the manager's thread: see to what a worker has said beside its answers."""
        try:
            self.relay.tell(said)
        finally:
            with self.lock:
                worker.untold -= 1

    def _changed(self, worker: RemoteWorker, message: tuple[Any, ...]) -> None:
        """A worker says what it is about. Caller holds `lock`."""
        kind = message[0]
        if kind == Kind.READY:
            self._joined(worker)
        elif kind == Kind.FAILED_START:
            worker.failure = str(message[1])
        elif kind == Kind.LEAVING:
            self._leaving(worker)
        elif kind == Kind.SIGNALS:
            if (task := worker.assigned.get(message[1])) is not None:
                raise_flags(task.context, message[2])
        elif kind in (Kind.WAITS, Kind.GOES_ON):
            worker.waits = kind == Kind.WAITS
            self.count_waiting()
            if worker.waits:
                self._relieve(worker)
            self._wake()
        elif kind == Kind.FINISHING:
            worker.finishing = True
            if not worker.dying:
                worker.kill_at = None
            self.count_waiting()
            self._wake()

    def count_waiting(self) -> None:
        """Somebody waits, or takes no calls and is not gone yet, or has gone. Caller holds `lock`.

        There may be one worker more for each, but no more than twice as many in all.
        """
        waiting = sum(worker.waits or worker.finishing for worker in self.workers)
        self._most_now = self._most + min(waiting, self._most)

    def _leaving(self, worker: RemoteWorker) -> None:
        """A worker ends of its own accord: what it has not begun is for others. Caller holds `lock`."""
        self.recycled += 1
        self.see_off(worker, LEAVE_SECONDS)
        self._relieve(worker)
        self._wake()

    def _relieve(self, worker: RemoteWorker) -> None:
        """Take back what a worker has not begun and will not begin soon. Caller holds `lock`."""
        for number in reversed(list(worker.assigned)):
            task = worker.assigned[number]
            if worker.withdraw(number):
                self.queue_again(task)

    def see_off(self, worker: RemoteWorker, seconds: float) -> None:
        """A worker that does nothing ends, within so many seconds; it gets no more. Caller holds `lock`."""
        worker.doomed = True
        worker.kill_at = time.monotonic() + seconds
        if worker in self.idle:
            self.idle.remove(worker)

    def _joined(self, worker: RemoteWorker) -> None:
        """A worker is ready for its first task. Caller holds `lock`."""
        worker.ready = True
        self.coming -= 1
        self.failures = 0
        self.wished = max(0, self.wished - 1)

    def _answered(
        self, worker: RemoteWorker, message: tuple[Any, ...], task: Task, answered: list[Answer]
    ) -> None:
        """One call has been dealt with. Caller holds `lock`."""
        kind = message[0]
        if kind == _SKIPPED:
            self.queue_again(task)
            return
        worker.served += 1
        if worker.waits:  # it was interrupted between saying so and taking it back
            worker.waits = False
            self.count_waiting()
        if task.cost:
            self.backlog = max(0.0, self.backlog - task.cost)
        if kind == _REFUSED:
            worker.forget_function(task.wire.function.number)
        else:
            task.wire.function.took(message[3] * 1e-9)
        answered.append((task, message))

    def deliver(self, act: Callable[[], object]) -> None:
        """Have something done on the manager's thread."""
        self.deliveries.append(act)
        self._wake()

    # --- under the lock ---------------------------------------------------------------------------

    def give(self, worker: RemoteWorker, task: Task) -> None:
        """Assign a new task to a worker that was idle and has been taken from `idle`; `set_going` sends it."""
        if self.readiness is not None:
            alone = len(self.idle) == len(self.workers) - 1
            if self.lease.settle(self.readiness, worker, alone=alone):
                self._wake()
        worker.assign(task)

    def watch_all(self) -> None:
        """More than one call is about: nobody is let."""
        if self.lease.worker is not None and self.readiness is not None:
            self.lease.end(self.readiness)

    def wanted(self) -> int:
        """How many workers more would have something to do."""
        room = self._most_now - len(self.workers)
        if room <= 0 or self.blocked:
            return 0
        if self.closed:
            self.wished = 0
        ahead = sum(len(worker.assigned) - 1 for worker in self.workers if worker.assigned)
        wanted = max(len(self.queue) + ahead - len(self.idle), self.wished)
        return min(wanted - self.coming, room)

    def full(self, besides: RemoteWorker | None = None) -> bool:
        """Whether as many workers execute calls as there may be, not counting those that wait."""
        if len(self.workers) <= self._most:
            return False
        busy = sum(bool(w.assigned) and not w.waits and w is not besides for w in self.workers)
        return busy >= self._most

    def vacancies(self, calls: int) -> int:
        """How many workers are idle, for so many calls that a worker has; notes how many more are worth starting."""
        if self.closed or self.blocked or self.queue or self.full():
            return 0
        room = self._most_now - len(self.workers)
        self.wished = max(self.wished, min(calls - len(self.idle), room))
        return min(calls, len(self.idle))

    def refill(self, worker: RemoteWorker) -> list[Task]:
        """Give a worker what it may do next; the tasks that were cancelled while they waited."""
        dropped: list[Task] = []
        if not worker.ready or worker.doomed or worker.broken or worker not in self.workers:
            return dropped
        if worker.slots_left <= 0 or (worker.waits and worker.assigned):
            return dropped  # it will pass what was withdrawn, and say so; or go on, and answer
        assigned, resting = worker.assigned, worker in self.idle
        alone = len(self.workers) - len(self.idle) == (not resting)
        if (self.queue or not alone) and not self.full(worker):
            self._assign_queued(worker, dropped)
            if not (assigned or alone):
                self._take_over(worker)
        if resting is bool(assigned):
            if assigned:
                self.idle.remove(worker)
            else:
                worker.idle_since = time.monotonic()
                self.idle.append(worker)
        return dropped

    def _assign_queued(self, worker: RemoteWorker, dropped: list[Task]) -> None:
        """Give a worker what is queued, as far as it may be sent ahead; adds what has been cancelled to `dropped`."""
        queue, assigned = self.queue, worker.assigned
        if not queue:
            return
        ahead = seconds_ahead(worker)
        room = min(MOST_ASSIGNED - len(assigned), worker.slots_left)
        while queue and room > 0:
            task = next(iter(queue))
            seconds = expected(task)
            if assigned and (
                seconds is None
                or task.options.timeout is not None
                or ahead + seconds > most_ahead(task, len(assigned))
            ):
                break
            del queue[task]
            if task.future.cancelled():
                self.backlog = max(0.0, self.backlog - task.cost)
                dropped.append(task)
                continue
            worker.assign(task)
            room -= 1
            ahead += seconds or LONG_AHEAD_SECONDS

    def _take_over(self, worker: RemoteWorker) -> None:
        """Give an idle worker half of what the one with most to do has not begun."""
        busiest = worker
        for other in self.workers:
            if len(other.assigned) > max(1, len(busiest.assigned)):
                busiest = other
        if busiest is worker:
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
        if not task.queues:
            self.backlog = max(0.0, self.backlog - task.cost)
            self.deliver(functools.partial(task.hand_back, Outcome()))
            return
        self.queue[task] = None
        self.queue.move_to_end(task, last=False)

    def doom(self, worker: RemoteWorker) -> None:
        """End a worker: politely now, by force soon."""
        worker.doomed = True
        if worker in self.idle:
            self.idle.remove(worker)
        if not worker.dying:
            worker.dying = True
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


def _bodies(worker: RemoteWorker) -> tuple[list[bytes], Exception | None]:
    """What has arrived from a worker, and what went wrong after that."""
    try:
        return worker.channel.receive(), None
    except Garbled as error:
        return error.frames, error


def _claimed(worker: RemoteWorker, message: tuple[Any, ...]) -> tuple[Any, ...]:
    """A value's message with what travelled apart taken hold of, also if nobody wants it any more."""
    if message[5] is None:
        return message
    try:
        arrived: Any = worker.buffers.claim(message[5])
    except Exception as error:
        arrived = error
    return (*message[:5], arrived)


def hand_back(task: Task, message: tuple[Any, ...]) -> None:
    """Tell a task how it ended; whatever goes wrong in that, others are still told."""
    try:
        outcome = outcome_of(message, task)
    except Exception as error:
        outcome = Outcome(error=RuntimeError(f"the worker's answer can't be read: {error}"))
    try:
        task.on_done(task, outcome)
    except Exception:
        _log.exception("adaptive_exec: the end of %s could not be told", task.name)
