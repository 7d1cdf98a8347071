"""Pain 16: `map` eats the whole input into memory (cpython#74028, cpython#74508)."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import islice

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.mapping import DEFAULT_BUFFER

ITEMS = 5_000


def same(x: int) -> int:
    """Nothing to do."""
    return x


def taken_for_one(executor: Executor) -> int:
    """How many items `map` takes for the first result."""
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for n in range(ITEMS):
            taken += 1
            yield n

    results = executor.map(same, items())
    assert 0 == next(results)
    so_far = taken
    results.close()  # type: ignore[attr-defined]
    return so_far


def test_the_standard_way() -> None:
    """All of them."""
    with ThreadPoolExecutor(1) as executor:
        assert ITEMS == taken_for_one(executor)


def test_ours() -> None:
    """As many as keep the workers busy."""
    with AdaptiveExecutor(max_processes=1) as executor:
        assert taken_for_one(executor) <= DEFAULT_BUFFER + 1


@pytest.mark.full
def test_ours_takes_no_more_memory_the_longer_it_goes_on() -> None:
    """As much after a hundred thousand items as after twenty thousand."""
    with AdaptiveExecutor(max_processes=1) as executor:
        results = executor.map(same, iter(range(100_000)))
        tracemalloc.start()
        try:
            sizes = []
            for _ in range(5):
                assert 20_000 == sum(1 for _ in islice(results, 20_000))
                sizes.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
    assert max(sizes) < sizes[0] + 500_000
