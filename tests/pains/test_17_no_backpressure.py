"""Pain 17: `submit` has no backpressure (cpython#73781, rohanpm/more-executors#333)."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Executor, ThreadPoolExecutor

from adaptive_exec import AdaptiveExecutor

MOST = 10


def accepted(executor: Executor) -> int:
    """How many calls are taken while nothing gets done."""
    gate, count, many = threading.Event(), 0, threading.Event()

    def submit() -> None:
        nonlocal count
        for _ in range(1_000):
            executor.submit(gate.wait, 20)
            count += 1
            if count > MOST:
                many.set()

    submitting = threading.Thread(target=submit)
    submitting.start()
    many.wait(0.3)
    so_far = count
    gate.set()
    submitting.join(60)
    return so_far


def test_the_standard_way() -> None:
    """All there are, until memory ends."""
    with ThreadPoolExecutor(2) as executor:
        assert accepted(executor) > MOST


def test_ours() -> None:
    """As many as may be pending: who submits more waits."""
    with AdaptiveExecutor(max_processes=1, max_pending=MOST) as executor:
        assert MOST == accepted(executor)


def test_ours_on_a_loop() -> None:
    """There others go on meanwhile."""

    async def main() -> int:
        gate, turns = threading.Event(), 0
        async with AdaptiveExecutor(max_processes=1, max_pending=MOST) as executor:
            futures = [executor.submit(gate.wait, 20) for _ in range(2 * MOST)]
            for _ in range(50):
                await asyncio.sleep(0.001)
                turns += 1
            assert not any(future.running() for future in futures[MOST:])
            gate.set()
            assert all(await asyncio.gather(*futures))
        return turns

    assert 50 == asyncio.run(main())
