"""One `Lock` in several processes, and what their deaths do."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.errors import HomeDied, OwnerDiedWarning
from adaptive_exec.primitives import Lock, here
from tests.primitives.helpers import Background, Peer, peers, until
from tests.primitives.test_tickets import waiting

KEPT: list[Any] = []
"""What functions that run in a peer leave there."""


def keep(*things: Any) -> None:
    """Keep things in the peer."""
    KEPT[:] = things


def drop() -> None:
    """Forget what was kept."""
    KEPT.clear()
    gc.collect()


def acquire(lock: Lock, timeout: float = -1) -> tuple[bool, list[str]]:
    """Acquire, and tell the categories of the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = lock.acquire(timeout=timeout)
    return got, [warning.category.__name__ for warning in caught]


def release(lock: Lock) -> None:
    """Release."""
    lock.release()


def try_lock(lock: Lock) -> bool:
    """Try to acquire."""
    return lock.acquire(False)


def make_lock() -> Lock:
    """Make a lock that lives in the peer, and keep it."""
    KEPT.append(Lock())
    made: Lock = KEPT[-1]
    return made


def add(path: str, lock: Lock, rounds: int) -> None:
    """Increment the number in a file from three threads and three coroutines."""

    def once() -> None:
        file = Path(path)
        file.write_text(str(int(file.read_text()) + 1))

    def in_thread() -> None:
        for _ in range(rounds):
            with lock:
                once()

    async def in_coroutine() -> None:
        for _ in range(rounds):
            async with lock:
                once()

    async def coroutines() -> None:
        await asyncio.gather(*(in_coroutine() for _ in range(3)))

    threads = [Background(in_thread) for _ in range(3)]
    asyncio.run(coroutines())
    for thread in threads:
        thread.result()


@pytest.fixture(params=["forkserver", "spawn"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """A process that runs already."""
    with peers(1, request.param) as (started,):
        yield started


@pytest.fixture
def one() -> Iterator[Peer]:
    """A process that runs already, started in the quicker way."""
    with peers(1) as (started,):
        yield started


def test_lock_goes_to_a_running_process(peer: Peer) -> None:
    """A lock sent over a pipe excludes the other process, and has all its methods there."""
    lock = Lock()
    with lock:
        assert not peer.call(try_lock, lock)
        assert (False, []) == peer.call(acquire, lock, 0.01)
        assert peer.call(Lock.locked, lock)
    assert peer.call(try_lock, lock)
    assert not lock.acquire(False)
    peer.call(release, lock)
    assert not lock.locked()
    with pytest.raises(RuntimeError, match="release unlocked lock"):
        peer.call(release, lock)


def test_remote_waiter_is_granted(one: Peer) -> None:
    """A release here gives the lock to a process that waits for it."""
    lock = Lock()
    lock.acquire()
    one.start(acquire, lock)
    until(lambda: waiting(lock) == 1)

    lock.release()

    assert (True, []) == one.result()
    one.call(release, lock)


@pytest.mark.full
def test_remote_time_limit_leaves_the_queue(one: Peer) -> None:
    """A wait in another process that times out is out of the queue here."""
    lock = Lock()
    with lock:
        assert (False, []) == one.call(acquire, lock, 0.05)
        assert 0 == waiting(lock)
    assert not lock.locked()


@pytest.mark.full
def test_any_process_may_release(one: Peer) -> None:
    """A lock acquired here may be released there, as between threads."""
    lock = Lock()
    lock.acquire()

    one.call(release, lock)

    assert not lock.locked()


@pytest.mark.full
def test_proxy_goes_on_to_a_third_process() -> None:
    """A lock that lives in one process and is passed on by another is still that lock."""
    with peers(2) as (home, user):
        lock = home.call(make_lock)
        lock.acquire()
        assert not user.call(try_lock, lock)
        assert not home.call(try_lock, lock)
        lock.release()
        assert user.call(try_lock, lock)
        assert lock.locked()


@pytest.mark.blocks_loop("the counter in the file is read and written by coroutines, too")
def test_counter_in_a_file(tmp_path: Path) -> None:
    """Three processes with three threads and three coroutines each reach the exact sum under one lock."""
    path = tmp_path / "counter"
    path.write_text("0")
    lock = Lock()
    rounds = 10
    with peers(2) as started:
        for each in started:
            each.start(add, str(path), lock, rounds)
        add(str(path), lock, rounds)
        for each in started:
            each.result()

    assert 3 * 6 * rounds == int(path.read_text())


@pytest.mark.parametrize("waits", [True, False])
def test_killed_holder(one: Peer, waits: bool) -> None:
    """A process is killed that holds the lock: who waits for it gets it at once, told so; else the next does."""
    lock = Lock()
    one.call(acquire, lock)
    if waits:
        thread = Background(lock.acquire)
        until(lambda: waiting(lock) == 1)
        one.kill()
        with pytest.raises(OwnerDiedWarning):
            thread.result()
    else:
        one.kill()
        until(lambda: not lock.locked())
        with pytest.warns(OwnerDiedWarning):
            lock.acquire()
        lock.release()
    with lock:
        pass


def test_killed_holder_with_a_remote_waiter() -> None:
    """The process that waits for the lock of one that is killed gets it and is told."""
    lock = Lock()
    with peers(2) as (holder, waiter):
        holder.call(acquire, lock)
        waiter.start(acquire, lock)
        until(lambda: waiting(lock) == 1)
        holder.kill()

        assert (True, ["OwnerDiedWarning"]) == waiter.result()
        waiter.call(release, lock)


def test_killed_holder_whose_child_lives(one: Peer) -> None:
    """The lock of a killed process comes free although a child that it forked lives on."""
    lock = Lock()
    one.call(acquire, lock)
    child = one.call(fork_sleeper)
    try:
        one.kill()
        until(lambda: not lock.locked())
    finally:
        end(child)


def fork_sleeper() -> int:
    """Fork a child that does nothing for a while."""
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    return pid


def end(pid: int) -> None:
    """Kill a process that isn't our child and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)


def test_killed_waiter(one: Peer) -> None:
    """A process is killed that waits for the lock: it is out of the queue, and the lock isn't granted to it."""
    lock = Lock()
    lock.acquire()
    one.start(acquire, lock)
    until(lambda: waiting(lock) == 1)

    one.kill()
    until(lambda: waiting(lock) == 0)
    lock.release()

    assert not lock.locked()


def test_killed_home(one: Peer) -> None:
    """The process is killed in which the lock lives: who waits and who comes later gets HomeDied, nobody hangs."""
    lock = one.call(make_lock)
    lock.acquire()
    threads = [Background(lock.acquire) for _ in range(2)]

    async def in_loop() -> None:
        await lock.aio.acquire()

    threads.append(Background(lambda: asyncio.run(in_loop())))
    until(lambda: len(lock._core.link()._kept) == 3)
    one.kill()

    errors = []
    for thread in threads:
        with pytest.raises(HomeDied) as caught:
            thread.result()
        errors.append(caught.value)
    assert 3 == len({id(error) for error in errors})
    for use in (lock.acquire, lock.release, lock.locked):
        with pytest.raises(HomeDied, match="has ended"):
            use()
    with pytest.raises(HomeDied):
        pickle.dumps(lock)


@pytest.mark.full
def test_lock_of_a_dead_home_can_not_be_unpickled(one: Peer) -> None:
    """A pickle whose home has ended raises HomeDied."""
    data = one.call(pickled_lock)
    one.kill()

    with pytest.raises(HomeDied):
        pickle.loads(data)


def pickled_lock() -> bytes:
    """Pickle a lock that is kept."""
    return pickle.dumps(make_lock())


def test_remote_lock_in_coroutines(one: Peer) -> None:
    """A lock of another process is awaited, released and released by `async with`, never blocking the loop."""
    lock = one.call(make_lock)

    async def main() -> list[bool]:
        await lock.aio.acquire()
        waiter = asyncio.ensure_future(lock.aio.acquire())
        await asyncio.sleep(0)
        assert not waiter.done()
        lock.aio.release()
        await waiter
        lock.aio.release()
        async with lock:
            pass
        async with lock.aio:
            return [True]

    assert asyncio.run(main())
    assert not lock.locked()


@pytest.mark.full
def test_remote_lock_on_several_loops(one: Peer) -> None:
    """Coroutines on two loops and a thread exclude each other by a lock of another process."""
    lock = one.call(make_lock)
    inside = [0]
    most = [0]

    def enter() -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])

    async def work() -> None:
        for _ in range(10):
            async with lock:
                enter()
                await asyncio.sleep(0)
                inside[0] -= 1

    async def loop() -> None:
        await asyncio.gather(work(), work())

    threads = [Background(lambda: asyncio.run(loop())) for _ in range(2)]
    for _ in range(10):
        with lock:
            enter()
            inside[0] -= 1
    for thread in threads:
        thread.result()

    assert [1] == most


def test_cancelled_remote_acquire_leaves_the_queue(one: Peer) -> None:
    """A task that waits for a lock of another process and is cancelled is out of the queue there."""
    lock = one.call(make_lock)
    lock.acquire()

    async def main() -> None:
        task = asyncio.ensure_future(lock.aio.acquire())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    lock.release()

    assert one.call(acquire, lock, 5)[0]


def test_cancelled_remote_acquire_is_handed_back(one: Peer) -> None:
    """A task is cancelled after the home granted it the lock and before it ran: the lock is free again."""
    lock = one.call(make_lock)
    core: Any = lock._core
    assert one.call(try_lock, lock)  # so that it can't be granted before the task waits
    waits = threading.Event()

    def let_go() -> None:
        assert waits.wait(20)
        one.call(release, lock)

    releasing = Background(let_go)

    async def main() -> None:
        task = asyncio.ensure_future(lock.aio.acquire())
        await asyncio.sleep(0)
        waits.set()
        until_blocking(lambda: not core.link()._kept)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    releasing.result()

    assert lock.acquire(timeout=5)


def until_blocking(condition: Any) -> None:
    """Wait without giving the loop a turn, by yielding the processor only."""
    while not condition():
        os.sched_yield()


@pytest.mark.full
def test_remote_locks_in_the_same_order_of_use(one: Peer) -> None:
    """A release that isn't waited for is done before what the same thread asks next."""
    lock = one.call(make_lock)
    for _ in range(20):
        lock.acquire()
        lock._core.release_later()
        assert lock.acquire(False)
        lock.release()


def test_unpickled_twice_is_one_object(one: Peer) -> None:
    """At home a pickle gives the very same lock; elsewhere one proxy, a `Lock`, however often it is loaded."""
    lock = Lock()
    assert pickle.loads(pickle.dumps(lock)) is lock
    remote = one.call(make_lock)
    assert isinstance(remote, Lock)
    assert pickle.loads(pickle.dumps(remote)) is remote
    assert one.call(is_kept, remote)


def is_kept(lock: Lock) -> bool:
    """Tell whether it is the very object that is kept here."""
    return lock is KEPT[-1]


def test_interrupted_remote_acquire(one: Peer) -> None:
    """KeyboardInterrupt in a thread that waits for a lock of another process: it leaves the queue there."""
    lock = one.call(make_lock)
    lock.acquire()
    core: Any = lock._core

    with interrupted(lambda: core.link()._kept):
        lock.acquire()
    lock.release()

    assert one.call(acquire, lock, 5)[0]


@contextmanager
def interrupted(condition: Callable[[], object]) -> Iterator[None]:
    """Have KeyboardInterrupt raised in the main thread once, after a condition has come to hold.

    The signal is sent again until it was heard: one that comes just before a thread blocks doesn't rouse it.
    """
    heard = threading.Event()

    def handle(*_: object) -> None:
        if not heard.is_set():
            heard.set()
            raise KeyboardInterrupt

    def send() -> None:
        until(condition)
        while not heard.wait(0.05):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handle)
    thread = Background(send)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
        thread.result()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_interrupted_local_acquire() -> None:
    """KeyboardInterrupt in a thread that waits for a lock of this process: it leaves the queue."""
    lock = Lock()
    lock.acquire()

    with interrupted(lambda: waiting(lock)):
        lock.acquire()
    lock.release()

    assert not lock.locked()


@pytest.mark.full
def test_link_is_shared(one: Peer) -> None:
    """All primitives of one home share one connection."""
    first, second = one.call(make_lock), one.call(make_lock)

    assert first is not second
    assert first._core.link() is second._core.link()
    assert 1 == sum(not link.dead for link in here.here().links.values())
