"""`Lock` in one process: as `threading.Lock`, as `asyncio.Lock`, and both at once."""

from __future__ import annotations

import asyncio
import copy
import threading
from typing import Any

import pytest

from adaptive_exec.errors import OwnerDiedWarning
from adaptive_exec.primitives import Lock
from adaptive_exec.primitives.lock_core import OWNER_DIED, LockCore
from adaptive_exec.primitives.ticket import GRANTED, ThreadTicket
from tests.primitives.helpers import Background, until
from tests.primitives.test_tickets import waiting

TWINS = pytest.mark.parametrize("make", [threading.Lock, Lock])
ASYNC_TWINS = pytest.mark.parametrize("make", [asyncio.Lock, lambda: Lock().aio], ids=["asyncio", "ours"])


@TWINS
def test_acquire_and_release(make: Any) -> None:
    """A free lock is acquired, a taken one isn't, a released one is again."""
    lock = make()

    assert lock.acquire()
    assert lock.locked()
    assert not lock.acquire(False)
    assert not lock.acquire(timeout=0.01)
    lock.release()
    assert not lock.locked()
    with lock as entered:
        assert entered
        assert lock.locked()
    assert not lock.locked()


@TWINS
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"blocking": False, "timeout": 1}, ValueError),
        ({"timeout": -2}, ValueError),
        ({"timeout": threading.TIMEOUT_MAX * 2}, OverflowError),
        ({"timeout": "1"}, TypeError),
    ],
)
def test_arguments_that_make_no_sense(make: Any, arguments: dict[str, Any], error: type[Exception]) -> None:
    """Wrong arguments raise what the standard lock raises, and leave the lock as it was."""
    lock = make()

    with pytest.raises(error):
        lock.acquire(**arguments)

    assert not lock.locked()


@TWINS
def test_release_of_a_free_lock(make: Any) -> None:
    """Releasing a lock nobody holds raises the same error."""
    with pytest.raises(RuntimeError, match="release unlocked lock"):
        make().release()


@TWINS
def test_any_thread_may_release(make: Any) -> None:
    """Another thread than the one that acquired it may release it."""
    lock = make()
    lock.acquire()

    Background(lock.release).result()

    assert lock.acquire(False)


@TWINS
def test_context_manager_releases_after_an_error(make: Any) -> None:
    """An exception in the body goes through and the lock is free."""
    lock = make()

    with pytest.raises(KeyError), lock:
        raise KeyError

    assert not lock.locked()


@ASYNC_TWINS
def test_async_interface(make: Any) -> None:
    """The `aio` view does what `asyncio.Lock` does."""

    async def main() -> None:
        lock = make()
        assert await lock.acquire() is True
        assert lock.locked()
        waiter = asyncio.ensure_future(lock.acquire())
        await asyncio.sleep(0)
        assert not waiter.done()
        lock.release()
        assert await waiter is True
        lock.release()
        async with lock as nothing:
            assert nothing is None
            assert lock.locked()
        with pytest.raises(RuntimeError):
            lock.release()

    asyncio.run(main())


def test_async_with_on_the_lock_itself() -> None:
    """`async with lock` needs no view."""

    async def main() -> None:
        lock = Lock()
        async with lock:
            assert lock.locked()
        assert not lock.locked()

    asyncio.run(main())


def test_waiters_are_served_in_order() -> None:
    """Threads get the lock in the order in which they came."""
    lock = Lock()
    lock.acquire()
    order: list[int] = []

    def work(number: int) -> None:
        with lock:
            order.append(number)

    threads = []
    for number in range(4):
        threads.append(Background(work, number))
        until(lambda number=number: waiting(lock) == number + 1)  # type: ignore[misc]
    lock.release()
    for thread in threads:
        thread.result()

    assert [0, 1, 2, 3] == order


def test_release_meets_cancel() -> None:
    """The first waiter gives up in the moment of release: the second gets the lock, whoever is first."""
    for release_first in (True, False):
        core = LockCore()
        core.take()
        first, second = ThreadTicket(), ThreadTicket()
        core.enqueue(first)
        core.enqueue(second)
        for step in (core.release, lambda core=core, first=first: core.abandon(first))[
            :: 1 if release_first else -1
        ]:
            step()

        assert second.outcome is GRANTED
        assert core.locked()


def test_threads_and_loops_exclude_each_other() -> None:
    """Three threads and two loops of three coroutines count under one lock and lose nothing."""
    lock = Lock()
    counter = [0]
    rounds = 100

    def in_thread() -> None:
        for _ in range(rounds):
            with lock:
                seen = counter[0]
                counter[0] = seen + 1

    async def in_coroutine() -> None:
        for _ in range(rounds):
            async with lock:
                seen = counter[0]
                await asyncio.sleep(0)
                counter[0] = seen + 1

    async def in_loop() -> None:
        await asyncio.gather(*(in_coroutine() for _ in range(3)))

    threads = [Background(in_thread) for _ in range(3)]
    threads += [Background(lambda: asyncio.run(in_loop())) for _ in range(2)]
    for thread in threads:
        thread.result()

    assert 9 * rounds == counter[0]
    assert not lock.locked()


def test_orphaned_lock_warns_once() -> None:
    """After its holder died a lock is free; the next holder is told, the one after isn't."""
    lock = Lock()
    core: Any = lock._core
    owner = object()
    core.try_acquire(owner)
    core.owner_died(owner)

    assert not lock.locked()
    with pytest.warns(OwnerDiedWarning):
        assert lock.acquire(False)
    lock.release()
    with lock:
        pass


def test_warning_as_error_keeps_no_lock() -> None:
    """Where warnings are errors, the acquire that raises one does not keep the lock."""
    lock = Lock()
    core: Any = lock._core
    core.try_acquire("owner")
    core.owner_died("owner")

    with pytest.raises(OwnerDiedWarning):
        lock.acquire()

    assert not lock.locked()


def test_news_of_a_death_is_handed_on() -> None:
    """A waiter that is told of the death and gives up leaves the news for the next."""
    core = LockCore()
    core.try_acquire("owner")
    ticket = ThreadTicket()
    core.enqueue(ticket)
    core.owner_died("owner")
    assert ticket.outcome is OWNER_DIED

    core.abandon(ticket)

    assert core.try_acquire() is OWNER_DIED


def test_copies_are_the_lock() -> None:
    """Copying gives the same lock, as there can't be two, and costs no server."""
    lock = Lock()

    assert copy.copy(lock) is lock
    assert copy.deepcopy([lock])[0] is lock


def test_repr_tells_the_state() -> None:
    """The representation says whether it is locked."""
    lock = Lock()
    assert "unlocked" in repr(lock)
    with lock:
        assert "<locked" in repr(lock)
