"""The process backend: a pool of workers, each on a private channel.

Guarantees:
    - Each task taken is handed back exactly once.
    - A worker's death costs the task it was executing, if it had begun one, and no other: a task that was
      sent and not begun goes back to the front of the queue, a result that was written is delivered.
    - Nothing is locked in common with a worker or between workers.
    - `cancel` ends the worker that runs the task within `KILL_SECONDS`, and never one that has gone on to
      another task.
    - `shutdown` ends within a bounded time of the last task's end.
Assumes:
    - A worker reads its channel whenever it is idle, so a write to an idle worker does not block for long.
State table of a worker (all changes under `_lock`):
    starting -> idle       its READY was read
    starting -> gone       it failed to start
    idle     -> assigned   a task was chosen for it; whoever chose writes the call, outside the lock
    assigned -> running    its BEGUN was read
    running  -> idle       its DONE or REFUSED was read and nothing is queued
    running  -> assigned   the same, and something is
    any      -> doomed     it is to be ended; it gets no more tasks
    any      -> gone       its channel or its sentinel said so; `task` was handed back or requeued
Races:
    - the worker dies between being chosen and being written to: the write fails or is lost, and since
      BEGUN never came the manager requeues: `tests/backends/test_processes.py::test_death_before_begun`
    - cancel against completion: both look at `worker.task` under the lock:
      `tests/backends/test_processes.py::test_cancel_spares_the_next_task`
    - submit against shutdown: both under `_lock`: `tests/backends/test_processes.py::test_submit_against_shutdown`
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.context import BaseContext
from typing import Any, ClassVar

from ... import pickling
from ...errors import WorkerDied
from ...futures import blocking_in, refuse_to_wait
from ...model import BackendName
from ..base import Backend, BackendLoad, Outcome, Refused, Task, Unavailable
from . import wire
from .call import Call
from .ends import death_of, describe_exit, outcome_of
from .launch import Handle, Launcher, current_settings, launcher_for

__all__ = ["ProcessBackend"]

KILL_SECONDS = 0.3
STOP_SECONDS = 5.0
WRITER_SECONDS = 0.001
_ATTEMPTS = 3
_START_FAILURES = 3
_log = logging.getLogger("adaptive_exec")


class _Worker:
    """One worker, as the parent knows it."""

    __slots__ = (
        "begun",
        "channel",
        "doomed",
        "functions",
        "handle",
        "kill_at",
        "ready",
        "started",
        "surroundings",
        "task",
        "writing",
    )

    def __init__(self, handle: Handle, channel: Connection) -> None:
        self.handle = handle
        self.channel = channel
        self.functions = wire.RecentFunctions()
        self.task: Task | None = None
        self.begun = False
        self.ready = False
        self.surroundings: wire.Surroundings | None = None
        self.writing = False  # somebody writes to its channel, outside the lock
        self.doomed = False
        self.kill_at: float | None = None
        self.started = time.monotonic()


class ProcessBackend(Backend):
    """Runs tasks in worker processes."""

    name: ClassVar[BackendName] = "process"

    def __init__(
        self,
        max_processes: int,
        mp_context: BaseContext | str | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        home: Callable[[], Any] | None = None,
    ) -> None:
        """`home` gives the address of this process's shared primitives when a worker is started."""
        self._max = max_processes
        self._context = mp_context
        self._initializer = None if initializer is None else (initializer, initargs)
        self._pickled_initializer: bytes | None = None
        self._home = home
        self._address: Any = None
        self._lock = threading.Lock()
        self._queue: OrderedDict[Task, None] = OrderedDict()
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._starting = 0
        self._failures = 0
        self._blocked = False  # workers fail to start; wait for the next submission before trying again
        self._backlog = 0.0
        self._closed = False
        self._aborted = False
        self._manager: threading.Thread | None = None
        self._wake_read: Connection | None = None
        self._wake_write: Connection | None = None
        self._woken = False
        self._numbers = itertools.count(1)
        self._starts = itertools.count(1)

    def submit(self, task: Task) -> None:
        """Take a task; `NotPicklable` if it can't travel."""
        task.wire = Call(next(self._numbers), task)
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if self._manager is None:
                self._start_manager()
            self._backlog += task.cost
            worker = self._idle.pop() if self._idle and not self._queue else None
            if worker is None:
                self._queue[task] = None
                self._blocked = False
                if self._wanted() > 0:
                    self._wake()
            else:
                self._assign(worker, task)
        if worker is not None:
            self._write(worker, task)

    def cancel(self, task: Task) -> None:
        with self._lock:
            queued = task in self._queue
            if queued:
                del self._queue[task]
                self._backlog = max(0.0, self._backlog - task.cost)
            if not queued:
                for worker in self._workers:
                    if worker.task is task:
                        self._doom(worker)
        if queued:
            task.done(Outcome(error=asyncio.CancelledError()))

    def load(self) -> BackendLoad:
        with self._lock:
            running = sum(worker.task is not None for worker in self._workers)
            ready = sum(worker.ready for worker in self._workers)
            return BackendLoad(len(self._queue), running, ready, self._backlog)

    def pids(self) -> list[int]:
        """Process ids of the workers there are."""
        with self._lock:
            return [worker.handle.pid for worker in self._workers]

    def shutdown(self, *, wait: bool) -> None:
        with self._lock:
            self._closed = True
            manager = self._manager
            self._wake()
        if wait and manager is not None and manager is not threading.current_thread():
            manager.join()

    def abort(self) -> None:
        with self._lock:
            self._closed = self._aborted = True
            for worker in self._workers:
                self._doom(worker)
            self._wake()

    def forget(self) -> None:
        """In a forked copy of this process: give up the parent's workers without touching them."""
        for worker in self._workers:
            with contextlib.suppress(OSError):
                worker.channel.close()
            worker.handle.close()
        self._workers = set()
        self._idle = []
        self._closed = True

    # --- under the lock ---------------------------------------------------------------------------

    def _wake(self) -> None:
        """Make the manager look again."""
        if not self._woken and self._wake_write is not None:
            self._woken = True
            self._wake_write.send_bytes(b"")

    def _wanted(self) -> int:
        """How many workers more would have something to do."""
        if self._blocked:
            return 0
        coming = self._starting + sum(not worker.ready for worker in self._workers)
        missing = len(self._queue) - coming - len(self._idle)
        return min(missing, self._max - len(self._workers) - self._starting)

    def _assign(self, worker: _Worker, task: Task) -> None:
        """Choose a worker for a task; the caller writes the call once it has left the lock."""
        worker.task = task
        worker.begun = False
        worker.writing = True

    def _doom(self, worker: _Worker) -> None:
        """End a worker: politely now, by force soon."""
        worker.doomed = True
        if worker in self._idle:
            self._idle.remove(worker)
        if worker.kill_at is None:
            worker.kill_at = time.monotonic() + KILL_SECONDS
            worker.handle.terminate()
            # The manager may be writing to this very worker, which may be stopped: somebody else has to free it.
            timer = threading.Timer(KILL_SECONDS, worker.handle.kill)
            timer.daemon, timer.name = True, "adaptive-exec-kill"
            with contextlib.suppress(RuntimeError):
                timer.start()
            self._wake()

    def _take(self, worker: _Worker) -> tuple[Task | None, list[Task]]:
        """The next task for a worker that is free, and those that were cancelled while they waited."""
        dropped: list[Task] = []
        worker.task = None
        worker.begun = False
        if worker.doomed or worker not in self._workers:
            return None, dropped
        while self._queue:
            task, _ = self._queue.popitem(last=False)
            if task.future.cancelled():
                self._backlog = max(0.0, self._backlog - task.cost)
                dropped.append(task)
                continue
            self._assign(worker, task)
            return task, dropped
        self._idle.append(worker)
        return None, dropped

    # --- by the manager, and by submitters --------------------------------------------------------

    def _write(self, worker: _Worker, task: Task) -> None:
        """Send a task to the worker that was chosen for it."""
        if not task.begin():
            self._free(worker, task, Outcome())
            return
        call: Call = task.wire
        known = call.digest in worker.functions
        if known:
            worker.functions.use(call.digest)
        else:
            worker.functions.add(call.digest, None)
        task.attempts += 1
        around = wire.surroundings()
        message = wire.encode(
            wire.RUN,
            call.number,
            call.digest,
            None if known else call.function,
            call.arguments,
            task.measure,
            task.environment,
            None if around == worker.surroundings else around,
        )
        worker.surroundings = around
        # A worker that has died closes its channel; the manager then finds the task and moves it on.
        with contextlib.suppress(OSError):
            worker.channel.send_bytes(message)
        with self._lock:
            worker.writing = False

    def _free(self, worker: _Worker, task: Task, outcome: Outcome) -> None:
        """A worker has no task any more: give it the next, then hand the old one back."""
        with self._lock:
            if worker.task is not task:
                return  # it died, and its task was dealt with then
            worker.writing = False
            self._backlog = max(0.0, self._backlog - task.cost)
            following, dropped = self._take(worker)
            if self._closed:
                self._wake()
        if following is not None:
            self._write(worker, following)
        for cancelled in dropped:
            cancelled.done(Outcome())
        task.done(outcome)

    def _start_manager(self) -> None:
        """Make the manager's thread, and the pipe that wakes it."""
        # The home of shared primitives has a thread, which can't be started any more when the interpreter
        # exits; workers can, so it has to be there before.
        self._address = None if self._home is None else self._home()
        if self._initializer is not None:
            self._pickled_initializer = pickling.dumps(self._initializer)
        launcher = launcher_for(self._context)
        self._wake_read, self._wake_write = Pipe(duplex=False)
        manager = threading.Thread(
            target=self._manage, args=(launcher,), name="adaptive-exec-processes", daemon=True
        )
        try:
            manager.start()
        except BaseException:
            launcher.close()
            self._wake_read.close()
            self._wake_write.close()
            self._wake_write = None
            raise
        self._manager = manager

    # --- the manager's thread ---------------------------------------------------------------------

    def _manage(self, launcher: Launcher) -> None:
        """Start workers, read what they say, notice their deaths, until all is over."""
        assert self._wake_read is not None and self._wake_write is not None
        blocking_in(refuse_to_wait)
        try:
            while not self._over():
                self._grow(launcher)
                self._listen()
        except BaseException as error:  # a defect, and no reason to let anybody wait for ever
            _log.exception("adaptive_exec: the manager of the process pool failed")
            self._give_up(error)
        finally:
            launcher.close()
            with self._lock:
                self._wake_write.close()
                self._wake_write = None
            self._wake_read.close()

    def _give_up(self, error: BaseException) -> None:
        """End the workers and fail every task there is."""
        with self._lock:
            self._closed = True
            workers = list(self._workers)
            self._workers.clear()
            self._idle.clear()
        for worker in workers:
            worker.handle.kill()
            worker.handle.ended(STOP_SECONDS)
            worker.channel.close()
            worker.handle.close()
            if worker.task is not None:
                worker.task.done(
                    Outcome(error=death_of(worker.handle.pid, None, worker.begun, worker.task.spec.name))
                )
        self._fail_all("the process pool failed; this is a defect of adaptive_exec, please report it", error)

    def _over(self) -> bool:
        """Whether everything is done and gone; sends idle workers home once nothing can come."""
        with self._lock:
            if not self._closed:
                return False
            busy = self._queue or any(worker.task is not None for worker in self._workers)
            leaving = [] if busy else [worker for worker in self._workers if worker.kill_at is None]
            for worker in leaving:
                worker.kill_at = time.monotonic() + STOP_SECONDS
                worker.doomed = True
            self._idle = [worker for worker in self._idle if not worker.doomed]
            over = not busy and not self._workers and not self._starting
        for worker in leaving:
            with contextlib.suppress(OSError):
                worker.channel.send_bytes(wire.encode(wire.STOP))
        return over

    def _grow(self, launcher: Launcher) -> None:
        """Start the workers that have something to do."""
        while True:
            with self._lock:
                if self._aborted or self._wanted() <= 0:
                    return
                self._starting += 1
            try:
                settings = current_settings(next(self._starts), self._address, self._pickled_initializer)
                handle, channel = launcher.launch(settings)
            except Exception as error:
                with self._lock:
                    self._starting -= 1
                self._failed_start(
                    f"no worker process could be started: {type(error).__name__}: {error}", error
                )
                continue  # a few times; then what waits has been failed, and nothing is wanted any more
            with self._lock:
                self._workers.add(_Worker(handle, channel))
                self._starting -= 1

    def _listen(self) -> None:
        """Wait for something to happen, and deal with it."""
        with self._lock:
            workers = list(self._workers)
            deadline = min((w.kill_at for w in workers if w.kill_at is not None), default=None)
        sources: dict[Any, _Worker | None] = {self._wake_read: None}
        for worker in workers:
            sources[worker.channel] = worker
            sources[worker.handle.sentinel] = worker
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        seen: set[_Worker] = set()
        for source in wait(list(sources), timeout):
            found = sources[source]
            if found is None:
                self._clear_wake()
            elif found not in seen:
                seen.add(found)
                self._hear(found)
        now = time.monotonic()
        for worker in workers:
            if worker.kill_at is not None and worker.kill_at <= now and worker in self._workers:
                worker.kill_at = now + KILL_SECONDS
                worker.handle.kill()

    def _clear_wake(self) -> None:
        """Take the wake-up note."""
        assert self._wake_read is not None
        with self._lock:
            self._wake_read.recv_bytes()
            self._woken = False

    def _hear(self, worker: _Worker) -> None:
        """Read what a worker said; if it has ended, all that it had said."""
        ended = worker.handle.ended(0)
        try:
            while worker.channel.poll(0):
                self._handle(worker, wire.decode(worker.channel.recv_bytes()))
                if worker not in self._workers:
                    return
                if not ended:
                    return
        except (EOFError, OSError):
            ended = True
        if ended:
            self._bury(worker)

    def _handle(self, worker: _Worker, message: tuple[Any, ...]) -> None:
        """Deal with one message."""
        kind = message[0]
        if kind == wire.BEGUN:
            worker.begun = True
            return
        if kind == wire.READY:
            self._joined(worker)
            return
        if kind == wire.FAILED_START:
            self._bury(worker, f"a worker process failed to start; its initializer raised:\n{message[1]}")
            return
        task = worker.task
        if task is None or task.wire.number != message[1]:
            return  # it belongs to nobody any more
        if kind == wire.REFUSED:
            worker.functions.forget(task.wire.digest)
            self._free(worker, task, Outcome(error=Refused(message[2])))
            return
        _, _, returned, data, fields = message
        self._free(worker, task, outcome_of(returned, data, fields))

    def _joined(self, worker: _Worker) -> None:
        """A worker is ready for its first task."""
        with self._lock:
            worker.ready = True
            self._failures = 0
            task, dropped = self._take(worker)
        if task is not None:
            self._write(worker, task)
        for cancelled in dropped:
            cancelled.done(Outcome())

    def _bury(self, worker: _Worker, why: str | None = None) -> None:
        """A worker is gone: its unbegun task moves on, the one it executed fails."""
        if not worker.handle.ended(KILL_SECONDS):
            worker.handle.kill()
            worker.handle.ended(STOP_SECONDS)
        code = worker.handle.exitcode
        with self._lock:
            task, moved_on = None, False
            # Its channel must not be closed under a writer, whom the next error stops.
            writing = worker.writing and not worker.begun
            if not writing:
                self._workers.discard(worker)
                if worker in self._idle:
                    self._idle.remove(worker)
                if not any(other.ready for other in self._workers):
                    self._blocked = False
                task = worker.task
                worker.task = None
                moved_on = task is not None and self._moved_on(task, worker.begun)
        if writing:
            time.sleep(WRITER_SECONDS)
            return
        worker.channel.close()
        worker.handle.close()
        if task is not None and not moved_on:
            task.done(Outcome(error=death_of(worker.handle.pid, code, worker.begun, task.spec.name)))
        if not worker.ready and not worker.doomed:
            self._failed_start(
                why or f"worker process {worker.handle.pid} ended while it started ({describe_exit(code)})",
                at_once=why is not None,
            )

    def _moved_on(self, task: Task, begun: bool) -> bool:
        """Put the task of a dead worker back to the front of the queue, if it may be run again; under the lock."""
        if not begun and task.attempts < _ATTEMPTS and task.future.rest():
            task.begun_at = 0.0  # its time does not run while it waits
            self._queue[task] = None
            self._queue.move_to_end(task, last=False)
            return True
        self._backlog = max(0.0, self._backlog - task.cost)
        return False

    def _failed_start(
        self, message: str, cause: BaseException | None = None, *, at_once: bool = False
    ) -> None:
        """After a few failures in a row, or a certain one, stop trying; fail what waits if nobody else can do it."""
        with self._lock:
            self._failures += 1
            if self._failures < _START_FAILURES and not at_once:
                return
            self._failures = 0
            if any(worker.ready for worker in self._workers):
                self._blocked = True
                return
        self._fail_all(message, cause)

    def _fail_all(self, message: str, cause: BaseException | None) -> None:
        """Fail everything that waits."""
        with self._lock:
            failed = list(self._queue)
            self._queue.clear()
            self._backlog = 0.0
        for task in failed:
            died = WorkerDied(message, task=task.spec.name)
            died.__cause__ = cause
            nobody = Unavailable(message)
            nobody.__cause__ = died
            task.done(Outcome(error=nobody))
