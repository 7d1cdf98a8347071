"""Pain 20: a sync call or a hog blocks the loop (home-assistant/core#94236)."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest

from adaptive_exec import AdaptiveExecutor

pytestmark = [pytest.mark.full, pytest.mark.blocks_loop("that is the pain")]

HELD = 0.15
CALLS = 5


async def hogs() -> None:
    """Forgets that others want the loop."""
    time.sleep(HELD)


async def ticks(seconds: float) -> float:
    """The longest that the loop kept somebody waiting who wants it every millisecond."""
    longest, end = 0.0, time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - now)
    return longest


def test_the_standard_way() -> None:
    """Everybody on the loop waits, each time, and nobody says for whom."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    ticking = asyncio.run_coroutine_threadsafe(ticks(CALLS * HELD), loop)
    for _ in range(CALLS):
        asyncio.run_coroutine_threadsafe(hogs(), loop).result(20)
    longest = ticking.result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()

    assert longest >= HELD


def test_ours(caplog: pytest.LogCaptureFixture) -> None:
    """The hog is named, and once it is known its calls are in nobody's way."""
    with caplog.at_level(logging.WARNING, "adaptive_exec"), AdaptiveExecutor(max_processes=1) as executor:
        for _ in range(3):
            executor.submit(hogs).result(20)
        ticking = executor.submit(ticks, CALLS * HELD)
        for _ in range(CALLS):
            executor.submit(hogs).result(20)
        longest = ticking.result(20)

    assert longest < HELD
    assert ["hogs"] == [record.message.split()[1] for record in caplog.records]
