"""Pain 24: large arrays are pickled (cpython#89467, joblib/joblib#1094)."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from tests import telling
from tests.pains.support import standard

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux counts what is read"),
]

SIZE = 16 << 20


def read_there_and_back(pool: Any) -> tuple[int, int]:
    """How many bytes the worker has to read to get an array, and this process to get one back."""
    array = pytest.importorskip("numpy").arange(SIZE // 8)
    pool.submit(telling.total_of, array[:10]).result(30)

    before = pool.submit(telling.bytes_read).result(30)
    assert int(array.sum()) == pool.submit(telling.total_of, array).result(30)
    there = pool.submit(telling.bytes_read).result(30) - before

    before = telling.bytes_read()
    assert SIZE == pool.submit(telling.make_array, SIZE).result(30).nbytes
    return there, telling.bytes_read() - before


def test_the_standard_way() -> None:
    """Every byte goes through a pipe, both ways."""
    with standard(1) as pool:
        there, back = read_there_and_back(pool)

    assert there >= SIZE
    assert back >= SIZE


def test_ours() -> None:
    """The array lies in memory that both see; only a note of it is sent."""
    with AdaptiveExecutor(max_processes=1) as executor:
        there, back = read_there_and_back(executor.options(backend="process"))

    assert there < SIZE // 100
    assert back < SIZE // 100
