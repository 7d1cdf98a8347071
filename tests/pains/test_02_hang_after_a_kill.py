"""Pain 2: a hang for ever after a worker was killed (cpython#87971, cpython#10441, birdnet-team/birdnet#83)."""

from __future__ import annotations

import multiprocessing

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.errors import WorkerDied
from tests import work

pytestmark = pytest.mark.full


def test_the_standard_way() -> None:
    """The result of a killed worker's task never comes, and nobody says so."""
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        lost = pool.apply_async(work.kill_me)
        with pytest.raises(multiprocessing.TimeoutError):
            lost.get(3)


def test_ours() -> None:
    """The death is noticed at once, and the pool serves on."""
    with AdaptiveExecutor(max_processes=1) as executor:
        pool = executor.options(backend="process")
        with pytest.raises(WorkerDied):
            pool.submit(work.kill_me).result(3)
        assert 2 == pool.submit(work.double, 1).result(20)
