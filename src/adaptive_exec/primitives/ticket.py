"""One wait, and the thread that waits in it.

Guarantees:
    - `finish` succeeds exactly once; whoever called it knows by its answer whether he won. Granting,
      failing and cancelling all go through it, so there is no wait that was both granted and cancelled.
    - After `finish` has answered, to either side, `outcome` is there to be read.
    - `wait` leaves no wait behind: whatever ends it (an outcome, its time limit, an exception that a
      signal handler raised), the ticket is out of the queue, and a grant nobody uses has been handed on.
Assumes:
    - `threading.Lock`: acquiring excludes others, and releasing makes what was written before visible to
      the next who acquires. A lock may be released by another thread than acquired it.
State (all moves under the ticket's own mutex):
    | state             | finish(x)     | spend          | wake                 |
    | open              | -> done, True | False          | -                    |
    | done by a grant   | False         | -> spent, True | rouses the waiter    |
    | done otherwise    | False         | False          | rouses the waiter    |
    | spent             | False         | False          | no effect            |
    Spending is using the grant or handing it on: the waiter, whoever finds it gone, and whoever gives up for
    it may all try, and one does.
Races:
    1. A grant meets a cancellation -> test_tickets.py::test_grant_meets_cancel
    2. A time limit runs out while the grant is made, before the wake -> test_tickets.py::test_timeout_meets_grant
    3. An exception arrives in a parked thread whose grant is made -> test_tickets.py::test_interrupt_meets_grant
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar, final

from .. import parent

__all__ = [
    "CANCELLED",
    "GRACE",
    "GRANTED",
    "TIMED_OUT",
    "Outcome",
    "ThreadTicket",
    "Ticket",
    "Waitable",
    "wait",
]

T = TypeVar("T")

GRACE: Final = 5.0
"""Seconds that a wait whose time is up waits for a remote home to say how it ended."""


@final
class Outcome:
    """How a wait ended: granted with a value, or failed with an error."""

    __slots__ = ("error", "value")

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value = value
        self.error = error


GRANTED: Final = Outcome()
CANCELLED: Final = Outcome()


@final
class _TimedOut:
    """The type of `TIMED_OUT`."""

    __slots__ = ()


TIMED_OUT: Final = _TimedOut()


class Ticket:
    """One wait: it can be finished once, by a grant, by a failure or by giving up.

    Attributes:
        tag: What the primitive notes about this wait. Belongs to the primitive.
    """

    __slots__ = ("__weakref__", "_mutex", "_outcome", "_spent", "tag")

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._outcome: Outcome | None = None
        self._spent = False
        self.tag: Any = None

    def finish(self, outcome: Outcome) -> bool:
        """Settle how the wait ended; True if this call did, False if it had been settled before."""
        with self._mutex:
            if self._outcome is not None:
                return False
            self._outcome = outcome
            return True

    def spend(self) -> bool:
        """Use the grant, or hand it on; True if it was granted and this is the first call."""
        with self._mutex:
            outcome = self._outcome
            if self._spent or outcome is None or outcome is CANCELLED or outcome.error is not None:
                return False
            self._spent = True
            return True

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it is open."""
        with self._mutex:
            return self._outcome

    def wake(self) -> bool:
        """Rouse the waiter after `finish`; False if there is nobody left, and the grant must be handed on."""
        raise NotImplementedError  # abstract


LONG: Final = 0.005
"""Seconds after which a worker tells its parent that its call waits."""


@final
class ThreadTicket(Ticket):
    """A wait in which a thread blocks."""

    __slots__ = ("_parked",)

    def __init__(self) -> None:
        super().__init__()
        self._parked = threading.Lock()
        self._parked.acquire()

    def park(self, timeout: float | None) -> bool:
        """Block until the outcome is there, at most `timeout` seconds (None: no limit); True if it is."""
        if self.outcome is not None:
            return True
        if parent.waiting is None or (timeout is not None and timeout <= LONG):
            return self._parked.acquire(True, -1 if timeout is None else timeout)
        if self._parked.acquire(True, LONG):
            return True
        with parent.waiting():
            return self._parked.acquire(True, -1 if timeout is None else timeout - LONG)

    def wake(self) -> bool:
        """Rouse the thread."""
        self._parked.release()
        return True


class Waitable(Protocol):
    """What a wait needs of the primitive it waits for."""

    def withdraw(self, ticket: Ticket, /) -> None:
        """Ask that the wait end: its outcome is there at once, or comes from the home within a moment."""

    def abandon(self, ticket: Ticket, /) -> None:
        """End the wait for good; a grant that was faster and isn't spent is handed on."""


def wait(
    core: Waitable,
    ticket: ThreadTicket,
    timeout: float | None,
    begin: Callable[[Ticket], None],
    end: Callable[[Ticket], T],
) -> T | _TimedOut:
    """Wait in the calling thread.

    Args:
        core: The primitive.
        ticket: A fresh ticket.
        timeout: Seconds; None: no limit.
        begin: Grants the ticket or puts it in the queue.
        end: Uses the grant.

    Returns:
        What `end` returned, or `TIMED_OUT`.

    Raises:
        Exception: The error that the wait ended with, or what `end` raised.
    """
    try:
        begin(ticket)
        if not ticket.park(timeout):
            core.withdraw(ticket)
            if ticket.outcome is None:
                ticket.park(GRACE)
            ticket.finish(CANCELLED)
        return conclude(ticket, end)
    except BaseException:
        core.abandon(ticket)
        raise


def conclude(ticket: Ticket, end: Callable[[Ticket], T]) -> T | _TimedOut:
    """Turn the outcome of a finished ticket into a result, or raise its error."""
    outcome = ticket.outcome
    assert outcome is not None
    if outcome is CANCELLED:
        return TIMED_OUT
    if outcome.error is not None:
        raise outcome.error
    return end(ticket)
