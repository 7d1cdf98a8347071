"""Pain 28: can't see who holds the GIL (dask/distributed#7290, benfred/py-spy#113)."""

from __future__ import annotations

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.platform.thread_states import open_this_thread

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(
        sys.platform != "linux" or open_this_thread() is None or not gil_enabled(),
        reason="needs a GIL, and Linux's /proc to see who holds it",
    ),
]

BLOCK = b"x" * (4 << 20)
TEXT = json.dumps([{"a": n, "b": str(n)} for n in range(20_000)])
CALLS = 16


def digest() -> str:
    """Computes without the GIL."""
    return hashlib.sha256(BLOCK).hexdigest()


def parse() -> int:
    """Computes with it, in one long call of C code."""
    return len(json.loads(TEXT))


def test_the_standard_way() -> None:
    """A pool says what came of the calls, and nothing of the calls."""
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(fn) for _ in range(CALLS) for fn in (digest, parse)]
        assert all(future.result(60) for future in futures)

    assert not hasattr(pool, "stats")


def test_ours() -> None:
    """For each function it is known for how much of its time it holds the GIL, and `stats()` shows it."""
    with AdaptiveExecutor(max_processes=1) as executor:
        view = executor.options(backend="thread")
        for _ in range(CALLS):
            for fn in (digest, parse):
                view.submit(fn).result(60)
        known = {each.name: each.profile.gil_ratio for each in executor.stats().functions}
        table = str(executor.stats())

    assert known["digest"] is not None
    assert known["digest"] < 0.5
    assert known["parse"] is not None
    assert known["parse"] > 0.5
    assert "GIL %" in table
