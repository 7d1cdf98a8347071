"""Pain 7: the interpreter hangs at exit (cpython#80961, cpython#86575, cpython#152967)."""

from __future__ import annotations

import pytest

from tests.pains.support import ends_within, program

pytestmark = pytest.mark.full

STANDARD = """
import multiprocessing
from tests import work
if __name__ == "__main__":
    pool = multiprocessing.get_context("forkserver").Pool(1)
    pool.apply_async(work.kill_me)
    pool.close()
    pool.join()
"""

OURS = """
from adaptive_exec import AdaptiveExecutor
from tests import work
executor = AdaptiveExecutor(max_processes=1)
executor.options(backend="process").submit(work.kill_me)
"""


def test_the_standard_way() -> None:
    """A program whose task was lost with its worker never ends."""
    with program(STANDARD) as running:
        assert not ends_within(running, 4)


def test_ours() -> None:
    """The program ends by itself, without a shutdown."""
    with program(OURS) as running:
        assert ends_within(running, 10)
        assert 0 == running.returncode
