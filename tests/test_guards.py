"""The guards of `conftest.py` find what they look for."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import pytest

from tests import guards

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /dev/shm")


def test_a_child_is_found_and_named() -> None:
    """A child that still runs is reported with its pid."""
    before = guards.Footprint.now()
    child = get_context("spawn").Process(target=time.sleep, args=(30,))
    child.start()
    try:
        left = guards.Footprint.left_since(before, grace=0)
    finally:
        child.kill()
        child.join()

    assert any(str(child.pid) in text for text in left)


@linux_only
def test_a_zombie_is_found() -> None:
    """A child that ended and was not waited for is reported."""
    before = guards.Footprint.now()
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # type: ignore[attr-defined,unused-ignore]
        left = guards.Footprint.left_since(before, grace=0)
    finally:
        child.wait()

    assert [f"process {child.pid} (zombie)"] == left


@linux_only
def test_an_orphan_is_found() -> None:
    """A grandchild whose parent died is reported, though it is init's child by then."""
    before = guards.Footprint.now()
    source = (
        "import subprocess, sys\n"
        "child = [sys.executable, '-c', 'import sys; sys.stdin.read()']\n"
        "print(subprocess.Popen(child, stdout=subprocess.DEVNULL).pid)"
    )
    read, write = os.pipe()
    with open(write, "wb"), open(read, "rb") as stdin:
        done = subprocess.run([sys.executable, "-c", source], stdin=stdin, stdout=subprocess.PIPE, check=True)
        left = guards.Footprint.left_since(before, grace=0.1)

    assert [text for text in left if text.startswith(f"process {int(done.stdout)} ")]


def test_a_thread_is_found() -> None:
    """A thread that outlives its test is reported by name."""
    before = guards.Footprint.now()
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait, name="adaptive-exec-lost", daemon=True)
    thread.start()
    left = guards.Footprint.left_since(before, grace=0)
    gate.set()
    thread.join()

    assert ["thread 'adaptive-exec-lost'"] == left


@linux_only
def test_a_shared_memory_object_is_found() -> None:
    """A segment that is not unlinked is reported."""
    before = guards.Footprint.now()
    segment = SharedMemory(create=True, size=16)
    left = guards.Footprint.left_since(before, grace=0)
    segment.close()
    segment.unlink()

    assert [f"shared memory {segment.name!r}"] == left


def test_a_temp_file_is_found() -> None:
    """A file that stays in the temp folder is reported."""
    before = guards.Footprint.now()
    with tempfile.NamedTemporaryFile() as file:
        left = guards.Footprint.left_since(before, grace=0)

    assert [f"temp file {Path(file.name).name!r}"] == left


def test_the_servers_of_multiprocessing_may_stay() -> None:
    """The resource tracker is known by its pid and may live until exit."""
    before = guards.Footprint.now()
    child = get_context("spawn").Process(target=int)
    child.start()
    child.join()
    child.close()

    assert [] == guards.Footprint.left_since(before)


@pytest.mark.blocks_loop("it shows that blocking is found")
def test_a_blocked_loop_is_found_even_if_the_error_is_swallowed() -> None:
    """A blocking call on a running loop raises, and is remembered when somebody catches that."""

    async def block() -> None:
        try:
            time.sleep(0.001)
        except guards.LoopBlocked:
            pass

    with guards.watched_loops() as seen:
        asyncio.run(block())

    assert 1 == len(seen)
    assert "time.sleep" in seen[0]


def test_a_thread_may_block() -> None:
    """Blocking beside a loop, not on it, is fine."""
    asyncio.run(asyncio.to_thread(time.sleep, 0.001))
