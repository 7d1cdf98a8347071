"""The brief lane: calls that are over sooner than another thread would be awake.

They are put into one queue, and a thread that has a seat in the lane goes through it. What a call costs here is most
of what it costs at all, so nothing on its way takes a lock but its own future's: the queue is the only account of
what waits, and the seats, with those who help, of what is under way.

Who waits for a call that is next may run it instead of waiting for the thread, where nobody can tell: the function
does nothing but compute, and what it is given is plain. To hand it over and back would take twenty times as long.

Guarantees:
    - Each call put here is run once, or dropped if it was cancelled; one that is not `swift` is handed back.
    - `under_way` leaves out no call that has been put here and has not ended, once `closed` is set.
    - An exception that did not come from the call, as one that a signal's handler raises, is not taken for the call's:
      who helped gets it, wherever it was just then, and a thread runs the call, again perhaps, which nobody can tell.
Assumes:
    - The methods of `deque` and `set` used here are atomic, and what a thread does before one of them is seen by who
      comes after it at the same object, as with a lock. So it is with a GIL, and with the per-object locks without one.
    - Who puts a call looks afterwards whether a seat is taken, and takes one if none is; who leaves a seat looks
      afterwards whether there are calls.
State table of a call:
    queued -> seated    a seat's thread takes it off the queue
    queued -> helped    who waits for it takes it off the queue
    helped -> queued    what came out of it may not be its own, or whoever helped was interrupted
Races:
    - a call is put as the last seat is left: by the two looks assumed above one of the two sees it:
      `tests/backends/test_brief.py::test_a_brief_call_comes_as_the_last_one_ends`
    - a seat's thread and who waits want the same call: who takes it off the queue has it:
      `tests/backends/test_brief_help.py::test_a_thread_comes_before_who_would_help`
    - a signal's handler raises at any step of who helps: what it has in hand is given back, or a thread has it:
      `tests/backends/test_brief_help.py::test_interrupted_at_any_step`
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from ..futures import Future
from ..model import Options
from .accounts import all_of, take_back
from .base import Lane, Outcome, SwiftTask, Task
from .here import run_here, without_this_frame
from .patience import Patience, wait_a_moment

__all__ = ["BriefCalls", "BriefTask", "Seat"]

_FOR_EVER: Final = float("inf")
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
        if self.looked_at is not self.task:
            self.looked_at, self.since = self.task, now
        return now - self.since >= limit


class BriefCalls:
    """The queue of brief calls, and who is at them.

    Args:
        cores: With one only, nobody polls.
        more: Sees that a seat is taken if one may be.

    Attributes:
        queue: The calls that wait.
        seats: Those of the threads that go through them.
        attend: What who waits for a call may do meanwhile.
        finished: How many calls have been gone through; a hint.
        told: Called when a seat has been left, or help has ended once `closed` is set.
        closed: Nothing more will come.
    """

    def __init__(self, cores: int, more: Callable[[], object]) -> None:
        self.queue: deque[Task] = deque()
        self.seats: set[Seat] = set()
        self.finished = 0
        self.told: Callable[[], object] = int
        self.closed = False
        self._more = more
        self._helped: set[Task] = set()
        self._several = cores > 1
        self._patience = Patience(enabled=self._several)
        self.attend = wait_a_moment if self._several else None

    def under_way(self) -> list[Task]:
        """The calls that wait or run; what a seat had before may stand for what it is about to take."""
        # In this order: a call goes from the queue to a seat or to who helps, and may come back from there.
        helped = self._helped.copy()
        found = [*all_of(self.queue, self), *self._helped.copy()]
        found += [seat.task for seat in self.seats.copy()]
        found += [task for task in helped if task not in found]
        # Who helped may have been interrupted as it counted out what had ended.
        return [task for task in found if task not in self._helped or not task.future.done()]

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
                found = self._patience.poll(take, IndexError)
                if found is None:
                    return
                task = found
            seat.task = task
            task.thread = me
            if task.begin():
                failed = self._run(task)
                if failed is not None:
                    task.hand_back(failed)
            else:
                _drop(task)
            task.thread = None
            self.finished += 1

    def help(self, future: Future[Any]) -> bool:
        """Run a call on the thread that waits for it, if that is the next; else poll for a moment for its end.

        Returns:
            Whether it has ended.
        """
        task = future.call
        queue, helped = self.queue, self._helped
        try:
            # To find it among many may take longer than to wait for it. And who else is to be told is told by a thread,
            # which no signal interrupts.
            if task is None or queue[0] is not task or future.calls_back():
                return self._poll(future)
        except IndexError:
            return self._poll(future)
        if (task.args or task.kwargs) and not _are_plain(task):
            return self._poll(future)
        failed = None
        try:
            helped.add(task)
            try:
                queue.remove(task)
            except ValueError:
                return self._poll(future)
            if task.begin():
                self._patience.rest()
                self.finished += 1
                failed = self._run(task)
                if failed is not None:
                    self._give_back(task)
            else:
                _drop(task)
        except BaseException:  # a signal's handler has raised something here, wherever that was
            self._give_back(task)
            raise
        finally:
            helped.discard(task)
            if self.closed:
                self.told()
        if failed is not None:
            _raise_if_strange(future, failed.error)
        return True

    def _give_back(self, task: Task) -> None:
        """Who helps with a call can't end it: a thread does, unless one is at it."""
        future = task.future
        future.helper = None
        if any(seat.task is task for seat in self.seats.copy()):
            return
        # One that has been taken but not yet begun may be queued twice by this: then it is begun once.
        if future.rest() and task not in self.queue:
            self.queue.appendleft(task)
        self._more()

    def _run(self, task: Task) -> Outcome | None:
        """Run a call that has begun and end it; how it went, if it has failed and so has not been ended."""
        future = task.future
        future.helper = None
        glances = task.glances
        if task.swift and glances is not None and glances.left > 0:
            began = time.perf_counter_ns()
            try:
                value = task.context.run(task.fn, *task.args, **task.kwargs)
            except BaseException as error:
                return Outcome(error=without_this_frame(error))
            wall = time.perf_counter_ns() - began
            limits = glances.limits
            if limits.least_cpu <= wall <= limits.most_slack:
                glances.seen += 1
            else:
                glances.doubt()
            if future.try_silently(value):
                task.let_go()
                return None
            outcome = Outcome(value=value)
            if future.calls_back():
                self._patience.rest()  # it would keep who is told from going on
        else:
            outcome = _outcome(task)
            if outcome.error is not None:
                return outcome
        task.hand_back(outcome)
        return None

    def _poll(self, future: Future[Any]) -> bool:
        """Look for a moment whether a call has ended."""
        if self._several:
            wait_a_moment(future, _FOR_EVER)
        return future.done()


def _are_plain(task: Task) -> bool:
    """Whether nothing that a call is given has methods of anybody's; not if it has ended meanwhile."""
    args, kwargs = task.args, task.kwargs
    if args is None or kwargs is None or not _PLAIN.issuperset(map(type, args)):
        return False
    return not kwargs or _PLAIN.issuperset(map(type, kwargs.values()))


def _drop(task: Task) -> None:
    """A call was cancelled or otherwise ended before it began, or has been queued twice."""
    if not task.future.done():
        return  # who is at it hands it back
    if task.swift:
        task.let_go()
    else:
        task.hand_back(Outcome())


def _outcome(task: Task) -> Outcome:
    """Run a call that has begun."""
    try:
        return run_here(task)
    except BaseException as error:  # a failure of ours must not cost the task its end
        return Outcome(error=error)


def _raise_if_strange(future: Future[Any], error: BaseException | None) -> None:
    """Raise what was raised as a call was helped, unless it was the call's own: that its future tells."""
    if error is None or isinstance(error, _FOR_WANT_OF_ROOM):
        return  # the stack of who waits is deep; a thread's own may do
    if not isinstance(error, Exception) or type(future.exception()) is not type(error):
        raise error
