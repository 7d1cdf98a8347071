"""The fork server: children start, are told apart, and never outlive their parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adaptive_exec.platform.forkserver import Child, ForkServer, available

pytestmark = pytest.mark.skipif(not available(), reason="needs fork and descriptor passing")


def child_main(payload: bytes, fds: list[int]) -> None:
    """What the children of these tests do."""
    channel = socket.socket(fileno=fds[0])
    channel.sendall(payload.upper())
    if payload == b"stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if payload in (b"wait", b"stubborn"):
        channel.sendall(b"!")
        channel.recv(1)
    if payload == b"exit":
        sys.exit(7)


def tell_of_modules(payload: bytes, fds: list[int]) -> None:
    """Say whether a module is there."""
    socket.socket(fileno=fds[0]).sendall(b"yes" if payload.decode() in sys.modules else b"no")


@pytest.fixture
def server() -> Iterator[ForkServer]:
    """A server that has not been started."""
    made = ForkServer(f"{__name__}:child_main")
    yield made
    made.close()


def fork(server: ForkServer, payload: bytes) -> tuple[Child, socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        return server.fork(payload, [theirs.fileno()]), ours


def test_a_child_gets_its_payload_and_descriptors(server: ForkServer) -> None:
    """It answers on the descriptor it was given, and its exit is seen."""
    child, channel = fork(server, b"hello")
    with channel:
        assert b"HELLO" == channel.recv(100)
    assert child.poll(10)
    assert 0 == child.exitcode
    child.close()


@pytest.mark.parametrize(("payload", "number", "code"), [(b"exit", None, 7), (b"wait", signal.SIGKILL, -9)])
def test_exit_codes(server: ForkServer, payload: bytes, number: int | None, code: int) -> None:
    """Exit codes and signals are told as subprocess tells them."""
    child, channel = fork(server, payload)
    with channel:
        if number is not None:
            assert not child.poll()
            child.signal(number)
        assert child.poll(10)
    assert code == child.exitcode
    child.signal(signal.SIGTERM)  # an ended child is not signalled, whoever has its pid now
    child.close()


def test_what_is_preloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first child finds it, and what can't be had is passed over."""
    (tmp_path / "heavy.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    server = ForkServer(f"{__name__}:tell_of_modules", ["there_is_no_such_module", "heavy"])
    child, channel = fork(server, b"heavy")
    with channel:
        said = channel.recv(100)
    assert child.poll(10)
    child.close()
    server.close()

    assert b"yes" == said


def test_server_killed(server: ForkServer) -> None:
    """A server that was killed is replaced on the next request."""
    first, channel = fork(server, b"hello")
    channel.close()
    first.poll(10)
    first.close()
    before = server.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)

    second, channel = fork(server, b"hello")
    with channel:
        assert b"HELLO" == channel.recv(100)
    assert before != server.pid
    second.poll(10)
    second.close()


def test_close_ends_children(server: ForkServer) -> None:
    """Children that ignore a polite request are ended all the same, within the grace."""
    child, channel = fork(server, b"stubborn")
    with channel:
        received = b""
        while not received.endswith(b"!"):
            received += channel.recv(100)
        started = time.monotonic()
        server.close()
        assert child.poll(10)
    assert time.monotonic() - started < 5
    child.close()


PARENT = """
import os, signal, socket, sys
from adaptive_exec.platform.forkserver import ForkServer
server = ForkServer("tests.platform.test_forkserver:child_main")
ours, theirs = socket.socketpair()
child = server.fork(b"wait", [theirs.fileno()])
theirs.close()
received = b""
while not received.endswith(b"!"):
    received += ours.recv(100)
print(child.pid, server.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_children_follow_the_parent() -> None:
    """When the parent is killed, its server and a computing child are gone within a second or two."""
    done = subprocess.run(
        [sys.executable, "-c", PARENT], capture_output=True, text=True, timeout=30, cwd=os.getcwd()
    )
    pids = [int(word) for word in done.stdout.split()]
    assert 2 == len(pids), done.stderr

    end = time.monotonic() + 3
    while time.monotonic() < end and any(map(_runs, pids)):
        time.sleep(0.02)  # nobody tells us of the end of somebody else's child
    assert [] == [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
