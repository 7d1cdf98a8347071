"""The dispatcher: a call's way from acceptance to the end of its future.

Guarantees:
    - Every accepted call ends its future once: with its value, its error, or cancelled.
    - A call that a backend refuses, or that can't travel, runs here instead, unless the user forced it
      there; then it fails with the reason.
    - A call is retried only after a death or a timeout, and only as often as the user allowed.
Assumes:
    - Backends keep the contract of `backends/base.py`.
State table of a call:
    accepted -> held       its function is unknown and has scouts enough (`scouting.py`)
    accepted -> sent       it is a scout, or its function is known, or it was pinned
    held     -> sent       the figures suffice, or more scouts are wanted
    sent     -> sent       refused, or to be retried
    any      -> ended      its future has ended
Races:
    - those of calls that are held: `scouting.py`
    - cancel against the end of a call: the future's own state settles it, and who loses does nothing:
      `tests/test_futures.py`
    - those of the end of it all: `ending.py`
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..backends.base import Backend, Outcome, Refused, Task, Unavailable, WorkerPool
from ..backends.loop import LoopBackend
from ..backends.threads import ThreadBackend
from ..errors import NotPicklable, TaskTimeout, WorkerDied
from ..futures import Future
from ..model import BackendName, Decision, Machine, Options
from ..observe.stats import ExecutorStats
from ..routing.policy import asked_for, decide, decide_steadily
from ..routing.store import FunctionRecord, Store
from .admission import Admission
from .ending import Ending
from .hogs import Hogs
from .learning import Learning
from .living import Living
from .loops import Loops
from .nudging import Nudging
from .router import Router, first_line
from .scouting import Scouting
from .sending import Sending
from .supervisor import Supervisor
from .swift import Swift
from .telling import Telling
from .turns import Turns

if TYPE_CHECKING:
    from ..routing.profiles import ProfileFile

__all__ = ["Dispatcher"]


class Dispatcher:
    """Knows what is under way and moves it along."""

    def __init__(
        self,
        machine: Machine,
        threads: ThreadBackend,
        processes: WorkerPool,
        loop: LoopBackend,
        on_start: Callable[[Dispatcher], object] = id,
        on_end: Callable[[Dispatcher], object] = id,
        profiles: ProfileFile | None = None,
        max_pending: int | None = None,
    ) -> None:
        """`on_start` and `on_end` are told when there first is, and when there is no more, something to end.

        More than once, perhaps.
        """
        self._on_start = on_start
        self._on_end = on_end
        self._router = Router(machine, threads, processes, loop)
        self._threads = threads
        self._processes = processes
        self._backends: dict[BackendName, Backend] = {"thread": threads, "process": processes, "loop": loop}
        self._profiles = profiles
        self._store = Store() if profiles is None else Store(recall=profiles.recall)
        self._supervisor = Supervisor()
        self._hogs = Hogs(self._supervisor)
        self._loops = Loops(loop, self._hogs)
        self._nudging = Nudging(threads, self._supervisor)
        self._sending = Sending(
            self._router, threads, processes, self._loops, self._nudging, self._supervisor
        )
        self._send, self._guarded = self._sending.send, self._sending.guarded
        self._scouting = Scouting(self._router, processes, self._supervisor, self._send)
        self._living = Living(lambda: [*threads.brief.under_way(), *loop.under_way()])
        self._learning = Learning(self._router, self._hogs, self._living)
        self._admission: Admission | None = None
        if max_pending is not None:
            self._admission = Admission(max_pending)
            self._turns = Turns(self._admission, self._living, self._supervisor, self._guarded)
        self._telling = Telling(self._router, self._hogs, self._living, threads, processes, loop, self._loops)
        self._ending = Ending(
            self._living,
            self._admission,
            threads,
            self._loops,
            [processes, loop],
            self._supervisor,
            self._lost,
            self._over,
        )
        self._started = False
        # Made once, not for each call.
        self._take_back, self._give_up = self._done, self._cancelled
        self._swift = Swift(threads, self._loops, self._nudging, self._take_back, self._living.refuse)
        self._known = self._store.lately

    # --- what the facade calls --------------------------------------------------------------------

    def accept(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: Options,
        subject: Callable[..., Any],
        items: int = 1,
        twin: Callable[..., Any] | None = None,
    ) -> Future[Any]:
        """Take a call; the arguments are fields of `Task`.

        Returns:
            Its future, which tells the rest.

        Raises:
            RuntimeError: The executor has been shut down.
        """
        living = self._living
        if living.closed:  # without a lock, which in a forked copy nobody may ever let go
            living.refuse()
        if not self._started:
            self._start()
        known = self._known.get(id(subject))  # as `Store.record` does, for most calls
        record = (
            known[1] if known is not None and known[0] is subject.__code__ else self._store.record(subject)
        )
        steady = record.steady
        if (
            steady is not None
            and steady.swift
            and steady.options is options
            and steady.stay is record.stay
            and (items == 1 and twin is None and self._admission is None and record.hogging == 0)
        ):
            estimator = record.estimator
            left = estimator.skip  # as `Estimator.skips` does
            if left > 0:
                estimator.skip = left - 1
                return self._swift.send(fn, args, kwargs, record, steady)
            if record.coroutine and self._hogs.spares(record):
                return self._swift.send(fn, args, kwargs, record, steady)
        future: Future[Any] = Future()
        context = contextvars.copy_context()
        task = Task(fn, args, kwargs, options, subject, record.name, future, context, self._take_back)
        task.owner = record
        if items != 1:
            task.items = items
        if record.coroutine:
            task.coroutine = True
        future.call, future.on_cancel = task, self._give_up
        if options.timeout is not None:
            task.on_begin = functools.partial(self._started_with_timeout, task)
        if self._admission is None:
            self._set_off(task, record, twin, living.enter)
        else:
            self._turns.enter(task, functools.partial(self._set_off, task, record, twin))
        return task.future

    def _start(self) -> None:
        """The first call comes: from now on there is something to end."""
        self._on_start(self)
        self._supervisor.start()
        self._started = True
        if self._living.over:  # it has been ended meanwhile, and that came first
            self._on_end(self)

    def _set_off(
        self,
        task: Task,
        record: FunctionRecord,
        twin: Callable[..., Any] | None,
        enter: Callable[[Task], object] = id,
    ) -> None:
        """Send a call on its way, which has been counted in or is by `enter`."""
        try:
            enter(task)
            if twin is not None:
                task.twin = twin
                record.takes_off()
            self._route(task, record)
        except BaseException:
            self._forget(task)
            raise

    def calls_in_one(self, subject: Callable[..., Any], options: Options, items: int) -> int | None:
        """How many of so many calls with plain values are best made as one; None while too little is known."""
        return self._router.calls_in_one(self._store.record(subject), subject, options, items)

    def lasts(self, future: Future[Any], seconds: float) -> bool:
        """Whether a call is known to have been running on a thread for so many seconds."""
        task: Task | None = future.call
        meter = None if task is None else task.meter
        seen = None if meter is None else meter.peek()
        return seen is not None and seen.wall_ns >= seconds * 1e9

    def soon(self, act: Callable[[], object]) -> None:
        """Do something on the library's own thread; may be asked for inside a finalizer."""
        if not self._living.forgotten:
            self._supervisor.soon(act)

    def explain(self, fn: Callable[..., Any], options: Options, *, twin: bool = False) -> Decision:
        """Where the next call would run; `twin` if it could be the function's async twin."""
        record = self._store.find(fn) if self._profiles is None else self._store.record(fn)
        return self._telling.explain(record, fn, options, twin=twin)

    def is_busy(self) -> bool:
        """Whether a call has been accepted and has not ended."""
        return bool(self._living)

    def look_after_threads(self) -> None:
        """See that somebody looks whether what is queued for threads makes progress."""
        self._nudging.look_after()

    def stats(self) -> ExecutorStats:
        """What has been done so far."""
        return self._telling.stats(self._store.all())

    def shutdown(
        self, *, wait: bool, cancel_futures: bool, caller: object = None, at_exit: bool = False
    ) -> None:
        """Take no more calls; with `wait`, return when the last has ended.

        `caller` is the asyncio task that waits, if one does; `at_exit`, loops that don't run never will again.
        """
        self._ending.shutdown(wait=wait, cancel_futures=cancel_futures, caller=caller, at_exit=at_exit)

    def abort(self) -> None:
        """End everything that can be ended, now."""
        self._ending.abort()

    def forget(self) -> None:
        """In a forked copy of this process nothing of this runs, and somebody else may have held the locks."""
        self._profiles = None
        self._living.forget()
        if self._admission is not None:
            self._admission.forget()
        self._processes.forget()

    # --- routing ----------------------------------------------------------------------------------

    def _route(self, task: Task, record: FunctionRecord) -> None:
        """Send a call where it belongs, or hold it until that is known."""
        options = task.options
        steady = record.steady
        if (
            steady is not None
            and task.items == 1
            and steady.options is options
            and steady.stay is record.stay
            and record.estimator.skips()
        ):
            if steady.place is None or record.hogging:
                self._send(task, record, steady.decision, watch=False)
            else:
                self._sending.send_to_place(task, record, steady.decision, steady.place)
            return
        if record.by_anyone is None and steady is not None and steady.swift and record.many():
            record.by_anyone = False
            self._supervisor.soon(lambda: self._router.ask_who_may_run(record, task.subject))
        twin = task.twin is not None
        if options.backend is not None:
            decision = asked_for(options, record.profile())
            record.steady = self._sending.steady(options, record, record.stay, decision)
            self._send(task, record, decision)
            return
        self._router.consult(task, record)
        varied = record.shapes is not None and not twin and task.items == 1
        profile = record.profile_by_shape(task, self._router.machine) if varied else None
        if task.items != 1:
            profile = record.together(task.items)
        facts = self._router.facts(record, options, fn=task.subject, profile=profile, twin=twin)
        if record.coroutine or options.kind is not None:
            decision = decide(facts)
            if decision.backend == "loop" and not twin:
                record.steady = self._sending.steady(options, record, facts.stay, decision)
            self._send(task, record, decision)
            return
        if self._router.trusts(record, facts.profile):
            lasting = decide_steadily(facts)
            # With a twin it is not for this function alone that its record decides.
            alike = lasting and record.twin is None and record.shapes is None and task.items == 1
            record.steady = (
                self._sending.steady(options, record, facts.stay, lasting) if lasting and alike else None
            )
            self._send(task, record, lasting or decide(facts))
            return
        self._scouting.take(task, record, self._router.first_here(record, decide(facts)))

    # --- the end of a call ------------------------------------------------------------------------

    def _done(self, task: Task, outcome: Outcome) -> None:
        """A backend hands a call back."""
        record: FunctionRecord = task.owner
        error = outcome.error
        if error is None:
            if outcome.sample is not None or task.snapshot is not None:
                self._learning.learn(task, record, outcome)
            if task.swift:
                self._resolve(task, outcome.value, None)
                task.let_go()
                return
            # If nobody is told, nobody can wait for others meanwhile.
            if not task.future.try_silently(outcome.value):
                self._resolve(task, outcome.value, None)
            self._forget(task)
            return
        if isinstance(error, Refused) and self._rerouted(task, record, error):
            return
        if isinstance(error, Unavailable):
            if task.options.backend is None and self._kept(task, record, error):
                return
            error = error.__cause__
        if task.timed_out and error is not None and not task.future.done():
            error = TaskTimeout(f"{task.name} ran longer than its timeout of {task.options.timeout} s")
        if isinstance(error, (WorkerDied, TaskTimeout)) and self._retried(task, record):
            return
        self._learning.learn(task, record, outcome)
        if not isinstance(error, asyncio.CancelledError):
            record.failed()
        self._resolve(task, None, error)
        self._forget(task)

    def _resolve(self, task: Task, value: Any, error: BaseException | None) -> None:
        """End the future, unless it has ended; its callbacks run meanwhile."""
        delivering = self._living.delivering.tasks
        delivering.append(task)
        try:
            self._end(task.future, value, error)
        finally:
            delivering.remove(task)

    def _end(self, future: Future[Any], value: Any, error: BaseException | None) -> None:
        """End a future."""
        if error is None:
            future.try_result(value)
        elif isinstance(error, asyncio.CancelledError):
            future.stoppable = True
            future.on_cancel = None
            future.cancel()
        else:
            future.try_exception(error)

    def _rerouted(self, task: Task, record: FunctionRecord, refusal: Refused) -> bool:
        """A worker gave the call back unbegun: run it here, unless it was forced there."""
        if task.options.backend == "process":
            problem = NotPicklable(
                f"{refusal}; make it importable there, or leave the backend to the executor"
            )
            self._resolve(task, None, problem)
            self._forget(task)
            return True
        self._router.unable(record, f"can't run in another process ({refusal})")
        if not task.future.rest():
            return False
        task.future.stoppable = False
        self._guarded(
            task, lambda: self._send(task, record, decide(self._router.facts(record, task.options)))
        )
        return True

    def _kept(self, task: Task, record: FunctionRecord, error: Unavailable) -> bool:
        """No worker could be had: run the call here this time; False if it has been cancelled."""
        if not task.future.rest():
            return False
        task.future.stoppable = False
        decision = Decision("thread", f"no worker could be started ({first_line(error)})", record.profile())
        self._guarded(task, lambda: self._send(task, record, decision))
        return True

    def _retried(self, task: Task, record: FunctionRecord) -> bool:
        """Run the call again if its user allowed it and it has not been cancelled."""
        if task.retried >= task.options.retries or not task.future.rest():
            return False
        task.retried += 1
        task.attempts = 0
        task.timed_out = False
        decision = task.decision
        assert decision is not None
        self._guarded(task, lambda: self._send(task, record, decision))
        return True

    def _forget(self, task: Task) -> None:
        """The call has ended: count it out, and look at what waited for it."""
        record: FunctionRecord = task.owner
        if task.twin is not None:
            record.lands()
        task.let_go()
        if task.deadline is not None:
            task.deadline.give_up()
        if task.scout or task.trial:
            self._scouting.ended(task, record)
        if task.placed and self._admission is not None:
            task.placed = False
            self._admission.leave()
        if self._living.leave(task):
            self._ending.if_over(wait=False)

    def _cancelled(self, task: Task) -> None:
        """The user cancelled a call's future."""
        record: FunctionRecord = task.owner
        lined_up = self._admission is not None and self._admission.withdraw(task)
        if lined_up or self._scouting.withdraw(task, record):
            self._forget(task)
        elif task.decision is not None:
            self._backends[task.decision.backend].cancel(task)

    def _started_with_timeout(self, task: Task) -> None:
        """The clock of a call's `timeout=` starts when the call does."""
        task.timed_out = False
        timeout = task.options.timeout
        assert timeout is not None
        if task.deadline is not None:
            task.deadline.give_up()
        began = task.begun_at = time.monotonic()
        task.deadline = self._supervisor.at(began + timeout, lambda: self._overdue(task, began))

    def _overdue(self, task: Task, began: float) -> None:
        """A call's time is up: end it, or where it can't be ended stop waiting for it."""
        if task.future.done() or task.begun_at != began:
            return
        task.timed_out = True
        assert task.decision is not None
        if task.decision.backend == "thread":
            self._resolve(
                task,
                None,
                TaskTimeout(
                    f"{task.name} ran longer than its timeout of {task.options.timeout} s; "
                    "a thread can't be stopped, so the call itself goes on"
                ),
            )
        else:
            self._backends[task.decision.backend].cancel(task)

    def _lost(self, task: Task, error: BaseException) -> None:
        """A call's loop was closed before it ended."""
        self._resolve(task, None, error)
        if self._admission is not None:
            self._admission.withdraw(task)
        self._loops.give_up(task)
        self._forget(task)

    def _over(self) -> None:
        """All has ended."""
        profiles, self._profiles = self._profiles, None
        if profiles is not None:
            profiles.keep(self._store.all())
        self._on_end(self)
