"""The fork server's own side: a small single-threaded process that forks children and tells of their ends.

It loads little, since everybody waits for its first child; what it offers and assumes stands in `forkserver.py`.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import math
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn

from .imports import when_imported

__all__ = ["GRACE_SECONDS", "HEADER", "NUMBER", "readable", "serve"]

GRACE_SECONDS: Final = 0.5
HEADER: Final = struct.Struct("!II")
NUMBER: Final = struct.Struct("!q")


def readable(fds: Iterable[int], timeout: float | None = None) -> set[int]:
    """Which of some descriptors can be read, or have ended, after waiting `timeout` seconds; None for any time."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return {fd for fd, _ in poll.poll(None if timeout is None else math.ceil(max(timeout, 0.0) * 1000))}


def serve(fd: int, tracker: int) -> NoReturn:
    """The server process: fork a child for each request until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # whatever the parent's thread had blocked
    when_imported("multiprocessing.resource_tracker", lambda: _share_tracker(tracker))
    parent = socket.socket(fileno=fd)
    code = 1
    try:
        code = _Server(parent).run()
    except (EOFError, ConnectionError):
        code = 0
    finally:
        # Neither atexit hooks nor destructors: nothing of this process is worth the time.
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _share_tracker(fd: int) -> None:
    """Have this process, and its children, use the parent's resource tracker."""
    sys.modules["multiprocessing.resource_tracker"]._resource_tracker._fd = fd  # type: ignore[attr-defined, unused-ignore]


class _Server:
    """What the server process knows."""

    def __init__(self, parent: socket.socket) -> None:
        self.parent = parent
        self.pipes: dict[int, int] = {}
        size, _ = HEADER.unpack(_receive(parent, HEADER.size))
        self.entry, *preload = _receive(parent, size).decode().split()
        gc.disable()  # what is loaded here stays; and looking through it would take a tenth of the time
        for module in (self.entry.partition(":")[0], *preload):
            with contextlib.suppress(Exception):  # its children will say so
                importlib.import_module(module)
        # A collection in a child would touch, and so copy, the pages of all that is here already.
        gc.freeze()

    def run(self) -> int:
        """Serve until the parent is gone, then end the children."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self.wake = (wake_read, wake_write)
        while True:
            ready = readable([self.parent.fileno(), wake_read])
            if wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake_read, 4096)
                self.reap()
            if self.parent.fileno() in ready:
                try:
                    self.fork()
                except (EOFError, ConnectionError):
                    self.end_children()
                    return 0

    def fork(self) -> None:
        """Read one request and fork its child."""
        header, fds, _, _ = socket.recv_fds(self.parent, HEADER.size, 16)
        if not header:
            raise EOFError
        try:
            header += _receive(self.parent, HEADER.size - len(header))
            size, expected = HEADER.unpack(header)
            payload = _receive(self.parent, size)
            if expected != len(fds):
                raise OSError(errno.EIO, "descriptors were lost on the way")
            pid = os.fork()
        except OSError as error:
            if fds:
                with contextlib.suppress(OSError):
                    os.write(fds[0], NUMBER.pack(-(error.errno or errno.EIO)))
            for fd in fds:
                os.close(fd)
            return
        status, *inherited = fds
        if pid == 0:
            self.become_child(payload, status, inherited)
        for fd in inherited:
            os.close(fd)
        self.pipes[pid] = status
        with contextlib.suppress(OSError):
            os.write(status, NUMBER.pack(pid))

    def become_child(self, payload: bytes, status: int, fds: list[int]) -> NoReturn:
        """In the child: leave the server's things and run the entry."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.parent.close()
            for fd in (*self.wake, status, *self.pipes.values()):
                os.close(fd)
            self.pipes.clear()
            gc.enable()
            module, _, name = self.entry.partition(":")
            function: Callable[[bytes, list[int]], Any] = getattr(importlib.import_module(module), name)
            function(payload, fds)
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            with contextlib.suppress(Exception):
                threading._shutdown()  # type: ignore[attr-defined]
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
            os._exit(code)

    def reap(self) -> None:
        """Pass on the status of each child that has ended."""
        while self.pipes:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            pipe = self.pipes.pop(pid, None)
            if pipe is not None:
                with contextlib.suppress(OSError):
                    os.write(pipe, NUMBER.pack(status))
                os.close(pipe)

    def end_children(self) -> None:
        """SIGTERM for all, SIGKILL for those that are still there after the grace."""
        for number, grace in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 1.0)):
            for pid in self.pipes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            end = time.monotonic() + grace
            while self.pipes and (left := end - time.monotonic()) > 0:
                readable([self.wake[0]], left)
                with contextlib.suppress(BlockingIOError):
                    os.read(self.wake[0], 4096)
                self.reap()


def _receive(source: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or EOFError."""
    parts = bytearray()
    while len(parts) < size:
        part = source.recv(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
