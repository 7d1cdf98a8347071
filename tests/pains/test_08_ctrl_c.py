"""Pain 8: Ctrl-C needs three presses, or never ends it (cpython#125886)."""

from __future__ import annotations

import os
import signal

import pytest

from tests.pains.support import ends_within, program

pytestmark = pytest.mark.full

STANDARD = """
import multiprocessing, time
from concurrent.futures import ProcessPoolExecutor
from tests import work
if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        future = pool.submit(work.stubborn, 30)
        while True:
            time.sleep(0.1)
"""

OURS = """
import time
from adaptive_exec import AdaptiveExecutor
from tests import work
with AdaptiveExecutor(max_processes=1) as executor:
    future = executor.options(backend="process").submit(work.stubborn, 30)
    while True:
        time.sleep(0.1)
"""


def interrupted(script: str) -> bool:
    """Whether one Ctrl-C, which the whole group gets as at a terminal, ends a program soon."""
    with program(script) as running:
        assert running.stdout is not None
        assert "begun\n" == running.stdout.readline()
        os.killpg(running.pid, signal.SIGINT)
        return ends_within(running, 5)


def test_the_standard_way() -> None:
    """The end of the `with` waits for a task that won't be interrupted."""
    assert not interrupted(STANDARD)


def test_ours() -> None:
    """One Ctrl-C ends it, whatever its tasks think of that."""
    assert interrupted(OURS)
