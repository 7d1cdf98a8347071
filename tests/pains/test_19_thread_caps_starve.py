"""Pain 19: thread caps starve I/O (cpython#112169, cpython#120644, Kludex/starlette#1724)."""

from __future__ import annotations

import time
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from adaptive_exec import AdaptiveExecutor

pytestmark = pytest.mark.full

CALLS = 800


def wait() -> None:
    """As for an answer from somewhere."""
    time.sleep(0.05)


def seconds(executor: Executor) -> float:
    """For all of them, submitted at once."""
    began = time.perf_counter()
    for future in [executor.submit(wait) for _ in range(CALLS)]:
        future.result(60)
    return time.perf_counter() - began


def test_the_standard_way() -> None:
    """With as many threads as it takes by itself, they wait in a row."""
    with ThreadPoolExecutor() as executor:
        assert seconds(executor) > CALLS / 36 * 0.05 * 0.9


def test_ours() -> None:
    """From the second round on they are all over in the time of a few, since it was seen that they wait."""
    with AdaptiveExecutor(max_processes=1) as executor:
        seconds(executor)
        assert min(seconds(executor) for _ in range(3)) < 0.5
