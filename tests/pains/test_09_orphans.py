"""Pain 9: workers live on after their parent was killed (cpython#111873, blacklanternsecurity/bbot#3203)."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.pains.support import gone_within, program

pytestmark = pytest.mark.full

STANDARD = """
import multiprocessing, sys, time
from concurrent.futures import ProcessPoolExecutor
from tests import work
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    pool.submit(work.say_and_wait, sys.argv[1])
    time.sleep(60)
"""

OURS = """
import sys, time
from adaptive_exec import AdaptiveExecutor
from tests import work
executor = AdaptiveExecutor(max_processes=1)
executor.options(backend="process").submit(work.say_and_wait, sys.argv[1])
time.sleep(60)
"""


def orphan_goes(script: str, note: Path) -> bool:
    """Whether the worker of a program that is killed while it works is gone within a second."""
    with program(script, str(note)) as running:
        end = time.monotonic() + 20
        while not (note.exists() and note.read_text()) and time.monotonic() < end:
            time.sleep(0.02)  # only the file system tells
        pid = int(note.read_text())
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        return gone_within(pid, 1.0)


def test_the_standard_way(tmp_path: Path) -> None:
    """A busy worker does not notice that its parent is gone."""
    assert not orphan_goes(STANDARD, tmp_path / "pid")


def test_ours(tmp_path: Path) -> None:
    """Workers follow their parent, busy or not."""
    assert orphan_goes(OURS, tmp_path / "pid")
