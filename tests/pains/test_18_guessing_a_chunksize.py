"""Pain 18: guessing a chunksize (hackingmaterials/matminer#329, joblib/loky#12)."""

from __future__ import annotations

import time
from concurrent.futures import Executor

import pytest

from adaptive_exec import AdaptiveExecutor
from tests.pains.support import standard

pytestmark = pytest.mark.full

ITEMS = range(5_000)


def half(x: int) -> float:
    """Next to nothing."""
    return x / 2


def seconds(executor: Executor) -> float:
    """What it takes with nothing said; the least of three times."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        assert [x / 2 for x in ITEMS] == list(executor.map(half, ITEMS))
        took.append(time.perf_counter() - began)
    return min(took)


def test_nobody_has_to_say() -> None:
    """One at a time, as the standard way does it, takes a hundred times as long as that many together."""
    with standard() as theirs, AdaptiveExecutor(max_processes=2) as ours:
        one_by_one, measured = seconds(theirs), seconds(ours)
    assert measured < one_by_one / 5
