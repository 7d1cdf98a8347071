"""Pain 26: segments of shared memory that leak, are destroyed early, and are complained of (cpython#82300)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.pains.support import program

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="shared memory has names elsewhere"),
]

STANDARD = """
import os, subprocess, sys, time
from multiprocessing import shared_memory
segment = shared_memory.SharedMemory(create=True, size=1 << 20)
reader = "import sys; from multiprocessing import shared_memory; shared_memory.SharedMemory(sys.argv[1]).close()"
subprocess.run([sys.executable, "-c", reader, segment.name], check=True)
end = time.monotonic() + 10
while os.path.exists("/dev/shm/" + segment.name) and time.monotonic() < end:
    time.sleep(0.02)  # the reader's tracker is a process of its own, and takes its time
print("there" if os.path.exists("/dev/shm/" + segment.name) else "destroyed")
segment.close()
"""

OURS = """
import os, sys
from adaptive_exec import AdaptiveExecutor
from tests import telling
with AdaptiveExecutor(max_processes=1) as executor:
    array = executor.options(backend="process").submit(telling.make_array, 1 << 20).result()
print("there" if int(array.sum()) == 1 << 20 else "destroyed")
"""

KILLED = """
import sys, time
from adaptive_exec import AdaptiveExecutor
from tests import telling
executor = AdaptiveExecutor(max_processes=1)
pool = executor.options(backend="process")
arrays = [pool.submit(telling.make_array, 1 << 22).result() for _ in range(3)]
sent = pool.submit(telling.total_of, arrays[0]).result()
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def _numpy() -> None:
    """Arrays are needed."""
    pytest.importorskip("numpy")


def shared() -> set[str]:
    """What has a name in shared memory."""
    return set(os.listdir("/dev/shm"))


def test_the_standard_way() -> None:
    """Whoever has looked at a segment destroys it when it ends, and complains of that."""
    with program(STANDARD) as running:
        output, complaint = running.communicate(timeout=40)

    assert "destroyed" == output.strip()
    assert "resource_tracker" in complaint


@pytest.mark.usefixtures("_numpy")
def test_ours() -> None:
    """A result outlives its worker and its executor, and nobody complains."""
    with program(OURS) as running:
        output, complaint = running.communicate(timeout=40)

    assert "there" == output.strip()
    assert "" == complaint


@pytest.mark.usefixtures("_numpy")
def test_ours_after_a_kill() -> None:
    """Nothing that has a name is left by a program that was killed with arrays in its hands."""
    before = shared()
    with program(KILLED) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert "ready" == running.stdout.readline().strip()
        assert before >= shared(), "it has no name while it is used either"
        os.kill(running.pid, signal.SIGKILL)
        running.wait(20)
        complaint = running.stderr.read()

    assert "" == complaint
    assert before >= shared()
