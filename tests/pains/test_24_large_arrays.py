"""Pain 24: large arrays are pickled (cpython#89467, joblib/joblib#1094)."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from tests import telling
from tests.pains.support import standard

np = pytest.importorskip("numpy")

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux counts what is written"),
]

SIZE = 16 << 20


def written() -> int:
    """Bytes that this process has handed to the system in writing."""
    with open("/proc/self/io", encoding="ascii") as file:
        return int(dict(line.split(": ") for line in file)["wchar"])


def written_there_and_back(pool: Any) -> tuple[int, int]:
    """How many bytes are written here to send an array, and by the worker to send one back."""
    array = np.arange(SIZE // 8)
    pool.submit(telling.total_of, array[:10]).result(30)

    before = written()
    assert int(array.sum()) == pool.submit(telling.total_of, array).result(30)
    there = written() - before

    before = pool.submit(telling.written).result(30)
    assert SIZE == pool.submit(telling.make_array, SIZE).result(30).nbytes
    back = pool.submit(telling.written).result(30) - before
    return there, back


def test_the_standard_way() -> None:
    """Every byte goes through a pipe, both ways."""
    with standard(1) as pool:
        there, back = written_there_and_back(pool)

    assert there >= SIZE
    assert back >= SIZE


def test_ours() -> None:
    """The array lies in memory that both see; only a note of it is sent."""
    with AdaptiveExecutor(max_processes=1) as executor:
        there, back = written_there_and_back(executor.options(backend="process"))

    assert there < SIZE // 100
    assert back < SIZE // 100
