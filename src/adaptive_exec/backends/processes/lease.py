"""The lease: while a call is the only one there is, its worker is left to whoever waits, and the manager sleeps.

A short call's answer often comes before its submitter waits for it. The manager, woken by it, finds that the submitter
has read it meanwhile; but it has run on the worker's core by then, and has wanted the GIL that the submitter needs. So
once a few submitters have waited for such calls straight away, the manager no longer watches the one worker that
executes, and the worker, instead of that, rings for the manager if nobody has read its answer after a moment.

Guarantees:
    - A worker that the manager doesn't watch has been told so with its call (`Kind.ALONE`), and rings for all that
      it sends but that call's answer; for the answer, too, if nobody has read it soon.
    - A lease ends after `MOST_SECONDS`, whatever becomes of the worker: one that is stopped, or whose GIL a thread of
      the call's holds, may never ring, and its answer is read all the same.
    - At most one worker is let, and only while no other has anything to do: whoever gives out a second call ends
      the lease before.
Assumes:
    - `settle`, `end`, `waited` and `rang` are called under the pool's lock.
    - A worker reads its calls in the order in which they were sent.
State table of a worker, as the manager sees it:
    watched -> let      a call is given to it, no other worker is busy, and the last calls were waited for at once
    let     -> watched  another call is given out; or who waits has polled in vain and is going to sleep; or it rang;
                        or the manager's time is up
Races:
    - it rings while it is let anew: the manager watches it then, though nobody would have to, until the next call;
      both change it under one lock: `tests/platform/test_readiness.py::test_lending_against_taking_back`
    - a second call is given out while the first is written: the first may say `ALONE` though the manager watches
      again, which then hears of it twice: `tests/backends/test_lease.py::test_a_second_call_ends_the_lease`
    - the worker never rings: `tests/backends/test_lease.py::test_it_never_rings`
    - a thread of the worker sends before the worker has read that it is let: it looks at what lies unread as soon
      as it has read that: `tests/backends/test_outlet.py::test_what_was_said_before_it_became_quiet`
"""

from __future__ import annotations

from typing import Final

from ...platform.readiness import Readiness
from .remote_worker import RemoteWorker

__all__ = ["MOST_SECONDS", "Lease"]

MOST_SECONDS: Final = 0.5
TRUSTED: Final = 3
DISAPPOINTED: Final = -8


class Lease:
    """Who is let, and whether that is worth while.

    Args:
        enabled: Whether there are cores enough to poll.

    Attributes:
        worker: The one that is let; None if all are watched.
    """

    def __init__(self, *, enabled: bool) -> None:
        self.worker: RemoteWorker | None = None
        self._enabled = enabled
        self._waited = 0

    def settle(self, readiness: Readiness[RemoteWorker], worker: RemoteWorker, *, alone: bool) -> bool:
        """A worker is about to be given a call: let it if that call is `alone`, and else see that all are watched.

        Returns:
            Whether a lease has begun, of which the manager has to know.
        """
        if alone and self._waited >= TRUSTED and worker.rings:
            if self.worker is worker and readiness.lent is worker:
                return False
            self.end(readiness)
            worker.let = True  # first: what it is told and needn't have been does no harm
            self.worker = worker
            readiness.lend(worker)
            return True
        if self.worker is not None:
            self.end(readiness)
        return False

    def end(self, readiness: Readiness[RemoteWorker]) -> None:
        """Have all workers watched again."""
        readiness.take_back()
        if self.worker is not None:
            self.worker.let = False
            self.worker = None

    def waited(self) -> None:
        """A submitter has read the answer to its call itself."""
        if self._enabled and self._waited < TRUSTED:
            self._waited += 1

    def rang(self) -> None:
        """The manager had to read an answer."""
        self._waited = DISAPPOINTED if self.worker is not None else min(self._waited, 0)
