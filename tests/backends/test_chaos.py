"""Workers are killed at random under load: nothing is lost, nothing comes twice, nothing is left behind."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.platform.forkserver import available
from tests import nesting, work

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(
        sys.platform != "linux" or not available(), reason="what is left behind is read from /proc"
    ),
]

WINDOW = 200
KILL_EVERY = 0.1


def call(n: int) -> tuple[Any, Any, Any]:
    """The n-th call, and what it gives: brief, computing, asleep, with small or large data, or with calls of its own.

    The functions are in a module that a worker imports in less time than it is given to live.
    """
    kind = n % 20
    if kind == 0:
        return work.nap, 0.01 + n / 1e9, 0.01 + n / 1e9
    if kind == 1:
        return work.compute, 30_000 + n % 7, work.compute(30_000 + n % 7)
    if kind in (2, 3):
        data = bytes([n % 256]) * 200_000
        return work.double, data, data + data
    if kind == 4:
        return nesting.squares, 1 + n % 3, [0, 1, 4][: 1 + n % 3]
    return work.double, n, n + n


def descriptors() -> dict[str, str]:
    """This process's own, with what they lead to."""
    found: dict[str, str] = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
    return found


def shared_memory() -> set[str]:
    """What has a name in memory, without the semaphores of other programs: this way makes none."""
    names = os.listdir("/dev/shm") if Path("/dev/shm").is_dir() else []
    return {name for name in names if not name.startswith("sem.")}


class Killer(threading.Thread):
    """Kills a random worker every moment."""

    def __init__(self, executor: AdaptiveExecutor, seed: int) -> None:
        super().__init__(daemon=True)
        self._pool = executor._dispatcher._processes
        self._random = random.Random(seed)
        self._over = threading.Event()
        self.kills = 0

    def run(self) -> None:
        while not self._over.wait(KILL_EVERY):
            pids = self._pool.pids()
            if pids:
                try:
                    os.kill(self._random.choice(pids), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.kills += 1

    def stop(self) -> None:
        self._over.set()
        self.join()


def play(seconds: float, seed: int) -> None:
    """Keep a window of calls under way for so long, and count what comes back."""
    with AdaptiveExecutor(max_processes=1) as first:  # what lives as long as this process is made now
        assert 4 == first.options(backend="process").submit(pow, 2, 2).result(20)
    before, memory, files = descriptors(), shared_memory(), set(os.listdir(os.environ["TMPDIR"]))
    delivered: Counter[int] = Counter()
    lock, room = threading.Lock(), threading.Semaphore(WINDOW)
    futures: dict[int, tuple[Any, Any]] = {}
    with AdaptiveExecutor(max_processes=3) as executor:
        forced = executor.options(backend="process", retries=1000)
        killer = Killer(executor, seed)
        killer.start()
        end, n = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            assert room.acquire(timeout=20), "nothing comes back any more"
            function, argument, expected = call(n)
            future = forced.submit(function, argument)
            futures[n] = future, expected

            def tell(_: object, n: int = n) -> None:
                with lock:
                    delivered[n] += 1
                room.release()

            future.add_done_callback(tell)
            if n % 50 == 0:
                future.result(20)  # somebody attends every now and then
            n += 1
        killer.stop()
        assert [] == [number for number, (future, value) in futures.items() if future.result(20) != value]
        futures.clear()
    assert [] == executor._dispatcher._processes.pids()
    assert {1} == set(delivered.values())
    assert n == len(delivered)
    assert killer.kills >= seconds / KILL_EVERY / 3
    assert [] == sorted(where for fd, where in descriptors().items() if fd not in before)
    assert shared_memory() <= memory
    assert set(os.listdir(os.environ["TMPDIR"])) <= files


def test_random_kills() -> None:
    """Three seconds of it."""
    play(3.0, seed=1)


@pytest.mark.stress
@pytest.mark.parametrize("seed", [2, 3])
def test_random_kills_for_long(seed: int) -> None:
    """Twenty seconds of it."""
    play(20.0, seed)
