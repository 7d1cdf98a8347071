"""Handing a call to the backend that was decided on, with what that backend has to know of it.

Assumes: a call is sent by one thread at a time; what goes wrong is told to who sends it, or in its future.
"""

from __future__ import annotations

from collections.abc import Callable

from ..backends.base import Outcome, Task, WorkerPool
from ..backends.threads import ThreadBackend
from ..errors import NotPicklable
from ..model import Decision, Options
from ..routing.lanes import Place, place
from ..routing.policy import decide
from ..routing.store import FunctionRecord, Steady
from .loops import Loops
from .nudging import Nudging
from .router import Router, first_line
from .supervisor import Supervisor

__all__ = ["Sending"]


class Sending:
    """Sends calls on their way.

    Args:
        router: Says what a call needs elsewhere, and where it goes if it can't go there.
        threads: Where most calls go.
        processes: Where others go.
        loops: Where coroutines go.
        nudging: Looks after what waits for threads.
        supervisor: Does later what must not be done at once.
    """

    def __init__(
        self,
        router: Router,
        threads: ThreadBackend,
        processes: WorkerPool,
        loops: Loops,
        nudging: Nudging,
        supervisor: Supervisor,
    ) -> None:
        self._router = router
        self._threads = threads
        self._processes = processes
        self._loops = loops
        self._nudging = nudging
        self._supervisor = supervisor

    def send(self, task: Task, record: FunctionRecord, decision: Decision, *, watch: bool = True) -> None:
        """Hand a call to the backend that was decided on; `watch` False: it is known that it need not be watched."""
        options = task.options
        if options.backend is None:
            decision = self._suited(task, record, decision)
        task.decision = task.future.decision = decision
        backend = decision.backend
        estimator = record.estimator if task.shape is None else task.shape
        if task.twin is not None:
            task.as_twin = backend == "loop"
            estimator = record.twin if task.as_twin and record.twin is not None else estimator
        task.measure = record.hogging > 0 or (watch and (task.scout or estimator.needs_sampling()))
        record.count(backend)
        # Of several calls as one it is not said in each decision that it was made for so many.
        known = decision.profile or record.profile()
        profile = known if task.items == 1 else record.together(task.items)
        if backend == "process":
            task.cost = profile.cpu if profile.settled else 0.0
            self._send_to_workers(task, record)
            return
        if backend == "loop":
            task.future.stoppable = True
            self._loops.submit(task, record, decision)
            return
        where = place(profile, options, self._router.machine)
        if where.lane == "new":
            threads, soon = self._threads, self._supervisor.soon
            task.on_wait = lambda: soon(lambda: threads.move_on(task))
        self._send_to_lane(task, record, where)

    def steady(self, options: Options, record: FunctionRecord, stay: str, decision: Decision) -> Steady:
        """A decision to be kept for the next calls, with the lane that follows from it."""
        profile = decision.profile
        swift = record.twin is None and options.timeout is None and not options.retries
        if decision.backend == "loop":
            return Steady(options, stay, decision, None, swift and record.coroutine)
        if decision.backend != "thread" or profile is None or not profile.settled:
            return Steady(options, stay, decision, None)
        where = place(profile, options, self._router.machine)
        swift = swift and where.lane == "brief" and not record.coroutine and record.shapes is None
        return Steady(options, stay, decision, where, swift, swift and record.by_anyone is True)

    def send_to_place(self, task: Task, record: FunctionRecord, decision: Decision, where: Place) -> None:
        """Hand a call of a function that is known to a thread, by a decision that was kept."""
        task.decision = task.future.decision = decision
        record.count("thread")
        self._send_to_lane(task, record, where)

    def guarded(self, task: Task, send: Callable[[], None]) -> None:
        """Send a call that was accepted before: what goes wrong now belongs into its future."""
        try:
            send()
        except Exception as error:
            task.hand_back(Outcome(error=error))

    def _send_to_lane(self, task: Task, record: FunctionRecord, where: Place) -> None:
        """Hand a call to a thread."""
        if not (task.measure or task.scout or task.coroutine or task.items != 1 or task.shape is not None):
            task.glances = record.estimator.glances
        task.lane, task.weight, task.cost = where.lane, where.weight, where.cost
        self._threads.submit(task)
        self._nudging.look_after()

    def _suited(self, task: Task, record: FunctionRecord, decision: Decision) -> Decision:
        """The decision for a call that nobody pinned, with regard to where it comes from and what it needs."""
        if decision.backend == "process":
            return self._router.equip(task, record, decision)
        if task.twin is not None and decision.backend == "loop" and self._loops.owns_this():
            why = "it was submitted from the loop that would run its async twin, which may wait for it"
            return Decision("thread", why, decision.profile)
        return decision

    def _send_to_workers(self, task: Task, record: FunctionRecord) -> None:
        """Have a worker process run a call; here, if it can't travel or there can be no worker."""
        forced = task.options.backend == "process"
        task.future.stoppable = True
        try:
            self._processes.submit(task)
        except NotPicklable as error:
            if forced:
                task.hand_back(Outcome(error=error))
                return
            task.future.stoppable = False
            self._router.unable(record, f"can't go to another process ({first_line(error)})")
            self.send(task, record, decide(self._router.facts(record, task.options)))
        except RuntimeError as error:
            # The interpreter exits, and the pool has not been started before; threads there are.
            if forced:
                raise
            task.future.stoppable = False
            self.send(task, record, Decision("thread", f"no worker can be started now ({error})"))
        self._nudging.look_after()
