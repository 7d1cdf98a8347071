"""The dispatcher: a call's way from acceptance to the end of its future.

The first calls of an unknown function are its scouts: they run on threads and are measured. Calls that
come meanwhile are held back until the scouts' figures suffice, even live ones of a scout that still runs;
then they are routed together. So a thousand calls that arrive at once from cold are not sent to the wrong
place. A function whose scouts wait, and none of which ends, gets more of them, twice as many every moment,
so nothing is held for long, whatever the scouts wait for.

Guarantees:
    - Every accepted call ends its future once: with its value, its error, or cancelled.
    - A call that a backend refuses, or that can't travel, runs here instead, unless the user forced it
      there; then it fails with the reason.
    - A call is retried only after a death or a timeout, and only as often as the user allowed.
    - `shutdown(wait=True)` returns when the last accepted call has ended, except those that can only end
      on the loop or in the call that is waiting.
Assumes:
    - Backends keep the contract of `backends/base.py`.
State table of a call:
    accepted -> held       its function is unknown and has scouts enough
    accepted -> sent       it is a scout, or its function is known, or it was pinned
    held     -> sent       the figures suffice, or more scouts are wanted
    sent     -> sent       refused, or to be retried
    any      -> ended      its future has ended
Races:
    - the last scout ends while a call is being held: the call is appended under the record's lock, and
      whoever appends then watches the record, so it is looked at again:
      `tests/dispatch/test_dispatcher.py::test_call_held_as_the_last_scout_ends`
    - cancel of a held call against its release: it is in `held` or it is not, under the record's lock:
      `tests/dispatch/test_dispatcher.py::test_cancel_against_release`
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import time
from collections.abc import Callable
from typing import Any

from ..backends.base import Backend, Outcome, Refused, Task, Unavailable, WorkerPool
from ..backends.loop import LoopBackend
from ..backends.threads import ThreadBackend
from ..errors import NotPicklable, TaskTimeout, WorkerDied
from ..futures import Future
from ..model import BackendName, Decision, Load, Machine, Options, Profile, TaskSpec
from ..observe.stats import ExecutorStats, FunctionStats
from ..routing.lanes import place
from ..routing.policy import (
    DOUBTFUL_CALLS,
    WAITS,
    Facts,
    asked_for,
    calls_on_trial,
    decide,
    decide_steadily,
    is_trusted,
    on_trial,
)
from ..routing.store import FunctionRecord, Store, is_coroutine_function
from .delivering import Delivering
from .scout_check import ScoutCheck
from .shares import per_call
from .supervisor import Supervisor

__all__ = ["Dispatcher"]

MORE_SCOUTS_SECONDS = 0.02
NUDGE_SECONDS = 0.1
JUDGE_FROM_SECONDS = 100e-6
LONG_SCOUT_NS = 100_000_000
PATIENCE_SECONDS = 0.5
DOUBTED_SCOUTS = 4


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
    ) -> None:
        """`on_start` and `on_end` are told when there first is, and when there is no more, something to end."""
        self._on_start = on_start
        self._on_end = on_end
        self._machine = machine
        self._threads = threads
        self._processes = processes
        self._loop = loop
        self._backends: dict[BackendName, Backend] = {"thread": threads, "process": processes, "loop": loop}
        self._store = Store()
        self._supervisor = Supervisor()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._live: set[Task] = set()
        self._closed = False
        self._refusal = "cannot schedule new futures after shutdown: make a new executor"
        self._started = False
        self._ended = False
        self._forgotten = False
        self._delivering = Delivering()
        self._in_shutdown: list[object] = []  # threads and asyncio tasks that wait in `shutdown`
        self._nudging = False  # the thread backend is being looked at; a hint that saves asking again

    # --- what the facade calls --------------------------------------------------------------------

    def accept(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: Options,
        subject: Callable[..., Any],
        items: int = 1,
    ) -> Future[Any]:
        """Take a call; the fields are those of `TaskSpec`.

        Returns:
            Its future, which tells the rest.

        Raises:
            RuntimeError: The executor has been shut down.
        """
        if self._closed:
            raise RuntimeError(self._refusal)
        if not self._started:
            if self._supervisor.start():
                self._on_start(self)
            self._started = True
        record = self._store.record(subject)
        future: Future[Any] = Future()
        spec = TaskSpec(fn, args, kwargs, options, subject, record.name, items)
        task = Task(spec, future, contextvars.copy_context(), self._done)
        task.owner = record
        if record.coroutine:
            task.coroutine = True
        future.on_cancel = functools.partial(self._cancelled, task)
        if options.timeout is not None:
            task.on_begin = functools.partial(self._started_with_timeout, task)
        with self._lock:
            if self._closed:
                raise RuntimeError(self._refusal)
            self._live.add(task)
        try:
            self._route(task, record)
        except BaseException:
            self._forget(task)
            raise
        return future

    def soon(self, act: Callable[[], object]) -> None:
        """Do something on the library's own thread; may be asked for inside a finalizer."""
        if not self._forgotten:
            self._supervisor.soon(act)

    def explain(self, fn: Callable[..., Any], options: Options) -> Decision:
        """Where the next call would run."""
        record = self._store.find(fn)
        if record is None:
            facts = Facts(options, is_coroutine_function(fn), Profile(), Load(), self._machine)
            return decide(facts)
        return decide(self._facts(record, options, 0))

    def is_busy(self) -> bool:
        """Whether a call has been accepted and has not ended."""
        return bool(self._live)

    def look_after_threads(self) -> None:
        """See that somebody looks whether what is queued for threads makes progress."""
        if self._threads.queued and not self._nudging:
            self._nudging = True
            self._supervisor.watch(self._threads, self._nudge())

    def stats(self) -> ExecutorStats:
        """What has been done so far."""
        functions = []
        backends: dict[BackendName, int] = {}
        for record in self._store.all():
            with record.lock:
                counts = dict(record.counts)
            if not counts:
                continue
            for name, count in counts.items():
                backends[name] = backends.get(name, 0) + count
            reason = decide(self._facts(record, Options(), 0)).reason
            functions.append(FunctionStats(record.name, counts, record.failures, record.profile(), reason))
        with self._lock:
            pending = len(self._live)
        workers = {name: backend.load().workers for name, backend in self._backends.items()}
        return ExecutorStats(
            tuple(functions),
            backends,
            pending,
            {k: v for k, v in workers.items() if v},
            self._processes.workers(),
            *self._processes.turnover(),
        )

    def shutdown(
        self, *, wait: bool, cancel_futures: bool, caller: object = None, at_exit: bool = False
    ) -> None:
        """Take no more calls; with `wait`, return when the last has ended.

        `caller` is the asyncio task that waits, if one does; `at_exit`, loops that don't run never will again.
        """
        if self._forgotten:
            return
        me = threading.get_ident() if caller is None else caller
        with self._changed:
            self._closed = True
            if wait:
                # Calls that wait here themselves are not waited for, or two of them would wait for each other.
                self._in_shutdown.append(me)
                self._changed.notify_all()
            live = list(self._live)
        if cancel_futures:
            for task in live:
                task.future.cancel_pending()
        try:
            while wait and not self._idle_but_for_me():
                self._end_stranded(at_exit)
        finally:
            if wait:
                self._in_shutdown.remove(me)
        self._end_if_over(wait=wait)

    def abort(self) -> None:
        """End everything that can be ended, now."""
        if self._forgotten:
            return
        with self._lock:
            self._closed = True
            live = list(self._live)
        for task in live:
            task.future.cancel()
        for backend in self._backends.values():
            backend.abort()
        self._end_if_over(wait=False)

    def forget(self) -> None:
        """In a forked copy of this process nothing of this runs, and somebody else may have held the locks."""
        self._forgotten = self._closed = self._ended = True
        self._refusal = "this executor belongs to the process that forked this one: make a new one here"
        self._live.clear()
        self._processes.forget()

    # --- routing ----------------------------------------------------------------------------------

    def _route(self, task: Task, record: FunctionRecord) -> None:
        """Send a call where it belongs, or hold it until that is known."""
        options = task.spec.options
        steady = record.steady
        if (
            steady is not None
            and steady[0] is options
            and steady[1] is record.stay
            and record.estimator.skips()
        ):
            self._send(task, record, steady[2], watch=False)
            return
        if options.backend is not None:
            decision = asked_for(options, record.profile())
            record.steady = (options, record.stay, decision)
            self._send(task, record, decision)
            return
        if record.coroutine or options.kind is not None:
            self._send(task, record, decide(self._facts(record, options, 0, task.spec.subject)))
            return
        facts = self._facts(record, options, 0, task.spec.subject)
        if is_trusted(facts.profile, self._machine):
            lasting = decide_steadily(facts)
            record.steady = None if lasting is None else (options, facts.stay, lasting)
            self._send(task, record, lasting or decide(facts))
            return
        with record.lock:
            scout = not record.held and len(record.scouts) < record.scout_limit
            if scout:
                record.scouts.add(task)
            else:
                record.held.append(task)
                if len(record.held) == 1:
                    record.released = record.widened = time.monotonic()
        if scout:
            self._send_scout(task, record, decide(facts))
        elif not record.watched:
            record.watched = True
            self._supervisor.watch(record, functools.partial(self._look, record))

    def _facts(
        self,
        record: FunctionRecord,
        options: Options,
        waiting: int,
        fn: Callable[..., Any] | None = None,
        profile: Profile | None = None,
    ) -> Facts:
        """All that a decision depends on, read once."""
        if profile is None:
            profile = record.profile()
        stay = record.stay
        judging = fn is not None and record.verdict is None and not stay and options.pure is not True
        if judging and fn is not None and (options.kind == "cpu" or self._computes(profile)):
            record.judged(fn)
        stay = record.stay  # after the verdict was looked for, and so with what it found
        processes = self._processes.load()
        load = Load(
            waiting,
            self._threads.backlog,
            record.estimator.gil_spent_s,
            processes.backlog,
            processes.workers > 0,
        )
        if options.pure is True and not record.unable:
            stay = ""
        elif options.pure is False:
            stay = "has pure=False, which says that it changes shared state"
        return Facts(options, record.coroutine, profile, load, self._machine, stay, record.before)

    def _computes(self, profile: Profile) -> bool:
        """Whether it may be worth sending away, so that its code must be judged."""
        return self._machine.gil and profile.settled and profile.gil_time >= JUDGE_FROM_SECONDS

    def _send_scout(self, task: Task, record: FunctionRecord, decision: Decision) -> None:
        """Run a call here, measured, and with its world compared before and after."""
        task.scout = True
        if self._machine.gil and self._machine.cores > 1 and not record.stay:
            task.snapshot = ScoutCheck(task, record)
        self._send(task, record, decision)

    def _send(self, task: Task, record: FunctionRecord, decision: Decision, *, watch: bool = True) -> None:
        """Hand a call to the backend that was decided on; `watch` False: it is known that it need not be watched."""
        task.decision = task.future.decision = decision
        options = task.spec.options
        if decision.backend == "process" and options.backend is None and options.pure is not True:
            # What the function reads of its modules has to be the same there.
            from ..routing.environment import environment

            try:
                verdict = record.judged(task.spec.subject)
                if record.stay:
                    # Something was found since it was decided.
                    decision = task.decision = task.future.decision = self._at_home(record, options)
                else:
                    task.environment = environment(verdict.reads)
            except (NotPicklable, ValueError) as error:
                self._stay(
                    record, f"reads module state that can't be compared in a worker ({_first_line(error)})"
                )
                decision = task.decision = task.future.decision = self._at_home(record, options)
        task.measure = watch and (task.scout or record.estimator.needs_sampling())
        backend = decision.backend
        record.count(backend)
        profile = decision.profile or record.profile()
        if backend == "process":
            task.cost = profile.cpu if profile.settled else 0.0
            task.future.stoppable = True
            try:
                self._processes.submit(task)
            except NotPicklable as error:
                if options.backend == "process":
                    task.done(Outcome(error=error))
                    return
                task.future.stoppable = False
                self._unable(record, f"can't go to another process ({_first_line(error)})")
                self._send(task, record, self._at_home(record, options))
            except RuntimeError as error:
                # The interpreter exits, and the pool has not been started before; threads there are.
                if options.backend == "process":
                    raise
                task.future.stoppable = False
                self._send(task, record, Decision("thread", f"no worker can be started now ({error})"))
            self.look_after_threads()
            return
        if backend == "loop":
            task.future.stoppable = True
            running = asyncio._get_running_loop()
            if running is not None and options.backend is None and not self._loop.owns(running):
                self._loop.submit_here(task, running)
            else:
                self._loop.submit(task)
            return
        where = place(profile, options.kind, self._machine)
        task.lane, task.weight, task.cost = where.lane, where.weight, where.cost
        self._threads.submit(task)
        self.look_after_threads()

    def _at_home(self, record: FunctionRecord, options: Options) -> Decision:
        """The decision again, now that the call has to stay."""
        return decide(self._facts(record, options, 0))

    def _stay(self, record: FunctionRecord, why: str) -> None:
        """From now on, calls of this function stay here, unless the user says pure=True."""
        record.stay = record.stay or why

    def _unable(self, record: FunctionRecord, why: str) -> None:
        """From now on, calls of this function stay here, whatever the user says of purity."""
        record.unable = True
        record.stay = why

    # --- scouts and the calls that wait for them --------------------------------------------------

    def _look(self, record: FunctionRecord) -> bool:
        """Review from the supervisor. First the flag, then the look, so that what is held in between is seen."""
        record.watched = False
        left = self._review(record)
        if left:
            record.watched = True
        return left

    def _review(self, record: FunctionRecord) -> bool:
        """Route what is held, if the figures suffice; else widen the scouting. False once nothing is held."""
        profile = self._known(record)
        if is_trusted(profile, self._machine):
            with record.lock:
                tasks = list(record.held)
                record.held.clear()
            self._release(record, tasks, profile)
            return False
        # Doubts end with a few good looks more, or after so many calls: no more than those need to be scouts. Where
        # workers can look, one here is enough: who computes here is in everybody's way.
        doubted = min(DOUBTED_SCOUTS, DOUBTFUL_CALLS - profile.calls) if profile.settled else 0
        tried = self._try_elsewhere(record, profile)
        more: list[Task] = []
        now = time.monotonic()
        waits = self._some_wait(record)
        with record.lock:
            if record.progress:
                # Scouts are ending, so nothing is stuck, and more of them would only be in each other's way.
                record.progress = False
                record.released = now
            elif now - record.released >= MORE_SCOUTS_SECONDS and record.held:
                # Scouts that compute, or would if they had a core, wait for nobody: on a busy machine they just
                # take long. Unless they poll.
                record.released = now
                if waits or now - record.widened >= PATIENCE_SECONDS:
                    record.widened = now
                    record.scout_limit *= 2
            most = max(1, record.scout_limit // 2) if tried else max(record.scout_limit, doubted)
            while record.held and len(record.scouts) < most:
                task = record.held.popleft()
                record.scouts.add(task)
                more.append(task)
            left = bool(record.held)
        for task in more:
            # By the figures read above: others may have come meanwhile, and then its code would have to be judged.
            decision = decide(self._facts(record, task.spec.options, 0, None, profile))
            self._guarded(task, functools.partial(self._send_scout, task, record, decision))
        return left

    def _try_elsewhere(self, record: FunctionRecord, profile: Profile) -> bool:
        """Give idle workers some of the calls that are held, where only doubts about the GIL hold them back.

        True if that is where doubts may end, whether a worker is idle now or not.
        """
        with record.lock:
            held = len(record.held)
            first = record.held[0] if held else None
        if first is None:
            return False
        options = first.spec.options
        decision = on_trial(self._facts(record, options, held - 1, first.spec.subject, profile))
        if decision is None:
            return False
        try:
            room = self._processes.vacancies(held) * calls_on_trial(profile)
        except Exception:  # the pool can't be started; a call that is sent there will be told why
            return False
        with record.lock:
            tasks: list[Task] = []
            while record.held and len(tasks) < room and record.held[0].spec.options == options:
                tasks.append(record.held.popleft())
        for task in tasks:
            task.trial = True
            self._guarded(task, functools.partial(self._send, task, record, decision))
        return True

    def _some_wait(self, record: FunctionRecord) -> bool:
        """Whether one of the scouts has been seen to wait for most of its time so far."""
        with record.lock:
            scouts = list(record.scouts)
        for task in scouts:
            meter = task.meter
            seen = None if meter is None else meter.peek()
            if seen is None:
                continue
            if seen.looks is None:
                if seen.cpu_ns < seen.wall_ns / 20:  # the clocks are all there is
                    return True
            elif seen.blocked_ns > seen.sampled_ns / 2:
                return True
        return False

    def _known(self, record: FunctionRecord) -> Profile:
        """The profile, with what can be seen of scouts that still run if that helps.

        That somebody waits is seen in a moment. How a call computes may change from one part of it to the next,
        so that is believed of whole calls, or of those that have computed for long.
        """
        profile = record.profile()
        if profile.settled:
            return profile
        with record.lock:
            scouts = list(record.scouts)
        for task in scouts:
            meter = task.meter
            seen = None if meter is None else meter.peek()
            if seen is not None:
                live = record.estimator.add_live(seen)
                if live.settled and (live.cpu_ratio < WAITS or seen.cpu_ns >= LONG_SCOUT_NS):
                    record.provisional = live
                    return record.profile()
        return profile

    def _release(self, record: FunctionRecord, tasks: list[Task], profile: Profile) -> None:
        """Route calls that were held, by one decision: they are all of a kind."""
        if not tasks:
            return
        facts = self._facts(record, tasks[0].spec.options, len(tasks) - 1, tasks[0].spec.subject, profile)
        decision = decide(facts)
        for task in tasks:
            same = task.spec.options == tasks[0].spec.options and (
                decision.backend != "process" or not record.stay
            )
            chosen = (
                decision
                if same
                else decide(self._facts(record, task.spec.options, 0, task.spec.subject, profile))
            )
            self._guarded(task, functools.partial(self._send, task, record, chosen))

    def _guarded(self, task: Task, send: Callable[[], None]) -> None:
        """Send a call that was accepted before: what goes wrong now belongs into its future."""
        try:
            send()
        except Exception as error:
            task.done(Outcome(error=error))

    def _nudge(self) -> Callable[[], bool]:
        """A look at the thread backend every now and then, for as long as tasks wait there."""
        state = {"at": time.monotonic(), "cpu": time.process_time(), "finished": -1}

        def look() -> bool:
            now = time.monotonic()
            passed = now - state["at"]
            if passed >= NUDGE_SECONDS:
                cpu = time.process_time()
                idle = cpu - state["cpu"] < 0.5 * passed
                state["at"], state["cpu"] = now, cpu
                state["finished"] = self._threads.nudge(int(state["finished"]) if idle else -1)
            # First the flag, then the look: a task queued in between is seen by one of the two.
            self._nudging = False
            self._nudging = self._threads.queued > 0
            return self._nudging

        return look

    # --- the end of a call ------------------------------------------------------------------------

    def _done(self, task: Task, outcome: Outcome) -> None:
        """A backend hands a call back."""
        record: FunctionRecord = task.owner
        error = outcome.error
        if error is None:
            self._succeeded(task, record, outcome)
            return
        if isinstance(error, Refused) and self._rerouted(task, record, error):
            return
        if isinstance(error, Unavailable):
            if task.spec.options.backend is None and self._kept(task, record, error):
                return
            error = error.__cause__
        if task.timed_out and error is not None and not task.future.done():
            error = TaskTimeout(
                f"{task.spec.name} ran longer than its timeout of {task.spec.options.timeout} s"
            )
        if isinstance(error, (WorkerDied, TaskTimeout)) and self._retried(task, record):
            return
        self._learn(task, record, outcome)
        if not isinstance(error, asyncio.CancelledError):
            record.failed()
        self._resolve(task, None, error)
        self._forget(task)

    def _succeeded(self, task: Task, record: FunctionRecord, outcome: Outcome) -> None:
        """A call has returned."""
        self._learn(task, record, outcome)
        self._resolve(task, outcome.value, None)
        self._forget(task)

    def _learn(self, task: Task, record: FunctionRecord, outcome: Outcome) -> None:
        """Take a call's figures, and what was seen of its effects."""
        # What speaks against leaving is noted before the figures that may settle the function.
        if task.snapshot is not None and task.snapshot.finding is not None:
            self._stay(record, task.snapshot.finding)
        sample = outcome.sample
        if sample is not None:
            record.estimator.add(sample if task.spec.items == 1 else per_call(sample, task.spec.items))

    def _resolve(self, task: Task, value: Any, error: BaseException | None) -> None:
        """End the future, unless it has ended; its callbacks run meanwhile."""
        delivering = self._delivering.tasks
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
        if task.spec.options.backend == "process":
            problem = NotPicklable(
                f"{refusal}; make it importable there, or leave the backend to the executor"
            )
            self._resolve(task, None, problem)
            self._forget(task)
            return True
        self._unable(record, f"can't run in another process ({refusal})")
        if not task.future.rest():
            return False
        task.future.stoppable = False
        self._guarded(task, lambda: self._send(task, record, self._at_home(record, task.spec.options)))
        return True

    def _kept(self, task: Task, record: FunctionRecord, error: Unavailable) -> bool:
        """No worker could be had: run the call here this time; False if it has been cancelled."""
        if not task.future.rest():
            return False
        task.future.stoppable = False
        decision = Decision("thread", f"no worker could be started ({_first_line(error)})", record.profile())
        self._guarded(task, lambda: self._send(task, record, decision))
        return True

    def _retried(self, task: Task, record: FunctionRecord) -> bool:
        """Run the call again if its user allowed it and it has not been cancelled."""
        if task.retried >= task.spec.options.retries or not task.future.rest():
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
        task.future.on_cancel = None  # it leads back to the task, with all its arguments
        if task.deadline is not None:
            task.deadline.give_up()
        if task.scout:
            with record.lock:
                record.scouts.discard(task)
                record.progress = True
                held = bool(record.held)
            if held:
                self._review(record)
        elif task.trial and record.held:
            # Not here: whoever waits for a result may be the one who hands it over, and pickles nobody's arguments.
            self._supervisor.soon(lambda: self._review(record))
        with self._changed:
            self._live.discard(task)
            last = self._closed
            if last:
                self._changed.notify_all()
        if last:
            self._end_if_over(wait=False)

    def _cancelled(self, task: Task) -> None:
        """The user cancelled a call's future."""
        record: FunctionRecord = task.owner
        with record.lock:
            try:
                record.held.remove(task)
            except ValueError:
                held = False
            else:
                held = True
        if held:
            self._forget(task)
        elif task.decision is not None:
            self._backends[task.decision.backend].cancel(task)

    def _started_with_timeout(self, task: Task) -> None:
        """The clock of a call's `timeout=` starts when the call does."""
        task.timed_out = False
        timeout = task.spec.options.timeout
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
                    f"{task.spec.name} ran longer than its timeout of {task.spec.options.timeout} s; "
                    "a thread can't be stopped, so the call itself goes on"
                ),
            )
        else:
            self._backends[task.decision.backend].cancel(task)

    # --- the end of it all ------------------------------------------------------------------------

    def _idle_but_for_me(self) -> bool:
        """Whether all has ended that can end before the caller of `shutdown` goes on; waits a moment for it."""
        with self._changed:
            if all(self._is_waiting_for_me(task) for task in self._live):
                return True
            self._changed.wait(0.5)
            return False

    def _is_waiting_for_me(self, task: Task) -> bool:
        """Whether a call can only end once the caller of `shutdown` goes on."""
        loop = asyncio._get_running_loop()
        if loop is not None and task.future.only_on is loop:
            return True
        return (
            task.thread in self._in_shutdown or task.wire in self._in_shutdown or self._delivering.here(task)
        )

    def _end_stranded(self, at_exit: bool) -> None:
        """Fail coroutines whose loop was closed, or at exit just left, before they ended."""
        with self._lock:
            stranded = [task for task in self._live if self._is_stranded(task, at_exit)]
        for task in stranded:
            self._resolve(
                task, None, RuntimeError(f"the event loop was closed before {task.spec.name} ended")
            )
            self._forget(task)

    def _is_stranded(self, task: Task, at_exit: bool) -> bool:
        """Whether a coroutine's loop will not run any more."""
        loop = task.future.only_on
        if loop is None or self._loop.owns(loop):
            return False
        return loop.is_closed() or (at_exit and not loop.is_running())

    def _end_if_over(self, *, wait: bool) -> None:
        """Once nothing is accepted and nothing is live, end the backends; whoever comes first does it."""
        with self._lock:
            over = self._closed and not self._live and not self._ended
            self._ended = self._ended or over
            ended = self._ended
        if not (over or (wait and ended)):
            return
        for backend in self._backends.values():
            backend.shutdown(wait=wait)
        self._supervisor.stop(wait=wait)
        self._on_end(self)


def _first_line(error: BaseException) -> str:
    """What an error says, short enough for a sentence."""
    text = str(error).partition("\n")[0]
    return text if len(text) <= 160 else text[:157] + "..."
