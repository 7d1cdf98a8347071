"""Pain 10: fork in a process with threads deadlocks (cpython#84559, zarr-developers/zarr-python#766)."""

from __future__ import annotations

import pytest

from tests.pains.support import ends_within, program

pytestmark = pytest.mark.full

HOLDER = """
import multiprocessing, threading, warnings
warnings.simplefilter("ignore")
from tests import work
held, done = threading.Event(), threading.Event()
def hold():
    with work.GUARD:
        held.set()
        done.wait()
"""

STANDARD = (
    HOLDER
    + """
from concurrent.futures import ProcessPoolExecutor
if __name__ == "__main__":
    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        print(pool.submit(work.guarded, 2).result())
"""
)

OURS = (
    HOLDER
    + """
from adaptive_exec import AdaptiveExecutor
threading.Thread(target=hold, daemon=True).start()
held.wait()
with AdaptiveExecutor(max_processes=1) as executor:
    print(executor.options(backend="process").submit(work.guarded, 2).result())
"""
)


def test_the_standard_way() -> None:
    """The child has a copy of a lock that a thread held, and no thread that would release it."""
    with program(STANDARD) as running:
        assert not ends_within(running, 4)


def test_ours() -> None:
    """Workers are never forked from a process that has threads."""
    with program(OURS) as running:
        assert ends_within(running, 15)
        assert running.stdout is not None
        assert "4\n" == running.stdout.read()
