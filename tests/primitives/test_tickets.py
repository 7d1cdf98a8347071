"""One wait: who finishes it, and what becomes of a grant that nobody uses."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from adaptive_exec.primitives import Lock, Queue
from adaptive_exec.primitives.lock_core import LockCore
from adaptive_exec.primitives.loop_ticket import LoopTicket
from adaptive_exec.primitives.ticket import CANCELLED, GRANTED, Outcome, ThreadTicket, Ticket, wait
from tests.primitives.helpers import Background, until


def waiting(lock: Lock | Queue[Any]) -> int:
    """Count who waits in a primitive of this process."""
    core: Any = lock._core
    if isinstance(lock, Lock):
        return len(core._waiters)
    return len(core._getters) + len(core._putters) + len(core._joiners)


def test_first_finish_wins() -> None:
    """Only the first to finish a ticket wins, and its outcome stays."""
    ticket = ThreadTicket()

    assert ticket.finish(GRANTED)
    assert not ticket.finish(CANCELLED)
    assert GRANTED is ticket.outcome


def test_grant_is_spent_once() -> None:
    """A grant can be spent once, a cancellation or a failure never."""
    granted, cancelled, failed, still_open = (ThreadTicket() for _ in range(4))
    granted.finish(GRANTED)
    cancelled.finish(CANCELLED)
    failed.finish(Outcome(error=ValueError()))

    assert [True, False] == [granted.spend(), granted.spend()]
    assert [False] * 3 == [ticket.spend() for ticket in (cancelled, failed, still_open)]


@pytest.mark.parametrize("grant_first", [True, False])
def test_grant_meets_cancel(grant_first: bool) -> None:
    """Whichever of grant and cancellation comes first, the lock ends up free and the waiter out of the queue."""
    core = LockCore()
    assert core.take()
    ticket = ThreadTicket()
    core.enqueue(ticket)

    for step in (core.release, lambda: core.abandon(ticket))[:: 1 if grant_first else -1]:
        step()

    assert not core.locked()
    assert (ticket.outcome is CANCELLED) is not grant_first


class LyingTicket(Ticket):
    """A thread's ticket whose time limit always runs out, just after `before_timeout` was called."""

    def __init__(self, before_timeout: Any) -> None:
        super().__init__()
        self._before_timeout = before_timeout
        self.woken = 0

    def park(self, timeout: float | None) -> bool:
        """Pretend to have waited."""
        self._before_timeout()
        return False

    def wake(self) -> bool:
        """Count."""
        self.woken += 1
        return True


def test_timeout_meets_grant() -> None:
    """The time limit runs out, the lock is granted before the wait can be withdrawn: the wait has the lock."""
    core = LockCore()
    core.take()
    ticket: Any = LyingTicket(core.release)

    assert wait(core, ticket, 1.0, core.enqueue, lambda granted: granted.spend())
    assert core.locked()


def test_timeout_without_grant() -> None:
    """The time limit runs out first: a later release finds nobody and frees the lock."""
    core = LockCore()
    core.take()
    ticket: Any = LyingTicket(lambda: None)
    wait(core, ticket, 1.0, core.enqueue, lambda granted: granted.spend())

    core.release()

    assert not core.locked()


def test_interrupt_meets_grant() -> None:
    """An exception arrives in a thread whose grant has just been made: the grant goes to the next."""
    core = LockCore()
    core.take()
    following = ThreadTicket()

    def grant_then_interrupt() -> None:
        core.enqueue(following)
        core.release()
        raise KeyboardInterrupt

    ticket: Any = LyingTicket(grant_then_interrupt)
    with pytest.raises(KeyboardInterrupt):
        wait(core, ticket, None, core.enqueue, lambda granted: granted.spend())

    assert following.outcome is GRANTED


def test_interrupt_before_grant() -> None:
    """An exception arrives in a parked thread: it leaves the queue."""
    core = LockCore()
    core.take()

    def interrupt() -> None:
        raise KeyboardInterrupt

    ticket: Any = LyingTicket(interrupt)
    with pytest.raises(KeyboardInterrupt):
        wait(core, ticket, None, core.enqueue, lambda granted: granted.spend())
    core.release()

    assert not core.locked()


def test_task_cancelled_after_grant() -> None:
    """A task that is cancelled after it was granted the lock and before it ran hands the lock on."""

    async def main() -> bool:
        lock = Lock()
        await lock.aio.acquire()
        first = asyncio.ensure_future(lock.aio.acquire())
        second = asyncio.ensure_future(lock.aio.acquire())
        await asyncio.sleep(0)
        lock.release()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    assert asyncio.run(main())


def test_task_cancelled_before_grant() -> None:
    """A task that is cancelled while it waits leaves the queue."""

    async def main() -> None:
        lock = Lock()
        await lock.aio.acquire()
        first = asyncio.ensure_future(lock.aio.acquire())
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        lock.release()
        assert not lock.locked()

    asyncio.run(main())


def test_closed_loop_hands_on() -> None:
    """A waiter whose loop has been closed is passed over; the one after it gets the lock."""
    lock = Lock()
    lock.acquire()
    loop = asyncio.new_event_loop()
    task = lock.aio.acquire()

    async def begin() -> None:
        task.send(None)

    loop.run_until_complete(begin())
    loop.close()
    thread = Background(lock.acquire)
    until(lambda: waiting(lock) == 2)

    lock.release()

    assert thread.result()
    task.close()
    assert lock.locked()


def test_loop_dies_with_grant() -> None:
    """A loop is closed after the grant was scheduled in it: dropping the coroutine hands the lock on."""
    lock = Lock()
    lock.acquire()
    loop = asyncio.new_event_loop()
    coroutine = lock.aio.acquire()

    async def begin() -> None:
        coroutine.send(None)

    loop.run_until_complete(begin())
    lock.release()
    loop.close()
    assert lock.locked()

    coroutine.close()

    assert not lock.locked()


def test_wake_from_the_own_loop_needs_no_callback() -> None:
    """In its own loop a coroutine is roused directly."""

    async def main() -> None:
        ticket = LoopTicket()
        ticket.finish(GRANTED)
        assert ticket.wake()
        assert await ticket.parked(None)

    asyncio.run(main())


def test_parked_thread_is_roused() -> None:
    """A thread blocks until its ticket is finished and woken."""
    ticket = ThreadTicket()
    thread = Background(ticket.park, 30.0)

    ticket.finish(GRANTED)
    ticket.wake()

    assert thread.result()


def test_race_of_many_finishers() -> None:
    """Of many threads that finish one ticket at the same time, one wins."""
    for _ in range(50):
        ticket: Ticket = ThreadTicket()
        barrier = threading.Barrier(4)

        def finish(ticket: Ticket = ticket, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            return ticket.finish(GRANTED)

        assert 1 == sum(thread.result() for thread in [Background(finish) for _ in range(4)])
