"""Whatever goes on for long takes no more memory, threads, processes or descriptors than it did at first."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, Lock, Queue, TaskGroup
from tests.backends.support import until

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.soak,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]

TEN_MILLION = 10_000_000
STEPS = 10
GROWTH = 12 << 20
"""Bytes between two looks that say nothing: what the allocator keeps, and what grows in steps."""


def resident(pids: list[int]) -> int:
    """Bytes in memory of this process and of others."""
    gc.collect()
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in [os.getpid(), *pids])
    return pages * os.sysconf("SC_PAGESIZE")


def pids(executor: AdaptiveExecutor) -> list[int]:
    """Of its workers."""
    return executor._dispatcher._processes.pids()


def stays_flat(act: Callable[[], object], executor: AdaptiveExecutor, steps: int = STEPS) -> None:
    """Do something again and again: after the first times, nothing grows."""
    sizes = []
    for _ in range(steps):
        act()
        sizes.append(resident(pids(executor)))
    first = max(sizes[: steps // 3])
    assert min(sizes[-2:]) < first + GROWTH, [size >> 20 for size in sizes]


def same(x: int) -> int:
    """Nothing to do."""
    return x


async def same_async(x: int) -> int:
    """The same on a loop."""
    await asyncio.sleep(0)
    return x


def fails(x: int) -> int:
    """Fails."""
    raise ValueError(x)


def double_all(numbers: list[int]) -> list[int]:
    """Some work with something to carry to and fro."""
    return [2 * number for number in numbers]


@pytest.fixture
def executor() -> Iterator[AdaptiveExecutor]:
    with AdaptiveExecutor(max_processes=2) as made:
        yield made


@pytest.mark.parametrize("chunksize", [None, 1000])
@pytest.mark.parametrize("ordered", [True, False])
def test_ten_million_items(executor: AdaptiveExecutor, chunksize: int | None, ordered: bool) -> None:
    """Of a `map` over an iterator, as many results as items, and none is kept."""
    count = TEN_MILLION if chunksize else TEN_MILLION // 10
    results = executor.map(same, iter(range(count)), chunksize=chunksize, ordered=ordered)
    each = count // STEPS
    total = 0

    def take() -> None:
        nonlocal total
        total += sum(islice(results, each))

    stays_flat(take, executor)
    assert [] == list(results)
    assert count * (count - 1) // 2 == total


def test_ten_million_items_one_by_one(executor: AdaptiveExecutor) -> None:
    """With nothing said, in the order of the items."""
    results = executor.map(same, iter(range(TEN_MILLION)))
    following = iter(range(TEN_MILLION))

    def take() -> None:
        for value, expected in zip(
            islice(results, TEN_MILLION // STEPS), islice(following, TEN_MILLION // STEPS), strict=True
        ):
            assert value == expected

    stays_flat(take, executor)


def test_ten_million_items_in_workers(executor: AdaptiveExecutor) -> None:
    """Neither here nor in the workers."""
    rows = ([n] * 100 for n in range(TEN_MILLION // 100))
    results = executor.options(backend="process").map(double_all, rows, chunksize=100)

    def take() -> None:
        assert TEN_MILLION // STEPS == sum(map(len, islice(results, TEN_MILLION // 100 // STEPS)))

    stays_flat(take, executor)


def test_calls_of_all_kinds(executor: AdaptiveExecutor) -> None:
    """Those that end, fail, and are cancelled, on every backend, with their futures kept for a while."""

    def one_round() -> None:
        futures: list[Any] = []
        for n in range(3_000):
            futures += [executor.submit(same, n), executor.submit(same_async, n), executor.submit(fails, n)]
            if not n % 20:
                futures.append(executor.options(backend="process").submit(double_all, [n] * 1000))
            if not n % 7:
                futures[-1].cancel()
        for future in futures:
            try:
                future.result(60)
            except (ValueError, CancelledError):
                pass

    def some_rounds() -> None:
        for _ in range(5):
            one_round()

    stays_flat(some_rounds, executor)


def test_groups_and_awaiting(executor: AdaptiveExecutor) -> None:
    """On loops that come and go."""

    async def main() -> None:
        async with TaskGroup(executor) as group:
            futures = [group.submit(same_async, n) for n in range(500)]
            futures += [group.submit(same, n) for n in range(500)]
        assert list(range(500)) * 2 == [await future for future in futures]

    stays_flat(lambda: [asyncio.run(main()) for _ in range(20)], executor)


def test_functions_that_come_and_go(executor: AdaptiveExecutor) -> None:
    """A new function for every few calls: none of them is kept for ever."""

    def one_round() -> None:
        for n in range(300):
            namespace: dict[str, Any] = {}
            exec(f"def made(x):\n    return x + {n}\n", namespace)  # as a program that makes code does
            made = namespace["made"]
            assert [n, n + 1] == list(executor.map(made, [0, 1]))

    stays_flat(one_round, executor)


def test_executors_that_come_and_go(executor: AdaptiveExecutor) -> None:
    """With workers and a loop: they leave no thread, no descriptor and no process."""

    def one_round() -> None:
        for _ in range(10):
            with AdaptiveExecutor(max_processes=1) as other:
                assert 1 == other.submit(same, 1).result(60)
                assert 1 == other.submit(same_async, 1).result(60)
                assert [2] == other.options(backend="process").submit(double_all, [1]).result(60)

    one_round()
    until(lambda: not any("adaptive-exec-thread" in thread.name for thread in threading.enumerate()))
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    stays_flat(one_round, executor)
    until(lambda: threading.active_count() <= threads)
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 2


def test_locks_and_queues_that_come_and_go(executor: AdaptiveExecutor) -> None:
    """Shared with workers."""

    def one_round() -> None:
        for n in range(100):
            lock, queue = Lock(), Queue[int]()
            executor.options(backend="process").submit(use, lock, queue, n).result(60)
            assert n == queue.get()

    stays_flat(one_round, executor)


def use(lock: Lock, queue: Queue[int], n: int) -> None:
    """In a worker."""
    with lock:
        queue.put(n)
