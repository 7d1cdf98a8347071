"""The demo's page server: what it answers, and when it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator

import pytest

from adaptive_exec.cli import workloads
from adaptive_exec.cli.server import DELAY, PageServer
from adaptive_exec.cli.sources import stdlib_modules

pytestmark = pytest.mark.full  # a plain server, the same on every Python


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    """One running server for the tests that only ask it."""
    with PageServer() as running:
        yield running


def test_page_is_the_module_after_the_delay(server: PageServer) -> None:
    """A page is a module's own bytes, and takes at least as long as promised."""
    path = stdlib_modules()[3]
    start = time.perf_counter()

    status, size, _ = workloads.fetch_page(f"{server.url}/3")

    assert (status, size) == (200, path.stat().st_size)
    assert time.perf_counter() - start >= DELAY * 0.9


@pytest.mark.parametrize("page", ["/../../etc/passwd", "/99999", "/", "/-1"])
def test_nothing_else_is_served(server: PageServer, page: str) -> None:
    """What is no module's number is not found."""
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        workloads.fetch_page(server.url + page)
    refused.value.close()


def test_close_ends_the_process() -> None:
    """After the `with` block its process is gone, and closing again is harmless."""
    with PageServer() as running:
        assert running.pid is not None

    assert running.pid is None
    running.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_server_ends_when_its_parent_is_killed() -> None:
    """It inherits our standard error; we read its end only once the server is gone too."""
    code = "import sys\nfrom adaptive_exec.cli.server import PageServer\n"
    code += "with PageServer() as server:\n    print(server.url, flush=True)\n    sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith(b"http://127.0.0.1:")

        parent.kill()
        _, errors = parent.communicate(timeout=10)

    assert parent.returncode == -signal.SIGKILL
    assert errors == b""
