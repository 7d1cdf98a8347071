"""Pain 3: a timeout does not stop the task (bpo-11724, joblib/loky#176)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.errors import TaskTimeout
from tests import work
from tests.pains.support import gone_within, standard

pytestmark = pytest.mark.full


def test_the_standard_way(tmp_path: Path) -> None:
    """The waiter gives up, and the task keeps its process."""
    with standard(1) as pool:
        future = pool.submit(work.say_and_wait, str(tmp_path / "pid"))
        with pytest.raises(TimeoutError):
            future.result(2)
        pid = int((tmp_path / "pid").read_text())
        assert not future.cancel()
        assert not gone_within(pid, 0.5)
        os.kill(pid, signal.SIGKILL)


def test_ours(tmp_path: Path) -> None:
    """The process is ended within half a second and replaced; nobody else notices."""
    with AdaptiveExecutor(max_processes=1) as executor:
        pool = executor.options(backend="process")
        assert 2 == pool.submit(work.double, 1).result(20)
        future = pool.options(timeout=0.5).submit(work.say_and_wait, str(tmp_path / "pid"))
        with pytest.raises(TaskTimeout):
            future.result(5)
        assert gone_within(int((tmp_path / "pid").read_text()), 0.5)
        assert 2 == pool.submit(work.double, 1).result(20)
