"""Pain 4: nested submit deadlocks; daemonic workers can't have children (cpython#141617, noxdafox/pebble#76)."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor, wait

import pytest

from adaptive_exec import AdaptiveExecutor, get_executor

pytestmark = pytest.mark.full

DEEP = 1_000


def down(executor: Executor, depth: int) -> int:
    """A call that waits for a call that waits for a call."""
    return 0 if depth == 0 else 1 + executor.submit(down, executor, depth - 1).result()


def down_by_processes(depth: int) -> int:
    """The same, each in a worker."""
    view = get_executor().options(backend="process")
    return 0 if depth == 0 else 1 + view.submit(down_by_processes, depth - 1).result()


async def down_by_coroutines(executor: AdaptiveExecutor, depth: int) -> int:
    """The same on a loop."""
    return 0 if depth == 0 else 1 + await executor.submit(down_by_coroutines, executor, depth - 1)


def down_by_all(executor: AdaptiveExecutor, depth: int) -> int:
    """A thread waits for a coroutine, that for a thread that maps, that for a worker."""

    async def further() -> int:
        return await executor.options(backend="thread").submit(lambda: sum(executor.map(below, [depth - 1])))

    def below(left: int) -> int:
        if left % 50 == 0 and left:
            return (
                executor.options(backend="process").submit(down_by_processes, 2).result() - 2 + next_one(left)
            )
        return next_one(left)

    def next_one(left: int) -> int:
        return down_by_all(executor, left)

    if depth <= 0:
        return 0
    return 1 + executor.submit(further).result()


def test_the_standard_way() -> None:
    """Two threads, three calls deep: they wait for each other for ever."""
    executor = ThreadPoolExecutor(2)
    future = executor.submit(down, executor, 3)
    assert not wait([future], 0.5).done
    executor.shutdown(wait=False, cancel_futures=True)  # which fails the innermost call, and so ends them all
    assert wait([future], 20).done


@pytest.mark.parametrize("threads", [None, 1])
def test_ours_by_threads(threads: int | None) -> None:
    """As deep as anybody likes, with one thread, too."""
    with AdaptiveExecutor(max_threads=threads, max_processes=1) as executor:
        assert DEEP == executor.options(backend="thread").submit(down, executor, DEEP).result(100)


def test_ours_by_coroutines() -> None:
    """From the library's loop, and from a loop of the user's."""
    with AdaptiveExecutor(max_processes=1) as executor:
        assert DEEP == executor.submit(down_by_coroutines, executor, DEEP).result(100)

        async def main() -> int:
            return await executor.submit(down_by_coroutines, executor, DEEP)

        assert DEEP == asyncio.run(main())


def test_ours_by_processes() -> None:
    """More calls wait than there are workers."""
    with AdaptiveExecutor(max_processes=2) as executor:
        assert 12 == executor.options(backend="process").submit(down_by_processes, 12).result(100)


def test_ours_by_all() -> None:
    """`result()` inside `map` inside a task, across all of them."""
    with AdaptiveExecutor(max_threads=1, max_processes=2) as executor:
        assert 120 == executor.options(backend="thread").submit(down_by_all, executor, 120).result(100)
