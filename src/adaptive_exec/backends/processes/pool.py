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
    - `shutdown` ends within a bounded time of the last task's end.
Assumes: what `crew.py` does.
State: the crew's.
Races: the crew's; and
    - submit against shutdown: both under the crew's lock:
      `tests/backends/test_processes.py::test_submit_against_shutdown`
    - an interrupt between two steps of `submit`: the manager is woken, and finishes what was begun:
      `tests/backends/test_processes.py::test_interrupted_while_attending`
"""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.context import BaseContext
from typing import Any, ClassVar, Final

from ... import pickling
from ...model import BackendName
from ...platform.readiness import Readiness, make_readiness
from ..base import Backend, BackendLoad, Task
from .attendance import Attendance
from .call import Call, Functions
from .crew import Crew
from .launch import launcher_for
from .manager import Manager
from .remote_worker import RemoteWorker

__all__ = ["ProcessBackend"]

HELP_EVERY: Final = 32


class ProcessBackend(Backend):
    """Runs tasks in worker processes.

    Args:
        max_processes: Workers at most.
        mp_context: A `multiprocessing` context or its name; None for the library's own fork server.
        initializer: Called in each worker before its first task.
        initargs: Its arguments.
        home: Gives the address of this process's shared primitives when it is first needed.
        cores: With more than one, who waits polls for a moment before sleeping.
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
        portable: bool = False,
    ) -> None:
        self._context = mp_context
        self._initializer = None if initializer is None else (initializer, initargs)
        self._home = home
        self._spins = cores > 1
        self._portable = portable
        self._crew = Crew(max_processes, self._wake)
        self._attendance = Attendance(self._crew, spins=self._spins)
        self._functions = Functions()
        self._manager: Manager | None = None
        self._crowd = 0

    def submit(self, task: Task) -> None:
        """Take a task; `NotPicklable` if it can't travel."""
        task.wire = Call(task, self._functions)
        crew = self._crew
        wanted = helps = False
        try:
            with crew.lock:
                if crew.closed:
                    raise RuntimeError("cannot schedule new futures after shutdown")
                if self._manager is None:
                    self._start_manager()
                crew.backlog += task.cost
                worker = crew.idle.pop() if crew.idle and not crew.queue else None
                if worker is None:
                    crew.queue[task] = None
                    crew.blocked = False
                    wanted = crew.wanted() > 0
                    self._crowd += 1
                    helps = self._crowd % HELP_EVERY == 0
                else:
                    worker.assign(task)
            task.future.attend = self._attendance.attend
            if worker is not None:
                crew.set_going([worker])
            elif wanted:
                self._wake()
            elif helps:
                self._attendance.attend(task.future, 0.0)
        except BaseException:
            self._wake()
            raise

    def cancel(self, task: Task) -> None:
        self._crew.cancel(task)

    def load(self) -> BackendLoad:
        crew = self._crew
        with crew.lock:
            running = sum(bool(worker.assigned) for worker in crew.workers)
            ahead = sum(len(worker.assigned) for worker in crew.workers) - running
            ready = sum(worker.ready for worker in crew.workers)
            return BackendLoad(len(crew.queue) + ahead, running, ready, crew.backlog)

    def pids(self) -> list[int]:
        """Process ids of the workers there are."""
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
        """In a forked copy of this process: give up the parent's workers without touching them."""
        crew = self._crew
        for worker in crew.workers:
            worker.channel.give_up()
            worker.handle.close()
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
        # The home of shared primitives has a thread, which can't be started any more when the interpreter
        # exits; workers can, so it has to be there before.
        address = None if self._home is None else self._home()
        initializer = None if self._initializer is None else pickling.dumps(self._initializer)
        launcher = launcher_for(self._context)
        readiness: Readiness[RemoteWorker] = make_readiness(portable=self._portable)
        manager = Manager(
            self._crew, self._attendance, launcher, readiness, address, initializer, spins=self._spins
        )
        try:
            manager.start()
        except BaseException:
            launcher.close()
            readiness.close()
            raise
        self._crew.readiness = readiness
        self._manager = manager
