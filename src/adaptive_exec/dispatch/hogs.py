"""Hogs: coroutines that hold their event loop, in one step, for so long that everybody else on it has to wait.

A hog is named once in the log, and always in `stats()`. On the library's loop its next calls go to a second loop of
the library's, with a thread of its own, so that it holds up nobody but its own kind; unless what it can reach may
belong to the loop on which it ran so far (`routing/rootless.py`). A loop of the user's is theirs: there it is
only named.

Guarantees:
    - Nobody is called a hog for what other threads compute (`profiling/steps.py`).
    - A coroutine that never gives its loop back is named while it runs, if it is measured.
    - However many calls of a function wait at once, few of them are measured, and there is one timer for all.
Assumes:
    - `note` is told of a function's measured calls; two threads that tell at once may lose one.
    - The methods of `deque` that take from it or put into it are atomic; those that go through it are not.
State table of a function (`FunctionRecord.hogging`, 0 to 4):
    0, 1 -> one more    a measured call has held its loop for `HOG_SECONDS`
    2 to 4              its calls run apart
    any  -> one less    a measured call has not
Races:
    - a call is measured as the last look at its function is over: who looks says first that nobody will, and counts
      then: `tests/dispatch/test_hogs.py::test_measured_as_the_last_look_is_over`
"""

from __future__ import annotations

import logging
import time
import weakref
from typing import Any, Final

from ..backends.accounts import all_of
from ..backends.base import Task
from ..model import Decision
from ..routing.facts import seconds
from ..routing.rootless import root_of
from ..routing.store import FunctionRecord
from .supervisor import Supervisor

__all__ = ["HOG_SECONDS", "MOVED_FROM", "Hogs"]

HOG_SECONDS: Final = 0.1
"""As asyncio's own `slow_callback_duration`, from which on its debug mode speaks up."""

STUCK_SECONDS: Final = 1.0
MOVED_FROM: Final = 2
ENOUGH: Final = 64
ONE_IN: Final = 4
"""Times `ENOUGH`: the part of calls that is measured while enough others are."""
_MOST: Final = 4
_LONGEST_PAUSE: Final = 60.0
_log = logging.getLogger("adaptive_exec")


class Hogs:
    """Finds out who hogs.

    Args:
        supervisor: Looks at steps that don't end.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def note(self, record: FunctionRecord, held_ns: int) -> None:
        """A measured call of a coroutine function has ended, and its longest step has held the loop for so long."""
        record.held_ns = max(record.held_ns, held_ns)
        if held_ns < HOG_SECONDS * 1e9:
            record.hogging = max(0, record.hogging - 1)
            return
        record.hogging = min(_MOST, record.hogging + 1)
        self._name(record, f"held its event loop for {seconds(held_ns / 1e9)} in one step")

    def moves(self, record: FunctionRecord, task: Task) -> bool:
        """Whether a call that would run on the library's loop has to run on the hogs' loop instead."""
        return record.hogging >= MOVED_FROM and root_of(task.fn, task.args, task.kwargs) is None

    def apart(self, record: FunctionRecord, decision: Decision) -> Decision:
        """The decision for a call that is moved."""
        why = f"its steps hold a loop for up to {seconds(record.held_ns / 1e9)}, so it runs on one of its own"
        return Decision("loop", why, decision.profile)

    def spares(self, record: FunctionRecord) -> bool:
        """Whether the next call need not be measured, nor as many after it: enough others are, and have not ended.

        Every so often it is all the same: those may be others, which never end.
        """
        if len(record.measured) < ENOUGH or _leave_out_ended(record):
            return False
        record.spared = (record.spared + 1) % ONE_IN
        if not record.spared:
            return False
        record.count_swift()
        record.estimator.rests(ENOUGH)
        return True

    def watch(self, task: Task, record: FunctionRecord) -> None:
        """See that a measured coroutine which never gives its loop back is named, though it never ends."""
        measured = record.measured
        if len(measured) >= ENOUGH and not _leave_out_ended(record):
            try:
                measured.popleft()  # it has been looked at for longest
            except IndexError:  # another thread was at it
                pass
        measured.append(weakref.ref(task))  # a call that has ended is not kept for a last look
        self._look_by(record, STUCK_SECONDS)

    def _look_by(self, record: FunctionRecord, pause: float) -> None:
        """See that somebody looks at a function's measured calls after so many seconds at most."""
        when = time.monotonic() + pause
        pending = record.look
        if pending is None or pending.when > when:
            if pending is not None:
                pending.give_up()
            record.look = self._supervisor.at(when, lambda: self._look(record, pause))

    def _look(self, record: FunctionRecord, pause: float) -> None:
        """Look for measured calls that don't give their loop back."""
        pending = record.look
        last = pending is None or pending.when <= time.monotonic()
        if last:
            record.look = None
        _leave_out_ended(record)
        for ref in all_of(record.measured):
            task = ref()
            meter: Any = None if task is None else task.meter
            stuck_ns = 0 if meter is None else meter.step_wall_ns()
            if stuck_ns >= STUCK_SECONDS * 1e9:
                record.held_ns = max(record.held_ns, stuck_ns)
                self._name(record, f"has been holding its event loop for {seconds(stuck_ns / 1e9)}")
        if last and record.measured:
            self._look_by(record, min(2 * pause, _LONGEST_PAUSE))

    def _name(self, record: FunctionRecord, what: str) -> None:
        """Say it once."""
        if record.named:
            return
        record.named = True
        _log.warning(
            "adaptive_exec: %s %s, and nothing else ran there meanwhile; "
            "submit what computes or blocks in it as a plain function and await that",
            record.name,
            what,
        )


def _leave_out_ended(record: FunctionRecord) -> bool:
    """Forget those measured calls that have ended; whether there were some."""
    measured, ended = record.measured, False
    for _ in range(len(measured)):
        try:
            ref = measured.popleft()
        except IndexError:  # another thread is at it
            break
        task = ref()
        if task is None or task.future.done():
            ended = True
        else:
            measured.append(ref)
    return ended
