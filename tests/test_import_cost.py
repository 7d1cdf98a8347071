"""`import adaptive_exec` is cheap: what it loads and starts. How long it takes: `bench/import_time.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

PROBE = """
import json, sys, threading
import asyncio, concurrent.futures
before = set(sys.modules)
import adaptive_exec
children = open('/proc/thread-self/children').read().split() if sys.platform == 'linux' else []
print(json.dumps({
    'loaded': sorted(set(sys.modules) - before),
    'threads': [t.name for t in threading.enumerate()],
    'tasks': len(__import__('os').listdir('/proc/self/task')) if sys.platform == 'linux' else 1,
    'children': children,
}))
"""


def probe() -> dict[str, Any]:
    """What a fresh interpreter that imports the library has loaded and started."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE], capture_output=True, text=True, check=True, timeout=50
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_starts_nothing() -> None:
    """No thread, of Python's or of the system's, and no process."""
    found = probe()

    assert ["MainThread"] == found["threads"]
    assert 1 == found["tasks"]
    assert [] == found["children"]


def test_it_loads_only_itself() -> None:
    """Everything heavy waits for its first use, the library's own parts too."""
    loaded = set(probe()["loaded"])
    ours = {name for name in loaded if name.partition(".")[0] == "adaptive_exec"}

    assert {name.partition(".")[0] for name in loaded} <= {"adaptive_exec", "__future__", "typing", "_typing"}
    assert len(ours) <= 3, f"loaded before anything was used: {sorted(ours)}"


def test_errors_come_without_the_rest() -> None:
    """An `except` clause at the top of a program costs one small module."""
    source = (
        "import sys, adaptive_exec.errors; print('multiprocessing' in sys.modules, 'asyncio' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=50
    )

    assert "False False" == done.stdout.strip()


def test_a_worker_loads_what_it_needs() -> None:
    """Everybody waits for the first one; what only some calls need comes with them."""
    source = (
        "import sys, adaptive_exec.platform.forkserver_main, adaptive_exec.backends.processes.worker;"
        "print(*(name for name in sys.argv[1:] if name in sys.modules))"
    )
    heavy = [
        "logging",
        "traceback",
        "multiprocessing",
        "concurrent.futures",
        "asyncio",
        "subprocess",
        "inspect",
        "dataclasses",
        "cloudpickle",
        "ctypes",
    ]
    if sys.version_info < (3, 14):  # which loads it for `typing`
        heavy.append("ast")
    done = subprocess.run(
        [sys.executable, "-I", "-c", source, *heavy],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )

    assert [] == done.stdout.split()
