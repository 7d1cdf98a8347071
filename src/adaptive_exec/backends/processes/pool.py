"""The process backend: a pool of workers, each on a private channel.

    submit ──> queue ──assign──> RemoteWorker ══channel══> worker process
                  ^                   │                          │
                  └────withdraw───────┘ <══════answers═══════════┘
                                      read by whoever waits (attendance.py), or by the manager (manager.py)

Guarantees:
    - Each task taken is handed back exactly once.
    - A worker's death costs the task it was executing, if it had begun one, and no other: a task that was
      sent and not begun goes back to the front of the queue, a result that was written is delivered.
    - Nothing is locked in common with a worker or between workers, and nobody waits for a worker to read.
    - `cancel` ends the worker that runs the task within `KILL_SECONDS`, and never one that has gone on to
      another task.
    - `shutdown` ends within a bounded time of the last task's end; what tasks have submitted in their workers and
      not waited for counts as well.
Assumes: what `crew.py` does.
State: the crew's.
Races: the crew's; and
    - submit against shutdown: both under the crew's lock:
      `tests/backends/test_processes.py::test_submit_against_shutdown`
    - Ctrl-C between two steps of `submit`: the worker that was chosen is replaced, and nothing else is lost:
      `tests/backends/test_processes.py::test_interrupted_while_submitting`
"""

from __future__ import annotations

import contextlib
import pickle
import time
from collections.abc import Callable
from multiprocessing.context import BaseContext
from typing import Any, ClassVar, Final

from ... import pickling
from ...model import BackendName, WorkerStats
from ...platform.readiness import Readiness, make_readiness
from ...primitives.core import Core
from ..base import BackendLoad, Task, WorkerPool
from .ahead import AHEAD_SECONDS
from .attendance import Attendance
from .call import Call, Functions
from .crew import Crew
from .launch import launcher_for
from .manager import Manager
from .remote_worker import RemoteWorker
from .shelf import Shelf
from .wear import Upkeep

__all__ = ["ProcessBackend"]

HELP_EVERY: Final = 32
HELP_AT_LEAST_EVERY: Final = 128


class ProcessBackend(WorkerPool):
    """Runs tasks in worker processes.

    Args:
        max_processes: Workers at most.
        mp_context: A `multiprocessing` context or its name; None for the library's own fork server.
        initializer: Called in each worker before its first task.
        initargs: Its arguments.
        home: Gives the address of this process's shared primitives when it is first needed.
        cores: Cores that may be used. Each worker's libraries get their share of them; and with more than one,
            who waits polls for a moment before sleeping.
        idle_seconds: A worker that has had nothing to do for so long is ended.
        max_tasks: A worker is replaced after so many calls; None for any number.
        max_growth: A worker is replaced when its own memory has grown by so many bytes since it was warm; None
            for any number.
        portable: Take the ways of systems that have no better ones.
    """

    name: ClassVar[BackendName] = "process"

    def __init__(
        self,
        max_processes: int,
        mp_context: BaseContext | str | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        home: Callable[[], Any] | None = None,
        *,
        cores: int = 2,
        idle_seconds: float = 60.0,
        max_tasks: int | None = None,
        max_growth: int | None = 1 << 30,
        portable: bool = False,
    ) -> None:
        self._context = mp_context
        self._initializer = None if initializer is None else (initializer, initargs)
        self._home = home
        self._spins = cores > 1
        self._threads = max(1, cores // max_processes)
        self._upkeep = Upkeep(idle_seconds, max_tasks, max_growth)
        self._portable = portable
        # Workers of multiprocessing's contexts have no way on which descriptors could travel.
        self._shelf = Shelf(enabled=mp_context is None and not portable)
        self._crew = Crew(max_processes, self._wake, self._shelf, spins=self._spins)
        self._attendance = Attendance(self._crew, cores=cores)
        self._attend, self._attend_briefly = self._attendance.attend, self._attendance.attend_briefly
        self._functions = Functions()
        self._manager: Manager | None = None
        self._crowd = 0  # calls that were queued since a submitter last read answers
        self._desk: Core | None = None

    def submit(self, task: Task) -> None:
        """Take a task; `NotPicklable` if it can't travel."""
        task.wire = call = Call(task, self._functions, self._shelf)
        crew = self._crew
        wanted = helps = False
        worker: RemoteWorker | None = None
        try:
            with crew.lock:
                if crew.closed:
                    raise RuntimeError("cannot schedule new futures after shutdown")
                if self._manager is None:
                    self._start_manager()
                crew.backlog += task.cost
                task.future.attend = self._attend_briefly if call.function.brief else self._attend
                if crew.idle and not crew.queue and not crew.full():
                    worker = crew.idle[
                        -1
                    ]  # not `pop`: an interrupt may come between a call and what is done with it
                    del crew.idle[-1]
                    crew.give(worker, task)
                else:
                    crew.watch_all()
                    crew.queue[task] = None
                    crew.blocked = False
                    wanted = bool(crew.idle) or crew.wanted() > 0
                    self._crowd += 1
                    helps = self._crowd >= _helps_after(call)
                    if helps:
                        self._crowd = 0
            if worker is not None:
                crew.set_going([worker])
        except BaseException:
            if worker is not None:
                with crew.lock:
                    crew.doom(worker)  # who knows what it was told; its calls move on
            self._wake()
            raise
        if wanted:
            self._wake()
        elif helps:
            self._attendance.attend(task.future, 0.0)

    def cancel(self, task: Task) -> None:
        self._crew.cancel(task)

    def vacancies(self, calls: int) -> int:
        crew = self._crew
        with crew.lock:
            if self._manager is None and not crew.closed:
                self._start_manager()
            idle = crew.vacancies(calls)
            grows = crew.wanted() > 0
        if grows:
            self._wake()
        return idle

    def submit_to_idle(self, task: Task) -> bool:
        """Have an idle worker begin a task at once; False if there is none, and the task is the caller's again."""
        task.wire = Call(task, self._functions, self._shelf)
        crew = self._crew
        with crew.lock:
            if crew.closed or crew.queue or not crew.idle or crew.full():
                return False
            crew.backlog += task.cost
            worker = crew.idle.pop()
            crew.give(worker, task)
        crew.set_going([worker])
        return True

    def load(self) -> BackendLoad:
        crew = self._crew
        with crew.lock:
            running = sum(bool(worker.assigned) for worker in crew.workers)
            ahead = sum(len(worker.assigned) for worker in crew.workers) - running
            ready = sum(worker.ready for worker in crew.workers)
            return BackendLoad(len(crew.queue) + ahead, running, ready, crew.backlog)

    def workers(self) -> tuple[WorkerStats, ...]:
        crew = self._crew
        now = time.monotonic()
        with crew.lock:
            return tuple(_stats_of(worker, now) for worker in sorted(crew.workers, key=_number))

    def turnover(self) -> tuple[int, int]:
        return self._crew.died, self._crew.recycled

    def pids(self) -> list[int]:
        with self._crew.lock:
            return [worker.handle.pid for worker in self._crew.workers]

    def shutdown(self, *, wait: bool) -> None:
        with self._crew.lock:
            self._crew.closed = True
            manager = self._manager
        self._wake()
        if wait and manager is not None:
            manager.join()

    def abort(self) -> None:
        crew = self._crew
        with crew.lock:
            crew.closed = crew.aborted = True
            for worker in crew.workers:
                crew.doom(worker)
        self._wake()

    def forget(self) -> None:
        crew = self._crew
        for worker in crew.workers:
            worker.channel.give_up()
            worker.buffers.forget()
            worker.handle.close()
        self._shelf.slots.forget()
        if crew.readiness is not None:
            crew.readiness.close()
            crew.readiness = None
        self._manager = None
        crew.workers = set()
        crew.idle = []
        crew.closed = True

    def _wake(self) -> None:
        """Make the manager look."""
        manager = self._manager
        if manager is not None:
            manager.wake()

    def _start_manager(self) -> None:
        """Make the manager's thread. Caller holds the crew's lock."""
        with contextlib.ExitStack() as undo:
            launcher = launcher_for(self._context)
            undo.callback(launcher.close)
            launcher.prepare()  # a process that takes a while to come up, while the rest is made here
            # The home of shared primitives has a thread, which can't be started any more when the interpreter
            # exits; workers can, so it has to be there before.
            address = None
            if self._home is not None:
                from .desk import Desk

                address = pickle.dumps(self._home())
                self._desk = Desk(self)
            initializer = None if self._initializer is None else pickling.dumps(self._initializer)
            readiness: Readiness[RemoteWorker] = make_readiness(portable=self._portable)
            undo.callback(readiness.close)
            manager = Manager(
                self._crew,
                self._attendance,
                launcher,
                readiness,
                address,
                initializer,
                self._upkeep,
                spins=self._spins,
                threads=self._threads,
                desk=None if self._desk is None else self._desk.oid,
            )
            manager.start()
            undo.pop_all()
        self._crew.readiness = readiness
        self._manager = manager


def _stats_of(worker: RemoteWorker, now: float) -> WorkerStats:
    """One worker at this moment. Caller holds the crew's lock."""
    pid, served = worker.handle.pid, worker.served
    if not worker.ready:
        return WorkerStats(pid, "starting", served)
    if not worker.assigned:
        return WorkerStats(pid, "idle", served)
    task = next(iter(worker.assigned.values()))
    return WorkerStats(pid, "running", served, task.name, max(0.0, now - worker.since))


def _helps_after(call: Call) -> int:
    """After how many calls that are queued its submitter is to read answers: as many as a worker is sent ahead."""
    seconds = call.function.seconds
    if seconds is None or seconds * HELP_EVERY >= AHEAD_SECONDS:
        return HELP_EVERY
    return min(int(AHEAD_SECONDS / max(seconds, 1e-9)), HELP_AT_LEAST_EVERY)


def _number(worker: RemoteWorker) -> int:
    """By what workers are put in order."""
    return worker.handle.pid
