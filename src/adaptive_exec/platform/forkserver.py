"""A fork server of our own: a small single-threaded process from which workers are forked.

The standard library's does the same, but it listens on a named socket in a temporary folder, which a
SIGKILL leaves behind, and it imports the user's `__main__`. This one has no name at all: it is reached
by one end of a socket pair, gets the worker's descriptors over it, and is gone when the other end closes.

Guarantees:
    - The parent learns of each child its pid first and its wait status last, through a pipe of that
      child's own, so the pipe's read end serves as a sentinel.
    - When the parent dies, however it dies, the server ends its children: SIGTERM at once, SIGKILL after
      `GRACE_SECONDS`; then itself.
    - Nothing is forked from a threaded process, and no child inherits another child's descriptors.
Assumes:
    - The kernel closes a process's descriptors when it ends, so end-of-file is the sign of death. A child
      that the user forks from the parent would hold them open; `forget` closes them there.
State table of a child, as the server sees it:
    asked for -> running   forked; its pid has been written into its pipe
    running -> ended       reaped; its status has been written, its pipe closed
Races:
    - the parent dies between asking and being answered: the write fails, the child is ended with the rest:
      `tests/platform/test_forkserver.py::test_children_follow_the_parent`
    - the server dies: sentinels close without a status, and the next `fork` starts another server:
      `tests/platform/test_forkserver.py::test_server_killed`
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from multiprocessing import resource_tracker
from typing import Any

from . import forkserver_main
from .forks import run_in_forked_child
from .forkserver_main import GRACE_SECONDS, HEADER, NUMBER, readable

__all__ = ["Child", "ForkServer", "available"]

START_SECONDS = 60.0


def available() -> bool:
    """Whether this system can fork and pass descriptors."""
    return hasattr(os, "fork") and hasattr(socket, "send_fds") and hasattr(signal, "SIGCHLD")


class _ServerGoneError(OSError):
    """The fork server was killed, or never came up."""


class Child:
    """A forked process, seen from the parent."""

    def __init__(self, pid: int, sentinel: int) -> None:
        self.pid = pid
        self.sentinel = sentinel
        self.exitcode: int | None = None
        self._ended = False
        self._lock = threading.Lock()  # held while the status is read: it comes once

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Whether it has ended, waiting `timeout` seconds for that; None waits as long as it takes."""
        if self._ended:
            return True
        if not readable([self.sentinel], timeout):
            return False
        with self._lock:
            if self._ended:
                return True
            return self._read_status()

    def _read_status(self) -> bool:
        """Take in how it ended. Caller holds `_lock`."""
        data = os.read(self.sentinel, NUMBER.size)
        self._ended = True
        if not data:
            # The server died, and nobody watches over its children any more: this one must not go on either.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        if len(data) == NUMBER.size:
            self.exitcode = os.waitstatus_to_exitcode(NUMBER.unpack(data)[0])
        return True

    def signal(self, number: int) -> None:
        """Send a signal, if it has not ended. Its pid is not reused before the server has reaped it."""
        if not self.poll():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def close(self) -> None:
        """Give its descriptor back."""
        if self.sentinel >= 0:
            os.close(self.sentinel)
            self.sentinel = -1
            self._ended = True


class ForkServer:
    """The parent's handle on a fork server, which is started by the first `fork`.

    Args:
        entry: `module:function` that a child calls with its payload and its descriptors.
        preload: More modules that children find loaded. Before the first child: what the server loads after it has
            forked is written to pages that it shares with the children, who each keep a copy then.
    """

    def __init__(self, entry: str, preload: Sequence[str] = ()) -> None:
        self._orders = " ".join([entry, *preload])
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        run_in_forked_child(self.forget)

    def fork(self, payload: bytes, fds: Sequence[int]) -> Child:
        """Fork a child that runs `entry(payload, fds)`.

        Args:
            payload: Bytes for the child.
            fds: Descriptors that it gets; the caller keeps its own copies and may close them.

        Raises:
            OSError: The server can't be started or doesn't answer.
        """
        with self._lock:
            try:
                return self._ask(payload, fds)
            except _ServerGoneError:
                # It was killed, or never came up: once more with a new one.
                self._end()
                return self._ask(payload, fds)

    def start(self) -> None:
        """Start the server now, unless there is one, and don't wait for it: the first `fork` finds it further on.

        Raises:
            OSError: It can't be started.
        """
        with self._lock:
            if self._socket is None:
                self._start()

    def close(self) -> None:
        """End the server; children that still run are ended with it."""
        with self._lock:
            self._end()

    def forget(self) -> None:
        """In a forked copy of the parent: close what belongs to the parent, end nothing."""
        self._lock = threading.Lock()
        if self._process is not None:
            self._process.returncode = 0  # not this process's child: nothing to reap, nothing to warn about
            self._process = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def pid(self) -> int | None:
        """The server's process id, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def _start(self) -> socket.socket:
        """Start the server process."""
        ours, theirs = socket.socketpair()
        try:
            tracker: Any = resource_tracker.getfd()
            path = [entry for entry in sys.path if isinstance(entry, str)]
            code = (
                f"import sys; sys.path[:] = {path!r}; from {forkserver_main.__name__} import serve; "
                f"serve({theirs.fileno()}, {tracker})"
            )
            flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
            # A Ctrl-C may come before the server ignores it; it unblocks what is blocked here once it does.
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            try:
                self._process = subprocess.Popen(
                    [sys.executable, *flags, "-c", code],
                    pass_fds=[theirs.fileno(), tracker],
                    stdin=subprocess.DEVNULL,
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        text = self._orders.encode()
        ours.sendall(HEADER.pack(len(text), 0) + text)
        self._socket = ours
        return ours

    def _ask(self, payload: bytes, fds: Sequence[int]) -> Child:
        """One request and its answer."""
        server = self._socket or self._start()
        read, write = os.pipe()
        try:
            header = HEADER.pack(len(payload), len(fds) + 1)
            try:
                socket.send_fds(server, [header], [write, *fds])
                server.sendall(payload)
            except OSError as error:
                raise _ServerGoneError(str(error)) from error
            data = (
                os.read(read, NUMBER.size)
                if read in readable([read, server.fileno()], START_SECONDS)
                else b""
            )
            if len(data) != NUMBER.size:
                raise _ServerGoneError("the fork server did not answer")
            pid: int = NUMBER.unpack(data)[0]
            if pid < 0:
                raise OSError(-pid, f"no worker process could be forked: {os.strerror(-pid)}")
            return Child(pid, read)
        except BaseException:
            os.close(read)
            raise
        finally:
            # Only now: on macOS a descriptor may be lost that is closed here before it has arrived there.
            os.close(write)

    def _end(self) -> None:
        """Close the connection, which ends the server, and reap it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        process, self._process = self._process, None
        if process is not None:
            try:
                process.wait(GRACE_SECONDS + 5.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
