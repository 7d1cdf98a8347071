"""The thread backend: as many threads as the measured work justifies, in five lanes (`lane.py`).

Work that waits, work that computes without the GIL, and work that computes holding it each have a lane: a queue and a
budget, which is used up by what runs.

Calls that are over sooner than another thread wakes up have the brief lane (`brief.py`): one thread has a seat there
and goes through them without asking anybody (without a GIL there are as many as cores). If one of them takes long all
the same, its thread moves on to those that wait, and another takes a seat.

Newcomers, of which nothing is known, have the fourth lane, and go through it two at a time: beside many others that
compute, a call's figures would tell little of it. (Of 80 unknown functions: with one at a time, cores had nothing to
do; with thirty, it took twice as long until all were known.) One that is seen to wait, or takes long, moves on to
those that wait and makes room for the next.

Guarantees:
    - Each task taken is handed back exactly once.
    - A task in a lane whose budget is used up waits; a lane in which nothing runs admits anything.
    - A thread whose task waits for a future of ours stands aside: its weight and its place under the
      cap are free for others meanwhile, so nested submission never runs out of threads.
    - No newcomer holds up the others for longer than `NEWCOMER_SECONDS` and a tick of who calls `move_on_slow`.
    - `nudge` lets a lane grow whose tasks make no progress and use no CPU, whatever they wait for.
    - Idle threads end after `IDLE_SECONDS`; an idle backend has no wake-ups beyond those, and one as a seat is left.
Assumes:
    - `task.hand_back` and the future's callbacks may take long; they are called without any lock of ours.
State table of a thread (all changes under `_lock`):
    working -> idle     it found no admissible task; it is on top of `_idle`
    idle    -> working  somebody gave it a task and released `wake`; it is off `_idle`
    idle    -> ended    its time ran out, or the backend ended, while it was on `_idle`
    working <-> aside   its task waits for a future of ours
Races:
    - an idle thread's time runs out while it is given a task: the giver takes it off `_idle` under the
      lock first, so the thread, which looks again under the lock, finds itself gone from there and waits
      for `wake`: `tests/backends/test_threads.py::test_task_given_to_a_thread_that_is_leaving`
    - a signal's handler raises while a thread is given something, or started: who takes that from the thread has it,
      the thread or who gave it: `tests/backends/test_threads.py::test_interrupted_as_a_thread_is_given_a_task`
    - submit against shutdown: both under `_lock`; a task is refused or run, never stranded:
      `tests/backends/test_threads.py::test_submit_against_shutdown`
    - those of brief calls: `brief.py`
    - a newcomer is told to move on as it ends or stands aside: it is in `_newcomers`, or it is not, under `_lock`:
      `tests/backends/test_threads.py::test_a_newcomer_that_has_left_does_not_move_on`
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

from ..futures import blocking_in
from ..model import BackendName
from ..platform.gil import gil_enabled
from ..profiling.gain import Company
from ..profiling.sampler import get_sampler
from .base import UNKNOWN, Backend, BackendLoad, Lane, Outcome, Task
from .brief import BriefCalls, Seat
from .here import run_here
from .lane import SMALLEST_WEIGHT, BriefLane, LaneState, weight_of

__all__ = ["DEFAULT_MAX_THREADS", "ThreadBackend"]

DEFAULT_MAX_THREADS = 1000
IDLE_SECONDS = 10.0
NEWCOMER_SECONDS = 0.025
_names = itertools.count()


class _Thread:
    """One thread: how to wake it, and what it was given."""

    __slots__ = ("_given", "handle", "wake")

    def __init__(self) -> None:
        self.wake = threading.Lock()
        self.wake.acquire()
        self._given: list[Task | Seat] = []
        self.handle: threading.Thread | None = None

    def give(self, task: Task | Seat) -> None:
        """Let it have a task once it wakes."""
        self._given.append(task)

    def take(self) -> Task | Seat | None:
        """What it was given: for itself, or for who takes it back; only one of them gets it."""
        try:
            return self._given.pop()
        except IndexError:
            return None


class ThreadBackend(Backend):
    """Runs tasks on threads of this process."""

    name: ClassVar[BackendName] = "thread"

    def __init__(
        self,
        max_threads: int | None = None,
        cores: int = 1,
        *,
        idle_seconds: float = IDLE_SECONDS,
        before_leaving: Callable[[], None] | None = None,
    ) -> None:
        """`max_threads` caps threads that do not stand aside; `before_leaving` is a gate for tests."""
        self._lock = threading.Lock()
        self.most = DEFAULT_MAX_THREADS if max_threads is None else max_threads
        self._newcomers: set[Task | Seat] = set()  # those that run in their lane now, and who runs brief ones
        self.brief = BriefCalls(cores, self._seat_more, lambda: self._queued)
        self._seats = 1 if gil_enabled() else cores
        self._brief_lane = BriefLane(float(self._seats), self.brief)
        self._brief_queue, self._dozing = self.brief.queue, self.brief.dozing
        self._lanes: dict[Lane, LaneState] = {
            "new": LaneState(2 * UNKNOWN),
            "brief": self._brief_lane,
            "wait": LaneState(2.0),  # twice what keeps the GIL busy: waits and bursts overlap unevenly
            "free": LaneState(float(cores)),
            "gil": LaneState(2.0),  # one to compute, one so that a long call does not hold up the rest
        }
        self._idle: list[_Thread] = []
        self._threads: set[_Thread] = set()
        self._aside = 0
        self.backlog = 0.0  # seconds of GIL-held CPU time accepted and not yet done; read without the lock
        self._queued = 0  # tasks in the lanes' queues, but for brief ones
        self.start_seconds = 100e-6  # what starting a thread takes, of late; read without the lock
        self._closed = False
        self._finished = 0
        self._idle_seconds = idle_seconds
        self._before_leaving = before_leaving

    def submit(self, task: Task) -> None:
        if task.measure:
            get_sampler().prepare()  # before there are threads here that it would have to compete with
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self.backlog += task.cost
            lane = self._lanes[task.lane]
            if lane is self._brief_lane:
                task.future.attend = self.brief.attend
                self._brief_queue.append(task)
                self._seat(task)
            elif not lane.queue and self._room() and lane.admits(task):
                self._start(task, lane)
            else:
                lane.queue.append(task)
                self._queued += 1
                self.brief.rouse_all()  # it may be their threads that it waits for

    def put(self, task: Task) -> bool:
        """Take a brief call that is counted by nobody else; False, and nothing done, if nothing more comes."""
        queue = self._brief_queue
        queue.append(task)
        # Without the lock: who closes sets the flag, and looks for calls then.
        if self.brief.closed and self.brief.take_back(task):
            return False
        # Without the lock: who leaves a seat looks at the queue afterwards.
        running, dozing = self._brief_lane.running, self._dozing
        if dozing:
            if len(dozing) >= running or len(queue) > 1:
                self.brief.rouse()
        elif running < self._seats and (running <= 0 or len(queue) > 1):
            with self._lock:
                self._seat(task)
        return True

    def close(self, told: Callable[[], object]) -> None:
        """No more brief calls will come; from now on somebody is told as seats are left. No lock is taken."""
        self.brief.told = told
        self.brief.closed = True
        self.brief.rouse_all()

    def seat_the_last(self) -> None:
        """Once it is closed: who put the last brief call may have been interrupted before a seat was taken."""
        if self._brief_queue:
            self._seat_more()

    def _seat_more(self) -> None:
        """See that somebody goes through the brief calls: who is asleep in a seat, or a seat is taken if one may be."""
        with self._lock:
            if not self.brief.rouse():
                self._fill()

    def _seat(self, task: Task) -> None:
        """The same for a call that has just been queued; RuntimeError if there can be no thread for it."""
        try:
            if not self.brief.rouse():
                self._fill()
        except RuntimeError:
            if self.brief.take_back(task):
                self.backlog = max(0.0, self.backlog - task.cost)
                raise

    def cancel(self, task: Task) -> None:
        """A task that waits is dropped when its turn comes; one that runs can't be stopped."""

    def withdraw(self, task: Task) -> bool:
        """Take back a task that no thread has been given; False if one has. It is handed back by the caller then."""
        with self._lock:
            lane = self._lanes[task.lane]
            if lane is self._brief_lane:
                if not self.brief.take_back(task):
                    return False
            else:
                try:
                    lane.queue.remove(task)
                except ValueError:
                    return False
                self._queued -= 1
            self.backlog = max(0.0, self.backlog - task.cost)
            self._fill()  # it may have held up a lighter one
            self._release_if_over()
            return True

    def load(self) -> BackendLoad:
        with self._lock:
            return BackendLoad(
                queued=self.queued,
                running=self._running(),
                workers=len(self._threads),
                backlog=self.backlog,
            )

    @property
    def queued(self) -> int:
        """How many tasks are in the lanes' queues; read without the lock, as a hint."""
        return self._queued + len(self._brief_queue)

    @property
    def gone_through(self) -> int:
        """How many brief calls there have been; a hint."""
        return self.brief.finished

    @property
    def idle(self) -> int:
        """How many threads have nothing to do; read without the lock, as a hint."""
        return len(self._idle)

    def nudge(self, finished_before: int) -> int:
        """Let the lanes grow if none of their tasks ended since the last nudge.

        Called now and then while tasks wait and the process computes little: then what runs is blocked
        in ways that nobody measured, perhaps by the very tasks that wait.

        Returns:
            The number of tasks ended so far, for the next call.
        """
        with self._lock:
            finished = self._finished + self.brief.finished
            if finished == finished_before:
                for lane in self._lanes.values():
                    first = lane.first()
                    if first is not None:
                        lane.extra += max(1.0, lane.extra * 0.5) * weight_of(first) + SMALLEST_WEIGHT
                self._fill()
            return finished

    def move_on(self, task: Task | Seat) -> None:
        """A newcomer has been seen to wait, or a brief call not to be that: let it go on among those that wait."""
        with self._lock:
            if task in self._newcomers:
                self._exit(task)
                task.lane = "wait"
                self._enter(task)
                self._fill()

    def move_on_slow(self) -> None:
        """Let newcomers move on that take long, or seem to wait where only clocks can tell."""
        with self._lock:
            running = list(self._newcomers)
        for task in running:
            if isinstance(task, Seat):
                if task.is_slow(time.monotonic(), NEWCOMER_SECONDS):
                    self.move_on(task)
                continue
            meter = task.meter
            seen = None if meter is None else meter.peek()
            if seen is None:
                continue
            waits = seen.looks is None and seen.cpu_ns < seen.wall_ns / 2
            if waits or seen.wall_ns >= NEWCOMER_SECONDS * 1e9:
                self.move_on(task)

    def shutdown(self, *, wait: bool) -> None:
        with self._lock:
            self._closed = self.brief.closed = True
            self.brief.rouse_all()
            self._release_if_over()
            handles = [thread.handle for thread in self._threads]
        if wait:
            me = threading.current_thread()
            while handles:
                for handle in handles:
                    if handle is not None and handle is not me:
                        handle.join()
                with self._lock:  # threads may have been added for what was still waiting
                    handles = [t.handle for t in self._threads if t.handle is not me and t.handle is not None]

    def abort(self) -> None:
        """Nothing of a thread can be ended; what waits was cancelled by the dispatcher."""

    def _enter(self, task: Task | Seat) -> None:
        """Count a task into its lane."""
        self._lanes[task.lane].enter(task)
        if isinstance(task, Seat):
            self.brief.seats.add(task)
            self._newcomers.add(task)
        elif task.lane == "new":
            self._newcomers.add(task)

    def _exit(self, task: Task | Seat) -> None:
        """Count a task out of its lane."""
        self._lanes[task.lane].leave(task)
        self._newcomers.discard(task)

    def _running(self) -> int:
        """How many tasks run; without the lock, a hint."""
        return sum([lane.running for lane in self._lanes.values()]) - len(self._dozing)

    def _room(self) -> bool:
        """Whether another thread may work."""
        return len(self._threads) - len(self._idle) - self._aside < self.most

    def _start(self, task: Task | Seat, lane: LaneState) -> bool:
        """Give an admitted task to the thread that idles most recently, or to a new one.

        False if the system has no more threads: then the task waits for one of those there are.
        """
        began, before = time.perf_counter(), (lane.used, lane.running)
        idle = bool(self._idle)
        thread, going = self._idle[-1] if idle else _Thread(), False
        try:
            self._enter(task)
            thread.give(task)
            if idle:
                self._idle.pop()
                going = True
                thread.wake.release()
                return True
            thread.handle = threading.Thread(
                target=self._work, args=(thread,), name=f"adaptive-exec-thread-{next(_names)}", daemon=True
            )
            self._threads.add(thread)
            going = True
            thread.handle.start()
        except BaseException as error:
            if thread.take() is None and going:
                raise  # it has begun
            self._not_started(thread, task, idle=idle and not going)
            lane.used, lane.running = before  # it may have been half done
            if not isinstance(error, RuntimeError) or not self._threads:
                if not isinstance(task, Seat):
                    self.backlog = max(0.0, self.backlog - task.cost)
                raise
            if not isinstance(task, Seat):
                lane.queue.appendleft(task)
                self._queued += 1
                self.brief.rouse_all()
            return False
        took = min(time.perf_counter() - began, 10 * self.start_seconds)
        self.start_seconds += (took - self.start_seconds) / 8
        return True

    def _not_started(self, thread: _Thread, task: Task | Seat, *, idle: bool) -> None:
        """There can be no more threads, or a signal's handler has raised something: the task has been taken back."""
        self._newcomers.discard(task)
        if isinstance(task, Seat):
            self.brief.seats.discard(task)
        if idle:
            if thread not in self._idle:
                self._idle.append(thread)
            return
        self._threads.discard(thread)  # if it lives it finds nothing, and ends
        if thread.wake.locked():
            thread.wake.release()

    def _fill(self) -> None:
        """Start whatever is admissible."""
        while self._room():
            found = self._next()
            if found is None or not self._start(*found):
                return

    def _next(self) -> tuple[Task | Seat, LaneState] | None:
        """The next admissible task; waiting work first, since starting it costs least."""
        for lane in self._lanes.values():
            first = lane.first()
            if first is None or not lane.admits(first):
                continue
            if lane is not self._brief_lane:
                self._queued -= 1
            return lane.pop(), lane
        return None

    def _release_if_over(self) -> None:
        """Wake the idle threads to end, once nothing can come any more."""
        if self._closed and not self.queued:
            while self._idle:
                self._idle.pop().wake.release()  # it finds nothing

    def _work(self, thread: _Thread) -> None:
        """The life of a thread."""
        task = thread.take()
        while task is not None:
            if isinstance(task, Seat):
                self._go_through(task)
            else:
                self._run(task)
            task = self._after(thread)
            if task is None:  # else it would keep the last one while it rests
                task = self._rest(thread)

    def _leave(self, task: Task) -> None:
        """Count a task out before it is handed back: then others may change it, and its user see the figures."""
        with self._lock:
            self._exit(task)
            self.backlog = max(0.0, self.backlog - task.cost)

    def _after(self, thread: _Thread) -> Task | Seat | None:
        """Give a thread that has finished a task the next one, or put it among the idle."""
        with self._lock:
            self._finished += 1
            within_cap = len(self._threads) - len(self._idle) - self._aside <= self.most
            found = self._next() if within_cap else None
            if found is not None:
                self._enter(found[0])
                self._fill()
                return found[0]
            self._idle.append(thread)
            self._release_if_over()
            return None

    def _rest(self, thread: _Thread) -> Task | Seat | None:
        """Wait for a task; None if the thread is to end."""
        if not thread.wake.acquire(timeout=self._idle_seconds):
            if self._before_leaving is not None:
                self._before_leaving()
            with self._lock:
                if thread in self._idle:
                    self._idle.remove(thread)
                    self._threads.discard(thread)
                    return None
            # Somebody took this thread off the idle list to give it something: that comes now.
            thread.wake.acquire()
        task = thread.take()
        if task is None:
            with self._lock:
                self._threads.discard(thread)
        return task

    def _run(self, task: Task) -> None:
        """Run one task and hand it back."""
        if not task.begin():
            self._leave(task)
            task.hand_back(Outcome())
            return
        task.thread = threading.get_ident()
        blocking_in(partial(self._standing_aside, task))
        began = (self._running(), time.process_time_ns()) if task.measure else None
        try:
            outcome = run_here(task)
        except BaseException as error:  # a failure of ours must not cost the task its end
            outcome = Outcome(error=error)
        finally:
            blocking_in(None)
            task.thread = None
        if began is not None and began[0] == self._running():
            task.company = Company(began[0], time.process_time_ns() - began[1])
        self._leave(task)
        task.hand_back(outcome)
        del task, outcome  # as `without_this_frame` says

    def _go_through(self, seat: Seat) -> None:
        """Go through the brief calls."""
        blocking_in(lambda: self._standing_aside(seat))
        try:
            self.brief.go_through(seat)
        finally:
            blocking_in(None)
            with self._lock:
                self._exit(seat)
            self.brief.seats.discard(seat)
            self.brief.told()

    @contextmanager
    def _standing_aside(self, task: Task | Seat) -> Iterator[None]:
        """Free this thread's place while its task waits for another."""
        with self._lock:
            self._exit(task)
            self._aside += 1
            self._fill()
        try:
            yield
        finally:
            with self._lock:
                self._enter(task)
                self._aside -= 1
