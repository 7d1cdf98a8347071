"""Attending: whoever waits for a result of the pool's reads answers itself, instead of being woken by the manager.

Waking a thread takes longer than everything else in the round trip of a short call. So a thread that waits
takes the channels over from the manager, polls them for a moment and then sleeps on them.

Guarantees:
    - One thread attends at a time; others wait as they would for any future.
    - When the attendant leaves, the manager sees what was left unread.
    - Ctrl-C, and any other signal whose handler may raise, is held back in the attending thread until nothing
      is half done (`platform/interrupts.py`).
    - It runs no handler of logging and waits for none: what a worker logs is the manager's affair, and so are
      the answers after it, so the attendant leaves when it has read some.
    - After `ATTEND_SECONDS` without an answer the attendant leaves.
Assumes:
    - `Crew.read` may be called by any thread.
Races:
    - Ctrl-C while it attends: `tests/backends/test_processes.py::test_interrupted_while_attending`
    - the pool ends meanwhile: the manager closes what is attended only under `lock`:
      `tests/backends/test_processes.py::test_submit_against_shutdown`
"""

from __future__ import annotations

import threading
import time
from typing import Any, Final

from ...futures import callbacks_by
from ...platform import interrupts
from ...platform.pause import yield_core
from ...platform.readiness import Readiness
from .crew import Answer, Crew, hand_back
from .remote_worker import RemoteWorker

__all__ = ["Attendance"]

ATTEND_SECONDS: Final = 0.01
SPIN_SECONDS: Final = 100e-6
BRIEF_SPIN_SECONDS: Final = 500e-6
"""For a call that is known to be brief: if its worker sleeps, its waking up takes most of this."""


class Attendance:
    """Lets threads that wait do the reading.

    Args:
        crew: Whose answers are read.
        cores: Cores that may be used: whoever waits polls for a moment before sleeping if the workers leave one.

    Attributes:
        lock: Held by the thread that attends.
    """

    def __init__(self, crew: Crew, *, cores: int) -> None:
        self._crew = crew
        self._cores = cores
        self.lock = threading.Lock()

    def attend(self, future: Any, seconds: float) -> None:
        """Read answers in the manager's place, until `future` has ended or nothing has come for a while.

        Args:
            future: What the calling thread waits for.
            seconds: How long it would wait at most; with 0 it looks once.
        """
        self._take_over(future, seconds, SPIN_SECONDS)

    def attend_briefly(self, future: Any, seconds: float) -> None:
        """The same for a call that is known to be brief, so that it is worth while to poll for longer."""
        self._take_over(future, seconds, BRIEF_SPIN_SECONDS)

    def _take_over(self, future: Any, seconds: float, spin: float) -> None:
        """Attend, polling for `spin` seconds after the last answer, if nobody else does."""
        crew = self._crew
        readiness = crew.readiness
        if readiness is None:
            return
        if len(crew.workers) - len(crew.idle) >= self._cores:
            spin = 0.0
        held = interrupts.hold()
        if held is None:
            return
        kept: list[Answer] = []
        try:
            if not self.lock.acquire(blocking=False):
                return
            try:
                callbacks_by(crew.deliver)
                if readiness.lent is not None:
                    if self._await_lent(readiness, future, seconds, spin, held, kept):
                        return
                    spin = 0.0
                if readiness.attend():
                    try:
                        self._attend(readiness, future, seconds, spin, held, kept)
                    finally:
                        readiness.leave()
            except (OSError, ValueError):
                pass  # the pool has ended meanwhile
            finally:
                callbacks_by(None)
                self.lock.release()
        finally:
            try:
                held.release()
            finally:
                # Reading it may run somebody's code, which may wait for others: only now, with empty hands.
                for task, message in kept:
                    hand_back(task, message)

    def _await_lent(
        self,
        readiness: Readiness[RemoteWorker],
        future: Any,
        seconds: float,
        spin: float,
        held: interrupts.Held,
        kept: list[Answer],
    ) -> bool:
        """Poll the one worker that is let; False if that has taken too long, and all are watched again."""
        now = time.perf_counter()
        end = now + min(seconds, spin)
        while not kept and not held.came and not future.done():
            worker = readiness.lent
            if worker is None:
                return False  # it rang
            if worker.channel.arrived():
                self._crew.read(worker, future, kept)
                if worker.untold:
                    return True  # what was logged goes first, and that is the manager's
            elif now >= end:
                if seconds <= spin:
                    return True
                with self._crew.lock:
                    self._crew.watch_all()
                return False
            else:
                yield_core()
            now = time.perf_counter()
        return True

    def _attend(
        self,
        readiness: Readiness[RemoteWorker],
        future: Any,
        seconds: float,
        spin: float,
        held: interrupts.Held,
        kept: list[Answer],
    ) -> None:
        """Poll for a moment, then sleep for a while, as long as answers come."""
        begun = now = time.perf_counter()
        spin_until = now + spin
        quiet_at = now + ATTEND_SECONDS
        end = now + seconds
        while not kept and not held.came and not future.done():
            timeout = 0.0 if now < spin_until else max(0.0, min(quiet_at, end) - now)
            found = readiness.readable(timeout)
            now = time.perf_counter()
            if found:
                told = True
                for worker in found:
                    self._crew.read(worker, future, kept)
                    told = told and not worker.untold
                if not told:
                    return  # what was logged goes first, and that is the manager's
                quiet_at = now + ATTEND_SECONDS
                spin_until = now + spin
            elif now >= quiet_at:
                return
            elif timeout == 0.0:
                yield_core()
            if now >= end and now > begun:
                return
