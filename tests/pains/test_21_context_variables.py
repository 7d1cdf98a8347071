"""Pain 21: context variables are lost (cpython#78195, fastapi/fastapi#2776)."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from adaptive_exec import AdaptiveExecutor

REQUEST: contextvars.ContextVar[str] = contextvars.ContextVar("REQUEST", default="none")


def of_request(executor: Executor) -> str:
    """What a call sees of the request that it belongs to."""
    token = REQUEST.set("seven")
    try:
        return executor.submit(REQUEST.get).result(20)
    finally:
        REQUEST.reset(token)


def test_the_standard_way() -> None:
    """Nothing."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(int).result(20)  # its thread is there already
        assert "none" == of_request(executor)


@pytest.mark.parametrize("calls", [1, 200])
def test_ours(calls: int) -> None:
    """What its submitter set, however often it was called before; and it sets nothing for others."""
    with AdaptiveExecutor(max_processes=1) as executor:
        for _ in range(calls):
            assert "none" == executor.submit(REQUEST.get).result(20)
        assert "seven" == of_request(executor)
        executor.submit(REQUEST.set, "eight").result(20)
        assert "none" == executor.submit(REQUEST.get).result(20)


def test_ours_in_coroutines() -> None:
    """On the library's loop as well."""

    async def see() -> str:
        await asyncio.sleep(0)
        return REQUEST.get()

    with AdaptiveExecutor(max_processes=1) as executor:
        token = REQUEST.set("seven")
        future = executor.submit(see)
        REQUEST.reset(token)
        assert "seven" == future.result(20)
