"""`map`: order, laziness, chunks, errors, giving up, sync and async."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future as StandardFuture
from itertools import count
from typing import Any

import pytest

from adaptive_exec.executor import AdaptiveExecutor
from adaptive_exec.futures import Future
from adaptive_exec.mapping import _Completions
from tests import work


@pytest.fixture
def executor() -> Iterator[AdaptiveExecutor]:
    with AdaptiveExecutor(max_processes=2) as made:
        yield made


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("chunksize", [None, 1, 7, 1000])
def test_results(executor: AdaptiveExecutor, chunksize: int | None, ordered: bool) -> None:
    """Each item gives one result, in order where that is wanted."""
    results = list(executor.map(work.double, range(100), chunksize=chunksize, ordered=ordered))

    expected = [2 * n for n in range(100)]
    assert expected == (results if ordered else sorted(results))


def test_several_iterables(executor: AdaptiveExecutor) -> None:
    """The shortest one ends it, as with the builtin."""
    assert [11, 22] == list(executor.map(work.add, [1, 2, 3], (10, 20)))
    assert [] == list(executor.map(work.double, []))


@pytest.mark.parametrize("chunksize", [1, 3])
def test_processes(executor: AdaptiveExecutor, chunksize: int) -> None:
    """Chunks travel, too."""
    forced = executor.options(backend="process")

    assert [2 * n for n in range(10)] == list(forced.map(work.double, range(10), chunksize=chunksize))


@pytest.mark.parametrize(("chunksize", "taken"), [(1, 5), (2, 4)])
def test_no_more_is_taken_than_there_is_room_for(
    executor: AdaptiveExecutor, chunksize: int, taken: int
) -> None:
    """From an endless iterator only `buffersize` items are taken ahead."""
    numbers = count()
    results = executor.map(work.double, numbers, chunksize=chunksize, buffersize=5)
    assert taken == next(numbers)

    assert [0, 2, 4] == [next(results) for _ in range(3)]
    assert next(numbers) <= taken + 6
    results.close()
    assert [] == list(results)


def test_sized_inputs_start_at_once(executor: AdaptiveExecutor) -> None:
    """As in the standard library, before anybody asks for a result."""
    seen = threading.Semaphore(0)

    def note(n: int) -> int:
        seen.release()
        return n

    results = executor.map(note, range(300))
    for _ in range(300):
        assert seen.acquire(timeout=20)
    assert list(range(300)) == list(results)


@pytest.mark.parametrize("chunksize", [1, 4])
def test_the_first_error_ends_it(executor: AdaptiveExecutor, chunksize: int) -> None:
    """Results before the error are given, then it is raised, and that is all."""
    results = executor.map(divide, [4, 2, 0, 1], chunksize=chunksize)

    assert 2.5 == next(results)
    assert 5 == next(results)
    with pytest.raises(ZeroDivisionError):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


def divide(n: int) -> float:
    return 10 / n


def test_timeout(executor: AdaptiveExecutor) -> None:
    """A result that isn't there in time raises."""
    gate = threading.Event()
    results = executor.map(gate.wait, [20, 20], timeout=0.05)
    with pytest.raises(TimeoutError):
        next(results)
    gate.set()


def test_dropping_it_cancels_the_rest() -> None:
    """What has not begun when somebody stops taking results is not begun."""
    gate = threading.Event()
    ran: list[int] = []

    def work_on(n: int) -> int:
        if n:
            gate.wait(20)
        ran.append(n)
        return n

    with AdaptiveExecutor(max_threads=4) as executor:
        results = executor.options(backend="thread").map(work_on, range(500))
        assert 0 == next(results)
        futures = list(results._under_way)
        del results
        while sum(future.cancelled() for future in futures) < 400:
            threading.Event().wait(0.001)  # the supervisor does it, soon
        gate.set()

    assert len(ran) < 100


def test_results_that_nobody_asks_for(executor: AdaptiveExecutor) -> None:
    """As in the standard library, the calls of a `map` whose results are never taken are made all the same."""
    ran: list[int] = []
    executor.map(ran.append, range(100))
    executor.shutdown()

    assert list(range(100)) == sorted(ran)


@pytest.mark.parametrize("ordered", [True, False])
def test_async_for(executor: AdaptiveExecutor, ordered: bool) -> None:
    """Coroutines take results without blocking their loop; coroutine functions are mapped as well."""

    async def main() -> list[Any]:
        plain = [r async for r in executor.map(work.double, range(20), ordered=ordered)]
        made = [r async for r in executor.map(work.async_double, range(20), ordered=ordered)]
        return [*sorted(plain), *sorted(made)]

    assert [2 * n for n in range(20)] * 2 == asyncio.run(main())


def test_async_timeout_and_error(executor: AdaptiveExecutor) -> None:
    """They arrive in the coroutine."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async for _ in executor.map(work.async_nap, [20], timeout=0.05):
                pass
        with pytest.raises(ZeroDivisionError):
            async for _ in executor.map(divide, [1, 0]):
                pass

    asyncio.run(main())


def test_completion_against_wait() -> None:
    """A future that ends before, and one that ends after somebody waits for the next, are both given."""
    completions = _Completions()
    early: Future[int] = Future()
    late: Future[int] = Future()
    completions.add(early)
    completions.add(late)
    early.try_result(1)
    first = completions.next()
    second: StandardFuture[Future[int]] = completions.next()
    assert not second.done()
    late.try_result(2)

    assert (early, late) == (first.result(0), second.result(0))


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (ValueError, {"chunksize": 0}),
        (ValueError, {"buffersize": -1}),
        (TypeError, {"chunksize": "many"}),
    ],
)
def test_sizes_that_make_no_sense(
    executor: AdaptiveExecutor, error: type[Exception], arguments: dict[str, Any]
) -> None:
    """They are refused at once, in one sentence."""
    with pytest.raises(error, match="size must be"):
        executor.map(work.double, [1], **arguments)
    with pytest.raises(TypeError, match="at least one iterable"):
        executor.map(work.double)
