"""Pain 27: queues bound to one event loop (aio-libs/janus#691, aio-libs/janus#352)."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from adaptive_exec import Queue


def test_the_standard_way() -> None:
    """The second loop that has to wait for an item is refused."""
    queue: asyncio.Queue[int] = asyncio.Queue()

    async def get() -> int:
        async with asyncio.timeout(0.01):
            return await queue.get()

    with pytest.raises(TimeoutError):
        asyncio.run(get())
    with pytest.raises(RuntimeError, match="different event loop"):
        asyncio.run(get())


@pytest.mark.blocks_loop("a barrier holds all until each of them waits for an item")
def test_ours() -> None:
    """Any number of loops, and threads, wait for the same one at once; each item is for one of them."""
    queue: Queue[int] = Queue()
    got: list[int] = []
    waiting = threading.Barrier(5)

    async def get() -> None:
        first = asyncio.ensure_future(queue.aio.get())
        await asyncio.sleep(0)
        waiting.wait(20)
        got.append(await first)

    def get_here() -> None:
        waiting.wait(20)
        got.append(queue.get(timeout=20))

    runs: list[Any] = [lambda: asyncio.run(get())] * 3 + [get_here]
    threads = [threading.Thread(target=run) for run in runs]
    for thread in threads:
        thread.start()
    waiting.wait(20)
    for n in range(4):
        queue.put(n)
    for thread in threads:
        thread.join(20)

    assert [0, 1, 2, 3] == sorted(got)
