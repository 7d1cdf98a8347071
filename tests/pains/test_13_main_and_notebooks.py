"""Pain 13: functions in notebooks and `__main__` (jupyter/notebook#5261, alex-sherman/unsync#50)."""

from __future__ import annotations

from pathlib import Path

import pytest

from adaptive_exec.backends.processes.main_guard import UNGUARDED
from tests.pains.support import ends_within, program

pytestmark = pytest.mark.full

CELLS = """
import code, sys
shell = code.InteractiveConsole(vars(sys.modules["__main__"]))
shell.runcode(compile('''
FACTOR = 3
class Point:
    def __init__(self, x):
        self.x = x
def scale(point):
    return Point(point.x * FACTOR)
''', "<cell 1>", "exec"))
"""

STANDARD = (
    CELLS
    + """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
    try:
        print(pool.submit(scale, Point(2)).result(20).x)
    except Exception as error:
        print(type(error).__name__)
"""
)

OURS = (
    CELLS
    + """
from adaptive_exec import AdaptiveExecutor
with AdaptiveExecutor(max_processes=1) as executor:
    pool = executor.options(backend="process")
    found = pool.submit(scale, Point(2)).result(20)
    FACTOR = 5
    again = pool.submit(scale, Point(2)).result(20)
    print(found.x, again.x, isinstance(found, Point))
"""
)

UNGUARDED_OURS = """
from adaptive_exec import AdaptiveExecutor
with AdaptiveExecutor(max_processes=1, mp_context="spawn") as executor:
    try:
        print(executor.options(backend="process").submit(abs, -3).result(20))
    except RuntimeError as error:
        print(error)
"""


def test_the_standard_way() -> None:
    """A worker has another `__main__`, in which the function is missing."""
    with program(STANDARD) as running:
        assert ends_within(running, 40)
        assert running.stdout is not None
        assert "BrokenProcessPool\n" == running.stdout.read()


def test_ours() -> None:
    """The function and its class are sent by value, as they are now; results are of the very class."""
    with program(OURS) as running:
        assert ends_within(running, 20)
        assert running.stdout is not None
        assert "6 10 True\n" == running.stdout.read()


def test_a_missing_guard(tmp_path: Path) -> None:
    """Where workers import the main module, what is missing is named, once and soon."""
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED_OURS)
    with program(f"import os, sys; os.execv(sys.executable, [sys.executable, {str(script)!r}])") as running:
        assert ends_within(running, 20)
        assert running.stdout is not None
        assert f"{UNGUARDED}\n" == running.stdout.read()
