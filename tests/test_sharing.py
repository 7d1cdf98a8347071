"""A Lock and a Queue among threads, coroutines and worker processes that were running before."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adaptive_exec import AdaptiveExecutor, Lock, Queue
from tests import work

TIMES = 15
MADE_AT_IMPORT = Lock()


def increment(lock: Lock, path: str, times: int) -> None:
    for _ in range(times):
        with lock:
            _increment(path)


async def increment_async(lock: Lock, path: str, times: int) -> None:
    for _ in range(times):
        async with lock:
            _increment(path)


def _increment(path: str) -> None:
    """Read and write in two steps, as nobody should without a lock."""
    file = os.open(path, os.O_RDWR)
    try:
        count = int(os.read(file, 20))
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, str(count + 1).encode())
    finally:
        os.close(file)


def increment_global(path: str, times: int) -> None:
    increment(MADE_AT_IMPORT, path, times)


@pytest.fixture
def executor() -> Iterator[AdaptiveExecutor]:
    with AdaptiveExecutor(max_processes=3) as made:
        # The workers are there before any lock or queue is.
        for future in [made.options(backend="process").submit(work.nap, 0.1) for _ in range(3)]:
            future.result(20)
        yield made


def count_together(executor: AdaptiveExecutor, path: Path) -> int:
    """3 processes, 3 threads and 3 coroutines count in one file under one lock."""
    path.write_text("0")
    lock = Lock()
    processes, threads = executor.options(backend="process"), executor.options(backend="thread")
    futures = [processes.submit(increment, lock, str(path), TIMES) for _ in range(3)]
    futures += [threads.submit(increment, lock, str(path), TIMES) for _ in range(3)]
    futures += [executor.submit(increment_async, lock, str(path), TIMES) for _ in range(3)]
    for future in futures:
        future.result(30)
    return int(path.read_text())


@pytest.mark.blocks_loop("the coroutines count in a file, too")
def test_one_counter_under_one_lock(executor: AdaptiveExecutor, tmp_path: Path) -> None:
    """The sum is exact."""
    assert 9 * TIMES == count_together(executor, tmp_path / "count")


@pytest.mark.stress
@pytest.mark.blocks_loop("the coroutines count in a file, too")
def test_one_counter_under_one_lock_a_hundred_times(executor: AdaptiveExecutor, tmp_path: Path) -> None:
    """The sum is exact a hundred times out of a hundred."""
    assert [9 * TIMES] * 100 == [count_together(executor, tmp_path / "count") for _ in range(100)]


def test_made_at_import(executor: AdaptiveExecutor, tmp_path: Path) -> None:
    """A lock that a module makes when it is imported is one and the same in every worker."""
    path = tmp_path / "count"
    path.write_text("0")
    processes, threads = executor.options(backend="process"), executor.options(backend="thread")
    futures = [view.submit(increment_global, str(path), TIMES) for view in (processes, threads) * 2]
    for future in futures:
        future.result(30)

    assert 4 * TIMES == int(path.read_text())


def produce(queue: Queue[int], numbers: range) -> None:
    for number in numbers:
        queue.put(number)


async def relay(source: Queue[int], target: Queue[int], count: int) -> None:
    for _ in range(count):
        await target.aio.put(await source.aio.get())


def consume(queue: Queue[int], count: int) -> list[int]:
    return [queue.get(timeout=20) for _ in range(count)]


def test_a_pipeline_over_two_queues(executor: AdaptiveExecutor) -> None:
    """Processes put, coroutines pass on, threads and processes take: every item arrives once."""
    first: Queue[int] = Queue(maxsize=10)
    second: Queue[int] = Queue()
    processes, threads = executor.options(backend="process"), executor.options(backend="thread")
    futures = [processes.submit(produce, first, range(n * 50, n * 50 + 50)) for n in range(2)]
    relays = [executor.submit(relay, first, second, 50) for _ in range(2)]
    taken = [threads.submit(consume, second, 50), processes.submit(consume, second, 50)]
    for future in (*futures, *relays):
        future.result(30)

    assert list(range(100)) == sorted(taken[0].result(30) + taken[1].result(30))


def test_in_a_closure_and_inside_an_item(executor: AdaptiveExecutor) -> None:
    """A queue may travel in a closure, and a lock in an item of a queue."""
    queue: Queue[Lock] = Queue()
    answers: Queue[bool] = Queue()
    lock = Lock()

    def take() -> None:
        answers.put(queue.get().acquire(blocking=False))

    lock.acquire()
    future = executor.options(backend="process").submit(take)
    queue.put(lock)
    assert not answers.get(timeout=20)
    future.result(20)
    lock.release()


def test_awaited_from_two_loops(executor: AdaptiveExecutor) -> None:
    """A queue is bound to no loop: the library's and another one use it at once."""
    queue: Queue[int] = Queue(maxsize=1)

    async def put() -> None:
        for number in range(20):
            await queue.aio.put(number)

    future = executor.submit(put)

    async def take() -> list[int]:
        return [await queue.aio.get() for _ in range(20)]

    assert list(range(20)) == asyncio.run(take())
    future.result(20)
