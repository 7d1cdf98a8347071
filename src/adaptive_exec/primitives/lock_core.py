"""The state of a `Lock`, without the ways to wait for it.

Guarantees:
    - At most one holder. Free while somebody waits is a state that nobody can see: release gives the lock
      to the first in the queue in the same step, so nobody starves.
    - A grant whose waiter has gone is handed on; the death of a process that holds the lock frees it, and
      the next holder is told.
    - No critical section blocks or calls code that isn't ours.
Assumes:
    - Nobody uses the lock from a signal handler or a finalizer that interrupts the lock's own code in the
      same thread (the standard `queue.Queue` assumes the same).
State (all moves under `_mutex`; W = the wait queue; holder = HERE for this process, else its session):
    | holder   | take / enqueue            | release                       | owner_died(s)               |
    | None     | -> me                     | RuntimeError                  | -                           |
    | ORPHANED | -> me, told by enqueue    | RuntimeError                  | -                           |
    | a party  | take: no; enqueue: into W | W empty -> None; else first W | if s holds: W empty ->      |
    |          |                           |                               | ORPHANED; else first W, told |
Races:
    1. Release meets a cancellation of the first waiter -> test_lock.py::test_release_meets_cancel
    2. Release to a waiter whose loop is closed -> test_tickets.py::test_closed_loop_hands_on
    3. The owner dies while others wait, or while nobody does -> test_lock_processes.py::test_killed_holder
"""

from __future__ import annotations

import threading
from typing import Final, final

from .core import Core
from .ticket import GRANTED, Outcome, Ticket
from .wait_queue import WaitQueue

__all__ = ["HERE", "OWNER_DIED", "LockCore"]

HERE: Final = "this process"
_ORPHANED: Final = "nobody, since its holder died"
OWNER_DIED: Final = Outcome("owner died")


@final
class LockCore(Core):
    """Who holds the lock and who waits for it."""

    __slots__ = ("_holder", "_mutex", "_waiters")

    kind = "Lock"

    def __init__(self) -> None:
        super().__init__()
        self._mutex = threading.Lock()
        self._holder: object | None = None
        self._waiters = WaitQueue()

    def take(self) -> bool:
        """Take the lock if it is free and nobody has to be told anything; the fast path."""
        with self._mutex:
            if self._holder is not None:
                return False
            self._holder = HERE
            return True

    def try_acquire(self, who: object = HERE) -> Outcome | None:
        """Take the lock if it is free; None if it isn't."""
        with self._mutex:
            return self._claim(who)

    def _claim(self, who: object) -> Outcome | None:
        """Take the lock if it is free; the caller holds the mutex."""
        holder = self._holder
        if holder is None:
            self._holder = who
            return GRANTED
        if holder is _ORPHANED:
            self._holder = who
            return OWNER_DIED
        return None

    def enqueue(self, ticket: Ticket, who: object = HERE) -> None:
        """Grant the ticket at once or put it in the queue."""
        following = None
        with self._mutex:
            ticket.tag = who
            outcome = self._claim(who)
            if outcome is None:
                self._waiters.park(ticket)
            elif not ticket.finish(outcome):
                following = self._pass_on(outcome)
        self._deliver(following)

    def accept(self, ticket: Ticket) -> bool:
        """Use a grant; True if the last holder died with the lock."""
        ticket.spend()
        return ticket.outcome is OWNER_DIED

    def release(self) -> None:
        """Give the lock to the next or free it; raise RuntimeError if nobody holds it."""
        with self._mutex:
            if self._holder is None or self._holder is _ORPHANED:
                raise RuntimeError("release unlocked lock")
            if not self._waiters:
                self._holder = None
                return
            ticket = self._pass_on(GRANTED)
        self._deliver(ticket)

    def release_later(self) -> None:
        """Release it; here that is done at once."""
        self.release()

    def ask_release(self, ticket: Ticket) -> None:
        """Release it and finish the ticket."""
        self.release()
        ticket.finish(GRANTED)

    def locked(self) -> bool:
        """True if somebody holds it."""
        with self._mutex:
            return self._holder is not None and self._holder is not _ORPHANED

    def withdraw(self, ticket: Ticket) -> None:
        """End a wait that has not been granted."""
        with self._mutex:
            self._waiters.cancel(ticket)

    def abandon(self, ticket: Ticket) -> None:
        """End a wait; a grant it got and didn't use goes to the next."""
        with self._mutex:
            self._waiters.cancel(ticket)
            following = self._hand_on(ticket)
        self._deliver(following)

    def hand_back(self, outcome: Outcome) -> None:
        """Undo a grant that was never used."""
        with self._mutex:
            held = self._holder is not None and self._holder is not _ORPHANED
            ticket = self._pass_on(outcome) if held else None
        self._deliver(ticket)

    def owner_died(self, who: object) -> None:
        """Free the lock if `who`, which is dead, holds it; the next holder is told."""
        with self._mutex:
            ticket = self._pass_on(OWNER_DIED) if self._holder is who else None
        self._deliver(ticket)

    def pristine(self) -> bool:
        """True if it is free and nobody waits for it."""
        return not self.locked()

    def _hand_on(self, ticket: Ticket) -> Ticket | None:
        """Pass an unused grant on; the caller holds the mutex and delivers what is returned."""
        outcome = ticket.outcome
        return self._pass_on(outcome) if outcome is not None and ticket.spend() else None

    def _pass_on(self, outcome: Outcome) -> Ticket | None:
        """Give the lock to the first who waits; the caller holds the mutex and delivers what is returned."""
        ticket = self._waiters.grant(outcome)
        if ticket is None:
            self._holder = None if outcome is GRANTED else _ORPHANED
        else:
            self._holder = ticket.tag
        return ticket

    def _deliver(self, ticket: Ticket | None) -> None:
        """Rouse the waiter that was given the lock, or the one after it if that one has gone."""
        while ticket is not None and not ticket.wake():
            with self._mutex:
                ticket = self._hand_on(ticket)
