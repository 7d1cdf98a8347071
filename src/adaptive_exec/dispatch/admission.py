"""Admission: how many calls may be under way, and who waits until there is room for another.

A thread that submits waits for room. Code that runs on an event loop must not: its future is there at once, and its
call comes in when its turn does. Both stand in one line, so nobody is passed over.

Calls that are submitted in the course of a call of the same executor never wait: that call may wait for them, and
with all the room taken by such calls none would ever end. Nor do those that a done callback submits, since whoever
calls it has to deliver the results that make room.

Guarantees:
    - At most `most` calls have a place, apart from those that never wait.
    - Whoever waits gets a place in the order of coming, or is told that there will be none.
    - A place that is given to somebody who has just given up goes on to the next.
Assumes: whoever has a place gives it back, once.
State table of who waits (all changes under the lock):
    waiting -> placed    it is the first, and somebody has given back a place
    waiting -> gone      it has given up, or `close` has sent it away
Races:
    - a thread that waits is interrupted as it is given a place: it gives it back:
      `tests/dispatch/test_admission.py::test_interrupted_as_it_is_placed`
    - a call that waits is cancelled as it is given a place: one of both takes it out of the line:
      `tests/dispatch/test_admission.py::test_cancelled_as_it_is_placed`
    - a thread comes to wait as `close` sends all away: both take the lock:
      `tests/dispatch/test_admission.py::test_coming_as_it_closes`
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import Final

from ..backends.base import Task
from ..futures import may_block, standing_aside

__all__ = ["Admission"]

_NAP: Final = 1.0
_inside: Final[ContextVar[frozenset[int]]] = ContextVar("adaptive_exec_inside", default=frozenset())
"""The executors, by the identity of their admission, in whose calls something is done."""


class _Waiter:
    """A thread that waits."""

    __slots__ = ("placed", "told")

    def __init__(self) -> None:
        self.placed = False
        self.told = threading.Lock()
        self.told.acquire()


class Admission:
    """The places for calls of one executor.

    Args:
        most: Calls that may be under way.
    """

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._free = most
        self._line: OrderedDict[_Waiter | Task, Callable[[], object]] = OrderedDict()  # and how each is told
        self._closed = False

    def never_waits(self) -> bool:
        """Whether what is submitted here and now comes in though there be no room."""
        return id(self) in _inside.get() or not may_block()

    def mark(self, context: Context) -> None:
        """What is done in this context, which is a call's own, is done in the course of that call."""
        context.run(_inside.set, context.run(_inside.get) | {id(self)})

    def wait(self) -> bool:
        """Wait for a place; False if there will be none.

        Raises:
            KeyboardInterrupt: Or whatever else the handler of a signal raises.
        """
        waiter = _Waiter()
        with self._lock:
            if self._closed:
                return False
            if self._free > 0 and not self._line:
                self._free -= 1
                return True
            self._line[waiter] = waiter.told.release
        try:
            with standing_aside():
                # The main thread looks now and then: a signal that comes as it falls asleep would have to wait.
                longest = _NAP if threading.current_thread() is threading.main_thread() else -1.0
                while not waiter.told.acquire(timeout=longest):
                    pass
        except BaseException:
            with self._lock:
                self._line.pop(waiter, None)
            if waiter.placed:
                self.leave()
            raise
        return waiter.placed

    def line_up(self, task: Task, come_in: Callable[[], object]) -> bool:
        """Give a call a place, now or when its turn comes.

        Args:
            task: The call; `withdraw` takes it back.
            come_in: Called once it has a place, if it has none now, by whoever has made room: it has to be quick.

        Returns:
            Whether it has one now.
        """
        with self._lock:
            if self._free > 0 and not self._line:
                self._free -= 1
                return True
            self._line[task] = come_in
            return False

    def withdraw(self, task: Task) -> bool:
        """Take a call out of the line; False if it has its place, or never waited."""
        with self._lock:
            return self._line.pop(task, None) is not None

    def leave(self) -> None:
        """Give back a place: it is the next one's."""
        with self._lock:
            if not self._line:
                self._free += 1
                return
            who, tell = self._line.popitem(last=False)
            if isinstance(who, _Waiter):
                who.placed = True
        tell()

    def close(self) -> None:
        """Send threads away; calls that wait were accepted, and still get their places."""
        with self._lock:
            self._closed = True
            away = [who for who in self._line if isinstance(who, _Waiter)]
            for who in away:
                del self._line[who]
        for who in away:
            who.told.release()

    def forget(self) -> None:
        """In a forked copy nobody waits, and somebody may have held the lock."""
        self._lock = threading.Lock()
        self._line.clear()
        self._closed = True
