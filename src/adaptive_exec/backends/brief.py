"""The brief lane: calls that are over sooner than another thread would be awake.

They are put into one queue, and a thread that has a seat in the lane goes through it. What a call costs here is most
of what it costs at all, so nothing on its way takes a lock but its own future's: the queue is the only account of
what waits, and the seats, with those who help, of what is under way.

A thread that finds nothing more sleeps in its seat for a while, as the next call often comes soon: to leave a seat and
to take it again is more than most of these calls take, and what it did after it had told a loop of an end would keep
that from going on. (From an idle loop an `await` of a call takes a third of what it took.)

Who waits for a call that is next may run it instead of waiting for the thread, where nobody can tell: the function
does nothing but compute, and what it is given is plain. To hand it over and back would take twenty times as long.

Guarantees:
    - Each call put here is run once, or dropped if it was cancelled; one that is not `swift` is handed back.
    - `under_way` leaves out no call that has been put here and has not ended, once `closed` is set.
    - An exception that did not come from the call, as one that a signal's handler raises, is not taken for the call's:
      who helped gets it, wherever it was just then, and a thread runs the call, again perhaps, which nobody can tell.
    - No thread sleeps in its seat while a call waits for a thread, in whichever lane, or once `closed` is set.
Assumes:
    - The methods of `deque` and `set` used here are atomic, and what a thread does before one of them is seen by who
      comes after it at the same object, as with a lock. So it is with a GIL, and with the per-object locks without one.
    - Who puts a call looks afterwards whether a seat is taken, and takes one if none is; who leaves a seat looks
      afterwards whether there are calls.
    - Who falls asleep in a seat hangs up an alarm first and looks then whether there is anything to do; who has put
      something looks for alarms afterwards, takes one down and rings it. One that was taken down and not rung, as a
      signal's handler has raised something there, costs what is left of `DOZE_SECONDS`.
State table of a seat's thread:
    working -> dozing   it finds no call; its alarm hangs
    dozing  -> working  its alarm has been taken down, by who rang it
    dozing  -> left     its time ran out, it closes, or others wait for a thread
State table of a call:
    queued -> seated    a seat's thread takes it off the queue
    queued -> helped    who waits for it takes it off the queue
    helped -> queued    what came out of it may not be its own, or whoever helped was interrupted
Races:
    - a call is put as the last seat is left: by the two looks assumed above one of the two sees it:
      `tests/backends/test_brief.py::test_a_brief_call_comes_as_the_last_one_ends`
    - a call is put, another one waits for a thread, or it closes, as one falls asleep in a seat: by the looks assumed
      above it is awake: `tests/backends/test_brief.py::test_something_comes_as_one_falls_asleep`
    - a seat's time runs out as its alarm is taken down: who put a call did so before, and who leaves a seat looks:
      `tests/backends/test_brief.py::test_a_call_comes_as_the_time_of_a_seat_runs_out`
    - a seat's thread and who waits want the same call: who takes it off the queue has it:
      `tests/backends/test_brief_help.py::test_a_thread_comes_before_who_would_help`
    - two wait for a call that either may run: each has a hand of its own, and counts out only that:
      `tests/test_shutdown.py::test_two_wait_for_a_call_that_either_may_run`
    - a signal's handler raises at any step of who helps: what it has in hand is given back, or a thread has it:
      `tests/backends/test_brief_help.py::test_interrupted_at_any_step`
"""

from __future__ import annotations

import _thread
import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError
from types import FunctionType
from typing import Any, Final

from ..futures import FINISHED, PENDING, RUNNING, Future
from ..model import Options
from ..platform.alarm import Alarm, make_alarm
from ..profiling.glances import Glances
from .accounts import all_of, take_back
from .base import Lane, Outcome, SwiftTask, Task
from .here import run_here, without_this_frame
from .patience import Patience, wait_a_moment

__all__ = ["BriefCalls", "BriefTask", "Seat"]

DOZE_SECONDS = 0.01
_FOR_EVER: Final = float("inf")
_now: Final = time.perf_counter_ns
_PLAIN: Final = frozenset({int, float, complex, bool, str, bytes, type(None)})
_FOR_WANT_OF_ROOM: Final = (RecursionError, MemoryError)


def _nothing_yet() -> Task:
    """What stands for the call of a seat that has had none."""
    future: Future[None] = Future()
    future.try_silently(None)
    return Task(int, (), {}, Options(), int, "nothing", future, contextvars.Context(), Task.hand_back)


_NOTHING_YET: Final = _nothing_yet()


class BriefTask(SwiftTask):
    """A call of a function that is known to be brief."""

    __slots__ = ("attend", "glances", "thread")
    lane = "brief"
    glances: Glances

    def go(self) -> Outcome | None:
        """Run the call, unless it has been cancelled, and end it.

        All in one, as most of what such a call takes is to be begun and ended.

        Returns:
            How it went, if it has not been ended: it has failed, is to be learned from, or somebody is to be told.
        """
        lock = self._lock
        try:
            # `with` would take twice as long, and this is most of what there is to do.
            lock.acquire()
            begun = self._state is PENDING
            if begun:
                self._state = RUNNING
            lock.release()
            if not begun:
                return _dropped(self)
            self.helper = None
            glances = self.glances
            if glances.left <= 0:
                try:
                    return _outcome(self)
                finally:
                    self = None  # type: ignore[assignment]  # noqa: PLW0642  as `without_this_frame` says
            began = _now()
            try:
                if self.kwargs:
                    value = self.context.run(self.fn, *self.args, **self.kwargs)
                else:
                    value = self.context.run(self.fn, *self.args)
            except BaseException as error:
                self = None  # type: ignore[assignment]  # noqa: PLW0642  as it says
                return Outcome(error=without_this_frame(error))
            now = _now()
            limits = glances.limits
            if limits.least_cpu <= now - began <= limits.most_slack:
                glances.seen += 1
            else:
                glances.doubt()
            lock.acquire()
            silent = self._audience is None and self._state is RUNNING
            if silent:
                self._result = value
                self._state = FINISHED
            lock.release()
        except BaseException:  # a signal's handler has raised something
            if lock._is_owned():
                lock.release()
            raise
        if not silent:
            return Outcome(value)
        self.let_go()
        return None


class Hand:
    """What somebody who helps has in hand, or is about to take, as somebody else may be, too."""

    __slots__ = ("task",)

    def __init__(self, task: Task) -> None:
        self.task = task


class Seat:
    """What a thread that goes through brief calls takes up in its lane, whichever call it is at."""

    __slots__ = ("lane", "looked_at", "since", "task", "weight")

    def __init__(self) -> None:
        self.lane: Lane = "brief"
        self.weight = 1.0
        self.task = _NOTHING_YET
        self.looked_at: Task | None = None
        self.since = 0.0

    def is_slow(self, now: float, limit: float) -> bool:
        """Whether its thread has been at the same call for so many seconds; to be asked now and then."""
        task = self.task
        if task is _NOTHING_YET:
            self.looked_at = None  # it would be kept
            return False
        if self.looked_at is not task:
            self.looked_at, self.since = task, now
        return now - self.since >= limit


class BriefCalls:
    """The queue of brief calls, and who is at them.

    Args:
        cores: With one only, nobody polls.
        more: Sees that a seat is taken if one may be.
        others: Whether calls of other lanes wait for a thread; a hint.

    Attributes:
        queue: The calls that wait.
        seats: Those of the threads that go through them.
        attend: What who waits for a call may do meanwhile.
        dozing: What the threads that sleep in their seats are woken by; each is rung by who takes it down.
        finished: How many calls have been gone through; a hint.
        told: Called when a seat has been left, or help has ended once `closed` is set.
        closed: Nothing more will come.
    """

    def __init__(self, cores: int, more: Callable[[], object], others: Callable[[], object]) -> None:
        self.queue: deque[Task] = deque()
        self.seats: set[Seat] = set()
        self.dozing: deque[Alarm] = deque()
        self._alarms: list[Alarm] = []  # of those that are awake
        self.finished = 0
        self.told: Callable[[], object] = int
        self.closed = False
        self._more = more
        self._others = others
        self._hands: set[Hand] = set()
        self._several = cores > 1
        self._patience = Patience(enabled=self._several)
        self.attend = wait_a_moment if self._several else None

    def under_way(self) -> list[Task]:
        """The calls that wait or run; what a seat had before may stand for what it is about to take."""
        # In this order: a call goes from the queue to a seat or to who helps, and may come back from there.
        helped = [hand.task for hand in self._hands.copy()]
        found = all_of(self.queue, self)
        helped += [hand.task for hand in self._hands.copy()]
        found += [seat.task for seat in self.seats.copy()]
        # Who helped may have been interrupted as it put down what had ended.
        return found + [task for task in helped if task not in found and not task.future.done()]

    def take_back(self, task: Task) -> bool:
        """Take a call off the queue; False if somebody has it."""
        return take_back(self.queue, task)

    def go_through(self, seat: Seat) -> None:
        """Run the calls that wait, one after the other, until there are no more or the seat has moved on."""
        me = threading.get_ident()
        take = self.queue.popleft
        while seat.lane == "brief":
            try:
                task = take()
            except IndexError:
                task = _NOTHING_YET  # the last one would be kept
                found = self._patience.poll(take, IndexError)
                if found is None:
                    if self._doze(seat):
                        continue
                    return
                task = found
            seat.task = task
            task.thread = me
            outcome = task.go() if type(task) is BriefTask else _run(task)
            if outcome is not None:
                self._hand_back(task, outcome)
            task.thread = None
            self.finished += 1
            if outcome is not None:
                seat.task = _NOTHING_YET
                del task, outcome  # as `without_this_frame` says

    def _doze(self, seat: Seat) -> bool:
        """Sleep in the seat for a while; whether a call may have come, else the seat is to be left."""
        seat.task = _NOTHING_YET  # it would be kept, and seem to take long
        try:
            alarm = self._alarms.pop()
        except IndexError:
            alarm = make_alarm()
        dozing = self.dozing
        dozing.append(alarm)
        rung = not (self.queue or self.closed or self._others()) and alarm.sleep(DOZE_SECONDS)
        if alarm in dozing:  # a ring may have been an old one
            take_back(dozing, alarm)
        self._alarms.append(alarm)
        return rung or bool(self.queue)

    def rouse(self) -> bool:
        """Wake the thread that has been asleep in its seat for the shortest time; False if none is."""
        try:
            self.dozing.pop().ring()
        except IndexError:
            return False
        return True

    def rouse_all(self) -> None:
        """Wake all that are asleep in their seats, as there is something else to do."""
        while self.rouse():
            pass

    def help(self, future: Future[Any]) -> bool:
        """Run a call on the thread that waits for it, if that is the next; else poll for a moment for its end.

        Args:
            future: A `BriefTask`.

        Returns:
            Whether it has ended.
        """
        task: Any = future
        queue: deque[Any] = self.queue
        try:
            # To find it among many may take longer than to wait for it.
            if queue[0] is not task or not _is_alike_on_any_thread(task):
                return self._poll(future)
        except IndexError:
            return self._poll(future)
        outcome, hand = None, Hand(task)
        try:
            self._hands.add(hand)
            try:
                queue.remove(task)
            except ValueError:  # a thread has it
                return self._poll(future)
            self._patience.rest()
            self.finished += 1
            outcome = task.go()
            if outcome is not None:
                self._give_back(task)
        except BaseException:  # a signal's handler has raised something here, wherever that was
            self._give_back(task)
            raise
        finally:
            self._hands.discard(hand)
            if self.closed:
                self.told()
        if outcome is not None:
            _raise_if_strange(future, outcome.error)
        return future.done() or self._poll(future)

    def _give_back(self, task: BriefTask) -> None:
        """Who helps with a call can't end it: a thread does, unless one is at it.

        The stack may be full: nothing of Python's is called here until the call is safe.
        """
        task.helper = None
        for seat in self.seats.copy():
            if seat.task is task:
                return
        with task._lock:
            if task._state is RUNNING:
                task._state = PENDING
            # One that has been taken but not yet begun may be queued twice by this: then it is begun once.
            if task._state is PENDING and task not in self.queue:
                self.queue.appendleft(task)
        try:
            self._more()
        except RecursionError:
            _thread.start_new_thread(self._more, ())

    def _hand_back(self, task: Task, outcome: Outcome) -> None:
        """A call has ended, and more is to be done than that."""
        if task.future.calls_back():
            self._patience.rest()  # it would keep who is told from going on
        task.hand_back(outcome)

    def _poll(self, future: Future[Any]) -> bool:
        """Look for a moment whether a call has ended."""
        if self._several:
            wait_a_moment(future, _FOR_EVER)
        return future.done()


def _is_alike_on_any_thread(task: BriefTask) -> bool:
    """Whether nobody can tell who runs a call, of whose code that is known; not if it has ended meanwhile.

    It needs not be measured, what it is given has no methods of anybody's, nothing has been put in the place of what it
    calls, and nobody else is to be told of its end, which a signal might interrupt.
    """
    fn, args, kwargs = task.fn, task.args, task.kwargs
    if type(fn) is not FunctionType or args is None or kwargs is None:
        return False
    if task.glances.left <= 0 or task._audience is not None:
        return False
    if fn.__defaults__ is not None or fn.__kwdefaults__ is not None:
        return False
    if not fn.__globals__.keys().isdisjoint(task.owner.names):
        return False
    if not _PLAIN.issuperset(map(type, args)):
        return False
    return not kwargs or _PLAIN.issuperset(map(type, kwargs.values()))


def _run(task: Task) -> Outcome | None:
    """Run a call that is counted elsewhere too; how it went, None if it is not to be handed back."""
    if not task.begin():
        return _dropped(task)
    task.future.helper = None
    try:
        return _outcome(task)
    finally:
        del task  # as `without_this_frame` says


def _dropped(task: Task) -> Outcome | None:
    """A call was cancelled or otherwise ended before it began, or has been queued twice: whether to hand it back."""
    if not task.future.done():
        return None  # who is at it hands it back
    if task.swift:
        task.let_go()
        return None
    return Outcome()


def _outcome(task: Task) -> Outcome:
    """Run a call that has begun."""
    try:
        return run_here(task)
    except BaseException as error:  # a failure of ours must not cost the task its end
        return Outcome(error=error)
    finally:
        del task  # as `without_this_frame` says


def _raise_if_strange(future: Future[Any], error: BaseException | None) -> None:
    """Raise what was raised as a call was helped, unless it was the call's own: that its future tells."""
    if error is None or isinstance(error, _FOR_WANT_OF_ROOM):
        return  # the stack of who waits is deep; a thread's own may do
    if isinstance(error, Exception):
        try:
            own = future.exception()
        except CancelledError:  # it can't be told any more, and is most likely its own
            return
        if type(own) is type(error):
            return
    raise error
