"""Pain 29: recycling noise (joblib/joblib#883, joblib/joblib#869)."""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from adaptive_exec.backends.processes.pool import ProcessBackend
from tests import telling, work
from tests.backends.support import Handed

pytestmark = pytest.mark.full


def test_the_standard_way() -> None:
    """A worker that has grown is kept for ever, unless one counts calls; and that forbids the cheap start."""
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
        first = pool.submit(telling.hold, 100).result(30)
        assert [first] * 5 == [pool.submit(work.pid).result(30) for _ in range(5)]
    with pytest.raises(ValueError, match="max_tasks_per_child"):
        ProcessPoolExecutor(1, mp_context=get_context("fork"), max_tasks_per_child=3)


def test_ours(caplog: pytest.LogCaptureFixture) -> None:
    """It is replaced between two calls; nothing is lost, nothing is said, and a counter tells."""
    pool, handed = ProcessBackend(1, max_tasks=10, max_growth=1 << 26), Handed()
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            tasks = [handed.task(work.double, n) for n in range(100)]
            for task in tasks:
                pool.submit(task)
            assert [2 * n for n in range(100)] == [task.future.result(30) for task in tasks]
    finally:
        pool.shutdown(wait=True)

    assert (0, 10) == pool.turnover()
    assert [] == caplog.records
    assert [] == said
