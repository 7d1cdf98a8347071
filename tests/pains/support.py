"""What the tests of the pains share: the standard library's way beside ours, each as a program of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path


def standard(workers: int = 2) -> ProcessPoolExecutor:
    """The standard pool, with the start method that is closest to ours."""
    return ProcessPoolExecutor(workers, mp_context=get_context("forkserver"))


@contextmanager
def program(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A user's program in a process group of its own; whatever is left of the group at the end is killed.

    What the standard library then leaves in shared memory and temp is swept, since the tests look for ours.
    """
    before = _left_by_the_standard_library()
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        cwd=os.getcwd(),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    ) as running:
        try:
            yield running
        finally:
            try:
                os.killpg(running.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    for path in _left_by_the_standard_library() - before:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _left_by_the_standard_library() -> set[Path]:
    """Named semaphores and folders of multiprocessing's."""
    return {*Path("/dev/shm").glob("sem.mp-*"), *Path(tempfile.gettempdir()).glob("pymp-*")}


def ends_within(running: subprocess.Popen[str], seconds: float) -> bool:
    """Whether a program ends by itself in that time."""
    try:
        running.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def gone_within(pid: int, seconds: float) -> bool:
    """Whether a process is gone in that time; a zombie is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except (
            FileNotFoundError,
            ProcessLookupError,
        ):  # the one before it is opened, the other before it is read
            return True
        time.sleep(0.02)  # nobody tells us of the end of somebody else's child
    return False
