"""A wait in which a coroutine is suspended, on any event loop.

Guarantees:
    - As in `ticket`: cancelling the awaiting task, closing its loop or dropping the coroutine ends the wait,
      and a grant that it can't use any more goes to the next.
Assumes:
    - `loop.call_soon_threadsafe` may be called from any thread and raises RuntimeError once the loop is closed.
    - A coroutine that is cancelled, or thrown away with its loop, gets an exception at its `await`.
Races:
    1. A task is cancelled between the grant and its next step -> test_tickets.py::test_task_cancelled_after_grant
    2. The loop is closed while a ticket of it waits -> test_tickets.py::test_closed_loop_hands_on
    3. The loop is closed between the grant and the delivery -> test_tickets.py::test_loop_dies_with_grant
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar, final

from .ticket import CANCELLED, GRACE, Ticket, Waitable, _TimedOut, conclude

__all__ = ["LoopTicket", "wait_async"]

T = TypeVar("T")


@final
class LoopTicket(Ticket):
    """A wait in which a coroutine of the running loop is suspended."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()

    def wake(self) -> bool:
        """Rouse the coroutine; False if its loop has been closed."""
        if asyncio._get_running_loop() is self._loop:
            self._rouse()
            return True
        try:
            self._loop.call_soon_threadsafe(self._rouse)
        except RuntimeError:
            return False
        return True

    def _rouse(self) -> None:
        """Let the coroutine go on; runs in its loop."""
        if not self._future.done():
            self._future.set_result(None)

    async def parked(self, timeout: float | None) -> bool:
        """Suspend until the outcome is there, at most `timeout` seconds; True if it is."""
        if self.outcome is not None:
            return True
        if timeout is None:
            await self._future
            return True
        await asyncio.wait((self._future,), timeout=timeout)
        return self.outcome is not None


async def wait_async(
    core: Waitable,
    ticket: LoopTicket,
    timeout: float | None,
    begin: Callable[[Ticket], None],
    end: Callable[[Ticket], T],
) -> T | _TimedOut:
    """Wait in the calling coroutine; arguments, result and errors as in `ticket.wait`."""
    try:
        begin(ticket)
        if not await ticket.parked(timeout):
            core.withdraw(ticket)
            await ticket.parked(GRACE)
            ticket.finish(CANCELLED)
        return conclude(ticket, end)
    except BaseException:
        core.abandon(ticket)
        raise
