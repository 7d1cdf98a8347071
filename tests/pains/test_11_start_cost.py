"""Pain 11: start cost of spawn and forkserver (cpython#137996, spacetx/starfish#2055)."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from adaptive_exec import AdaptiveExecutor
from tests import work

pytestmark = pytest.mark.full


def test_the_standard_way() -> None:
    """A pool for each piece of work, as in many programs, starts its processes anew each time."""
    pids = []
    for _ in range(2):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pids.append(pool.submit(work.pid).result(30))

    assert pids[0] != pids[1]


def test_ours() -> None:
    """Workers stay warm: the second task starts no process, however it is asked for."""
    with AdaptiveExecutor(max_processes=1) as executor:
        first = executor.options(backend="process").submit(work.pid).result(20)
        later = [executor.options(backend="process").submit(work.pid).result(20) for _ in range(5)]

    assert os.getpid() != first
    assert {first} == set(later)
