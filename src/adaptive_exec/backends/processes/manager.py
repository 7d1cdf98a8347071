"""The manager: the thread that starts workers, notices their deaths, and reads what nobody else reads.

Guarantees:
    - While there is no worker, it sleeps without a timeout.
    - A worker that has ended, or whose channel has, is buried once: its calls are handed back or queued again.
    - Workers that have been idle for long are sent home, those that were busy last the last. For that it wakes
      up once when there is one to send, and may be once before.
    - Workers that fail to start are given up after `_START_FAILURES` in a row, with the reason.
    - Whatever goes wrong here fails every task there is, and leaves no worker.
Assumes:
    - It is the only thread that adds workers to the pool or takes them out.
Races: those of `crew.py`; and
    - a wake-up that comes while it works: the note is left before it looks again, as `_wake` is taken down
      before what it speaks of is looked at: `tests/backends/test_processes.py::test_wake_while_the_manager_works`
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from typing import Final

from ...errors import WorkerDied
from ...futures import blocking_in, refuse_to_wait
from ...platform.readiness import Readiness
from ..base import Outcome, Task, Unavailable
from .attendance import Attendance
from .buffers import Buffers
from .crew import LEAVE_SECONDS, Crew
from .ends import death_of, describe_exit
from .launch import Launcher, current_settings
from .lease import MOST_SECONDS
from .main_guard import UNGUARDED, UNGUARDED_CODE, UnguardedError
from .remote_worker import RemoteWorker
from .wear import Upkeep

__all__ = ["Manager"]

KILL_SECONDS: Final = 0.3
STOP_SECONDS: Final = 5.0
CALM_SECONDS: Final = 300e-6
_START_FAILURES: Final = 3
_ATTEMPTS: Final = 3
_log = logging.getLogger("adaptive_exec")


class Manager:
    """Looks after one pool's workers.

    Args:
        crew: Whose.
        attendance: Who reads in its place.
        launcher: How workers are started; ended with the manager.
        readiness: Where they are watched; ended with the manager.
        address: Where this process's shared primitives are found, pickled.
        initializer: What each worker runs first, pickled.
        upkeep: When workers are ended or replaced.
        spins: Whether workers poll for a moment before they sleep.
        threads: How many threads libraries may start in a worker.
        desk: The number of the pool's desk at that address; None if it has none.
    """

    def __init__(
        self,
        crew: Crew,
        attendance: Attendance,
        launcher: Launcher,
        readiness: Readiness[RemoteWorker],
        address: bytes | None,
        initializer: bytes | None,
        upkeep: Upkeep,
        *,
        spins: bool,
        threads: int = 1,
        desk: int | None = None,
    ) -> None:
        self._crew = crew
        self._attendance = attendance
        self._launcher = launcher
        self._readiness = readiness
        self._address = address
        self._initializer = initializer
        self._upkeep = upkeep
        self._spins = spins
        self._threads = threads
        self._desk = desk
        self._starts = itertools.count(1)
        self._hopeless: str | None = None
        self._woken = False
        self._closing = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        thread = threading.Thread(target=self._run, name="adaptive-exec-processes", daemon=True)
        thread.start()
        self._thread = thread

    def join(self) -> None:
        """Wait for the thread's end, unless it is the one that calls."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def wake(self) -> None:
        """Make it look."""
        with self._closing:
            if self._thread is not None and not self._woken:
                self._readiness.wake()  # first: an interrupt in between leaves a note too many, not one too few
                self._woken = True

    # --- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        """Until the pool is closed and everything is done and gone."""
        crew = self._crew
        blocking_in(refuse_to_wait)
        try:
            while not self._over():
                self._grow()
                self._listen()
                self._deliver()
        except BaseException as error:  # a defect, and no reason to let anybody wait for ever
            _log.exception("adaptive_exec: the manager of the process pool failed")
            self._give_up(error)
        finally:
            self._deliver()
            crew.relay.close()
            crew.shelf.slots.close()
            self._launcher.close()
            with self._attendance.lock:
                crew.readiness = None
                with self._closing:
                    self._woken = True  # whoever wakes it from now on speaks to nobody
                    self._readiness.close()

    def _listen(self) -> None:
        """Wait for something to happen, and deal with it."""
        crew = self._crew
        with crew.lock:
            deadlines = [w.kill_at for w in crew.workers if w.kill_at is not None]
            if len(deadlines) < len(crew.workers):
                # Others may let a worker become idle without a word: then this is too early, and only once.
                oldest = crew.idle[0].idle_since if crew.idle else time.monotonic()
                deadlines.append(oldest + self._upkeep.idle_seconds)
            deadline = min(deadlines, default=None)
        timeout = crew.shelf.slots.tidy()  # memory that nobody needs goes back
        if deadline is not None:
            left = max(0.0, deadline - time.monotonic())
            timeout = left if timeout is None else min(left, timeout)
        lease = crew.lease.worker
        if lease is not None:
            timeout = MOST_SECONDS if timeout is None else min(timeout, MOST_SECONDS)
        readable, ended = self._readiness.wait(0.0 if crew.deliveries else timeout)
        with self._closing:
            self._woken = False
        if lease is not None:
            with crew.lock:
                crew.watch_all()
        answers = False
        for worker in readable:
            answers = crew.read(worker, by_manager=True) or answers
        with crew.lock:
            workers = list(crew.workers)
        crew.set_going(workers)  # in case somebody was interrupted between two steps
        for worker in workers:
            if worker.broken or worker in ended:
                self._bury(worker)
        if crew.queue and crew.idle:
            self._spread()
        self._kill_overdue()
        self._send_idle_home()
        if answers and any(worker.assigned for worker in workers):
            # More is about to come: one look at many answers costs less than a look at each.
            time.sleep(CALM_SECONDS)

    def _kill_overdue(self) -> None:
        """End those that did not go when they were asked to."""
        now = time.monotonic()
        overdue = []
        with self._crew.lock:
            for worker in self._crew.workers:
                if worker.kill_at is not None and worker.kill_at <= now:
                    worker.kill_at = now + KILL_SECONDS
                    overdue.append(worker)
        for worker in overdue:
            worker.handle.kill()

    def _send_idle_home(self) -> None:
        """End those that have had nothing to do for long."""
        crew = self._crew
        long_ago = time.monotonic() - self._upkeep.idle_seconds
        with crew.lock:
            leaving = [worker for worker in crew.idle if worker.idle_since <= long_ago]
            for worker in leaving:
                crew.see_off(worker, LEAVE_SECONDS)
        for worker in leaving:
            worker.stop()

    def _deliver(self) -> None:
        """Do what others left for this thread."""
        deliveries = self._crew.deliveries
        while deliveries:
            act = deliveries.popleft()
            try:
                act()
            except Exception:
                _log.exception("adaptive_exec: an answer could not be delivered")

    def _over(self) -> bool:
        """Whether everything is done and gone; sends idle workers home once nothing can come."""
        crew = self._crew
        with crew.lock:
            if not crew.closed:
                return False
            given_up = list(crew.queue) if crew.aborted else []
            for task in given_up:
                del crew.queue[task]
                crew.backlog = max(0.0, crew.backlog - task.cost)
            busy = bool(crew.queue or crew.deliveries) or any(worker.assigned for worker in crew.workers)
            leaving = [w for w in crew.workers if w.kill_at is None and not w.finishing and not busy]
            for worker in leaving:
                worker.kill_at = time.monotonic() + STOP_SECONDS
                worker.doomed = True
            crew.idle = [worker for worker in crew.idle if not worker.doomed]
            over = not busy and not crew.workers
        for worker in leaving:
            worker.stop()
        for task in given_up:
            task.hand_back(Outcome(error=asyncio.CancelledError()))
        return over and not given_up

    # --- workers come -----------------------------------------------------------------------------

    def _grow(self) -> None:
        """Start the workers that have something to do."""
        crew = self._crew
        while True:
            with crew.lock:
                if crew.aborted or crew.wanted() <= 0:
                    return
                crew.coming += 1
            try:
                if self._hopeless is not None:
                    raise RuntimeError(self._hopeless)
                settings = current_settings(
                    next(self._starts),
                    self._address,
                    self._initializer,
                    spins=self._spins,
                    threads=self._threads,
                    max_tasks=self._upkeep.max_tasks,
                    max_growth=self._upkeep.max_growth,
                    desk=self._desk,
                )
                bell = self._readiness.bell
                handle, channel, board, lane = self._launcher.launch(settings, bell)
                buffers = Buffers(lane, crew.shelf)
                rings = self._launcher.rings and bell is not None
                worker = RemoteWorker(handle, channel, board, buffers, settings.around, rings=rings)
            except Exception as error:
                with crew.lock:
                    crew.coming -= 1
                if isinstance(error, UnguardedError):
                    self._unguarded()
                why = f"no worker process could be started: {type(error).__name__}: {error}"
                self._failed_start(self._hopeless or why, error, at_once=self._hopeless is not None)
                continue  # a few times; then what waits has been failed, and nothing is wanted any more
            with crew.lock:
                crew.workers.add(worker)
                self._readiness.add(worker, worker.channel, worker.handle.sentinel)
                if crew.aborted:
                    crew.doom(worker)

    def _failed_start(
        self, message: str, cause: BaseException | None = None, *, at_once: bool = False
    ) -> None:
        """After a few failures in a row, or a certain one, stop trying; fail what waits if nobody else can do it."""
        crew = self._crew
        with crew.lock:
            crew.failures += 1
            if crew.failures < _START_FAILURES and not at_once:
                return
            crew.failures = 0
            crew.wished = 0
            crew.blocked = crew.blocked or not crew.queue
            if any(worker.ready for worker in crew.workers):
                crew.blocked = True
                return
        self._fail_all(message, cause)

    # --- workers go -------------------------------------------------------------------------------

    def _bury(self, worker: RemoteWorker) -> None:
        """A worker is gone: its unbegun calls move on, the one it executed fails."""
        crew = self._crew
        if not worker.handle.ended(KILL_SECONDS):
            worker.handle.kill()
            worker.handle.ended(STOP_SECONDS)
        while crew.read(worker, by_manager=True):
            pass  # what it had answered is delivered
        code = worker.handle.exitcode
        with worker.reading, crew.lock:
            if worker not in crew.workers:
                return
            crew.workers.discard(worker)
            crew.count_waiting()
            if worker in crew.idle:
                crew.idle.remove(worker)
            if not worker.ready:
                crew.coming -= 1
            if not any(other.ready for other in crew.workers):
                crew.blocked = False
            self._readiness.remove(worker)
            if crew.lease.worker is worker:
                crew.lease.end(self._readiness)
            lost = self._part(worker)
            if worker.ready and not worker.doomed:
                crew.died += 1
        with worker.reading:
            worker.close()
        worker.handle.close()
        if worker.untold:
            self._deliver()  # what a call had logged before it was lost
        for task, begun in lost:
            task.hand_back(Outcome(error=death_of(worker.handle.pid, code, begun, task.name)))
        if not worker.ready and not worker.doomed:
            self._never_started(worker, code)
        self._spread()

    def _never_started(self, worker: RemoteWorker, code: int | None) -> None:
        """Say why a worker has ended before it could take calls."""
        certain = True
        if code == UNGUARDED_CODE:
            self._unguarded()
            why = UNGUARDED
        elif worker.failure is not None:
            why = f"a worker process failed to start; its initializer raised:\n{worker.failure}"
        else:
            certain = False
            why = f"worker process {worker.handle.pid} ended while it started ({describe_exit(code)})"
        self._failed_start(why, at_once=certain)

    def _unguarded(self) -> None:
        """No worker will ever start. Calls that were not forced here go on elsewhere, so nobody would be told."""
        self._hopeless = UNGUARDED
        with self._crew.lock:
            untold = any(task.options.backend is None for task in self._crew.queue)
        if untold:
            _log.error("adaptive_exec: %s", UNGUARDED)

    def _part(self, worker: RemoteWorker) -> list[tuple[Task, bool]]:
        """Queue again what a dead worker had not begun; the calls that are lost with it, and whether it began them.

        Caller holds the crew's lock.
        """
        crew = self._crew
        begun = worker.board.begun
        lost: list[tuple[Task, bool]] = []
        again: list[Task] = []
        for number, task in worker.assigned.items():
            if number <= begun:
                lost.append((task, True))
                continue
            if not again and not lost:
                # It may have died of reading this one.
                task.attempts += 1
                if task.attempts >= _ATTEMPTS:
                    lost.append((task, False))
                    continue
            again.append(task)
        worker.assigned.clear()
        for task in reversed(again):
            crew.queue_again(task)
        for task, _ in lost:
            crew.backlog = max(0.0, crew.backlog - task.cost)
        return lost

    def _spread(self) -> None:
        """Give idle workers what has come back to the queue."""
        crew = self._crew
        dropped: list[Task] = []
        with crew.lock:
            idle = list(crew.idle)
            for worker in idle:
                dropped += crew.refill(worker)
        crew.set_going(idle)
        for task in dropped:
            task.hand_back(Outcome())

    def _give_up(self, error: BaseException) -> None:
        """End the workers and fail every task there is."""
        crew = self._crew
        with crew.lock:
            crew.closed = True
            workers = list(crew.workers)
            crew.workers.clear()
            crew.idle.clear()
        for worker in workers:
            worker.handle.kill()
            worker.handle.ended(STOP_SECONDS)
            with worker.reading:
                worker.close()
            worker.handle.close()
            for task in list(worker.assigned.values()):
                task.hand_back(Outcome(error=death_of(worker.handle.pid, None, True, task.name)))
        self._fail_all("the process pool failed; this is a defect of adaptive_exec, please report it", error)

    def _fail_all(self, message: str, cause: BaseException | None) -> None:
        """Fail everything that waits."""
        crew = self._crew
        with crew.lock:
            failed = list(crew.queue)
            crew.queue.clear()
            crew.backlog = 0.0
        for task in failed:
            died = WorkerDied(message, task=task.name)
            died.__cause__ = cause
            nobody = Unavailable(message)
            nobody.__cause__ = died
            task.hand_back(Outcome(error=nobody))
