"""Pain 15: exceptions silently lost (cpython#120508)."""

from __future__ import annotations

import gc
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from adaptive_exec import AdaptiveExecutor, TaskGroup
from tests.backends.support import until


def lose(executor: Executor) -> None:
    """Fire and forget."""
    executor.submit(int, "no number")


def test_the_standard_way(caplog: pytest.LogCaptureFixture) -> None:
    """It is as if nothing had happened."""
    with ThreadPoolExecutor(1) as executor:
        lose(executor)
    gc.collect()
    assert not caplog.records


def test_ours(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, once, with what was raised."""
    with AdaptiveExecutor(max_processes=1) as executor:
        lose(executor)

    def told() -> bool:
        gc.collect()
        return bool(caplog.records)

    until(told)
    (record,) = caplog.records
    assert "int failed" in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


def test_ours_in_a_group(caplog: pytest.LogCaptureFixture) -> None:
    """There nothing can be lost: the block raises all of it, and then it is not logged as well."""

    def fail() -> None:
        with AdaptiveExecutor(max_processes=1) as executor, TaskGroup(executor) as group:
            group.submit(int, "no number")

    with pytest.raises(ExceptionGroup) as caught:
        fail()
    assert [ValueError] == [type(error) for error in caught.value.exceptions]
    del caught
    gc.collect()
    assert not caplog.records
