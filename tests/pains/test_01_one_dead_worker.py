"""Pain 1: one dead worker fails every future and breaks the pool (temporalio/sdk-python#245)."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.errors import WorkerDied
from tests import work
from tests.pains.support import standard

pytestmark = pytest.mark.full


def test_the_standard_way() -> None:
    """A death fails what ran beside it, what waited, and what comes after."""
    with standard() as pool:
        beside = pool.submit(work.nap, 5)
        fatal = pool.submit(work.kill_me)
        waiting = [pool.submit(work.double, n) for n in range(10)]
        futures: list[Future[Any]] = [beside, fatal, *waiting]
        for future in futures:
            with pytest.raises(BrokenProcessPool):
                future.result(20)
        with pytest.raises(BrokenProcessPool):
            pool.submit(work.double, 1)


def test_ours() -> None:
    """Only the task on that worker fails, and the error names it, the pid and the signal."""
    with AdaptiveExecutor(max_processes=2) as executor:
        pool = executor.options(backend="process")
        beside = pool.submit(work.nap, 0.5)
        fatal = pool.submit(work.kill_me)
        waiting = [pool.submit(work.double, n) for n in range(10)]
        with pytest.raises(WorkerDied, match=r"SIGKILL.*kill_me") as caught:
            fatal.result(20)

        assert caught.value.pid
        assert [2 * n for n in range(10)] == [future.result(20) for future in waiting]
        assert 0.5 == beside.result(20)
        assert 2 == pool.submit(work.double, 1).result(20)
